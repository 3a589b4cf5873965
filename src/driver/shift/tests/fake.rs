//! A load balancer that records every call and fails those it is told to, and a probe of
//! it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep, sleep_until};

use super::{FROM, PACE, TO};
use crate::driver::World;
use crate::driver::shift::Samples;
use crate::engine::shift::{Before, NoteFault, WriteEffect, WriteFault};
use crate::interrupt::Signal;
use crate::model::testing::{targets, to};
use crate::model::{
    Answer, Color, Condition, Connection, Found, Move, PerColor, PerRoute, Route, Sample,
    TargetState, Targets, Unexpected, Urgency,
};

/// How long a call takes to reach AWS, and its answer to come back.
const ONE_WAY: Duration = Duration::from_millis(10);
/// How late an effect comes that nothing waits for.
const LATE: Duration = Duration::from_millis(1500);
/// Longer than the patience with a listener that does not show a write.
const TOO_LONG: Duration = Duration::from_secs(12);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Note(Route, Color),
    Write(Route, Color),
    Read(Route),
    Health(Color),
    Targets(Color),
}

impl Call {
    /// A short name, for tables.
    pub fn name(self) -> String {
        match self {
            Self::Note(route, _) => format!("note {}", port(route)),
            Self::Write(route, color) => format!("{} to {color}", port(route)),
            Self::Read(route) => format!("read {}", port(route)),
            Self::Health(color) => format!("health of {color}"),
            Self::Targets(color) => format!("targets of {color}"),
        }
    }
}

fn port(route: Route) -> u16 {
    match route {
        Route::Production => 80,
        Route::Test => 81,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happened, and there is no answer.
    LostRequest,
    /// It happened, but there is no answer.
    LostAnswer,
    /// As `LostAnswer`, and slow.
    Slow,
    /// Nothing happened, for certain.
    Refused,
    /// A read that shows the state before the last write. Other calls are fine.
    Stale,
    /// It never answers, and nothing happens.
    Hangs,
    /// It never answers, and its effect comes when nothing waits for it any more.
    HangsLate,
    /// Of production's two ways in, the first was moved; there is no answer about the
    /// second.
    HalfLost,
    /// The same, and the second was certainly refused.
    HalfRefused,
}

impl Fault {
    pub const ALL: [Self; 7] = [
        Self::LostRequest,
        Self::LostAnswer,
        Self::Slow,
        Self::Refused,
        Self::Stale,
        Self::Hangs,
        Self::HangsLate,
    ];
}

/// Which calls have a fault, counted from 0.
#[derive(Debug, Clone, Copy, Default)]
pub enum Faults {
    #[default]
    None,
    Once(usize, Fault),
    /// One after the other.
    Twice(usize, [Fault; 2]),
    /// From this call on, every one.
    From(usize, Fault),
    /// From this call on, every write.
    Writes(usize, Fault),
    /// From this call on, all that is read: listeners and health.
    Reads(usize, Fault),
}

impl Faults {
    fn at(self, n: usize, call: Call) -> Option<Fault> {
        let is_write = matches!(call, Call::Write(..));
        match self {
            Self::Once(at, fault) if n == at => Some(fault),
            Self::Twice(at, faults) if n >= at => faults.get(n - at).copied(),
            Self::From(first, fault) if n >= first => Some(fault),
            Self::Reads(first, fault)
                if n >= first
                    && matches!(call, Call::Read(_) | Call::Health(_) | Call::Targets(_)) =>
            {
                Some(fault)
            }
            Self::Writes(first, fault) if n >= first && is_write => Some(fault),
            _ => None,
        }
    }
}

/// When, within a call, Ctrl-C comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the effect.
    Before,
    /// After the effect, with the answer on its way.
    After,
}

