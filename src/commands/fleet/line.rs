//! One app of the list, as programs read it.

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::commands::status::parts::Unfinished;
use crate::commands::unlock::LeaseShown;
use crate::config::Prices;
use crate::driver::fleet::{FleetApp, SeenApp};
use crate::engine::fleet::Recent;
use crate::engine::plan::WarmCost;
use crate::error::{Error, Result};
use crate::model::journal::Drift;
use crate::model::{Color, Observed, PerColor, Route, SetName, Tag};

#[derive(Debug, Serialize)]
pub(super) struct FleetLine {
    pub(super) app: String,
    pub(super) region: String,
    /// None where it could not be read.
    #[serde(flatten)]
    pub(super) state: Option<FleetState>,
    pub(super) error: Option<FleetError>,
}

/// What an app is like.
#[derive(Debug, Serialize)]
pub(super) struct FleetState {
    pub(super) url: String,
    /// CloudFormation's word.
    pub(super) stack: String,
    /// What is the matter with the stack, in a sentence.
    pub(super) stack_trouble: Option<String>,
    pub(super) live: Option<Color>,
    pub(super) idle: Option<Color>,
    /// Since when all users are on it, as far as the journal reaches back.
    #[serde(with = "rfc3339::option")]
    pub(super) since: Option<OffsetDateTime>,
    /// Where users are, in words.
    pub(super) traffic: String,
    pub(super) colors: PerColor<Option<FleetColor>>,
    /// The set with which it was released last.
    pub(super) set: Option<SetName>,
    pub(super) lease: Option<LeaseShown>,
    pub(super) unfinished: Option<Unfinished>,
    pub(super) drift: Vec<Drift>,
    /// Who is running a command, in a sentence.
    #[serde(skip)]
    pub(super) at_work: Option<String>,
    #[serde(skip)]
    pub(super) now: OffsetDateTime,
}

#[derive(Debug, Serialize)]
pub(super) struct FleetColor {
    pub(super) tag: Option<Tag>,
    /// None of what bgecs does not run.
    pub(super) running: Option<i32>,
    pub(super) desired: Option<i32>,
    pub(super) retired: bool,
    /// What it costs, where it runs and no user is on it.
    pub(super) warm: Option<WarmCost>,
    /// It is, and nobody knows how large it is.
    pub(super) warm_unknown: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct FleetError {
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hint: Option<String>,
}

impl FleetError {
    pub(super) fn of(error: &Error) -> Self {
        Self {
            message: error.message.clone(),
            causes: error.causes.clone(),
            hint: error.hint.clone(),
        }
    }
}

impl FleetLine {
    pub(super) fn of(
        it: FleetApp,
        region: &str,
        prices: Option<&Prices>,
        now: OffsetDateTime,
    ) -> Self {
        let FleetApp { app, seen } = it;
        let (state, error) = split(seen.map(|seen| FleetState::of(&seen, prices, now)));
        Self {
            app: app.to_string(),
            region: region.to_owned(),
            state,
            error,
        }
    }

    pub(super) fn warm(&self) -> impl Iterator<Item = &WarmCost> {
        let colors = self.state.iter().map(|state| &state.colors);
        let colors = colors.flat_map(|colors| [&colors.blue, &colors.green]);
        colors.flatten().filter_map(|color| color.warm.as_ref())
    }
}

fn split(read: Result<FleetState>) -> (Option<FleetState>, Option<FleetError>) {
    match read {
        Ok(state) => (Some(state), None),
        Err(error) => (None, Some(FleetError::of(&error))),
    }
}

impl FleetState {
    fn of(seen: &SeenApp, prices: Option<&Prices>, now: OffsetDateTime) -> Self {
        let SeenApp {
            stack,
            observed,
            ended,
            held,
        } = seen;
        let recent = Recent {
            head: &observed.journal,
            ended,
        };
        let live = observed.live_color();
        let operation = observed.journal.operation.as_ref();
        let unfinished = |it| Unfinished::of(it, observed, held.is_some(), now);
        Self {
            url: observed.infrastructure.url(Route::Production),
            stack: stack.status_text.clone(),
            stack_trouble: stack.way_on().map(|_| stack.sentence()),
            live,
            idle: live.map(Color::other),
            since: recent.live_since(observed),
            traffic: observed.traffic_line(),
            colors: PerColor {
                blue: FleetColor::of(observed, Color::Blue, prices),
                green: FleetColor::of(observed, Color::Green, prices),
            },
            set: recent.set().cloned(),
            lease: held.as_ref().map(LeaseShown::of),
            unfinished: operation.map(unfinished),
            drift: observed.drift(),
            at_work: held.as_ref().map(|lease| lease.sentence(now)),
            now,
        }
    }
}

impl FleetColor {
    /// None where nothing is deployed.
    fn of(observed: &Observed, color: Color, prices: Option<&Prices>) -> Option<Self> {
        let state = observed.color(color);
        let service = state.service.as_ref();
        let warm = WarmCost::of_warm(observed, color);
        let is_warm = state.running() > 0 && !observed.found_at(Route::Production).reaches(color);
        state.is_there().then(|| Self {
            tag: state.tag().cloned(),
            running: service.map(|it| it.running),
            desired: service.map(|it| it.desired),
            retired: state.is_retired(),
            warm_unknown: is_warm && warm.is_none(),
            warm: warm.map(|cost| cost.priced(prices)),
        })
    }
}
