//! References to secrets. The values never pass through bgecs: ECS reads them
//! with the execution role when a task starts.

use std::str::FromStr;

/// Which service keeps a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    SecretsManager,
    /// A parameter of Systems Manager's Parameter Store.
    Parameter,
}

/// What ECS takes as a secret's `valueFrom`: the ARN of a Secrets Manager
/// secret, with `:json-key:version-stage:version-id` behind it or not, or that
/// of a Parameter Store parameter
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html>,
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    kind: SecretKind,
    value_from: String,
    /// How much of `value_from` names the secret itself.
    arn_length: usize,
}

impl SecretRef {
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// What goes into the task definition.
    pub fn value_from(&self) -> &str {
        &self.value_from
    }

    /// The ARN that the execution role must be allowed to read.
    pub fn arn(&self) -> &str {
        self.value_from
            .get(..self.arn_length)
            .unwrap_or(&self.value_from)
    }
}

impl FromStr for SecretRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, service, region, account, rest @ ..]
                if partition.starts_with("aws")
                    && is_plain(region)
                    && account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit()) =>
            {
                match (*service, rest) {
                    ("secretsmanager", rest) => secret(text, rest),
                    ("ssm", rest) => parameter(text, rest),
                    _ => Err(not_a_secret()),
                }
            }
            _ => Err(not_a_secret()),
        }
    }
}

fn secret(text: &str, rest: &[&str]) -> Result<SecretRef, String> {
    let (name, suffix) = match rest {
        ["secret", name] => (name, None),
        ["secret", name, key, stage, id] => (name, Some((key, stage, id))),
        _ => {
            return Err(
                "after the ARN of a Secrets Manager secret comes nothing, or `:json-key:version-stage:version-id` with all three colons"
                    .to_owned(),
            );
        }
    };
    if !is_plain(name) {
        return Err(not_a_secret());
    }
    let suffix_length = match suffix {
        None => 0,
        Some((_, stage, id)) if !stage.is_empty() && !id.is_empty() => {
            return Err("ECS takes a version stage or a version id, not both".to_owned());
        }
        Some((key, stage, id)) => key.len() + stage.len() + id.len() + 3,
    };
    Ok(SecretRef {
        kind: SecretKind::SecretsManager,
        value_from: text.to_owned(),
        arn_length: text.len() - suffix_length,
    })
}

fn parameter(text: &str, rest: &[&str]) -> Result<SecretRef, String> {
    match rest {
        [resource] if resource.strip_prefix("parameter/").is_some_and(is_plain) => Ok(SecretRef {
            kind: SecretKind::Parameter,
            value_from: text.to_owned(),
            arn_length: text.len(),
        }),
        [resource, _] if resource.starts_with("parameter/") => {
            Err("ECS takes no version or label of a Parameter Store parameter".to_owned())
        }
        _ => Err(not_a_secret()),
    }
}

/// What Secrets Manager and Parameter Store allow in a name. Anything else would
/// be a wildcard, or end the list, in the execution role's policy.
fn is_plain(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_/+=.@-".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

fn not_a_secret() -> String {
    "a secret is named by its whole ARN: arn:aws:secretsmanager:<region>:<account>:secret:<name> or arn:aws:ssm:<region>:<account>:parameter/<name>".to_owned()
}
