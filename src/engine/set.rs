//! Several apps' shifts as one: which module may take its next step, and which goes
//! back because another failed. Each module's own shift decides all else.
//!
//! A stage is taken by all modules before any takes the next one, in the order of
//! `after` within it, and watched side by side. At the end all wait for each other:
//! until the last of them is well, any failure turns all back. Who fails goes back at
//! once, as its users are failing; those whose users went over after its own go back
//! with it, and those before them once these are back: as they came, in reverse.
//!
//! Jobs have no users to watch: they are moved once all modules are well, ahead of the
//! end, and are the first to go back.
//!
//! Where regions go in turn, each is a wave: it takes all of its stages, and is watched
//! to its end, before the next one's users are moved.

mod jobs;
mod killed;
mod mixtures;
mod order;

use std::cmp::Ordering;
use std::time::Duration;

use crate::model::{SetGate, SetName};
use jobs::JobsFate;
pub use killed::{KilledEnd, ReleaseStanding};
pub use mixtures::{Mixable, Passage, mixtures, moved_regions};
use order::is_after;
pub use order::{among, in_order, region_by_region, waves};

/// When a module's users go over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleOrder {
    /// By their place: whose users go over first.
    pub after: Vec<usize>,
    /// All of an earlier one are well ahead of its first stage.
    pub wave: usize,
}

/// A module, as far as its shift has come.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ModuleProgress {
    name: SetName,
    order: ModuleOrder,
    /// So many stages are seen to have been moved.
    moved: usize,
    /// The gate that it has come to; what is ahead of that is behind it, and watched.
    gate: Option<SetGate>,
    fate: ShiftFate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShiftFate {
    UnderWay,
    GoingBack,
    Ended,
}

/// What a module that waits is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTurn {
    Wait,
    Go,
    /// Another failed, for that reason.
    Back(String),
}

