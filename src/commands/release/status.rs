//! `bgecs release status`: what the journals say about a set's releases.

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::jobs::{self, JobStatus};
use super::open::{OpenSet, SetContext};
use super::width;
use crate::commands::uploads::{FEW, ListedUploads};
use crate::config::SetFile;
use crate::driver::release::Module;
use crate::driver::turn;
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
    /// A release of the set went back since.
    pub went_back: bool,
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
    /// The tag of the release that is live.
    tag: Option<Tag>,
    /// What was begun and has not ended.
    unfinished: Option<String>,
    /// Who is working on it.
    by: Option<String>,
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
            by: turn::held(&observed.journal, it.session.aws.journal_time())
                .map(|lease| lease.holder.to_string()),
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
            Some(LastRelease {
                tag, at, went_back, ..
            }) => {
                let tag = tag
                    .as_ref()
                    .map_or_else(String::new, |tag| format!("tag {tag}, "));
                let since = match (went_back, self.is_left()) {
                    (true, true) => ", and went back since",
                    (false, true) => ", and not all of it is live now",
                    (_, false) => "",
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
                let whose = match &it.by {
                    Some(who) => format!("the {unfinished} is under way, by {who}"),
                    None => format!(
                        "the {unfinished} is unfinished: `bgecs resume` in its folder ends it"
                    ),
                };
                text += &format!("; {}", style.warn(whose));
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
        mark.is_some_and(|mark| mark.set == *set) && went_live(operation)
    };
    let is_back = |operation: &Operation| operation.command == Command::Rollback;
    let mut last: Option<LastRelease> = None;
    let mut last_back = None;
    for module in modules {
        let history = recent(module).await?;
        let back = history.iter().find(|it| is_it(it) && is_back(it));
        last_back = last_back.max(back.and_then(|it| Some(it.set.as_ref()?.id.clone())));
        let newest = history.into_iter().find(|it| is_it(it) && !is_back(it));
        let Some(operation) = newest else { continue };
        let Some(mark) = operation.set else { continue };
        let module = module.name().clone();
        match &mut last {
            Some(last) if last.id == mark.id => last.modules.push(module),
            Some(last) if last.id > mark.id => {}
            _ => {
                last = Some(LastRelease {
                    id: mark.id,
                    tag: operation.tag,
                    at: operation.began,
                    modules: vec![module],
                    went_back: false,
                    jobs: mark.jobs,
                });
            }
        }
    }
    if let Some(last) = &mut last {
        last.went_back = last_back.is_some_and(|back| back > last.id);
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
    let found = recent(module).await?.into_iter().find(is_it);
    Ok(match found {
        None => ReleaseStanding::Untouched,
        Some(operation) if went_live(&operation) => ReleaseStanding::There,
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

/// The newest first.
async fn recent(module: &Module) -> Result<Vec<Operation>> {
    let table = module.infrastructure.journal_table();
    Ok(module.session.aws.read_history(table, RECENT).await?)
}
