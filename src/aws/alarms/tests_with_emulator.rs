//! Answers of a CloudWatch emulator, whose bytes were not made up here.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use localstack::{Emulator, Engine, Options, Source};
use serde_json::{Value, json};

use super::*;
use crate::aws::Downloads;
use crate::aws::budget::Pace;
use crate::aws::testing::credentials;

fn aws_at(endpoint: &str) -> Aws {
    let http = Builder::new().build_http();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials()))
        .http_client(http)
        .build();
    let downloads = Downloads::through(|_| unreachable!("nothing is downloaded"));
    Aws::from_config(&config, "us-east-1".to_owned(), downloads, Pace::Release)
}

async fn tell(aws: &Aws, operation: &'static str, asked: Value) {
    let told = aws.cloudwatch.json::<Value>(operation, &asked).await;
    told.expect(operation);
}

async fn measures(aws: &Aws, name: &str) {
    let alarm = json!({
        "AlarmName": name, "Namespace": "shop", "MetricName": "errors", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    tell(aws, "PutMetricAlarm", alarm).await;
}

async fn is_set(aws: &Aws, name: &str, state: &str) {
    let state = json!({ "AlarmName": name, "StateValue": state, "StateReason": "as it was set." });
    tell(aws, "SetAlarmState", state).await;
}

#[tokio::test]
async fn every_state_and_both_kinds_of_alarms_are_read() {
    let engine = Engine::ensure(&|_| {}).await.expect("an engine");
    let options = Options::default().source(Source::MiniStack);
    let emulator = Emulator::start(&engine, options, &|_| {})
        .await
        .expect("an emulator");
    let aws = aws_at(emulator.endpoint());
    for name in ["quiet", "loud", "empty"] {
        measures(&aws, name).await;
    }
    is_set(&aws, "quiet", "OK").await;
    is_set(&aws, "loud", "ALARM").await;
    is_set(&aws, "empty", "INSUFFICIENT_DATA").await;
    let composite = json!({ "AlarmName": "any", "AlarmRule": "ALARM(quiet)" });
    tell(&aws, "PutCompositeAlarm", composite).await;
    is_set(&aws, "any", "ALARM").await;

    let asked = ["empty", "gone", "loud", "any", "quiet"].map(str::to_owned);
    let alarms = aws.alarms(&asked).await.expect("the alarms");
    let told: Vec<_> = alarms
        .iter()
        .map(|it| (it.name.as_str(), it.state, it.reason.as_deref()))
        .collect();
    let reason = Some("as it was set");
    assert_eq!(
        told,
        [
            ("empty", AlarmState::WithoutData, reason),
            ("gone", AlarmState::Missing, None),
            ("loud", AlarmState::Ringing, reason),
            ("any", AlarmState::Ringing, reason),
            ("quiet", AlarmState::Quiet, None),
        ]
    );
}
