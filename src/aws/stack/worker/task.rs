//! The task that takes uploads, and its permissions.

use serde_json::{Value, json};

use super::policies::policies;
use super::{Resource, arn, reference, skipped, stateful, tags};
use crate::model::{UploadWorker, WorkerReads};

/// How long a release may continue once the task is told to stop.
const GRACE_SECONDS: u32 = 90;
/// When it is killed, which is the longest that Fargate allows
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html>).
/// What is left after the grace is for handing over the release.
const STOP_SECONDS: u32 = 120;
/// Only the task itself uses it.
const HEALTH: &str = "127.0.0.1:8081";

pub fn resources(it: &UploadWorker) -> Vec<Resource> {
    let policies = policies(it);
    let role = task_role(it, &policies);
    let others = [
        ("LogGroup", log_group(it)),
        ("Cluster", cluster(it)),
        ("ExecutionRole", execution_role(it)),
        ("TaskRole", role),
        ("TaskDefinition", task_definition(it)),
        ("Service", service(it)),
    ];
    let others = others.map(|(name, resource)| (name.to_owned(), resource));
    policies.into_iter().chain(others).collect()
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

fn role(it: &UploadWorker, what: &str) -> Value {
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
                    // Otherwise ECS could be tricked into using it for another account.
                    "Condition": { "StringEquals": { "aws:SourceAccount": reference("AWS::AccountId") } },
                }],
            },
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
        // This call does not support resources.
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
        // Only the secrets know which key they are encrypted with; the encryption context
        // says what a key is used for.
        let mut decrypt = statement(&format!("Decrypt{sid}"), &["kms:Decrypt"], &json!("*"));
        let key = format!("kms:EncryptionContext:{context}");
        decrypt["Condition"] = json!({ "StringLike": { key: on } });
        all.push(decrypt);
    }
    let document = json!({ "Version": "2012-10-17", "Statement": all });
    let mut role = role(it, "lets ECS start the worker");
    role["Properties"]["Policies"] =
        json!([{ "PolicyName": "start-tasks", "PolicyDocument": document }]);
    role
}

fn task_role(it: &UploadWorker, policies: &[Resource]) -> Value {
    let mut role = role(it, "permissions of the worker");
    let names = policies.iter().map(|(name, _)| reference(name));
    role["Properties"]["ManagedPolicyArns"] = names.collect();
    role
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
        // Whatever entry point the image has.
        "EntryPoint": ["bgecs"],
        "Command": command(it),
        "StopTimeout": STOP_SECONDS,
        "HealthCheck": {
            // So the image needs no other HTTP client.
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

/// One task at a time: a release that is under way is handed over before the next worker
/// starts, so that this one does not wait for a lease that is about to end.
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
                // Otherwise the stack would wait for hours for a worker that cannot
                // start.
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
}
