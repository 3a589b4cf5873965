//! Who else changes a service's count: Application Auto Scaling, which is read and
//! never told anything.

use futures_util::join;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::{Autoscaling, Color, ColorServices, Scaling, ScalingPolicy};

const TARGETS: &str = "application-autoscaling:DescribeScalableTargets";
const POLICIES: &str = "application-autoscaling:DescribeScalingPolicies";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ToldTargets {
    scalable_targets: Vec<ToldTarget>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldTarget {
    resource_id: String,
    min_capacity: i32,
    max_capacity: i32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ToldPolicies {
    scaling_policies: Vec<ToldPolicy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldPolicy {
    policy_name: String,
    policy_type: String,
    #[serde(default)]
    target_tracking_scaling_policy_configuration: Value,
}

impl Aws {
    /// None where nothing scales the service.
    ///
    /// # Errors
    /// Application Auto Scaling's own.
    pub async fn autoscaling_of(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Autoscaling>, AwsError> {
        let id = resource(cluster, service);
        // Both, whatever comes of one: who may do neither is told of the first.
        let ids = [id.as_str()];
        let (targets, policies) = join!(self.scalable(&ids), self.policies(&id));
        let (targets, policies) = (targets?, policies?);
        let target = targets.into_iter().next();
        Ok(target.map(|target| autoscaling(&target, policies)))
    }

    /// What scales either colour.
    ///
    /// # Errors
    /// Application Auto Scaling's own.
    pub async fn read_scaling(&self, services: &ColorServices) -> Result<Scaling, AwsError> {
        let mut scaling = Scaling::default();
        let id = |color| resource(&services.cluster, services.name(color));
        let ids = Color::BOTH.map(id);
        let targets = self.scalable(&ids.each_ref().map(String::as_str)).await?;
        for color in Color::BOTH {
            let id = id(color);
            if let Some(target) = targets.iter().find(|it| it.resource_id == id) {
                let policies = self.policies(&id).await?;
                *scaling.get_mut(color) = Some(autoscaling(target, policies));
            }
        }
        Ok(scaling)
    }

    async fn scalable(&self, ids: &[&str]) -> Result<Vec<ToldTarget>, AwsError> {
        let asked = json!({
            "ServiceNamespace": "ecs",
            "ResourceIds": ids,
            "ScalableDimension": "ecs:service:DesiredCount",
        });
        let told = self.autoscaling.json("DescribeScalableTargets", &asked);
        let told: ToldTargets = told.await.named(TARGETS, ids.join(", "))?;
        Ok(told.scalable_targets)
    }

    async fn policies(&self, id: &str) -> Result<Vec<ScalingPolicy>, AwsError> {
        let asked = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": id,
            "ScalableDimension": "ecs:service:DesiredCount",
        });
        let told = self.autoscaling.json("DescribeScalingPolicies", &asked);
        let told: ToldPolicies = told.await.named(POLICIES, id)?;
        Ok(told.scaling_policies.into_iter().map(policy).collect())
    }
}

fn resource(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

fn autoscaling(target: &ToldTarget, policies: Vec<ScalingPolicy>) -> Autoscaling {
    Autoscaling {
        least: target.min_capacity,
        most: target.max_capacity,
        policies,
    }
}

/// A label is `app/LOAD-BALANCER/ID/targetgroup/GROUP/ID`
/// (<https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html>).
fn policy(told: ToldPolicy) -> ScalingPolicy {
    let tracked = &told.target_tracking_scaling_policy_configuration;
    let label = tracked["PredefinedMetricSpecification"]["ResourceLabel"].as_str();
    let group = label.and_then(|label| label.find("targetgroup/").map(|at| label[at..].to_owned()));
    ScalingPolicy {
        name: told.policy_name,
        kind: told.policy_type,
        counted_group: group,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Reply, Wire};

    #[tokio::test]
    async fn a_service_that_is_scaled_is_told_with_its_policies() {
        let target = json!({
            "ServiceNamespace": "ecs", "ResourceId": "service/prod/web",
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 2, "MaxCapacity": 10, "RoleARN": "role", "CreationTime": 1.7e9,
        });
        let policy = json!({
            "PolicyARN": "policy", "PolicyName": "cpu60", "ServiceNamespace": "ecs",
            "ResourceId": "service/prod/web", "ScalableDimension": "ecs:service:DesiredCount",
            "PolicyType": "TargetTrackingScaling", "CreationTime": 1.7e9,
        });
        for (targets, expected) in [
            (
                json!([target]),
                Some(Autoscaling {
                    least: 2,
                    most: 10,
                    policies: vec![ScalingPolicy {
                        name: "cpu60".to_owned(),
                        kind: "TargetTrackingScaling".to_owned(),
                        counted_group: None,
                    }],
                }),
            ),
            (json!([]), None),
        ] {
            let is_scaled = expected.is_some();
            let policies = if is_scaled {
                json!([policy])
            } else {
                json!([])
            };
            let wire = Wire::new()
                .on(
                    "DescribeScalableTargets",
                    Reply::json(&json!({ "ScalableTargets": targets })),
                )
                .on(
                    "DescribeScalingPolicies",
                    Reply::json(&json!({ "ScalingPolicies": policies })),
                );
            let found = wire.aws().autoscaling_of("prod", "web").await.unwrap();
            assert_eq!(found, expected);
            let asked = wire.requests();
            let of = |operation: &str| {
                let mut all = asked.iter();
                all.find(|it| it.operation == operation).unwrap().json()
            };
            assert_eq!(
                of("DescribeScalableTargets"),
                json!({
                    "ServiceNamespace": "ecs", "ResourceIds": ["service/prod/web"],
                    "ScalableDimension": "ecs:service:DesiredCount",
                })
            );
            assert_eq!(
                of("DescribeScalingPolicies")["ResourceId"],
                "service/prod/web"
            );
        }
    }
}
