use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::aws::testing::{Reply, Request, Wire};

const GROUP: &str = "/bgecs/hello";
const STREAM: &str = "blue/app/1";

fn query() -> LogQuery {
    LogQuery {
        group: GROUP.to_owned(),
        stream_prefix: "blue/".to_owned(),
        since: datetime!(2026-01-01 00:00:00.250 UTC),
    }
}

#[tokio::test]
async fn lines_are_read_page_by_page_empty_pages_too() {
    let event = |id: &str, message: &str| json!({ "eventId": id, "timestamp": 1_767_225_600_500_i64, "logStreamName": STREAM, "message": message });
    let page = |events: &[serde_json::Value], next: Option<&str>| {
        Reply::json(&json!({ "events": events, "nextToken": next }))
    };
    let wire = Wire::new()
        .on(
            "FilterLogEvents",
            page(&[event("1", "first\n")], Some("page 2")),
        )
        // CloudWatch searches stream by stream: a page may hold nothing.
        .on("FilterLogEvents", page(&[], Some("page 3")))
        .on("FilterLogEvents", page(&[event("2", "  second")], None));
    let lines = wire.aws().lines_since(&query()).await.unwrap();
    let line = |id: &str, message: &str| LogLine {
        id: Some(id.to_owned()),
        at: Some(datetime!(2026-01-01 00:00:00.5 UTC)),
        stream: STREAM.to_owned(),
        message: message.to_owned(),
    };
    assert_eq!(lines, [line("1", "first"), line("2", "  second")]);
    let asked: Vec<_> = wire.requests().iter().map(Request::json).collect();
    assert_eq!(asked[0]["startTime"], json!(1_767_225_600_250_i64));
    assert_eq!(asked[0]["logStreamNamePrefix"], json!("blue/"));
    let tokens: Vec<_> = asked.iter().map(|request| &request["nextToken"]).collect();
    assert_eq!(json!(tokens), json!([null, "page 2", "page 3"]));
    wire.assert_used_up();
}

#[tokio::test]
async fn the_last_lines_of_a_task_that_never_wrote_are_none() {
    let events =
        json!({ "events": [{ "timestamp": 1_767_225_600_500_i64, "message": "panicked\n" }, {}] });
    let wire = Wire::new()
        .on("GetLogEvents", Reply::json(&events))
        .on(
            "GetLogEvents",
            Reply::json_error(400, "ResourceNotFoundException", "no stream"),
        )
        .on(
            "GetLogEvents",
            Reply::json_error(400, "AccessDeniedException", "no"),
        );
    let aws = wire.aws();
    let lines = aws.last_lines(GROUP, STREAM, 20).await.unwrap();
    assert_eq!(lines[0].message, "panicked");
    assert_eq!((lines[1].at, lines[1].message.as_str()), (None, ""));
    let asked = wire.request().json();
    assert_eq!(
        (&asked["limit"], &asked["startFromHead"]),
        (&json!(20), &json!(false))
    );
    assert_eq!(aws.last_lines(GROUP, STREAM, 20).await.unwrap(), []);
    let error = aws.last_lines(GROUP, STREAM, 20).await.unwrap_err();
    assert_eq!(
        (error.kind, error.resource.as_str()),
        (AwsErrorKind::Denied, "/bgecs/hello:blue/app/1")
    );
}
