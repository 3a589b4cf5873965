use serde_json::{Value, json};

use super::*;
use crate::config::{ContainerSection, OwnDefinition};
use crate::engine::task_definition::TaskFile;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf";
const PARAMETER: &str = "arn:aws:ssm:eu-west-1:123456789012:parameter/db";

fn needs_in(region: &str, more: &Value, task: &Value) -> Needs {
    let mut app = json!({ "name": "app", "portMappings": [{ "containerPort": 80 }] });
    let mut definition = json!({ "cpu": "256", "memory": "512" });
    for (holder, more) in [(&mut app, more), (&mut definition, task)] {
        let more = more.as_object().unwrap().clone();
        holder.as_object_mut().unwrap().extend(more);
    }
    definition["containerDefinitions"] = json!([app, { "name": "agent", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tools/agent:1" }]);
    let own = OwnDefinition::default();
    let file = TaskFile::parse(&definition.to_string(), "app", &own, &|_| None).unwrap();
    let file = file.without_roles_of_stacks();
    let source = Source::File {
        container: "app",
        file: &file,
    };
    let needs = Needs::of(&source, region);
    if task == &json!({}) {
        let agent = "arn:aws:ecr:eu-west-1:123456789012:repository/tools/agent";
        assert_eq!(needs.repositories, BTreeSet::from([agent.to_owned()]));
    }
    needs
}

fn needs(more: &Value) -> Needs {
    needs_in("eu-west-1", more, &json!({}))
}

fn listed(arns: &BTreeSet<String>) -> Vec<&str> {
    arns.iter().map(String::as_str).collect()
}

/// The lists must be what the template's patterns take.
#[test]
fn secrets_wherever_a_container_names_them() {
    let needs = needs(&json!({
        "secrets": [
            { "name": "A", "valueFrom": format!("{SECRET}:key::") },
            { "name": "B", "valueFrom": PARAMETER },
            { "name": "C", "valueFrom": "/shop/by-name" },
            { "name": "D", "valueFrom": "plain-name" },
            { "name": "E", "valueFrom": SECRET },
        ],
        "logConfiguration": {
            "logDriver": "splunk",
            "options": { "splunk-url": "https://splunk.example" },
            "secretOptions": [{ "name": "splunk-token", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:splunk" }],
        },
        "repositoryCredentials": { "credentialsParameter": "registry/login" },
    }));
    assert_eq!(
        listed(&needs.secrets),
        [
            "arn:aws:secretsmanager:eu-west-1:*:secret:registry/login-??????",
            SECRET,
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:splunk",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:splunk-??????",
        ]
    );
    assert_eq!(
        listed(&needs.parameters),
        [
            "arn:aws:ssm:eu-west-1:*:parameter/plain-name",
            "arn:aws:ssm:eu-west-1:*:parameter/shop/by-name",
            PARAMETER,
        ]
    );
}

#[test]
fn files_and_log_groups() {
    let file = json!([{ "type": "s3", "value": "arn:aws:s3:::bucket/a/prod.env" }]);
    let log = |group: &str| {
        json!({ "logDriver": "awslogs", "options": {
            "awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web",
        } })
    };
    let found = needs(&json!({ "environmentFiles": file, "logConfiguration": log("/ecs/shop") }));
    assert_eq!(listed(&found.files), ["arn:aws:s3:::bucket/a/prod.env"]);
    assert_eq!(listed(&found.buckets), ["arn:aws:s3:::bucket"]);
    assert_eq!(
        listed(&found.log_groups),
        ["arn:aws:logs:us-east-1:*:log-group:/ecs/shop:*"]
    );
    let ours = needs(&json!({ "logConfiguration": log("/bgecs/hello") }));
    assert_eq!(listed(&ours.log_groups), [""; 0]);
}

#[test]
fn in_other_partitions() {
    let secrets = json!({ "secrets": [{ "name": "A", "valueFrom": "name" }] });
    let parameter = |region| {
        let needs = needs_in(region, &secrets, &json!({}));
        needs.parameters.into_iter().next().unwrap()
    };
    assert_eq!(
        parameter("cn-north-1"),
        "arn:aws-cn:ssm:cn-north-1:*:parameter/name"
    );
    assert_eq!(
        parameter("us-gov-west-1"),
        "arn:aws-us-gov:ssm:us-gov-west-1:*:parameter/name"
    );
}

#[test]
fn a_role_of_the_user_s_is_the_user_s_to_write() {
    let secrets = json!({ "secrets": [{ "name": "A", "valueFrom": SECRET }] });
    let with = |role: &str| needs_in("eu-west-1", &secrets, &json!({ "executionRoleArn": role }));
    assert_eq!(with("arn:aws:iam::123456789012:role/own"), Needs::default());
    // That of the stack from which the file was exported.
    let exported = with("arn:aws:iam::123456789012:role/bgecs-hello-ExecutionRole-1A2B");
    assert_eq!(listed(&exported.secrets), [SECRET]);
}

#[test]
fn of_the_keys() {
    let mut settings = ContainerSection::default();
    for (name, arn) in [("A", SECRET), ("B", PARAMETER)] {
        settings
            .secrets
            .insert(name.to_owned(), arn.parse().unwrap());
    }
    let source = Source::Settings {
        container: "app",
        settings: &settings,
    };
    let needs = Needs::of(&source, "eu-west-1");
    assert_eq!(listed(&needs.secrets), [SECRET]);
    assert_eq!(listed(&needs.parameters), [PARAMETER]);
}
