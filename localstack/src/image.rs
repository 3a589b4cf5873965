//! An image of the emulator, for the container path: made here, because no
//! public image is needed for it and none can be had everywhere. A base system
//! by `debootstrap`, and on it what `Dockerfile` says.
//!
//! Used with `BGECS_EMULATOR_IMAGE`; only [`build`] and [`ensure`] make it.

mod base;
mod context;
mod stream;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use bollard::Docker;
use bollard::query_parameters::{BuildImageOptionsBuilder, BuilderVersion};

use crate::emulator::ministack::SERVE;
use crate::layout::Layout;
use crate::{Error, Progress, Result, lock, venv};

/// The name of the image; the version is that of `requirements.txt`.
pub const TAG: &str = "bgecs-emulator:ministack-1.5.33";

const DOCKERFILE: &str = include_str!("../Dockerfile");
/// What the image was made from, so that a change makes it anew.
const MADE_FROM: &str = "bgecs.made-from";

/// Makes the image unless the engine has it, made from what it would be made
/// from now; gives its name.
///
/// # Errors
/// If it cannot be made here; it says why and what to do.
pub async fn ensure(docker: &Docker, progress: &Progress) -> Result<String> {
    make(docker, progress, false).await
}

/// Makes the image, also if there is one; gives its name.
///
/// # Errors
/// If it cannot be made here; it says why and what to do.
pub async fn build(docker: &Docker, progress: &Progress) -> Result<String> {
    make(docker, progress, true).await
}

async fn make(docker: &Docker, progress: &Progress, anew: bool) -> Result<String> {
    let layout = Layout::find()?;
    let _lock = lock::exclusive(&layout.lock("image"), "make the emulator's image").await?;
    if anew || label(docker, TAG, MADE_FROM).await? != Some(made_from()) {
        let begin = Instant::now();
        base::ensure(docker, &layout, progress).await?;
        from_dockerfile(docker, &layout, progress).await?;
        progress(&format!("{TAG} is made after {:.0?}", begin.elapsed()));
    }
    Ok(TAG.to_owned())
}

async fn from_dockerfile(docker: &Docker, layout: &Layout, progress: &Progress) -> Result<()> {
    let python = venv::ensure(layout, progress).await?;
    let dir = context::prepare(docker, layout, &python, progress).await?;
    progress(&format!("building {TAG}"));
    let labels = [(MADE_FROM, made_from())].into();
    let args = [("BASE", base::NAME)].into();
    let options = BuildImageOptionsBuilder::default()
        .dockerfile("Dockerfile")
        .t(TAG)
        .rm(true)
        .forcerm(true)
        .version(BuilderVersion::BuilderV1)
        .labels(&labels)
        .buildargs(&args)
        .build();
    let (tar, packed) = stream::tar(dir.path(), &[])?;
    let building = docker.build_image(options, None, Some(bollard::body_try_stream(packed)));
    stream::drain(building, &format!("build {TAG}")).await?;
    tar.finish().await
}

/// A label of an image; none if there is no such image, or no such label.
async fn label(docker: &Docker, image: &str, name: &str) -> Result<Option<String>> {
    match docker.inspect_image(image).await {
        Ok(image) => Ok(image
            .config
            .and_then(|config| config.labels)
            .and_then(|mut labels| labels.remove(name))),
        Err(bollard::errors::Error::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(None),
        Err(source) => Err(Error::docker(format!("look for the image {image}"), source)),
    }
}

fn made_from() -> String {
    let mut hasher = DefaultHasher::new();
    (DOCKERFILE, SERVE, venv::REQUIREMENTS, base::NAME).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_names_the_pinned_version() {
        let version = TAG.rsplit_once('-').map(|(_, version)| version);
        let version = version.expect("a version");
        assert!(venv::REQUIREMENTS.contains(&format!("\nministack=={version} ")));
    }

    #[test]
    fn the_dockerfile_is_built_on_the_base_by_default() {
        assert!(DOCKERFILE.contains(&format!("ARG BASE={}\n", base::NAME)));
    }
}
