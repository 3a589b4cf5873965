//! What the tags of task definitions say about the releases that they run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_ecs::types::{
    Tag as EcsTag, TaskDefinition, TaskDefinitionField, TaskDefinitionStatus,
};

use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::model::marks as tags;
use crate::model::{Release, Reserved, Revision};

/// The releases that were read. A revision never changes, and bgecs writes its tags once,
/// when it registers it, so each is read only once.
#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct ReleaseCache(Arc<Mutex<HashMap<String, Release>>>);

impl ReleaseCache {
    fn locked(&self) -> MutexGuard<'_, HashMap<String, Release>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aws {
    /// What a task definition's tags say about the release that it runs.
    pub async fn read_release(&self, arn: &Revision) -> Result<Release, AwsError> {
        let known = self.releases.locked().get(arn.as_str()).cloned();
        if let Some(release) = known {
            return Ok(release);
        }
        let answer = self
            .ecs
            .describe_task_definition()
            .task_definition(arn.as_str())
            .include(TaskDefinitionField::Tags)
            .send()
            .await
            .named("ecs:DescribeTaskDefinition", arn.as_str())?;
        let definition = answer.task_definition();
        let status = definition.and_then(TaskDefinition::status);
        let release = Release {
            reserves: definition.and_then(reserved),
            is_deregistered: status.is_some_and(|status| *status != TaskDefinitionStatus::Active),
            ..release(answer.tags())
        };
        self.releases
            .locked()
            .insert(arn.as_str().to_owned(), release.clone());
        Ok(release)
    }

    /// The same for one that something else may have deleted meanwhile.
    pub async fn find_release(&self, arn: &Revision) -> Result<Option<Release>, AwsError> {
        match self.read_release(arn).await {
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }
}

fn release(found: &[EcsTag]) -> Release {
    let value = |key: &str| {
        found
            .iter()
            .find(|tag| tag.key() == Some(key))
            .and_then(|tag| tag.value())
            .map(str::to_owned)
    };
    Release {
        tag: value(tags::TAG_RELEASE).and_then(|tag| tag.parse().ok()),
        digest: value(tags::TAG_DIGEST).and_then(|digest| digest.parse().ok()),
        commit: value(tags::TAG_COMMIT),
        deployed_by: value(tags::TAG_DEPLOYED_BY),
        deployed_at: value(tags::TAG_DEPLOYED_AT),
        operation: value(tags::TAG_OPERATION),
        config: value(tags::TAG_CONFIG),
        reserves: None,
        is_deregistered: false,
    }
}

/// For a Fargate task ECS returns both, as whole numbers.
fn reserved(definition: &TaskDefinition) -> Option<Reserved> {
    Some(Reserved {
        cpu: definition.cpu()?.parse().ok()?,
        memory: definition.memory()?.parse().ok()?,
    })
}
