//! How uploads arrive, and how people are told about them.

use serde_json::{Value, json};

use super::{Resource, arn, reference, skipped, stateful, tags};
use crate::model::UploadWorker;

/// The longest that SQS keeps a message: a fortnight.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;

pub fn resources(it: &UploadWorker) -> Vec<Resource> {
    let mut all = vec![
        ("Bucket", bucket(it)),
        ("BucketPolicy", bucket_policy()),
        ("Rule", rule(it)),
        ("Queue", queue(it)),
        ("QueuePolicy", queue_policy()),
        ("DeadLetters", dead_letters(it)),
    ];
    if it.topic.is_none() {
        all.push(("Topic", topic(it)));
    }
    let named = |(name, resource): (&str, Value)| (name.to_owned(), resource);
    all.into_iter().map(named).collect()
}

fn bucket(it: &UploadWorker) -> Value {
    let by_default = json!({ "SSEAlgorithm": "AES256" });
    let ends = json!({
        "Id": "old-uploads",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": { "NoncurrentDays": 90 },
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 },
    });
    let mut bucket = stateful(
        "AWS::S3::Bucket",
        &json!({
            "VersioningConfiguration": { "Status": "Enabled" },
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{ "ServerSideEncryptionByDefault": by_default }],
            },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true,
                "BlockPublicPolicy": true,
                "IgnorePublicAcls": true,
                "RestrictPublicBuckets": true,
            },
            "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
            "NotificationConfiguration": {
                "EventBridgeConfiguration": { "EventBridgeEnabled": true },
            },
            "LifecycleConfiguration": { "Rules": [ends] },
            "Tags": tags(&it.name),
        }),
    );
    bucket["Metadata"] = skipped(
        "CKV_AWS_18",
        "An access log needs a bucket of its own; CloudTrail's data events say the same, where an account has them.",
    );
    bucket
}

fn bucket_policy() -> Value {
    let objects = json!({ "Fn::Sub": "${Bucket.Arn}/*" });
    let statement = json!({
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn("Bucket"), objects],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    json!({
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": reference("Bucket"),
            "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] },
        },
    })
}

/// EventBridge does not look inside an upload and so cannot know its app: all uploads are
/// one group, whose messages the queue delivers one by one in order.
///
/// A message contains only what identifies an upload. If S3 sends an event twice, the
/// messages are identical and the queue accepts only one.
fn rule(it: &UploadWorker) -> Value {
    let ends_in = |end: &str| json!({ "suffix": { "equals-ignore-case": end } });
    let bundles = [".zip", ".tar.gz", ".tgz"].map(ends_in);
    let path = |of: &str| format!("$.detail.{of}");
    let message = concat!(
        r#"{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":<bucket>},"#,
        r#""object":{"key":<key>,"version-id":<version>,"sequencer":<sequencer>}}}"#,
    );
    json!({
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": format!("bgecs {}: uploads that a worker releases", it.name),
            "State": "ENABLED",
            "EventPattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": { "name": [reference("Bucket")] },
                    "object": { "key": bundles },
                },
            },
            "Targets": [{
                "Id": "worker",
                "Arn": arn("Queue"),
                "SqsParameters": { "MessageGroupId": it.name.as_str() },
                "InputTransformer": {
                    "InputPathsMap": {
                        "bucket": path("bucket.name"),
                        "key": path("object.key"),
                        "version": path("object.version-id"),
                        "sequencer": path("object.sequencer"),
                    },
                    "InputTemplate": message,
                },
            }],
        },
    })
}

fn queue(it: &UploadWorker) -> Value {
    let mut queue = fifo(it, "");
    let properties = &mut queue["Properties"];
    properties["ContentBasedDeduplication"] = json!(true);
    properties["RedrivePolicy"] = json!({
        "deadLetterTargetArn": arn("DeadLetters"),
        "maxReceiveCount": it.receives,
    });
    queue
}

fn dead_letters(it: &UploadWorker) -> Value {
    fifo(it, "-dead")
}

fn fifo(it: &UploadWorker, end: &str) -> Value {
    let mut queue = stateful(
        "AWS::SQS::Queue",
        &json!({
            "QueueName": format!("{}{end}.fifo", it.name.worker()),
            "FifoQueue": true,
            "SqsManagedSseEnabled": true,
            "MessageRetentionPeriod": RETENTION_SECONDS,
            "Tags": tags(&it.name),
        }),
    );
    queue["Metadata"] = skipped(
        "CKV_AWS_27",
        "Encrypted by SQS with keys of its own; under a key of KMS, EventBridge would have to be allowed that key.",
    );
    queue
}

fn queue_policy() -> Value {
    let statement = json!({
        "Sid": "OnlyTheRule",
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": arn("Queue"),
        "Condition": { "ArnEquals": { "aws:SourceArn": arn("Rule") } },
    });
    json!({
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [reference("Queue")],
            "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] },
        },
    })
}

fn topic(it: &UploadWorker) -> Value {
    json!({
        "Type": "AWS::SNS::Topic",
        "Properties": {
            "TopicName": it.name.worker(),
            "KmsMasterKeyId": "alias/aws/sns",
            "Tags": tags(&it.name),
        },
    })
}
