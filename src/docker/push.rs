//! Pushes an image and returns the digest that it has in the registry.

use std::collections::HashMap;
use std::fmt;

use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptions};
use serde::Deserialize;

use super::engine::{Engine, asked};
use super::error::DockerError;
use super::login::Login;
use super::refusal::RegistryRefusal;
use super::wire::JsonLines;
use super::{LocalImage, OnProgress, Progress};
use crate::model::{Digest, Tag};

/// Where to push, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct PushTarget<'a> {
    /// A host, with its port if it has one.
    pub registry: &'a str,
    pub repository: &'a str,
    pub tag: &'a Tag,
    pub credentials: &'a Credentials,
}

impl PushTarget<'_> {
    fn image(&self) -> String {
        format!("{}:{}", self.name(), self.tag)
    }

    fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

/// The login for the registry. Kept in memory only, and never displayed.
#[derive(Clone)]
pub struct Credentials {
    username: String,
    password: String,
}

impl Credentials {
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }
}

impl From<Credentials> for Login {
    fn from(credentials: Credentials) -> Self {
        Self::Password {
            username: credentials.username,
            password: credentials.password,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

impl Engine {
    /// Removes that name; an image without another name is deleted. It does not matter
    /// whether the name exists.
    pub async fn forget_name(&self, name: &str) {
        let options = RemoveImageOptionsBuilder::default().noprune(true).build();
        let forgot = self.docker.remove_image(name, Some(options), None).await;
        tracing::debug!(name, ?forgot, "took the name from the image");
    }

    /// Tags the image as `registry/repository:tag` and pushes it.
    ///
    /// # Errors
    /// `Push` with the kind of refusal if the registry refuses; `Refused` if the engine
    /// does; `Unexpected` if it names no digest at the end.
    pub async fn push(
        &self,
        image: &LocalImage,
        target: &PushTarget<'_>,
        progress: OnProgress<'_>,
    ) -> Result<Digest, DockerError> {
        let name = target.name();
        let options = TagImageOptions {
            repo: Some(name.clone()),
            tag: Some(target.tag.to_string()),
        };
        let tagged = self.docker.tag_image(&image.id, Some(options)).await;
        tagged.map_err(|error| asked("tag the image", error))?;

        let login = Login::from(target.credentials.clone());
        let path = self.path(&format!("/images/{name}/push?tag={}", target.tag));
        let header = login.header(target.registry);
        let mut lines = self
            .wire
            .post("push the image", &path, vec![header])
            .await?;
        let mut digest = None;
        let refused = follow(&mut lines, progress, |line| {
            digest = pushed(line).or(digest.take());
        })
        .await?;
        let image = target.image();
        if let Some(message) = refused {
            let message = login.mask().apply(&message).into_owned();
            return Err(DockerError::Push {
                image,
                refusal: RegistryRefusal::of(&message),
                message,
            });
        }
        digest.ok_or_else(|| DockerError::Unexpected {
            doing: format!("pushing {image}"),
            why: "it names no digest".to_owned(),
        })
    }
}

/// A line of the engine's report on a push or a pull.
#[derive(Debug, Deserialize)]
pub(super) struct PushLine {
    id: Option<String>,
    status: Option<String>,
    #[serde(rename = "progressDetail")]
    detail: Option<Detail>,
    #[serde(rename = "errorDetail")]
    error: Option<ErrorDetail>,
    aux: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    #[serde(default)]
    current: i64,
    #[serde(default)]
    total: i64,
}

#[derive(Debug, Deserialize)]
struct ErrorDetail {
    #[serde(default)]
    message: String,
}

/// Reads the report to its end and reports the layers; returns the registry's message if
/// it refused.
pub(super) async fn follow(
    lines: &mut JsonLines,
    progress: OnProgress<'_>,
    mut each: impl FnMut(&PushLine),
) -> Result<Option<String>, DockerError> {
    let mut pauses = Pauses::default();
    while let Some(line) = lines.next::<PushLine>().await? {
        each(&line);
        if let Some(error) = line.error {
            return Ok(Some(error.message));
        }
        if let Some(retry) = pauses.begun(&line) {
            progress(retry);
        }
        // Lines without a layer's id are for people who read the engine's log.
        if let (Some(id), Some(status)) = (line.id, line.status) {
            let bytes = |count: Option<i64>| u64::try_from(count.unwrap_or(0)).unwrap_or(0);
            progress(Progress::Layer {
                id,
                status,
                current: bytes(line.detail.as_ref().map(|detail| detail.current)),
                total: bytes(line.detail.as_ref().map(|detail| detail.total)),
            });
        }
    }
    Ok(None)
}

/// The engine's pauses before retries, which it counts down for each layer; each pause is
/// reported once.
#[derive(Default)]
struct Pauses(HashMap<String, u32>);

impl Pauses {
    fn begun(&mut self, line: &PushLine) -> Option<Progress> {
        let (id, status) = (line.id.as_ref()?, line.status.as_deref()?);
        let left = status
            .strip_prefix("Retrying in ")
            .and_then(|rest| rest.split(' ').next()?.parse().ok());
        let Some(seconds) = left else {
            self.0.remove(id);
            return None;
        };
        let before = self.0.insert(id.clone(), seconds);
        before
            .is_none_or(|before| seconds > before)
            .then(|| Progress::Retry {
                id: id.clone(),
                seconds,
            })
    }
}

/// The digest, which the engine reports twice: as data for programs, and in a sentence
/// (`1: digest: sha256:… size: 528`), which is all that older engines give.
fn pushed(line: &PushLine) -> Option<Digest> {
    let data = line
        .aux
        .as_ref()
        .and_then(|aux| aux.get("Digest")?.as_str());
    let sentence = || line.status.as_ref()?.split("digest: ").nth(1);
    let text = data.or_else(sentence)?;
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Credentials, LocalImage, Pauses, Progress, PushLine, pushed};
    use crate::model::{Contents, Platform};

    const DIGEST: &str = "sha256:8be990ef2aeb16dbcb9271ddfe2610fa6658d13f6dfb8bc72074cc1ca36966a7";

    fn digest(json: &str) -> Option<String> {
        let line: PushLine = serde_json::from_str(json).expect("it is a line");
        pushed(&line).map(|digest| digest.to_string())
    }

    #[test]
    fn the_digest_is_found_in_data_and_in_words() {
        let data = format!(
            r#"{{"progressDetail":{{}},"aux":{{"Tag":"1","Digest":"{DIGEST}","Size":528}}}}"#
        );
        assert_eq!(digest(&data).as_deref(), Some(DIGEST));
        let words = format!(r#"{{"status":"1: digest: {DIGEST} size: 528"}}"#);
        assert_eq!(digest(&words).as_deref(), Some(DIGEST));
        for other in [
            r#"{"status":"Pushed","progressDetail":{},"id":"0a1b"}"#,
            r#"{"status":"The push refers to repository [localhost:1/demo]"}"#,
            r#"{"aux":{"Digest":"sha256:short"}}"#,
        ] {
            assert_eq!(digest(other), None, "{other}");
        }
    }

    #[test]
    fn each_further_try_is_told_once() {
        let mut pauses = Pauses::default();
        let mut told = Vec::new();
        for (id, status) in [
            ("a", "Preparing"),
            ("a", "Retrying in 2 seconds"),
            ("b", "Retrying in 2 seconds"),
            ("a", "Retrying in 1 second"),
            ("b", "Pushing"),
            ("a", "Retrying in 4 seconds"),
            ("a", "Retrying in 3 seconds"),
            ("b", "Retrying in 1 second"),
            ("b", "Pushed"),
        ] {
            let json = serde_json::json!({ "id": id, "status": status }).to_string();
            let line: PushLine = serde_json::from_str(&json).expect("it is a line");
            if let Some(Progress::Retry { id, seconds }) = pauses.begun(&line) {
                told.push(format!("{id} {seconds}"));
            }
        }
        assert_eq!(told, ["a 2", "b 2", "a 4", "b 1"]);
    }

    #[test]
    fn a_digest_counts_for_its_own_repository_only() {
        let image = LocalImage {
            id: "sha256:1".to_owned(),
            contents: Contents::new(
                Platform::new("linux", "amd64"),
                Vec::new(),
                &serde_json::Value::Null,
            ),
            repo_digests: [
                format!("localhost:1/demo@{DIGEST}"),
                "other/demo@sha256:bad".to_owned(),
            ]
            .into(),
        };
        let digest = DIGEST.parse().expect("it is a digest");
        assert!(image.is_known_as("localhost:1/demo", &digest));
        for other in ["localhost:1/dem", "demo", "other/demo"] {
            assert!(!image.is_known_as(other, &digest), "{other}");
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let shown = format!("{:?}", Credentials::new("AWS", "hunter2"));
        assert_eq!(shown, "Credentials(***)");
    }
}
