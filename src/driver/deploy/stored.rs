//! Images that are in the app's repository already: all about them is read from ECR, so
//! that deploying one needs no Docker Engine.

use crate::aws::{Key, Manifest, Stored};
use crate::docker::{Exactly, LocalImage, Reference};
use crate::engine::plan;
use crate::error::{Error, Result};
use crate::model::{Contents, CpuArchitecture, Digest, Observed, Platform, RunsOn};
use crate::session::Session;

/// The image of that name, if it is in the app's repository.
pub(super) async fn find(
    session: &Session,
    observed: &Observed,
    reference: &Reference,
) -> Result<Option<Stored>> {
    let infra = observed.ecs()?;
    let named = [session.repository(infra), infra.repository_uri.clone()];
    let within = named.iter().find_map(|name| reference.within(name));
    let Some(within) = within else {
        return Ok(None);
    };
    let key = match within {
        Exactly::Tag(tag) => Key::Tag(tag),
        Exactly::Digest(digest) => Key::Digest(digest),
    };
    Ok(session.aws.stored_image(&infra.repository, key).await?)
}

/// The CPU architecture for the image's tasks: that of the image, or one of several.
///
/// # Errors
/// What is not an image, or has none that the tasks can run (exit 6).
pub(super) async fn architecture(
    session: &Session,
    repository: &str,
    name: &str,
    stored: &Stored,
    wanted: RunsOn,
) -> Result<CpuArchitecture> {
    match manifest(name, stored)? {
        Manifest::Image { config } => {
            let contents = session.aws.image_contents(repository, &config).await?;
            Ok(plan::fits(&contents.platform, wanted)?)
        }
        Manifest::Index(entries) => {
            let mut variants = Vec::new();
            for entry in entries {
                let platform = match entry.platform {
                    Some(platform) => platform,
                    None => {
                        contents_of(session, repository, &entry.digest)
                            .await?
                            .platform
                    }
                };
                variants.push((platform, ()));
            }
            Ok(plan::choose(name, variants, wanted)?.0)
        }
    }
}

fn manifest(name: &str, stored: &Stored) -> Result<Manifest> {
    stored
        .manifest()
        .map_err(|why| Error::refused(format!("{name} cannot be deployed: {why}")))
}

/// The contents of one image in an index.
async fn contents_of(session: &Session, repository: &str, digest: &Digest) -> Result<Contents> {
    let config = config_of(session, repository, digest).await?;
    Ok(session.aws.image_contents(repository, &config).await?)
}

async fn config_of(session: &Session, repository: &str, digest: &Digest) -> Result<Digest> {
    let name = format!("{repository}@{digest}");
    let key = Key::Digest(digest);
    let stored = session.aws.stored_image(repository, key).await?;
    let stored = stored.ok_or_else(|| Error::failed(format!("there is no {name}")))?;
    match manifest(&name, &stored)? {
        Manifest::Image { config } => Ok(config),
        Manifest::Index(_) => Err(Error::refused(format!(
            "{name} is an index inside an index"
        ))),
    }
}

/// How an image of the repository compares with one of the engine's.
#[derive(Debug)]
pub(super) enum Beside {
    Same,
    Another {
        /// Its labels say that it was built from the same commit and context.
        same_source: bool,
    },
}

/// # Errors
/// It cannot be read.
pub(super) async fn compare(
    session: &Session,
    repository: &str,
    stored: &Stored,
    image: &LocalImage,
) -> Result<Beside> {
    let is_it = |digest: &Digest| image.id == digest.as_str();
    // An engine with the containerd image store identifies images by their manifests.
    if is_it(&stored.digest) {
        return Ok(Beside::Same);
    }
    let config = match manifest(repository, stored)? {
        Manifest::Image { config } => config,
        Manifest::Index(entries) => {
            let runs_it = |platform: &Platform| {
                let own = &image.contents.platform;
                platform.os == own.os && platform.architecture == own.architecture
            };
            let mut entries = entries.into_iter();
            let entry = entries.find(|entry| entry.platform.as_ref().is_some_and(runs_it));
            match entry {
                Some(entry) if is_it(&entry.digest) => return Ok(Beside::Same),
                Some(entry) => config_of(session, repository, &entry.digest).await?,
                None => return Ok(Beside::Another { same_source: false }),
            }
        }
    };
    if is_it(&config) {
        return Ok(Beside::Same);
    }
    let theirs = session.aws.image_contents(repository, &config).await?;
    Ok(match theirs.runs_the_same(&image.contents) {
        true => Beside::Same,
        false => Beside::Another {
            same_source: theirs.is_from_where(&image.contents),
        },
    })
}

#[cfg(test)]
mod tests;
