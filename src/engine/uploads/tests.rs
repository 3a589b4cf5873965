use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::model::UploadOutcome;

fn bridge(kind: &str) -> Value {
    json!({
        "version": "0", "source": "aws.s3", "detail-type": kind,
        "detail": {
            "bucket": { "name": "releases" },
            "object": { "key": "a b+c.zip", "version-id": "v1", "sequencer": "0A", "size": 3 },
        },
    })
}

fn by_itself(name: &str, version: &Value) -> Value {
    json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": name,
        "s3": {
            "bucket": { "name": "releases" },
            "object": { "key": "a+b%2Bc.zip", "versionId": version, "sequencer": "0A" },
        },
    }]})
}

fn in_notification(event: &Value) -> Value {
    json!({ "Type": "Notification", "TopicArn": "arn", "Message": event.to_string() })
}

fn arrived() -> Arrived {
    Arrived {
        bucket: "releases".to_owned(),
        key: "a b+c.zip".to_owned(),
        version: Some("v1".to_owned()),
        sequencer: Some("0A".to_owned()),
    }
}

#[test]
fn an_upload_is_the_same_by_whatever_way_it_is_told() {
    let made = by_itself("ObjectCreated:Put", &json!("v1"));
    for message in [
        bridge("Object Created"),
        made.clone(),
        by_itself("s3:ObjectCreated:CompleteMultipartUpload", &json!("v1")),
        in_notification(&made),
        in_notification(&bridge("Object Created")),
    ] {
        let read_message = read_message(&message.to_string());
        assert_eq!(
            read_message,
            UploadMessage::Uploads(vec![arrived()]),
            "{message}"
        );
    }
}

#[test]
fn several_in_one_message_are_all_heard() {
    let mut message = by_itself("ObjectCreated:Put", &json!("v1"));
    let second = message["Records"][0].clone();
    message["Records"].as_array_mut().unwrap().push(second);
    let read_message = read_message(&message.to_string());
    assert_eq!(
        read_message,
        UploadMessage::Uploads(vec![arrived(), arrived()])
    );
}

#[test]
fn what_else_s3_tells_is_of_no_upload() {
    for message in [
        bridge("Object Deleted"),
        by_itself("ObjectRemoved:DeleteMarkerCreated", &json!("v1")),
        json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "releases" }),
    ] {
        assert_eq!(
            read_message(&message.to_string()),
            UploadMessage::Uploads(Vec::new())
        );
    }
}

#[test]
fn anything_else_is_strange_and_says_why() {
    let mut incomplete = bridge("Object Created");
    incomplete["detail"]["object"]["key"] = Value::Null;
    let mixed = json!({ "Records": [{ "eventSource": "aws:sns" }] });
    for (message, part) in [
        ("hello".to_owned(), "it is not JSON"),
        ("{}".to_owned(), "not an event of S3"),
        ("[1]".to_owned(), "not an event of S3"),
        (incomplete.to_string(), "not an event of S3"),
        (mixed.to_string(), "not an event of S3"),
        (
            json!({ "Type": "Notification", "Message": "hello" }).to_string(),
            "what SNS passed on is not JSON",
        ),
    ] {
        match read_message(&message) {
            UploadMessage::Strange(why) => assert!(why.contains(part), "{why}"),
            other @ UploadMessage::Uploads(_) => panic!("{message}: {other:?}"),
        }
    }
}

#[test]
fn what_was_uploaded_while_versions_were_off_has_none() {
    for version in [Value::Null, json!("null"), json!("")] {
        let message = by_itself("ObjectCreated:Put", &version).to_string();
        let UploadMessage::Uploads(uploads) = read_message(&message) else {
            panic!("{message}");
        };
        assert_eq!(uploads[0].version, None);
    }
}

fn record(version: &str, second: u8) -> UploadRecord {
    UploadRecord {
        upload: Upload {
            bucket: "releases".to_owned(),
            key: format!("shop-{version}.zip"),
            version: version.to_owned(),
        },
        uploaded: datetime!(2026-01-01 00:00 UTC) + time::Duration::seconds(second.into()),
        sequencer: None,
        releases: Some("shop".to_owned()),
        tag: None,
        at: datetime!(2026-01-01 00:01 UTC),
        end: None,
    }
}

#[test]
fn an_upload_is_released_once_and_never_over_a_later_one() {
    let seven = record("7", 7);
    let end = UploadEnd {
        outcome: UploadOutcome::Complete,
        reason: None,
        traffic: Vec::new(),
        exit_code: 0,
    };
    let ended = UploadRecord {
        end: Some(end.clone()),
        ..seven.clone()
    };
    let eight = record("8", 8);
    for (known, expected) in [
        (vec![], UploadStanding::Due { is_begun: false }),
        // A worker began it, and is gone.
        (vec![seven.clone()], UploadStanding::Due { is_begun: true }),
        (
            vec![record("6", 6)],
            UploadStanding::Due { is_begun: false },
        ),
        (vec![ended.clone()], UploadStanding::Ended(end.clone())),
        (
            vec![eight.clone()],
            UploadStanding::Overtaken(eight.upload.clone()),
        ),
        // What it came to is known, whatever came later.
        (vec![ended, eight], UploadStanding::Ended(end)),
    ] {
        assert_eq!(standing(&seven, &known), expected, "{known:?}");
    }
}
