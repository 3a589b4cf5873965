//! Which account and identity the credentials belong to.

use std::fmt;

use serde::Serialize;

/// Who signs, where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    pub account: String,
    pub region: String,
    /// `role/deployer`, `user/alice`, `root`.
    #[serde(rename = "as")]
    pub identity: String,
    /// Such as `aws`.
    #[serde(skip)]
    partition: String,
}

impl Caller {
    pub fn new(account: &str, arn: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            identity: identity(arn),
            partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
        }
    }
}

impl Caller {
    /// Whose policies decide what it may do: a user, or a role without its path. The
    /// account's root user and federated users have none of their own.
    pub fn principal(&self) -> Option<String> {
        let Self {
            account,
            identity,
            partition,
            ..
        } = self;
        let has_policies = identity.starts_with("role/") || identity.starts_with("user/");
        has_policies.then(|| format!("arn:{partition}:iam::{account}:{identity}"))
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            region,
            identity,
            ..
        } = self;
        write!(f, "account {account}, {region}, as {identity}")
    }
}

/// The last part of the ARN; of an assumed role not the session's name, which is
/// another with each sign-in.
fn identity(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    match resource.strip_prefix("assumed-role/") {
        Some(role) => format!("role/{}", role.split('/').next().unwrap_or(role)),
        None => resource.to_owned(),
    }
}
