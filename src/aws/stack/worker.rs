//! The template of a worker of uploads. It is written for each worker, because the worker
//! may do what the deployers of its apps may do, of which there can be any number.
//!
//! Uploads reach the task through the bucket, a rule of EventBridge and a queue; each
//! part has its own file here.

mod policies;
mod task;
mod uploads;

use serde_json::{Map, Value, json};

use super::StackSnapshot;
use crate::model::marks::TAG_APP;
use crate::model::{SetName, UploadWorker};

/// Only a worker's stack has these outputs.
const QUEUE_URL: &str = "WorkerQueueUrl";
const BUCKET_NAME: &str = "WorkerBucketName";
const TOPIC_ARN: &str = "WorkerTopicArn";
const LOG_GROUP: &str = "LogGroupName";

/// The bucket's name, as a policy of the template names it.
pub const BUCKET_OF_TEMPLATE: &str = "${Bucket}";

/// The same worker always gives the same template.
pub fn template(it: &UploadWorker) -> Value {
    let resources = uploads::resources(it).into_iter();
    let resources = resources.chain(task::resources(it));
    let topic = match &it.topic {
        Some(topic) => json!(topic.as_str()),
        None => reference("Topic"),
    };
    let outputs = [
        (QUEUE_URL, reference("Queue")),
        (BUCKET_NAME, reference("Bucket")),
        (TOPIC_ARN, topic),
        (LOG_GROUP, reference("LogGroup")),
    ];
    let outputs = outputs.map(|(name, value)| (name.to_owned(), json!({ "Value": value })));
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Bucket, queue and worker of the releases of {} that are uploaded", it.name),
        "Resources": resources.collect::<Map<_, _>>(),
        "Outputs": outputs.into_iter().collect::<Map<_, _>>(),
    })
}

/// What a worker's stack says in its outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStack {
    pub queue: String,
    pub bucket: String,
    pub topic: String,
    pub log_group: String,
}

impl StackSnapshot {
    /// Its outputs, typed; None if it is not a worker's stack.
    pub fn worker(&self) -> Option<WorkerStack> {
        let output = |name: &str| self.outputs.get(name).cloned();
        Some(WorkerStack {
            queue: output(QUEUE_URL)?,
            bucket: output(BUCKET_NAME)?,
            topic: output(TOPIC_ARN)?,
            log_group: output(LOG_GROUP)?,
        })
    }
}

/// A resource, by its name in the template.
type Resource = (String, Value);

fn tags(name: &SetName) -> Value {
    json!([{ "Key": TAG_APP, "Value": name.as_str() }])
}

fn reference(name: &str) -> Value {
    json!({ "Ref": name })
}

fn arn(name: &str) -> Value {
    json!({ "Fn::GetAtt": [name, "Arn"] })
}

fn skipped(check: &str, why: &str) -> Value {
    json!({ "checkov": { "skip": [{ "id": check, "comment": why }] } })
}

/// A resource that holds data, which is deleted with the stack.
fn stateful(kind: &str, properties: &Value) -> Value {
    json!({
        "Type": kind,
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": properties,
    })
}

#[cfg(test)]
mod tests;
