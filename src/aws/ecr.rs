//! The registry: signing in, what it holds, and what a tag names there.

mod manifest;

use aws_sdk_ecr::types::{Image, ImageIdentifier, ImageTagMutability, Repository};
use base64::Engine as _;
use serde_json::Value;

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};
use crate::hex;
use crate::model::{Contents, Digest, Reference, Tag};

pub use manifest::Manifest;

/// A login to the registry, kept in memory for the time of a deploy.
#[derive(Clone)]
pub struct RegistryLogin {
    pub username: String,
    pub password: String,
    /// The host that it was issued for.
    registry: String,
}

impl RegistryLogin {
    /// Whether that host is a registry of ECR that accepts this login: it is valid for
    /// the registries of all accounts in its region, as far as the identity may read them
    /// (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html>). It
    /// is sent nowhere else.
    pub fn is_for(&self, registry: &str) -> bool {
        registry == self.registry
            || match (region(registry), region(&self.registry)) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            }
    }
}

/// The region of an ECR registry. Hosts as in
/// <https://github.com/awslabs/amazon-ecr-credential-helper>.
fn region(registry: &str) -> Option<&str> {
    const DOMAINS: [&str; 5] = [
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".amazonaws.eu",
        ".on.aws",
        ".on.amazonwebservices.com.cn",
    ];
    let (account, rest) = registry.split_at_checked(12)?;
    let rest = [".dkr.ecr.", ".dkr.ecr-fips.", ".dkr-ecr.", ".dkr-ecr-fips."]
        .iter()
        .find_map(|service| rest.strip_prefix(service))?;
    let region = DOMAINS
        .iter()
        .find_map(|domain| rest.strip_suffix(domain))?;
    let is_region = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let fits = account.bytes().all(|b| b.is_ascii_digit()) && region.chars().all(is_region);
    (fits && !region.is_empty()).then_some(region)
}

impl std::fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RegistryLogin(..)")
    }
}

/// An image in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub digest: Digest,
    manifest: String,
    media_type: Option<String>,
}

impl Stored {
    /// # Errors
    /// What it is, if it is not an image.
    pub fn manifest(&self) -> Result<Manifest, String> {
        Manifest::parse(&self.manifest)
    }
}

/// How an image is looked up.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    Tag(&'a Tag),
    Digest(&'a Digest),
}

/// Whether a repository lets a tag move that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagMobility {
    /// It names the same image for ever.
    Fixed,
    /// Tags are fixed, but this one is explicitly excluded.
    Excepted,
    /// Nothing prevents it.
    Free,
}

impl Aws {
    pub async fn registry_login(&self) -> Result<RegistryLogin, AwsError> {
        const ACTION: &str = "ecr:GetAuthorizationToken";
        let answer = self
            .ecr
            .get_authorization_token()
            .send()
            .await
            .named(ACTION, "the registry")?;
        answer
            .authorization_data()
            .iter()
            .find_map(|data| login(data.authorization_token()?, data.proxy_endpoint()))
            .ok_or_else(|| AwsError::unusable(ACTION, "the registry", "the answer holds no token"))
    }

    /// What the repository has under that tag or digest; `None` if nothing.
    pub async fn stored_image(
        &self,
        repository: &str,
        key: Key<'_>,
    ) -> Result<Option<Stored>, AwsError> {
        const ACTION: &str = "ecr:BatchGetImage";
        let (id, name) = match key {
            Key::Tag(tag) => (
                ImageIdentifier::builder().image_tag(tag.as_str()),
                format!("{repository}:{tag}"),
            ),
            Key::Digest(digest) => (
                ImageIdentifier::builder().image_digest(digest.as_str()),
                format!("{repository}@{digest}"),
            ),
        };
        let answer = self
            .ecr
            .batch_get_image()
            .repository_name(repository)
            .image_ids(id.build())
            .set_accepted_media_types(Some(manifest::MEDIA_TYPES.map(str::to_owned).into()))
            .send()
            .await
            .named(ACTION, &*name)?;
        if let Some(image) = answer.images().first() {
            let unusable = || AwsError::unusable(ACTION, &name, "the answer holds no manifest");
            return stored(image).map(Some).ok_or_else(unusable);
        }
        let failure = answer.failures().first();
        match failure.and_then(|failure| failure.failure_code()) {
            Some(code) if code.as_str() != "ImageNotFound" => {
                let reason = failure.and_then(|failure| failure.failure_reason());
                let why = format!("{}: {}", code.as_str(), reason.unwrap_or("no reason given"));
                Err(AwsError::unusable(ACTION, &name, why))
            }
            _ => Ok(None),
        }
    }

    /// The repository of this account and region that an image of that name is in; None
    /// if it is elsewhere.
    ///
    /// # Errors
    /// The account cannot be determined.
    pub async fn own_repository(&self, image: &Reference) -> Result<Option<String>, AwsError> {
        let name = image.name();
        let Some((registry, path)) = name.as_deref().and_then(|it| it.split_once('/')) else {
            return Ok(None);
        };
        let is_own = match region(registry) {
            Some(region) if region == self.region() => {
                let account = self.caller().await?.account;
                registry.starts_with(&format!("{account}."))
            }
            Some(_) => false,
            None => self.local_registry().as_deref() == Some(registry),
        };
        Ok(is_own.then(|| path.to_owned()))
    }

