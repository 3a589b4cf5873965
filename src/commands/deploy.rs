//! `bgecs deploy`

mod build;
mod hosted;

use std::env;
use std::str::FromStr;

use serde::Serialize;

use super::lease;
use super::plan::PlanResult;
use super::working_folder;
use crate::cli::Deploy;
use crate::definition::Loaded;
use crate::docker::{DockerError, Reference};
use crate::driver::deploy::{self, ImageSource, Placed, Request, difference};
use crate::driver::make_live;
use crate::driver::unfinished::Errand;
use crate::driver::work::Work;
use crate::engine::plan::{self, DeployPlan, DeployWish, ServicePlan, Step};
use crate::engine::twin;
use crate::error::{Error, Exit, Result};
use crate::model::journal::Command;
use crate::model::{
    Color, Digest, EcsInfrastructure, Observed, Origin, PerRoute, Platform, Strategy, Tag,
};
use crate::provenance;
use crate::report::{CommandResult, ReportEvent, Style};
use crate::session::Session;
use crate::session::here::{Here, beside};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum DeployOutcome {
    Deployed,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct DeployResult {
    operation: Command,
    outcome: DeployOutcome,
    /// Whether nobody asked it.
    blind: bool,
    color: Color,
    tag: Tag,
    digest: Digest,
    image: ImageFrom,
    task_definition: String,
    /// Whether users reach it now.
    live: bool,
    urls: PerRoute<String>,
    /// Where it opens on this machine, if its name leads nowhere here.
    #[serde(skip_serializing_if = "Option::is_none")]
    here: Option<PerRoute<Here>>,
    /// The command that shows it, where the test route's URL alone shows another.
    #[serde(skip)]
    asking: Option<String>,
    /// The other colour, where a person named that.
    #[serde(skip)]
    wanted_on: Option<Color>,
    /// What names it for a promotion.
    #[serde(skip)]
    promote: String,
}

/// Which image it is, and how it came to be in the registry.
#[derive(Debug, Serialize)]
struct ImageFrom {
    from: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl ImageFrom {
    /// Of what was built there is nothing to say.
    fn sentence(&self) -> Option<String> {
        let name = self.reference.as_ref()?;
        Some(match self.from {
            Origin::Built => return None,
            Origin::Pulled => format!("the image is {name}, as its registry had it now"),
            Origin::Present => {
                format!("the image is {name}, which this machine's engine had, by its digest")
            }
            Origin::Local => {
                format!("the image is {name} as this machine's engine has it, and no registry")
            }
            Origin::Registry => {
                format!("the image is {name}, which was in the app's repository already")
            }
        })
    }
}

impl CommandResult for DeployResult {
    fn human(&self, style: &Style) -> String {
        let color = style.color(self.color, self.color);
        let tag = &self.tag;
        let what = match (self.outcome, self.live) {
            (DeployOutcome::Unchanged, true) => {
                let insist = self.wanted_on.map(|other| {
                    let other = style.color(other, other);
                    format!("; --force puts it onto {other} too")
                });
                let insist = insist.unwrap_or_default();
                format!("nothing to do: tag {tag} is live already, on {color}{insist}")
            }
            (DeployOutcome::Unchanged, false) => {
                format!("{color} serves tag {tag} already: nothing was changed")
            }
            (DeployOutcome::Deployed, _) if self.blind => {
                format!(
                    "{color} runs tag {tag}, and its targets are healthy: it was not probed (--blind)"
                )
            }
            (DeployOutcome::Deployed, _) => format!("{color} serves tag {tag}"),
        };
        let here = self.here.as_ref();
        let next = if self.live {
            let production = style.strong(&self.urls.production);
            format!(
                "it is live at {}",
                beside(&production, here.map(|here| &here.production))
            )
        } else {
            let test = style.strong(&self.urls.test);
            let look = match &self.asking {
                Some(asking) => format!("with `{asking}`"),
                None => format!("on {}", beside(&test, here.map(|here| &here.test))),
            };
            format!("look at it {look}, then `bgecs promote {}`", self.promote)
        };
        let image = self.image.sentence();
        let image = image.map(|image| format!("\n  {image}"));
        format!(
            "{what} ({})\n  {next}{}",
            self.digest.short(),
            image.unwrap_or_default()
        )
    }
}

pub async fn run(session: &Session, args: &Deploy) -> Result<Exit> {
    if session.config.edge.is_some() {
        return hosted::run(session, args).await;
    }
    // A mistake in a task definition is found before AWS is asked for anything.
    let loaded = Loaded::from(&session.config)?;
    let tag = tag(session, args)?;
    let request = request(session, args, &tag, &loaded)?;
    if !request.is_blind {
        session.secret_header().await?;
    }
    if args.change.dry_run {
        let observed = session.observe_settled().await?;
        lease::tell_of_unfinished(session, &observed);
        let plan = plan(session, &observed, args, &tag)?;
        warn_of_other_ways(session, &observed, &plan);
        let steps = planned(session, &observed, &plan, &request, &loaded)?;
        let difference =
            difference::ahead(session, &observed, plan.color, &request, &loaded).await?;
        session
            .report
            .result(&PlanResult::of(Command::Deploy, steps).with_difference(difference));
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
        async |work| deploy(work, args, &request, &loaded).await,
    )
    .await
    .map_err(|error| match session.told_difference() {
        Some(difference) if matches!(error.exit, Exit::Failed | Exit::TimedOut) => {
            error.hint_too(difference)
        }
        _ => error,
    })
}

/// As a part of another command's turn, which has the lease.
///
/// # Errors
/// As `bgecs deploy`'s own.
pub async fn within(work: Work<'_>, args: &Deploy) -> Result<Exit> {
    if work.session.config.edge.is_some() {
        return hosted::within(work, args).await;
    }
    let session = work.session;
    let loaded = Loaded::from(&session.config)?;
    let tag = tag(session, args)?;
    let request = request(session, args, &tag, &loaded)?;
    deploy(work, args, &request, &loaded).await
}

/// What it would do.
///
/// # Errors
/// As `bgecs deploy`'s own.
pub fn ahead(session: &Session, observed: &Observed, args: &Deploy) -> Result<Vec<Step>> {
    if session.config.edge.is_some() {
        return hosted::ahead(session, observed, args);
    }
    let loaded = Loaded::from(&session.config)?;
    let tag = tag(session, args)?;
    let request = request(session, args, &tag, &loaded)?;
    let plan = plan(session, observed, args, &tag)?;
    planned(session, observed, &plan, &request, &loaded)
}

fn planned(
    session: &Session,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
) -> Result<Vec<Step>> {
    let wanted = deploy::wanted_definition(session, observed, plan.color, loaded)?;
    let changes = plan::definition_change(observed.color(plan.color), &wanted);
    let world = (observed.ecs()?, observed);
    Ok(steps(session, world, plan, request, changes.words()))
}

fn plan(session: &Session, observed: &Observed, args: &Deploy, tag: &Tag) -> Result<DeployPlan> {
    let wish = DeployWish {
        tag,
        color: args.color,
        allow_live: args.allow_live,
        force: args.force,
        count: i32::from(session.config.service.desired_count),
    };
    let plan = plan::deploy(observed, &wish).and_then(|plan| {
        let said = &session.config.service.said.compute;
        twin::refuse_interruptible(observed, plan.color, said)?;
        Ok(plan)
    });
    plan.map_err(|refusal| Error::from(refusal).untouched(observed))
}

async fn deploy(
    mut work: Work<'_>,
    args: &Deploy,
    request: &Request,
    loaded: &Loaded,
) -> Result<Exit> {
    let session = work.session;
    let observed = work.observe().await?;
    let plan = plan(session, &observed, args, &request.tag)?;
    work.turn.describe(|operation| {
        operation.from = observed.live_release();
        operation.color = Some(plan.color);
        operation.tag = Some(request.tag.clone());
        operation.blind = request.is_blind;
    });
    if plan.onto_live && plan.allow_live {
        session.report.tell(&ReportEvent::Warning(format!(
            "{} is live: users see this deploy as it happens",
            observed.named(plan.color)
        )));
    }
    warn_of_other_ways(session, &observed, &plan);
    let placed = deploy::deploy(
        session,
        work.turn,
        work.interrupts,
        &observed,
        &plan,
        request,
        loaded,
    )
    .await?;
    if plan.becomes_live {
        make_live::first_release(&mut work, &observed, plan.color, None).await?;
        session.report.tell(&ReportEvent::Done(format!(
            "{} forwards to {}",
            observed.endpoints().production,
            plan.color
        )));
    }
    if plan.becomes_live || (plan.onto_live && !placed.unchanged) {
        work.turn.saw(&work.observe_again(&observed).await?);
    }
    let here = session.here(&observed.infrastructure).await;
    let wanted_on = args.color.filter(|wanted| *wanted != placed.color);
    session.report.result(&DeployResult {
        wanted_on,
        ..result(session, &observed, &plan, request, placed, here)
    });
    Ok(Exit::Done)
}

/// Onto the live colour, all users see it, and are told so.
fn warn_of_other_ways(session: &Session, observed: &Observed, plan: &DeployPlan) {
    if plan.onto_live {
        return;
    }
    for sentence in plan::showing(observed, plan.color) {
        session.report.tell(&ReportEvent::Warning(sentence));
    }
}

fn result(
    session: &Session,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    placed: Placed,
    here: Option<PerRoute<Here>>,
) -> DeployResult {
    let tag = request.tag.clone();
    let infra = &observed.infrastructure;
    let color = placed.color;
    let is_elsewhere_too = observed.color(color.other()).tag() == Some(&tag);
    DeployResult {
        operation: Command::Deploy,
        asking: (observed.traffic.test.only() != Some(color))
            .then(|| session.asking(infra, color, here.as_ref().map(|here| &here.test))),
        wanted_on: None,
        promote: match is_elsewhere_too {
            true => color.to_string(),
            false => format!("--tag {tag}"),
        },
        outcome: match placed.unchanged {
            true => DeployOutcome::Unchanged,
            false => DeployOutcome::Deployed,
        },
        blind: request.is_blind,
        color,
        tag,
        digest: placed.digest,
        image: ImageFrom {
            from: placed.from,
            reference: match &request.image {
                ImageSource::Reference(reference) => Some(reference.to_string()),
                ImageSource::Build { .. } => None,
            },
        },
        task_definition: placed.task_definition.to_string(),
        live: plan.becomes_live || observed.live_color() == Some(color),
        urls: infra.urls(),
        here,
    }
}

/// The tag that was given, or else the commit's, which is told ahead of all.
fn tag(session: &Session, args: &Deploy) -> Result<Tag> {
    if let Some(tag) = &args.tag {
        return Ok(tag.clone());
    }
    let folder = args.context.as_ref();
    let Some(context) = folder.filter(|context| context.as_os_str() != "-") else {
        return Err(
            Error::usage("there is no folder whose commit could be the tag")
                .hint("give a tag: --tag TAG"),
        );
    };
    let tag = provenance::tag_of_commit(&working_folder()?.join(context)).map_err(|why| {
        let context = context.display();
        Error::usage(format!(
            "no --tag is given, and {context} has none by itself: {why}"
        ))
        .hint("give a tag: --tag TAG; or commit first")
    })?;
    session
        .report
        .tell(&ReportEvent::Note(format!("tag {tag}, of the commit")));
    Ok(tag)
}

/// The request, checked as far as it can be without asking anyone.
fn request(session: &Session, args: &Deploy, tag: &Tag, loaded: &Loaded) -> Result<Request> {
    let (config, flags) = (&session.config, &args.build);
    let ambient = env::var(build::PLATFORM).ok();
    let flag = flags.platform.as_deref().map(Platform::from_str);
    if let Some(Ok(platform)) = flag {
        loaded.agrees(&platform, "--platform")?;
    }
    let defined = loaded.runs_on();
    let wanted = build::runs_on(flags, &config.build, defined, ambient.as_deref())?;
    let image = match (&args.image, &args.context) {
        (Some(reference), _) => {
            let reference = Reference::parse(reference)
                .map_err(|error| usage(DockerError::BadReference(error)))?;
            ImageSource::Reference(reference)
        }
        (None, Some(context)) => build::source(config, flags, context, &working_folder()?, wanted)?,
        (None, None) => {
            return Err(Error::usage("name a build context, or an --image")
                .hint("such as `bgecs deploy . --tag TAG`"));
        }
    };
    Ok(Request {
        image,
        runs_on: wanted,
        tag: tag.clone(),
        restart: args.force,
        shows_difference: args.diff,
        timeout: args.timeout,
        is_blind: args.blind,
    })
}

fn usage(error: DockerError) -> Error {
    let mut error = Error::from(error);
    error.exit = Exit::Usage;
    error
}

fn steps(
    session: &Session,
    (infra, observed): (&EcsInfrastructure, &Observed),
    plan: &DeployPlan,
    request: &Request,
    changes: &[String],
) -> Vec<Step> {
    let color = plan.color;
    let service = observed.infrastructure.named(color);
    let mut steps = Vec::new();
    match &request.image {
        ImageSource::Reference(reference) => steps.push(Step::TakeImage {
            reference: reference.to_string(),
        }),
        ImageSource::Build { request, hook } => {
            steps.extend(hook.as_ref().map(|hook| Step::RunHook {
                command: hook.command.clone(),
            }));
            steps.push(Step::Build {
                context: request.context.to_string(),
            });
        }
    }
    steps.push(Step::Push {
        repository: session.repository(infra),
        tag: request.tag.clone(),
    });
    steps.push(Step::RegisterTaskDefinition {
        family: session.stack_name(),
    });
    steps.push(match plan.service {
        ServicePlan::Create { desired } => Step::CreateService { service, desired },
        ServicePlan::Update { desired } => Step::UpdateService {
            service,
            desired,
            restart: request.restart,
            changes: changes.to_vec(),
        },
    });
    steps.push(Step::Await {
        color,
        blind: request.is_blind,
    });
    if plan.becomes_live {
        let strategy = Strategy::first(color, &observed.traffic);
        let hook = make_live::hook_of_first(&session.config);
        steps.extend(Step::first(hook, &strategy, observed.endpoints()));
    }
    steps
}

#[cfg(test)]
mod tests;
