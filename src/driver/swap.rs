//! The one loop of a swap: samples, ticks, interrupts and the results of
//! effects become events; the machine answers with the next effect.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture, FutureExt};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::World;
use crate::engine::seen::{Identities, Seen};
use crate::engine::swap::{Action, Event, Phase, Swap};
use crate::interrupt::Interrupts;
use crate::model::Sample;
use crate::probe::{Probe, Report};

/// How often the machine is told the time.
const TICK: Duration = Duration::from_millis(50);

/// What a person may want to see while it runs.
#[derive(Debug)]
pub enum Notice<'a> {
    Sample { sample: &'a Sample, seen: &'a Seen },
    Phase { at: Duration, phase: &'a Phase },
}

/// How it ended, and what the probe saw.
#[derive(Debug)]
pub struct Finished {
    pub swap: Swap,
    pub seen: Seen,
}

/// The probe's answers, or a script of them in tests.
pub trait Reports {
    async fn next(&mut self) -> Option<Report>;
    fn stop(&self);
}

impl Reports for Probe {
    async fn next(&mut self) -> Option<Report> {
        Self::next(self).await
    }

    fn stop(&self) {
        Self::stop(self);
    }
}

/// Runs a swap to its end. Times count from `origin`, as the reports' do.
pub async fn run(
    world: &impl World,
    mut swap: Swap,
    identities: Identities,
    reports: &mut impl Reports,
    interrupts: &mut Interrupts,
    origin: Instant,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Finished {
    let mut seen = Seen::new(identities);
    let mut pending = BTreeSet::new();
    let mut is_probing = true;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // At most one effect is under way; `terminated` means none.
    let effect = Fuse::terminated();
    tokio::pin!(effect);
    // Beside it, what is written while production is watched.
    let outcome = Fuse::terminated();
    tokio::pin!(outcome);
    while swap.outcome().is_none() {
        let event = tokio::select! {
            biased;
            () = interrupts.next() => Event::Interrupt,
            event = &mut effect, if !effect.is_terminated() => event,
            () = &mut outcome, if !outcome.is_terminated() => continue,
            report = reports.next(), if is_probing => match report {
                Some(report) => match take(report, &mut pending, &mut seen, notify) {
                    Some(event) => event,
                    None => continue,
                },
                None => {
                    is_probing = false;
                    Event::ProbeEnded
                }
            },
            _ = ticks.tick() => Event::Tick { oldest_pending: pending.first().copied() },
        };
        let before = phase_name(&swap.phase);
        let action = swap.step(origin.elapsed(), event);
        if phase_name(&swap.phase) != before {
            notify(Notice::Phase {
                at: origin.elapsed(),
                phase: &swap.phase,
            });
            if matches!(swap.phase, Phase::Watching { .. }) {
                outcome.set(world.note_done().fuse());
            }
        }
        if let Some(action) = action {
            effect.set(perform(world, action).fuse());
        }
    }
    // What is still under way was sent while users were served too.
    reports.stop();
    while let Some(report) = reports.next().await {
        let _ = take(report, &mut pending, &mut seen, notify);
    }
    Finished { swap, seen }
}

fn take(
    report: Report,
    pending: &mut BTreeSet<Duration>,
    seen: &mut Seen,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Option<Event> {
    match report {
        Report::Sent { scheduled_at, .. } => {
            pending.insert(scheduled_at);
            None
        }
        Report::Answered(sample) => {
            pending.remove(&sample.scheduled_at);
            seen.add(&sample);
            notify(Notice::Sample {
                sample: &sample,
                seen,
            });
            Some(Event::Answered {
                scheduled_at: sample.scheduled_at,
                ok: sample.answer.is_ok(),
            })
        }
    }
}

async fn perform(world: &impl World, action: Action) -> Event {
    match action {
        Action::Note(port, color) => Event::Noted(world.note(port, color).await),
        Action::Write(port, color) => match world.point_listener_at(port, color).await {
            Err(fault) if !fault.ambiguous && world.has_lost_the_lease() => {
                Event::LeaseLost(fault.message)
            }
            result => Event::Written(result),
        },
        Action::Read { port, after } => {
            sleep(after).await;
            Event::Read(world.read_listener(port).await)
        }
        Action::AskHealth { color, after } if after.is_zero() => {
            let asked = world.is_healthy(color);
            let (health, ()) = tokio::join!(asked, world.note_way_back(color));
            Event::Health(health)
        }
        Action::AskHealth { color, after } => {
            sleep(after).await;
            Event::Health(world.is_healthy(color).await)
        }
    }
}

/// Which phase, for noticing that it changed; a journey's steps are not phases.
fn phase_name(phase: &Phase) -> (u8, Option<crate::model::Port>) {
    match phase {
        Phase::Baseline => (0, None),
        Phase::Noting(port) => (1, Some(*port)),
        Phase::Forward(journey) => (2, Some(journey.port)),
        Phase::Watching { .. } => (3, None),
        Phase::LookingBack { .. } => (4, None),
        Phase::Back { journey, .. } => (5, Some(journey.port)),
        Phase::Confirming { .. } => (6, None),
        Phase::Done(_) => (7, None),
    }
}

#[cfg(test)]
mod tests;
