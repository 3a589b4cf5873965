//! One request of the probe, and what came back.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use regex_lite::Regex;
use serde::Serialize;

/// How the request reached the load balancer. The two can change over at
/// different times: a browser keeps its connection, a new visitor opens one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    Fresh,
    Reused,
}

/// Why there was no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    TimedOut,
    /// Nobody listens there.
    Refused,
    /// The connection ended ahead of the answer.
    Reset,
    Tls,
    /// The answer began, and ended ahead of its end.
    CutShort,
    /// No such host, or no HTTP.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Http {
        status: u16,
        /// The `x-bgecs-release` header, where the app sends it.
        release: Option<String>,
        /// The body's first characters.
        body: String,
    },
    Nothing {
        why: Lost,
        error: String,
    },
}

impl Answer {
    /// How many bytes of a body are kept: enough to tell two releases apart.
    pub const KEPT_BODY: usize = 2048;

    /// Any 2xx. A redirect is a failure too: users would be sent elsewhere.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Http { status, .. } if (200..300).contains(status))
    }

    /// Whether there may have been nobody to ask.
    pub fn may_lack_a_connection(&self) -> bool {
        let Self::Nothing { why, .. } = self else {
            return false;
        };
        matches!(why, Lost::Refused | Lost::TimedOut | Lost::Other)
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Http { status, .. } => Some(*status),
            Self::Nothing { .. } => None,
        }
    }
}

/// What a good answer is.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub status: Statuses,
    /// Is found somewhere in the body's first part.
    pub body: Option<Regex>,
}

impl Expected {
    /// What is not as it should be, if anything.
    pub fn judge(&self, status: u16, body: &[u8]) -> Option<Unexpected> {
        if !self.status.has(status) {
            return Some(Unexpected::Status);
        }
        let pattern = self.body.as_ref()?;
        let is_there = pattern.is_match(&String::from_utf8_lossy(body));
        (!is_there).then_some(Unexpected::Body)
    }
}

/// Why an answer is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unexpected {
    Status,
    Body,
}

/// Ranges of status codes, such as `2xx,304`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    fn has(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&status))
    }
}

/// Any 2xx. A redirect is a failure too: users would be sent elsewhere.
impl Default for Statuses {
    fn default() -> Self {
        Self(vec![(200, 299)])
    }
}

impl FromStr for Statuses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = |part: &str| {
            let part = part.trim();
            let numbers = match part.strip_suffix("xx") {
                Some(hundreds) => hundreds
                    .parse()
                    .ok()
                    .filter(|hundreds| (1..=5).contains(hundreds))
                    .map(|hundreds: u16| (hundreds * 100, hundreds * 100 + 99)),
                None => part
                    .parse()
                    .ok()
                    .filter(|status| (100..=599).contains(status))
                    .map(|status| (status, status)),
            };
            numbers.ok_or_else(|| {
                format!("`{part}` is not a status: 204, or 2xx for all from 200 to 299")
            })
        };
        text.split(',')
            .map(range)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// As it is written: `2xx,304`.
impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (first, last)) in self.0.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{}xx", first / 100)?,
            }
        }
        Ok(())
    }
}

/// A part of all, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_suffix('%')
            .and_then(|percent| percent.trim().parse::<f64>().ok())
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(|percent| Self(percent / 100.0))
            .ok_or_else(|| "a share is a number of percent from 0% to 100%: 0.1%".to_owned())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

/// Times count from the start of the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub n: u64,
    /// When the request was due, which is when it would have left on an idle
    /// machine.
    pub scheduled_at: Duration,
    /// From the scheduled instant to the answer's last byte, so that a stall
    /// is not hidden.
    pub latency: Duration,
    /// How long after it was due it left: this machine was busy, or asleep.
    pub late: Duration,
    /// Where it was asked, if users come in by several ways.
    pub way: Option<Arc<str>>,
    /// None where the load balancer's name had no address.
    pub node: Option<IpAddr>,
    pub connection: Connection,
    pub answer: Arc<Answer>,
    /// What was wrong with the answer, if there was one.
    pub unexpected: Option<Unexpected>,
}

impl Sample {
    pub fn answered_at(&self) -> Duration {
        self.scheduled_at + self.latency
    }

    /// When the answer was in, or at the latest the time to wait for it was up.
    pub fn over_at(&self, timeout: Duration) -> Duration {
        let time_up = self.scheduled_at + self.late + timeout;
        self.answered_at().min(time_up)
    }

    /// Whether it is a whole answer, and one as it should be.
    pub fn is_good(&self) -> bool {
        self.unexpected.is_none() && self.answer.status().is_some()
    }
}

/// As texts for people name it.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fresh => "fresh",
            Self::Reused => "kept",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_answer_is_any_2xx_unless_somebody_says_otherwise() {
        let judge = |expected: &str, status| {
            let expected = Expected {
                status: expected.parse().unwrap(),
                body: None,
            };
            expected.judge(status, b"")
        };
        for status in [200, 204, 299] {
            assert_eq!(Expected::default().judge(status, b""), None);
            assert_eq!(judge("2xx", status), None);
        }
        for status in [100, 199, 300, 304, 404, 503] {
            let wrong = Some(Unexpected::Status);
            assert_eq!(Expected::default().judge(status, b""), wrong, "{status}");
        }
        assert_eq!(judge("204, 3xx", 204), None);
        assert_eq!(judge("204, 3xx", 307), None);
        assert_eq!(judge("204, 3xx", 200), Some(Unexpected::Status));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for text in ["", "20", "2xx,", "600", "6xx", "xx", "-1", "200-299"] {
            assert!(text.parse::<Statuses>().is_err(), "{text}");
        }
    }

    #[test]
    fn statuses_are_written_as_they_are_read() {
        for text in ["2xx", "204", "2xx,304,5xx"] {
            let statuses: Statuses = text.parse().unwrap();
            assert_eq!(statuses.to_string(), text);
        }
    }

    #[test]
    fn a_share_is_in_percent() {
        assert_eq!("0.1%".parse(), Ok(Share(0.001)));
        assert_eq!("100 %".parse(), Ok(Share(1.0)));
        for text in ["", "5", "%", "-1%", "101%", "NaN%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_body_may_have_to_match() {
        let expected = Expected {
            status: Statuses::default(),
            body: Some(Regex::new("^ok v[0-9]+").unwrap()),
        };
        assert_eq!(expected.judge(200, b"ok v12, all well"), None);
        assert_eq!(expected.judge(200, b"maintenance"), Some(Unexpected::Body));
        assert_eq!(expected.judge(503, b"ok v1"), Some(Unexpected::Status));
    }
}
