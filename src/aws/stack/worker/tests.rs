use super::*;
use crate::aws::stack::StackStatus;
use crate::model::{WorkerReads, WorkerTask};

fn worker() -> UploadWorker {
    let secret = "arn:aws:ssm:eu-west-1:123456789012:parameter/hook";
    UploadWorker {
        name: "shop".parse().unwrap(),
        receives: 40,
        topic: None,
        policy: json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "FetchUploads",
            "Effect": "Allow",
            "Action": ["s3:GetObjectVersion"],
            "Resource": [format!("arn:*:s3:::{BUCKET_OF_TEMPLATE}/*")],
        }] }),
        task: WorkerTask {
            image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/worker:1".to_owned(),
            arguments: vec!["shop/set.toml".to_owned()],
            environment: Some("staging".to_owned()),
            subnets: vec!["subnet-1".to_owned(), "subnet-2".to_owned()],
            security_groups: vec!["sg-1".to_owned()],
            public_ip: true,
            secrets: [("HOOK".to_owned(), secret.to_owned())].into(),
            reads: WorkerReads {
                secrets: Vec::new(),
                parameters: vec![secret.to_owned()],
                repositories: vec![
                    "arn:aws:ecr:eu-west-1:123456789012:repository/worker".to_owned(),
                ],
            },
        },
    }
}

#[test]
fn a_template_makes_what_brings_uploads_and_what_takes_them() {
    insta::assert_snapshot!(format!("{:#}", template(&worker())));
}

#[test]
fn a_topic_that_is_there_is_told_and_none_is_made() {
    let arn = "arn:aws:sns:eu-west-1:123456789012:releases";
    let told = template(&UploadWorker {
        topic: Some(arn.parse().unwrap()),
        ..worker()
    });
    assert_eq!(told["Resources"]["Topic"], Value::Null);
    assert_eq!(told["Outputs"][TOPIC_ARN]["Value"], arn);
    // Its own file says it.
    let container = &told["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"][0];
    let command = container["Command"].as_array().unwrap();
    assert!(!command.contains(&json!("--topic")), "{command:?}");
}

/// The worker gets the same names that the stack's outputs have.
#[test]
fn the_stack_of_a_worker_is_told_by_what_it_says() {
    let outputs = |names: &[&str]| {
        let all = names
            .iter()
            .map(|it| ((*it).to_owned(), format!("the {it}")));
        StackSnapshot {
            id: "1".to_owned(),
            name: "bgecs-shop-worker".to_owned(),
            status: StackStatus::Ready,
            status_text: "CREATE_COMPLETE".to_owned(),
            reason: None,
            parameters: std::collections::BTreeMap::new(),
            outputs: all.collect(),
        }
    };
    let template = template(&worker());
    let said = template["Outputs"].as_object().unwrap();
    let said: Vec<&str> = said.keys().map(String::as_str).collect();
    let made = outputs(&said).worker().unwrap();
    assert_eq!(made.queue, "the WorkerQueueUrl");
    assert_eq!(made.bucket, "the WorkerBucketName");
    assert_eq!(outputs(&["LogGroupName", "ClusterName"]).worker(), None);
}
