//! Notices about a release, for those who asked to be told how it goes.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::{Tag, Upload, UploadEnd};

/// The version of a notice's form; another form gets another number.
const SCHEMA: &str = "bgecs.notice.v1";

/// One piece of news of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseNotice {
    schema: NoticeSchema,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// The set or the app; none where an upload does not say.
    pub release: Option<String>,
    pub tag: Option<Tag>,
    pub upload: Option<Upload>,
    #[serde(flatten)]
    pub news: ReleaseNews,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct NoticeSchema;

impl Serialize for NoticeSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SCHEMA)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ReleaseNews {
    Begin,
    /// Another release is in progress: it is the upload's turn later.
    Wait {
        reason: String,
    },
    /// Users of all apps are where that stage has them.
    Stage {
        /// Counted from 1.
        stage: usize,
        of: usize,
    },
    End(UploadEnd),
}

impl ReleaseNotice {
    pub fn new(at: OffsetDateTime, of: NoticeOf, news: ReleaseNews) -> Self {
        let NoticeOf {
            release,
            tag,
            upload,
        } = of;
        Self {
            schema: NoticeSchema,
            at,
            release,
            tag,
            upload,
            news,
        }
    }

    /// For people, in a line.
    pub fn line(&self) -> String {
        let what = match (&self.release, &self.tag, &self.upload) {
            (Some(release), Some(tag), _) => format!("{release}, tag {tag}"),
            (Some(release), None, _) => release.clone(),
            (None, _, Some(upload)) => upload.file_name().to_owned(),
            (None, ..) => "a release".to_owned(),
        };
        match &self.news {
            ReleaseNews::Begin => format!("{what}: the release begins"),
            ReleaseNews::Wait { reason } => format!("{what}: waits for its turn: {reason}"),
            ReleaseNews::Stage { stage, of } if stage == of => {
                format!("{what}: all users are on it")
            }
            ReleaseNews::Stage { stage, of } => {
                format!("{what}: users have taken stage {stage} of {of}")
            }
            ReleaseNews::End(end) => {
                let mut line = format!("{what}: {}", end.outcome);
                if let Some(reason) = &end.reason {
                    line += &format!(": {reason}");
                }
                match end.traffic.is_empty() {
                    true => line,
                    false => format!("{line} ({})", end.traffic.join("; ")),
                }
            }
        }
    }
}

/// What a notice is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeOf {
    pub release: Option<String>,
    pub tag: Option<Tag>,
    pub upload: Option<Upload>,
}

/// The ARN of a topic of SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn(String);

impl TopicArn {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TopicArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "sns", region, account, name]
                if !region.is_empty() && !account.is_empty() && !name.is_empty() =>
            {
                match name.ends_with(".fifo") {
                    true => Err(format!(
                        "`{text}` is a FIFO topic, which no person can subscribe to: make a standard one"
                    )),
                    false => Ok(Self(text.to_owned())),
                }
            }
            _ => Err(format!(
                "`{text}` is not an SNS topic: its ARN looks like arn:aws:sns:eu-west-1:123456789012:releases"
            )),
        }
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::model::UploadOutcome;

    fn notice(news: ReleaseNews) -> ReleaseNotice {
        let of = NoticeOf {
            release: Some("shop".to_owned()),
            tag: Some("7".parse().unwrap()),
            upload: Some(Upload {
                bucket: "releases".to_owned(),
                key: "in/shop-7.zip".to_owned(),
                version: "v1".to_owned(),
            }),
        };
        ReleaseNotice::new(datetime!(2026-01-01 00:00 UTC), of, news)
    }

    #[test]
    fn programs_read_a_form_that_names_its_version() {
        let end = notice(ReleaseNews::End(UploadEnd {
            outcome: UploadOutcome::Failed,
            reason: Some("frontend: 3 requests failed".to_owned()),
            traffic: vec!["backend: users reach green (6)".to_owned()],
            exit_code: 3,
        }));
        assert_eq!(
            json!(end),
            json!({
                "schema": "bgecs.notice.v1",
                "at": "2026-01-01T00:00:00Z",
                "release": "shop",
                "tag": "7",
                "upload": { "bucket": "releases", "key": "in/shop-7.zip", "version": "v1" },
                "event": "end",
                "outcome": "failed",
                "reason": "frontend: 3 requests failed",
                "traffic": ["backend: users reach green (6)"],
                "exit_code": 3,
            })
        );
        let stage = json!(notice(ReleaseNews::Stage { stage: 1, of: 2 }));
        assert_eq!(
            (&stage["event"], &stage["stage"]),
            (&json!("stage"), &json!(1))
        );
    }

    #[test]
    fn people_read_a_line() {
        for (news, line) in [
            (ReleaseNews::Begin, "shop, tag 7: the release begins"),
            (
                ReleaseNews::Stage { stage: 1, of: 2 },
                "shop, tag 7: users have taken stage 1 of 2",
            ),
            (
                ReleaseNews::Stage { stage: 2, of: 2 },
                "shop, tag 7: all users are on it",
            ),
        ] {
            assert_eq!(notice(news).line(), line);
        }
        let unnamed = ReleaseNotice {
            release: None,
            tag: None,
            ..notice(ReleaseNews::Begin)
        };
        assert_eq!(unnamed.line(), "shop-7.zip: the release begins");
    }

    #[test]
    fn a_topic_is_one_that_people_can_subscribe_to() {
        let arn = "arn:aws:sns:eu-west-1:123456789012:releases";
        assert_eq!(arn.parse::<TopicArn>().unwrap().as_str(), arn);
        for (text, part) in [
            ("releases", "is not an SNS topic"),
            (
                "arn:aws:sqs:eu-west-1:123456789012:releases",
                "is not an SNS topic",
            ),
            ("arn:aws:sns:eu-west-1:123456789012:releases.fifo", "FIFO"),
        ] {
            let why = text.parse::<TopicArn>().unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }
}
