//! A release that was uploaded, and how it ended.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::Tag;

/// An object of a bucket, in one version of it: the same for good.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Upload {
    pub bucket: String,
    pub key: String,
    pub version: String,
}

impl Upload {
    /// What people call it.
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

impl fmt::Display for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bucket,
            key,
            version,
        } = self;
        write!(f, "s3://{bucket}/{key} (version {version})")
    }
}

/// A key as S3 writes it in its own events and lists, as a form does.
pub fn decoded_key(key: &str) -> String {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8_lossy();
    decoded.into_owned()
}

/// An object that was made, as an event tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub bucket: String,
    pub key: String,
    /// Not everything that passes an event on keeps it.
    pub version: Option<String>,
    pub sequencer: Option<String>,
}

impl fmt::Display for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// How the release of an upload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadOutcome {
    /// It is live, or was already.
    Complete,
    Failed,
    /// Another release was in progress for too long.
    TimedOut,
}

impl fmt::Display for UploadOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
        })
    }
}

/// The end of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadEnd {
    pub outcome: UploadOutcome,
    /// Why, where it is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where users are, of each app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<String>,
    /// As of the command that would have released it.
    pub exit_code: u8,
}

/// What is kept of an upload, beside the journal of the app that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRecord {
    #[serde(flatten)]
    pub upload: Upload,
    /// When it came into the bucket, in whole seconds.
    #[serde(with = "rfc3339")]
    pub uploaded: OffsetDateTime,
    /// By which S3 orders the uploads of one key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// The set or the app; none where its bundle does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releases: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// When it came to this.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// None while it is released, or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<UploadEnd>,
}

impl UploadRecord {
    /// Whether that one was uploaded later than this. Uploads of two keys within one
    /// second have no order.
    pub fn is_overtaken_by(&self, other: &Self) -> bool {
        if self.upload == other.upload {
            return false;
        }
        if self.uploaded != other.uploaded {
            return other.uploaded > self.uploaded;
        }
        let is_same_key =
            (&self.upload.bucket, &self.upload.key) == (&other.upload.bucket, &other.upload.key);
        is_same_key
            && match (&self.sequencer, &other.sequencer) {
                (Some(mine), Some(its)) => is_later(its, mine),
                _ => false,
            }
    }
}

/// Hexadecimal numbers of any length, the shorter of which is filled up with zeros at
/// its right
/// (<https://repost.aws/knowledge-center/s3-duplicate-sqs-messages>).
fn is_later(one: &str, than: &str) -> bool {
    let width = one.len().max(than.len());
    let filled = |text: &str| format!("{text:0<width$}").to_ascii_lowercase();
    filled(one) > filled(than)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn record(key: &str, version: &str, second: i64, sequencer: Option<&str>) -> UploadRecord {
        UploadRecord {
            upload: Upload {
                bucket: "releases".to_owned(),
                key: key.to_owned(),
                version: version.to_owned(),
            },
            uploaded: datetime!(2026-01-01 00:00 UTC) + time::Duration::seconds(second),
            sequencer: sequencer.map(str::to_owned),
            releases: None,
            tag: None,
            at: datetime!(2026-01-01 00:00 UTC),
            end: None,
        }
    }

    #[test]
    fn a_later_upload_overtakes_and_the_same_one_never_does() {
        let of = |key, version, second| record(key, version, second, None);
        let seven = of("shop-7.zip", "a", 7);
        for (other, overtakes) in [
            (of("shop-8.zip", "b", 8), true),
            (of("shop-6.zip", "c", 6), false),
            // Two keys in one second: nobody knows.
            (of("shop-8.zip", "d", 7), false),
            (of("shop-7.zip", "a", 9), false),
            (of("shop-7.zip", "e", 9), true),
        ] {
            assert_eq!(seven.is_overtaken_by(&other), overtakes, "{other:?}");
        }
    }

    #[test]
    fn within_a_second_a_key_s_own_order_counts() {
        for (mine, its, overtakes) in [
            ("0A", "0B", true),
            ("0B", "0A", false),
            ("0A", "0a1", true),
            // Filled up at its right.
            ("0A1", "0B", true),
            ("0A", "0A00", false),
            ("0B", "0A9999", false),
        ] {
            let mine = record("shop.zip", "a", 7, Some(mine));
            let its = record("shop.zip", "b", 7, Some(its));
            assert_eq!(mine.is_overtaken_by(&its), overtakes, "{mine:?} {its:?}");
        }
    }
}
