//! What a release does under the leases of all its modules: prepare, join, shift.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;

use super::jobs::{self, JobResult};
use super::open::SetContext;
use super::result::{ModuleResult, ReleaseResult};
use super::status;
use crate::cli::{BuildFlags, ChangeFlags, Deploy, ReleaseArgs};
use crate::commands::{deploy, promote};
use crate::config::SetFile;
use crate::driver::attempt::SwapKind;
use crate::driver::job::SetJob;
use crate::driver::release::{HeldModule, Module, PlannedShift, shift_all};
use crate::driver::turn::Conclusion;
use crate::driver::unfinished;
use crate::engine::plan::{self as engine_plan, Aim, Refusal, SwapPlan};
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Command, OperationId, OperationOutcome};
use crate::model::{JobMove, ModulePlace, Observed, SetMark, Tag};
use crate::report::ReportEvent;

/// How long a module's release may take to start serving, as with `deploy`.
const TIMEOUT: Duration = Duration::from_secs(600);

/// What each module's turn ended with, and what is told of it all.
pub(super) type Worked = (Vec<Result<Exit>>, ReleaseResult);

/// Does it.
///
/// # Errors
/// An unfinished operation that cannot be dealt with; a module that could not join; none
/// was moved then.
pub(super) async fn work(
    it: Released<'_>,
    held: &mut [HeldModule<'_>],
    args: &ReleaseArgs,
) -> Result<Worked> {
    let (_, set, jobs) = it;
    for it in held.iter_mut() {
        let name = it.module.name();
        let met = unfinished::meet(&mut it.work(None), Command::Release.into()).await;
        met.map_err(|error| error.of_module(name))?;
    }
    let marks = marks(set, held);
    if args.rollback {
        return go_back(it, held, marks, args).await;
    }
    let Some(tag) = &args.tag else {
        return Err(Error::usage("give the release's tag: --tag TAG"));
    };
    let prepared = prepare(set, held, &marks, (tag, args)).await;
    let mut steps = Vec::new();
    if prepared.iter().all(Result::is_ok) {
        // A job may run an image that a module has built just now.
        let id = &marks[0].id;
        steps = jobs::prepare(jobs, tag, args, id).await;
    }
    if prepared.iter().any(Result::is_err) || steps.iter().any(Result::is_err) {
        let jobs = jobs.iter().zip(&steps);
        let jobs = jobs.map(|(job, step)| JobResult::prepared(job, step));
        let prepared_all = (&prepared[..], jobs.collect());
        let result = ReleaseResult::unprepared(&set.name, tag, held, prepared_all);
        let done = |it: Result<Preparation>| it.map(|_| Exit::Done);
        return Ok((prepared.into_iter().map(done).collect(), result));
    }
    let prepared: Vec<Preparation> = prepared.into_iter().flatten().collect();
    let steps: Vec<Option<JobMove>> = steps.into_iter().flatten().collect();
    let marks = with_jobs(marks, &steps);
    let mut shifts = Vec::new();
    for (it, mark) in held.iter_mut().zip(&marks) {
        let planned = |observed: &Observed| way_there(observed, tag);
        shifts.push(join(it, (Command::Promote, mark), args, planned).await?);
    }
    let asked = (SwapKind::Promote, Some(tag));
    shift(it, held, asked, (shifts, &steps, &marks), &prepared).await
}

/// What is released: for whom, and which jobs with it.
pub(super) type Released<'a> = (&'a SetContext<'a>, &'a SetFile, &'a [SetJob]);

/// What each module is to say of the release that it is a part of.
fn marks(set: &SetFile, held: &[HeldModule<'_>]) -> Vec<SetMark> {
    let id = id_of(held);
    let modules: Vec<ModulePlace> = held.iter().map(|it| it.module.place.clone()).collect();
    let mark = |it: &HeldModule<'_>| SetMark {
        set: set.name.clone(),
        id: id.clone(),
        module: it.module.name().clone(),
        modules: modules.clone(),
        jobs: Vec::new(),
    };
    held.iter().map(mark).collect()
}

/// The same, once it is known what is done to the jobs.
fn with_jobs(marks: Vec<SetMark>, steps: &[Option<JobMove>]) -> Vec<SetMark> {
    let jobs: Vec<JobMove> = steps.iter().flatten().cloned().collect();
    let marks = marks.into_iter().map(|mark| SetMark {
        jobs: jobs.clone(),
        ..mark
    });
    marks.collect()
}

/// Where jobs are moved and no module is: the first one writes that down, for whoever
/// finds it unfinished. Its users stay, and so it promotes nothing.
async fn stand_in(
    held: &[HeldModule<'_>],
    shifts: &[Option<PlannedShift>],
    marks: &[SetMark],
) -> Result<bool> {
    let is_needed = !marks[0].jobs.is_empty() && shifts.iter().all(Option::is_none);
    if is_needed {
        held[0]
            .join(Command::Deploy, marks[0].clone(), None)
            .await?;
    }
    Ok(is_needed)
}

async fn leave(held: &[HeldModule<'_>], stood_in: bool) -> Result<()> {
    if stood_in {
        let done = Conclusion::of(OperationOutcome::Done);
        held[0].turn.close(done).await?;
    }
    Ok(())
}

/// What became of a module ahead of the shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preparation {
    /// It is left alone.
    LiveAlready,
    /// It serves the release; the first one of a module is live by that.
    Deployed,
}

/// The release's, the same in all modules.
fn id_of(held: &[HeldModule<'_>]) -> OperationId {
    let now = held.iter().map(|it| it.module.session.aws.journal_time());
    let now = now.max().unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    OperationId::new(now, fastrand::u32(..))
}

/// Has every module serve its release on its idle colour, side by side.
async fn prepare(
    set: &SetFile,
    held: &mut [HeldModule<'_>],
    marks: &[SetMark],
    asked: (&Tag, &ReleaseArgs),
) -> Vec<Result<Preparation>> {
    let preparing = held.iter_mut().zip(marks).map(async |(it, mark)| {
        let name = it.module.name();
        let done = prepare_one(set, it, mark, asked).await;
        done.map_err(|error| error.of_module(name))
    });
    join_all(preparing).await
}

async fn prepare_one(
    set: &SetFile,
    it: &mut HeldModule<'_>,
    mark: &SetMark,
    (tag, args): (&Tag, &ReleaseArgs),
) -> Result<Preparation> {
    let session = &it.module.session;
    if it.work(None).observe().await?.is_live(tag) {
        let alone = format!("tag {tag} is live already: it is left alone");
        session.report.tell(&ReportEvent::Done(alone));
        return Ok(Preparation::LiveAlready);
    }
    it.begin(Command::Deploy, mark.clone());
    let deploy = deployment(set, it.module, tag, args);
    Box::pin(deploy::within(it.work(None), &deploy)).await?;
    if !it.turn.operation().entries.is_empty() {
        let done = Conclusion::of(OperationOutcome::Done);
        it.turn.close(done).await?;
    }
    Ok(Preparation::Deployed)
}

/// As it would be typed.
pub(super) fn deployment(set: &SetFile, module: &Module, tag: &Tag, args: &ReleaseArgs) -> Deploy {
    let mut images = args.image.iter();
    let image = images.find(|it| it.module == *module.name());
    let image = image.map(|it| it.image.clone());
    Deploy {
        context: context_of(set, module).filter(|_| image.is_none()),
        tag: Some(tag.clone()),
        color: None,
        image,
        allow_live: false,
        force: false,
        diff: false,
        blind: false,
        timeout: TIMEOUT,
        change: ChangeFlags::default(),
        build: BuildFlags::default(),
    }
}

fn context_of(set: &SetFile, module: &Module) -> Option<PathBuf> {
    let mut all = set.modules.iter();
    all.find(|it| it.name == *module.name())?.context.clone()
}

/// What a module's users are to do, written down as a part of the release; none where
/// they stay.
async fn join(
    it: &mut HeldModule<'_>,
    (command, mark): (Command, &SetMark),
    args: &ReleaseArgs,
    plan: impl Fn(&Observed) -> Result<Option<SwapPlan>>,
) -> Result<Option<PlannedShift>> {
    let name = it.module.name();
    let joining = async {
        let observed = it.work(None).observe().await?;
        let Some(plan) = plan(&observed)? else {
            return Ok(None);
        };
        it.join(command, mark.clone(), Some((&observed, plan)))
            .await?;
        Ok(Some(PlannedShift {
            watching: promote::watching_of(&it.module.session, &args.promotion()),
            observed,
            plan,
        }))
    };
    joining.await.map_err(|error: Error| error.of_module(name))
}

/// None where it is live already.
fn way_there(observed: &Observed, tag: &Tag) -> Result<Option<SwapPlan>> {
    let aim = Aim::Tag {
        tag: tag.clone(),
        on: None,
    };
    needed(observed, engine_plan::promote(observed, &aim))
}

fn needed(observed: &Observed, plan: Result<SwapPlan, Refusal>) -> Result<Option<SwapPlan>> {
    let plan = plan.map_err(|refusal| Error::from(refusal).untouched(observed))?;
    Ok(Some(plan).filter(|plan| !matches!(plan, SwapPlan::NothingToDo { .. })))
}

async fn go_back(
    it: Released<'_>,
    held: &mut [HeldModule<'_>],
    marks: Vec<SetMark>,
    args: &ReleaseArgs,
) -> Result<Worked> {
    let (_, set, jobs) = it;
    let last = last_of(set, held.iter().map(|it| it.module)).await?;
    let steps = jobs::way_back(jobs, &last).await?;
    let marks = with_jobs(marks, &steps);
    let mut shifts = Vec::new();
    for (it, mark) in held.iter_mut().zip(&marks) {
        if !last.modules.contains(it.module.name()) {
            shifts.push(None);
            continue;
        }
        let planned = |observed: &Observed| way_back(observed, &last);
        shifts.push(join(it, (Command::Rollback, mark), args, planned).await?);
    }
    let untouched = vec![Preparation::LiveAlready; held.len()];
    let asked = (SwapKind::Rollback, None);
    shift(it, held, asked, (shifts, &steps, &marks), &untouched).await
}

/// None where it is back already.
///
/// # Errors
/// Another release is live than the set's last.
pub(super) fn way_back(
    observed: &Observed,
    last: &status::LastRelease,
) -> Result<Option<SwapPlan>> {
    let plan = needed(observed, engine_plan::rollback(observed))?;
    match &last.tag {
        Some(tag) if plan.is_some() && !observed.is_live(tag) => Err(Error::refused(format!(
            "{}, and the last release of the set was tag {tag}: it was changed since",
            observed.traffic_line()
        ))
        .hint("`bgecs rollback` in its folder goes back in that module alone")),
        _ => Ok(plan),
    }
}

/// # Errors
/// There is none (exit 6).
pub(super) async fn last_of(
    set: &SetFile,
    modules: impl Iterator<Item = &Module>,
) -> Result<status::LastRelease> {
    let last = status::last_release(&set.name, modules).await?;
    last.ok_or_else(|| {
        Error::refused(format!(
            "there is no release of the set {} to go back from",
            set.name
        ))
        .hint("`bgecs release status` shows what each module runs")
    })
}

async fn shift(
    (context, set, jobs): Released<'_>,
    held: &mut [HeldModule<'_>],
    (kind, tag): (SwapKind, Option<&Tag>),
    (shifts, steps, marks): (Vec<Option<PlannedShift>>, &[Option<JobMove>], &[SetMark]),
    prepared: &[Preparation],
) -> Result<Worked> {
    let stood_in = stand_in(held, &shifts, marks).await?;
    let is_joined: Vec<bool> = shifts.iter().map(Option::is_some).collect();
    let mut interrupts = context.signals.listen()?;
    let how = (kind, set.regions);
    let moving = jobs::moving(jobs, steps);
    let shifts = (shifts, &moving[..]);
    let end = shift_all(held, how, shifts, &mut interrupts, context.on_stage).await;
    let mut modules = Vec::new();
    let mut results = Vec::new();
    let all = held.iter_mut().zip(end.modules);
    for (((it, ended), prepared), is_joined) in all.zip(prepared).zip(is_joined) {
        // Who has lost the lease meanwhile has to say so: nobody wrote down its end.
        let kept = match is_joined {
            true => it.turn.did().await,
            false => Ok(()),
        };
        let traffic = it.work(None).observe().await.map(|now| now.traffic_line());
        let traffic = traffic.unwrap_or_else(|_| "unknown: it cannot be read".to_owned());
        let result = ModuleResult::of(it.module, ended.as_ref(), traffic);
        modules.push(match (&ended, prepared) {
            (None, Preparation::Deployed) => result.made_live(),
            _ => match kept {
                Err(stop) if matches!(ended, Some(Ok(_))) => result.unwritten(stop.to_string()),
                _ => result,
            },
        });
        results.push(match ended {
            Some(Err(error)) => Err(error),
            _ => Ok(Exit::Done),
        });
    }
    let result = ReleaseResult::shifted(
        &set.name,
        kind,
        tag,
        (modules, jobs::results(jobs, steps, &end.jobs)),
        (end.failure, end.is_interrupted),
    );
    leave(held, stood_in).await?;
    Ok((results, result))
}
