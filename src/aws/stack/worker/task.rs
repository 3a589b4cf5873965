//! The task that takes uploads, and what it may do.

use serde_json::{Map, Value, json};

use super::{Resource, arn, reference, skipped, stateful, tags};
use crate::model::{UploadWorker, WorkerReads};

/// For how long a release may go on once the task is told to stop.
const GRACE_SECONDS: u32 = 90;
/// When it is killed: Fargate's most
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html>).
/// What is left after the grace is for handing the release over.
const STOP_SECONDS: u32 = 120;
/// Nobody but the task itself asks there.
const HEALTH: &str = "127.0.0.1:8081";

pub fn resources(it: &UploadWorker) -> Vec<Resource> {
    vec![
        ("LogGroup", log_group(it)),
        ("Cluster", cluster(it)),
        ("ExecutionRole", execution_role(it)),
        ("TaskRole", task_role(it)),
        ("TaskDefinition", task_definition(it)),
        ("Service", service(it)),
    ]
}

fn log_group(it: &UploadWorker) -> Value {
    let mut group = stateful(
        "AWS::Logs::LogGroup",
        &json!({
            "LogGroupName": format!("/bgecs/{}-worker", it.name),
            "RetentionInDays": 30,
            "Tags": tags(&it.name),
        }),
    );
    group["Metadata"] = skipped(
        "CKV_AWS_158",
        "Encrypted by CloudWatch Logs as always; a key of its own would stay for at least a week after the stack is deleted.",
    );
    group
}

fn cluster(it: &UploadWorker) -> Value {
    json!({
        "Type": "AWS::ECS::Cluster",
        "Metadata": skipped(
            "CKV_AWS_65",
            "Container Insights costs money per metric and bgecs reads none of them; left unset, the account's own default holds.",
        ),
        "Properties": { "ClusterName": it.name.worker(), "Tags": tags(&it.name) },
    })
}

fn role(it: &UploadWorker, what: &str, policy: (&str, Value)) -> Value {
    let (name, document) = policy;
    json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": format!("bgecs {}: {what}", it.name),
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": { "Service": "ecs-tasks.amazonaws.com" },
                    "Action": "sts:AssumeRole",
                    // Or ECS could be talked into it on behalf of another account.
                    "Condition": { "StringEquals": { "aws:SourceAccount": reference("AWS::AccountId") } },
                }],
            },
            "Policies": [{ "PolicyName": name, "PolicyDocument": document }],
            "Tags": tags(&it.name),
        },
    })
}

fn statement(sid: &str, actions: &[&str], on: &Value) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": on })
}

fn execution_role(it: &UploadWorker) -> Value {
    let write = ["logs:CreateLogStream", "logs:PutLogEvents"];
    let mut all = vec![statement("WriteLogs", &write, &arn("LogGroup"))];
    let WorkerReads {
        secrets,
        parameters,
        repositories,
    } = &it.task.reads;
    if !repositories.is_empty() {
        // This call knows no resources.
        let log_in = ["ecr:GetAuthorizationToken"];
        all.push(statement("LogInToRegistry", &log_in, &json!("*")));
        let pull = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        ];
        all.push(statement("PullImage", &pull, &json!(repositories)));
    }
    for (sid, action, context, on) in [
        (
            "Secrets",
            "secretsmanager:GetSecretValue",
            "SecretARN",
            secrets,
        ),
        (
            "Parameters",
            "ssm:GetParameters",
            "PARAMETER_ARN",
            parameters,
        ),
    ] {
        if on.is_empty() {
            continue;
        }
        all.push(statement(&format!("Read{sid}"), &[action], &json!(on)));
        // Of which key they are under nobody knows but they; what it is used for, its
        // context tells.
        let mut decrypt = statement(&format!("Decrypt{sid}"), &["kms:Decrypt"], &json!("*"));
        let key = format!("kms:EncryptionContext:{context}");
        decrypt["Condition"] = json!({ "StringLike": { key: on } });
        all.push(decrypt);
    }
    let document = json!({ "Version": "2012-10-17", "Statement": all });
    role(it, "lets ECS start the worker", ("start-tasks", document))
}

fn task_role(it: &UploadWorker) -> Value {
    let policy = in_the_stack(it.policy.clone());
    role(it, "permissions of the worker", ("serve", policy))
}

/// How many characters such a policy has in the role, at the most: what stands for the
/// partition, the region and the account is longer than these are.
pub fn policy_length(policy: &Value) -> usize {
    const WRAP: &str = "{\"Fn::Sub\":}";
    const LONGEST_BUCKET: usize = 63;
    let text = in_the_stack(policy.clone()).to_string();
    let count = |part: &str| text.matches(part).count();
    let buckets = count("${Bucket}") * LONGEST_BUCKET;
    text.len() + buckets - count("{\"Fn::Sub\":") * WRAP.len()
}

