//! What promote and rollback share: preflight, the swap under the probe, and
//! the report of what users saw.

mod attempt;
mod evidence;
mod narrator;
mod result;

use std::time::Duration;

use tokio::time::timeout;

use super::asking::{self, Asking};
use super::plan::Plan;
use super::turn::Work;
use crate::cli::Watch;
use crate::counted::counted;
use crate::driver::turn::Turn;
use crate::driver::{await_serving, make_live};
use crate::engine::plan::{self, Step, SwapPlan};
use crate::error::{Exit, Result};
use crate::model::journal::{Asked, Operation};
use crate::model::{Color, Observed, Route};
use crate::report::Event;
use crate::session::Session;
pub use attempt::Attempt;
use result::Done;
pub use result::Swapped;

/// How long production must answer well before anything changes, at least.
const BASELINE: Duration = Duration::from_secs(1);
/// How long asking for tasks may hold up a way back that does not wait for them.
const ASKING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long added tasks may take to become healthy.
const SCALE_TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Promote,
    Rollback,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Rollback => "rollback",
        }
    }
}

/// Says what would be done.
pub fn dry_run(
    session: &Session,
    kind: Kind,
    observed: &Observed,
    plan: SwapPlan,
    watching: &Watching,
) {
    warn_of_other_ways(session, observed, plan);
    let steps = steps(plan, watching);
    session.report.result(&Plan::of(kind.name(), steps));
}

/// How production is watched while listeners change: the flags, and where they
/// say nothing the file.
#[derive(Debug, Clone)]
pub struct Watching {
    pub asking: Asking,
    pub window: Duration,
    pub takes_back: bool,
    /// Whether the new release is the cure of a production that fails: it is
    /// judged as a way back is.
    pub fixes_forward: bool,
    /// Whether added tasks are not waited for.
    pub is_hurried: bool,
}

impl Watching {
    pub fn new(session: &Session, watch: &Watch) -> Self {
        Self::on(watch, asking::base(None, &session.config.probe))
    }

    /// As an operation was asked that another began.
    pub fn of_operation(session: &Session, watch: &Watch, operation: &Operation) -> Self {
        Self::on(watch, asking::base(Some(operation), &session.config.probe))
    }

    fn on(watch: &Watch, base: Asked) -> Self {
        let (window, no_rollback) = (base.window, base.no_rollback);
        Self {
            asking: Asking::on(&watch.asking, base),
            window: watch.window.unwrap_or(window),
            takes_back: !watch.no_rollback && !no_rollback,
            fixes_forward: false,
            is_hurried: false,
        }
    }

    /// Tells the journal, for whoever goes on with the operation.
    fn remember(&self, turn: &Turn) {
        let asked = Asked {
            window: self.window,
            no_rollback: !self.takes_back,
            ..self.asking.asked().clone()
        };
        turn.describe(|operation| operation.asked = Some(asked));
    }

    /// As a plan shows it.
    pub fn step(&self) -> Step {
        Step::Probe {
            rate: self.asking.schedule.rate,
            seconds: self.window.as_secs_f64(),
            takes_back: self.takes_back,
        }
    }
}

/// Carries out what was planned, and says how it ended.
///
/// # Errors
/// A failed check (exit 6); AWS's own before anything changed.
pub async fn run(
    mut work: Work<'_>,
    kind: Kind,
    observed: Observed,
    plan: SwapPlan,
    watching: Watching,
) -> Result<Exit> {
    let session = work.session;
    watching.asking.check_report()?;
    warn_of_other_ways(session, &observed, plan);
    match plan {
        SwapPlan::NothingToDo { live, why } => {
            watching.asking.skip_report(&session.report);
            session
                .report
                .result(&Done::nothing(kind, &observed, live, why));
            Ok(Exit::Done)
        }
        SwapPlan::MakeLive { color } => {
            watching.asking.skip_report(&session.report);
            describe(work.turn, &observed, None, color);
            make_live::make_live(session, work.turn, &observed, color).await?;
            let now = work.observe().await?;
            work.turn.saw(&now);
            session.report.result(&Done::made_live(kind, &now, color));
            Ok(Exit::Done)
        }
        SwapPlan::Swap {
            from,
            to,
            match_count,
        } => {
            describe(work.turn, &observed, Some(from), to);
            watching.remember(work.turn);
            let observed = match match_count {
                None => observed,
                Some(count) if watching.is_hurried => {
                    ask_for_capacity(&work, &observed, to, count).await;
                    observed
                }
                Some(count) => match_capacity(&mut work, &observed, to, count).await?,
            };
            let swapped = Attempt::new(session, kind, observed, (from, to), watching)
                .run(&mut work)
                .await?;
            swapped.conclude(work.turn);
            tell(session, &swapped)
        }
    }
}

