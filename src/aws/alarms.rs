//! CloudWatch's alarms, by their names.

use serde::Deserialize;
use serde_json::json;

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::{Alarm, AlarmState};

/// How many alarms one call returns, and how many names it takes
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>).
const MOST: usize = 100;

const ACTION: &str = "cloudwatch:DescribeAlarms";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AlarmPage {
    metric_alarms: Vec<ToldAlarm>,
    composite_alarms: Vec<ToldAlarm>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldAlarm {
    alarm_name: String,
    state_value: Option<String>,
    state_reason: Option<String>,
}

impl Aws {
    /// Each of up to a hundred alarms, in that order, with one call.
    pub async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, AwsError> {
        // Without names, CloudWatch would return all alarms.
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (mut there, mut next) = (Vec::new(), None);
        loop {
            let mut asked = json!({
                "AlarmNames": names,
                // Composite alarms are only returned if asked for.
                "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
                "MaxRecords": MOST,
            });
            if let Some(next) = next {
                asked["NextToken"] = next;
            }
            let page = self.cloudwatch.json("DescribeAlarms", &asked).await;
            let page: AlarmPage = page.named(ACTION, names.join(", "))?;
            let both = page.metric_alarms.into_iter().chain(page.composite_alarms);
            there.extend(both.map(told));
            match page.next_token {
                Some(token) if !token.is_empty() => next = Some(token.into()),
                _ => break,
            }
        }
        let of = |name: &String| {
            let found = there.iter().find(|alarm: &&Alarm| alarm.name == *name);
            found.cloned().unwrap_or_else(|| Alarm {
                name: name.clone(),
                state: AlarmState::Missing,
                reason: None,
            })
        };
        Ok(names.iter().map(of).collect())
    }
}

fn told(it: ToldAlarm) -> Alarm {
    let state = match it.state_value.as_deref() {
        Some("OK") => AlarmState::Quiet,
        Some("ALARM") => AlarmState::Ringing,
        _ => AlarmState::WithoutData,
    };
    let reason = it.state_reason.filter(|_| state != AlarmState::Quiet);
    let reason = reason.map(|reason| in_one_line(&reason));
    Alarm {
        name: it.alarm_name,
        state,
        reason: reason.filter(|reason| !reason.is_empty()),
    }
}

/// Whoever sets an alarm's state by hand can write anything as the reason.
fn in_one_line(reason: &str) -> String {
    let words: Vec<&str> = reason.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_with_emulator;
