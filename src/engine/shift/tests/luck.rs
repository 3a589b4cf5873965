//! A load balancer with luck of all kinds, and a shift on it from its beginning to
//! its end.

use proptest::prelude::*;

use super::*;
use crate::engine::analysis::Answerer;
use crate::model::testing::targets;
use crate::model::{Condition, TargetState};

/// A load balancer that loses requests before and after their effect, refuses
/// some, and shows writes late.
#[derive(Debug)]
pub struct World {
    pub now: PerRoute<Found>,
    /// What a read shows: it may lag one write behind.
    shown: PerRoute<Found>,
    /// Production has two ways in, and a write may reach one of them alone.
    several: bool,
}

impl World {
    fn set(&mut self, it: Move) {
        self.become_so(it, Found::Split(it.to));
    }

    /// Of two ways in only the first.
    fn set_half(&mut self, it: Move) {
        let all = self.now.get(it.route).splits();
        let second = all
            .last()
            .copied()
            .filter(|_| it.route == Route::Production);
        let ways = [("one", it.to), ("two", second.unwrap_or(it.to))];
        let ways = ways.map(|(name, split)| (name.to_owned(), Found::Split(split)));
        self.become_so(it, Found::by_all(&ways));
    }

    fn become_so(&mut self, it: Move, found: Found) {
        let now = self.now.get_mut(it.route);
        assert!(!now.is_by_request(), "nothing moves it");
        let before = std::mem::replace(now, found);
        self.shown = self.now.clone();
        *self.shown.get_mut(it.route) = before;
    }

    /// Of a call that nobody waits for any more.
    fn land(&mut self, action: Action) {
        if let Action::Apply(it, _) = action {
            self.set(it);
        }
    }

    fn perform(&mut self, action: Action, luck: u8, of: u8) -> Event {
        let fault = |effect| Event::Written(Err(WriteFault::new(effect, "fault")));
        match (action, luck % of) {
            (Action::Meet(_), 0) => Event::Met(Err("fault".to_owned())),
            (Action::Meet(_), _) => Event::Met(Ok(())),
            (Action::Note(_), luck @ 0..=1) => Event::Noted(Err(NoteFault {
                is_lost: luck == 0,
                message: "fault".to_owned(),
            })),
            (Action::Note(_), _) => Event::Noted(Ok(())),
            (Action::Apply(..), 0) => fault(WriteEffect::Nothing),
            (Action::Apply(..), 1) => fault(WriteEffect::Unknown),
            (Action::Apply(it, _), luck @ 3..=4) if self.several => {
                self.set_half(it);
                fault(match luck {
                    3 => WriteEffect::InPart,
                    _ => WriteEffect::Unknown,
                })
            }
            (Action::Apply(it, _), luck) => {
                self.set(it);
                match luck {
                    2 => fault(WriteEffect::Unknown),
                    _ => Event::Written(Ok(())),
                }
            }
            (Action::Read { .. }, 0) => Event::Read(Err("fault".to_owned())),
            (Action::Read { route, .. }, luck) => {
                let before = std::mem::replace(&mut self.shown, self.now.clone());
                let shown = if luck == 1 { &before } else { &self.now };
                Event::Read(Ok(shown.get(route).clone()))
            }
            (Action::LookBack(_) | Action::AskHealth { .. }, 0) => {
                Event::Health(Err("fault".to_owned()))
            }
            (Action::LookBack(_) | Action::AskHealth { .. }, luck) => Event::Health(Ok(luck != 1)),
        }
    }
}

/// What happens besides, again from the start at its end.
#[derive(Debug)]
pub struct Lucks {
    pub bytes: Vec<u8>,
    /// One call of so many has each kind of fault.
    pub of: u8,
    /// From here on a call hangs, and may so for good.
    pub hangs: u8,
    /// Where there is a zero, an answer fails, or a target.
    pub fails: Vec<u8>,
    pub interrupt_at: Option<usize>,
    pub several: bool,
    /// From here on nobody works on it; what was sent arrives, or not.
    pub killed_at: Option<usize>,
}

impl Lucks {
    /// Nothing disturbs it.
    pub fn calm() -> Self {
        Self {
            bytes: vec![5],
            of: 8,
            hangs: u8::MAX,
            fails: vec![1],
            interrupt_at: None,
            several: false,
            killed_at: None,
        }
    }

    fn is_well(&self, step: usize) -> bool {
        self.fails[step % self.fails.len()] != 0
    }

