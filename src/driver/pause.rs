//! Watches a shift that waits for a person. The lease is free, so that anybody may
//! continue the shift; this only looks, and says what it saw.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::attempt::{SwapKind, identities};
use super::live::objection;
use super::shift::{ALARM_PAUSE, TARGETS_PAUSE, answerer};
use super::watching::Watching;
use super::{hosted, reach};
use crate::aws::Router;
use crate::engine::analysis::{Heard, Stretch};
use crate::engine::fitness::{Fitness, unreadable};
use crate::engine::preflight::Thoroughness;
use crate::engine::seen::Releases;
use crate::error::Result;
use crate::interrupt::Interrupts;
use crate::model::journal::{Operation, OperationId};
use crate::model::{Color, Infrastructure, Observed, Sample, Strategy, Targets};
use crate::session::Session;

/// Before each look whether it still waits.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// How the watching ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseEnd {
    /// Somebody continued it, or took it back.
    Over,
    /// It still waits, but the time to watch it is over or the person left.
    Waiting,
    /// The new release is not as it should be.
    Complaint(String),
}

/// Watches production while that operation waits: with the probe, or by target health and
/// alarms alone.
///
/// # Errors
/// A journal that cannot be read; a path that cannot be requested (exit 2).
pub async fn watch(
    session: &Session,
    observed: &Observed,
    operation: &Operation,
    strategy: &Strategy,
    watching: &Watching,
    time: Duration,
) -> Result<PauseEnd> {
    if watching.is_blind {
        return watch_blind(session, observed, operation, strategy, time).await;
    }
    let (infra, asking) = (&observed.infrastructure, &watching.asking);
    let colors = (strategy.from, strategy.to);
    let who = identities(session, asking, observed, colors, asking.timeout).await?;
    let addresses = reach::to_ask(session, infra, &asking.path, asking.timeout).await?;
    let mut interrupts = Interrupts::listen()?;
    let began = Instant::now();
    let mut probe = asking.probe(&addresses, began).await?;
    let split = share_of_new(observed, strategy);
    // Judged by the limits of a single step.
    let step = asking.asked().window;
    let ways = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    let due = asking.schedule.due_within(step) * u64::from(ways);
    let expected = due * u64::from(split) / 10_000;
    let limits = asking
        .tolerated(Duration::ZERO, SwapKind::Promote, ways)
        .after;
    let mut onlooker = Onlooker {
        releases: Releases::Two(who),
        stretch: Stretch::new(limits, expected, split),
        shares_requests: session.aws.router(infra).shares_requests(),
    };
    let is_over = ended(session, infra, &operation.id);
    let rings = rings(session);
    tokio::pin!(is_over, rings);
    let end = loop {
        tokio::select! {
            biased;
            _ = interrupts.next() => break PauseEnd::Waiting,
            sample = probe.next() => match sample {
                Some(sample) => if let Some(why) = onlooker.hear(&sample) {
                    break PauseEnd::Complaint(why);
                },
                None => break PauseEnd::Waiting,
            },
            why = &mut rings => break PauseEnd::Complaint(why),
            over = &mut is_over => break over.map(|()| PauseEnd::Over)?,
            () = sleep_until(began + time) => break PauseEnd::Waiting,
        }
    };
    probe.stop();
    session.report.warn(probe.warnings());
    Ok(end)
}

async fn watch_blind(
    session: &Session,
    observed: &Observed,
    operation: &Operation,
    strategy: &Strategy,
    time: Duration,
) -> Result<PauseEnd> {
    let infra = &observed.infrastructure;
    let fitness = Fitness {
        thoroughness: Thoroughness::Blind,
        live: observed.color(strategy.from).running(),
    };
    let share = share_of_new(observed, strategy);
    let mut interrupts = Interrupts::listen()?;
    let sickens = sickens(session, infra, strategy.to, |targets| {
        fitness.objection(strategy.to, targets, share)
    });
    tokio::select! {
        biased;
        _ = interrupts.next() => Ok(PauseEnd::Waiting),
        why = sickens => Ok(PauseEnd::Complaint(why)),
        why = rings(session) => Ok(PauseEnd::Complaint(why)),
        over = ended(session, infra, &operation.id) => over.map(|()| PauseEnd::Over),
        () = sleep(time) => Ok(PauseEnd::Waiting),
    }
}

/// Returns once the targets are not as they should be, or cannot be read for a while.
async fn sickens(
    session: &Session,
    infra: &Infrastructure,
    color: Color,
    objection: impl Fn(&Targets) -> Option<String>,
) -> String {
    let patience = session.aws.router(infra).patience().unreadable;
    let mut unread_since = None;
    loop {
        sleep(TARGETS_PAUSE).await;
        let read = match infra {
            Infrastructure::Ecs(ecs) => session
                .aws
                .color_health(ecs, color)
                .await
                .map_err(|error| error.to_string()),
            Infrastructure::Edge(_) => hosted::health(session, infra, color)
                .await
                .map_err(|error| error.message),
        };
        match read {
            Ok(targets) => {
                if let Some(why) = objection(&targets) {
                    return why;
                }
                unread_since = None;
            }
            Err(error) => {
                let since = *unread_since.get_or_insert_with(Instant::now);
                if since.elapsed() > patience {
                    return unreadable(color, &error);
                }
            }
        }
    }
}

/// The new release's share, in basis points.
fn share_of_new(observed: &Observed, strategy: &Strategy) -> u16 {
    let split = observed.traffic.production.split();
    split.map_or(0, |split| split.share(strategy.to))
}

struct Onlooker {
    releases: Releases,
    stretch: Stretch,
    /// Whether the router distributes single requests.
    shares_requests: bool,
}

impl Onlooker {
    fn hear(&mut self, sample: &Sample) -> Option<String> {
        self.stretch.add(Heard {
            who: answerer(self.releases.who(&sample.answer)),
            is_good: sample.is_good(),
            latency: sample.latency,
            counts_for_share: self.shares_requests,
        });
        self.stretch.so_far().map(|complaint| complaint.to_string())
    }
}

/// Returns once an alarm objects. If alarms cannot be read, they are read again.
async fn rings(session: &Session) -> String {
    loop {
        sleep(ALARM_PAUSE).await;
        match objection(&session.aws, &session.config.shift).await {
            Ok(Some(why)) => return why,
            Ok(None) => {}
            Err(why) => tracing::debug!(why, "the alarms cannot be read during a pause"),
        }
    }
}

/// Returns once that operation no longer waits.
async fn ended(session: &Session, infra: &Infrastructure, id: &OperationId) -> Result<()> {
    loop {
        sleep(LOOK_PAUSE).await;
        let head = session.aws.read_head(infra.journal_table()).await?;
        let operation = head.operation.filter(|operation| operation.id == *id);
        let waits = operation.is_some_and(|operation| operation.pause().is_some());
        if !waits || head.lease.is_some() {
            return Ok(());
        }
    }
}
