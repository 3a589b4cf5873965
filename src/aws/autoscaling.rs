//! Application Auto Scaling, which changes a service's count independently of releases.

mod mirror;

use futures_util::join;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};
use crate::model::{
    Autoscaling, Color, ColorServices, ScalableTarget, Scaling, ScalingPolicy, Suspended,
};

const TARGETS: &str = "application-autoscaling:DescribeScalableTargets";
const POLICIES: &str = "application-autoscaling:DescribeScalingPolicies";
const REGISTER: &str = "application-autoscaling:RegisterScalableTarget";
const DEREGISTER: &str = "application-autoscaling:DeregisterScalableTarget";

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
    #[serde(default)]
    suspended_state: ToldSuspended,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ToldSuspended {
    dynamic_scaling_in_suspended: bool,
    dynamic_scaling_out_suspended: bool,
    scheduled_scaling_suspended: bool,
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
    /// None if nothing scales the service.
    ///
    /// # Errors
    /// Application Auto Scaling's own.
    pub async fn autoscaling_of(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Autoscaling>, AwsError> {
        let id = resource(cluster, service);
        // Both calls are always made; if neither is allowed, the first error is returned.
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
        let ids = Color::BOTH.map(|color| scaled(services, color));
        let targets = self.scalable(&ids.each_ref().map(String::as_str)).await?;
        for (color, id) in Color::BOTH.into_iter().zip(ids) {
            if let Some(target) = targets.iter().find(|it| it.resource_id == id) {
                let policies = self.policies(&id).await?;
                *scaling.get_mut(color) = Some(autoscaling(target, policies));
            }
        }
        Ok(scaling)
    }

    /// Registers the colour's target like this, whether it exists or not. Sending it
    /// twice has no further effect.
    ///
    /// # Errors
    /// Application Auto Scaling's own.
    pub async fn register_scalable_target(
        &self,
        services: &ColorServices,
        color: Color,
        target: &ScalableTarget,
    ) -> Result<(), AwsError> {
        let id = scaled(services, color);
        let mut asked = about(&id);
        let ScalableTarget {
            least,
            most,
            suspended,
        } = target;
        asked["MinCapacity"] = json!(least);
        asked["MaxCapacity"] = json!(most);
        asked["SuspendedState"] = json!({
            "DynamicScalingInSuspended": suspended.scale_in,
            "DynamicScalingOutSuspended": suspended.scale_out,
            "ScheduledScalingSuspended": suspended.scheduled,
        });
        let done = self.autoscaling.json("RegisterScalableTarget", &asked);
        let _: Value = done.await.named(REGISTER, id)?;
        Ok(())
    }

    /// With its policies and schedules; a missing target is gone already.
    ///
    /// # Errors
    /// Application Auto Scaling's own.
    pub async fn deregister_scalable_target(
        &self,
        services: &ColorServices,
        color: Color,
    ) -> Result<(), AwsError> {
        let id = scaled(services, color);
        let asked = about(&id);
        let done = self.autoscaling.json("DeregisterScalableTarget", &asked);
        let done: Result<Value, _> = done.await.named(DEREGISTER, id);
        match done {
            Err(error) if error.kind != AwsErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
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
        let told = self.policies_as_told(id).await?;
        let read = |told| serde_json::from_value(told).map(policy);
        let policies: Result<_, _> = told.into_iter().map(read).collect();
        policies.map_err(|error| AwsError::unusable(POLICIES, id, error.to_string()))
    }

    async fn policies_as_told(&self, id: &str) -> Result<Vec<Value>, AwsError> {
        let all = ("DescribeScalingPolicies", "ScalingPolicies");
        self.all_of(id, POLICIES, all).await
    }

    /// All items of one kind that a target has, page by page.
    async fn all_of(
        &self,
        id: &str,
        action: &'static str,
        (operation, list): (&'static str, &str),
    ) -> Result<Vec<Value>, AwsError> {
        let (mut asked, mut all) = (about(id), Vec::new());
        loop {
            let page = self.autoscaling.json(operation, &asked).await;
            let mut page: Value = page.named(action, id)?;
            if let Value::Array(some) = page[list].take() {
                all.extend(some);
            }
            match page["NextToken"].take() {
                Value::String(token) if !token.is_empty() => asked["NextToken"] = token.into(),
                _ => return Ok(all),
            }
        }
    }
}

fn scaled(services: &ColorServices, color: Color) -> String {
    resource(&services.cluster, services.name(color))
}

fn resource(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

/// The part of a call that names the resource's target.
fn about(id: &str) -> Value {
    json!({
        "ServiceNamespace": "ecs",
        "ResourceId": id,
        "ScalableDimension": "ecs:service:DesiredCount",
    })
}

fn autoscaling(told: &ToldTarget, policies: Vec<ScalingPolicy>) -> Autoscaling {
    let target = ScalableTarget {
        least: told.min_capacity,
        most: told.max_capacity,
        suspended: Suspended {
            scale_in: told.suspended_state.dynamic_scaling_in_suspended,
            scale_out: told.suspended_state.dynamic_scaling_out_suspended,
            scheduled: told.suspended_state.scheduled_scaling_suspended,
        },
    };
    Autoscaling { target, policies }
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
                    target: ScalableTarget {
                        least: 2,
                        most: 10,
                        suspended: Suspended::default(),
                    },
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
