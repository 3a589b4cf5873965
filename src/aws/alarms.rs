//! CloudWatch's alarms, by their names.

use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::{Alarm, AlarmState};

/// How many alarms one call tells of, and how many names it takes
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>).
const MOST: i32 = 100;

impl Aws {
    /// Each of up to a hundred alarms, in that order, with one call.
    pub async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, AwsError> {
        // Asked for none, CloudWatch would tell of all there are.
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let call = self
            .cloudwatch
            .describe_alarms()
            .set_alarm_names(Some(names.to_vec()))
            // Unless they are asked for, composite ones are not told.
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .max_records(MOST);
        let pages: Vec<DescribeAlarmsOutput> = call
            .into_paginator()
            .send()
            .collect::<Result<_, _>>()
            .await
            .named("cloudwatch:DescribeAlarms", names.join(", "))?;
        let there: Vec<Alarm> = pages.iter().flat_map(told).collect();
        let of = |name: &String| {
            let found = there.iter().find(|alarm| alarm.name == *name);
            found.cloned().unwrap_or_else(|| Alarm {
                name: name.clone(),
                state: AlarmState::Missing,
                reason: None,
            })
        };
        Ok(names.iter().map(of).collect())
    }
}

fn told(page: &DescribeAlarmsOutput) -> impl Iterator<Item = Alarm> {
    let metric = page.metric_alarms().iter();
    let metric = metric.map(|it| (it.alarm_name(), it.state_value(), it.state_reason()));
    let composite = page.composite_alarms().iter();
    let composite = composite.map(|it| (it.alarm_name(), it.state_value(), it.state_reason()));
    metric.chain(composite).filter_map(|(name, state, reason)| {
        let state = match state {
            Some(StateValue::Ok) => AlarmState::Quiet,
            Some(StateValue::Alarm) => AlarmState::Ringing,
            _ => AlarmState::WithoutData,
        };
        Some(Alarm {
            name: name?.to_owned(),
            state,
            reason: reason
                .filter(|_| state != AlarmState::Quiet)
                .map(in_one_line)
                .filter(|reason| !reason.is_empty()),
        })
    })
}

/// Whoever sets an alarm's state by hand writes what they like.
fn in_one_line(reason: &str) -> String {
    let words: Vec<&str> = reason.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_with_emulator;
