//! A CloudWatch alarm and its state.

use std::str::FromStr;

use serde::Serialize;

/// One that was asked for by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    pub name: String,
    pub state: AlarmState,
    /// Why, in CloudWatch's words.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    Quiet,
    Ringing,
    /// Nobody measured enough to say, or CloudWatch says what this bgecs does not
    /// know.
    WithoutData,
    /// Nothing is called so.
    Missing,
}

/// What an alarm without data means to a shift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AlarmsWithoutData {
    #[default]
    Stop,
    Ignore,
}

impl FromStr for AlarmsWithoutData {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "stop" => Ok(Self::Stop),
            "ignore" => Ok(Self::Ignore),
            _ => Err("it is \"stop\" or \"ignore\"".to_owned()),
        }
    }
}
