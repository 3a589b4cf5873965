//! The shop's job: a task that EventBridge Scheduler starts at night, by the image of
//! the backend, as the shop's people made it.

use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};

use crate::Result;
use crate::others::rest;

const ECS: (&str, &str) = ("ecs", "AmazonEC2ContainerServiceV20141113");
pub const NAME: &str = "shop-nightly";
/// Of the backend's stack, whose live service the task is like.
const CLUSTER: &str = "bgecs-shop-backend";
/// What of a task definition its next revision is made of.
const KEPT: [&str; 6] = [
    "containerDefinitions",
    "cpu",
    "memory",
    "networkMode",
    "requiresCompatibilities",
    "executionRoleArn",
];

pub struct Nightly(Upstream);

impl Nightly {
    /// Makes the schedule, which runs by its first revision.
    pub async fn make(api: Upstream, live: &str) -> Result<Self> {
        let asked = json!({ "cluster": CLUSTER, "services": [live] });
        let found = api.json(ECS, "DescribeServices", &asked).await?;
        let asked = json!({ "taskDefinition": found["services"][0]["taskDefinition"] });
        let found = api.json(ECS, "DescribeTaskDefinition", &asked).await?;
        let mut body = json!({ "family": NAME });
        for key in KEPT {
            if let Some(value) = found["taskDefinition"].get(key) {
                body[key] = value.clone();
            }
        }
        let made = api.json(ECS, "RegisterTaskDefinition", &body).await?;
        let schedule = json!({
            "ScheduleExpression": "cron(0 3 1 1 ? 2099)",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": {
                "Arn": format!("arn:aws:ecs:us-east-1:000000000000:cluster/{CLUSTER}"),
                "RoleArn": "arn:aws:iam::000000000000:role/scheduler",
                "EcsParameters": {
                    "TaskDefinitionArn": made["taskDefinition"]["taskDefinitionArn"],
                },
            },
        });
        let line = format!("POST /schedules/{NAME}");
        rest(&api, "scheduler", &line, &schedule.to_string()).await?;
        Ok(Self(api))
    }

    /// The release that it runs by; none is what its people made.
    pub async fn release(&self) -> Result<Option<String>> {
        let line = format!("GET /schedules/{NAME}");
        let schedule: Value = serde_json::from_str(&rest(&self.0, "scheduler", &line, "").await?)?;
        let revision = &schedule["Target"]["EcsParameters"]["TaskDefinitionArn"];
        let asked = json!({ "taskDefinition": revision, "include": ["TAGS"] });
        let found = self.0.json(ECS, "DescribeTaskDefinition", &asked).await?;
        let mut tags = found["tags"].as_array().into_iter().flatten();
        let tag = tags.find(|it| it["key"] == "bgecs:release");
        Ok(tag.and_then(|it| it["value"].as_str()).map(str::to_owned))
    }

    pub async fn expect(&self, release: Option<&str>) -> Result<()> {
        match self.release().await? {
            is if is.as_deref() == release => Ok(()),
            is => Err(format!("{NAME} runs release {is:?} and not {release:?}").into()),
        }
    }
}
