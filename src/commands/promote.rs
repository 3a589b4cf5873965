//! `bgecs promote`

use super::asking::watching;
use super::lease;
use super::swap;
use crate::cli::Promote;
use crate::driver::asking::of_file;
use crate::driver::attempt::Kind;
use crate::driver::watching::Watching;
use crate::engine::plan::{self, Aim, SwapPlan};
use crate::error::{Error, Exit, Result};
use crate::model::Observed;
use crate::model::journal::Command;
use crate::report::ReportEvent;
use crate::session::Session;

pub async fn run(session: &Session, args: &Promote) -> Result<Exit> {
    let watching = Watching {
        fixes_forward: args.fix_forward,
        ..watching(&args.watch, of_file(&session.config.probe))
    };
    let aim = aim(args);
    if args.dry_run.dry_run {
        let observed = session.observe_settled().await?;
        lease::tell_of_unfinished(session, &observed);
        let plan = plan(&observed, &aim)?;
        swap::dry_run(session, Kind::Promote, &observed, plan, &watching);
        return Ok(Exit::Done);
    }
    let infrastructure = session.settled_infrastructure().await?;
    // What stands in line means what it meant when it was typed.
    let aim = match args.lease.wait {
        Some(_) => {
            let observed = session.aws.observe(&infrastructure, None).await?;
            plan::fixed(&observed, aim)
        }
        None => aim,
    };
    lease::take(
        session,
        &infrastructure,
        Command::Promote,
        args.lease.wait,
        async |work| {
            let observed = work.observe().await?;
            let plan = plan(&observed, &aim)?;
            if args.fix_forward && matches!(plan, SwapPlan::Swap { .. }) {
                work.session.report.tell(&ReportEvent::Warning(
                    "--fix-forward: production's failures do not prevent the swap, and are not held against the new release".to_owned(),
                ));
            }
            swap::run(work, Kind::Promote, observed, plan, watching).await
        },
    )
    .await
}

fn aim(args: &Promote) -> Aim {
    match (&args.tag, args.color) {
        (Some(tag), on) => Aim::Tag {
            tag: tag.clone(),
            on,
        },
        (None, Some(color)) => Aim::Color(color),
        (None, None) => Aim::Newest,
    }
}

fn plan(observed: &Observed, aim: &Aim) -> Result<SwapPlan> {
    plan::promote(observed, aim).map_err(|refusal| Error::from(refusal).untouched(observed))
}
