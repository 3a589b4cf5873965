//! A deploy, step by step: image, registry, task definition, service, and the
//! wait until it serves.

mod hook;

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use super::World;
use super::await_serving::{Wait, await_serving};
use super::live::LiveWorld;
use crate::aws::{NewService, ServiceChange};
use crate::definition::{self, Loaded};
use crate::docker::{BuildRequest, Credentials, Engine, Image, Progress, Target};
use crate::engine::plan::{DeployPlan, ServicePlan};
use crate::engine::task_definition::{self, Input, Surroundings, TaskDefinition};
use crate::error::{Error, Exit, Result};
use crate::model::{
    Color, ColorState, CpuArchitecture, Digest, Observed, Port, Rollout, Tag, TaskDefinitionArn,
};
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
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
) -> Result<Deployed> {
    let (image, digest) = publish(session, observed, request).await?;
    let definition = compose(
        session, observed, plan.color, request, loaded, &image, &digest,
    )?;
    let current = serving_already(observed.color(plan.color), &definition, &request.tag);
    if let Some(current) = current.filter(|_| !request.restart) {
        return Ok(Deployed {
            digest,
            task_definition: current.clone(),
            unchanged: true,
        });
    }
    let task_definition = match current {
        Some(current) => current.clone(),
        None => register(session, &definition).await?,
    };
    let began = OffsetDateTime::now_utc();
    put_onto_service(session, observed, plan, request, loaded, &task_definition).await?;
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
        digest,
        task_definition,
        unchanged: false,
    })
}

/// The image in the registry, and the digest by which it is there.
async fn publish(
    session: &Session,
    observed: &Observed,
    request: &Request,
) -> Result<(Image, Digest)> {
    let engine = Engine::connect().await?;
    // The registry's token is fetched while the image is built.
    let (image, login) = tokio::join!(
        make_image(session, &engine, request),
        session.aws.registry_login()
    );
    let (image, login) = (image?, login?);
    let repository = session.repository(&observed.infrastructure);
    let name = format!("{repository}:{}", request.tag);
    if let Some(digest) =
        pushed_already(session, observed, &image, &repository, &request.tag).await?
    {
        session
            .report
            .tell(&Event::Done(format!("{name} is in the registry already")));
        return Ok((image, digest));
    }
    session
        .report
        .tell(&Event::Doing(format!("pushing {name}")));
    let (host, path) = repository.split_once('/').unwrap_or(("", &repository));
    let credentials = Credentials::new(login.username, login.password);
    let target = Target {
        registry: host,
        repository: path,
        tag: &request.tag,
        credentials: &credentials,
    };
    let digest = engine
        .push(&image, &target, &|progress| {
            session.report.tell(&Event::Docker(&progress));
        })
        .await?;
    session
        .report
        .tell(&Event::Done(format!("pushed {name} as {}", digest.short())));
    Ok((image, digest))
}

async fn make_image(session: &Session, engine: &Engine, request: &Request) -> Result<Image> {
    let show = |progress: Progress| session.report.tell(&Event::Docker(&progress));
    match &request.image {
        ImageSource::Reference(reference) => {
            session
                .report
                .tell(&Event::Doing(format!("taking the image {reference}")));
            let image = engine.inspect_or_pull(reference, &show).await?;
            session
                .report
                .tell(&Event::Done(format!("took {reference}")));
            Ok(image)
        }
        ImageSource::Build {
            request: build,
            hook,
        } => {
            if let Some(hook) = hook {
                hook::run(session, hook, &request.tag).await?;
            }
            session
                .report
                .tell(&Event::Doing("building the image".to_owned()));
            let image = engine.build(build, &show).await?;
            session.report.tell(&Event::Done(format!(
                "built the image ({})",
                image.architecture
            )));
            Ok(image)
        }
    }
}

