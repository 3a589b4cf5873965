//! What an operation's probe asks, how often, and what it takes for a good
//! answer: all that somebody else must know who goes on with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::hidden::Hidden;
use crate::spoken_time::seconds;

/// As the person wrote it. Nothing stands for what is usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// `auto`, `1.1` or `2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// `fresh`, `reused` or `both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_header: Option<String>,
    /// Requests a second.
    pub rate: f64,
    #[serde(rename = "window_seconds", with = "seconds")]
    pub window: Duration,
    #[serde(rename = "timeout_seconds", with = "seconds")]
    pub timeout: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_body: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_failures: u64,
    /// Such as `0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failure_rate: Option<String>,
    /// Such as `p99=400ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub max_latency: Vec<String>,
    /// A failed swap is left as it is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_rollback: bool,
}

/// A rate is a number, and so is equal to itself.
impl Eq for Asked {}

/// A header to send. Its value may be a secret: it is kept and never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub name: String,
    #[serde(with = "revealed")]
    pub value: Hidden,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

mod revealed {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::hidden::Hidden;

    pub fn serialize<S: Serializer>(value: &Hidden, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.reveal())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Hidden, D::Error> {
        String::deserialize(from).map(Hidden::new)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_asked_comes_back_whole_and_what_is_usual_is_not_kept() {
        let usual = Asked {
            path: "/api".to_owned(),
            method: None,
            headers: Vec::new(),
            http: None,
            connections: None,
            release_header: None,
            rate: 0.5,
            window: Duration::from_secs(15),
            timeout: Duration::from_millis(2500),
            expect_status: None,
            expect_body: None,
            max_failures: 0,
            max_failure_rate: None,
            max_latency: Vec::new(),
            no_rollback: false,
        };
        let kept = json!({
            "path": "/api", "rate": 0.5, "window_seconds": 15.0, "timeout_seconds": 2.5,
        });
        assert_eq!(serde_json::to_value(&usual).unwrap(), kept);
        let header = |value: &str| Header {
            name: "authorization".to_owned(),
            value: Hidden::new(value),
        };
        let all = Asked {
            method: Some("HEAD".to_owned()),
            headers: vec![header("Bearer hunter22")],
            expect_status: Some("2xx,304".to_owned()),
            max_failures: 3,
            max_failure_rate: Some("0.1%".to_owned()),
            max_latency: vec!["p99=400ms".to_owned()],
            no_rollback: true,
            ..usual
        };
        let text = serde_json::to_string(&all).unwrap();
        assert!(text.contains("hunter22"));
        assert_eq!(serde_json::from_str::<Asked>(&text).unwrap(), all);
        assert!(!format!("{all:?}").contains("hunter22"));
    }
}
