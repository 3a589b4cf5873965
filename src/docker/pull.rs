//! Takes an image that was built elsewhere.
//!
//! A tag may name another image tomorrow, so the registry is asked each time; the
//! engine's own image counts only if no registry can be asked.

use super::engine::Engine;
use super::error::DockerError;
use super::login::Logins;
use super::push::follow;
use super::refusal::RegistryRefusal;
use super::{LocalImage, OnProgress};
use crate::model::{Exactly, NoReference, Origin, Platform, Reference};

impl Engine {
    /// The image of that name, and where it came from. `platform` is for names that stand
    /// for several images.
    ///
    /// # Errors
    /// `NoImage` for an id that the engine does not have, `Pull` with the kind
    /// of refusal if the registry does not give it, `Refused` and `Lost`.
    pub async fn take(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
        logins: &Logins,
        progress: OnProgress<'_>,
    ) -> Result<(LocalImage, Origin), DockerError> {
        let here = self.inspect(reference.as_str()).await?;
        match (reference.exactly(), here) {
            (None, Some(image)) => Ok((image, Origin::Local)),
            (None, None) => Err(DockerError::NoImage(reference.to_string())),
            (Some(Exactly::Digest(_)), Some(image)) if image.is_for(platform) => {
                Ok((image, Origin::Present))
            }
            // No other image can be meant: whoever owns that name at Docker Hub must not
            // get into a release that way.
            (Some(Exactly::Tag(_)), Some(image))
                if !reference.names_a_registry() && !image.was_pulled_as(reference) =>
            {
                Ok((image, Origin::Local))
            }
            (_, here) => match self.pull(reference, platform, logins, progress).await {
                Ok(image) => Ok((image, Origin::Pulled)),
                Err(error) => match here {
                    Some(image) if error.is_unknown_there() => Ok((image, Origin::Local)),
                    Some(image) => Err(error.although_here_is(&image.id)),
                    None => Err(error),
                },
            },
        }
    }

    async fn pull(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
        logins: &Logins,
        progress: OnProgress<'_>,
    ) -> Result<LocalImage, DockerError> {
        let registry = reference.registry().unwrap_or_default();
        let platform = platform.map(ToString::to_string).unwrap_or_default();
        let query = [("fromImage", reference.to_pull()), ("platform", platform)];
        let query = serde_urlencoded::to_string(query)
            .map_err(|_| DockerError::BadReference(NoReference(reference.to_string())))?;
        let path = self.path(&format!("/images/create?{query}"));
        let login = logins.of(registry).await;
        let header = login.header(registry);
        let refused = |message: String| DockerError::Pull {
            reference: reference.to_string(),
            refusal: RegistryRefusal::of(&message),
            message: login.mask().apply(&message).into_owned(),
            source: logins.doubt_of(registry),
            here: None,
        };
        let mut lines = match self.wire.post("pull the image", &path, vec![header]).await {
            Err(DockerError::Refused { message, .. }) => return Err(refused(message)),
            answer => answer?,
        };
        if let Some(message) = follow(&mut lines, progress, |_| {}).await? {
            return Err(refused(message));
        }
        let pulled = self.inspect(&reference.to_pull()).await?;
        pulled.ok_or_else(|| refused("the engine does not have it after the pull".to_owned()))
    }
}

impl LocalImage {
    fn is_for(&self, platform: Option<&Platform>) -> bool {
        let own = &self.contents.platform;
        platform.is_none_or(|wanted| own.os == wanted.os && own.cpu() == wanted.cpu())
    }

    /// Whether a registry has, or had, an image of the engine's under that name. An image
    /// that was built here and never pushed has no digest there.
    fn was_pulled_as(&self, reference: &Reference) -> bool {
        let name = reference.name().unwrap_or_default();
        let mut digests = self.repo_digests.iter();
        digests.any(|known| known.split('@').next() == Some(&name))
    }
}
