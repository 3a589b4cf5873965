//! The parts of a status as programs read them. A sentence for people stands beside the
//! part that it is about.

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::aws::StackSnapshot;
use crate::engine::plan::{self, AFTER_A_PAUSE, WarmCost};
use crate::model::journal::{self, Operation, OperationId};
use crate::model::{
    Color, ColorState, EcsInfrastructure, Endpoint, Found, Observed, PerColor, Rollout, Route,
    ScalableTarget, Split, WayIn,
};
use crate::report::Style;
use crate::spoken_time;

/// What the app's parts are made by.
#[derive(Debug, Serialize)]
pub(super) struct Stack {
    pub(super) name: String,
    /// CloudFormation's word.
    pub(super) status: String,
    pub(super) reason: Option<String>,
    /// What is the matter with it, and the way on.
    #[serde(skip)]
    pub(super) trouble: Option<(String, String)>,
}

impl Stack {
    pub(super) fn of(stack: &StackSnapshot) -> Self {
        Self {
            name: stack.name.clone(),
            status: stack.status_text.clone(),
            reason: stack.reason.clone(),
            trouble: stack.way_on().map(|way_on| (stack.sentence(), way_on)),
        }
    }

    pub(super) fn line(&self, style: Style) -> Option<String> {
        let (sentence, way_on) = self.trouble.as_ref()?;
        let reason = self.reason.as_ref().map(|reason| format!("\n{reason}"));
        Some(format!(
            "\n{} {sentence}.{}\nWay on: {way_on}.",
            style.warn("warning:"),
            reason.unwrap_or_default()
        ))
    }
}

/// An operation that has not ended.
#[derive(Debug, Serialize)]
pub struct Unfinished {
    pub id: OperationId,
    pub command: journal::Command,
    #[serde(with = "rfc3339")]
    pub began: OffsetDateTime,
    pub who: String,
    /// What it did last, or was about to do.
    pub stage: String,
    /// Whether somebody is at work on it.
    pub under_way: bool,
    /// Since when it waits for a person.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<OffsetDateTime>,
    /// Since when it has users on both colours.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub split_since: Option<OffsetDateTime>,
    #[serde(skip)]
    pub now: OffsetDateTime,
    #[serde(skip)]
    pub name: String,
}

impl Unfinished {
    pub fn of(
        operation: &Operation,
        observed: &Observed,
        is_held: bool,
        now: OffsetDateTime,
    ) -> Self {
        let is_split = plan::under_way(observed).is_some();
        Self {
            waiting_since: operation.pause().map(|pause| pause.at),
            split_since: operation.moved_production_at().filter(|_| is_split),
            now,
            id: operation.id.clone(),
            command: operation.command,
            began: operation.began,
            who: operation.who.name.clone(),
            stage: operation.last_words(observed.endpoints()),
            under_way: is_held,
            name: operation.name(),
        }
    }

    pub fn sentence(&self) -> String {
        let Self {
            name, who, stage, ..
        } = self;
        let began = spoken_time::clock(self.began);
        let for_long = |since: OffsetDateTime| spoken_time::in_words(self.now - since);
        if let Some(since) = self.waiting_since {
            let waits = for_long(since);
            return format!(
                "the {name} that {who} began at {began} waits for a person, for {waits} now.\n{AFTER_A_PAUSE}."
            );
        }
        let split = self.split_since.map_or_else(String::new, |since| {
            format!("; users are on both colours, for {} now", for_long(since))
        });
        format!(
            "the {name} that {who} began at {began} is unfinished: {stage}{split}.\n`bgecs resume` finishes or undoes it."
        )
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ColorStatus {
    /// By its name in AWS.
    pub(super) service: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) task_definition: String,
    /// What something else did to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task_definition_lost: Option<Loss>,
    pub(super) desired: i32,
    pub(super) running: i32,
    pub(super) healthy: usize,
    pub(super) registered: usize,
    /// What it costs, where no user is on it.
    pub(super) warm: Option<WarmCost>,
    pub(super) deployed_at: Option<String>,
    pub(super) deployed_by: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) rollout: Option<Rollout>,
    /// The service is on its way out.
    pub(super) draining: bool,
    /// Why the last deploy onto it failed, where that shows.
    pub(super) setback: Option<String>,
    /// Where something scales it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scaling: Option<ScalableTarget>,
}