    /// The new colour's, asked for a while ago.
    fn targets(&self, step: usize, at: Duration) -> Event {
        let luck = self.bytes[step % self.bytes.len()];
        let late = Duration::from_millis(u64::from(luck % self.of) * 50);
        let state = match self.is_well(step) {
            true => TargetState::Healthy,
            false => TargetState::Unhealthy,
        };
        Event::Targets {
            asked_at: at.saturating_sub(late),
            result: match luck >= self.hangs {
                true => Err("fault".to_owned()),
                false => Ok(targets(&[state])),
            },
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Played {
    pub shift: Shift,
    pub world: World,
    pub writes: u32,
    pub has_landed_late: bool,
}

/// From where it found the routes to its end; what it asks for is judged as it comes.
pub fn play(
    mut shift: Shift,
    lucks: &Lucks,
    mut judge: impl FnMut(Action) -> Result<(), TestCaseError>,
) -> Result<Played, TestCaseError> {
    let found = || shift.before.found.clone();
    let mut world = World {
        now: found(),
        shown: found(),
        several: lucks.several,
    };
    let mut at = Duration::ZERO;
    // The parts of what is under way; and a write that was given up, and when it
    // lands.
    let mut pending: Vec<Action> = Vec::new();
    let mut late: Vec<(usize, Action)> = Vec::new();
    let mut writes = 0;
    let mut has_landed_late = false;
    for step in 0..40_000 {
        at += Duration::from_millis(50);
        if lucks.killed_at == Some(step) {
            let luck = lucks.bytes[step % lucks.bytes.len()];
            for action in pending.drain(..).filter(|_| luck.is_multiple_of(2)) {
                match action {
                    Action::Apply(it, _) if lucks.several && luck.is_multiple_of(4) => {
                        world.set_half(it);
                    }
                    action => world.land(action),
                }
            }
            break;
        }
        let (landing, rest) = late.into_iter().partition(|(when, _)| *when == step);
        late = rest;
        for (_, action) in landing {
            has_landed_late = true;
            world.land(action);
        }
        let luck = lucks.bytes[step % lucks.bytes.len()];
        let event = if lucks.interrupt_at == Some(step) {
            Event::Interrupt
        } else {
            match (step % 3, pending.first().copied()) {
                (0, _) if shift.policy.is_blind() => lucks.targets(step, at),
                (0, _) => Event::Answered {
                    scheduled_at: at,
                    over_at: at,
                    is_silence: false,
                    ok: lucks.is_well(step),
                    by: [Answerer::Old, Answerer::New, Answerer::Unknown][step / 3 % 3],
                    latency: Duration::ZERO,
                },
                (_, Some(_)) if luck >= lucks.hangs => tick(),
                (_, Some(action)) => {
                    pending.remove(0);
                    world.perform(action, luck, lucks.of)
                }
                (_, None) => tick(),
            }
        };
        if let Some(action) = shift.step(at, event) {
            judge(action)?;
            writes += u32::from(matches!(action, Action::Apply(..)));
            // What is given up has its effect now, soon, or never.
            for given_up in pending.drain(..) {
                match luck % 3 {
                    0 => world.land(given_up),
                    1 => late.push((step + usize::from(luck % 40) + 1, given_up)),
                    _ => {}
                }
            }
            pending.extend(parts(action));
        }
        if shift.outcome().is_some() {
            break;
        }
    }
    // The driver's last look, which is there for what comes too late.
    if shift.outcome().is_some() {
        shift.look_again(&world.now.production);
        let next = shift.step(at, tick());
        prop_assert_eq!(next, None, "an ended shift does nothing more");
    }
    Ok(Played {
        shift,
        world,
        writes,
        has_landed_late,
    })
}

impl Played {
    /// It has ended, and tells the truth about who serves.
    pub fn assert_truth(&self) -> Result<(), TestCaseError> {
        let PerRoute { production, test } = &self.world.now;
        let is_test_at = |color| test.is_by_request() || *test == Found::from(color);
        match self.shift.outcome() {
            None => prop_assert!(false, "it never ends: {:?}", self.shift.phase),
            Some(Outcome::Committed) => {
                prop_assert_eq!(production, &Found::from(TO));
                prop_assert!(is_test_at(FROM), "{}", test);
            }
            Some(Outcome::Paused) => {
                let stage = self.shift.current();
                prop_assert!(stage.after.contains(&Condition::Person));
                prop_assert_eq!(production.split(), Some(stage.it.to));
            }
            Some(Outcome::RolledBack(_)) => {
                prop_assert_eq!(production, &Found::from(FROM));
                prop_assert!(is_test_at(TO) || self.has_landed_late);
            }
            Some(Outcome::Left(_)) => {
                prop_assert!(production.reaches(TO), "{production}");
            }
            Some(Outcome::Unwell | Outcome::Refused(_) | Outcome::Interrupted) => {
                prop_assert_eq!(self.writes, 0);
            }
            Some(Outcome::Unchanged(_)) => prop_assert_eq!(production, &Found::from(FROM)),
            Some(Outcome::InDoubt(_)) => {}
        }
        Ok(())
    }
}
