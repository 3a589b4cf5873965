//! What promote and rollback share: preflight, the swap under the probe, and
//! the report of what users saw.

mod result;

use std::time::Duration;

use tokio::time::Instant;

use super::plan::Plan;
use crate::cli::{DryRun, Watch};
use crate::driver::live::LiveWorld;
use crate::driver::swap::{self, Finished, Notice};
use crate::driver::{await_serving, make_live};
use crate::engine::plan::{Step, SwapPlan};
use crate::engine::preflight::{self, Check, TEST_ANSWERS};
use crate::engine::seen::{Identities, Identity};
use crate::engine::swap::{Phase, Policy, Swap};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Answer, Color, Connection, Observed, Port};
use crate::probe::{Probe, Schedule};
use crate::report::{self, Event};
use crate::session::Session;
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
            let attempt = Attempt {
                session,
                kind,
                observed,
                schedule,
                swap: Swap::new(from, to, policy),
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
        .traffic(format!("{}, unchanged", self.observed.traffic()))
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
        let mut narrator = Narrator {
            session,
            swap: &self.swap,
            began: None,
            ends: None,
            last_body: None,
        };
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

/// Turns what happens during a swap into lines.
struct Narrator<'a> {
    session: &'a Session,
    swap: &'a Swap,
    /// When the first listener write left.
    began: Option<Duration>,
    /// When the window ends.
    ends: Option<Duration>,
    last_body: Option<(Option<u16>, String)>,
}

impl Narrator<'_> {
    fn take(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Phase { at, phase } => self.phase(*at, phase),
            Notice::Sample { sample, seen } => {
                let whole = self
                    .ends
                    .unwrap_or(self.swap.policy.baseline + self.swap.policy.window);
                self.session.report.tell(&Event::Probing {
                    sent: seen.sent(),
                    failed: seen.failed(),
                    share: sample.answered_at().as_secs_f64() / whole.as_secs_f64().max(0.001),
                });
                self.body(sample.answered_at(), &sample.answer);
            }
        }
    }

    fn phase(&mut self, at: Duration, phase: &Phase) {
        let report = &self.session.report;
        let (from, to) = (self.swap.from, self.swap.to);
        match phase {
            Phase::Baseline | Phase::Done(_) => {}
            Phase::Recording => {
                report.tell(&Event::Note("production answers well; swapping".to_owned()));
            }
            Phase::Forward(journey) if journey.port == Port::Prod => self.began = Some(at),
            Phase::Forward(_) => report.tell(&Event::Note(format!("port 80 -> {to}, read back"))),
            Phase::Watching { until } => {
                self.ends = Some(*until);
                report.tell(&Event::Note(format!(
                    "port 81 -> {from}, read back; watching for {} s",
                    self.swap.policy.window.as_secs_f64()
                )));
            }
            Phase::LookingBack { why, .. } => report.tell(&Event::Warning(format!(
                "{}: taking the swap back",
                result::reason(why)
            ))),
            Phase::Back { journey, .. } => report.tell(&Event::Note(format!(
                "pointing {} back at {}",
                journey.port, journey.color
            ))),
            Phase::Confirming { .. } => {
                report.tell(&Event::Note(format!("port 80 -> {from} again, read back")));
            }
        }
    }

    /// Shows the answer each time it changes, as one wants to see it happen.
    fn body(&mut self, at: Duration, answer: &Answer) {
        let Answer::Http { status, body, .. } = answer else {
            return;
        };
        let now = (Some(*status), body.clone());
        if self.last_body.as_ref() == Some(&now) {
            return;
        }
        let ms = |at: Duration| i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        let at_ms = self.began.map(|began| ms(at) - ms(began));
        self.session.report.tell(&Event::Body {
            at_ms,
            status: *status,
            body,
        });
        self.last_body = Some(now);
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
