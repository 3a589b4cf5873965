//! The one loop of a swap: samples, ticks, interrupts and the results of
//! effects become events; the machine answers with the next effect.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Fuse, FusedFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::World;
use crate::engine::seen::{Changed, Releases, Seen};
use crate::engine::swap::{Action, Event, Phase, Swap};
use crate::interrupt::Interrupts;
use crate::model::{Color, Route, Sample};
use crate::probe::Probe;

/// How often the machine is told the time.
const TICK: Duration = Duration::from_millis(50);

/// What a person may want to see while it runs.
#[derive(Debug)]
pub enum Notice<'a> {
    Sample {
        sample: &'a Sample,
        /// Which release answered, if that is known.
        release: Option<usize>,
        seen: &'a Seen,
        changed: Changed,
    },
    Phase {
        phase: &'a Phase,
    },
}

/// How it ended, and what the probe saw.
#[derive(Debug)]
pub struct Finished {
    pub swap: Swap,
    pub seen: Seen,
    /// How many requests were due and never left.
    pub unsent: u64,
}

/// The probe's answers, or a script of them in tests.
pub trait Samples {
    async fn next(&mut self) -> Option<Sample>;
    /// When the oldest request was due that is not answered, or not sent yet.
    fn oldest_pending(&self) -> Duration;
    fn stop(&self);
    /// How many requests were due, and had not left when it was stopped.
    fn unsent(&self) -> u64;
}

impl Samples for Probe {
    async fn next(&mut self) -> Option<Sample> {
        Self::next(self).await
    }

    fn oldest_pending(&self) -> Duration {
        Self::oldest_pending(self)
    }

    fn stop(&self) {
        Self::stop(self);
    }

    fn unsent(&self) -> u64 {
        Self::unsent(self)
    }
}

/// Runs a swap to its end. Times count from `origin`, as the samples' do.
pub async fn run(
    world: &impl World,
    mut swap: Swap,
    releases: Releases,
    samples: &mut impl Samples,
    interrupts: &mut Interrupts,
    origin: Instant,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Finished {
    let mut seen = Seen::new(releases);
    let mut is_probing = true;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // What is under way. A new action drops it: its answer is not waited for.
    let mut effects = FuturesUnordered::new();
    // Beside it, what the journal is told and nothing waits for.
    let told = Fuse::terminated();
    tokio::pin!(told);
    while swap.outcome().is_none() {
        let event = tokio::select! {
            biased;
            () = interrupts.next() => Event::Interrupt,
            Some(event) = effects.next(), if !effects.is_empty() => event,
            () = &mut told, if !told.is_terminated() => continue,
            sample = samples.next(), if is_probing => match sample {
                Some(sample) => take(&sample, &swap, &mut seen, notify),
                None => {
                    is_probing = false;
                    Event::ProbeEnded
                }
            },
            _ = ticks.tick() => Event::Tick {
                oldest_pending: is_probing.then(|| samples.oldest_pending()),
            },
        };
        let before = phase_name(&swap.phase);
        let action = swap.step(origin.elapsed(), event);
        if phase_name(&swap.phase) != before {
            notify(Notice::Phase { phase: &swap.phase });
            match swap.phase {
                Phase::Watching { .. } => told.set(tell(world, News::Done).fuse()),
                Phase::LookingBack { .. } => told.set(tell(world, News::Back(swap.from)).fuse()),
                _ => {}
            }
        }
        if let Some(action) = action {
            let parts = parts(action);
            effects = parts.map(|part| perform(world, part)).collect();
        }
    }
    // What is still under way was sent while users were served too.
    samples.stop();
    while let Some(sample) = samples.next().await {
        take(&sample, &swap, &mut seen, notify);
    }
    Finished {
        swap,
        seen,
        unsent: samples.unsent(),
    }
}

fn take(
    sample: &Sample,
    swap: &Swap,
    seen: &mut Seen,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Event {
    let changed = swap.changed();
    let release = seen.add(sample, changed);
    notify(Notice::Sample {
        sample,
        release,
        seen,
        changed,
    });
    Event::Answered {
        scheduled_at: sample.scheduled_at,
        ok: sample.is_good(),
    }
}

/// The calls of an action, which leave together.
fn parts(action: Action) -> impl Iterator<Item = Action> {
    let (first, second) = match action {
        Action::LookBack(color) => {
            let (route, after) = (Route::Production, Duration::ZERO);
            let ask = Action::AskHealth { color, after };
            (ask, Some(Action::Read { route, after }))
        }
        action => (action, None),
    };
    std::iter::once(first).chain(second)
}

async fn perform(world: &impl World, action: Action) -> Event {
    match action {
        Action::Note(route, color) => Event::Noted(world.note(route, color).await),
        Action::Write(route, color, urgency) => {
            match world.point_listener_at(route, color, urgency).await {
                Err(fault) if !fault.ambiguous && world.has_lost_the_lease() => {
                    Event::LeaseLost(fault.message)
                }
                result => Event::Written(result),
            }
        }
        Action::Read { route, after } => {
            sleep(after).await;
            Event::Read(world.read_listener(route).await)
        }
        Action::AskHealth { color, after } => {
            sleep(after).await;
            Event::Health(world.is_healthy(color).await)
        }
        // Its parts are performed.
        Action::LookBack(color) => Event::Health(world.is_healthy(color).await),
    }
}

enum News {
    /// The last write was seen.
    Done,
    /// Production goes back to that colour.
    Back(Color),
}

async fn tell(world: &impl World, news: News) {
    match news {
        News::Done => world.note_done().await,
        News::Back(color) => world.note_way_back(color).await,
    }
}

/// Which phase, for noticing that it changed; a journey's steps are not phases.
fn phase_name(phase: &Phase) -> (u8, Option<Route>) {
    match phase {
        Phase::Baseline => (0, None),
        Phase::Noting(route) => (1, Some(*route)),
        Phase::Forward(journey) => (2, Some(journey.route)),
        Phase::Watching { .. } => (3, None),
        Phase::LookingBack { .. } => (4, None),
        Phase::Back { journey, .. } => (5, Some(journey.route)),
        Phase::Confirming { .. } => (6, None),
        Phase::Done(_) => (7, None),
    }
}

#[cfg(test)]
mod accuracy;
#[cfg(test)]
mod tests;