#[derive(Debug)]
pub struct Fake {
    pub production: Cell<Color>,
    /// Where its second way in leads, if it has one.
    pub second: Cell<Option<Color>>,
    pub test: Cell<Color>,
    /// On the test route each request names its colour, and nothing moves it.
    pub by_header: bool,
    /// The writes that were noted in the journal first.
    pub noted: RefCell<Vec<(Route, Color)>>,
    /// Whether the journal knows that the last one was seen.
    pub noted_done: Cell<bool>,
    pub healthy: RefCell<PerColor<bool>>,
    pub calls: RefCell<Vec<Call>>,
    /// Colours that port 80 was pointed at while they were not healthy.
    pub harm: RefCell<Vec<Color>>,
    pub faults: Faults,
    /// Presses Ctrl-C that many times within a call.
    pub interrupts: Option<(usize, Moment, UnboundedSender<Signal>, u32)>,
    /// Both routes as they were before the last write.
    before: RefCell<PerRoute<Found>>,
    /// Writes whose effect is still to come.
    late: RefCell<Vec<(Instant, Route, Color)>>,
    /// When port 80's way back was first sent.
    pub went_back: Cell<Option<Instant>>,
}

impl Fake {
    pub fn new(faults: Faults) -> Self {
        Self {
            production: Cell::new(FROM),
            second: Cell::new(None),
            test: Cell::new(TO),
            by_header: false,
            noted: RefCell::default(),
            noted_done: Cell::new(false),
            healthy: RefCell::new(PerColor {
                blue: true,
                green: true,
            }),
            calls: RefCell::default(),
            harm: RefCell::default(),
            faults,
            interrupts: None,
            before: RefCell::new(PerRoute {
                production: to(FROM),
                test: to(TO),
            }),
            late: RefCell::default(),
            went_back: Cell::new(None),
        }
    }

    pub fn by_header(faults: Faults) -> Self {
        Self {
            by_header: true,
            ..Self::new(faults)
        }
    }

    /// With two ways in, which move together.
    pub fn by_two_ways(faults: Faults) -> Self {
        Self {
            second: Cell::new(Some(FROM)),
            ..Self::new(faults)
        }
    }

    /// What the router reads.
    pub fn found(&self) -> PerRoute<Found> {
        let (first, test) = self.traffic();
        let second = self.second.get().unwrap_or(first);
        let ways = [("one", first), ("two", second)];
        let ways = ways.map(|(name, color)| (name.to_owned(), to(color)));
        PerRoute {
            production: Found::by_all(&ways),
            test: match self.by_header {
                true => Found::ByRequest,
                false => to(test),
            },
        }
    }

    /// Where ports 80 and 81 lead.
    pub fn traffic(&self) -> (Color, Color) {
        let now = Instant::now();
        let due = |(at, ..): &mut (Instant, Route, Color)| *at <= now;
        let landed: Vec<_> = self.late.borrow_mut().extract_if(.., due).collect();
        for (_, route, color) in landed {
            self.set(route, color);
        }
        (self.production.get(), self.test.get())
    }

    /// Where they lead, in the form that a swap gets at its beginning.
    pub fn before(&self) -> Before {
        Before {
            found: self.found(),
            origin: Some(FROM),
            was_healthy: true,
        }
    }

    fn is_healthy(&self, color: Color) -> bool {
        *self.healthy.borrow().get(color)
    }

    fn set(&self, route: Route, color: Color) {
        self.remember();
        match route {
            Route::Production => {
                self.set_first(color);
                if self.second.get().is_some() {
                    self.second.set(Some(color));
                }
            }
            Route::Test => self.test.set(color),
        }
    }

    fn remember(&self) {
        let now = self.found();
        *self.before.borrow_mut() = now;
    }

    fn set_first(&self, color: Color) {
        if !self.is_healthy(color) {
            self.harm.borrow_mut().push(color);
        }
        self.production.set(color);
    }

    fn interrupt(&self, n: usize, now: Moment) {
        let Some((at, moment, tell, times)) = &self.interrupts else {
            return;
        };
        if (*at, *moment) == (n, now) {
            for _ in 0..*times {
                tell.send(Signal::Interrupt).unwrap();
            }
        }
    }