/// Users who come in by another way do not go along.
fn warn_of_other_ways(session: &Session, observed: &Observed, plan: SwapPlan) {
    let (SwapPlan::NothingToDo { live: to, .. }
    | SwapPlan::MakeLive { color: to }
    | SwapPlan::Swap { to, .. }) = plan;
    for sentence in plan::staying_behind(observed, to) {
        session.report.tell(&Event::Warning(sentence));
    }
}

/// Fills in what the journal will say of it.
fn describe(turn: &Turn, observed: &Observed, from: Option<Color>, to: Color) {
    turn.describe(|operation| {
        operation.from = from.and_then(|from| observed.deployed(from));
        operation.color = Some(to);
        if let Some(release) = observed.deployed(to) {
            operation.tag = release.tag;
            operation.digest = release.digest;
            operation.task_definition = release.revision;
        }
    });
}

fn tell(session: &Session, swapped: &Swapped) -> Result<Exit> {
    let Some(error) = swapped.error() else {
        session.report.result(swapped);
        return Ok(Exit::Done);
    };
    if swapped.is_not_ready() && !session.report.wants_json() {
        return Err(error);
    }
    session.report.result(swapped);
    session.report.complain(&error);
    Ok(error.exit)
}

/// Users need the old release now: as many tasks as the live one has come later.
async fn ask_for_capacity(work: &Work<'_>, observed: &Observed, color: Color, count: i32) {
    let session = work.session;
    let running = observed.color(color).running();
    let asking = await_serving::ask_for(session, work.turn, observed, color, count);
    let told = match timeout(ASKING_TIMEOUT, asking).await {
        Ok(Ok(())) => "they are asked for, and not waited for".to_owned(),
        Ok(Err(error)) => format!("more cannot be asked for: {}", error.message),
        Err(_) => "whether more were asked for is not known".to_owned(),
    };
    session.report.tell(&Event::Warning(format!(
        "{color} runs {running} of {}: {told}",
        counted(count, "task")
    )));
}

/// A colour that takes over must be as large as the one it replaces.
async fn match_capacity(
    work: &mut Work<'_>,
    observed: &Observed,
    color: Color,
    count: i32,
) -> Result<Observed> {
    let session = work.session;
    session.report.tell(&Event::Doing(format!(
        "scaling {color} to {}",
        counted(count, "task")
    )));
    let scaled = await_serving::scale(session, work.turn, observed, color, count, SCALE_TIMEOUT);
    work.interrupts
        .or_stop(
            &format!("{color} is scaled to {}", counted(count, "task")),
            "ECS will finish what it has started; traffic is unchanged",
            scaled,
        )
        .await?;
    session.report.tell(&Event::Done(format!(
        "{color} has {}, as many as the live colour",
        counted(count, "task")
    )));
    work.observe().await
}

fn steps(plan: SwapPlan, watching: &Watching) -> Vec<Step> {
    let swap = |color: Color| {
        [
            Step::Point {
                route: Route::Production,
                color,
            },
            Step::Point {
                route: Route::Test,
                color: color.other(),
            },
        ]
    };
    match plan {
        SwapPlan::NothingToDo { .. } => Vec::new(),
        SwapPlan::MakeLive { color } => swap(color).to_vec(),
        SwapPlan::Swap {
            to, match_count, ..
        } => {
            let mut steps = Vec::new();
            steps.extend(match_count.map(|desired| Step::MatchCount { color: to, desired }));
            steps.push(Step::Check);
            steps.push(Step::Baseline {
                seconds: BASELINE.as_secs_f64(),
            });
            steps.extend(swap(to));
            steps.push(watching.step());
            steps
        }
    }
}
