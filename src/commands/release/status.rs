//! `bgecs release status`, and what the journals say of a set's releases.

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::jobs::{self, JobStatus};
use super::open::{OpenSet, SetContext};
use super::width;
use crate::commands::uploads::{FEW, ListedUploads};
use crate::config::SetFile;
use crate::driver::release::Module;
use crate::engine::set::ReleaseStanding;
use crate::engine::unfinished::may_have_moved_a_listener;
use crate::error::{Exit, Result};
use crate::model::journal::{Command, Operation, OperationId, OperationOutcome};
use crate::model::{JobMove, SetName, Tag};
use crate::report::{CommandResult, Style};
use crate::spoken_time;

/// How far back each module's history is looked through.
const RECENT: i32 = 50;

/// The release of a set that went live last.
#[derive(Debug, Serialize)]
pub(super) struct LastRelease {
    pub id: OperationId,
    pub tag: Option<Tag>,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// That it made live.
    pub modules: Vec<SetName>,
    /// What it did to the jobs.
    #[serde(skip)]
    pub jobs: Vec<JobMove>,
}

#[derive(Debug, Serialize)]
struct SetStatus {
    operation: &'static str,
    set: SetName,
    last: Option<LastRelease>,
    modules: Vec<ModuleStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    jobs: Vec<JobStatus>,
    /// What a worker was given.
    #[serde(skip_serializing_if = "ListedUploads::is_empty")]
    uploads: ListedUploads,
    #[serde(skip)]
    now: OffsetDateTime,
}

#[derive(Debug, Serialize)]
struct ModuleStatus {
    name: SetName,
    app: String,
    traffic: String,
    /// Of the release that is live.
    tag: Option<Tag>,
    /// What was begun and has not ended.
    unfinished: Option<String>,
}

pub(super) async fn run(context: &SetContext<'_>, set: &SetFile) -> Result<Exit> {
    let OpenSet { modules, jobs } = context.open(set, &[]).await?;
    let mut told = Vec::new();
    for it in &modules {
        let observed = it.session.look(&it.infrastructure, None).await;
        let observed = observed.map_err(|error| error.of_module(it.name()))?;
        let unfinished = observed.journal.operation.as_ref();
        told.push(ModuleStatus {
            name: it.name().clone(),
            app: it.session.app().to_owned(),
            traffic: observed.traffic_line(),
            tag: observed.live_release().and_then(|release| release.tag),
            unfinished: unfinished.map(Operation::name),
        });
    }
    let ledger = context.ledger(set).await?;
    let uploads = ledger.aws.last_uploads(&ledger.table, FEW).await?;
    context.report.result(&SetStatus {
        uploads: ListedUploads(uploads),
        now: ledger.aws.journal_time(),
        operation: "release status",
        last: last_release(&set.name, modules.iter()).await?,
        set: set.name.clone(),
        modules: told,
        jobs: jobs::statuses(&jobs).await?,
    });
    Ok(Exit::Done)
}

impl SetStatus {
    /// Whether a module or a job that the last release had run by it does not any more.
    fn is_left(&self) -> bool {
        self.last.as_ref().is_some_and(|last| {
            let mut all = self.modules.iter();
            let has_job_left = |done| self.jobs.iter().any(|it| it.has_left(done));
            all.any(|it| last.modules.contains(&it.name) && it.tag != last.tag)
                || last.jobs.iter().any(has_job_left)
        })
    }
}

impl CommandResult for SetStatus {
    fn human(&self, style: &Style) -> String {
        let mut text = format!("set {}", style.strong(&self.set));
        text += &match &self.last {
            Some(LastRelease { tag, at, .. }) => {
                let tag = tag
                    .as_ref()
                    .map_or_else(String::new, |tag| format!("tag {tag}, "));
                let since = match self.is_left() {
                    true => ", and not all of it is live now",
                    false => "",
                };
                format!(
                    ": released last was {tag}at {}{since}",
                    spoken_time::clock(*at)
                )
            }
            None => ": never released as one".to_owned(),
        };
        let names = self.modules.iter().map(|it| &it.name);
        let width = width(names.chain(self.jobs.iter().map(|it| &it.name)));
        for it in &self.modules {
            text += &format!("\n  {:width$}  {}", it.name, it.traffic);
            if let Some(unfinished) = &it.unfinished {
                text += &format!(
                    "; {}",
                    style.warn(format!("the {unfinished} is unfinished"))
                );
            }
        }
        for it in &self.jobs {
            text += &format!("\n  {}", it.line(width));
        }
        for line in self.uploads.lines(self.now, style) {
            text += &format!("\n{line}");
        }
        text
    }
}

/// The one that went live last, by the modules' own journals.
///
/// # Errors
/// A journal that cannot be read.
pub(super) async fn last_release(
    set: &SetName,
    modules: impl Iterator<Item = &Module>,
) -> Result<Option<LastRelease>> {
    let is_it = |operation: &Operation| {
        let mark = operation.set.as_ref();
        let is_of_it = mark.is_some_and(|mark| mark.set == *set);
        is_of_it && operation.command != Command::Rollback && went_live(operation)
    };
    let mut last: Option<LastRelease> = None;
    for (module, operation) in newest(modules, is_it).await? {
        let Some(mark) = operation.set else { continue };
        match &mut last {
            Some(last) if last.id == mark.id => last.modules.push(module),
            Some(last) if last.id > mark.id => {}
            _ => {
                last = Some(LastRelease {
                    id: mark.id,
                    tag: operation.tag,
                    at: operation.began,
                    modules: vec![module],
                    jobs: mark.jobs,
                });
            }
        }
    }
    Ok(last)
}

/// How far a module came by that release, as it has written.
///
/// # Errors
/// A journal that cannot be read.
pub(super) async fn standing(module: &Module, release: &OperationId) -> Result<ReleaseStanding> {
    let is_it = |operation: &Operation| {
        let its = operation.set.as_ref();
        its.is_some_and(|its| its.id == *release) && operation.command != Command::Deploy
    };
    let found = newest(std::iter::once(module), is_it).await?.pop();
    Ok(match found {
        None => ReleaseStanding::Untouched,
        Some((_, operation)) if went_live(&operation) => ReleaseStanding::There,
        Some(_) => ReleaseStanding::Back,
    })
}

/// Whether users are where it was to bring them. A first deploy makes live by itself.
fn went_live(operation: &Operation) -> bool {
    let moves_users = operation.command != Command::Deploy || may_have_moved_a_listener(operation);
    let outcome = operation.ending.as_ref().map(|ending| ending.outcome);
    moves_users
        && matches!(
            outcome,
            Some(OperationOutcome::Done | OperationOutcome::Finished)
        )
}

/// Of each module that has one, the newest such operation.
async fn newest(
    modules: impl Iterator<Item = &Module>,
    is_it: impl Fn(&Operation) -> bool,
) -> Result<Vec<(SetName, Operation)>> {
    let mut found = Vec::new();
    for module in modules {
        let table = module.infrastructure.journal_table();
        let history = module.session.aws.read_history(table, RECENT).await?;
        let newest = history.into_iter().find(&is_it);
        found.extend(newest.map(|operation| (module.name().clone(), operation)));
    }
    Ok(found)
}
