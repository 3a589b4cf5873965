//! The resources that name the task definition of a job: an ECS service, a schedule of
//! EventBridge Scheduler, a target of an EventBridge rule.
//!
//! A schedule or a target is written back whole, as it was read, because whatever a
//! request leaves out is reset
//! (<https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>).
//! Neither write can be made conditional on what was read.

use aws_sdk_ecs::types::Service;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Aws;
use super::ecs::{moved_by_ecs, state};
use super::error::{AwsError, AwsErrorKind, Named};
use super::plain::{encoded, path};
use crate::model::{JobTarget, Revision, ServiceState};

const READ_SERVICE: &str = "ecs:DescribeServices";
const WRITE_SERVICE: &str = "ecs:UpdateService";
const READ_SCHEDULE: &str = "scheduler:GetSchedule";
const WRITE_SCHEDULE: &str = "scheduler:UpdateSchedule";
const READ_RULE: &str = "events:ListTargetsByRule";
const WRITE_RULE: &str = "events:PutTargets";

/// The fields that GetSchedule returns but UpdateSchedule does not accept.
const OUTPUT_ONLY: [&str; 4] = ["Arn", "Name", "CreationDate", "LastModificationDate"];

const ECS: &str = "EcsParameters";
const DEFINITION: &str = "TaskDefinitionArn";

/// A job as it was read.
#[derive(Debug)]
pub struct SeenJob {
    /// The revision that it runs, as named there; a schedule or a rule may name only a
    /// family, which means its newest revision.
    pub runs_by: Revision,
    /// What is written back to change the revision; nothing for a service.
    whole: Value,
}

impl Aws {
    /// # Errors
    /// It does not exist ([`AwsErrorKind::NotFound`]), or runs no ECS task; a service
    /// that is behind a load balancer, or that another tool releases.
    pub async fn read_job(&self, target: &JobTarget) -> Result<SeenJob, AwsError> {
        let (whole, runs_by, action) = match target {
            JobTarget::Service { cluster, service } => {
                let found = self.service_of_job(cluster, service).await?;
                if !moved_by_ecs(&found) {
                    return Err(AwsError::unusable(
                        READ_SERVICE,
                        &target.path(),
                        "another tool releases it: its deployment controller is not ECS's own",
                    ));
                }
                let found = state(&found);
                if !found.definition.load_balancers.is_empty() {
                    return Err(AwsError::unusable(
                        READ_SERVICE,
                        &target.path(),
                        "it is behind a load balancer: its users are moved by an app of its own, in a [[module]]",
                    ));
                }
                (Value::Null, Some(found.task_definition), READ_SERVICE)
            }
            JobTarget::Schedule { group, schedule } => {
                let whole = self.schedule(group, schedule).await?;
                let runs_by = runs_by(&whole["Target"]);
                (whole, runs_by, READ_SCHEDULE)
            }
            JobTarget::Rule {
                bus,
                rule,
                target: id,
            } => {
                let whole = self.rule_target((bus, rule), id.as_deref()).await?;
                let runs_by = runs_by(&whole);
                (whole, runs_by, READ_RULE)
            }
        };
        let runs_by = runs_by.ok_or_else(|| AwsError::unusable(action, &target.path(), NO_TASK))?;
        Ok(SeenJob { runs_by, whole })
    }

    /// Makes a job that was read run that revision from its next start on; a service
    /// starts at once.
    ///
    /// # Errors
    /// It does not exist any more, or AWS does not accept it.
    pub async fn aim_job(
        &self,
        target: &JobTarget,
        seen: SeenJob,
        to: &Revision,
    ) -> Result<(), AwsError> {
        let mut whole = seen.whole;
        match target {
            JobTarget::Service { cluster, service } => {
                let call = self.ecs.update_service().cluster(cluster).service(service);
                let call = call.task_definition(to.as_str()).send();
                call.await.named(WRITE_SERVICE, target.path())?;
            }
            JobTarget::Schedule { schedule, .. } => {
                if let Some(fields) = whole.as_object_mut() {
                    fields.retain(|key, _| !OUTPUT_ONLY.contains(&key.as_str()));
                }
                whole["Target"][ECS][DEFINITION] = json!(to.as_str());
                let at = path(["schedules", schedule]);
                let asked = ("PUT", at.as_str());
                let done = self.scheduler.rest("UpdateSchedule", asked, Some(&whole));
                let _: Value = done.await.named(WRITE_SCHEDULE, target.path())?;
            }
            JobTarget::Rule { bus, rule, .. } => {
                whole[ECS][DEFINITION] = json!(to.as_str());
                let asked = json!({ "Rule": rule, "EventBusName": bus, "Targets": [whole] });
                let done = self.events.json("PutTargets", &asked).await;
                let done: PutTargets = done.named(WRITE_RULE, target.path())?;
                if let Some(failed) = done.failed.first() {
                    let why = failed.message.as_deref().unwrap_or("it was not accepted");
                    return Err(AwsError::unusable(WRITE_RULE, &target.path(), why));
                }
            }
        }
        Ok(())
    }

    /// How far a service has come with its update.
    ///
    /// # Errors
    /// ECS's own; the service does not exist.
    pub async fn job_service(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<ServiceState, AwsError> {
        let found = self.service_of_job(cluster, service).await?;
        Ok(state(&found))
    }

    async fn service_of_job(&self, cluster: &str, service: &str) -> Result<Service, AwsError> {
        let found = self.describe_service(cluster, service, &[]).await?;
        let path = format!("{cluster}/{service}");
        found.ok_or_else(|| AwsError {
            kind: AwsErrorKind::NotFound,
            ..AwsError::unusable(READ_SERVICE, &path, "there is no such service")
        })
    }

    async fn schedule(&self, group: &str, name: &str) -> Result<Value, AwsError> {
        let at = path(["schedules", name]) + &format!("?groupName={}", encoded(group));
        let found = self.scheduler.rest("GetSchedule", ("GET", &at), None).await;
        found.named(READ_SCHEDULE, format!("{group}/{name}"))
    }

    /// The target with that id, or the only one that runs an ECS task.
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
                    None => {
                        "none of its targets runs an ECS task, or there is no such rule".to_owned()
                    }
                };
                Err(AwsError::unusable(READ_RULE, &name, why))
            }
            several => {
                let ids = several.iter().map(|it| it["Id"].as_str().unwrap_or("?"));
                let ids: Vec<&str> = ids.collect();
                let why = format!(
                    "several of its targets run ECS tasks, {}: say which one is meant with `target` in the job's file",
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
