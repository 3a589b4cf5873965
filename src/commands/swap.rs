//! What promote and rollback share: preflight, the swap under the probe, and
//! the report of what users saw.

mod narrator;
mod result;

use std::time::Duration;

use tokio::time::Instant;

use super::plan::Plan;
use super::turn::Work;
use crate::cli::Watch;
use crate::driver::live::LiveWorld;
use crate::driver::swap::{self, Finished};
use crate::driver::turn::Turn;
use crate::driver::{await_serving, make_live};
use crate::engine::plan::{Step, SwapPlan};
use crate::engine::preflight::{self, TEST_ANSWERS};
use crate::engine::seen::{Identities, Identity};
use crate::engine::swap::{Policy, Swap};
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Answer, Color, Connection, Observed, Port};
use crate::probe::{Probe, Schedule};
use crate::report::Event;
use crate::session::Session;
use narrator::Narrator;
use result::Done;
pub use result::Swapped;

/// How long production must answer well before anything changes.
const BASELINE: Duration = Duration::from_secs(1);
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
pub fn dry_run(session: &Session, kind: Kind, plan: SwapPlan, watch: &Watch) {
    let steps = steps(
        plan,
        schedule(session, watch),
        window(session, watch),
        !watch.no_rollback,
    );
    session.report.result(&Plan::of(kind.name(), steps));
}

fn schedule(session: &Session, watch: &Watch) -> Schedule {
    let rate = watch.rate;
    Schedule {
        rate: rate.unwrap_or_else(|| f64::from(session.config.probe.rate.get())),
    }
}

fn window(session: &Session, watch: &Watch) -> Duration {
    watch.window.unwrap_or(session.config.probe.window)
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
    watch: &Watch,
) -> Result<Exit> {
    let session = work.session;
    match plan {
        SwapPlan::NothingToDo { live } => {
            session.report.result(&Done::already(kind, &observed, live));
            Ok(Exit::Done)
        }
        SwapPlan::MakeLive { color } => {
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
            let observed = match match_count {
                None => observed,
                Some(count) => match_capacity(&mut work, &observed, to, count).await?,
            };
            let swapped = Attempt::new(session, kind, observed, (from, to), watch)
                .run(&mut work)
                .await?;
            swapped.conclude(work.turn);
            tell(session, &swapped)
        }
    }
}

/// Fills in what the journal will say of it.
fn describe(turn: &Turn, observed: &Observed, from: Option<Color>, to: Color) {
    let release = observed.color(to).release.as_ref();
    turn.describe(|operation| {
        operation.from = from;
        operation.color = Some(to);
        operation.tag = release.and_then(|release| release.tag.clone());
        operation.digest = release.and_then(|release| release.digest.clone());
        operation.task_definition = observed
            .color(to)
            .service
            .as_ref()
            .map(|service| service.task_definition.clone());
    });
}

fn tell(session: &Session, swapped: &Swapped) -> Result<Exit> {
    let error = swapped.error();
    if let Some(error) = error {
        if swapped.is_not_ready() && !session.report.wants_json() {
            return Err(error);
        }
        session.report.result(swapped);
        session.report.complain(&error);
        return Ok(error.exit);
    }
    session.report.result(swapped);
    Ok(Exit::Done)
}

/// A colour that takes over must be as large as the one it replaces.
async fn match_capacity(
    work: &mut Work<'_>,
    observed: &Observed,
    color: Color,
    count: i32,
) -> Result<Observed> {
    let session = work.session;
    session
        .report
        .tell(&Event::Doing(format!("scaling {color} to {count} task(s)")));
    let scaled = await_serving::scale(session, work.turn, observed, color, count, SCALE_TIMEOUT);
    work.interrupts
        .or_stop(
            &format!("{color} is scaled to {count} task(s)"),
            "ECS goes on; traffic is unchanged",
            scaled,
        )
        .await?;
    session.report.tell(&Event::Done(format!(
        "{color} has {count} task(s), as many as the live colour"
    )));
    work.observe().await
}

/// One swap, from its checks to its report.
pub struct Attempt<'a> {
    session: &'a Session,
    kind: Kind,
    observed: Observed,
    schedule: Schedule,
    swap: Swap,
}

