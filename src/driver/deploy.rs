//! A deploy, step by step: image, registry, task definition, service, and the
//! wait until it serves.

pub mod difference;
mod ending;
mod publish;
mod register;
mod service;
mod stored;

use std::path::PathBuf;
use std::time::Duration;

use super::await_serving::{ExpectedService, Wait, await_asked, await_serving};
use super::turn::Turn;
use crate::definition::{self, Loaded};
use crate::docker::{BuildRequest, Reference};
use crate::engine::plan::{self, DeployPlan, ServicePlan};
use crate::engine::task_definition::{self, Input, Surroundings, TaskDefinition};
use crate::error::{Error, Result};
use crate::interrupt::Interrupts;
use crate::model::{
    Color, CpuArchitecture, Digest, Observed, Origin, RunsOn, Tag, TaskDefinitionArn,
};
use crate::provenance::Provenance;
use crate::report::ReportEvent;
use crate::session::Session;
use service::Told;
pub use service::wanted_definition;

/// Where the image comes from.
#[derive(Debug)]
pub enum ImageSource {
    Build {
        request: Box<BuildRequest>,
        hook: Option<BuildHook>,
    },
    /// An image that CI built.
    Reference(Reference),
}

/// A command that runs ahead of the build, in the folder of `bgecs.toml`.
#[derive(Debug)]
pub struct BuildHook {
    pub command: String,
    pub folder: PathBuf,
    /// `-` for stdin.
    pub context: PathBuf,
    pub platform: String,
}

#[derive(Debug)]
pub struct Request {
    pub image: ImageSource,
    /// What its tasks are to run on.
    pub runs_on: RunsOn,
    pub tag: Tag,
    pub restart: bool,
    /// Of the task definition, ahead of its registration.
    pub shows_difference: bool,
    pub timeout: Duration,
    /// Whether its targets' health is enough, and nobody asks it.
    pub is_blind: bool,
}

/// What a deploy did.
#[derive(Debug)]
pub struct Placed {
    /// Where the release is.
    pub color: Color,
    pub digest: Digest,
    /// How the image came to be there.
    pub from: Origin,
    pub task_definition: TaskDefinitionArn,
    /// It served already; nothing was changed.
    pub unchanged: bool,
}

/// Makes the image serve on the plan's colour, until it does or is interrupted.
///
/// # Errors
/// From the hook, the engine, the registry and AWS, each with what to do, what
/// is left, and where users are: exit 4 where they are on that colour.
pub async fn deploy(
    session: &Session,
    turn: &Turn,
    interrupts: &mut Interrupts,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
) -> Result<Placed> {
    let placing = place(session, turn, observed, plan, request, loaded);
    // What is left then is not known here yet.
    match interrupts.or_stop("deploying", "", placing).await {
        // What was live already is where it was.
        Ok(placed) if placed.color != plan.color => Ok(placed),
        Ok(placed) => {
            ending::confirm(session, turn, observed, plan, &request.tag).await?;
            Ok(placed)
        }
        Err(error) => Err(ending::leave(session, turn, observed, plan, error).await),
    }
}

