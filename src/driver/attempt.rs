//! One swap, from its checks to its result.

mod checks;
mod evidence;
mod identities;
mod narrator;
mod rest;
mod swapped;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::hook::tell_of_going_back;
use super::live::LiveWorld;
use super::reach;
use super::shift::{self, Finished, Nobody, Notice, Samples};
use super::turn::Turn;
use super::watching::Watching;
use super::work::Work;
use crate::aws::Router;
use crate::engine::evidence::{Landmark, judged_blind};
use crate::engine::fitness::Fitness;
use crate::engine::preflight::Thoroughness;
use crate::engine::seen::{Identities, Releases};
use crate::engine::shift::{Before, JudgedBy, Outcome, Policy, Shift};
use crate::error::Result;
use crate::model::journal::{Command, Left, Previous};
use crate::model::{Color, Condition, Hook, Observed, Route, Strategy};
use crate::probe::Address;
use crate::report::ReportEvent;
use crate::session::Session;
use evidence::KnownBefore;
pub use identities::identities;
use narrator::Narrator;
pub use swapped::{SwapTimes, Swapped, reason};

/// How long production must answer well before anything changes, at least.
pub const BASELINE: Duration = Duration::from_secs(1);

/// How long a colour may take to identify itself while users may be failing.
const SHORT: Duration = Duration::from_millis(500);
/// The condition under which a report marks a shift that was taken back.
const AFTER_ROLLBACK: Condition = Condition::Hook {
    hook: Hook::AfterRollback,
    stage: None,
};
/// How often a listener is read again when it does not show what the swap reports, and
/// the pause between: AWS's reads can be stale.
const LAST_LOOKS: usize = 3;
const LOOK_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapKind {
    Promote,
    Rollback,
}

impl SwapKind {
    pub fn command(self) -> Command {
        match self {
            Self::Promote => Command::Promote,
            Self::Rollback => Command::Rollback,
        }
    }
}

/// One swap, from its checks to its report.
pub struct Attempt<'a> {
    session: &'a Session,
    kind: SwapKind,
    observed: Observed,
    watching: Watching,
    strategy: Strategy,
    from: Color,
    to: Color,
    /// Whether it continues what an earlier run began.
    is_under_way: bool,
    /// Where production was when the operation began.
    origin: Option<Color>,
    needs_clean_baseline: bool,
}

impl<'a> Attempt<'a> {
    pub fn new(
        session: &'a Session,
        kind: SwapKind,
        observed: Observed,
        strategy: Strategy,
        watching: Watching,
    ) -> Self {
        Self {
            session,
            kind,
            from: strategy.from,
            to: strategy.to,
            strategy,
            is_under_way: false,
            origin: observed.live_color(),
            needs_clean_baseline: kind == SwapKind::Promote && !watching.fixes_forward,
            watching,
            observed,
        }
    }

    /// Continues an operation that began when production was at `origin`.
    #[must_use]
    pub fn begun_at(self, origin: Option<Color>) -> Self {
        Self {
            origin,
            is_under_way: true,
            ..self
        }
    }

    fn router(&self) -> impl Router {
        let infra = &self.observed.infrastructure;
        self.session.aws.router(infra)
    }

    /// For a probe of `ways` addresses.
    fn shift(&self, ways: u32) -> Shift {
        let pace = self.watching.asking.schedule.pace();
        let baseline = BASELINE.max(pace * 3);
        let policy = Policy {
            judged_by: self.judged_by(baseline),
            pace: pace / ways,
            timeout: self.watching.asking.timeout,
            needs_clean_baseline: self.needs_clean_baseline,
            takes_back: self.watching.takes_back(),
            tolerates: self.watching.asking.tolerated(baseline, self.kind, ways),
            patience: self.router().patience(),
            shares_requests: self.router().shares_requests(),
            endpoints: self.observed.endpoints().clone(),
        };
        let before = Before {
            found: self.observed.traffic.clone(),
            origin: self.origin,
            was_healthy: self.observed.color(self.from).targets.healthy() > 0,
        };
        Shift::new(self.strategy.clone(), before, policy)
    }

