//! What ECS must be allowed to read and write to start the tasks: the parameters
//! of the execution role's policy in the stack's template.
//!
//! Only ARNs come out, and nothing in one that IAM or the list would read as
//! something else. A `*` is bgecs's own: an account, where a name says none, and
//! the six characters that end a secret's ARN.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Source;
use super::logs::is_ours;
use super::model::CONTAINERS;
use super::rules::{items, text};
use crate::config::{SecretKind, SecretRef};

/// ARNs, by what may be done with what they name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Secrets of Secrets Manager.
    pub secrets: BTreeSet<String>,
    /// Parameters of Parameter Store.
    pub parameters: BTreeSet<String>,
    /// Environment files.
    pub files: BTreeSet<String>,
    /// Those that hold the files.
    pub buckets: BTreeSet<String>,
    /// Others than bgecs's.
    pub log_groups: BTreeSet<String>,
    /// Repositories of ECR other than the app's.
    pub repositories: BTreeSet<String>,
}

impl Needs {
    /// Nothing for a definition that brings an execution role of its own: that
    /// one is not bgecs's to write.
    pub fn of(source: &Source<'_>, region: &str) -> Self {
        let mut needs = Self::default();
        match source {
            Source::Settings { settings, .. } => {
                for secret in settings.secrets.values() {
                    needs.secret(SecretName::Arn(secret.clone()), region);
                }
            }
            Source::File { file, .. } => {
                let body = &file.definition;
                let is_own = body.contains_key("executionRoleArn");
                for container in items(body, CONTAINERS).filter(|_| !is_own) {
                    needs.container(container, region);
                }
            }
        }
        needs
    }

    /// Of a container of this image with these secrets.
    pub fn of_image<'a>(image: &str, secrets: impl Iterator<Item = &'a SecretRef>) -> Self {
        let mut needs = Self::default();
        for secret in secrets {
            // Its ARN says all of it.
            needs.secret(SecretName::Arn(secret.clone()), "");
        }
        needs.repositories.extend(repository(image));
        needs
    }

    fn container(&mut self, container: &serde_json::Map<String, Value>, region: &str) {
        let log = container.get("logConfiguration").and_then(Value::as_object);
        let secrets = items(container, "secrets")
            .chain(log.into_iter().flat_map(|log| items(log, "secretOptions")));
        for from in secrets.filter_map(|secret| text(secret, "valueFrom")) {
            if let Ok(name) = SecretName::of_variable(from) {
                self.secret(name, region);
            }
        }
        let credentials = container.get("repositoryCredentials");
        let credentials = credentials.and_then(|it| it.get("credentialsParameter")?.as_str());
        if let Some(Ok(name)) = credentials.map(SecretName::of_registry) {
            self.secret(name, region);
        }
        for file in items(container, "environmentFiles") {
            if let Some(file) = text(file, "value").and_then(S3Object::parse) {
                self.buckets.insert(file.bucket_arn());
                self.files.insert(file.arn());
            }
        }
        if let Some(group) = log.and_then(|log| log_group(log, region)) {
            self.log_groups.insert(group);
        }
        self.repositories
            .extend(text(container, "image").and_then(repository));
    }

    fn secret(&mut self, name: SecretName, region: &str) {
        let partition = partition(region);
        match name {
            SecretName::Arn(secret) if secret.kind() == SecretKind::Parameter => {
                self.parameters.insert(secret.arn().to_owned());
            }
            SecretName::Arn(secret) => {
                let arn = secret.arn();
                // Without its last characters an ARN is understood when the
                // secret is read, and matches nothing in a policy.
                if !ends_like_an_arn(arn) {
                    self.secrets.insert(format!("{arn}-??????"));
                }
                self.secrets.insert(arn.to_owned());
            }
            SecretName::Parameter(name) => {
                let name = name.trim_start_matches('/');
                self.parameters
                    .insert(format!("arn:{partition}:ssm:{region}:*:parameter/{name}"));
            }
            SecretName::Secret(name) => {
                self.secrets.insert(format!(
                    "arn:{partition}:secretsmanager:{region}:*:secret:{name}-??????"
                ));
            }
        }
    }
}

