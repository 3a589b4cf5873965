//! What promote and rollback share: preflight, the swap under the probe, and
//! the report of what users saw.

mod narrator;
mod result;

use std::time::Duration;

use tokio::time::Instant;

use super::plan::Plan;
use crate::cli::{DryRun, Watch};
use crate::driver::live::LiveWorld;
use crate::driver::swap::{self, Finished};
use crate::driver::{await_serving, make_live};
use crate::engine::plan::{Step, SwapPlan};
use crate::engine::preflight::{self, Check, TEST_ANSWERS};
use crate::engine::seen::{Identities, Identity};
use crate::engine::swap::{Policy, Swap};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Answer, Color, Connection, Observed, PerPort, Port};
use crate::probe::{Probe, Schedule};
use crate::report::{self, Event};
use crate::session::Session;
use narrator::Narrator;
use result::{Done, Swapped};

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

/// Carries out what was planned, and says how it ended.
///
/// # Errors
/// A failed check (exit 6); AWS's own before anything changed.
pub async fn run(
    session: &Session,
    kind: Kind,
    observed: Observed,
    plan: SwapPlan,
    watch: &Watch,
    dry_run: DryRun,
) -> Result<Exit> {
    let schedule = Schedule {
        rate: watch
            .rate
            .unwrap_or_else(|| f64::from(session.config.probe.rate.get())),
    };
    let window = watch.window.unwrap_or(session.config.probe.window);
    if dry_run.dry_run {
        let steps = steps(plan, schedule, window, !watch.no_rollback);
        session.report.result(&Plan::of(kind.name(), steps));
        return Ok(Exit::Done);
    }
    // From here on an interrupt is an event, and no longer the end.
    let mut interrupts = Interrupts::listen()?;
    match plan {
        SwapPlan::NothingToDo { live } => {
            session.report.result(&Done::already(kind, &observed, live));
            Ok(Exit::Done)
        }
        SwapPlan::MakeLive { color } => {
            make_live::make_live(session, &observed, color).await?;
            let now = session.observe().await?;
            session.report.result(&Done::made_live(kind, &now, color));
            Ok(Exit::Done)
        }
        SwapPlan::Swap {
            from,
            to,
            match_count,
        } => {
            let observed = match match_count {
                None => observed,
                Some(count) => {
                    let doing = format!("{to} is scaled to {count} task(s)");
                    let scaled = match_capacity(session, &observed, to, count);
                    interrupts
                        .or_stop(&doing, "ECS goes on; traffic is unchanged", scaled)
                        .await?
                }
            };
            let policy = Policy {
                baseline: BASELINE.max(schedule.pace() * 3),
                window,
                pace: schedule.pace(),
                needs_clean_baseline: kind == Kind::Promote,
                takes_back: !watch.no_rollback,
            };
            let found = PerPort {
                prod: observed.forwarding(Port::Prod).only(),
                test: observed.forwarding(Port::Test).only(),
            };
            let attempt = Attempt {
                session,
                kind,
                observed,
                schedule,
                swap: Swap::new(from, to, found, policy),
            };
            attempt.run(&mut interrupts).await
        }
    }
}

/// A colour that takes over must be as large as the one it replaces.
async fn match_capacity(
    session: &Session,
    observed: &Observed,
    color: Color,
    count: i32,
) -> Result<Observed> {
    session
        .report
        .tell(&Event::Doing(format!("scaling {color} to {count} task(s)")));
    await_serving::scale(session, observed, color, count, SCALE_TIMEOUT).await?;
    session.report.tell(&Event::Done(format!(
        "{color} has {count} task(s), as many as the live colour"
    )));
    session.observe().await
}

/// One swap, from its checks to its report.
struct Attempt<'a> {
    session: &'a Session,
    kind: Kind,
    observed: Observed,
    schedule: Schedule,
    swap: Swap,
}

impl Attempt<'_> {
    async fn run(self, interrupts: &mut Interrupts) -> Result<Exit> {
        let (from, to) = (self.swap.from, self.swap.to);
        let answers = interrupts
            .or_stop("checking", "nothing was changed", async {
                Ok(self.ask_test_port(to).await)
            })
            .await?;
        let checks = preflight::checks(&self.observed, from, to, &answers);
        for check in &checks {
            self.session.report.tell(&Event::Check(check));
        }
        if checks.iter().any(|check| !check.ok) {
            return self.refuse(checks);
        }
        let identities = self.identities(from, to).await;
        let mut finished = self.swap_under_probe(identities, interrupts).await;
        // The last word is what the load balancer says, not what was meant.
        let now = self.session.observe().await;
        if let Ok(now) = &now {
            finished.swap.look_again(now.live());
        }
        let traffic = now.as_ref().map_or_else(
            |_| "port 80 -> unknown: the listeners cannot be read".to_owned(),
            Observed::traffic,
        );
        let swapped = Swapped::new(
            self.kind,
            &self.observed,
            &finished,
            checks,
            self.schedule.rate,
            traffic,
        );
        self.session.report.result(&swapped);
        Ok(swapped.error().map_or(Exit::Done, |error| {
            report::complain(&error);
            error.exit
        }))
    }

    fn refuse(&self, checks: Vec<Check>) -> Result<Exit> {
        let to = self.swap.to;
        let failed = checks.iter().filter(|check| !check.ok);
        let reasons: Vec<String> = failed
            .map(|check| format!("{}: {}", check.name, check.detail))
            .collect();
        let error = Error::refused(format!(
            "{to} is not ready to go live: {}",
            reasons.join("; ")
        ))
        .untouched(&self.observed)
        .hint(format!("see `bgecs status` and `bgecs logs {to}`"));
        if !self.session.report.wants_json() {
            return Err(error);
        }
        let refused = Swapped::refused(self.kind, &self.observed, &self.swap, checks);
        self.session.report.result(&refused);
        report::complain(&error);
        Ok(error.exit)
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
            infrastructure: infra,
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
