//! `bgecs up`: makes what bgecs.toml says true, with the commands that a person would
//! type for it.

use serde::Serialize;

use super::plan::PlanResult;
use super::{init, promote, resume, swap};
use crate::cli::{Promote, Resume, Up};
use crate::config::Declared;
use crate::driver::attempt::SwapKind;
use crate::engine::plan::{self, Aim, Step, SwapPlan};
use crate::error::{Error, Exit, Result};
use crate::model::Observed;
use crate::report::{CommandResult, Style};
use crate::session::Session;

/// Nothing had to be done.
#[derive(Debug, Serialize)]
struct UpToDate {
    operation: &'static str,
    outcome: &'static str,
    traffic: String,
}

impl CommandResult for UpToDate {
    fn human(&self, _: &Style) -> String {
        format!(
            "nothing to do: all is as bgecs.toml says\n  {}",
            self.traffic
        )
    }
}

pub async fn run(session: &Session, args: &Up) -> Result<Exit> {
    let making = init::planned(session).await?;
    if args.change.dry_run {
        return dry_run(session, making).await;
    }
    if !making.is_empty() {
        session.report.begin_part();
        let exit = init::run(session, &args.init()).await?;
        if exit != Exit::Done {
            session.report.end_with_part();
            return Ok(exit);
        }
    }
    let observed = session.observe_settled().await?;
    let is_unfinished = observed.journal.operation.is_some();
    if is_unfinished && session.config.live.is_none() {
        let resume = Resume {
            change: args.change,
            ..Resume::default()
        };
        return Box::pin(resume::of_this_app(
            session,
            &observed.infrastructure,
            &resume,
        ))
        .await;
    }
    // What made it so may have been cut short: who promotes meets that, and ends it.
    if going_live(session, &observed)?.is_some() || is_unfinished {
        return Box::pin(promote::run(session, &promotion(session, args))).await;
    }
    match making.is_empty() {
        true => session.report.result(&UpToDate {
            operation: "up",
            outcome: "unchanged",
            traffic: observed.traffic_line(),
        }),
        false => session.report.end_with_part(),
    }
    Ok(Exit::Done)
}

/// What is to go live, where that is not so.
///
/// # Errors
/// Nothing runs that is declared (exit 6).
fn going_live(session: &Session, observed: &Observed) -> Result<Option<SwapPlan>> {
    let Some(declared) = &session.config.live else {
        return Ok(None);
    };
    let planned = plan::promote(observed, &aim(declared));
    let planned = planned.map_err(|refusal| Error::from(refusal).untouched(observed))?;
    Ok(match planned {
        SwapPlan::NothingToDo { .. } => None,
        planned => Some(planned),
    })
}

fn aim(declared: &Declared) -> Aim {
    match declared {
        Declared::Color(color) => Aim::Color(*color),
        Declared::Tag(tag) => Aim::Tag {
            tag: tag.clone(),
            on: None,
        },
    }
}

/// As it would be typed.
fn promotion(session: &Session, args: &Up) -> Promote {
    let mut promote = args.promotion();
    match &session.config.live {
        Some(Declared::Color(color)) => promote.color = Some(*color),
        Some(Declared::Tag(tag)) => promote.tag = Some(tag.clone()),
        None => {}
    }
    promote
}

/// With exit code 7 where there is something to do, for a pull request.
async fn dry_run(session: &Session, making: Vec<Step>) -> Result<Exit> {
    let name = session.stack_name();
    let mut steps = making;
    let is_there = session.aws.read_stack(&name).await?.is_some();
    if is_there {
        let observed = session.observe_settled().await?;
        if let Some(planned) = going_live(session, &observed)? {
            let watching = promote::watching_of(session, &promotion(session, &Up::default()));
            let kind = SwapKind::Promote;
            let swapping = swap::steps(session, kind, planned, &observed, &watching);
            steps.extend(swapping.await?);
        } else if let Some(operation) = &observed.journal.operation {
            let operation = operation.name();
            steps.push(Step::EndUnfinished { operation });
        }
    }
    let exit = match steps.is_empty() {
        true => Exit::Done,
        false => Exit::Changes,
    };
    session.report.result(&PlanResult::named("up", steps));
    Ok(exit)
}