    /// One call: on its way, its effect, and back with the result.
    async fn call(&self, call: Call, effect: impl FnOnce()) -> Result<(), Fault> {
        let n = self.calls.borrow().len();
        self.calls.borrow_mut().push(call);
        let is_of_test = matches!(
            call,
            Call::Note(Route::Test, _) | Call::Write(Route::Test, _) | Call::Read(Route::Test)
        );
        assert!(
            !(self.by_header && is_of_test),
            "nothing moves it: {call:?}"
        );
        let fault = self.faults.at(n, call);
        self.interrupt(n, Moment::Before);
        if call == Call::Write(Route::Production, FROM) && self.went_back.get().is_none() {
            self.went_back.set(Some(Instant::now()));
        }
        sleep(ONE_WAY).await;
        if let (Some(Fault::HangsLate), Call::Write(route, color)) = (fault, call) {
            let lands = Instant::now() + LATE;
            self.late.borrow_mut().push((lands, route, color));
        }
        if matches!(fault, Some(Fault::Hangs | Fault::HangsLate)) {
            self.interrupt(n, Moment::After);
            std::future::pending::<()>().await;
        }
        match (fault, call) {
            (Some(Fault::LostRequest | Fault::Refused), _) => {}
            (Some(Fault::HalfLost | Fault::HalfRefused), Call::Write(Route::Production, color)) => {
                self.remember();
                self.set_first(color);
            }
            _ => effect(),
        }
        self.interrupt(n, Moment::After);
        if fault == Some(Fault::Slow) {
            sleep(TOO_LONG).await;
        }
        sleep(ONE_WAY).await;
        match fault {
            None => Ok(()),
            Some(Fault::Stale) if !matches!(call, Call::Read(_)) => Ok(()),
            Some(fault) => Err(fault),
        }
    }
}

fn text(fault: Fault) -> String {
    match fault {
        Fault::Refused | Fault::HalfRefused => "AccessDenied".to_owned(),
        _ => "timed out".to_owned(),
    }
}

/// The colour that a route is moved to: this load balancer has no weights.
fn whole(it: Move) -> (Route, Color) {
    (it.route, it.to.only().unwrap())
}

impl World for Fake {
    async fn objection(&self) -> Result<Option<String>, String> {
        Ok(None)
    }

    async fn meet(&self, _: Condition) -> Result<(), String> {
        Ok(())
    }

    async fn note(&self, it: Move) -> Result<(), NoteFault> {
        let (route, color) = whole(it);
        let note = || self.noted.borrow_mut().push((route, color));
        let noted = self.call(Call::Note(route, color), note).await;
        noted.map_err(|fault| NoteFault {
            is_lost: fault == Fault::Refused,
            message: text(fault),
        })
    }

    async fn note_done(&self) {
        self.noted_done.set(true);
    }

    /// The way back continues whatever the result.
    async fn note_way_back(&self, _: Move) {}

    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), WriteFault> {
        let (route, color) = whole(it);
        let is_back = (route == Route::Production) == (color == FROM);
        assert_eq!(urgency == Urgency::Back, is_back);
        self.call(Call::Write(route, color), || self.set(route, color))
            .await
            .map_err(|fault| {
                let effect = match (fault, route) {
                    (Fault::Refused, _) => WriteEffect::Nothing,
                    (Fault::HalfRefused, Route::Production) => WriteEffect::InPart,
                    _ => WriteEffect::Unknown,
                };
                WriteFault::new(effect, text(fault))
            })
    }

    async fn read(&self, route: Route) -> Result<Found, String> {
        let seen = RefCell::default();
        let read = || *seen.borrow_mut() = self.found();
        match self.call(Call::Read(route), read).await {
            Ok(()) => Ok(seen.take().get(route).clone()),
            Err(Fault::Stale) => Ok(self.before.borrow().get(route).clone()),
            Err(fault) => Err(text(fault)),
        }
    }

    async fn targets(&self, color: Color) -> Result<Targets, String> {
        let seen = Cell::new(false);
        let ask = || seen.set(self.is_healthy(color));
        self.call(Call::Targets(color), ask).await.map_err(text)?;
        let state = match seen.get() {
            true => TargetState::Healthy,
            false => TargetState::Unhealthy,
        };
        Ok(targets(&[state]))
    }

    async fn is_healthy(&self, color: Color) -> Result<bool, String> {
        let seen = Cell::new(false);
        let ask = || seen.set(self.is_healthy(color));
        self.call(Call::Health(color), ask).await.map_err(text)?;
        Ok(seen.get())
    }
}

