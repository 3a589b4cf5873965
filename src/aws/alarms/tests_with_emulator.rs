//! What an emulator of CloudWatch answers, whose bytes nobody here made up.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic};
use aws_smithy_http_client::Builder;
use localstack::{Emulator, Engine, Options, Source};

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

async fn measures(aws: &Aws, name: &str) {
    let alarm = aws.cloudwatch.put_metric_alarm().alarm_name(name);
    let alarm = alarm.namespace("shop").metric_name("errors");
    let alarm = alarm.statistic(Statistic::Sum).period(60);
    let alarm = alarm.evaluation_periods(1).threshold(1.0);
    let alarm = alarm.comparison_operator(ComparisonOperator::GreaterThanThreshold);
    alarm.send().await.expect("a metric alarm");
}

async fn is_set(aws: &Aws, name: &str, state: StateValue) {
    let set = aws.cloudwatch.set_alarm_state().alarm_name(name);
    let set = set.state_value(state).state_reason("as it was set.");
    set.send().await.expect("a state");
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
    is_set(&aws, "quiet", StateValue::Ok).await;
    is_set(&aws, "loud", StateValue::Alarm).await;
    is_set(&aws, "empty", StateValue::InsufficientData).await;
    let composite = aws.cloudwatch.put_composite_alarm().alarm_name("any");
    let composite = composite.alarm_rule("ALARM(quiet)");
    composite.send().await.expect("a composite alarm");
    is_set(&aws, "any", StateValue::Alarm).await;

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
