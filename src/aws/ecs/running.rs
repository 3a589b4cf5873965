//! A service that anybody made, with all its settings.

use aws_sdk_ecs::types::{
    DeploymentConfiguration, DeploymentController, DeploymentControllerType, DeploymentStrategy,
    Service, ServiceField,
};

use super::{definition, entrance};
use crate::aws::Aws;
use crate::aws::error::AwsError;
use crate::model::{Revision, RunningService, RunningSettings, UserMover};

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>
const STACK_TAG: &str = "aws:cloudformation:stack-name";

impl Aws {
    /// None if there is no such service or cluster.
    pub async fn read_running_service(
        &self,
        cluster: &str,
        name: &str,
    ) -> Result<Option<(RunningService, RunningSettings)>, AwsError> {
        let with = [ServiceField::Tags];
        let found = self.service_anywhere(cluster, name, &with).await?;
        Ok(found.map(|service| (entrance::read(&service, name), settings(&service, cluster))))
    }
}

fn settings(service: &Service, cluster: &str) -> RunningSettings {
    let arn = service.cluster_arn().unwrap_or(cluster);
    let mut tags = service.tags().iter();
    let stack = tags.find(|tag| tag.key() == Some(STACK_TAG));
    RunningSettings {
        arn: service.service_arn().unwrap_or_default().to_owned(),
        cluster: arn.rsplit('/').next().unwrap_or(arn).to_owned(),
        mover: mover(service),
        task_definition: Revision::new(service.task_definition().unwrap_or_default()),
        desired: u16::try_from(service.desired_count()).unwrap_or_default(),
        definition: definition::read(service),
        is_deploying: service.deployments().len() > 1,
        is_draining: service.status() == Some("DRAINING"),
        stack: stack.and_then(|tag| tag.value()).map(str::to_owned),
    }
}

/// Whether an update is enough to give it another revision.
pub fn moved_by_ecs(service: &Service) -> bool {
    !matches!(mover(service), UserMover::CodeDeploy | UserMover::External)
}