/// What the scripted probe gets for one request.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    pub ok: bool,
    pub latency: Duration,
}

pub const WELL: Reply = Reply {
    ok: true,
    latency: Duration::from_millis(5),
};

pub const BADLY: Reply = Reply { ok: false, ..WELL };

/// Sends requests on an absolute schedule, like the real probe; the colour that port 80
/// leads to when a request is sent answers it.
pub struct Asked<'a> {
    world: &'a Fake,
    origin: Instant,
    reply: &'a dyn Fn(Duration, Color) -> Reply,
    /// When the probe ends by itself.
    ends: Option<Duration>,
    sent: u64,
    answers: BTreeMap<(Duration, u64), Sample>,
    is_stopped: Cell<bool>,
}

impl<'a> Asked<'a> {
    pub fn new(
        world: &'a Fake,
        origin: Instant,
        reply: &'a dyn Fn(Duration, Color) -> Reply,
    ) -> Self {
        Self {
            world,
            origin,
            reply,
            ends: None,
            sent: 0,
            answers: BTreeMap::new(),
            is_stopped: Cell::new(false),
        }
    }

    pub fn ending_at(self, end: Duration) -> Self {
        Self {
            ends: Some(end),
            ..self
        }
    }

    pub fn sent(&self) -> u64 {
        self.sent
    }

    fn due(&self) -> Option<Duration> {
        let due = PACE * u32::try_from(self.sent).unwrap();
        let has_ended = self.is_stopped.get() || self.ends.is_some_and(|end| due >= end);
        (!has_ended).then_some(due)
    }

    fn send(&mut self, scheduled_at: Duration) {
        let n = self.sent;
        self.sent += 1;
        let (color, _) = self.world.traffic();
        let reply = (self.reply)(scheduled_at, color);
        let sample = Sample {
            n,
            scheduled_at,
            latency: reply.latency,
            late: Duration::ZERO,
            way: None,
            node: None,
            connection: Connection::Fresh,
            answer: Arc::new(Answer::Http {
                status: if reply.ok { 200 } else { 503 },
                release: None,
                body: color.to_string(),
            }),
            unexpected: (!reply.ok).then_some(Unexpected::Status),
        };
        self.answers.insert((sample.answered_at(), n), sample);
    }
}

impl Samples for Asked<'_> {
    async fn next(&mut self) -> Option<Sample> {
        loop {
            let answer = self.answers.keys().next().map(|(at, _)| *at);
            match (self.due(), answer) {
                (Some(due), answer) if answer.is_none_or(|at| due < at) => {
                    sleep_until(self.origin + due).await;
                    self.send(due);
                }
                (_, Some(at)) => {
                    sleep_until(self.origin + at).await;
                    return self.answers.pop_first().map(|(_, sample)| sample);
                }
                _ => {
                    // A probe that ends by itself does so at its own time.
                    sleep_until(self.origin + self.ends.unwrap_or_default()).await;
                    return None;
                }
            }
        }
    }

    fn oldest_pending(&self) -> Duration {
        let pending = self.answers.values().map(|sample| sample.scheduled_at);
        pending
            .min()
            .unwrap_or(PACE * u32::try_from(self.sent).unwrap())
    }

    fn stop(&self) {
        self.is_stopped.set(true);
    }

    fn unsent(&self) -> u64 {
        0
    }
}
