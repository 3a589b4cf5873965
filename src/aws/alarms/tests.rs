use serde_json::{Value, json};

use super::*;
use crate::aws::AwsErrorKind;
use crate::aws::testing::{Reply, Wire};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn alarm(name: &str, state: &str, reason: &str) -> Value {
    json!({ "AlarmName": name, "StateValue": state, "StateReason": reason })
}

#[tokio::test]
async fn alarms_of_both_kinds_are_told_in_one_call_and_in_their_order() {
    let answer = json!({
        "MetricAlarms": [
            alarm("slow", "ALARM", "Threshold Crossed: 12 > 10.\n"),
            alarm("empty", "INSUFFICIENT_DATA", ""),
            alarm("of-2030", "CONFUSED", "Who knows"),
        ],
        "CompositeAlarms": [alarm("all", "OK", "As it should be")],
    });
    let wire = Wire::new().on("DescribeAlarms", Reply::json(&answer));
    let asked = names(&["all", "gone", "slow", "empty", "of-2030"]);
    let alarms = wire.aws().alarms(&asked).await.unwrap();
    let told: Vec<_> = alarms
        .iter()
        .map(|it| (it.name.as_str(), it.state, it.reason.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("all", AlarmState::Quiet, None),
            ("gone", AlarmState::Missing, None),
            (
                "slow",
                AlarmState::Ringing,
                Some("Threshold Crossed: 12 > 10")
            ),
            ("empty", AlarmState::WithoutData, None),
            ("of-2030", AlarmState::WithoutData, Some("Who knows")),
        ]
    );
    let request = wire.request().json();
    assert_eq!(
        request,
        json!({
            "AlarmNames": asked,
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "MaxRecords": 100,
        })
    );
}

/// CloudWatch may end a page early.
#[tokio::test]
async fn an_alarm_on_a_later_page_is_not_missing() {
    let page = |name: &str, next: Option<&str>| {
        let mut page = json!({ "MetricAlarms": [alarm(name, "OK", "")] });
        if let Some(next) = next {
            page["NextToken"] = next.into();
        }
        Reply::json(&page)
    };
    let wire = Wire::new()
        .on("DescribeAlarms", page("one", Some("more")))
        .on("DescribeAlarms", page("two", None));
    let alarms = wire.aws().alarms(&names(&["two", "one"])).await.unwrap();
    assert!(alarms.iter().all(|it| it.state == AlarmState::Quiet));
    wire.assert_used_up();
}

#[tokio::test]
async fn without_names_nothing_is_asked() {
    let wire = Wire::new();
    assert_eq!(wire.aws().alarms(&[]).await.unwrap(), []);
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn what_is_denied_keeps_the_action_the_alarms_and_the_code() {
    let denied = Reply::json_error(403, "AccessDeniedException", "not you");
    let wire = Wire::new().on("DescribeAlarms", denied);
    let error = wire.aws().alarms(&names(&["slow", "all"])).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::Denied);
    assert_eq!(
        error.to_string(),
        "cloudwatch:DescribeAlarms on slow, all: AccessDeniedException: not you (request request-1)"
    );
}

#[tokio::test]
async fn what_is_throttled_is_asked_again() {
    let throttled = Reply::json_error(400, "ThrottlingException", "Rate exceeded");
    let wire = Wire::new()
        .on("DescribeAlarms", throttled)
        .on("DescribeAlarms", Reply::json(&json!({})));
    let aws = wire.aws_with(crate::aws::testing::credentials(), 2);
    let alarms = aws.alarms(&names(&["slow"])).await.unwrap();
    assert_eq!(alarms[0].state, AlarmState::Missing);
    wire.assert_used_up();
}
