//! `bgecs deploy` onto a colour that bgecs does not run.

use serde::Serialize;

use super::{DeployOutcome, lease};
use crate::cli::Deploy;
use crate::commands::plan::PlanResult;
use crate::driver::hosted::deploy::{self, HostedRequest};
use crate::driver::make_live;
use crate::driver::unfinished::Errand;
use crate::driver::work::Work;
use crate::engine::plan::{self, HostedPlan, Step};
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Command, OwnCommand};
use crate::model::{Color, Endpoint, Observed, Strategy, Tag};
use crate::report::{CommandResult, ReportEvent, Style};
use crate::session::Session;

#[derive(Debug, Serialize)]
struct HostedResult {
    operation: Command,
    outcome: DeployOutcome,
    /// Whether nobody asked it.
    blind: bool,
    color: Color,
    tag: Tag,
    /// Whether users reach it now.
    live: bool,
    /// Where users come in.
    production: String,
    /// Where this colour is looked at.
    url: String,
    /// By which command, where the URL alone shows what is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    asking: Option<String>,
}

impl CommandResult for HostedResult {
    fn human(&self, style: &Style) -> String {
        let Self { tag, .. } = self;
        let color = style.color(self.color, self.color);
        let what = match (self.outcome, self.live) {
            (DeployOutcome::Unchanged, true) => {
                format!("nothing to do: tag {tag} is live already, on {color}")
            }
            (DeployOutcome::Unchanged, false) => {
                format!("{color} serves tag {tag} already: nothing was changed")
            }
            (DeployOutcome::Deployed, _) if self.blind => {
                format!("{color} was deployed as tag {tag}: it was not probed (--blind)")
            }
            (DeployOutcome::Deployed, _) => format!("{color} serves tag {tag}"),
        };
        let next = match self.live {
            true => format!("it is live at {}", style.strong(&self.production)),
            false => {
                let place = match &self.asking {
                    Some(asking) => format!("by `{}`", style.strong(asking)),
                    None => format!("on {}", style.strong(&self.url)),
                };
                format!("look at it {place}, then `bgecs promote --tag {tag}`")
            }
        };
        format!("{what}\n  {next}")
    }
}

pub async fn run(session: &Session, args: &Deploy) -> Result<Exit> {
    refuse_image(args)?;
    let tag = super::tag(session, args)?;
    if !args.blind {
        session.secret_header().await?;
    }
    if args.change.dry_run {
        let observed = session.observe_settled().await?;
        lease::tell_of_unfinished(session, &observed);
        let plan = planned(&observed, args, &tag)?;
        let steps = steps(session, &observed, plan, args);
        session
            .report
            .result(&PlanResult::of(Command::Deploy, steps));
        return Ok(Exit::Done);
    }
    let infrastructure = session.settled_infrastructure().await?;
    lease::take(
        session,
        &infrastructure,
        Errand {
            command: Command::Deploy,
            tag: Some(&tag),
            is_blind: args.blind,
        },
        args.change.wait,
        async |work| deploy(work, args, &tag).await,
    )
    .await
}

/// As a part of another command's turn.
pub async fn within(work: Work<'_>, args: &Deploy) -> Result<Exit> {
    refuse_image(args)?;
    let tag = super::tag(work.session, args)?;
    deploy(work, args, &tag).await
}

pub fn ahead(session: &Session, observed: &Observed, args: &Deploy) -> Result<Vec<Step>> {
    refuse_image(args)?;
    let tag = super::tag(session, args)?;
    let plan = planned(observed, args, &tag)?;
    Ok(steps(session, observed, plan, args))
}

/// # Errors
/// What is about images, where the colour's own command makes none for bgecs
/// (exit 2).
fn refuse_image(args: &Deploy) -> Result<()> {
    match (&args.image, args.diff) {
        (None, false) => Ok(()),
        (Some(_), _) => Err(Error::usage(
            "--image is for ECS services: these colours are deployed to by their own command",
        )
        .hint("`deploy` of [colors.blue] and [colors.green] is given BGECS_TAG and BGECS_CONTEXT")),
        (None, true) => Err(Error::usage(
            "--diff compares task definitions, and these colours have none",
        )),
    }
}

