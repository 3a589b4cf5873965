//! `bgecs rollback`

use super::asking::watching;
use super::lease;
use super::plan::PlanResult;
use super::resume::planned;
use super::swap;
use crate::cli::Rollback;
use crate::driver::asking::of_file;
use crate::driver::attempt::SwapKind;
use crate::driver::unfinished::Errand;
use crate::driver::watching::Watching;
use crate::engine::plan::{self, SwapPlan};
use crate::engine::unfinished::{self, Course, Reaction};
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Command, Operation};
use crate::model::{Deployed, Observed};
use crate::session::Session;

pub async fn run(session: &Session, args: &Rollback) -> Result<Exit> {
    if !args.watch.blind {
        session.secret_header().await?;
    }
    let watching = Watching {
        is_hurried: args.now,
        ..watching(&args.watch, of_file(&session.config.probe))
    };
    if args.change.dry_run {
        let observed = session.observe().await?;
        lease::tell_of_unfinished(session, &observed);
        if let Some(operation) = taken_back(&observed) {
            let begun = Watching::of_operation(operation, &session.config.probe);
            let watching = Watching {
                is_blind: begun.is_blind || watching.is_blind,
                ..begun
            };
            let course = Course::Back;
            let steps = planned(session, &observed, operation, course, &watching).await?;
            session
                .report
                .result(&PlanResult::of(Command::Rollback, steps));
            return Ok(Exit::Done);
        }
        let plan = plan(&observed, None)?;
        swap::dry_run(session, SwapKind::Rollback, &observed, plan, &watching).await?;
        return Ok(Exit::Done);
    }
    // What gets one out of trouble does not wait for a stack update.
    let infrastructure = session.infrastructure().await?;
    // What stands in line means what it meant when it was typed.
    let meant = match args.change.wait {
        Some(_) => plan::way_back(&session.look(&infrastructure, None).await?),
        None => None,
    };
    lease::take(
        session,
        &infrastructure,
        Errand {
            is_blind: args.watch.blind,
            ..Command::Rollback.into()
        },
        args.change.wait,
        async |work| {
            let observed = work.observe().await?;
            let plan = plan(&observed, meant.as_ref())?;
            swap::run(work, SwapKind::Rollback, observed, plan, watching).await
        },
    )
    .await
}

/// The unfinished promotion that a rollback takes back.
fn taken_back(observed: &Observed) -> Option<&Operation> {
    let operation = observed.journal.operation.as_ref()?;
    let reaction = unfinished::reaction(operation, Command::Rollback, None);
    (reaction == Ok(Reaction::TakeBack)).then_some(operation)
}

fn plan(observed: &Observed, meant: Option<&Deployed>) -> Result<SwapPlan> {
    let plan = match meant {
        Some(meant) => plan::rollback_to(observed, meant),
        None => plan::rollback(observed),
    };
    plan.map_err(|refusal| Error::from(refusal).untouched(observed))
}
