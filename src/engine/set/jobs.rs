//! When a set's jobs are moved, and when they go back.

use super::{SetShift, SetTurn};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobsFate {
    /// They wait for all modules to be well.
    Due,
    /// Some may be moved.
    Moving,
    /// None is left to move, or all are back.
    Over,
}

impl SetShift {
    /// There are jobs to move.
    #[must_use]
    pub fn with_jobs(self) -> Self {
        Self {
            jobs: JobsFate::Due,
            ..self
        }
    }

    /// What the jobs are to do, which wait; from `Go` on they are being moved.
    pub fn jobs_turn(&mut self) -> SetTurn {
        if let Some(why) = &self.failure {
            let why = why.clone();
            self.jobs = JobsFate::Over;
            return SetTurn::Back(why);
        }
        match self.are_modules_well() {
            true => {
                self.jobs = JobsFate::Moving;
                SetTurn::Go
            }
            false => SetTurn::Wait,
        }
    }

    /// All are moved: whether the release is kept by that.
    ///
    /// # Errors
    /// A module has failed meanwhile, for that reason: they go back.
    pub fn jobs_are_moved(&mut self) -> Result<(), String> {
        match &self.failure {
            Some(why) => Err(why.clone()),
            None => {
                self.jobs = JobsFate::Over;
                self.commit();
                Ok(())
            }
        }
    }

    /// They are where they were, as far as they can be: modules follow.
    pub fn jobs_are_back(&mut self) {
        self.jobs = JobsFate::Over;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::set::ModuleOrder;
    use crate::model::SetGate;

    fn two_with_jobs() -> SetShift {
        let name = |text: &str| text.parse().unwrap();
        let order = |after| ModuleOrder { after, wave: 0 };
        let modules = [
            (name("backend"), order(vec![])),
            (name("frontend"), order(vec![0])),
        ];
        SetShift::new(modules, Duration::ZERO).with_jobs()
    }

    fn all_well() -> SetShift {
        let mut set = two_with_jobs();
        for n in 0..2 {
            assert_eq!(set.jobs_turn(), SetTurn::Wait);
            set.comes_to(n, SetGate::Commit);
        }
        set
    }

    #[test]
    fn jobs_are_moved_once_all_modules_are_well_and_ahead_of_their_end() {
        let mut set = all_well();
        assert_eq!(set.turn(0), SetTurn::Wait, "the jobs are not moved");
        assert_eq!(set.jobs_turn(), SetTurn::Go);
        assert_eq!(set.turn(0), SetTurn::Wait, "they are being moved");
        assert_eq!(set.jobs_are_moved(), Ok(()));
        assert_eq!([set.turn(0), set.turn(1)], [SetTurn::Go, SetTurn::Go]);
    }

    #[test]
    fn jobs_go_back_ahead_of_the_modules() {
        let mut set = all_well();
        assert_eq!(set.jobs_turn(), SetTurn::Go);
        set.turns_back("nightly: it is gone");
        assert_eq!((set.turn(0), set.turn(1)), (SetTurn::Wait, SetTurn::Wait));
        assert!(set.jobs_are_moved().is_err());
        set.jobs_are_back();
        let why = || SetTurn::Back("nightly: it is gone".to_owned());
        assert_eq!((set.turn(0), set.turn(1)), (SetTurn::Wait, why()));
        set.ends(1, Some("told to"));
        assert_eq!(set.turn(0), why());
    }

    #[test]
    fn jobs_stay_where_a_module_fails_first() {
        let mut set = two_with_jobs();
        set.goes_back(0, "slow");
        let why = || SetTurn::Back("backend: slow".to_owned());
        assert_eq!(set.jobs_turn(), why());
        assert_eq!(set.turn(1), why());
    }

    #[test]
    fn jobs_alone_are_moved_at_once() {
        let mut set = SetShift::new([], Duration::ZERO).with_jobs();
        assert_eq!(set.jobs_turn(), SetTurn::Go);
        assert_eq!(set.jobs_are_moved(), Ok(()));
    }
}
