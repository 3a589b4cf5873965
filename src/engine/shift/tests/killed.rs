//! A swap that is killed anywhere and resumed, over and over, while AWS fails,
//! colours fall ill and recover, and a stranger moves listeners.

use proptest::prelude::*;

use super::*;
use crate::engine::analysis::Answerer;
use crate::engine::unfinished::{self, Course, Resolution};
use crate::model::journal::{Effect, Operation};
use crate::model::testing::{moment, observed, operation, service, targets, to_a_stranger};
use crate::model::{PerColor, TargetState};

const STEP: Duration = Duration::from_millis(50);
const BAKE: Duration = Duration::from_secs(15);

/// What happens besides: read byte after byte, again from the start at its end, and then
/// other things: luck that repeats itself is bad for good, once it is bad.
#[derive(Debug, Clone)]
struct Luck {
    bytes: Vec<u8>,
    next: usize,
    /// From some moment on nothing fails any more.
    is_good: bool,
}

impl Luck {
    /// One of so many, where 0 is what there is in good times.
    fn one_of(&mut self, many: u8) -> u8 {
        self.next += 1;
        if self.is_good {
            return 0;
        }
        let (round, place) = (self.next / self.bytes.len(), self.next % self.bytes.len());
        self.bytes[place].wrapping_add(round as u8) % many
    }
}

/// None is a stranger's target group.
type Where = Option<Color>;

#[derive(Debug)]
struct World {
    listeners: PerRoute<Where>,
    /// Nothing moves the test route then.
    by_header: bool,
    healthy: PerColor<bool>,
    operation: Operation,
    /// The unfinished operation, as the journal has it.
    is_noted: bool,
    stranger_was_here: bool,
    luck: Luck,
}

/// One process at work.
struct Run {
    swap: Shift,
    found: PerRoute<Where>,
    /// What each listener was last seen at, by this process.
    shown: PerRoute<Option<Where>>,
    writes: u32,
    has_written: PerRoute<bool>,
    /// Whether the old colour was healthy at first, and nobody said otherwise.
    may_go_back: bool,
}

fn forwarding(to: Where) -> Found {
    to.map_or_else(|| to_a_stranger(None), Found::from)
}

/// Where both routes go.
fn found(listeners: PerRoute<Where>, by_header: bool) -> PerRoute<Found> {
    let mut found = listeners.map(|to| forwarding(*to));
    if by_header {
        found.test = Found::ByRequest;
    }
    found
}

impl World {
    fn new(luck: Luck, by_header: bool, is_blind: bool) -> Self {
        Self {
            by_header,
            listeners: PerRoute {
                production: Some(FROM),
                test: Some(TO),
            },
            healthy: PerColor {
                blue: true,
                green: true,
            },
            operation: Operation {
                blind: is_blind,
                ..operation()
            },
            is_noted: false,
            stranger_was_here: false,
            luck,
        }
    }

    /// The rest of the world has its turn too.
    fn go_on(&mut self) {
        match self.luck.one_of(251) {
            1 => self.healthy.blue = !self.healthy.blue,
            2 => self.healthy.green = !self.healthy.green,
            luck @ 3..=6 => {
                let route = if luck % 2 == 0 {
                    Route::Production
                } else {
                    Route::Test
                };
                let to = [None, Some(FROM), Some(TO)][usize::from(self.luck.one_of(3))];
                *self.listeners.get_mut(route) = to;
                self.stranger_was_here = true;
            }
            _ => {}
        }
    }

    fn looked_at(&self) -> crate::model::Observed {
        let mut seen = observed();
        seen.colors.blue.service = Some(service(1));
        seen.colors.green.service = Some(service(1));
        seen.traffic = found(self.listeners, self.by_header);
        seen
    }

    fn targets(&mut self, asked_at: Duration, of: Color) -> Event {
        let state = match *self.healthy.get(of) {
            true => TargetState::Healthy,
            false => TargetState::Unhealthy,
        };
        let result = match self.luck.one_of(9) {
            1 => Err("fault".to_owned()),
            _ => Ok(targets(&[state])),
        };
        Event::Targets { asked_at, result }
    }

    fn note(&mut self, it: Move) -> Event {
        let luck = self.luck.one_of(12);
        if luck != 1 {
            self.is_noted = true;
            let effect = Effect::Move(it);
            self.operation.intend(moment(), effect);
        }
        Event::Noted(match luck {
            // Lost with and without its effect: the journal is out of reach.
            1 | 2 => Err(NoteFault {
                is_lost: false,
                message: "fault".to_owned(),
            }),
            _ => Ok(()),
        })
    }

