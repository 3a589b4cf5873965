//! The one loop of a shift: samples, ticks, interrupts and the results of
//! effects become events; the machine answers with the next effect.

use std::cell::Cell;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Fuse, FusedFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::World;
use crate::engine::analysis::Answerer;
use crate::engine::evidence::Landmark;
use crate::engine::seen::{Changed, NEW, OLD, Releases, Seen};
use crate::engine::shift::{Action, Event, Milestone, Shift, WriteEffect};
use crate::interrupt::Interrupts;
use crate::model::{Answer, Color, Move, Route, Sample, Targets};
use crate::probe::Probes;

/// How often the machine is told the time.
const TICK: Duration = Duration::from_millis(50);

/// Before each look at the alarms.
pub const ALARM_PAUSE: Duration = Duration::from_secs(10);

/// Before each look at the colour to go back to.
const HEALTH_PAUSE: Duration = Duration::from_secs(30);

/// Before each look at the new colour's targets, if production is not probed. A load
/// balancer checks them every 5 s at most.
pub const TARGETS_PAUSE: Duration = Duration::from_secs(2);
/// How long such a look may take, with all its attempts.
const TARGETS_DEADLINE: Duration = Duration::from_secs(10);

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
    /// The new colour's targets, if there is no probe.
    Targets(&'a Targets),
    Phase {
        now: &'a Shift,
    },
}

/// How it ended, and what the probe saw.
#[derive(Debug)]
pub struct Finished {
    pub shift: Shift,
    pub seen: Seen,
    /// What happened besides moves and answers.
    pub marks: Vec<Landmark>,
    /// The start of all times.
    pub origin: Instant,
    /// How many requests were due but were never sent.
    pub unsent: u64,
}

impl Finished {
    /// The start of the times in a report.
    pub fn zero(&self) -> Instant {
        self.origin + self.shift.changed().began.unwrap_or_default()
    }
}

/// The probe's answers, or a script of them in tests.
pub trait Samples {
    async fn next(&mut self) -> Option<Sample>;
    /// When the oldest request was due that has not been answered, or not even sent.
    fn oldest_pending(&self) -> Duration;
    fn stop(&self);
    /// How many requests were due but not sent when it was stopped.
    fn unsent(&self) -> u64;
}

impl Samples for Probes {
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

/// No samples: nobody is served yet, or production is not probed.
#[derive(Debug, Default)]
pub struct Nobody {
    is_stopped: Cell<bool>,
}

impl Samples for Nobody {
    async fn next(&mut self) -> Option<Sample> {
        match self.is_stopped.get() {
            true => None,
            false => std::future::pending().await,
        }
    }

    fn oldest_pending(&self) -> Duration {
        Duration::MAX
    }

    fn stop(&self) {
        self.is_stopped.set(true);
    }

