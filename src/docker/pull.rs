//! Takes an image that was built elsewhere: from the engine if it has it, else
//! from its registry, with the user's own credentials.

use super::auth::Login;
use super::engine::Engine;
use super::error::Error;
use super::push::follow;
use super::refusal::Refusal;
use super::{Image, OnProgress};

impl Engine {
    /// The image of that name (`name`, `name:tag`, `name@sha256:…`, or an id
    /// that the engine holds), pulled if it is not there yet.
    ///
    /// # Errors
    /// `BadReference` for what cannot be a name, `Pull` with the kind of
    /// refusal if the registry does not give it, `Refused` and `Lost`.
    pub async fn inspect_or_pull(
        &self,
        reference: &str,
        progress: OnProgress<'_>,
    ) -> Result<Image, Error> {
        let registry = registry_of(reference)?;
        if let Some(image) = self.inspect(reference).await? {
            return Ok(image);
        }
        let query = serde_urlencoded::to_string([
            ("fromImage", reference),
            // Without a tag the engine would pull every one there is.
            ("tag", if is_exact(reference) { "" } else { "latest" }),
        ]);
        let query = query.map_err(|_| Error::BadReference(reference.to_owned()))?;
        let path = self.path(&format!("/images/create?{query}"));
        let login = Login::of_user(registry).await;
        let header = login.header(registry);
        let refused = |message: String| Error::Pull {
            reference: reference.to_owned(),
            refusal: Refusal::of(&message),
            message: login.mask().apply(&message).into_owned(),
        };
        let mut lines = match self.wire.post("pull the image", &path, vec![header]).await {
            Err(Error::Refused { message, .. }) => return Err(refused(message)),
            answer => answer?,
        };
        if let Some(message) = follow(&mut lines, progress, |_| {}).await? {
            return Err(refused(message));
        }
        let pulled = self.inspect(reference).await?;
        pulled.ok_or_else(|| refused("the engine does not have it after the pull".to_owned()))
    }
}

/// Whether the reference names a tag or a digest.
fn is_exact(reference: &str) -> bool {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    name.contains([':', '@'])
}

/// The registry's host. Docker's rule: what is before the first slash, if it
/// has a dot or a port or is `localhost`; else Docker Hub.
fn registry_of(reference: &str) -> Result<&str, Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/:@[]".contains(c);
    let ends = |c: char| c.is_ascii_alphanumeric();
    if reference.is_empty()
        || !reference.chars().all(fits)
        || !reference.ends_with(ends)
        || !reference.starts_with(|c| ends(c) || c == '[')
        || reference.contains("//")
    {
        return Err(Error::BadReference(reference.to_owned()));
    }
    Ok(match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    })
}

#[cfg(test)]
mod tests {
    use super::{is_exact, registry_of};

    #[test]
    fn the_registry_is_told_from_the_name() {
        for (reference, expected) in [
            ("nginx", "docker.io"),
            ("nginx:1.27", "docker.io"),
            ("me/app", "docker.io"),
            ("localhost/app", "localhost"),
            ("localhost:5000/app:1", "localhost:5000"),
            ("[::1]:5000/app", "[::1]:5000"),
            (
                "123.dkr.ecr.eu-west-1.amazonaws.com/a/b:c",
                "123.dkr.ecr.eu-west-1.amazonaws.com",
            ),
            ("sha256:0a1b", "docker.io"),
        ] {
            assert_eq!(registry_of(reference).ok(), Some(expected), "{reference}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for reference in [
            "", " ", "a b", "a//b", "/a", "a/", "a:", "-a", "a?x=1", "ä", "a\n",
        ] {
            let error = registry_of(reference).expect_err(reference);
            assert!(
                error.to_string().ends_with("is not an image reference"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_port_is_no_tag() {
        assert!(!is_exact("localhost:5000/app"));
        assert!(is_exact("localhost:5000/app:1"));
        assert!(is_exact("app@sha256:0a"));
    }
}