impl ColorStatus {
    /// None where the colour has no service.
    pub(super) fn of(name: &str, state: &ColorState, warm: Option<WarmCost>) -> Option<Self> {
        let service = state.service.as_ref()?;
        let release = state.release.as_ref();
        Some(Self {
            service: name.to_owned(),
            tag: state.tag().map(ToString::to_string),
            digest: release
                .and_then(|release| release.digest.as_ref())
                .map(ToString::to_string),
            task_definition: service.task_definition.to_string(),
            task_definition_lost: Loss::of(state),
            desired: service.desired,
            running: service.running,
            healthy: state.targets.healthy(),
            registered: state.targets.registered(),
            warm,
            deployed_at: release.and_then(|release| release.deployed_at.clone()),
            deployed_by: release.and_then(|release| release.deployed_by.clone()),
            commit: release.and_then(|release| release.commit.clone()),
            rollout: service.primary().and_then(|deployment| deployment.rollout),
            draining: service.is_draining,
            setback: None,
            scaling: None,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Loss {
    Deregistered,
    Deleted,
}

impl Loss {
    pub(super) fn of(state: &ColorState) -> Option<Self> {
        match &state.release {
            None => Some(Self::Deleted),
            Some(release) => release.is_deregistered.then_some(Self::Deregistered),
        }
    }

    pub(super) fn sentence(self, color: Color) -> String {
        let what = match self {
            Self::Deregistered => "deregistered",
            Self::Deleted => "deleted",
        };
        format!(
            "something else {what} this revision: `bgecs deploy CONTEXT --tag TAG --color {color}` registers another"
        )
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Listener {
    /// None where nothing moves it.
    pub(super) arn: Option<String>,
    /// By which a request names its colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rules: Option<PerColor<String>>,
    /// By which users come in, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ways: Vec<ListedWay>,
    pub(super) forwards: Vec<ForwardShare>,
    /// What takes its requests instead, or besides, that is not the app's.
    pub(super) foreign: Option<String>,
    #[serde(skip)]
    pub(super) endpoint: Endpoint,
    #[serde(skip)]
    pub(super) split: Option<Split>,
    #[serde(skip)]
    pub(super) text: String,
}

impl Listener {
    /// In percent, where it shares its requests between both.
    pub(super) fn share_of(&self, color: Color) -> Option<f64> {
        let split = self.split.filter(Split::is_shared)?;
        Some(f64::from(split.share(color)) / 100.0)
    }
}

/// One of several ways in.
#[derive(Debug, Serialize)]
pub(super) struct ListedWay {
    /// What users type there.
    pub(super) url: String,
    pub(super) arn: String,
}

impl ListedWay {
    pub(super) fn all(infra: &EcsInfrastructure, route: Route) -> Vec<Self> {
        let all = infra.moved(route);
        let is_one = all.len() < 2;
        let all = all.into_iter().filter(|_| !is_one);
        all.map(|(url, place)| Self {
            url,
            arn: place.to_string(),
        })
        .collect()
    }
}

/// A colour's share of a listener's requests.
#[derive(Debug, Serialize)]
pub(super) struct ForwardShare {
    pub(super) color: Color,
    /// To those of the others.
    pub(super) weight: u32,
}

impl ForwardShare {
    pub(super) fn all(found: &Found) -> Vec<Self> {
        let weights = found.split().map(|split| split.weights());
        let weight = |color| weights.map_or(0, |weights| *weights.get(color));
        let all = Color::BOTH.map(|color| Self {
            color,
            weight: weight(color),
        });
        all.into_iter().filter(|to| to.weight > 0).collect()
    }
}

#[derive(Debug, Serialize)]
pub(super) struct OtherWay {
    /// The rule's, or the listener's.
    pub(super) arn: String,
    pub(super) listener: String,
    pub(super) rule: Option<String>,
    pub(super) forwards: Vec<ForwardShare>,
    #[serde(skip)]
    pub(super) text: String,
}

impl OtherWay {
    pub(super) fn of(way: &WayIn) -> Self {
        Self {
            arn: way.arn.clone(),
            listener: way.listener.clone(),
            rule: way.rule.clone(),
            forwards: ForwardShare::all(&way.found),
            text: format!("{way}  -> {}", way.found),
        }
    }
}