    fn write(&mut self, it: Move) -> Event {
        assert!(
            !self.by_header || it.route == Route::Production,
            "nothing moves it"
        );
        let luck = self.luck.one_of(8);
        if !matches!(luck, 1 | 2) {
            *self.listeners.get_mut(it.route) = it.to.only();
        }
        let effect = match luck {
            1 => WriteEffect::Nothing,
            _ => WriteEffect::Unknown,
        };
        Event::Written(match luck {
            1..=3 => Err(WriteFault::new(effect, "fault")),
            _ => Ok(()),
        })
    }
}

impl Run {
    /// # Errors
    /// A colour that is not fit to go live.
    fn begin(world: &World, from: Color, to: Color, goes_back: bool) -> Option<Self> {
        let before = Before {
            found: found(world.listeners, world.by_header),
            origin: world.operation.was_live(),
            was_healthy: *world.healthy.get(from),
        };
        let policy = Policy {
            needs_clean_baseline: !goes_back,
            ..policy_of(world.operation.blind)
        };
        let strategy =
            crate::model::Strategy::all_at_once(to, &before.found, Duration::from_secs(2));
        let may_go_back = before.was_healthy;
        world.healthy.get(to).then(|| Self {
            swap: Shift::new(strategy, before, policy),
            found: world.listeners,
            shown: PerRoute::default(),
            writes: 0,
            has_written: PerRoute::default(),
            may_go_back,
        })
    }

    fn perform(&mut self, world: &mut World, action: Action) -> Result<Event, TestCaseError> {
        match action {
            Action::Meet(_) => Ok(Event::Met(Ok(()))),
            Action::Note(it) => Ok(world.note(it)),
            Action::Apply(it, _) => Ok(world.write(it)),
            Action::Read { route, .. } => {
                if world.luck.one_of(9) == 1 {
                    return Ok(Event::Read(Err("fault".to_owned())));
                }
                let seen = *world.listeners.get(route);
                *self.shown.get_mut(route) = Some(seen);
                let now = found(world.listeners, world.by_header);
                Ok(Event::Read(Ok(now.get(route).clone())))
            }
            Action::LookBack(color) | Action::AskHealth { color, .. } => {
                if world.luck.one_of(9) == 1 {
                    return Ok(Event::Health(Err("fault".to_owned())));
                }
                let is_healthy = *world.healthy.get(color);
                self.may_go_back = is_healthy;
                Ok(Event::Health(Ok(is_healthy)))
            }
        }
    }

    /// Whether a write may be made, from all that this process was shown.
    fn judge(
        &self,
        Move {
            route, to: split, ..
        }: Move,
    ) -> Result<(), TestCaseError> {
        let is_way_back = matches!(self.swap.phase, Phase::Back { .. });
        let (from, to) = (self.swap.strategy.from, self.swap.strategy.to);
        if route == Route::Production && is_way_back {
            prop_assert!(
                split == Split::all(from) && self.may_go_back,
                "back to a sick colour"
            );
        } else if route == Route::Production {
            prop_assert_eq!(split, Split::all(to));
        }
        let (shown, found) = (*self.shown.get(route), *self.found.get(route));
        match (is_way_back, *self.has_written.get(route)) {
            (false, false) => prop_assert_eq!(shown, Some(found), "written over a stranger's"),
            _ => prop_assert!(
                shown != Some(None) || found.is_none(),
                "written over a stranger's group"
            ),
        }
        Ok(())
    }
}

fn land(world: &mut World, action: Action) {
    if let Action::Apply(it, _) = action {
        *world.listeners.get_mut(it.route) = it.to.only();
    }
}

/// How a process ended; None was killed.
fn work(
    world: &mut World,
    run: &mut Run,
    is_mortal: bool,
) -> Result<Option<Outcome>, TestCaseError> {
    let mut at = Duration::ZERO;
    let mut pending: Vec<Action> = Vec::new();
    let mut is_hanging = false;
    for step in 0..40_000 {
        at += STEP;
        world.go_on();
        if is_mortal && world.luck.one_of(83) == 1 {
            // What was sent arrives all the same, or does not.
            if let Some(action @ Action::Apply(..)) = pending.first() {
                run.perform(world, *action)?;
            }
            return Ok(None);
        }
        is_hanging |= !pending.is_empty() && world.luck.one_of(97) == 1;
        let event = match (step % 3, pending.first().copied()) {
            (0, _) if run.swap.policy.is_blind() => world.targets(at, run.swap.strategy.to),
            (0, _) => {
                let ok = world
                    .listeners
                    .production
                    .is_some_and(|live| *world.healthy.get(live));
                Event::Answered {
                    scheduled_at: at,
                    over_at: at,
                    is_silence: false,
                    ok,
                    by: Answerer::Unknown,
                    latency: Duration::ZERO,
                }
            }
            (_, Some(action)) if !is_hanging => {
                pending.remove(0);
                run.perform(world, action)?
            }
            _ => tick(),
        };
        if let Some(action) = run.swap.step(at, event) {
            is_hanging = false;
            for given_up in pending.drain(..) {
                // It has its effect all the same, or never.
                if matches!(given_up, Action::Apply(..)) && world.luck.one_of(2) == 1 {
                    land(world, given_up);
                }
            }
            pending.extend(parts(action));
            if let Action::Apply(it, _) = action {
                run.judge(it)?;
                run.writes += 1;
                *run.has_written.get_mut(it.route) = true;
            }
        }
        if run.swap.outcome().is_some() {
            let live = world.listeners.production;
            run.swap.look_again(&forwarding(live));
            return Ok(run.swap.outcome().cloned());
        }
    }
    prop_assert!(false, "it never ends: {:?}", run.swap.phase);
    Ok(None)
}

