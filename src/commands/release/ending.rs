//! Ends the release of a set whose process is gone: it is finished in all modules or
//! taken back in all. The modules' journals say which.

use std::time::Duration;

use super::jobs::{self, JobResult};
use super::open::SetContext;
use super::result::{ModuleResult, ReleaseResult};
use super::{listed, status, tell, width};
use crate::cli::Global;
use crate::driver::job::{JobEnd, MovingJob, bring_all_on, put_all_back};
use crate::driver::release::{HeldModule, Module, hold_all, let_go_all};
use crate::driver::turn;
use crate::driver::unfinished;
use crate::driver::watching::Watching;
use crate::engine::set::{KilledEnd, ReleaseStanding, in_order};
use crate::engine::unfinished::Course;
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Command, Head, Operation, OperationId};
use crate::model::{Infrastructure, JobMove, ModulePlace, SetMark};
use crate::report::{Audience, ReportEvent, Reporter};
use crate::session::Session;

/// Ends the release of a set that this app's last operation is a part of, if any
/// module has not ended it. None where there is nothing of the kind.
///
/// # Errors
/// A journal that cannot be read; a module that is not to be found here; another's
/// lease.
pub async fn end_unfinished(
    global: &Global,
    audience: Audience,
    session: &Session,
    infrastructure: &Infrastructure,
    wait: Option<Duration>,
) -> Result<Option<Exit>> {
    let Some((mark, is_own_unfinished)) = last_mark(session, infrastructure).await? else {
        return Ok(None);
    };
    let report = Reporter::new(audience);
    let context = SetContext::of_person(global, &report);
    let modules = match reopen_beside(&context, &mark, own_place(session, &mark)).await {
        Ok(modules) => modules,
        Err(error) if is_own_unfinished => return Err(error),
        Err(error) => {
            let unseen = format!(
                "whether the last release of the set {} has ended in all modules cannot be seen: {}",
                mark.set, error.message
            );
            session.report.tell(&ReportEvent::Warning(unseen));
            return Ok(None);
        }
    };
    if !is_unfinished(&modules, &mark).await? {
        return Ok(None);
    }
    let ended = end(&context, &modules, &mark, wait).await?;
    Ok(Some(tell(&report, &ended)))
}

/// This app's, wherever it was when the release began.
fn own_place(session: &Session, mark: &SetMark) -> ModulePlace {
    ModulePlace {
        name: mark.module.clone(),
        app: session.app().to_owned(),
        after: Vec::new(),
        config: session.config.path.clone(),
        environment: session.config.environment.clone(),
        region: session.aws.region().to_owned(),
        profile: None,
    }
}

/// The mark of the unfinished operation here, or else of the last one that ended.
async fn last_mark(
    session: &Session,
    infrastructure: &Infrastructure,
) -> Result<Option<(SetMark, bool)>> {
    let table = infrastructure.journal_table();
    let unfinished = session.aws.read_head(table).await?.operation;
    let is_unfinished = unfinished.is_some();
    let last = match unfinished {
        Some(operation) => Some(operation),
        None => session.aws.read_history(table, 1).await?.pop(),
    };
    let mark = last.and_then(|operation| operation.set);
    Ok(mark.map(|mark| (mark, is_unfinished)))
}

async fn head(module: &Module) -> Result<Head> {
    let table = module.infrastructure.journal_table();
    Ok(module.session.aws.read_head(table).await?)
}

async fn is_unfinished(modules: &[Module], mark: &SetMark) -> Result<bool> {
    for it in modules {
        if part_of(head(it).await?.operation.as_ref(), &mark.id).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn reopen_all(
    context: &SetContext<'_>,
    mark: &SetMark,
    known: &[ModulePlace],
) -> Result<Vec<Module>> {
    let width = width(mark.modules.iter().map(|it| &it.name));
    let mut modules = Vec::new();
    for place in &mark.modules {
        modules.push(context.reopen(place, known, width).await?);
    }
    Ok(modules)
}

/// The same for who stands in one module's folder, and reached its account: what was
/// released by the same profile is reached in the same way, and all else by its own.
async fn reopen_beside(
    context: &SetContext<'_>,
    mark: &SetMark,
    own: ModulePlace,
) -> Result<Vec<Module>> {
    let was = mark.modules.iter().find(|it| it.name == mark.module);
    let width = width(mark.modules.iter().map(|it| &it.name));
    let known = [own];
    let mut modules = Vec::new();
    for place in &mark.modules {
        let mut place = place.clone();
        let mut global = context.global.clone();
        match was.is_some_and(|was| was.profile == place.profile) {
            true => place.profile = None,
            false => global.profile = None,
        }
        let beside = SetContext {
            global: &global,
            ..*context
        };
        modules.push(beside.reopen(&place, &known, width).await?);
    }
    Ok(modules)
}

/// What an earlier release left unfinished in one of these, by a process that is gone.
///
/// # Errors
/// A journal that cannot be read.
pub(super) async fn abandoned(modules: &[Module]) -> Result<Option<SetMark>> {
    for module in modules {
        let head = head(module).await?;
        let is_at_work = turn::held(&head, module.session.aws.journal_time()).is_some();
        if let Some(mark) = head.operation.and_then(|it| it.set)
            && !is_at_work
        {
            return Ok(Some(mark));
        }
    }
    Ok(None)
}

/// Ends what an earlier release left unfinished in any of these.
///
/// # Errors
/// As [`end_unfinished`]; one that did not end well.
pub(super) async fn end_what_is_unfinished(
    context: &SetContext<'_>,
    modules: &[Module],
    wait: Option<Duration>,
) -> Result<()> {
    let known: Vec<ModulePlace> = modules.iter().map(|it| it.place.clone()).collect();
    while let Some(mark) = abandoned(modules).await? {
        context.report.tell(&ReportEvent::Warning(format!(
            "the release {} of the set {} is unfinished: it ends first",
            mark.id, mark.set
        )));
        let reopened = reopen_all(context, &mark, &known).await?;
        let ended = end(context, &reopened, &mark, wait).await?;
        if let Some(error) = ended.error() {
            return Err(error);
        }
        let sentence = ended.in_a_sentence();
        context.report.tell(&ReportEvent::Done(sentence));
    }
    Ok(())
}

async fn end(
    context: &SetContext<'_>,
    modules: &[Module],
    mark: &SetMark,
    wait: Option<Duration>,
) -> Result<ReleaseResult> {
    let width = width(mark.modules.iter().map(|it| &it.name));
    let mut jobs = Vec::new();
    for it in &mark.jobs {
        jobs.push(context.reopen_job(&it.job, width).await?);
    }
    let steps: Vec<Option<JobMove>> = mark.jobs.iter().cloned().map(Some).collect();
    let moving = jobs::moving(&jobs, &steps);
    let mut held = hold_all(modules, wait, context.signals).await?;
    let ended = Box::pin(end_all(&mut held, mark, &moving)).await;
    let results: Vec<Result<Exit>> = held.iter().map(|_| Ok(Exit::Done)).collect();
    let_go_all(held.into_iter().zip(results)).await;
    ended
}

/// What is unfinished of that release.
fn part_of<'a>(operation: Option<&'a Operation>, release: &OperationId) -> Option<&'a Operation> {
    operation.filter(|it| it.set.as_ref().is_some_and(|its| its.id == *release))
}

