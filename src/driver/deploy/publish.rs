//! The image: made or taken, pushed unless it is there, and named from then on
//! by its digest alone.

use super::{ImageSource, Request, hook};
use crate::docker::{Credentials, Engine, Image, Progress, Target};
use crate::driver::turn::Turn;
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{Digest, Observed, Tag};
use crate::report::Event;
use crate::session::Session;

/// The image in the registry, and the digest by which it is there.
pub(super) async fn publish(
    session: &Session,
    turn: &Turn,
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
    turn.about_to(Effect::PushImage { name: name.clone() })
        .await?;
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
        .untouched(observed)
        .hint("use a new tag; or allow tags to move with [registry] immutable_tags = false and `bgecs init`"));
    }
    Ok(None)
}
