//! Who else changes a service's count: Application Auto Scaling, which is read and
//! never told anything.

use futures_util::join;
use serde::Deserialize;
use serde_json::json;

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::Autoscaling;

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
}

impl Aws {
    /// None where nothing scales the service.
    pub async fn autoscaling_of(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Autoscaling>, AwsError> {
        let id = format!("service/{cluster}/{service}");
        let targets = json!({
            "ServiceNamespace": "ecs",
            "ResourceIds": [&id],
            "ScalableDimension": "ecs:service:DesiredCount",
        });
        let policies = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": &id,
            "ScalableDimension": "ecs:service:DesiredCount",
        });
        let targets = self.autoscaling.json("DescribeScalableTargets", &targets);
        let policies = self.autoscaling.json("DescribeScalingPolicies", &policies);
        // Both, whatever comes of one: who may do neither is told of the first.
        let (targets, policies) = join!(targets, policies);
        let targets: ToldTargets = targets.named(TARGETS, &id)?;
        let policies: ToldPolicies = policies.named(POLICIES, &id)?;
        let target = targets.scalable_targets.first();
        Ok(target.map(|target| Autoscaling {
            least: target.min_capacity,
            most: target.max_capacity,
            policies: policies.scaling_policies.iter().map(in_words).collect(),
        }))
    }
}

/// `cpu60 (TargetTrackingScaling)`
fn in_words(policy: &ToldPolicy) -> String {
    format!("{} ({})", policy.policy_name, policy.policy_type)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
                    policies: vec!["cpu60 (TargetTrackingScaling)".to_owned()],
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
