//! Objects in S3: an upload is streamed into a file, and written from one.

use std::path::Path;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::error::{AwsError, AwsErrorKind, Named};
use super::plain::{BodyReading, PlainAnswer, encoded, path};
use super::xml::Element;
use super::{ATTEMPTS, Aws, CONNECT};
use crate::error::innermost;
use crate::model::{Arrived, Upload, decoded_key};

const READ: &str = "s3:GetObjectVersion";
const WRITE: &str = "s3:PutObject";
const LIST: &str = "s3:ListBucketVersions";
const REMOVE: &str = "s3:DeleteObjectVersion";
/// How many objects are deleted side by side.
const AT_ONCE: usize = 8;

/// Why an object was not fetched.
#[derive(Debug)]
pub enum NotFetched {
    /// It is larger than that many bytes.
    TooLarge(u64),
    /// Its bucket keeps no versions, so a second read could return something else.
    Unversioned,
    /// An error of this machine, such as a full disk.
    Unwritten(std::io::Error),
    Aws(AwsError),
}

impl From<AwsError> for NotFetched {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl Aws {
    /// Reads the object that arrived into a file, in its newest version if none is given.
    /// Returns which upload it is, and when it was uploaded, which S3 reports in whole
    /// seconds.
    ///
    /// # Errors
    /// It has more bytes than `most`, or no version; S3's own.
    pub async fn fetch(
        &self,
        it: &Arrived,
        into: &Path,
        most: u64,
    ) -> Result<(Upload, OffsetDateTime), NotFetched> {
        let version = it.version.as_ref();
        let query = version.map(|version| format!("?versionId={}", encoded(version)));
        let query = query.unwrap_or_default();
        let answer = self.object("GET", (&it.bucket, &it.key, &query), SdkBody::empty());
        let answer = answer.await.named(READ, it.to_string())?;
        let version = answer.headers.get("x-amz-version-id");
        let version = version.filter(|version| *version != "null");
        let Some(version) = version.or(it.version.as_deref()) else {
            return Err(NotFetched::Unversioned);
        };
        let upload = Upload {
            bucket: it.bucket.clone(),
            key: it.key.clone(),
            version: version.to_owned(),
        };
        let uploaded = answer.headers.get("last-modified");
        let uploaded = uploaded.and_then(|at| OffsetDateTime::parse(at, &Rfc2822).ok());
        let Some(uploaded) = uploaded else {
            let why = "the answer does not say when it was uploaded";
            return Err(AwsError::unusable(READ, &it.to_string(), why).into());
        };
        let mut file = File::create(into).await.map_err(NotFetched::Unwritten)?;
        let (mut body, mut bytes) = (ByteStream::new(answer.body), 0);
        while let Some(part) = body.next().await {
            let part = part.map_err(|error| cut_off(it, &innermost(&error)))?;
            bytes += part.len() as u64;
            if bytes > most {
                return Err(NotFetched::TooLarge(most));
            }
            file.write_all(&part).await.map_err(NotFetched::Unwritten)?;
        }
        file.flush().await.map_err(NotFetched::Unwritten)?;
        Ok((upload, uploaded))
    }

