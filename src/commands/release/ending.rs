//! The release of a set whose process is gone: brought to its end in all modules, or
//! taken back in all. The first module that was written down as live says which.

use super::open::SetContext;
use super::result::{ModuleResult, ReleaseResult};
use super::{status, tell};
use crate::cli::Global;
use crate::driver::release::{HeldModule, Module, hold_all, let_go_all};
use crate::driver::unfinished;
use crate::driver::watching::Watching;
use crate::engine::set::in_order;
use crate::engine::unfinished::Course;
use crate::error::{Exit, Result};
use crate::model::SetMark;
use crate::model::journal::{Command, Operation};
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
) -> Result<Option<Exit>> {
    let Some((mark, is_own_unfinished)) = last_mark(session).await? else {
        return Ok(None);
    };
    let report = Reporter::new(audience);
    let context = SetContext {
        global,
        report: &report,
    };
    let modules = match reopen_all(&context, &mark).await {
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
    let ended = end(&modules, &mark).await?;
    Ok(Some(tell(&report, &ended)))
}

/// Of what is unfinished here, or else of what ended last.
async fn last_mark(session: &Session) -> Result<Option<(SetMark, bool)>> {
    let infrastructure = session.infrastructure().await?;
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

async fn is_unfinished(modules: &[Module], mark: &SetMark) -> Result<bool> {
    for it in modules {
        let table = it.infrastructure.journal_table();
        let head = it.session.aws.read_head(table).await?;
        let its = head.operation.and_then(|operation| operation.set);
        if its.is_some_and(|its| its.id == mark.id) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn reopen_all(context: &SetContext<'_>, mark: &SetMark) -> Result<Vec<Module>> {
    let width = mark.modules.iter().map(|it| it.name.as_str().len()).max();
    let mut modules = Vec::new();
    for place in &mark.modules {
        modules.push(context.reopen(place, width.unwrap_or_default()).await?);
    }
    Ok(modules)
}

/// Ends what an earlier release left unfinished in any of these.
///
/// # Errors
/// As [`end_unfinished`]; one that did not end well.
pub(super) async fn end_what_is_unfinished(
    context: &SetContext<'_>,
    modules: &[Module],
) -> Result<()> {
    for module in modules {
        let table = module.infrastructure.journal_table();
        let head = module.session.aws.read_head(table).await?;
        let Some(mark) = head.operation.and_then(|it| it.set) else {
            continue;
        };
        context.report.tell(&ReportEvent::Warning(format!(
            "the release {} of the set {} is unfinished: it ends first",
            mark.id, mark.set
        )));
        let ended = end(&reopen_all(context, &mark).await?, &mark).await?;
        if let Some(error) = ended.error() {
            return Err(error);
        }
        context
            .report
            .tell(&ReportEvent::Done(ended.in_a_sentence()));
    }
    Ok(())
}

async fn end(modules: &[Module], mark: &SetMark) -> Result<ReleaseResult> {
    let mut held = hold_all(modules, None).await?;
    let ended = end_all(&mut held, mark).await;
    let results: Vec<Result<Exit>> = held.iter().map(|_| Ok(Exit::Done)).collect();
    let_go_all(held.into_iter().zip(results)).await;
    ended
}

/// Forward where a module is live by it already, and where it is itself a way back.
async fn end_all(held: &mut [HeldModule<'_>], mark: &SetMark) -> Result<ReleaseResult> {
    let live = status::live_by(held.iter().map(|it| it.module), mark).await?;
    let unfinished = |it: &HeldModule<'_>| -> Option<Operation> {
        let operation = it.turn.unfinished()?;
        let is_part = operation.set.as_ref().is_some_and(|it| it.id == mark.id);
        is_part.then(|| operation.clone())
    };
    let is_way_back = |it: &HeldModule<'_>| {
        unfinished(it).is_some_and(|operation| operation.command == Command::Rollback)
    };
    let is_forward = !live.is_empty() || held.iter().any(is_way_back);
    let after: Vec<&[usize]> = mark.modules.iter().map(|it| &*it.after).collect();
    let mut order = in_order(&after);
    let course = match is_forward {
        true => Course::AsItIs,
        false => {
            order.reverse();
            Course::TakeBack
        }
    };
    let mut modules: Vec<Option<ModuleResult>> = held.iter().map(|_| None).collect();
    for n in order {
        let it = &mut held[n];
        let Some(operation) = unfinished(it) else {
            continue;
        };
        let watching = Watching::of_operation(&operation, &it.module.session.config.probe);
        let module = it.module;
        let mut work = it.work(None);
        let ending = unfinished::end(&mut work, operation, course, &watching);
        let settled = Box::pin(ending).await;
        modules[n] = Some(ModuleResult::settled(module, settled));
    }
    let mut told = Vec::new();
    for (it, ended) in held.iter_mut().zip(modules) {
        told.push(match ended {
            Some(ended) => ended,
            None => {
                let now = it.work(None).observe().await?;
                ModuleResult::of(it.module, None, now.traffic_line())
            }
        });
    }
    Ok(ReleaseResult::ended(mark, is_forward, told))
}
