//! `bgecs promote`

use super::swap::{self, Kind};
use super::turn;
use crate::cli::Promote;
use crate::engine::plan::{self, SwapPlan};
use crate::error::{Error, Exit, Result};
use crate::model::Observed;
use crate::model::journal::Command;
use crate::session::Session;

pub async fn run(session: &Session, args: &Promote) -> Result<Exit> {
    if args.dry_run.dry_run {
        let observed = session.observe().await?;
        turn::tell_of_unfinished(session, &observed);
        let plan = plan(&observed, args)?;
        swap::dry_run(session, Kind::Promote, &observed, plan, &args.watch);
        return Ok(Exit::Done);
    }
    let infrastructure = session.settled_infrastructure().await?;
    turn::take(
        session,
        &infrastructure,
        Command::Promote,
        args.lease.wait,
        async |work| {
            let observed = work.observe().await?;
            let plan = plan(&observed, args)?;
            swap::run(work, Kind::Promote, observed, plan, &args.watch).await
        },
    )
    .await
}

fn plan(observed: &Observed, args: &Promote) -> Result<SwapPlan> {
    plan::promote(observed, args.color).map_err(|refusal| Error::from(refusal).untouched(observed))
}