    /// What an image is, by the digest of its configuration.
    ///
    /// # Errors
    /// Also if the download does not match the digest.
    pub async fn image_contents(
        &self,
        repository: &str,
        config: &Digest,
    ) -> Result<Contents, AwsError> {
        const ACTION: &str = "ecr:GetDownloadUrlForLayer";
        let name = format!("{repository}@{config}");
        let answer = self
            .ecr
            .get_download_url_for_layer()
            .repository_name(repository)
            .layer_digest(config.as_str())
            .send()
            .await
            .named(ACTION, &*name)?;
        let unusable = |why: &str| AwsError::unusable(ACTION, &name, why);
        let url = answer
            .download_url()
            .ok_or_else(|| unusable("the answer holds no URL"))?;
        let bytes = self.download(url).await.map_err(|why| unusable(&why))?;
        if config.as_str() != format!("sha256:{}", hex::sha256(&bytes)) {
            return Err(unusable("what was downloaded does not match the digest"));
        }
        serde_json::from_slice::<Value>(&bytes)
            .ok()
            .and_then(|config| Contents::of_config(&config))
            .ok_or_else(|| unusable("it is not an image's configuration"))
    }

    /// Gives an image of the repository another tag. No layer is copied.
    pub async fn tag_image(
        &self,
        repository: &str,
        image: &Stored,
        tag: &Tag,
    ) -> Result<(), AwsError> {
        let answer = self
            .ecr
            .put_image()
            .repository_name(repository)
            .image_manifest(&image.manifest)
            .set_image_manifest_media_type(image.media_type.clone())
            .image_digest(image.digest.as_str())
            .image_tag(tag.as_str())
            .send()
            .await
            .named("ecr:PutImage", format!("{repository}:{tag}"));
        match answer {
            // That very image already has that very tag.
            Err(error) if error.has_code("ImageAlreadyExistsException") => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Whether an existing tag can be made to name another image.
    pub async fn tag_mobility(&self, repository: &str, tag: &Tag) -> Result<TagMobility, AwsError> {
        let answer = self
            .ecr
            .describe_repositories()
            .repository_names(repository)
            .send()
            .await
            .named("ecr:DescribeRepositories", repository)?;
        let repository = answer.repositories().first();
        Ok(repository.map_or(TagMobility::Free, |it| mobility(it, tag)))
    }

    pub async fn has_repository(&self, repository: &str) -> Result<bool, AwsError> {
        let answer = self
            .ecr
            .describe_repositories()
            .repository_names(repository)
            .send()
            .await
            .named("ecr:DescribeRepositories", repository);
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes every image, because a repository that holds one outlives its stack.
    /// Returns how many there were.
    pub async fn delete_images(&self, repository: &str) -> Result<usize, AwsError> {
        let mut deleted = 0;
        loop {
            let listed = self
                .ecr
                .list_images()
                .repository_name(repository)
                .max_results(100) // BatchDeleteImage takes as many
                .send()
                .await
                .named("ecr:ListImages", repository);
            let ids = match listed {
                Ok(page) => page.image_ids().to_vec(),
                Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(deleted),
                Err(error) => return Err(error),
            };
            if ids.is_empty() {
                return Ok(deleted);
            }
            let answer = self
                .ecr
                .batch_delete_image()
                .repository_name(repository)
                .set_image_ids(Some(ids))
                .send()
                .await
                .named("ecr:BatchDeleteImage", repository)?;
            if answer.image_ids().is_empty() {
                let reason = answer
                    .failures()
                    .iter()
                    .find_map(|failure| failure.failure_reason())
                    .unwrap_or("no image was deleted");
                return Err(AwsError::unusable(
                    "ecr:BatchDeleteImage",
                    repository,
                    reason,
                ));
            }
            deleted += answer.image_ids().len();
        }
    }
}

fn login(token: &str, endpoint: Option<&str>) -> Option<RegistryLogin> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(token)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    let endpoint = endpoint.unwrap_or_default();
    let registry = endpoint.strip_prefix("https://").unwrap_or_default();
    Some(RegistryLogin {
        username: username.to_owned(),
        password: password.to_owned(),
        registry: registry.trim_end_matches('/').to_owned(),
    })
}

fn stored(image: &Image) -> Option<Stored> {
    Some(Stored {
        digest: image.image_id()?.image_digest()?.parse().ok()?,
        manifest: image.image_manifest()?.to_owned(),
        media_type: image.image_manifest_media_type().map(str::to_owned),
    })
}

/// A repository's rule, and whether its filters exclude the tag.
fn mobility(repository: &Repository, tag: &Tag) -> TagMobility {
    let filters = repository.image_tag_mutability_exclusion_filters();
    let is_excluded = || {
        let mut filters = filters.iter();
        filters.any(|filter| wildcard_fits(filter.filter(), tag.as_str()))
    };
    match repository.image_tag_mutability() {
        Some(ImageTagMutability::Immutable) => TagMobility::Fixed,
        Some(ImageTagMutability::ImmutableWithExclusion) => match is_excluded() {
            true => TagMobility::Excepted,
            false => TagMobility::Fixed,
        },
        Some(ImageTagMutability::MutableWithExclusion) if is_excluded() => TagMobility::Fixed,
        _ => TagMobility::Free,
    }
}

/// `*` stands for any characters, or none; all other characters for themselves. The whole
/// tag has to match.
fn wildcard_fits(pattern: &str, tag: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == tag;
    };
    let Some(mut left) = tag.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = left.find(part) else {
            return false;
        };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests;
