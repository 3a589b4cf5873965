//! The image: built or taken, pushed unless it is there already, and from then on named
//! by its digest alone.

use super::stored::{self, Beside};
use super::{BuildHook, ImageSource, Request};
use crate::aws::{Key, RegistryLogin, Stored, TagMobility};
use crate::docker::{
    BuildRequest, Credentials, Engine, LocalImage, Logins, Progress, PushTarget, Reference,
};
use crate::driver::hook::HookCommand;
use crate::driver::turn::Turn;
use crate::engine::plan;
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{CpuArchitecture, Digest, EcsInfrastructure, Observed, Origin, Tag};
use crate::provenance;
use crate::report::ReportEvent;
use crate::session::Session;

/// An image in the registry.
pub(super) struct Published {
    pub digest: Digest,
    pub architecture: CpuArchitecture,
    pub from: Origin,
}

/// Makes sure that the image is in the registry, and returns the digest that it has
/// there.
///
/// # Errors
/// Among others, an image that the tasks could not run: it is not pushed.
pub(super) async fn publish(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    request: &Request,
) -> Result<Published> {
    if let ImageSource::Reference(reference) = &request.image
        && let Some(stored) = stored::find(session, observed, reference).await?
    {
        return from_registry(session, turn, observed, request, reference, &stored).await;
    }
    let (engine, login) = tokio::join!(Engine::connect(), session.aws.registry_login());
    let (engine, login) = (engine?, login?);
    // An image without a name could be pruned before it is pushed, and the name that it
    // is pushed under should exist only for what was pushed.
    let name = format!("bgecs-build:{:08x}", fastrand::u32(..));
    let publishing = make_and_push(session, turn, observed, request, (&engine, &name), login);
    let published = publishing.await;
    engine.forget_name(&name).await;
    published
}

async fn make_and_push(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    request: &Request,
    (engine, name): (&Engine, &str),
    login: RegistryLogin,
) -> Result<Published> {
    let repository = session.repository(observed.ecs()?);
    let logins = logins(&repository, &login);
    let made = make_image(session, (engine, name), &logins, request).await;
    if made.is_ok() {
        // If the build failed, the error says so.
        for doubt in logins.doubts() {
            session
                .report
                .tell(&ReportEvent::Warning(doubt.to_string()));
        }
    }
    let (image, from) = made?;
    let architecture = plan::fits(&image.contents.platform, request.runs_on)
        .map_err(|refusal| Error::from(refusal).untouched(observed))?;
    let published = |digest| Published {
        digest,
        architecture,
        from,
    };
    if let Some(digest) = pushed_already(session, observed, &image, &request.tag).await? {
        session
            .report
            .tell(&is_there(&format!("{repository}:{}", request.tag)));
        return Ok(published(digest));
    }
    let push = Push {
        engine,
        repository: &repository,
        login,
    };
    push.run(session, turn, &image, &request.tag)
        .await
        .map(published)
}

fn is_there<'a>(name: &str) -> ReportEvent<'a> {
    ReportEvent::Done(format!("{name} is in the registry already"))
}

/// The user's own logins, and ECR's, which bgecs has anyway, for the registries that it
/// is valid for: the image may be built from images there.
fn logins(repository: &str, login: &RegistryLogin) -> Logins {
    let app = repository.split('/').next().unwrap_or_default().to_owned();
    let login = login.clone();
    Logins::of_user(move |registry| {
        let is_for = registry == app || login.is_for(registry);
        is_for.then(|| Credentials::new(&login.username, &login.password))
    })
}

/// An image that is in the app's own repository: at most it gets one more tag.
async fn from_registry(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    request: &Request,
    reference: &Reference,
    stored: &Stored,
) -> Result<Published> {
    let repository = &observed.ecs()?.repository;
    let name = reference.as_str();
    let architecture = stored::architecture(session, repository, name, stored, request.runs_on)
        .await
        .map_err(|error| error.untouched(observed))?;
    let tag = &request.tag;
    let there = session.aws.stored_image(repository, Key::Tag(tag)).await?;
    let there = there.map(|stored| stored.digest);
    let tagged = format!("{}:{tag}", session.repository(observed.ecs()?));
    if there.as_ref() == Some(&stored.digest) {
        session.report.tell(&is_there(&tagged));
    } else {
        if let Some(other) = there
            && !may_move(session, repository, tag).await?
        {
            return Err(taken(
                session,
                (observed.ecs()?, observed),
                tag,
                &other,
                false,
            ));
        }
        turn.about_to(Effect::PushImage {
            name: tagged.clone(),
        })
        .await?;
        session.aws.tag_image(repository, stored, tag).await?;
        session
            .report
            .tell(&ReportEvent::Done(format!("also tagged {name} as {tag}")));
    }
    Ok(Published {
        digest: stored.digest.clone(),
        architecture,
        from: Origin::Registry,
    })
}

async fn make_image(
    session: &Session,
    (engine, name): (&Engine, &str),
    logins: &Logins,
    request: &Request,
) -> Result<(LocalImage, Origin)> {
    let show = |progress: Progress| session.report.tell(&ReportEvent::Docker(&progress));
    match &request.image {
        ImageSource::Reference(reference) => {
            session
                .report
                .tell(&ReportEvent::Doing(format!("taking the image {reference}")));
            let platform = request.runs_on.platform();
            let taken = engine
                .take(reference, platform.as_ref(), logins, &show)
                .await?;
            session.report.tell(&took(reference, taken.1));
            Ok(taken)
        }
        ImageSource::Build {
            request: build,
            hook,
        } => {
            engine.can_build()?;
            if let Some(hook) = hook {
                run_ahead(hook, session, &request.tag).await?;
            }
            session
                .report
                .tell(&ReportEvent::Doing("building the image".to_owned()));
            let image = engine.build(&told(build, name), logins, &show).await?;
            session.report.tell(&ReportEvent::Done(format!(
                "built the image ({})",
                image.contents.platform
            )));
            Ok((image, Origin::Built))
        }
    }
}