/// How far each module had come.
///
/// # Errors
/// A journal that cannot be read.
async fn standings(held: &mut [HeldModule<'_>], mark: &SetMark) -> Result<Vec<ReleaseStanding>> {
    let mut all = Vec::new();
    for it in held {
        all.push(match part_of(it.turn.unfinished(), &mark.id).cloned() {
            Some(operation) => {
                let is_way_back = operation.command == Command::Rollback;
                ReleaseStanding::Unfinished {
                    is_way_back,
                    turned: operation.was_going_back(),
                    // Of what goes forward nobody asks.
                    has_moved: match operation.was_live() {
                        Some(from) if is_way_back => {
                            it.work(None).observe().await?.live_color() != Some(from)
                        }
                        _ => false,
                    },
                }
            }
            None => status::standing(it.module, &mark.id).await?,
        });
    }
    Ok(all)
}

/// Jobs are the last to go on, and the first to go back.
async fn end_all(
    held: &mut [HeldModule<'_>],
    mark: &SetMark,
    jobs: &[MovingJob<'_>],
) -> Result<ReleaseResult> {
    let standings = standings(held, mark).await?;
    let killed = KilledEnd::of(&standings);
    let is_forward = killed.is_forward;
    let after: Vec<&[usize]> = mark.modules.iter().map(|it| &*it.after).collect();
    let mut order = in_order(&after);
    if killed.is_reversed() {
        order.reverse();
    }
    let course = match (is_forward, killed.is_way_back) {
        (true, false) => Course::AsItIs,
        (true, true) => Course::Onward,
        (false, _) => Course::TakeBack,
    };
    let mut ends = match is_forward {
        true => Vec::new(),
        false => put_all_back(jobs).await,
    };
    let mut modules: Vec<Option<ModuleResult>> = held.iter().map(|_| None).collect();
    for n in order {
        let it = &mut held[n];
        let Some(operation) = part_of(it.turn.unfinished(), &mark.id).cloned() else {
            continue;
        };
        let stays = killed.is_way_back && !is_forward;
        let moves_users = operation.command != Command::Deploy && !stays;
        let watching = Watching::of_operation(&operation, &it.module.session.config.probe);
        let module = it.module;
        let mut work = it.work(None);
        let ending = unfinished::end(&mut work, operation, course, &watching);
        let settled = Box::pin(ending).await;
        modules[n] = Some(ModuleResult::settled(module, settled, moves_users));
    }
    let mut told = Vec::new();
    for ((it, ended), standing) in held.iter_mut().zip(modules).zip(standings) {
        told.push(match ended {
            Some(ended) => ended,
            None => {
                let now = it.work(None).observe().await?;
                ModuleResult::stood(it.module, standing, now.traffic_line())
            }
        });
    }
    if is_forward {
        ends = match told.iter().all(ModuleResult::is_well) {
            true => bring_all_on(jobs).await,
            // They go with all of them, or with none.
            false => jobs.iter().map(|_| JobEnd::Stayed).collect(),
        };
    }
    let jobs = jobs.iter().zip(&ends);
    let jobs = jobs.map(|(it, end)| JobResult::of(it, end)).collect();
    Ok(ReleaseResult::ended(mark, killed, (told, jobs)))
}

/// What of a set is unfinished, for whoever asks what `resume` would do.
///
/// # Errors
/// The set's release is unfinished in this module (exit 6).
pub fn refuse_alone(operation: &Operation) -> Result<()> {
    match &operation.set {
        None => Ok(()),
        Some(mark) => Err(Error::refused(format!(
            "{}: `bgecs resume` ends it in all modules, {}, and not in one",
            mark.unfinished(),
            listed(mark.modules.iter().map(|it| &it.name))
        ))
        .hint("`bgecs history` shows what each has done; nothing plans several modules ahead")),
    }
}
