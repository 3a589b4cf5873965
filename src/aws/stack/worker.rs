//! The template of a worker of uploads: it is written for each, since what the worker may
//! do is what its apps' deployers may, of which there are any number.
//!
//! Uploads come by the bucket, a rule of EventBridge and a queue to the task; each is in
//! a file here.

mod policies;
mod task;
mod uploads;

use serde_json::{Map, Value, json};

use super::StackSnapshot;
use crate::model::marks::TAG_APP;
use crate::model::{SetName, UploadWorker};

/// What tells such a stack.
const QUEUE_URL: &str = "WorkerQueueUrl";
const BUCKET_NAME: &str = "WorkerBucketName";
const TOPIC_ARN: &str = "WorkerTopicArn";
const LOG_GROUP: &str = "LogGroupName";

/// The bucket's name, as a policy of the template names it.
pub const BUCKET_OF_TEMPLATE: &str = "${Bucket}";

/// The same for the same worker.
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

/// What a worker's stack says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStack {
    pub queue: String,
    pub bucket: String,
    pub topic: String,
    pub log_group: String,
}

impl StackSnapshot {
    /// Its outputs, typed; None where it is not the stack of a worker.
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

/// One that holds something, which goes with the stack.
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
