//! The release of a set: takes the leases of all its modules, and shifts them as one.
//! `engine/set.rs` decides which module may do what, and when.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc::UnboundedSender;

use super::attempt::SwapKind;
use super::job::{JobEnd, MovingJob, shift_jobs};
use super::set::{Seat, SetTable};
use super::swap::{self, SwapEnd};
use super::turn::Turn;
use super::under_lease;
use super::watching::Watching;
use super::work::Work;
use crate::engine::plan::SwapPlan;
use crate::engine::set::{ModuleOrder, SetShift, among, waves};
use crate::error::{Error, Exit, Result};
use crate::interrupt::{Interrupts, Signal, Signals};
use crate::model::journal::{Command, Effect, OperationId};
use crate::model::{Infrastructure, ModulePlace, Observed, RegionOrder, SetMark, SetName};
use crate::session::Session;

/// One app of a set.
pub struct Module {
    pub place: ModulePlace,
    pub session: Session,
    pub infrastructure: Infrastructure,
}

impl Module {
    pub fn name(&self) -> &SetName {
        &self.place.name
    }

    /// The order in which leases are taken, the same for every set. Two apps of the same
    /// name in different accounts have the same rank.
    fn rank(&self) -> (&str, &str) {
        let table = self.infrastructure.journal_table();
        (&self.place.region, table)
    }
}

/// A module whose lease is held.
pub struct HeldModule<'a> {
    pub module: &'a Module,
    pub turn: Turn,
    interrupts: Interrupts,
}

impl HeldModule<'_> {
    pub fn work<'w>(&'w mut self, seat: Option<&'w Seat>) -> Work<'w> {
        Work {
            session: &self.module.session,
            infrastructure: &self.module.infrastructure,
            turn: &self.turn,
            interrupts: &mut self.interrupts,
            seat,
        }
    }

    /// Begins the part of that release that moves users, and writes it down before any
    /// move. So the release can be found from every module, and each module says what is
    /// to become of its users even if their turn never came.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn join(
        &self,
        command: Command,
        mark: SetMark,
        shift: Option<(&Observed, SwapPlan)>,
    ) -> Result<()> {
        let set = mark.set.clone();
        self.begin(command, mark);
        if let Some((observed, plan)) = shift {
            swap::describe(&self.turn, observed, plan);
        }
        Ok(self.turn.about_to(Effect::JoinSet { set }).await?)
    }

    /// Begins an operation that is part of that release.
    pub fn begin(&self, command: Command, mark: SetMark) {
        let now = self.module.session.aws.journal_time();
        self.turn.describe(|operation| {
            operation.id = OperationId::new(now, fastrand::u32(..));
            operation.began = now;
            operation.command = command;
            operation.set = Some(mark);
        });
    }
}

/// Takes all leases one after the other, in an order that is the same for every set, so
/// that two sets that share modules never wait for each other.
///
/// # Errors
/// As [`under_lease::hold`], and as [`in_lease_order`]; then no lease is held.
pub async fn hold_all(
    modules: &[Module],
    wait: Option<Duration>,
    signals: Signals,
) -> Result<Vec<HeldModule<'_>>> {
    let mut held: Vec<(usize, HeldModule<'_>)> = Vec::new();
    for n in in_lease_order(modules).await? {
        match hold(&modules[n], wait, signals).await {
            Ok(it) => held.push((n, it)),
            Err(error) => {
                let told = error.of_module(modules[n].name());
                let earlier = held.into_iter().map(|(_, it)| (it, Ok(Exit::Done)));
                let_go_all(earlier).await;
                return Err(told);
            }
        }
    }
    held.sort_by_key(|(n, _)| *n);
    Ok(held.into_iter().map(|(_, it)| it).collect())
}

/// Asks for the account only if it decides the order.
///
/// # Errors
/// Two modules that are the same app: each would find the other's lease in its way.
async fn in_lease_order(modules: &[Module]) -> Result<Vec<usize>> {
    let mut ranked = Vec::new();
    for (n, it) in modules.iter().enumerate() {
        let alike = modules.iter().filter(|other| other.rank() == it.rank());
        let account = match alike.count() {
            1 => None,
            _ => Some(it.session.aws.caller().await?.account),
        };
        ranked.push(((it.rank(), account), n));
    }
    ranked.sort();
    for two in ranked.windows(2) {
        if let [(one, n), (other, m)] = two
            && one == other
        {
            let [one, other] = [&modules[*n], &modules[*m]];
            return Err(Error::usage(format!(
                "the modules {} and {} are the same app, {}: their profiles are for the same account",
                one.name(),
                other.name(),
                one.session.app()
            )));
        }
    }
    Ok(ranked.into_iter().map(|(_, n)| n).collect())
}

async fn hold(module: &Module, wait: Option<Duration>, signals: Signals) -> Result<HeldModule<'_>> {
    let mut interrupts = signals.listen()?;
    let (session, infra) = (&module.session, &module.infrastructure);
    let turn = under_lease::hold(session, infra, Command::Release, wait, &mut interrupts);
    Ok(HeldModule {
        turn: turn.await?,
        module,
        interrupts,
    })
}

