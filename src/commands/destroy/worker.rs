//! `bgecs destroy --worker`

use serde::Serialize;

use super::{DestroyOutcome, confirm, interruptible};
use crate::cli::{Destroy, Global};
use crate::commands::init::worker::of_worker;
use crate::commands::plan::PlanResult;
use crate::commands::release::SetContext;
use crate::commands::serve::served;
use crate::driver::stack::NamedStack;
use crate::driver::worker::{self, WorkerInventory};
use crate::engine::plan::Step;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::Command;
use crate::report::{Audience, CommandResult, Reporter, Style};
use crate::session::introduce;

#[derive(Debug, Serialize)]
struct WorkerDestroyed {
    operation: Command,
    outcome: DestroyOutcome,
    name: String,
    region: String,
}

impl CommandResult for WorkerDestroyed {
    fn human(&self, _: &Style) -> String {
        let Self { name, region, .. } = self;
        match self.outcome {
            DestroyOutcome::Unchanged => {
                format!("nothing to do: {name} has no worker in {region}")
            }
            DestroyOutcome::Destroyed => {
                format!("the worker of {name} is gone; its apps are as they were")
            }
        }
    }
}

pub async fn run(global: &Global, audience: Audience, args: &Destroy) -> Result<Exit> {
    let own = &served(global, args.file.as_deref())?[0].set;
    let report = Reporter::new(audience);
    let home = SetContext::of_person(global, &report).ledger(own).await?;
    if !args.change.dry_run {
        introduce(&home.aws, &report);
    }
    let stack = worker::stack(&home.aws, &report, &own.name);
    let removed = remove(&stack, args).await.map_err(of_worker)?;
    if let Some(outcome) = removed {
        report.result(&WorkerDestroyed {
            operation: Command::Destroy,
            outcome,
            name: own.name.to_string(),
            region: home.aws.region().to_owned(),
        });
    }
    Ok(Exit::Done)
}

/// None where that was a dry run, whose plan is told.
async fn remove(stack: &NamedStack<'_>, args: &Destroy) -> Result<Option<DestroyOutcome>> {
    let inventory = worker::take_inventory(stack).await?;
    if let Some(bucket) = inventory.as_ref().and_then(WorkerInventory::full_bucket)
        && !args.empty_bucket
    {
        return Err(Error::refused(format!(
            "the bucket {bucket} has uploads in it, and S3 removes none that is not empty"
        ))
        .hint("keep what you need of them, then add --empty-bucket"));
    }
    let steps = inventory.as_ref().map(|it| steps(stack, it));
    let steps = steps.unwrap_or_default();
    if args.change.dry_run {
        let plan = PlanResult::of(Command::Destroy, steps);
        stack.report.result(&plan);
        return Ok(None);
    }
    let Some(inventory) = inventory else {
        return Ok(Some(DestroyOutcome::Unchanged));
    };
    if !args.yes {
        let whose = ("the worker's name", stack.app);
        confirm(stack.report, stack.aws.region(), whose, &steps)?;
    }
    interruptible(&mut Interrupts::listen()?, inventory.remove(stack)).await?;
    Ok(Some(DestroyOutcome::Destroyed))
}

fn steps(stack: &NamedStack<'_>, inventory: &WorkerInventory) -> Vec<Step> {
    let bucket = inventory.full_bucket().map(|bucket| Step::EmptyBucket {
        bucket: bucket.to_owned(),
    });
    let name = stack.name.clone();
    bucket
        .into_iter()
        .chain([Step::DeleteStack { name }])
        .collect()
}