/// What a printed policy leaves open is the region and the account of the stack.
fn in_the_stack(policy: Value) -> Value {
    match policy {
        Value::String(text) => match closed(&text) {
            filled if filled.contains("${") => json!({ "Fn::Sub": filled }),
            text => json!(text),
        },
        Value::Array(all) => all.into_iter().map(in_the_stack).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            let fields = fields.map(|(key, value)| (key, in_the_stack(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn closed(text: &str) -> String {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", partition, service, region, account, rest] = &parts[..] else {
        return text.to_owned();
    };
    let fill = |part: &str, open: &str| match part {
        "*" => open.to_owned(),
        part => part.to_owned(),
    };
    let partition = fill(partition, "${AWS::Partition}");
    let region = fill(region, "${AWS::Region}");
    let account = fill(account, "${AWS::AccountId}");
    format!("arn:{partition}:{service}:{region}:{account}:{rest}")
}

fn task_definition(it: &UploadWorker) -> Value {
    json!({
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": it.name.worker(),
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": "512",
            "Memory": "1024",
            "ExecutionRoleArn": arn("ExecutionRole"),
            "TaskRoleArn": arn("TaskRole"),
            "ContainerDefinitions": [container(it)],
            "Tags": tags(&it.name),
        },
    })
}

fn container(it: &UploadWorker) -> Value {
    let task = &it.task;
    let mut container = json!({
        "Name": "worker",
        "Image": task.image,
        "Essential": true,
        // Whatever else the image may begin with.
        "EntryPoint": ["bgecs"],
        "Command": command(it),
        "StopTimeout": STOP_SECONDS,
        "HealthCheck": {
            // No other client of HTTP has to be in the image.
            "Command": [
                "CMD", "bgecs", "probe", "--quiet", "--rate", "1", "--duration", "1s",
                "--url", format!("http://{HEALTH}/health"),
            ],
            "Interval": 30,
            "Timeout": 10,
            "Retries": 3,
            "StartPeriod": 60,
        },
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": reference("LogGroup"),
                "awslogs-region": reference("AWS::Region"),
                "awslogs-stream-prefix": "worker",
            },
        },
    });
    let environment = task.environment.iter();
    let environment: Vec<Value> = environment
        .map(|name| json!({ "Name": "BGECS_ENV", "Value": name }))
        .collect();
    let secrets = task.secrets.iter();
    let secrets: Vec<Value> = secrets
        .map(|(name, from)| json!({ "Name": name, "ValueFrom": from }))
        .collect();
    for (key, list) in [("Environment", environment), ("Secrets", secrets)] {
        if !list.is_empty() {
            container[key] = json!(list);
        }
    }
    container
}

fn command(it: &UploadWorker) -> Vec<Value> {
    let mut command = vec![json!("serve")];
    command.extend(it.task.arguments.iter().map(|word| json!(word)));
    command.extend([json!("--queue"), reference("Queue")]);
    if it.topic.is_none() {
        command.extend([json!("--topic"), reference("Topic")]);
    }
    let grace = format!("{GRACE_SECONDS}s");
    let further = ["--log", "json", "--health", HEALTH, "--grace", &grace];
    command.extend(further.map(|word| json!(word)));
    command
}

/// One task: a release that is under way is handed over ahead of the next worker's start,
/// so that one does not wait for a lease that is about to end.
fn service(it: &UploadWorker) -> Value {
    let task = &it.task;
    json!({
        "Type": "AWS::ECS::Service",
        "Properties": {
            "ServiceName": "worker",
            "Cluster": reference("Cluster"),
            "TaskDefinition": reference("TaskDefinition"),
            "LaunchType": "FARGATE",
            "DesiredCount": 1,
            "PropagateTags": "SERVICE",
            "AvailabilityZoneRebalancing": "DISABLED",
            "DeploymentConfiguration": {
                "MinimumHealthyPercent": 0,
                "MaximumPercent": 100,
                // Else the stack would wait for hours for a worker that cannot start.
                "DeploymentCircuitBreaker": { "Enable": true, "Rollback": true },
            },
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {
                    "Subnets": task.subnets,
                    "SecurityGroups": task.security_groups,
                    "AssignPublicIp": match task.public_ip {
                        true => "ENABLED",
                        false => "DISABLED",
                    },
                },
            },
            "Tags": tags(&it.name),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_killed_after_its_grace_and_time_to_hand_over() {
        const { assert!(GRACE_SECONDS + 20 <= STOP_SECONDS && STOP_SECONDS <= 120) }
    }

    #[test]
    fn a_policy_is_never_longer_than_it_is_said_to_be() {
        let policy =
            json!({ "Resource": ["arn:*:s3:::${Bucket}/*", "arn:*:ecs:*:*:task/a/*", "*"] });
        let filled = json!({ "Resource": [
            format!("arn:aws-us-gov:s3:::{}/*", "b".repeat(63)),
            "arn:aws-us-gov:ecs:ap-southeast-1:123456789012:task/a/*",
            "*",
        ] });
        let length = filled.to_string().len();
        let said = policy_length(&policy);
        assert!((length..length + 50).contains(&said), "{said}, {length}");
    }

    #[test]
    fn what_is_open_is_the_stacks_and_what_is_said_stays() {
        for (printed, filled) in [
            (
                "arn:*:ecs:*:*:task/a/*",
                "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/a/*",
            ),
            (
                "arn:*:ecs:eu-west-1:123456789012:task/a:*",
                "arn:${AWS::Partition}:ecs:eu-west-1:123456789012:task/a:*",
            ),
            (
                "arn:*:route53:::hostedzone/*",
                "arn:${AWS::Partition}:route53:::hostedzone/*",
            ),
            (
                "arn:aws:sns:eu-west-1:123456789012:t",
                "arn:aws:sns:eu-west-1:123456789012:t",
            ),
            ("*", "*"),
            ("s3:GetObject", "s3:GetObject"),
        ] {
            assert_eq!(closed(printed), filled);
        }
    }
}
