//! The deployed release: what a person addresses, and the place where it runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Color, Digest, Observed, Revision, Tag};

/// Which release a colour runs, or ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    pub color: Color,
    /// None where a journal of format 1 recorded the colour alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

impl Deployed {
    /// A place of which nothing more is known.
    pub const fn somewhere_on(color: Color) -> Self {
        Self {
            color,
            revision: None,
            tag: None,
            digest: None,
        }
    }

    /// Whether it is what its colour runs now. What is known of neither is
    /// taken for the same.
    pub fn runs_still(&self, observed: &Observed) -> bool {
        let now = observed.deployed(self.color);
        match (&self.revision, now) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(then), Some(now)) => now.revision.as_ref() == Some(then),
        }
    }

    /// `tag 2`, or the revision where nobody knows its tag.
    pub fn release(&self) -> String {
        match (&self.tag, &self.revision) {
            (Some(tag), _) => format!("tag {tag}"),
            (None, Some(revision)) => revision.short().to_owned(),
            (None, None) => format!("the release on {}", self.color),
        }
    }
}

/// `blue (tag 2)`, for sentences.
impl fmt::Display for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tag {
            Some(tag) => write!(f, "{} (tag {tag})", self.color),
            None => write!(f, "{}", self.color),
        }
    }
}

impl Observed {
    /// The release that a colour runs now; none where nothing is deployed there.
    pub fn deployed(&self, color: Color) -> Option<Deployed> {
        let state = self.color(color);
        let service = state.service.as_ref().map(|it| &it.task_definition);
        let revision = service.or(state.hosted.as_ref().map(|it| &it.revision))?;
        let release = state.release.as_ref();
        Some(Deployed {
            color,
            revision: Some(revision.clone()),
            tag: release.and_then(|release| release.tag.clone()),
            digest: release.and_then(|release| release.digest.clone()),
        })
    }
}

/// As a journal of format 1 wrote it: the colour alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form<T> {
    Now(T),
    ColorAlone(Color),
}

/// Reads what format 1 knew only the colour of.
pub fn read_either<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + From<Deployed>,
{
    let form = Option::<Form<T>>::deserialize(deserializer)?;
    Ok(form.map(|form| match form {
        Form::Now(value) => value,
        Form::ColorAlone(color) => Deployed::somewhere_on(color).into(),
    }))
}
