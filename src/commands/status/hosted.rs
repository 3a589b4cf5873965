//! A colour that bgecs does not run, as programs and people read of it.

use serde::Serialize;
use time::OffsetDateTime;

use super::shown::age;
use crate::model::{Color, Observed, TargetState};
use crate::report::Style;

#[derive(Debug, Serialize)]
pub(super) struct HostedStatus {
    /// Where it is looked at.
    pub(super) url: String,
    /// By which, where the URL alone shows what is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) header: Option<String>,
    /// What was deployed there, as the journal remembers it; none where that is not
    /// known.
    pub(super) tag: Option<String>,
    /// Whether anything is known to run there.
    pub(super) deployed: bool,
    pub(super) retired: bool,
    pub(super) deployed_at: Option<String>,
    pub(super) deployed_by: Option<String>,
    pub(super) healthy: bool,
    /// Why it is not.
    pub(super) reason: Option<String>,
}

impl HostedStatus {
    /// None where it is a service of ECS.
    pub(super) fn of(observed: &Observed, color: Color) -> Option<Self> {
        let edge = observed.infrastructure.edge()?;
        let state = observed.color(color);
        let target = state.targets.0.first();
        let hosted = state.hosted.as_ref();
        Some(Self {
            url: observed.looked_at(color).unwrap_or_default(),
            header: edge.header(color),
            tag: state.tag().map(ToString::to_string),
            deployed: hosted.is_some(),
            retired: state.is_retired(),
            deployed_at: hosted.map(|it| it.deployed_at.clone()),
            deployed_by: hosted.map(|it| it.deployed_by.clone()),
            healthy: target.is_some_and(|target| target.state == TargetState::Healthy),
            reason: target.and_then(|target| target.reason.clone()),
        })
    }

    pub(super) fn lines(&self, color: Color, role: &str, style: Style) -> Vec<String> {
        let what = match (&self.tag, self.deployed) {
            (Some(tag), _) => format!(", tag {}", style.strong(tag)),
            (None, true) => ", as it was before bgecs".to_owned(),
            (None, false) => ", nothing is known to run there".to_owned(),
        };
        let retired = if self.retired { ", retired" } else { "" };
        let health = match (&self.reason, self.healthy) {
            (_, true) => "answers well".to_owned(),
            (Some(reason), false) => format!("does not answer well: {reason}"),
            (None, false) => "does not answer well".to_owned(),
        };
        let header = self.header.as_ref();
        let header = header.map(|header| format!(" with {header}"));
        let mut lines = vec![
            format!(
                "{}  {role}{what}{retired}",
                style.color(color, format!("{color:<5}"))
            ),
            format!("  url      {}{}", self.url, header.unwrap_or_default()),
            format!("  health   {health}"),
        ];
        if let (Some(at), Some(by)) = (&self.deployed_at, &self.deployed_by) {
            let age = age(at, OffsetDateTime::now_utc());
            lines.push(format!("  deployed {age} by {by}"));
        }
        lines
    }
}
