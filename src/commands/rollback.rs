//! `bgecs rollback`

use super::swap::{self, Kind, Watching};
use super::turn;
use crate::cli::Rollback;
use crate::engine::plan::{self, SwapPlan};
use crate::error::{Error, Exit, Result};
use crate::model::Observed;
use crate::model::journal::Command;
use crate::report::Event;
use crate::session::Session;

pub async fn run(session: &Session, args: &Rollback) -> Result<Exit> {
    let watching = Watching::new(session, &args.watch);
    if args.dry_run.dry_run {
        let observed = session.observe().await?;
        turn::tell_of_unfinished(session, &observed);
        let plan = plan(session, &observed, args)?;
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
            let plan = plan(session, &observed, args)?;
            swap::run(work, Kind::Rollback, observed, plan, watching).await
        },
    )
    .await
}

fn plan(session: &Session, observed: &Observed, args: &Rollback) -> Result<SwapPlan> {
    let plan =
        plan::rollback(observed).map_err(|refusal| Error::from(refusal).untouched(observed))?;
    Ok(match plan {
        SwapPlan::Swap {
            from,
            to,
            match_count: Some(count),
        } if args.now => {
            session.report.tell(&Event::Warning(format!(
                "{to} has {} task(s), and {count} are wanted: not waited for",
                observed.color(to).running()
            )));
            SwapPlan::Swap {
                from,
                to,
                match_count: None,
            }
        }
        plan => plan,
    })
}