/// ECS's own controller is not named unless it was chosen explicitly.
fn mover(service: &Service) -> UserMover {
    let controller = service
        .deployment_controller()
        .map(DeploymentController::r#type);
    match controller {
        Some(DeploymentControllerType::CodeDeploy) => return UserMover::CodeDeploy,
        Some(DeploymentControllerType::External) => return UserMover::External,
        _ => {}
    }
    let strategy = service
        .deployment_configuration()
        .and_then(DeploymentConfiguration::strategy);
    match strategy {
        None | Some(DeploymentStrategy::Rolling) => UserMover::Rolling,
        Some(other) => UserMover::Ecs(other.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::model::{
        Compute, DeploymentConfiguration, LoadBalancer, Network, PropagateTags, ServiceDefinition,
        TargetGroupArn,
    };

    async fn read(rest: Value) -> RunningSettings {
        let mut service = json!({ "serviceName": "web", "status": "ACTIVE" });
        let object = service.as_object_mut().unwrap();
        object.extend(rest.as_object().unwrap().clone());
        let body = json!({ "services": [service], "failures": [] });
        let wire = Wire::new().on("DescribeServices", Reply::json(&body));
        let found = wire
            .aws()
            .read_running_service("prod", "web")
            .await
            .unwrap();
        assert_eq!(
            wire.request().json(),
            json!({ "cluster": "prod", "services": ["web"], "include": ["TAGS"] })
        );
        found.unwrap().1
    }

    #[tokio::test]
    async fn every_setting_of_a_service_is_read() {
        let found = read(json!({
            "serviceArn": "arn:aws:ecs:eu-central-1:123456789012:service/prod/web",
            "clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/prod",
            "taskDefinition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:42",
            "desiredCount": 3,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "enableExecuteCommand": true,
            "healthCheckGracePeriodSeconds": 90,
            "loadBalancers": [
                { "targetGroupArn": "tg/web", "containerName": "app", "containerPort": 8080 },
            ],
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": ["subnet-a", "subnet-b"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            } },
            "deploymentConfiguration": {
                "strategy": "ROLLING",
                "minimumHealthyPercent": 50,
                "maximumPercent": 150,
                "deploymentCircuitBreaker": { "enable": true, "rollback": false },
            },
            "deployments": [
                { "id": "2", "status": "PRIMARY" },
                { "id": "1", "status": "ACTIVE" },
            ],
            "serviceRegistries": [{ "registryArn": "arn:aws:servicediscovery:…" }],
            "tags": [{ "key": STACK_TAG, "value": "shop" }],
        }))
        .await;
        let expected = RunningSettings {
            arn: "arn:aws:ecs:eu-central-1:123456789012:service/prod/web".to_owned(),
            cluster: "prod".to_owned(),
            mover: UserMover::Rolling,
            task_definition: Revision::new(
                "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:42",
            ),
            desired: 3,
            definition: ServiceDefinition {
                load_balancers: vec![LoadBalancer {
                    target_group: TargetGroupArn::new("tg/web"),
                    container: "app".to_owned(),
                    port: 8080,
                }],
                network: Network {
                    subnets: vec!["subnet-a".to_owned(), "subnet-b".to_owned()],
                    security_groups: vec!["sg-1".to_owned()],
                    public_ip: false,
                },
                health_check_grace_period: Duration::from_secs(90),
                deployment: DeploymentConfiguration {
                    minimum_healthy_percent: 50,
                    maximum_percent: 150,
                    breaker: true,
                    rollback: false,
                },
                propagate_tags: PropagateTags::None,
                compute: Compute {
                    platform_version: Some("1.4.0".to_owned()),
                    exec: true,
                    ..Compute::default()
                },
                names: vec!["arn:aws:servicediscovery:…".to_owned()],
            },
            is_deploying: true,
            is_draining: false,
            stack: Some("shop".to_owned()),
        };
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn who_moves_users_and_what_tasks_run_on_is_told_apart() {
        let controller = |kind: &str| json!({ "deploymentController": { "type": kind } });
        for (rest, mover) in [
            (json!({}), UserMover::Rolling),
            (controller("ECS"), UserMover::Rolling),
            (controller("CODE_DEPLOY"), UserMover::CodeDeploy),
            (controller("EXTERNAL"), UserMover::External),
            (
                json!({ "deploymentConfiguration": { "strategy": "CANARY" } }),
                UserMover::Ecs("CANARY".to_owned()),
            ),
        ] {
            assert_eq!(read(rest.clone()).await.mover, mover, "{rest}");
        }
        let providers = |names: &[&str]| {
            let all = names.iter().map(|it| json!({ "capacityProvider": it }));
            json!({ "capacityProviderStrategy": all.collect::<Vec<_>>() })
        };
        for (rest, is_fargate) in [
            (json!({ "launchType": "FARGATE" }), true),
            (json!({ "launchType": "EC2" }), false),
            (json!({ "launchType": "EXTERNAL" }), false),
            (json!({}), false),
            (providers(&["FARGATE_SPOT", "FARGATE"]), true),
            (providers(&["FARGATE", "own"]), false),
        ] {
            let capacity = read(rest.clone()).await.definition.compute.capacity;
            assert_eq!(capacity.is_fargate(), is_fargate, "{rest}");
        }
        let connects =
            json!({ "deployments": [{ "serviceConnectConfiguration": { "enabled": true } }] });
        assert_eq!(read(connects).await.definition.names.len(), 1);
    }

    #[tokio::test]
    async fn what_is_not_there_is_none() {
        let gone = json!({ "services": [{ "serviceName": "web", "status": "INACTIVE" }] });
        for reply in [
            Reply::json(&gone),
            Reply::json_error(400, "ClusterNotFoundException", "Cluster not found."),
        ] {
            let wire = Wire::new().on("DescribeServices", reply);
            assert_eq!(
                wire.aws()
                    .read_running_service("prod", "web")
                    .await
                    .unwrap(),
                None
            );
        }
    }
}