async fn place(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
) -> Result<Placed> {
    let image = publish::publish(session, turn, observed, request).await?;
    let (digest, from) = (image.digest.clone(), image.from);
    turn.describe(|operation| operation.digest = Some(digest.clone()));
    let operation = turn.operation().id;
    let composed = |color| {
        let image = (image.architecture, Some(&digest));
        let operation = operation.as_str();
        compose(session, observed, color, request, loaded, image, operation)
    };
    if let Some(live) = plan.may_be_live {
        let config_hash = composed(live)?.config_hash;
        let wanted = wanted_definition(session, observed, live, loaded);
        let change = plan::definition_change(observed.color(live), &wanted);
        if plan::is_the_same(observed.color(live), &config_hash, &request.tag)
            && !change.takes_new_tasks()
            && let Some(service) = &observed.color(live).service
        {
            return Ok(Placed {
                color: live,
                digest,
                from,
                task_definition: service.task_definition.clone(),
                unchanged: !service::amend(session, turn, observed, live, change).await?,
            });
        }
        plan::refuse_unproven(observed, plan)
            .map_err(|refusal| Error::from(refusal).untouched(observed))?;
    }
    let definition = composed(plan.color)?;
    let state = observed.color(plan.color);
    let current = plan::serves_already(state, &definition.config_hash, &request.tag);
    let wanted = wanted_definition(session, observed, plan.color, loaded);
    let change = plan::definition_change(state, &wanted);
    // Where only those are told, ECS need not see that they take new tasks.
    let restart = request.restart || (current.is_some() && change.takes_new_tasks());
    if let Some(current) = current.filter(|_| !restart && change.is_nothing()) {
        // Nothing is told to the service, and that it serves is proven all the same.
        let serving = Wait {
            observed,
            color: plan.color,
            requested: current,
            began: session.aws.journal_time(),
            timeout: request.timeout,
            is_blind: turn.operation().blind,
        };
        await_serving(session, &serving).await?;
        return Ok(Placed {
            color: plan.color,
            digest,
            from,
            task_definition: current.clone(),
            unchanged: true,
        });
    }
    if request.shows_difference {
        let shown = difference::show(session, observed, plan.color, request, &definition).await?;
        session.report.tell(&ReportEvent::Note(shown));
    }
    let task_definition = match current {
        Some(current) => current.clone(),
        None => register::register(session, turn, &definition, &digest).await?,
    };
    turn.describe(|operation| operation.task_definition = Some(task_definition.clone()));
    let began = session.aws.journal_time();
    let told = Told {
        task_definition: &task_definition,
        definition: &wanted,
        restart,
    };
    service::tell(session, turn, observed, plan, &told).await?;
    turn.did().await?;
    let wait = Wait {
        observed,
        color: plan.color,
        requested: &task_definition,
        began,
        timeout: request.timeout,
        is_blind: turn.operation().blind,
    };
    await_asked(session, &wait, &asked(observed, plan, restart))
        .await
        .map_err(|error| {
            loaded.say_where_logs_are(
                error,
                plan.color,
                session.log_place(&observed.infrastructure),
            )
        })?;
    session
        .report
        .tell(&ReportEvent::Done(format!("{} serves", plan.color)));
    Ok(Placed {
        color: plan.color,
        digest,
        from,
        task_definition,
        unchanged: false,
    })
}

fn asked(observed: &Observed, plan: &DeployPlan, restart: bool) -> ExpectedService {
    let service = observed.color(plan.color).service.as_ref();
    let before = service.and_then(|service| service.primary());
    ExpectedService {
        count: match plan.service {
            ServicePlan::Create { desired } => Some(desired),
            ServicePlan::Update { desired } => desired,
        },
        replaces: before
            .filter(|_| restart)
            .map(|deployment| deployment.id.clone()),
        ..ExpectedService::of_deploy(plan.color)
    }
}

fn compose(
    session: &Session,
    observed: &Observed,
    color: Color,
    request: &Request,
    loaded: &Loaded,
    (architecture, digest): (CpuArchitecture, Option<&Digest>),
    operation: &str,
) -> Result<TaskDefinition> {
    let infra = &observed.infrastructure;
    let context = match &request.image {
        ImageSource::Build { request, .. } => request.context.folder(),
        ImageSource::Reference(_) => None,
    };
    let provenance = Provenance::gather(context);
    let repository = session.repository(infra);
    let input = Input {
        app: &session.config.app,
        color,
        source: loaded.source(&session.config),
        image: task_definition::Image {
            repository: &repository,
            tag: &request.tag,
            digest,
            architecture,
        },
        surroundings: Surroundings {
            roles: &infra.roles,
            logs: session.log_place(infra),
        },
        provenance: task_definition::ReleaseProvenance {
            commit: provenance.commit.as_deref(),
            deployed_by: &provenance.who,
            deployed_at: &provenance.when,
            operation,
        },
    };
    task_definition::compose(&input).map_err(|error| definition::usage(&error))
}
