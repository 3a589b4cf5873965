//! `bgecs rollback`

use super::swap::{self, Kind, Watching};
use super::turn;
use crate::cli::Rollback;
use crate::engine::plan::{self, SwapPlan};
use crate::error::{Error, Exit, Result};
use crate::model::Observed;
use crate::model::journal::Command;
use crate::session::Session;

pub async fn run(session: &Session, args: &Rollback) -> Result<Exit> {
    let watching = Watching {
        is_hurried: args.now,
        ..Watching::new(session, &args.watch)
    };
    if args.dry_run.dry_run {
        let observed = session.observe().await?;
        turn::tell_of_unfinished(session, &observed);
        let plan = plan(&observed)?;
        swap::dry_run(session, Kind::Rollback, &observed, plan, &watching);
        return Ok(Exit::Done);
    }
    // What gets one out of trouble does not wait for a stack update.
    let infrastructure = session.infrastructure().await?;
    turn::take(
        session,
        &infrastructure,
        Command::Rollback,
        args.lease.wait,
        async |work| {
            let observed = work.observe().await?;
            let plan = plan(&observed)?;
            swap::run(work, Kind::Rollback, observed, plan, watching).await
        },
    )
    .await
}

fn plan(observed: &Observed) -> Result<SwapPlan> {
    plan::rollback(observed).map_err(|refusal| Error::from(refusal).untouched(observed))
}
