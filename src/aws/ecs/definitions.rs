//! Task definitions, from their registration to their deletion.

use aws_config::retry::RetryConfig;
use aws_sdk_ecs::Config;
use aws_sdk_ecs::types::{Failure, SortOrder, TaskDefinitionStatus};
use aws_smithy_types::body::SdkBody;

use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::hidden::Mask;
use crate::model::Revision;
use crate::model::marks as tags;

/// The revisions of a family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revisions {
    pub active: Vec<Revision>,
    /// Deregistered, but still there.
    pub inactive: Vec<Revision>,
}

impl Revisions {
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub fn count(&self) -> usize {
        self.active.len() + self.inactive.len()
    }
}

/// A revision that ECS did not delete, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub arn: Revision,
    pub reason: String,
}

/// The values of the containers' variables, plain and JSON-escaped: AWS's errors repeat
/// invalid values. bgecs's own variables are no secret.
fn environment(body: &serde_json::Value) -> Mask {
    let containers = body["containerDefinitions"].as_array();
    let variables = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container["environment"].as_array())
        .flatten()
        .filter(|variable| {
            let name = variable["name"].as_str();
            !name.is_some_and(|name| name == tags::ENV_COLOR || name == tags::ENV_RELEASE)
        });
    Mask::of(variables.flat_map(|variable| {
        let value = &variable["value"];
        let plain = value.as_str().unwrap_or_default().to_owned();
        [plain, value.to_string().trim_matches('"').to_owned()]
    }))
}

impl Aws {
    /// Registers exactly this body (the JSON of `RegisterTaskDefinition`). It is sent
    /// unchanged, so that every field of a user's own file arrives, including those that
    /// this SDK does not know.
    ///
    /// It is sent once. The API has no token by which to recognise a repeated request: if
    /// no answer came, the caller looks first.
    pub async fn register_task_definition(
        &self,
        family: &str,
        body: &serde_json::Value,
    ) -> Result<Revision, AwsError> {
        const ACTION: &str = "ecs:RegisterTaskDefinition";
        let json = body.to_string();
        let answer = self
            .ecs
            .register_task_definition()
            .customize()
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .mutate_request(move |request| {
                request
                    .headers_mut()
                    .insert("content-length", json.len().to_string());
                *request.body_mut() = SdkBody::from(json.clone());
            })
            .send()
            .await
            .named(ACTION, family)
            .map_err(|error| error.masked(&environment(body)))?;
        answer
            .task_definition()
            .and_then(|definition| definition.task_definition_arn())
            .map(Revision::new)
            .ok_or_else(|| {
                AwsError::unusable(ACTION, family, "the answer names no task definition")
            })
    }

    /// The newest active revisions of a family, newest first.
    pub async fn newest_revisions(
        &self,
        family: &str,
        most: i32,
    ) -> Result<Vec<Revision>, AwsError> {
        let page = self
            .ecs
            .list_task_definitions()
            .family_prefix(family)
            .sort(SortOrder::Desc)
            .max_results(most)
            .send()
            .await
            .named("ecs:ListTaskDefinitions", family)?;
        let arns = page.task_definition_arns().iter();
        let ours = arns.filter(|arn| is_of_family(arn, family));
        Ok(ours.map(Revision::new).collect())
    }

    /// All revisions of a family, oldest first. Those that ECS is deleting are not
    /// included.
    pub async fn all_revisions(&self, family: &str) -> Result<Revisions, AwsError> {
        Ok(Revisions {
            active: self.revisions(family, TaskDefinitionStatus::Active).await?,
            inactive: self
                .revisions(family, TaskDefinitionStatus::Inactive)
                .await?,
        })
    }

    /// Every revision of a family with that status, oldest first.
    async fn revisions(
        &self,
        family: &str,
        status: TaskDefinitionStatus,
    ) -> Result<Vec<Revision>, AwsError> {
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .ecs
                .list_task_definitions()
                .family_prefix(family)
                .status(status.clone())
                .set_next_token(token)
                .send()
                .await
                .named("ecs:ListTaskDefinitions", family)?;
            arns.extend(
                page.task_definition_arns()
                    .iter()
                    .filter(|arn| is_of_family(arn, family))
                    .map(Revision::new),
            );
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    pub async fn deregister_task_definition(&self, arn: &Revision) -> Result<(), AwsError> {
        self.ecs
            .deregister_task_definition()
            .task_definition(arn.as_str())
            .send()
            .await
            .named("ecs:DeregisterTaskDefinition", arn.as_str())?;
        Ok(())
    }

    /// Deletes deregistered revisions, ten at a time, which is the API's limit. Returns
    /// those that ECS did not delete.
    pub async fn delete_task_definitions(&self, arns: &[Revision]) -> Result<Vec<Kept>, AwsError> {
        let mut kept = Vec::new();
        for ten in arns.chunks(10) {
            let answer = self
                .ecs
                .delete_task_definitions()
                .set_task_definitions(Some(ten.iter().map(ToString::to_string).collect()))
                .send()
                .await
                .named("ecs:DeleteTaskDefinitions", "the deregistered revisions")?;
            kept.extend(answer.failures().iter().map(|failure| Kept {
                arn: Revision::new(failure.arn().unwrap_or_default()),
                reason: reason(failure),
            }));
        }
        Ok(kept)
    }
}

pub(super) fn reason(failure: &Failure) -> String {
    let said = [failure.reason(), failure.detail()];
    match said.into_iter().flatten().collect::<Vec<_>>().join(": ") {
        reason if reason.is_empty() => "ECS does not say why".to_owned(),
        reason => reason,
    }
}

/// The prefix of one app's family can be another app's whole name.
fn is_of_family(arn: &str, family: &str) -> bool {
    let named = Revision::new(arn);
    let name = named.short().rsplit_once(':').map(|(name, _)| name);
    name == Some(family)
}