impl SetTurn {
    /// None while it is none.
    pub fn taken(self) -> Option<Result<(), String>> {
        match self {
            Self::Wait => None,
            Self::Go => Some(Ok(())),
            Self::Back(why) => Some(Err(why)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetShift {
    modules: Vec<ModuleProgress>,
    /// For how long a wave is watched beyond its own end, where another comes.
    bake: Duration,
    /// Which module failed first, and how.
    failure: Option<String>,
    jobs: JobsFate,
    /// All were well at their end: from here on none goes back for another.
    is_committed: bool,
}

impl SetShift {
    pub fn new(modules: impl IntoIterator<Item = (SetName, ModuleOrder)>, bake: Duration) -> Self {
        let modules = modules.into_iter().map(|(name, order)| ModuleProgress {
            name,
            order,
            moved: 0,
            gate: None,
            fate: ShiftFate::UnderWay,
        });
        Self {
            modules: modules.collect(),
            bake,
            failure: None,
            jobs: JobsFate::Over,
            is_committed: false,
        }
    }

    /// For how long a module is watched beyond its own end.
    pub fn bake(&self, module: usize) -> Duration {
        let wave = self.modules[module].order.wave;
        match self.modules.iter().any(|it| it.order.wave > wave) {
            true => self.bake,
            false => Duration::ZERO,
        }
    }

    /// It has come to that gate.
    pub fn comes_to(&mut self, module: usize, gate: SetGate) {
        let it = &mut self.modules[module];
        it.gate = Some(gate);
        if let SetGate::Stage(stage) = gate {
            it.moved = it.moved.max(stage);
        }
        self.commit();
    }

    fn commit(&mut self) {
        self.is_committed |= self.are_modules_well() && self.jobs == JobsFate::Over;
    }

    /// Whether all modules are at their end, and none has failed.
    fn are_modules_well(&self) -> bool {
        let is_here = |it: &ModuleProgress| it.is_ready() && it.fate == ShiftFate::UnderWay;
        self.failure.is_none() && self.modules.iter().all(is_here)
    }

    /// So many of its stages are seen to have been moved.
    pub fn has_moved(&mut self, module: usize, stages: usize) {
        let it = &mut self.modules[module];
        it.moved = it.moved.max(stages);
    }

    /// So many stages all modules have taken; none, once one has failed.
    pub fn stages(&self) -> usize {
        let taken = self.modules.iter().map(|it| it.moved).min();
        taken.filter(|_| self.failure.is_none()).unwrap_or_default()
    }

    /// It takes itself back: the set goes back.
    pub fn goes_back(&mut self, module: usize, why: &str) {
        self.fail(module, why);
        self.modules[module].fate = ShiftFate::GoingBack;
    }

    /// Its shift is over; with a reason, where its release is not live by it.
    pub fn ends(&mut self, module: usize, unless: Option<&str>) {
        if let Some(why) = unless {
            self.fail(module, why);
        }
        self.modules[module].fate = ShiftFate::Ended;
    }

    /// No module failed, and all go back.
    pub fn turns_back(&mut self, why: &str) {
        if !self.is_committed {
            self.failure.get_or_insert_with(|| why.to_owned());
        }
    }

    fn fail(&mut self, module: usize, why: &str) {
        let why = format!("{}: {why}", self.modules[module].name);
        self.turns_back(&why);
    }

    /// What failed first.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// What a module at its gate is to do.
    pub fn turn(&self, module: usize) -> SetTurn {
        if let Some(why) = self.recall(module) {
            return SetTurn::Back(why);
        }
        let is_free = self.failure.is_none()
            && match self.modules[module].gate {
                Some(SetGate::Prepare) => self.may_prepare(module),
                Some(SetGate::Stage(stage)) => self.may_take(module, stage),
                Some(SetGate::Commit) => self.is_committed,
                None => false,
            };
        match is_free {
            true => SetTurn::Go,
            false => SetTurn::Wait,
        }
    }

    /// Why a module goes back now, wherever it is, if it is to.
    pub fn recall(&self, module: usize) -> Option<String> {
        let why = self.failure.as_ref()?;
        if self.jobs == JobsFate::Moving {
            return None;
        }
        let is_over = |it: &ModuleProgress| it.fate == ShiftFate::Ended;
        let after = |n: usize| &*self.modules[n].order.after;
        let mut later = self.modules.iter().enumerate();
        let are_back = later.all(|(n, it)| is_over(it) || !is_after(&after, n, module));
        are_back.then(|| why.clone())
    }

    fn may_prepare(&self, module: usize) -> bool {
        let is_prepared = |it: &ModuleProgress| it.gate > Some(SetGate::Prepare);
        self.earlier(module).all(is_prepared)
    }

    fn may_take(&self, module: usize, stage: usize) -> bool {
        let wave = self.modules[module].order.wave;
        let is_here = |it: &ModuleProgress| match it.order.wave.cmp(&wave) {
            Ordering::Less => it.is_ready(),
            Ordering::Equal => it.gate >= Some(SetGate::Stage(stage)),
            Ordering::Greater => it.gate >= Some(SetGate::Stage(0)),
        };
        let is_there = |it: &ModuleProgress| it.moved > stage || it.is_ready();
        self.modules.iter().all(is_here) && self.earlier(module).all(is_there)
    }

    /// Those whose users go over ahead of its own.
    fn earlier(&self, module: usize) -> impl Iterator<Item = &ModuleProgress> {
        let after = &self.modules[module].order.after;
        after.iter().map(|&earlier| &self.modules[earlier])
    }
}

impl ModuleProgress {
    /// Whether it has taken all of its stages.
    fn is_ready(&self) -> bool {
        self.gate == Some(SetGate::Commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKEND: usize = 0;
    const FRONTEND: usize = 1;
    const SEARCH: usize = 2;

    /// A frontend after its backend, and a search that knows neither.
    fn shop() -> SetShift {
        let name = |text: &str| text.parse().unwrap();
        let order = |after: &[usize]| ModuleOrder {
            after: after.to_vec(),
            wave: 0,
        };
        let modules = [
            (name("backend"), order(&[])),
            (name("frontend"), order(&[BACKEND])),
            (name("search"), order(&[])),
        ];
        SetShift::new(modules, Duration::ZERO)
    }

    const BAKE: Duration = Duration::from_secs(600);

    /// A backend and its frontend in one region, and search in the next.
    fn two_regions() -> SetShift {
        let mut set = SetShift {
            bake: BAKE,
            ..shop()
        };
        set.modules[SEARCH].order = ModuleOrder {
            after: vec![BACKEND, FRONTEND],
            wave: 1,
        };
        set
    }

    fn free(set: &SetShift) -> Vec<usize> {
        (0..3).filter(|&n| set.turn(n) == SetTurn::Go).collect()
    }

    #[test]
    fn what_runs_ahead_of_it_all_runs_in_order_and_before_any_user_is_moved() {
        let mut set = shop();
        for n in 0..3 {
            set.comes_to(n, SetGate::Prepare);
        }
        assert_eq!(free(&set), [BACKEND, SEARCH]);
        set.comes_to(BACKEND, SetGate::Stage(0));
        assert_eq!(free(&set), [FRONTEND, SEARCH]);
        set.comes_to(FRONTEND, SetGate::Stage(0));
        assert_eq!(free(&set), [SEARCH], "it is not prepared yet");
        set.comes_to(SEARCH, SetGate::Stage(0));
        assert_eq!(free(&set), [BACKEND, SEARCH]);
    }

    #[test]
    fn a_stage_is_taken_in_the_order_of_after_and_by_all_before_the_next() {
        let mut set = shop();
        assert!(free(&set).is_empty(), "none has come to a gate");
        for n in 0..3 {
            set.comes_to(n, SetGate::Stage(0));
        }
        assert_eq!(free(&set), [BACKEND, SEARCH]);
        set.has_moved(BACKEND, 1);
        assert_eq!(
            free(&set),
            [BACKEND, FRONTEND, SEARCH],
            "it is watched beside it"
        );
        set.comes_to(BACKEND, SetGate::Stage(1));
        set.comes_to(SEARCH, SetGate::Stage(1));
        assert_eq!(free(&set), [FRONTEND], "it has not taken the first");
        set.comes_to(FRONTEND, SetGate::Stage(1));
        assert_eq!(free(&set), [BACKEND, SEARCH]);
    }

    #[test]
    fn none_ends_before_all_are_well() {
        let mut set = shop();
        for n in 0..3 {
            assert!(free(&set).is_empty());
            set.comes_to(n, SetGate::Commit);
        }
        assert_eq!(free(&set), [BACKEND, FRONTEND, SEARCH]);
        set.ends(FRONTEND, Some("late"));
        assert_eq!((set.recall(BACKEND), set.failure()), (None, None));
    }

    #[test]
    fn who_has_fewer_stages_left_holds_nobody_up() {
        let mut set = shop();
        set.comes_to(BACKEND, SetGate::Commit);
        set.comes_to(SEARCH, SetGate::Commit);
        set.comes_to(FRONTEND, SetGate::Stage(3));
        assert_eq!(free(&set), [FRONTEND]);
    }

    #[test]
    fn a_failure_turns_all_back_the_last_first() {
        let mut set = shop();
        for n in [BACKEND, FRONTEND] {
            set.comes_to(n, SetGate::Commit);
        }
        set.goes_back(SEARCH, "3 of 9 requests failed");
        let why = || "search: 3 of 9 requests failed".to_owned();
        assert_eq!(set.turn(FRONTEND), SetTurn::Back(why()));
        assert_eq!(
            set.turn(BACKEND),
            SetTurn::Wait,
            "users are on a frontend that needs it"
        );
        assert_eq!(set.recall(BACKEND), None);
        set.goes_back(FRONTEND, "told to");
        set.ends(FRONTEND, Some("told to"));
        assert_eq!(set.recall(BACKEND), Some(why()));
        assert_eq!(set.failure(), Some(&*why()), "the first is what counts");
    }

    #[test]
    fn who_fails_does_not_wait_and_takes_along_who_came_after() {
        let mut set = shop();
        for n in 0..3 {
            set.comes_to(n, SetGate::Stage(0));
        }
        set.has_moved(BACKEND, 1);
        set.goes_back(BACKEND, "slow");
        assert!(set.recall(FRONTEND).is_some() && set.recall(SEARCH).is_some());
    }

    #[test]
    fn a_region_waits_until_all_of_an_earlier_one_are_well() {
        let mut set = two_regions();
        for n in [BACKEND, FRONTEND] {
            set.comes_to(n, SetGate::Stage(0));
        }
        assert!(free(&set).is_empty(), "the other region is not prepared");
        set.comes_to(SEARCH, SetGate::Stage(0));
        assert_eq!(free(&set), [BACKEND]);
        set.comes_to(BACKEND, SetGate::Stage(1));
        set.comes_to(FRONTEND, SetGate::Stage(1));
        assert_eq!(free(&set), [BACKEND], "stages are taken within the region");
        set.comes_to(BACKEND, SetGate::Commit);
        set.has_moved(FRONTEND, 2);
        assert_eq!(free(&set), [FRONTEND], "it is watched still");
        set.comes_to(FRONTEND, SetGate::Commit);
        assert_eq!(free(&set), [SEARCH]);
        set.comes_to(SEARCH, SetGate::Stage(1));
        assert_eq!(free(&set), [SEARCH], "the first region holds nobody up");
        set.comes_to(SEARCH, SetGate::Commit);
        assert_eq!(free(&set), [BACKEND, FRONTEND, SEARCH]);
    }

    #[test]
    fn a_failure_turns_a_later_region_back_first() {
        let mut set = two_regions();
        for n in [BACKEND, FRONTEND] {
            set.comes_to(n, SetGate::Commit);
        }
        set.has_moved(SEARCH, 1);
        set.goes_back(SEARCH, "slow");
        let recalled = |set: &SetShift| (set.recall(BACKEND), set.recall(FRONTEND));
        assert_eq!(recalled(&set), (None, None));
        set.ends(SEARCH, Some("slow"));
        let why = Some("search: slow".to_owned());
        assert_eq!(recalled(&set), (None, why.clone()));
        set.ends(FRONTEND, Some("told to"));
        assert_eq!(set.recall(BACKEND), why);
    }

    #[test]
    fn every_region_but_the_last_is_watched_for_longer() {
        let set = two_regions();
        let bakes = [BACKEND, FRONTEND, SEARCH].map(|n| set.bake(n));
        assert_eq!(bakes, [BAKE, BAKE, Duration::ZERO]);
    }
}
