//! Who else changes a service's count: Application Auto Scaling, which is read and
//! never told anything.

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalingPolicy, ServiceNamespace};
use futures_util::join;

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::Autoscaling;

const TARGETS: &str = "application-autoscaling:DescribeScalableTargets";
const POLICIES: &str = "application-autoscaling:DescribeScalingPolicies";

impl Aws {
    /// None where nothing scales the service.
    pub async fn autoscaling_of(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Autoscaling>, AwsError> {
        let id = format!("service/{cluster}/{service}");
        let count = ScalableDimension::EcsServiceDesiredCount;
        let targets = self.autoscaling.describe_scalable_targets();
        let targets = targets
            .service_namespace(ServiceNamespace::Ecs)
            .resource_ids(&id)
            .scalable_dimension(count.clone())
            .send();
        let policies = self.autoscaling.describe_scaling_policies();
        let policies = policies
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(&id)
            .scalable_dimension(count)
            .send();
        // Both, whatever comes of one: who may do neither is told of the first.
        let (targets, policies) = join!(targets, policies);
        let (targets, policies) = (targets.named(TARGETS, &id)?, policies.named(POLICIES, &id)?);
        let target = targets.scalable_targets().first();
        Ok(target.map(|target| Autoscaling {
            least: target.min_capacity(),
            most: target.max_capacity(),
            policies: policies.scaling_policies().iter().map(in_words).collect(),
        }))
    }
}

/// `cpu60 (TargetTrackingScaling)`
fn in_words(policy: &ScalingPolicy) -> String {
    format!(
        "{} ({})",
        policy.policy_name(),
        policy.policy_type().as_str()
    )
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