    fn unsent(&self) -> u64 {
        0
    }
}

/// Runs a shift to its end. Times count from `origin`, as in the samples.
pub async fn run(
    world: &impl World,
    mut shift: Shift,
    releases: Releases,
    samples: &mut impl Samples,
    interrupts: &mut Interrupts,
    origin: Instant,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Finished {
    let mut seen = Seen::new(releases);
    if !shift.policy.shares_requests {
        seen = seen.by_ways();
    }
    let mut marks = Vec::new();
    let mut is_probing = true;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // The calls under way. A new action drops them: their answers are not waited for.
    let mut effects = FuturesUnordered::new();
    // A write to the journal that nothing waits for.
    let told = Fuse::terminated();
    tokio::pin!(told);
    let (from, to) = (shift.strategy.from, shift.strategy.to);
    let (alarms, health) = (listen(world), ask_the_old(world, from));
    let targets = look_at_the_new(world, to, origin);
    let recalled = world.recalled().fuse();
    tokio::pin!(alarms, health, targets, recalled);
    while shift.outcome().is_none() {
        let event = tokio::select! {
            biased;
            _ = interrupts.next() => Event::Interrupt,
            why = &mut recalled, if !recalled.is_terminated() => Event::Recalled(why),
            Some(event) = effects.next(), if !effects.is_empty() => event,
            () = &mut told, if !told.is_terminated() => continue,
            event = &mut health, if shift.strategy.is_gradual() => {
                health.set(ask_the_old(world, from));
                event
            }
            // On the way back alarms are ignored: it may be what silences them.
            event = &mut alarms, if shift.policy.needs_clean_baseline => {
                alarms.set(listen(world));
                event
            }
            event = &mut targets, if shift.policy.is_blind() => {
                targets.set(look_at_the_new(world, to, origin));
                if let Event::Targets { result: Ok(targets), .. } = &event {
                    notify(Notice::Targets(targets));
                }
                event
            }
            sample = samples.next(), if is_probing => match sample {
                Some(sample) => take(&sample, &shift, &mut seen, notify),
                None => {
                    is_probing = false;
                    Event::ProbeEnded
                }
            },
            _ = ticks.tick() => Event::Tick {
                oldest_pending: is_probing.then(|| samples.oldest_pending()),
            },
        };
        let (at, before) = (origin.elapsed(), shift.milestone());
        let mark = landmark(at, &shift, &event);
        // An alarm that keeps ringing is marked once.
        marks.extend(mark.filter(|mark| !marks.last().is_some_and(|last| mark.repeats(last))));
        let action = shift.step(at, event);
        let milestone = shift.milestone();
        if milestone != before {
            notify(Notice::Phase { now: &shift });
            match milestone {
                // Without watching, the end comes at once and writes this itself.
                Milestone::Baking(_) if shift.is_watched() => {
                    told.set(tell(world, News::Done).fuse());
                }
                Milestone::LookingBack => {
                    let it = shift.way_back(Route::Production);
                    told.set(tell(world, News::Back(it)).fuse());
                }
                _ => {}
            }
        }
        if let Some(action) = action {
            let parts = parts(action);
            effects = parts.map(|part| perform(world, part)).collect();
        }
    }
    // Requests that are still under way were sent while users were served, so they count.
    samples.stop();
    while let Some(sample) = samples.next().await {
        take(&sample, &shift, &mut seen, notify);
    }
    Finished {
        shift,
        seen,
        marks,
        origin,
        unsent: samples.unsent(),
    }
}

/// Reads the alarms after a while: CloudWatch charges for each reading, and alarms do not
/// change faster.
async fn listen(world: &impl World) -> Event {
    sleep(ALARM_PAUSE).await;
    Event::Alarms(world.objection().await)
}

/// Reads the new colour's targets after a moment.
async fn look_at_the_new(world: &impl World, to: Color, origin: Instant) -> Event {
    sleep(TARGETS_PAUSE).await;
    let asked_at = origin.elapsed();
    let read = timeout(TARGETS_DEADLINE, world.targets(to)).await;
    let result = read.unwrap_or_else(|_| {
        let seconds = TARGETS_DEADLINE.as_secs();
        Err(format!("no answer within {seconds} s"))
    });
    Event::Targets { asked_at, result }
}

/// Whether the colour to go back to is still healthy: a gradual shift takes long.
async fn ask_the_old(world: &impl World, from: Color) -> Event {
    sleep(HEALTH_PAUSE).await;
    Event::OldHealth(world.is_healthy(from).await)
}

/// The answerer for a release's number.
pub fn answerer(release: Option<usize>) -> Answerer {
    match release {
        Some(OLD) => Answerer::Old,
        Some(NEW) => Answerer::New,
        _ => Answerer::Unknown,
    }
}

fn take(
    sample: &Sample,
    shift: &Shift,
    seen: &mut Seen,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Event {
    let changed = shift.changed();
    let release = seen.add(sample, changed);
    seen.add_to_its_stage(sample, release, shift.shares());
    notify(Notice::Sample {
        sample,
        release,
        seen,
        changed,
    });
    Event::Answered {
        scheduled_at: sample.scheduled_at,
        over_at: sample.over_at(shift.policy.timeout),
        ok: sample.is_good(),
        is_silence: matches!(*sample.answer, Answer::Nothing { .. }),
        by: answerer(release),
        latency: sample.latency,
    }
}

/// The mark that an event leaves in a report, if any.
fn landmark(at: Duration, shift: &Shift, event: &Event) -> Option<Landmark> {
    match event {
        Event::Alarms(Ok(Some(objection))) => Some(Landmark::rang(at, objection)),
        Event::Targets {
            asked_at,
            result: Ok(targets),
        } => {
            let objection = shift.objection_to(targets, *asked_at)?;
            Some(Landmark::unhealthy(at, &objection))
        }
        Event::Met(met) => Some(Landmark::met(
            at,
            shift.condition()?,
            shift.strategy.to,
            met,
        )),
        _ => None,
    }
}

/// The calls of an action, which are made at the same time.
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
        Action::Meet(condition) => Event::Met(world.meet(condition).await),
        Action::Note(it) => Event::Noted(world.note(it).await),
        Action::Apply(it, urgency) => match world.apply(it, urgency).await {
            Err(fault) if fault.effect == WriteEffect::Nothing && world.has_lost_the_lease() => {
                Event::LeaseLost(fault.message)
            }
            result => Event::Written(result),
        },
        Action::Read { route, after } => {
            sleep(after).await;
            Event::Read(world.read(route).await)
        }
        Action::AskHealth { color, after } => {
            sleep(after).await;
            Event::Health(world.is_healthy(color).await)
        }
        // Split up by `parts` before.
        Action::LookBack(color) => Event::Health(world.is_healthy(color).await),
    }
}

enum News {
    /// The last move was seen.
    Done,
    /// Production goes back.
    Back(Move),
}

async fn tell(world: &impl World, news: News) {
    match news {
        News::Done => world.note_done().await,
        News::Back(it) => world.note_way_back(it).await,
    }
}

#[cfg(test)]
mod accuracy;
#[cfg(test)]
mod tests;