impl<'a> Attempt<'a> {
    pub fn new(
        session: &'a Session,
        kind: Kind,
        observed: Observed,
        (from, to): (Color, Color),
        watch: &Watch,
    ) -> Self {
        let schedule = schedule(session, watch);
        let policy = Policy {
            baseline: BASELINE.max(schedule.pace() * 3),
            window: window(session, watch),
            pace: schedule.pace(),
            needs_clean_baseline: kind == Kind::Promote,
            takes_back: !watch.no_rollback,
        };
        Self {
            session,
            kind,
            schedule,
            swap: Swap::new(from, to, observed.found(), policy),
            observed,
        }
    }

    /// Checks, swaps and watches; what came of it is not told yet.
    ///
    /// # Errors
    /// An interrupt ahead of the swap (exit 130).
    pub async fn run(self, work: &mut Work<'_>) -> Result<Swapped> {
        let (from, to) = (self.swap.from, self.swap.to);
        let answers = work
            .interrupts
            .or_stop("checking", "nothing was changed", async {
                Ok(self.ask_test_port(to).await)
            })
            .await?;
        let checks = preflight::checks(&self.observed, from, to, &answers);
        for check in &checks {
            self.session.report.tell(&Event::Check(check));
        }
        if checks.iter().any(|check| !check.ok) {
            return Ok(Swapped::not_ready(
                self.kind,
                &self.observed,
                &self.swap,
                checks,
            ));
        }
        let identities = self.identities(from, to).await;
        let mut finished = self
            .swap_under_probe(identities, work.turn, work.interrupts)
            .await;
        // The last word is what the load balancer says, not what was meant.
        let now = work.observe().await;
        if let Ok(now) = &now {
            finished.swap.look_again(now.live());
            work.turn.saw(now);
        }
        let traffic = now.as_ref().map_or_else(
            |_| "port 80 -> unknown: the listeners cannot be read".to_owned(),
            Observed::traffic,
        );
        Ok(Swapped::new(
            self.kind,
            &self.observed,
            &finished,
            checks,
            self.schedule.rate,
            traffic,
        ))
    }

    async fn ask_test_port(&self, color: Color) -> Vec<Answer> {
        let address = self
            .session
            .address(
                &self.observed.infrastructure,
                Port::Test,
                &self.session.config.container.health_path,
            )
            .asking_for(color);
        let mut answers = Vec::new();
        for _ in 0..TEST_ANSWERS {
            answers.push(self.session.http.ask(&address, Connection::Fresh).await);
        }
        answers
    }

    /// What each colour answers to the probe's own question, so that its
    /// answers can be told apart later.
    async fn identities(&self, from: Color, to: Color) -> Identities {
        let identity = async |color: Color| {
            let address = self
                .session
                .address(
                    &self.observed.infrastructure,
                    Port::Test,
                    &self.session.config.probe.path,
                )
                .asking_for(color);
            let body = match self.session.http.ask(&address, Connection::Fresh).await {
                Answer::Http { body, .. } => Some(body),
                Answer::Nothing { .. } => None,
            };
            Identity {
                tag: self.observed.color(color).tag().cloned(),
                body,
            }
        };
        let (old, new) = tokio::join!(identity(from), identity(to));
        Identities { old, new }
    }

    async fn swap_under_probe(
        &self,
        identities: Identities,
        turn: &Turn,
        interrupts: &mut Interrupts,
    ) -> Finished {
        let session = self.session;
        let infra = &self.observed.infrastructure;
        let address = session.address(infra, Port::Prod, &session.config.probe.path);
        let origin = Instant::now();
        session.report.tell(&Event::Note(format!(
            "probing {} {} times a second",
            address.shown(),
            self.schedule.rate
        )));
        let mut probe = Probe::start(session.http.clone(), address, self.schedule, origin);
        let world = LiveWorld {
            aws: &session.aws,
            observed: &self.observed,
            turn,
        };
        let mut narrator = Narrator::new(session, &self.swap);
        swap::run(
            &world,
            self.swap.clone(),
            identities,
            &mut probe,
            interrupts,
            origin,
            &mut |notice| narrator.take(&notice),
        )
        .await
    }
}

fn steps(plan: SwapPlan, schedule: Schedule, window: Duration, takes_back: bool) -> Vec<Step> {
    let swap = |color: Color| {
        [
            Step::Point {
                port: Port::Prod,
                color,
            },
            Step::Point {
                port: Port::Test,
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
            steps.push(Step::Probe {
                rate: schedule.rate,
                seconds: window.as_secs_f64(),
                takes_back,
            });
            steps
        }
    }
}