/// How a definition names a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SecretName {
    Arn(SecretRef),
    /// A parameter of the same region, by its name.
    Parameter(String),
    /// A secret of the same region, by its name.
    Secret(String),
}

impl SecretName {
    /// What `valueFrom` takes.
    pub(super) fn of_variable(text: &str) -> Result<Self, String> {
        match text {
            arn if arn.starts_with("arn:") => arn.parse().map(Self::Arn),
            name if is_name(name, "_./-") => Ok(Self::Parameter(name.to_owned())),
            _ => Err(
                "it takes the ARN of a secret of Secrets Manager, or the ARN or name of a parameter of Parameter Store"
                    .to_owned(),
            ),
        }
    }

    /// What `credentialsParameter` takes.
    pub(super) fn of_registry(text: &str) -> Result<Self, String> {
        let wrong = || "it takes the ARN or name of a secret of Secrets Manager".to_owned();
        match text {
            arn if arn.starts_with("arn:") => {
                let secret: SecretRef = arn.parse().map_err(|_| wrong())?;
                match secret.kind() {
                    SecretKind::SecretsManager => Ok(Self::Arn(secret)),
                    SecretKind::Parameter => Err(wrong()),
                }
            }
            name if is_name(name, "/_+=.@-") => Ok(Self::Secret(name.to_owned())),
            _ => Err(wrong()),
        }
    }
}

fn is_name(text: &str, others: &str) -> bool {
    let is_one = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    !text.is_empty() && text.chars().all(is_one)
}

/// Secrets Manager ends each ARN with a hyphen and six characters.
fn ends_like_an_arn(arn: &str) -> bool {
    arn.rsplit_once('-')
        .is_some_and(|(_, end)| end.len() == 6 && end.chars().all(|c| c.is_ascii_alphanumeric()))
}

pub(super) struct S3Object<'a> {
    partition: &'a str,
    bucket: &'a str,
    pub(super) key: &'a str,
}

impl<'a> S3Object<'a> {
    pub(super) fn parse(arn: &'a str) -> Option<Self> {
        let (partition, rest) = arn.strip_prefix("arn:")?.split_once(":s3:::")?;
        let (bucket, key) = rest.split_once('/')?;
        let is_plain = partition.starts_with("aws")
            && is_name(bucket, ".-")
            && is_name(key, "/_.-+=@!")
            && is_name(partition, "-");
        is_plain.then_some(Self {
            partition,
            bucket,
            key,
        })
    }

    fn bucket_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.partition, self.bucket)
    }

    fn arn(&self) -> String {
        format!("{}/{}", self.bucket_arn(), self.key)
    }
}

fn log_group(log: &serde_json::Map<String, Value>, region: &str) -> Option<String> {
    let options = log.get("options")?.as_object()?;
    if text(log, "logDriver") != Some("awslogs") {
        return None;
    }
    let group = text(options, "awslogs-group").filter(|group| !is_ours(group))?;
    let region = text(options, "awslogs-region").unwrap_or(region);
    let is_plain = is_name(group, "_/.#-") && is_name(region, "-");
    is_plain.then(|| {
        format!(
            "arn:{}:logs:{region}:*:log-group:{group}:*",
            partition(region)
        )
    })
}

/// That of a private repository of ECR, by an image's name.
fn repository(image: &str) -> Option<String> {
    let (host, path) = image.split_once('/')?;
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let (region, _) = rest.split_once(".amazonaws.com")?;
    let path = path.split(['@', ':']).next()?;
    let is_plain = account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && is_name(region, "-")
        && is_name(path, "/_.-");
    is_plain.then(|| {
        format!(
            "arn:{}:ecr:{region}:{account}:repository/{path}",
            partition(region)
        )
    })
}

fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests;