    fn judged_by(&self, baseline: Duration) -> JudgedBy {
        if !self.watching.is_blind {
            return JudgedBy::Probe { baseline };
        }
        JudgedBy::Targets(Fitness {
            thoroughness: match self.kind {
                SwapKind::Promote => Thoroughness::Blind,
                SwapKind::Rollback => Thoroughness::WayBack,
            },
            live: self.observed.color(self.from).running(),
        })
    }

    /// What decides the swap, in words, if production is not probed.
    fn blindly(&self) -> Option<&'static str> {
        let shift = &self.session.config.shift;
        let heeds_alarms = self.watching.heeds_alarms(self.kind, shift);
        self.watching.is_blind.then(|| judged_blind(heeds_alarms))
    }

    /// Checks, swaps and watches; the result is returned, not yet told.
    ///
    /// # Errors
    /// An interrupt before the swap (exit 130); a path that cannot be requested (exit 2).
    pub async fn run(self, work: &mut Work<'_>) -> Result<Swapped> {
        let infra = &self.observed.infrastructure;
        let path = &self.watching.asking.path;
        let url = match self.watching.is_blind {
            true => self.session.bare_address(infra, Route::Production, path)?,
            false => self.session.address(infra, Route::Production, path).await?,
        };
        let checks = self.check(work.interrupts).await?;
        let evidence = KnownBefore {
            app: self.session.app(),
            url: &url,
            before: &self.observed,
            operation: work.turn.operation(),
        };
        if checks.iter().any(|check| !check.ok) {
            let shift = self.shift(1);
            let swapped = Swapped::not_ready(self.kind, &self.observed, &shift, checks)
                .judged(self.blindly());
            let told = |swapped: &Swapped| evidence.of(swapped, &shift, None);
            return Ok(self.reported(work, swapped, Instant::now(), told));
        }
        let asked = self.to_ask().await?;
        let ways = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        let shift = self.shift(ways.max(1));
        let mut finished = match self.watching.is_blind {
            true => self.shift_blind(shift, work).await,
            false => self.shift_under_probe(shift, &asked, work).await?,
        };
        self.name_who_overstays(&finished);
        self.see_to_the_rest(work.turn, &finished.shift).await;
        // What counts in the end is what the load balancer says, not what was intended.
        let now = self.look_again(&mut finished.shift).await;
        if let Some(now) = &now {
            work.turn.saw(now);
            if finished.shift.was_taken_back()
                && let Some(release) = now.deployed(self.to)
            {
                let left = Left::TakenBack;
                work.turn.came_off(Previous { release, left }, now);
            }
        }
        let traffic = now.as_ref().map_or_else(
            || {
                let unknown = "unknown: the routes cannot be read";
                self.observed.users_on(unknown)
            },
            Observed::traffic_line,
        );
        if self.has_gone_back(work.turn, &finished.shift) {
            let told = self.tell_of_going_back(work.turn).await;
            let at = finished.origin.elapsed();
            let mark = |told| Landmark::met(at, AFTER_ROLLBACK, self.to, &told);
            finished.marks.extend(told.map(mark));
        }
        let swapped = Swapped::new(
            self.kind,
            &self.observed,
            &finished,
            checks,
            &self.watching.asking,
            traffic,
        )
        .judged(self.blindly());
        let told = |swapped: &Swapped| evidence.of(swapped, &finished.shift, Some(&finished));
        Ok(self.reported(work, swapped, finished.zero(), told))
    }

    /// Whether a promotion was taken back, by this run or by one that continued it.
    fn has_gone_back(&self, turn: &Turn, shift: &Shift) -> bool {
        let is_promotion = turn.operation().command == Command::Promote;
        is_promotion
            && match shift.outcome() {
                Some(Outcome::RolledBack(_)) => self.kind == SwapKind::Promote,
                Some(Outcome::Committed) => self.kind == SwapKind::Rollback,
                _ => false,
            }
    }

    /// Runs the `after-rollback` hook, which can no longer stop anything. None without
    /// such a hook.
    async fn tell_of_going_back(&self, turn: &Turn) -> Option<Result<(), String>> {
        let (operation, report) = (turn.operation(), self.watching.asking.report_file());
        let hooks = &self.session.config.hooks.actions;
        hooks.get(&Hook::AfterRollback)?;
        let ran = tell_of_going_back(self.session, &operation, report).await;
        Some(ran.map_err(|failure| {
            let warning = ReportEvent::Warning(failure.message.clone());
            self.session.report.tell(&warning);
            failure.message
        }))
    }

    /// The routes as they are now; everything else is as observed before. None if they
    /// cannot be read.
    async fn look_again(&self, shift: &mut Shift) -> Option<Observed> {
        let aws = self.session.aws.impatient();
        let router = aws.router(&self.observed.infrastructure);
        let mut looks = 0;
        loop {
            looks += 1;
            let now = self.observed.with_traffic(router.read().await.ok()?);
            let production = &now.traffic.production;
            if shift.is_borne_out(production) || looks == LAST_LOOKS {
                shift.look_again(production);
                return Some(now);
            }
            sleep(LOOK_PAUSE).await;
        }
    }

    /// The addresses to probe; the time to find them is limited, as users may be failing.
    async fn to_ask(&self) -> Result<Vec<Address>> {
        if self.watching.is_blind {
            return Ok(Vec::new());
        }
        let (infra, asking) = (&self.observed.infrastructure, &self.watching.asking);
        reach::to_ask(self.session, infra, &asking.path, self.patience()).await
    }

    /// The time for lookups is limited, as users may be failing.
    async fn identities(&self) -> Result<Identities> {
        let patience = self.patience();
        let (asking, observed) = (&self.watching.asking, &self.observed);
        identities(
            self.session,
            asking,
            observed,
            (self.from, self.to),
            patience,
        )
        .await
    }

    /// How long to wait for answers to the preparatory questions.
    fn patience(&self) -> Duration {
        let timeout = self.watching.asking.timeout;
        match self.kind {
            SwapKind::Promote => timeout,
            SwapKind::Rollback => timeout.min(SHORT),
        }
    }

    async fn shift_under_probe(
        &self,
        shift: Shift,
        addresses: &[Address],
        work: &mut Work<'_>,
    ) -> Result<Finished> {
        let identities = self.identities().await?;
        let session = self.session;
        let asking = &self.watching.asking;
        let origin = Instant::now();
        session.report.tell(&ReportEvent::Note(format!(
            "probing {} {} times a second{}",
            addresses
                .iter()
                .map(Address::way)
                .collect::<Vec<_>>()
                .join(" and "),
            asking.schedule.rate,
            if addresses.len() > 1 { " each" } else { "" }
        )));
        let mut probe = asking.probe(addresses, origin).await?;
        let releases = Releases::Two(identities);
        let finished = self.go(shift, releases, &mut probe, origin, work).await;
        session.report.warn(probe.warnings());
        Ok(finished)
    }

    async fn shift_blind(&self, shift: Shift, work: &mut Work<'_>) -> Finished {
        let report = &self.session.report;
        let unseen = "production is not probed (--blind): what neither target health nor an alarm shows goes unnoticed";
        let unseen = std::iter::once(unseen.to_owned());
        for warning in unseen.chain(self.watching.unjudged()) {
            report.tell(&ReportEvent::Warning(warning));
        }
        let (releases, mut nobody) = (Releases::default(), Nobody::default());
        let origin = Instant::now();
        self.go(shift, releases, &mut nobody, origin, work).await
    }

    async fn go(
        &self,
        shift: Shift,
        releases: Releases,
        samples: &mut impl Samples,
        origin: Instant,
        work: &mut Work<'_>,
    ) -> Finished {
        let session = self.session;
        let world = LiveWorld {
            session,
            aws: &session.aws.impatient(),
            to: self.to,
            observed: &self.observed,
            report: self.watching.asking.report_file(),
            order: self.watching.before_shift,
            turn: work.turn,
            seat: work.seat,
        };
        let mut narrator = Narrator::new(session, &shift);
        let finished = shift::run(
            &world,
            shift.clone(),
            releases,
            samples,
            work.interrupts,
            origin,
            &mut |notice| {
                if let (Some(seat), Notice::Phase { now }) = (work.seat, &notice) {
                    seat.hear(now);
                }
                narrator.take(&notice);
            },
        )
        .await;
        narrator.end();
        finished
    }
}
