//! SQS: messages one at a time, each hidden from other workers for as long as it takes.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::Aws;
use super::error::{AwsError, Named};
use super::plain::PlainClient;

const LOOK: &str = "sqs:GetQueueAttributes";
const RECEIVE: &str = "sqs:ReceiveMessage";
const CHANGE: &str = "sqs:ChangeMessageVisibility";
const DELETE: &str = "sqs:DeleteMessage";
const SEND: &str = "sqs:SendMessage";
const FIND: &str = "sqs:GetQueueUrl";

/// The properties of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueKind {
    /// Whether messages of the same group arrive in order.
    pub is_fifo: bool,
    pub dead_letters: Option<DeadLetters>,
}

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    #[serde(rename = "deadLetterTargetArn")]
    pub arn: String,
    /// AWS writes a number, or a number as text.
    #[serde(deserialize_with = "number")]
    pub max_receive_count: u32,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// The handle by which it is kept and deleted.
    pub receipt: String,
    /// How often it was received, including this time.
    pub received: u32,
    /// Messages of the same group arrive one after another.
    pub group: Option<String>,
}

impl Aws {
    /// The client for the region that the queue's own host names.
    fn sqs_at(&self, url: &str) -> PlainClient {
        let host = url.split('/').nth(2).unwrap_or_default();
        let mut parts = host.split('.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("sqs"), Some(region), Some("amazonaws")) => self.sqs.in_region(region),
            _ => self.sqs.clone(),
        }
    }

    /// # Errors
    /// SQS's own.
    pub async fn queue_kind(&self, url: &str) -> Result<QueueKind, AwsError> {
        let asked = json!({ "QueueUrl": url, "AttributeNames": ["FifoQueue", "RedrivePolicy"] });
        let answer = self.sqs_at(url).json("GetQueueAttributes", &asked).await;
        let answer: QueueAttributes = answer.named(LOOK, url)?;
        let attributes = answer.attributes;
        let letters = attributes.redrive_policy.as_deref();
        let letters = letters.map(serde_json::from_str).transpose();
        let letters = letters.map_err(|error| {
            AwsError::unusable(
                LOOK,
                url,
                format!("its redrive policy cannot be read: {error}"),
            )
        })?;
        Ok(QueueKind {
            is_fifo: attributes.fifo_queue.as_deref() == Some("true"),
            dead_letters: letters,
        })
    }

    /// How many messages others are working on or will come again later, by SQS's
    /// approximate count, which soon becomes exact.
    ///
    /// # Errors
    /// SQS's own.
    pub async fn kept_messages(&self, url: &str) -> Result<u64, AwsError> {
        const COUNTED: [&str; 2] = [
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let asked = json!({ "QueueUrl": url, "AttributeNames": COUNTED });
        let answer = self.sqs_at(url).json("GetQueueAttributes", &asked).await;
        let answer: Value = answer.named(LOOK, url)?;
        let count = |name: &&str| answer["Attributes"][*name].as_str()?.parse::<u64>().ok();
        Ok(COUNTED.iter().filter_map(count).sum())
    }

    /// The next message, hidden from others for `keep`; None if none came while SQS
    /// waited for `wait`, which may be at most 20 seconds.
    ///
    /// # Errors
    /// SQS's own.
    pub async fn receive(
        &self,
        url: &str,
        (wait, keep): (Duration, Duration),
    ) -> Result<Option<Message>, AwsError> {
        let asked = json!({
            "QueueUrl": url,
            "MaxNumberOfMessages": 1,
            "WaitTimeSeconds": wait.as_secs(),
            "VisibilityTimeout": keep.as_secs(),
            "AttributeNames": ["ApproximateReceiveCount", "MessageGroupId"],
            "MessageSystemAttributeNames": ["ApproximateReceiveCount", "MessageGroupId"],
        });
        let answer = self.sqs_at(url).json("ReceiveMessage", &asked).await;
        let mut answer: ReceivedMessages = answer.named(RECEIVE, url)?;
        Ok(answer.messages.pop().map(|it| Message {
            id: it.message_id,
            body: it.body,
            receipt: it.receipt_handle,
            received: it
                .attributes
                .received
                .and_then(|it| it.parse().ok())
                .unwrap_or(1),
            group: it.attributes.group,
        }))
    }

    /// Hides a message from others for that long from now on; zero releases it at once.
    ///
    /// # Errors
    /// SQS's own.
    pub async fn keep(&self, url: &str, message: &Message, time: Duration) -> Result<(), AwsError> {
        let asked = json!({
            "QueueUrl": url,
            "ReceiptHandle": message.receipt,
            "VisibilityTimeout": time.as_secs(),
        });
        let kept = self
            .sqs_at(url)
            .json("ChangeMessageVisibility", &asked)
            .await;
        kept.map(|IgnoredAny| ()).named(CHANGE, url)
    }

    /// # Errors
    /// SQS's own.
    pub async fn delete_message(&self, url: &str, message: &Message) -> Result<(), AwsError> {
        let asked = json!({ "QueueUrl": url, "ReceiptHandle": message.receipt });
        let gone = self.sqs_at(url).json("DeleteMessage", &asked).await;
        gone.map(|IgnoredAny| ()).named(DELETE, url)
    }

    /// Moves a message to the queue for messages that cannot be processed, with the
    /// reason.
    ///
    /// # Errors
    /// SQS's own; an ARN that is not a queue's.
    pub async fn bury(
        &self,
        letters: &DeadLetters,
        message: &Message,
        reason: &str,
    ) -> Result<(), AwsError> {
        let parts: Vec<&str> = letters.arn.split(':').collect();
        let &[_, _, "sqs", region, account, name] = &parts[..] else {
            return Err(AwsError::unusable(
                FIND,
                &letters.arn,
                "it is not the ARN of a queue",
            ));
        };
        let there = self.sqs.in_region(region);
        let asked = json!({ "QueueName": name, "QueueOwnerAWSAccountId": account });
        let found = there.json("GetQueueUrl", &asked).await;
        let found: QueueUrl = found.named(FIND, name)?;
        let mut sent = json!({
            "QueueUrl": found.queue_url,
            "MessageBody": message.body,
            "MessageAttributes": {
                "bgecs-reason": { "DataType": "String", "StringValue": reason },
            },
        });
        if name.ends_with(".fifo") {
            sent["MessageGroupId"] = message.group.as_deref().unwrap_or("bgecs").into();
            sent["MessageDeduplicationId"] = Value::from(message.id.as_str());
        }
        let sent = there.json("SendMessage", &sent).await;
        sent.map(|IgnoredAny| ()).named(SEND, name)
    }
}

#[derive(Deserialize)]
struct QueueAttributes {
    #[serde(rename = "Attributes", default)]
    attributes: QueueAttributeValues,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct QueueAttributeValues {
    fifo_queue: Option<String>,
    redrive_policy: Option<String>,
}

#[derive(Deserialize)]
struct ReceivedMessages {
    #[serde(rename = "Messages", default)]
    messages: Vec<ReceivedMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceivedMessage {
    message_id: String,
    receipt_handle: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attributes: MessageAttributes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MessageAttributes {
    #[serde(rename = "ApproximateReceiveCount")]
    received: Option<String>,
    #[serde(rename = "MessageGroupId")]
    group: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueUrl {
    queue_url: String,
}

fn number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(from)?;
    let text = value.as_str().map(str::to_owned);
    let text = text.unwrap_or_else(|| value.to_string());
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests;