/// # Errors
/// From the hook (exit 1).
async fn run_ahead(hook: &BuildHook, session: &Session, tag: &Tag) -> Result<()> {
    let command = HookCommand {
        what: "hook",
        name: format!("`{}`", hook.command),
        line: &hook.command,
        folder: &hook.folder,
        environment: vec![
            ("BGECS_CONTEXT", hook.context.clone().into()),
            ("BGECS_TAG", tag.as_str().into()),
            ("BGECS_PLATFORM", hook.platform.clone().into()),
        ],
        limit: None,
    };
    command.run(session).await.map_err(|failure| {
        Error::from(failure)
            .hint("it is `[build] before` in bgecs.toml; nothing was built or deployed")
    })
}

fn took<'a>(reference: &Reference, from: Origin) -> ReportEvent<'a> {
    match (from, reference.registry()) {
        (Origin::Local, Some(registry)) if reference.names_a_registry() => {
            ReportEvent::Warning(format!(
                "{registry} does not have {reference}: using the image that this machine's engine has under that name"
            ))
        }
        _ => ReportEvent::Done(format!("took {reference}")),
    }
}

/// Adds the name, and labels with the commit and the folder that it is built from, unless
/// the user has set those labels.
fn told(build: &BuildRequest, name: &str) -> BuildRequest {
    let mut build = build.clone();
    build.name = Some(name.to_owned());
    let context = build.context.folder();
    for (label, value) in context.map(provenance::labels).unwrap_or_default() {
        build.labels.entry(label).or_insert(value);
    }
    build
}

/// The digest, if the tag already names this very image.
///
/// # Errors
/// A tag that names another image and may not be moved (exit 6).
async fn pushed_already(
    session: &Session,
    observed: &Observed,
    image: &LocalImage,
    tag: &Tag,
) -> Result<Option<Digest>> {
    let name = &observed.ecs()?.repository;
    let Some(there) = session.aws.stored_image(name, Key::Tag(tag)).await? else {
        return Ok(None);
    };
    let repository = session.repository(observed.ecs()?);
    if image.is_known_as(&repository, &there.digest) {
        return Ok(Some(there.digest));
    }
    // These credentials may not be allowed to read it; then it counts as another image.
    let beside = stored::compare(session, name, &there, image).await;
    if matches!(beside, Ok(Beside::Same)) {
        return Ok(Some(there.digest));
    }
    if may_move(session, name, tag).await? {
        return Ok(None);
    }
    let same_source = matches!(beside, Ok(Beside::Another { same_source: true }));
    let taken = taken(
        session,
        (observed.ecs()?, observed),
        tag,
        &there.digest,
        same_source,
    );
    Err(match beside {
        Ok(_) => taken,
        Err(error) => taken.cause(format!(
            "the two images cannot be compared: {}",
            error.message
        )),
    })
}

/// A repository that existed before bgecs may let tags move because that is ECR's
/// default, which does not mean that its owner wants it: there the configuration decides.
async fn may_move(session: &Session, repository: &str, tag: &Tag) -> Result<bool> {
    Ok(match session.aws.tag_mobility(repository, tag).await? {
        TagMobility::Fixed => false,
        TagMobility::Excepted => true,
        TagMobility::Free => !session.config.registry.immutable_tags,
    })
}

/// The error for a tag that names another image and must not move.
fn taken(
    session: &Session,
    (infra, observed): (&EcsInfrastructure, &Observed),
    tag: &Tag,
    there: &Digest,
    same_source: bool,
) -> Error {
    let take = format!(
        "`bgecs deploy --image {}:{tag} --tag {tag}`",
        session.repository(infra)
    );
    let error = Error::refused(format!(
        "tag {tag} is taken: in {} it names another image, {}",
        infra.repository,
        there.short()
    ))
    .untouched(observed);
    let config = &session.config;
    let otherwise = match config.attached.is_some() || config.given.repository.is_some() {
        false => "or allow tags to move with [registry] immutable_tags = false and `bgecs init`",
        true => "or allow tags to move with [registry] immutable_tags = false",
    };
    match same_source {
        true => error
            .cause("that image was built from the same commit and context")
            .hint(format!(
                "{take} deploys that one; for what was built now use a new tag, {otherwise}"
            )),
        false => error.hint(format!(
            "use a new tag; {take} deploys the image that is there; {otherwise}"
        )),
    }
}

/// A push to the app's repository.
struct Push<'a> {
    engine: &'a Engine,
    /// Including its registry.
    repository: &'a str,
    login: RegistryLogin,
}

impl Push<'_> {
    async fn run(
        self,
        session: &Session,
        turn: &Turn,
        image: &LocalImage,
        tag: &Tag,
    ) -> Result<Digest> {
        let name = format!("{}:{tag}", self.repository);
        session
            .report
            .tell(&ReportEvent::Doing(format!("pushing {name}")));
        turn.about_to(Effect::PushImage { name: name.clone() })
            .await?;
        let (host, path) = self.repository.split_once('/').unwrap_or_default();
        let target = PushTarget {
            registry: host,
            repository: path,
            tag,
            credentials: &Credentials::new(self.login.username, self.login.password),
        };
        let show = |progress: Progress| session.report.tell(&ReportEvent::Docker(&progress));
        let digest = self.engine.push(image, &target, &show).await?;
        session.report.tell(&ReportEvent::Done(format!(
            "pushed {name} as {}",
            digest.short()
        )));
        Ok(digest)
    }
}
