//! `bgecs retire`

use serde::Serialize;

use super::plan::Plan;
use crate::cli::Retire;
use crate::driver::retire;
use crate::engine::plan::{self, RetirePlan, Step};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::Color;
use crate::report::{Event, Outcome, Style};
use crate::session::Session;

#[derive(Debug, Serialize)]
struct Retired {
    operation: &'static str,
    /// `retired` or `unchanged`.
    outcome: &'static str,
    color: Color,
    traffic: String,
}

impl Outcome for Retired {
    fn human(&self, style: &Style) -> String {
        let color = style.color(self.color, self.color);
        let what = match self.outcome {
            "unchanged" => format!("nothing to do: {color} runs no task"),
            _ => format!("{color} is retired: it runs no task and costs nothing"),
        };
        format!(
            "{what}\n  {}\n  a deploy onto {} scales it up again; until then there is no instant way back",
            self.traffic, self.color
        )
    }
}

pub async fn run(session: &Session, args: &Retire) -> Result<Exit> {
    let observed = session.observe_settled().await?;
    let plan =
        plan::retire(&observed).map_err(|refusal| Error::from(refusal).untouched(&observed))?;
    if args.dry_run.dry_run {
        let steps = match plan {
            RetirePlan::NothingToDo { .. } => Vec::new(),
            RetirePlan::Retire { color, .. } => vec![Step::Retire { color }],
        };
        session.report.result(&Plan::of("retire", steps));
        return Ok(Exit::Done);
    }
    let (color, outcome) = match plan {
        RetirePlan::NothingToDo { color } => (color, "unchanged"),
        RetirePlan::Retire { color, tasks } => {
            session.report.tell(&Event::Doing(format!(
                "stopping {tasks} task(s) of {color}"
            )));
            Interrupts::listen()?
                .or_stop(
                    &format!("{color}'s tasks stop"),
                    "ECS goes on stopping them: see `bgecs status`",
                    retire::retire(session, &observed, color, args.timeout),
                )
                .await?;
            (color, "retired")
        }
    };
    session.report.result(&Retired {
        operation: "retire",
        outcome,
        color,
        traffic: observed.traffic(),
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests;
