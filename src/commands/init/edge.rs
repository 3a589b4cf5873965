//! `bgecs init` for an app whose colours bgecs does not run.

use serde::Serialize;

use crate::cli::Init;
use crate::commands::lease;
use crate::commands::plan::PlanResult;
use crate::config::Edge;
use crate::driver::edge::{self, PreparedEdge};
use crate::driver::stack::NamedStack;
use crate::engine::takeover::Takeover;
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::Command;
use crate::model::{Color, Infrastructure};
use crate::report::{CommandResult, ReportEvent, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum EdgeOutcome {
    Created,
    Updated,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct EdgeReady {
    operation: Command,
    outcome: EdgeOutcome,
    app: String,
    region: String,
    stack: String,
    router: &'static str,
    /// What users are routed by.
    route: String,
    url: String,
    /// None where the first deploy makes one so.
    live: Option<Color>,
}

impl CommandResult for EdgeReady {
    fn human(&self, style: &Style) -> String {
        let Self { stack, route, .. } = self;
        let what = match self.outcome {
            EdgeOutcome::Unchanged => format!("nothing to do: the stack {stack} is up to date"),
            EdgeOutcome::Created => format!("the stack {stack} is created"),
            EdgeOutcome::Updated => format!("the stack {stack} is updated"),
        };
        let users = match self.live {
            Some(live) => format!("{} -> {}", style.strong(route), style.color(live, live)),
            None => format!("{} leads nowhere yet", style.strong(route)),
        };
        let next = match self.live {
            Some(_) => "`bgecs deploy --tag TAG` puts a release on the idle colour",
            None => "`bgecs deploy --tag 1` makes the first release live",
        };
        format!(
            "{what}\n  users       {users}\n  production  {}\n  next        {next}",
            self.url
        )
    }
}

pub async fn run(session: &Session, args: &Init, edge: &Edge) -> Result<Exit> {
    let prepared = edge::prepare(session, edge).await?;
    let steps = prepared.steps(session);
    if args.change.dry_run {
        let plan = PlanResult::of(Command::Init, steps);
        session.report.result(&plan);
        return Ok(Exit::Done);
    }
    let infrastructure = Infrastructure::from(prepared.infrastructure.clone());
    let is_new = prepared.stack.is_new();
    if prepared.is_nothing() && !super::was_begun(session, &infrastructure).await? {
        session
            .report
            .result(&ready(session, &prepared, EdgeOutcome::Unchanged));
        return Ok(Exit::Done);
    }
    for step in &steps {
        session.report.tell(&ReportEvent::Doing(step.to_string()));
    }
    let outcome = match is_new {
        true => EdgeOutcome::Created,
        false => EdgeOutcome::Updated,
    };
    if is_new {
        // What is made now has no journal yet, and CloudFormation lets one alone make it.
        let named = NamedStack::of(session);
        let made = prepared.stack.carry_out(&named, None);
        Interrupts::listen()?
            .or_stop(
                &format!("CloudFormation works on {}", session.stack_name()),
                "CloudFormation will finish what it has started; run `bgecs init` again to see it through",
                made,
            )
            .await?;
    }
    lease::take(
        session,
        &infrastructure,
        Command::Init,
        args.change.wait,
        async |work| {
            // Something may have changed while this one waited.
            let prepared = edge::prepare(session, edge).await?;
            let observed = work.observe().await?;
            let working = edge::finish(session, work.turn, edge, &observed);
            work.interrupts
                .or_stop(
                    "the app is made ready",
                    "`bgecs init` goes on from here; users are answered as before",
                    working,
                )
                .await?;
            session.report.result(&ready(session, &prepared, outcome));
            Ok(Exit::Done)
        },
    )
    .await
}

fn ready(session: &Session, prepared: &PreparedEdge, outcome: EdgeOutcome) -> EdgeReady {
    EdgeReady {
        operation: Command::Init,
        outcome,
        app: session.app().to_owned(),
        region: session.aws.region().to_owned(),
        stack: session.stack_name(),
        router: prepared.infrastructure.router.kind(),
        route: prepared.infrastructure.endpoints.production.to_string(),
        url: prepared.infrastructure.url.clone(),
        live: match prepared.takeover {
            Takeover::Take { live, .. } | Takeover::Renew { live, .. } => Some(live),
            Takeover::FromNothing => None,
            Takeover::Done(live) => live,
        },
    }
}