    /// The current text of a small object beside an upload; None if it does not exist.
    ///
    /// # Errors
    /// S3's own.
    pub async fn small_object(&self, bucket: &str, key: &str) -> Result<Option<String>, AwsError> {
        const MOST: usize = 16 * 1024;
        let name = format!("s3://{bucket}/{key}");
        let answer = self.object("GET", (bucket, key, ""), SdkBody::empty());
        let answer = match answer.await.named("s3:GetObject", &name) {
            Err(error) if error.has_code("NoSuchKey") => return Ok(None),
            answer => answer?,
        };
        let (mut body, mut bytes) = (ByteStream::new(answer.body), Vec::new());
        while let Some(part) = body.next().await {
            let part =
                part.map_err(|error| AwsError::unusable("s3:GetObject", &name, innermost(&error)))?;
            bytes.extend_from_slice(&part);
            if bytes.len() > MOST {
                let why = format!("it has more than {MOST} bytes");
                return Err(AwsError::unusable("s3:GetObject", &name, why));
            }
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Uploads a file; returns the version that it has.
    ///
    /// # Errors
    /// S3's own; the bucket keeps no versions.
    pub async fn put_object(
        &self,
        (bucket, key): (&str, &str),
        file: &Path,
    ) -> Result<Upload, AwsError> {
        let name = format!("s3://{bucket}/{key}");
        let body = ByteStream::from_path(file).await;
        let body = body.map_err(|error| AwsError::unusable(WRITE, &name, innermost(&error)))?;
        let answer = self.object("PUT", (bucket, key, ""), body.into_inner());
        let answer = answer.await.named(WRITE, &name)?;
        match answer.headers.get("x-amz-version-id") {
            Some(version) if version != "null" => Ok(Upload {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                version: version.to_owned(),
            }),
            _ => Err(AwsError::unusable(
                WRITE,
                &name,
                "the bucket keeps no versions",
            )),
        }
    }

    /// Whether there are any objects, in any version.
    ///
    /// # Errors
    /// S3's own.
    pub async fn has_objects(&self, bucket: &str) -> Result<bool, AwsError> {
        let found = self.object_versions(bucket).await?;
        Ok(!found.is_empty())
    }

    /// Deletes all objects in all their versions; returns how many those were.
    ///
    /// # Errors
    /// S3's own.
    pub async fn empty_bucket(&self, bucket: &str) -> Result<usize, AwsError> {
        let mut count = 0;
        loop {
            let page = self.object_versions(bucket).await?;
            if page.is_empty() {
                return Ok(count);
            }
            count += page.len();
            let removing = page.iter().map(|it| self.remove_version(bucket, it));
            let removing = stream::iter(removing).buffer_unordered(AT_ONCE);
            removing.try_collect::<()>().await?;
        }
    }

    /// A page of the existing versions, including markers of deleted objects.
    async fn object_versions(&self, bucket: &str) -> Result<Vec<ObjectVersion>, AwsError> {
        let name = format!("s3://{bucket}");
        let at = (bucket, "", "?versions&encoding-type=url");
        let answer = self.object("GET", at, SdkBody::empty()).await;
        let body = ByteStream::new(answer.named(LIST, &name)?.body)
            .collect()
            .await;
        let body = body.map_err(|error| AwsError::unusable(LIST, &name, innermost(&error)))?;
        let text = String::from_utf8_lossy(&body.into_bytes()).into_owned();
        versions_in(&text).map_err(|why| AwsError::unusable(LIST, &name, why))
    }

    async fn remove_version(&self, bucket: &str, it: &ObjectVersion) -> Result<(), AwsError> {
        let query = format!("?versionId={}", encoded(&it.version));
        let at = (bucket, it.key.as_str(), query.as_str());
        let gone = self.object("DELETE", at, SdkBody::empty()).await;
        gone.map(drop)
            .named(REMOVE, format!("s3://{bucket}/{}", it.key))
    }

    /// There is no time limit as long as bytes are transferred.
    async fn object(
        &self,
        method: &'static str,
        (bucket, key, query): (&str, &str, &str),
        body: SdkBody,
    ) -> Result<PlainAnswer, super::plain::PlainError> {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let s3 = self.s3.with(&timeouts, &retries);
        let at = path(key.split('/')) + query;
        s3.in_bucket(bucket, (method, &at), body, BodyReading::Stream)
            .await
    }
}

/// One version of an object, or a marker that it was deleted.
#[derive(Debug, PartialEq, Eq)]
struct ObjectVersion {
    key: String,
    version: String,
}

/// # Errors
/// In words, what is wrong with the answer.
fn versions_in(text: &str) -> Result<Vec<ObjectVersion>, String> {
    let root = Element::parse(text)?;
    let entries = root.children().iter();
    let entries = entries.filter(|it| ["Version", "DeleteMarker"].contains(&it.name()));
    let all = entries.map(|entry| {
        Ok(ObjectVersion {
            key: decoded_key(entry.text("Key").ok_or("an object without a key")?),
            version: entry
                .text("VersionId")
                .ok_or("an object without a version")?
                .to_owned(),
        })
    });
    all.collect()
}

fn cut_off(it: &Arrived, why: &str) -> AwsError {
    AwsError {
        kind: AwsErrorKind::Unreachable,
        ..AwsError::unusable(READ, &it.to_string(), why)
    }
}

#[cfg(test)]
mod tests;