fn planned(observed: &Observed, args: &Deploy, tag: &Tag) -> Result<HostedPlan> {
    let wish = plan::DeployWish {
        tag,
        color: args.color,
        allow_live: args.allow_live,
        force: args.force,
        count: 0,
    };
    plan::deploy_hosted(observed, &wish).map_err(|refusal| Error::from(refusal).untouched(observed))
}

fn steps(session: &Session, observed: &Observed, plan: HostedPlan, args: &Deploy) -> Vec<Step> {
    let HostedPlan::Deploy {
        color,
        becomes_live,
        ..
    } = plan
    else {
        return Vec::new();
    };
    let line = session.config.hosted(color);
    let line = line.and_then(|it| it.deploy.clone());
    let own = OwnCommand::Deploy;
    let mut steps: Vec<Step> = line
        .map(|line| Step::RunOwn { own, color, line })
        .into_iter()
        .collect();
    steps.push(Step::Await {
        color,
        blind: args.blind,
    });
    if becomes_live {
        let strategy = Strategy::first(color, &observed.traffic);
        steps.extend(Step::moves(&strategy, observed.endpoints()));
    }
    steps
}

async fn deploy(mut work: Work<'_>, args: &Deploy, tag: &Tag) -> Result<Exit> {
    let session = work.session;
    let observed = work.observe().await?;
    let (color, becomes_live, onto_live) = match planned(&observed, args, tag)? {
        HostedPlan::NothingToDo { color } => {
            let unchanged = DeployOutcome::Unchanged;
            let done = result(session, &observed, args, (color, tag), unchanged);
            session.report.result(&done);
            return Ok(Exit::Done);
        }
        HostedPlan::Deploy {
            color,
            becomes_live,
            onto_live,
        } => (color, becomes_live, onto_live),
    };
    work.turn.describe(|operation| {
        operation.from = observed.live_release();
        operation.color = Some(color);
        operation.tag = Some(tag.clone());
        operation.blind = args.blind;
    });
    if onto_live {
        session.report.tell(&ReportEvent::Warning(format!(
            "{} is live: users see this deploy as it happens",
            observed.named(color)
        )));
    }
    let request = HostedRequest {
        color,
        tag,
        context: args
            .context
            .as_ref()
            .map(|context| context.display().to_string()),
        timeout: args.timeout,
        has_run: false,
        is_blind: args.blind,
    };
    let mut now = deploy::deploy(session, work.turn, work.interrupts, &observed, &request).await?;
    if becomes_live {
        now = go_live(&mut work, &now, color).await?;
    }
    let done = result(session, &now, args, (color, tag), DeployOutcome::Deployed);
    session.report.result(&done);
    Ok(Exit::Done)
}

async fn go_live(work: &mut Work<'_>, now: &Observed, color: Color) -> Result<Observed> {
    let session = work.session;
    make_live::make_live(session, work.turn, now, color).await?;
    session.report.tell(&ReportEvent::Done(format!(
        "{} leads to {color}",
        now.endpoints().production
    )));
    let live = work.observe_again(now).await?;
    work.turn.saw(&live);
    Ok(live)
}

fn result(
    session: &Session,
    observed: &Observed,
    args: &Deploy,
    (color, tag): (Color, &Tag),
    outcome: DeployOutcome,
) -> HostedResult {
    let infra = &observed.infrastructure;
    let is_by_header = infra.endpoints().test == Endpoint::Header;
    HostedResult {
        operation: Command::Deploy,
        outcome,
        blind: args.blind,
        color,
        tag: tag.clone(),
        live: observed.live_color() == Some(color),
        production: infra.url(crate::model::Route::Production),
        url: observed.looked_at(color).unwrap_or_default(),
        asking: is_by_header.then(|| session.asking(infra, color, None)),
    }
}
