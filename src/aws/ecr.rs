//! The registry: signing in, and what a tag names already.

use aws_sdk_ecr::types::{ImageIdentifier, ImageTagMutability};
use base64::Engine as _;

use super::Aws;
use super::error::{AwsError, Kind, Named};
use crate::model::{Digest, Tag};

/// A sign-in to the registry. Lives in memory for the time of a push.
#[derive(Clone)]
pub struct RegistryLogin {
    pub username: String,
    pub password: String,
}

impl std::fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RegistryLogin(..)")
    }
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
            .find_map(|data| login(data.authorization_token()?))
            .ok_or_else(|| AwsError::unusable(ACTION, "the registry", "the answer holds no token"))
    }

    /// The digest that a tag names now, `None` where the tag is free.
    pub async fn digest_of_tag(
        &self,
        repository: &str,
        tag: &Tag,
    ) -> Result<Option<Digest>, AwsError> {
        let answer = self
            .ecr
            .describe_images()
            .repository_name(repository)
            .image_ids(ImageIdentifier::builder().image_tag(tag.as_str()).build())
            .send()
            .await
            .named("ecr:DescribeImages", format!("{repository}:{tag}"));
        match answer {
            Ok(answer) => Ok(answer
                .image_details()
                .iter()
                .find_map(|image| image.image_digest()?.parse().ok())),
            Err(error) if error.has_code("ImageNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a tag that exists refuses another image.
    pub async fn tags_are_immutable(&self, repository: &str) -> Result<bool, AwsError> {
        let answer = self
            .ecr
            .describe_repositories()
            .repository_names(repository)
            .send()
            .await
            .named("ecr:DescribeRepositories", repository)?;
        Ok(answer.repositories().iter().any(|repository| {
            matches!(
                repository.image_tag_mutability(),
                Some(ImageTagMutability::Immutable | ImageTagMutability::ImmutableWithExclusion)
            )
        }))
    }

    /// Deletes every image, since a repository that holds one outlives its
    /// stack. Answers how many there were.
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
                Err(error) if error.kind == Kind::NotFound => return Ok(deleted),
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

fn login(token: &str) -> Option<RegistryLogin> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(token)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(RegistryLogin {
        username: username.to_owned(),
        password: password.to_owned(),
    })
}

#[cfg(test)]
mod tests;
