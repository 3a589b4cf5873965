//! What `bgecs doctor` found out about one thing that a release needs.

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub grade: Grade,
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Ok,
    /// A release can work in spite of it.
    Warning,
    /// A release would fail.
    Failed,
    /// It could not be looked at.
    Unknown,
}

impl Finding {
    pub fn new(name: &'static str, grade: Grade, detail: impl Into<String>) -> Self {
        Self {
            name,
            grade,
            detail: detail.into(),
            hint: None,
        }
    }

    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Grade::Ok, detail)
    }

    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}
