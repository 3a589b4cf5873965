//! What a message says was uploaded, and what is to become of it.
//!
//! S3 tells of an upload by EventBridge, by SNS or by itself, in a form each; of one
//! upload maybe several times, late, and out of order
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html>).

use serde_json::Value;

use crate::model::{Arrived, Upload, UploadEnd, UploadRecord, decoded_key};

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadMessage {
    /// About these uploads; empty if S3 reports something else.
    Uploads(Vec<Arrived>),
    /// Not a message of S3's; why, in words.
    Strange(String),
}

pub fn read_message(body: &str) -> UploadMessage {
    match serde_json::from_str::<Value>(body) {
        Ok(message) => of_message(&message),
        Err(error) => UploadMessage::Strange(format!("it is not JSON: {error}")),
    }
}

fn of_message(message: &Value) -> UploadMessage {
    if message["Type"] == "Notification"
        && let Some(inner) = message["Message"].as_str()
    {
        return match serde_json::from_str(inner) {
            // One notification is in no other.
            Ok(inner) => of_event(&inner),
            Err(error) => {
                UploadMessage::Strange(format!("what SNS passed on is not JSON: {error}"))
            }
        };
    }
    of_event(message)
}

fn of_event(event: &Value) -> UploadMessage {
    let uploads = if event["source"] == "aws.s3" {
        match event["detail-type"].as_str() {
            Some("Object Created") => by_event_bridge(&event["detail"]).map(|one| vec![one]),
            _ => Some(Vec::new()),
        }
    } else if let Some(records) = event["Records"].as_array() {
        let of_s3 = |record: &&Value| record["eventSource"] == "aws:s3";
        match records.iter().all(|it| of_s3(&it)) {
            true => by_s3(records),
            false => None,
        }
    } else if event["Service"] == "Amazon S3" && event["Event"] == "s3:TestEvent" {
        Some(Vec::new())
    } else {
        None
    };
    match uploads {
        Some(uploads) => UploadMessage::Uploads(uploads),
        None => UploadMessage::Strange(
            "it is not an event of S3, whether from EventBridge, from SNS or from S3 itself"
                .to_owned(),
        ),
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
fn by_event_bridge(detail: &Value) -> Option<Arrived> {
    let object = &detail["object"];
    Some(Arrived {
        bucket: text(&detail["bucket"]["name"])?,
        key: text(&object["key"])?,
        version: version(&object["version-id"]),
        sequencer: text(&object["sequencer"]),
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
fn by_s3(records: &[Value]) -> Option<Vec<Arrived>> {
    let is_creation = |record: &&Value| {
        let name = record["eventName"].as_str().unwrap_or_default();
        name.trim_start_matches("s3:").starts_with("ObjectCreated:")
    };
    let made = records.iter().filter(is_creation);
    made.map(|record| {
        let object = &record["s3"]["object"];
        Some(Arrived {
            bucket: text(&record["s3"]["bucket"]["name"])?,
            key: decoded_key(&text(&object["key"])?),
            version: version(&object["versionId"]),
            sequencer: text(&object["sequencer"]),
        })
    })
    .collect()
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

/// What was uploaded while versions were off is `null`, as is whatever comes after it.
fn version(value: &Value) -> Option<String> {
    text(value).filter(|version| version != "null")
}

/// What is to become of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadStanding {
    /// It is released; it may have been begun before, by a worker that is gone.
    Due { is_begun: bool },
    /// It has ended already.
    Ended(UploadEnd),
    /// A later one was begun.
    Overtaken(Upload),
}

/// `known`: those of its app that were not uploaded earlier, itself maybe among them.
pub fn standing(it: &UploadRecord, known: &[UploadRecord]) -> UploadStanding {
    let same = known.iter().find(|other| other.upload == it.upload);
    if let Some(end) = same.and_then(|same| same.end.clone()) {
        return UploadStanding::Ended(end);
    }
    match known.iter().find(|other| it.is_overtaken_by(other)) {
        Some(later) => UploadStanding::Overtaken(later.upload.clone()),
        None => UploadStanding::Due {
            is_begun: same.is_some(),
        },
    }
}

#[cfg(test)]
mod tests;