/// The digest, where the tag names this very image already.
///
/// # Errors
/// A tag that names another image and may not be moved (exit 6).
async fn pushed_already(
    session: &Session,
    observed: &Observed,
    image: &Image,
    repository: &str,
    tag: &Tag,
) -> Result<Option<Digest>> {
    let name = &observed.infrastructure.repository;
    let Some(there) = session.aws.digest_of_tag(name, tag).await? else {
        return Ok(None);
    };
    if image.is_known_as(repository, &there) {
        return Ok(Some(there));
    }
    if session.aws.tags_are_immutable(name).await? {
        return Err(Error::refused(format!(
            "tag {tag} is taken: in {name} it names another image, {}",
            there.short()
        ))
        .traffic(format!("{}, unchanged", observed.traffic()))
        .hint("take a new tag; or allow tags to move with [registry] immutable_tags = false and `bgecs init`"));
    }
    Ok(None)
}

fn compose(
    session: &Session,
    observed: &Observed,
    color: Color,
    request: &Request,
    loaded: &Loaded,
    image: &Image,
    digest: &Digest,
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
        },
    };
    task_definition::compose(&input).map_err(|error| definition::usage(&error))
}

/// The revision that the colour serves, where it is the one that would be
/// registered: same digest, same configuration, same tag.
fn serving_already<'a>(
    state: &'a ColorState,
    wanted: &TaskDefinition,
    tag: &Tag,
) -> Option<&'a TaskDefinitionArn> {
    let service = state.service.as_ref()?;
    let primary = service.primary()?;
    let release = state.release.as_ref()?;
    let is_same =
        release.config.as_ref() == Some(&wanted.config_hash) && release.tag.as_ref() == Some(tag);
    let serves = primary.rollout == Some(Rollout::Completed)
        && service.desired > 0
        && primary.running == service.desired
        && i32::try_from(state.targets.healthy()).is_ok_and(|healthy| healthy >= service.desired);
    (is_same && serves).then_some(&primary.task_definition)
}

async fn register(session: &Session, definition: &TaskDefinition) -> Result<TaskDefinitionArn> {
    let family = session.stack_name();
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
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
    task_definition: &TaskDefinitionArn,
) -> Result<()> {
    let color = plan.color;
    let infra = &observed.infrastructure;
    match plan.service {
        ServicePlan::Create { desired } => {
            let source = loaded.source(&session.config);
            let new = NewService {
                app: session.app(),
                infrastructure: infra,
                color,
                task_definition,
                desired,
                container: source.container(),
                port: loaded.port(&session.config)?,
            };
            session.aws.create_service(&new).await?;
            session.report.tell(&Event::Done(format!(
                "created the service {color} with {desired} task(s)"
            )));
        }
        ServicePlan::Update { desired } => {
            let change = ServiceChange {
                task_definition: Some(task_definition),
                desired,
                restart: request.restart,
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

/// Points prod at the first colour that serves, then test at the other. Nothing
/// was live, so no user can notice; each write is read back all the same.
///
/// # Errors
/// A listener that does not show the write (exit 4).
pub async fn make_live(session: &Session, observed: &Observed, color: Color) -> Result<()> {
    let world = LiveWorld {
        aws: &session.aws,
        infrastructure: &observed.infrastructure,
    };
    for (port, color) in [(Port::Prod, color), (Port::Test, color.other())] {
        if let Err(fault) = world.point_listener_at(port, color).await
            && !fault.ambiguous
        {
            return Err(
                Error::failed(format!("{port} cannot be pointed at {color}"))
                    .cause(fault.message)
                    .traffic(observed.traffic())
                    .hint(format!("`bgecs promote {color}` tries again")),
            );
        }
        let seen = world.read_listener(port).await;
        if seen.as_ref().map(crate::model::Forwarding::only) != Ok(Some(color)) {
            let cause = match seen {
                Ok(forwarding) => format!("{port} forwards to {forwarding}"),
                Err(reason) => reason,
            };
            return Err(Error::new(
                Exit::LookNow,
                format!("{port} does not show that it forwards to {color}"),
            )
            .cause(cause)
            .hint("`bgecs status` shows both listeners"));
        }
    }
    Ok(())
}
