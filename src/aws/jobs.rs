//! What names the task definition of a job: an ECS service, a schedule of EventBridge
//! Scheduler, a target of an EventBridge rule.
//!
//! A schedule or a target is written back whole, as it was read, since what a request
//! leaves out is reset
//! (<https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>).
//! Neither write can be made to depend on what was read.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Aws;
use super::ecs::state;
use super::error::{AwsError, Named};
use super::plain::{encoded, path};
use crate::model::{JobTarget, Revision, ServiceState};

const READ_SERVICE: &str = "ecs:DescribeServices";
const WRITE_SERVICE: &str = "ecs:UpdateService";
const READ_SCHEDULE: &str = "scheduler:GetSchedule";
const WRITE_SCHEDULE: &str = "scheduler:UpdateSchedule";
const READ_RULE: &str = "events:ListTargetsByRule";
const WRITE_RULE: &str = "events:PutTargets";

/// What GetSchedule tells and UpdateSchedule does not take.
const OUTPUT_ONLY: [&str; 4] = ["Arn", "Name", "CreationDate", "LastModificationDate"];

const ECS: &str = "EcsParameters";
const DEFINITION: &str = "TaskDefinitionArn";

impl Aws {
    /// By what a job runs, as it is named there; a schedule or a rule may name a family
    /// alone, and means its newest revision.
    ///
    /// # Errors
    /// It is not there, or runs no ECS task; a service that a load balancer leads to.
    pub async fn read_job(&self, target: &JobTarget) -> Result<Revision, AwsError> {
        match target {
            JobTarget::Service { cluster, service } => {
                let found = self.job_service(cluster, service).await?;
                match found.definition.load_balancers.is_empty() {
                    true => Ok(found.task_definition),
                    false => Err(AwsError::unusable(
                        READ_SERVICE,
                        &target.path(),
                        "a load balancer leads to it: its users are moved by an app of its own, in a [[module]]",
                    )),
                }
            }
            JobTarget::Schedule { group, schedule } => {
                let found = self.schedule(group, schedule).await?;
                runs_by(&found["Target"])
                    .ok_or_else(|| AwsError::unusable(READ_SCHEDULE, &target.path(), NO_TASK))
            }
            JobTarget::Rule {
                bus,
                rule,
                target: id,
            } => {
                let found = self.rule_target((bus, rule), id.as_deref()).await?;
                runs_by(&found)
                    .ok_or_else(|| AwsError::unusable(READ_RULE, &target.path(), NO_TASK))
            }
        }
    }

    /// Has a job run by that revision from its next start on; a service starts at once.
    ///
    /// # Errors
    /// It is not there any more, or AWS does not take it.
    pub async fn aim_job(&self, target: &JobTarget, to: &Revision) -> Result<(), AwsError> {
        match target {
            JobTarget::Service { cluster, service } => {
                let call = self.ecs.update_service().cluster(cluster).service(service);
                let call = call.task_definition(to.as_str()).send();
                call.await.named(WRITE_SERVICE, target.path())?;
            }
            JobTarget::Schedule { group, schedule } => {
                let mut it = self.schedule(group, schedule).await?;
                it.retain(|key, _| !OUTPUT_ONLY.contains(&key.as_str()));
                it["Target"][ECS][DEFINITION] = json!(to.as_str());
                let at = path(["schedules", schedule]);
                let asked = ("PUT", at.as_str());
                let it = Value::Object(it);
                let done = self.scheduler.rest("UpdateSchedule", asked, Some(&it));
                let _: Value = done.await.named(WRITE_SCHEDULE, target.path())?;
            }
            JobTarget::Rule {
                bus,
                rule,
                target: id,
            } => {
                let mut it = self.rule_target((bus, rule), id.as_deref()).await?;
                it[ECS][DEFINITION] = json!(to.as_str());
                let asked = json!({ "Rule": rule, "EventBusName": bus, "Targets": [it] });
                let done = self.events.json("PutTargets", &asked).await;
                let done: PutTargets = done.named(WRITE_RULE, target.path())?;
                if let Some(failed) = done.failed.first() {
                    let why = failed.message.as_deref().unwrap_or("it was not taken");
                    return Err(AwsError::unusable(WRITE_RULE, &target.path(), why));
                }
            }
        }
        Ok(())
    }

    /// How far a service has come with what it was told.
    ///
    /// # Errors
    /// ECS's own; it is not there.
    pub async fn job_service(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<ServiceState, AwsError> {
        let found = self.describe_service(cluster, service, &[]).await?;
        let path = format!("{cluster}/{service}");
        let found = found.as_ref().map(state);
        found.ok_or_else(|| AwsError::unusable(READ_SERVICE, &path, "there is no such service"))
    }

    async fn schedule(&self, group: &str, name: &str) -> Result<Map<String, Value>, AwsError> {
        let at = path(["schedules", name]) + &format!("?groupName={}", encoded(group));
        let found = self.scheduler.rest("GetSchedule", ("GET", &at), None).await;
        found.named(READ_SCHEDULE, format!("{group}/{name}"))
    }

    /// The one with that id, or the only one that runs an ECS task.
    async fn rule_target(
        &self,
        (bus, rule): (&str, &str),
        id: Option<&str>,
    ) -> Result<Value, AwsError> {
        let name = format!("{bus}/{rule}");
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut asked = json!({ "Rule": rule, "EventBusName": bus });
            if let Some(token) = &next {
                asked["NextToken"] = json!(token);
            }
            let page = self.events.json("ListTargetsByRule", &asked).await;
            let page: RuleTargets = page.named(READ_RULE, &name)?;
            all.extend(page.targets);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let is_it = |it: &&Value| match id {
            Some(id) => it["Id"] == id,
            None => runs_by(it).is_some(),
        };
        let found: Vec<&Value> = all.iter().filter(is_it).collect();
        match &found[..] {
            [it] => Ok((*it).clone()),
            [] => {
                let why = match id {
                    Some(id) => format!("it has no target `{id}`"),
                    None => NO_TASK.to_owned(),
                };
                Err(AwsError::unusable(READ_RULE, &name, why))
            }
            several => {
                let ids = several.iter().map(|it| it["Id"].as_str().unwrap_or("?"));
                let ids: Vec<&str> = ids.collect();
                let why = format!(
                    "several of its targets run ECS tasks, {}: say which one is meant, by `target` in the job's file",
                    ids.join(", ")
                );
                Err(AwsError::unusable(READ_RULE, &name, why))
            }
        }
    }
}

const NO_TASK: &str = "it starts no ECS task";

fn runs_by(target: &Value) -> Option<Revision> {
    let named = target.get(ECS)?.get(DEFINITION)?.as_str()?;
    Some(Revision::new(named))
}

#[derive(Deserialize)]
struct RuleTargets {
    #[serde(rename = "Targets", default)]
    targets: Vec<Value>,
    #[serde(rename = "NextToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct PutTargets {
    #[serde(rename = "FailedEntries", default)]
    failed: Vec<RefusedTarget>,
}

#[derive(Deserialize)]
struct RefusedTarget {
    #[serde(rename = "ErrorMessage")]
    message: Option<String>,
}

#[cfg(test)]
mod tests;
