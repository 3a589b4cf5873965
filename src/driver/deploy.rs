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

use time::OffsetDateTime;

use super::await_serving::{ExpectedService, Wait, await_asked};
use super::turn::Turn;
use crate::definition::{self, Loaded};
use crate::docker::{BuildRequest, Reference};
use crate::engine::plan::{self, DeployPlan, ServicePlan};
use crate::engine::task_definition::{self, Input, Surroundings, TaskDefinition};
use crate::error::{Error, Result};
use crate::interrupt::Interrupts;
use crate::model::{Color, CpuArchitecture, Digest, Observed, Origin, Revision, RunsOn, Tag};
use crate::provenance::Provenance;
use crate::report::ReportEvent;
use crate::session::Session;
use publish::Published;
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

/// A command that runs before the build, in the folder of `bgecs.toml`.
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
    /// What its tasks run on.
    pub runs_on: RunsOn,
    pub tag: Tag,
    pub restart: bool,
    /// Whether to show how the task definition differs, before it is registered.
    pub shows_difference: bool,
    pub timeout: Duration,
    /// Whether target health is enough, so that the colour itself is not asked.
    pub is_blind: bool,
}

/// What a deploy did.
#[derive(Debug)]
pub struct Placed {
    /// Where the release is.
    pub color: Color,
    pub digest: Digest,
    /// Where the image came from.
    pub from: Origin,
    pub task_definition: Revision,
    /// It was serving already; nothing was changed.
    pub unchanged: bool,
}

/// Puts the image on the plan's colour and waits until it serves.
///
/// # Errors
/// From the hook, the engine, the registry and AWS; each says what to do, what is left,
/// and where users are: exit 4 if they are on that colour.
pub async fn deploy(
    session: &Session,
    turn: &Turn,
    interrupts: &mut Interrupts,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
) -> Result<Placed> {
    let placing = Placing {
        session,
        turn,
        observed,
        plan,
        request,
        loaded,
    };
    // What is left after an interrupt is not known here yet.
    match interrupts.or_stop("deploying", "", placing.run()).await {
        // It was live already, so nothing has moved.
        Ok(placed) if placed.color != plan.color => Ok(placed),
        Ok(placed) => {
            ending::confirm(session, turn, observed, plan, &request.tag).await?;
            Ok(placed)
        }
        Err(error) => Err(ending::leave(session, turn, observed, plan, error).await),
    }
}

struct Placing<'a> {
    session: &'a Session,
    turn: &'a Turn,
    observed: &'a Observed,
    plan: &'a DeployPlan,
    request: &'a Request,
    loaded: &'a Loaded,
}

/// What a colour runs, and whether it did so before.
struct PlacedRevision {
    task_definition: Revision,
    unchanged: bool,
}

impl Placing<'_> {
    async fn run(&self) -> Result<Placed> {
        let image = publish::publish(self.session, self.turn, self.observed, self.request).await?;
        let digest = image.digest.clone();
        self.turn
            .describe(|operation| operation.digest = Some(digest.clone()));
        let live = match self.plan.may_be_live {
            Some(live) => self.live_already(live, &image).await?.zip(Some(live)),
            None => None,
        };
        let (revision, color) = match live {
            Some(live) => live,
            None => (self.onto_its_color(&image).await?, self.plan.color),
        };
        Ok(Placed {
            color,
            digest,
            from: image.from,
            task_definition: revision.task_definition,
            unchanged: revision.unchanged,
        })
    }

    fn composed(&self, color: Color, image: &Published) -> Result<TaskDefinition> {
        let operation = self.turn.operation().id;
        compose(
            self.session,
            self.observed,
            color,
            self.request,
            self.loaded,
            (image.architecture, Some(&image.digest)),
            operation.as_str(),
        )
    }

    /// The live release, if it is exactly what was asked for.
    async fn live_already(&self, live: Color, image: &Published) -> Result<Option<PlacedRevision>> {
        let state = self.observed.color(live);
        let config_hash = self.composed(live, image)?.config_hash;
        let wanted = wanted_definition(self.session, self.observed, live, self.loaded)?;
        let change = plan::definition_change(state, &wanted);
        if plan::is_the_same(state, &config_hash, &self.request.tag)
            && !change.takes_new_tasks()
            && let Some(service) = &state.service
        {
            let amended = service::amend(self.session, self.turn, self.observed, live, change);
            return Ok(Some(PlacedRevision {
                task_definition: service.task_definition.clone(),
                unchanged: !amended.await?,
            }));
        }
        plan::refuse_unproven(self.observed, self.plan)
            .map_err(|refusal| Error::from(refusal).untouched(self.observed))?;
        Ok(None)
    }

    async fn onto_its_color(&self, image: &Published) -> Result<PlacedRevision> {
        let (session, turn, observed) = (self.session, self.turn, self.observed);
        let color = self.plan.color;
        let definition = self.composed(color, image)?;
        let state = observed.color(color);
        let current = plan::serves_already(state, &definition.config_hash, &self.request.tag);
        let wanted = wanted_definition(session, observed, color, self.loaded)?;
        let change = plan::definition_change(state, &wanted);
        // If only such settings change, ECS need not notice that they take new tasks:
        // force them.
        let restart = self.request.restart || (current.is_some() && change.takes_new_tasks());
        let unchanged = current.filter(|_| !restart && change.is_nothing());
        if let Some(current) = unchanged {
            // The service is not updated, but it is still proven that it serves.
            let began = session.aws.journal_time();
            let asked = ExpectedService::of_deploy(color);
            self.serve(current, began, &asked).await?;
            return Ok(PlacedRevision {
                task_definition: current.clone(),
                unchanged: true,
            });
        }
        if self.request.shows_difference {
            let shown = difference::show(session, observed, color, self.request, &definition);
            session.report.tell(&ReportEvent::Note(shown.await?));
        }
        let task_definition = match current {
            Some(current) => current.clone(),
            None => register::register(session, turn, &definition, &image.digest).await?,
        };
        turn.describe(|operation| operation.task_definition = Some(task_definition.clone()));
        let began = session.aws.journal_time();
        let told = Told {
            task_definition: &task_definition,
            definition: &wanted,
            restart,
        };
        service::tell(session, turn, observed, self.plan, &told).await?;
        turn.did().await?;
        let asked = asked(observed, self.plan, restart);
        self.serve(&task_definition, began, &asked).await?;
        session
            .report
            .tell(&ReportEvent::Done(format!("{color} serves")));
        Ok(PlacedRevision {
            task_definition,
            unchanged: false,
        })
    }

    /// Waits until the colour serves that revision.
    async fn serve(
        &self,
        requested: &Revision,
        began: OffsetDateTime,
        asked: &ExpectedService,
    ) -> Result<()> {
        let wait = Wait {
            observed: self.observed,
            color: self.plan.color,
            requested,
            began,
            timeout: self.request.timeout,
            is_blind: self.turn.operation().blind,
        };
        let served = await_asked(self.session, &wait, asked).await;
        let here = self.session.log_place(self.observed.ecs()?);
        served.map_err(|error| self.loaded.say_where_logs_are(error, self.plan.color, here))
    }
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
    let infra = observed.ecs()?;
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
