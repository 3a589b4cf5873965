//! Several apps' shifts as one: each shift is carried out by itself, and asks here when
//! it is its turn. `engine/set.rs` decides who may do what, and when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::attempt::reason;
use super::release::OnStage;
use crate::engine::set::SetShift;
use crate::engine::shift::{Milestone, Phase, Shift};
use crate::model::{SetGate, Strategy};

/// What the modules of a set know about each other while they shift.
#[derive(Debug, Clone)]
pub struct SetTable(Arc<Board>);

#[derive(Debug)]
struct Board {
    shift: Mutex<SetShift>,
    /// Notified whenever a module has said something.
    changed: watch::Sender<()>,
}

impl SetTable {
    pub fn new(shift: SetShift) -> Self {
        Self(Arc::new(Board {
            shift: Mutex::new(shift),
            changed: watch::Sender::new(()),
        }))
    }

    /// For the module with that index.
    pub fn seat(&self, module: usize) -> Seat {
        let table = self.clone();
        Seat { table, module }
    }

    /// Makes all modules go back in their order, although none failed.
    pub fn turn_back(&self, why: &str) {
        self.tell(|shift| shift.turns_back(why));
    }

    /// The first failure.
    pub fn failure(&self) -> Option<String> {
        self.shift().failure().map(str::to_owned)
    }

    /// Calls `on_stage` for each stage that all modules have taken, until it is dropped.
    pub async fn stages(&self, on_stage: &OnStage<'_>) {
        let mut told = 0;
        loop {
            let further = |shift: &mut SetShift| Some(shift.stages()).filter(|&now| now > told);
            told = self.once(further).await;
            on_stage(told);
        }
    }

    /// Waits until it is the jobs' turn to be moved.
    ///
    /// # Errors
    /// They stay where they are, for that reason.
    pub async fn jobs_turn(&self) -> Result<(), String> {
        let turn = |shift: &mut SetShift| shift.jobs_turn().taken();
        self.once(turn).await
    }

    /// Returns once the jobs must go back because a module failed.
    pub async fn jobs_recalled(&self) -> String {
        let failure = |shift: &mut SetShift| shift.failure().map(str::to_owned);
        self.once(failure).await
    }

    /// # Errors
    /// They must go back, for that reason.
    pub fn jobs_are_moved(&self) -> Result<(), String> {
        self.tell(SetShift::jobs_are_moved)
    }

    pub fn jobs_are_back(&self) {
        self.tell(SetShift::jobs_are_back);
    }

    fn tell<T>(&self, say: impl FnOnce(&mut SetShift) -> T) -> T {
        let said = say(&mut self.shift());
        self.0.changed.send_replace(());
        said
    }

    /// Waits until `find` finds something, and returns that.
    async fn once<T>(&self, find: impl Fn(&mut SetShift) -> Option<T>) -> T {
        let mut changed = self.0.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(found) = find(&mut self.shift()) {
                return found;
            }
            // The sender lives as long as this does.
            let _ = changed.changed().await;
        }
    }

    fn shift(&self) -> MutexGuard<'_, SetShift> {
        let shift = self.0.shift.lock();
        shift.unwrap_or_else(PoisonError::into_inner)
    }
}

/// One module's view of the table.
#[derive(Debug)]
pub struct Seat {
    table: SetTable,
    module: usize,
}

impl Seat {
    /// The strategy with the gates that its stages wait for, watched for as long as the
    /// set requires.
    pub fn laid_out(&self, strategy: Strategy) -> Strategy {
        let bake = self.table.shift().bake(self.module);
        strategy.with_gates().watched_longer(bake)
    }

    /// Waits at that gate until it is this module's turn.
    /// # Errors
    /// Another module failed; why, in words.
    pub async fn wait(&self, gate: SetGate) -> Result<(), String> {
        self.table.tell(|shift| shift.comes_to(self.module, gate));
        let turn = |shift: &mut SetShift| shift.turn(self.module).taken();
        self.table.once(turn).await
    }

    /// Returns once this module must go back because another failed.
    pub async fn recalled(&self) -> String {
        let recall = |shift: &mut SetShift| shift.recall(self.module);
        self.table.once(recall).await
    }

    /// Tells the table how far this module's shift is.
    pub fn hear(&self, now: &Shift) {
        match (now.milestone(), &now.phase) {
            (
                Milestone::Meeting(stage, _) | Milestone::Noting(stage) | Milestone::Moving(stage),
                _,
            ) => self.table.tell(|shift| shift.has_moved(self.module, stage)),
            (Milestone::Baking(stage), _) => {
                self.table
                    .tell(|shift| shift.has_moved(self.module, stage + 1));
            }
            (_, Phase::LookingBack { why, .. }) => {
                let why = reason(why);
                self.table.tell(|shift| shift.goes_back(self.module, &why));
            }
            _ => {}
        }
    }

    /// Tells the table that this shift is over; with a reason if its release did not go
    /// live.
    pub fn ends(&self, unless: Option<&str>) {
        self.table.tell(|shift| shift.ends(self.module, unless));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;
    use crate::engine::set::ModuleOrder;

    fn two() -> (SetTable, Seat, Seat) {
        let name = |text: &str| text.parse().unwrap();
        let order = |after| ModuleOrder { after, wave: 0 };
        let modules = [
            (name("backend"), order(vec![])),
            (name("frontend"), order(vec![0])),
        ];
        let table = SetTable::new(SetShift::new(modules, Duration::ZERO));
        let (backend, frontend) = (table.seat(0), table.seat(1));
        (table, backend, frontend)
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_its_turn_is() {
        let (_, backend, frontend) = two();
        let ready = async |seat: &Seat| {
            seat.wait(SetGate::Stage(0)).await?;
            seat.wait(SetGate::Commit).await
        };
        let (first, second) = tokio::join!(ready(&backend), ready(&frontend));
        assert_eq!((first, second), (Ok(()), Ok(())));
    }

    #[tokio::test]
    async fn a_failure_wakes_all() {
        let (table, backend, frontend) = two();
        let waits = async { frontend.wait(SetGate::Stage(0)).await.unwrap_err() };
        let fails = async {
            assert_eq!(frontend.recalled().now_or_never(), None);
            backend.ends(Some("no such image"));
        };
        let (why, ()) = tokio::join!(waits, fails);
        assert_eq!(why, "backend: no such image");
        assert_eq!(table.failure().as_ref(), Some(&why));
        assert_eq!(frontend.recalled().await, why);
    }
}
