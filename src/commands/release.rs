//! `bgecs release`: several apps as one.

mod ending;
mod jobs;
mod open;
mod plan;
mod report;
mod result;
mod status;
mod work;

use std::path::Path;

use time::OffsetDateTime;

use crate::cli::{Global, ReleaseAction, ReleaseArgs};
use crate::config::{ConfigError, SetFile};
use crate::driver::release::{HeldModule, hold_all, let_go_all};
use crate::error::{Error, Exit, Result};
use crate::model::SetName;
use crate::report::{Audience, Reporter};
pub use ending::{end_unfinished, refuse_alone};
pub use open::{Ledger, OpenSet, SetContext};
pub use result::ReleaseResult;

pub async fn run(global: &Global, audience: Audience, args: &ReleaseArgs) -> Result<Exit> {
    if global.config.is_some() {
        return Err(Error::usage(
            "--config names the file of one app, and a set names those of its modules",
        )
        .hint("name the set's file: `bgecs release set.toml --tag TAG`"));
    }
    let report = Reporter::new(audience);
    let context = SetContext::of_person(global, &report);
    if let Some(ReleaseAction::Status { file }) = &args.action {
        return status::run(&context, &load(file)?).await;
    }
    let set = load(&args.file)?;
    report::check(args)?;
    let opened = context.open(&set, &args.only).await?;
    refuse_stray_images(args, &opened)?;
    if args.change.dry_run {
        return plan::dry_run(&context, &set, &opened, args).await;
    }
    let began = OffsetDateTime::now_utc();
    let released = carry_out(&context, &set, &opened, args, async |_| Ok(())).await?;
    report::write(&report, args, &released, &opened.modules, began);
    Ok(tell(&report, &released))
}

/// Releases a set, which is open; `check` is asked once nobody else can.
///
/// # Errors
/// Somebody else's lease (exit 6), the check's own, or anything else ahead of the first
/// move.
pub async fn carry_out(
    context: &SetContext<'_>,
    set: &SetFile,
    opened: &OpenSet,
    args: &ReleaseArgs,
    check: impl AsyncFnOnce(&[HeldModule<'_>]) -> Result<()>,
) -> Result<ReleaseResult> {
    let wait = args.change.wait;
    let OpenSet { modules, jobs } = opened;
    Box::pin(ending::end_what_is_unfinished(context, modules, wait)).await?;
    let mut held = hold_all(modules, wait, context.signals).await?;
    let done = match check(&held).await {
        // Each step of a release is a large future: boxed, it is not on the stack of them all.
        Ok(()) => Box::pin(work::work((context, set, jobs), &mut held, args)).await,
        Err(error) => Err(error),
    };
    let (results, told) = match done {
        Ok((results, told)) => (results, Ok(told)),
        Err(error) => {
            let same = || Err(Error::new(error.exit, error.message.clone()));
            (held.iter().map(|_| same()).collect(), Err(error))
        }
    };
    let_go_all(held.into_iter().zip(results)).await;
    told
}

fn load(file: &Path) -> Result<SetFile> {
    let path = super::working_folder()?.join(file);
    SetFile::load(&path).map_err(|error| match error {
        ConfigError::NotFound { .. } => Error::from(error).hint(
            "a set's file has `set = \"shop\"`, and for each app a [[module]] with `name` and `config`",
        ),
        error => error.into(),
    })
}

/// # Errors
/// An image for a module that is not released (exit 2).
fn refuse_stray_images(args: &ReleaseArgs, opened: &OpenSet) -> Result<()> {
    let is_there = |name| {
        let is_module = opened.modules.iter().any(|it| it.name() == name);
        is_module || opened.jobs.iter().any(|it| it.name() == name)
    };
    match args.image.iter().find(|it| !is_there(&it.module)) {
        Some(it) => Err(Error::usage(format!(
            "--image is for {}, which is not a module or job that is released here",
            it.module
        ))),
        None => Ok(()),
    }
}

/// The width of a column of names.
fn width<'a>(names: impl Iterator<Item = &'a SetName>) -> usize {
    let longest = names.map(|name| name.as_str().len()).max();
    longest.unwrap_or_default()
}

fn listed<'a>(names: impl Iterator<Item = &'a SetName>) -> String {
    let names: Vec<&str> = names.map(SetName::as_str).collect();
    names.join(", ")
}

fn tell(report: &Reporter, result: &ReleaseResult) -> Exit {
    report.result(result);
    match result.error() {
        None => Exit::Done,
        Some(error) => {
            report.complain(&error);
            error.exit
        }
    }
}
