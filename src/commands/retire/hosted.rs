//! `bgecs retire` of a colour that bgecs does not run.

use super::{RetireOutcome, Retired, lease, plan};
use crate::cli::Retire;
use crate::commands::plan::PlanResult;
use crate::driver::hosted::retire;
use crate::driver::work::Work;
use crate::engine::plan::{RetirePlan, Step};
use crate::error::{Exit, Result};
use crate::model::journal::{Command, OwnCommand};
use crate::session::Session;

pub async fn run(session: &Session, args: &Retire) -> Result<Exit> {
    if args.change.dry_run {
        let observed = session.observe_settled().await?;
        lease::tell_of_unfinished(session, &observed);
        let steps = match plan(&observed)? {
            RetirePlan::NothingToDo { .. } => Vec::new(),
            RetirePlan::Retire { color, .. } => {
                let line = retire::command(session, color)?.to_owned();
                retire::refuse_while_shown(session, &observed, color).await?;
                let own = OwnCommand::Retire;
                vec![Step::RunOwn { own, color, line }]
            }
        };
        session
            .report
            .result(&PlanResult::of(Command::Retire, steps));
        return Ok(Exit::Done);
    }
    let infrastructure = session.settled_infrastructure().await?;
    lease::take(
        session,
        &infrastructure,
        Command::Retire,
        args.change.wait,
        async |work| retire(work, args).await,
    )
    .await
}

async fn retire(work: Work<'_>, args: &Retire) -> Result<Exit> {
    let session = work.session;
    let observed = work.observe().await?;
    let (color, outcome) = match plan(&observed)? {
        RetirePlan::NothingToDo { color } => (color, RetireOutcome::Unchanged),
        RetirePlan::Retire { color, .. } => {
            retire::command(session, color)?;
            retire::refuse_while_shown(session, &observed, color).await?;
            work.turn.describe(|operation| {
                operation.color = Some(color);
                operation.from = observed.live_release();
                operation.tag = observed.color(color).tag().cloned();
            });
            let it = (color, args.timeout);
            retire::retire(session, work.turn, work.interrupts, &observed, it).await?;
            (color, RetireOutcome::Retired)
        }
    };
    session.report.result(&Retired {
        operation: Command::Retire,
        outcome,
        color,
        service: color.to_string(),
        is_hosted: true,
        traffic: observed.traffic_line(),
    });
    Ok(Exit::Done)
}
