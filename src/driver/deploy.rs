//! A deploy, step by step: image, registry, task definition, service, and the
//! wait until it serves.

mod hook;
mod publish;

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use super::await_serving::{Wait, await_serving};
use super::turn::Turn;
use crate::aws::{NewService, ServiceChange};
use crate::definition::{self, Loaded};
use crate::docker::{BuildRequest, Image};
use crate::engine::plan::{self, DeployPlan, ServicePlan};
use crate::engine::task_definition::{self, Input, Surroundings, TaskDefinition};
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{Color, CpuArchitecture, Digest, Observed, Tag, TaskDefinitionArn};
use crate::provenance::Provenance;
use crate::report::Event;
use crate::session::Session;

/// Where the image comes from.
#[derive(Debug)]
pub enum ImageSource {
    Build {
        request: Box<BuildRequest>,
        hook: Option<Hook>,
    },
    /// An image that CI built.
    Reference(String),
}

/// A command that runs ahead of the build, in the folder of `bgecs.toml`.
#[derive(Debug)]
pub struct Hook {
    pub command: String,
    pub folder: PathBuf,
    pub context: PathBuf,
    pub platform: String,
}

#[derive(Debug)]
pub struct Request {
    pub image: ImageSource,
    pub tag: Tag,
    pub restart: bool,
    pub timeout: Duration,
}

/// What was deployed.
#[derive(Debug)]
pub struct Deployed {
    /// Where the release is.
    pub color: Color,
    pub digest: Digest,
    pub task_definition: TaskDefinitionArn,
    /// It served already; nothing was changed.
    pub unchanged: bool,
}

/// Makes the image serve on the plan's colour.
///
/// # Errors
/// From the hook, the engine, the registry and AWS, each with what to do; in
/// all of them port 80's traffic is unchanged, unless the live colour itself
/// was deployed onto.
pub async fn deploy(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
) -> Result<Deployed> {
    let (image, digest) = publish::publish(session, turn, observed, request).await?;
    turn.describe(|operation| operation.digest = Some(digest.clone()));
    let composed = |color| {
        let image = (&image, &digest);
        compose(session, turn, observed, color, request, loaded, image)
    };
    if let Some(live) = plan.may_be_live {
        let config_hash = composed(live)?.config_hash;
        if plan::is_the_same(observed.color(live), &config_hash, &request.tag)
            && let Some(service) = &observed.color(live).service
        {
            return Ok(Deployed {
                color: live,
                digest,
                task_definition: service.task_definition.clone(),
                unchanged: true,
            });
        }
        if plan.onto_live && !plan.allow_live {
            return Err(Error::from(plan::onto_what_is_live(observed, live)).untouched(observed));
        }
    }
    let definition = composed(plan.color)?;
    let current = plan::serves_already(
        observed.color(plan.color),
        &definition.config_hash,
        &request.tag,
    );
    if let Some(current) = current.filter(|_| !request.restart) {
        return Ok(Deployed {
            color: plan.color,
            digest,
            task_definition: current.clone(),
            unchanged: true,
        });
    }
    let task_definition = match current {
        Some(current) => current.clone(),
        None => register(session, turn, &definition, &digest).await?,
    };
    let began = OffsetDateTime::now_utc();
    put_onto_service(
        session,
        turn,
        observed,
        plan,
        request,
        loaded,
        &task_definition,
    )
    .await?;
    turn.did().await?;
    let wait = Wait {
        observed,
        color: plan.color,
        requested: &task_definition,
        began,
        timeout: request.timeout,
    };
    await_serving(session, &wait).await?;
    session
        .report
        .tell(&Event::Done(format!("{} serves", plan.color)));
    Ok(Deployed {
        color: plan.color,
        digest,
        task_definition,
        unchanged: false,
    })
}

fn compose(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    request: &Request,
    loaded: &Loaded,
    (image, digest): (&Image, &Digest),
) -> Result<TaskDefinition> {
    let architecture = CpuArchitecture::from_image(&image.architecture).ok_or_else(|| {
        Error::failed(format!("Fargate runs no image for {}", image.architecture))
            .hint("build it with --platform linux/amd64 or linux/arm64")
    })?;
    let infra = &observed.infrastructure;
    let context = match &request.image {
        ImageSource::Build { request, .. } => Some(request.context.as_path()),
        ImageSource::Reference(_) => None,
    };
    let provenance = Provenance::gather(context);
    let operation = turn.operation().id;
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
            execution_role_arn: &infra.execution_role_arn,
            task_role_arn: &infra.task_role_arn,
            log_group: &infra.log_group,
            region: session.aws.region(),
        },
        provenance: task_definition::Provenance {
            commit: provenance.commit.as_deref(),
            deployed_by: &provenance.who,
            deployed_at: &provenance.when,
            operation: operation.as_str(),
        },
    };
    task_definition::compose(&input).map_err(|error| definition::usage(&error))
}

async fn register(
    session: &Session,
    turn: &Turn,
    definition: &TaskDefinition,
    digest: &Digest,
) -> Result<TaskDefinitionArn> {
    let family = session.stack_name();
    turn.about_to(Effect::RegisterTaskDefinition {
        family: family.clone(),
        digest: digest.clone(),
    })
    .await?;
    let arn = session
        .aws
        .register_task_definition(&family, &definition.body)
        .await?;
    session
        .report
        .tell(&Event::Done(format!("registered {}", arn.short())));
    Ok(arn)
}

async fn put_onto_service(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
    task_definition: &TaskDefinitionArn,
) -> Result<()> {
    let color = plan.color;
    let infra = &observed.infrastructure;
    turn.describe(|operation| operation.task_definition = Some(task_definition.clone()));
    match plan.service {
        ServicePlan::Create { desired } => {
            turn.about_to(Effect::CreateService {
                color,
                task_definition: task_definition.clone(),
            })
            .await?;
            let source = loaded.source(&session.config);
            let new = NewService {
                app: session.app(),
                infrastructure: infra,
                color,
                task_definition,
                desired,
                container: source.container(),
                port: loaded.port(&session.config)?,
                health_check_grace_period: session.config.service.health_check_grace_period,
            };
            session.aws.create_service(&new).await?;
            session.report.tell(&Event::Done(format!(
                "created the service {color} with {desired} task(s)"
            )));
        }
        ServicePlan::Update { desired } => {
            turn.about_to(Effect::UpdateService {
                color,
                task_definition: Some(task_definition.clone()),
                desired,
            })
            .await?;
            let change = ServiceChange {
                task_definition: Some(task_definition),
                desired,
                restart: request.restart,
                health_check_grace_period: Some(session.config.service.health_check_grace_period),
            };
            session
                .aws
                .update_service(&infra.cluster, color, &change)
                .await?;
            session
                .report
                .tell(&Event::Done(format!("updated the service {color}")));
        }
    }
    Ok(())
}