/// Releases the leases, with the result of each module as the last word in its journal.
pub async fn let_go_all(held: impl IntoIterator<Item = (HeldModule<'_>, Result<Exit>)>) {
    let all = held.into_iter().map(async |(it, result)| {
        under_lease::let_go(&it.module.session, it.turn, &result).await;
    });
    join_all(all).await;
}

/// What the users of one module do in the set's shift.
pub struct PlannedShift {
    pub observed: Observed,
    pub plan: SwapPlan,
    pub watching: Watching,
}

/// How the shift of a set ended.
pub struct SetEnd {
    /// One for each module, if it had a shift.
    pub modules: Vec<Option<Result<SwapEnd>>>,
    /// One for each job that was to be moved.
    pub jobs: Vec<JobEnd>,
    /// What failed first, if not all went live.
    pub failure: Option<String>,
    /// Whether a person stopped it.
    pub is_interrupted: bool,
}

/// Called with the number of stages that the users of all modules have taken.
pub type OnStage<'a> = dyn Fn(usize) + Sync + 'a;

const INTERRUPTED: &str = "interrupted";

/// The first interrupt makes all modules go back in their order; further ones are passed
/// to each module.
async fn pass_on(
    interrupts: &mut Interrupts,
    table: &SetTable,
    modules: &[UnboundedSender<Signal>],
) {
    interrupts.next().await;
    table.turn_back(INTERRUPTED);
    loop {
        let signal = interrupts.next().await;
        for module in modules {
            // A module that has ended no longer listens.
            let _ = module.send(signal);
        }
    }
}

/// Moves the users of all modules as one: if one module does not go live, none does.
pub async fn shift_all(
    held: &mut [HeldModule<'_>],
    (kind, regions): (SwapKind, RegionOrder),
    (shifts, jobs): (Vec<Option<PlannedShift>>, &[MovingJob<'_>]),
    interrupts: &mut Interrupts,
    on_stage: &OnStage<'_>,
) -> SetEnd {
    let moves = |it: &Option<PlannedShift>| {
        let plan = it.as_ref().map(|it| it.plan);
        matches!(plan, Some(SwapPlan::Swap { .. }))
    };
    let moving: Vec<bool> = shifts.iter().map(moves).collect();
    let seated: Vec<usize> = (0..held.len()).filter(|&n| moving[n]).collect();
    let table = match seat(held, &moving, kind, regions) {
        shift if jobs.is_empty() => SetTable::new(shift),
        shift => SetTable::new(shift.with_jobs()),
    };
    let (tellers, relayed): (Vec<_>, Vec<_>) = held.iter().map(|_| Interrupts::relayed()).unzip();
    let running = held.iter_mut().zip(shifts).zip(relayed).enumerate();
    let running = running.map(async |(n, ((it, shift), mut relayed))| {
        let shift = shift?;
        let seat = seated.iter().position(|&it| it == n);
        let seat = seat.map(|place| table.seat(place));
        let work = Work {
            interrupts: &mut relayed,
            ..it.work(seat.as_ref())
        };
        let PlannedShift {
            observed,
            plan,
            watching,
        } = shift;
        let end = Box::pin(swap::run(work, kind, observed, plan, watching)).await;
        if let Some(seat) = &seat {
            seat.ends(failure_of(&end).as_deref());
        }
        Some(end)
    });
    let jobs = async {
        match jobs.is_empty() {
            true => Vec::new(),
            false => shift_jobs(&table, jobs).await,
        }
    };
    let mut all = Box::pin(async { tokio::join!(join_all(running), jobs) });
    let passing_on = async {
        tokio::join!(
            table.stages(on_stage),
            pass_on(interrupts, &table, &tellers)
        )
    };
    let (modules, jobs) = tokio::select! {
        ended = &mut all => ended,
        _ = passing_on => all.await,
    };
    let failure = table.failure();
    SetEnd {
        modules,
        jobs,
        is_interrupted: failure.as_deref() == Some(INTERRUPTED),
        failure,
    }
}

/// The modules that move, in their order. On the way back from a release, no region waits
/// until another has been watched.
fn seat(
    held: &[HeldModule<'_>],
    moving: &[bool],
    kind: SwapKind,
    regions: RegionOrder,
) -> SetShift {
    let after: Vec<&[usize]> = held.iter().map(|it| &*it.module.place.after).collect();
    let order = among(&after, moving, kind == SwapKind::Rollback);
    let movers = held.iter().zip(moving).filter(|(_, moves)| **moves);
    let movers: Vec<&ModulePlace> = movers.map(|(it, _)| &it.module.place).collect();
    let waves = match (regions, kind) {
        (RegionOrder::InTurn(_), SwapKind::Promote) => {
            let regions: Vec<&str> = movers.iter().map(|it| &*it.region).collect();
            waves(&regions)
        }
        _ => vec![0; movers.len()],
    };
    let orders = order.into_iter().zip(waves);
    let orders = orders.map(|(after, wave)| ModuleOrder { after, wave });
    let names = movers.iter().map(|it| it.name.clone());
    SetShift::new(names.zip(orders), regions.bake())
}

/// Why a module's shift did not make its release live.
fn failure_of(end: &Result<SwapEnd>) -> Option<String> {
    match end {
        Ok(SwapEnd::Tried(swapped)) => swapped.error().map(|error| error.message),
        Ok(SwapEnd::Nothing { .. } | SwapEnd::MadeLive { .. }) => None,
        Err(error) => Some(error.message.clone()),
    }
}

impl Error {
    /// Prefixes the module's name.
    #[must_use]
    pub fn of_module(self, module: &SetName) -> Self {
        Self {
            message: format!("{module}: {}", self.message),
            ..self
        }
    }
}
