//! A service that anybody made, as far as it concerns how users reach it.

use std::iter;

use aws_sdk_ecs::types::{AdvancedConfiguration, LoadBalancer, Service, ServiceField, TaskSet};

use crate::aws::Aws;
use crate::aws::error::AwsError;
use crate::model::{RunningService, TargetGroupArn};

impl Aws {
    /// None if there is no such service or cluster.
    pub async fn find_service(
        &self,
        cluster: &str,
        name: &str,
    ) -> Result<Option<RunningService>, AwsError> {
        let found = self.service_anywhere(cluster, name, &[]).await?;
        Ok(found.map(|service| read(&service, name)))
    }

    pub(super) async fn service_anywhere(
        &self,
        cluster: &str,
        name: &str,
        with: &[ServiceField],
    ) -> Result<Option<Service>, AwsError> {
        match self.describe_service(cluster, name, with).await {
            Err(error) if error.has_code("ClusterNotFoundException") => Ok(None),
            found => found,
        }
    }
}

pub(super) fn read(service: &Service, name: &str) -> RunningService {
    let of_task_sets = service.task_sets().iter().flat_map(TaskSet::load_balancers);
    let mut found = RunningService {
        name: service.service_name().unwrap_or(name).to_owned(),
        ..RunningService::default()
    };
    for entry in service.load_balancers().iter().chain(of_task_sets) {
        for arn in groups(entry).map(TargetGroupArn::new) {
            if !found.groups.contains(&arn) {
                found.groups.push(arn);
            }
        }
        let classic = entry.load_balancer_name().map(str::to_owned);
        found.classic.extend(classic);
        let moved = entry
            .advanced_configuration()
            .and_then(AdvancedConfiguration::production_listener_rule);
        found.production.extend(moved.map(str::to_owned));
    }
    found
}

/// The group where its tasks are, and the one where they are after a release by ECS.
fn groups(entry: &LoadBalancer) -> impl Iterator<Item = &str> {
    let other = entry
        .advanced_configuration()
        .and_then(AdvancedConfiguration::alternate_target_group_arn);
    iter::once(entry.target_group_arn())
        .chain([other])
        .flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::testing::{Reply, Wire};

    async fn found(service: &Value) -> (Option<RunningService>, Value) {
        let body = json!({ "services": [service], "failures": [] });
        let wire = Wire::new().on("DescribeServices", Reply::json(&body));
        let found = wire.aws().find_service("prod", "web").await.unwrap();
        (found, wire.request().json())
    }

    fn arns(names: &[&str]) -> Vec<TargetGroupArn> {
        names
            .iter()
            .map(|name| TargetGroupArn::new(*name))
            .collect()
    }

    #[tokio::test]
    async fn every_target_group_of_a_service_is_known_whoever_deploys_it() {
        for (rest, groups, production) in [
            (json!({}), vec![], vec![]),
            (
                json!({ "loadBalancers": [
                    { "targetGroupArn": "tg/public", "containerName": "web", "containerPort": 80 },
                    { "targetGroupArn": "tg/internal", "containerName": "web", "containerPort": 80 },
                ] }),
                vec!["tg/public", "tg/internal"],
                vec![],
            ),
            // ECS's own blue/green deployment.
            (
                json!({ "loadBalancers": [{ "targetGroupArn": "tg/a", "advancedConfiguration": {
                    "alternateTargetGroupArn": "tg/b",
                    "productionListenerRule": "rule/prod",
                    "testListenerRule": "rule/test",
                    "roleArn": "role",
                } }] }),
                vec!["tg/a", "tg/b"],
                vec!["rule/prod"],
            ),
            // CodeDeploy's, in the middle of a deployment.
            (
                json!({
                    "deploymentController": { "type": "CODE_DEPLOY" },
                    "loadBalancers": [{ "targetGroupArn": "tg/a" }],
                    "taskSets": [
                        { "id": "1", "loadBalancers": [{ "targetGroupArn": "tg/a" }] },
                        { "id": "2", "loadBalancers": [{ "targetGroupArn": "tg/b" }] },
                    ],
                }),
                vec!["tg/a", "tg/b"],
                vec![],
            ),
        ] {
            let mut service = json!({ "serviceName": "web", "status": "ACTIVE" });
            let object = service.as_object_mut().unwrap();
            object.extend(rest.as_object().unwrap().clone());
            let (found, asked) = found(&service).await;
            assert_eq!(asked, json!({ "cluster": "prod", "services": ["web"] }));
            let expected = RunningService {
                name: "web".to_owned(),
                groups: arns(&groups),
                classic: Vec::new(),
                production: production.into_iter().map(str::to_owned).collect(),
            };
            assert_eq!(found, Some(expected), "{service}");
        }
    }

    #[tokio::test]
    async fn a_classic_load_balancer_is_told_by_name() {
        let balancers = json!([{ "loadBalancerName": "old", "containerName": "web" }]);
        let service = json!({ "status": "ACTIVE", "loadBalancers": balancers });
        let found = found(&service).await.0.unwrap();
        assert_eq!(
            (&*found.name, &*found.classic),
            ("web", &["old".to_owned()][..])
        );
    }

    #[tokio::test]
    async fn what_is_not_there_is_none() {
        let gone = json!({ "serviceName": "web", "status": "INACTIVE" });
        let missing =
            json!({ "services": [], "failures": [{ "arn": "web", "reason": "MISSING" }] });
        for reply in [
            Reply::json(&json!({ "services": [gone] })),
            Reply::json(&missing),
            Reply::json_error(400, "ClusterNotFoundException", "Cluster not found."),
        ] {
            let wire = Wire::new().on("DescribeServices", reply);
            assert_eq!(wire.aws().find_service("prod", "web").await.unwrap(), None);
        }
        let denied = Reply::json_error(400, "AccessDeniedException", "no");
        let wire = Wire::new().on("DescribeServices", denied);
        assert!(wire.aws().find_service("prod", "web").await.is_err());
    }
}
