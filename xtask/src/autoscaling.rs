//! Application Auto Scaling, as whoever owns the services of a cluster uses it.

use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};

use crate::Result;

pub struct Autoscaling {
    api: Upstream,
    cluster: String,
}

/// Between how many tasks a service is scaled, and which scaling is suspended: in, out, by
/// schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub least: i64,
    pub most: i64,
    pub suspended: [bool; 3],
}

impl Target {
    pub fn between(least: i64, most: i64) -> Self {
        Self {
            least,
            most,
            suspended: [false; 3],
        }
    }

    /// That of a colour without users.
    pub fn at_rest(self) -> Self {
        Self {
            least: 0,
            suspended: [true; 3],
            ..self
        }
    }
}

impl Autoscaling {
    pub fn of(api: Upstream, cluster: &str) -> Self {
        let cluster = cluster.to_owned();
        Self { api, cluster }
    }

    /// By a policy.
    pub async fn scale(&self, service: &str, target: Target) -> Result<()> {
        let bounds = json!({ "MinCapacity": target.least, "MaxCapacity": target.most });
        self.call("RegisterScalableTarget", service, &bounds)
            .await?;
        let policy = json!({
            "PolicyName": "cpu60", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 60,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ECSServiceAverageCPUUtilization",
                },
            },
        });
        self.call("PutScalingPolicy", service, &policy).await?;
        Ok(())
    }

    /// As somebody does who says nothing of its bounds.
    pub async fn register_again(&self, service: &str) -> Result<()> {
        self.call("RegisterScalableTarget", service, &json!({}))
            .await?;
        Ok(())
    }

    pub async fn forget(&self, service: &str) -> Result<()> {
        if self.target(service).await?.is_some() {
            self.call("DeregisterScalableTarget", service, &json!({}))
                .await?;
        }
        Ok(())
    }

    pub async fn target(&self, service: &str) -> Result<Option<Target>> {
        let asked = json!({ "ResourceIds": [self.id(service)] });
        let told = self
            .call("DescribeScalableTargets", service, &asked)
            .await?;
        let it = &told["ScalableTargets"][0];
        let bounds = it["MinCapacity"].as_i64().zip(it["MaxCapacity"].as_i64());
        let suspended = ["DynamicScalingIn", "DynamicScalingOut", "ScheduledScaling"];
        let suspended =
            suspended.map(|what| it["SuspendedState"][format!("{what}Suspended")] == true);
        Ok(bounds.map(|(least, most)| Target {
            least,
            most,
            suspended,
        }))
    }

    async fn call(&self, operation: &str, service: &str, more: &Value) -> Result<Value> {
        let mut asked = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": self.id(service),
            "ScalableDimension": "ecs:service:DesiredCount",
        });
        if let (Some(asked), Some(more)) = (asked.as_object_mut(), more.as_object()) {
            asked.extend(more.clone());
        }
        let service = ("application-autoscaling", "AnyScaleFrontendService");
        Ok(self.api.json(service, operation, &asked).await?)
    }

    fn id(&self, service: &str) -> String {
        format!("service/{}/{service}", self.cluster)
    }
}