/// What an end says, against what is.
fn judge_the_end(world: &World, run: &Run, outcome: &Outcome) -> Result<(), TestCaseError> {
    let production = world.listeners.production;
    let (from, to) = (run.swap.strategy.from, run.swap.strategy.to);
    match outcome {
        Outcome::Committed => prop_assert_eq!(production, Some(to)),
        Outcome::RolledBack(_) => prop_assert_eq!(production, Some(from)),
        Outcome::Unwell | Outcome::Refused(_) | Outcome::Interrupted => {
            prop_assert_eq!(run.writes, 0);
        }
        Outcome::Left(_) if !world.stranger_was_here => prop_assert_eq!(production, Some(to)),
        Outcome::Unchanged(_) if !world.stranger_was_here => {
            prop_assert_eq!(production, run.found.production);
        }
        _ => {}
    }
    Ok(())
}

/// One `resume`: whether the operation has ended, or somebody must say what to
/// do with a stranger's listener.
fn resume(world: &mut World, is_mortal: bool) -> Result<bool, TestCaseError> {
    let to = world.operation.color.unwrap();
    let live = world.listeners.production;
    let is_well = live == Some(to) && *world.healthy.get(to);
    let Ok(way) = unfinished::way(
        &world.operation,
        &world.looked_at(),
        Course::AsItIs,
        is_well,
        BAKE,
    ) else {
        prop_assert_eq!(live, None, "only a stranger's group has no way");
        return Ok(true);
    };
    let (from, to) = match way {
        Resolution::Undone => {
            prop_assert_eq!(live, world.operation.was_live());
            return Ok(true);
        }
        Resolution::Shift { strategy, .. } => (strategy.from, strategy.to),
        other => {
            prop_assert!(false, "no way of a swap: {other:?}");
            return Ok(true);
        }
    };
    world.stranger_was_here = false;
    let goes_back = Some(to) != world.operation.color;
    let Some(mut run) = Run::begin(world, from, to, goes_back) else {
        return Ok(false);
    };
    let Some(outcome) = work(world, &mut run, is_mortal)? else {
        return Ok(false);
    };
    judge_the_end(world, &run, &outcome)?;
    Ok(matches!(
        outcome,
        Outcome::Committed | Outcome::RolledBack(_)
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever happens, production is only pointed at what was found healthy,
    /// a stranger's listener is not overwritten unseen, and once the faults stop
    /// two more looks bring the operation to an end on two different colours.
    #[test]
    fn a_killed_swap_can_be_resumed_until_it_ends(
        bytes in proptest::collection::vec(any::<u8>(), 700),
        rounds in 1usize..6,
        by_header in any::<bool>(),
        is_blind in any::<bool>(),
    ) {
        let mut world = World::new(Luck { bytes, next: 0, is_good: false }, by_header, is_blind);
        let mut run = Run::begin(&world, FROM, TO, false).unwrap();
        let outcome = work(&mut world, &mut run, true)?;
        let is_over = match &outcome {
            Some(outcome) => {
                judge_the_end(&world, &run, outcome)?;
                !matches!(outcome, Outcome::InDoubt(_))
            }
            None => false,
        };
        if is_over {
            return Ok(());
        }
        if !world.is_noted {
            prop_assert_eq!(run.writes, 0, "written without an intent");
            return Ok(());
        }
        for _ in 0..rounds {
            world.go_on();
            if resume(&mut world, true)? {
                return Ok(());
            }
        }
        world.luck.is_good = true;
        world.healthy = PerColor { blue: true, green: true };
        let ended = resume(&mut world, false)? || resume(&mut world, false)?;
        prop_assert!(ended, "it cannot be ended: {world:?}");
        if let (Some(live), false) = (world.listeners.production, by_header) {
            prop_assert_eq!(world.listeners.test, Some(live.other()));
        }
    }
}
