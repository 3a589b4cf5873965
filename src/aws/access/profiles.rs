//! The profiles of `~/.aws/config` and `~/.aws/credentials`: which one is meant, whether
//! it exists, and what a person has to do before it gives credentials. The SDK reads the
//! same files but says none of this.

use std::borrow::Cow;

use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::Fs;

use super::environment::Variables;
use super::{Access, check};
use crate::error::{Error, Result};
use crate::nearest::distance;

/// The profile that is used, and what chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    pub name: String,
    by: ChosenBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChosenBy {
    Flag,
    File,
    Variable(&'static str),
    Nobody,
}

impl Selected {
    pub fn new(access: &Access, environment: &Variables) -> Self {
        let of = |name: &str, by| Self {
            name: name.to_owned(),
            by,
        };
        if let Some(name) = &access.profile {
            of(name, ChosenBy::Flag)
        } else if let Some(name) = &access.configured.profile {
            of(name, ChosenBy::File)
        } else if let Some((by, name)) = environment.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
        {
            of(name, ChosenBy::Variable(by))
        } else {
            of("default", ChosenBy::Nobody)
        }
    }

    /// Whether it takes the environment's credentials out of the chain, as in the AWS CLI
    /// and boto3. `AWS_PROFILE` does not: keys in the environment win over it.
    pub fn is_explicit(&self) -> bool {
        matches!(self.by, ChosenBy::Flag | ChosenBy::File)
    }

    fn was_named(&self) -> bool {
        self.by != ChosenBy::Nobody
    }

    /// Its name in messages.
    pub fn words(&self) -> String {
        let by = match self.by {
            ChosenBy::Flag => "--profile",
            ChosenBy::File => "[aws] profile in bgecs.toml",
            ChosenBy::Variable(name) => name,
            ChosenBy::Nobody => return format!("the profile `{}`", self.name),
        };
        format!("the profile `{}` ({by})", self.name)
    }
}

/// Reads the files.
///
/// # Errors
/// Files that cannot be read as profiles; a profile that is in none of them (exit 2).
pub async fn read(selected: &Selected, environment: &Variables, fs: &Fs) -> Result<ProfileSet> {
    check::no_control(&selected.name)
        .map_err(|why| Error::usage(format!("the profile's name {why}")))?;
    let profiles = aws_config::profile::load(
        fs,
        &environment.for_sdk(),
        &EnvConfigFiles::default(),
        Some(Cow::Owned(selected.name.clone())),
    )
    .await
    .map_err(|error| Error::usage("the AWS profiles cannot be read").because(&error))?;
    if selected.was_named() && profiles.get_profile(&selected.name).is_none() {
        let names: Vec<&str> = profiles.profiles().collect();
        return Err(unknown(selected, names, environment));
    }
    Ok(profiles)
}

fn unknown(selected: &Selected, mut names: Vec<&str>, environment: &Variables) -> Error {
    names.sort_by_key(|name| (distance(&selected.name, name), *name));
    let files = environment
        .get("AWS_CONFIG_FILE")
        .unwrap_or("~/.aws/config");
    let error = Error::usage(format!("there is no AWS profile `{}`", selected.name));
    let error = match selected.by {
        ChosenBy::Flag => error,
        _ => error.cause(format!("{} was requested", selected.words())),
    };
    match names.is_empty() {
        true => error.hint(format!(
            "there are none at all in {files}: `aws configure --profile {}` creates it",
            selected.name
        )),
        false => error.hint(format!("there are {}", some_of(&names))),
    }
}

/// The first of them, and how many more there are.
fn some_of(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Where the profile's credentials come from, so that a person knows where to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsOrigin {
    /// A role that is assumed with a code that only a person has.
    Mfa {
        profile: String,
        has_role: bool,
    },
    Sso {
        profile: String,
    },
    Login {
        profile: String,
    },
    Process {
        profile: String,
    },
    /// The profile that it takes its credentials from does not exist.
    NoSource {
        profile: String,
        source: String,
    },
    /// A role, assumed with a token from a file.
    WebIdentity {
        profile: String,
    },
    /// A role, assumed with another profile's credentials.
    Role {
        profile: String,
        role: String,
    },
    Other,
}

impl CredentialsOrigin {
    pub fn of(profiles: &ProfileSet, name: &str) -> Self {
        let chain = chain(profiles, name);
        let profile = |profile: &Profile| profile.name().to_owned();
        let with = |key: &str| chain.iter().find(|profile| profile.get(key).is_some());
        let (Some(first), Some(last)) = (chain.first(), chain.last()) else {
            return Self::Other;
        };
        if let Some(source) = last.get("source_profile")
            && profiles.get_profile(source).is_none()
        {
            return Self::NoSource {
                profile: profile(last),
                source: source.to_owned(),
            };
        }
        if let Some(found) = with("mfa_serial") {
            return Self::Mfa {
                profile: profile(first),
                has_role: found.get("role_arn").is_some(),
            };
        }
        if let Some(found) = with("sso_session").or_else(|| with("sso_start_url")) {
            return Self::Sso {
                profile: profile(found),
            };
        }
        if let Some(found) = with("login_session") {
            return Self::Login {
                profile: profile(found),
            };
        }
        if let Some(found) = with("credential_process") {
            return Self::Process {
                profile: profile(found),
            };
        }
        if let Some(found) = with("web_identity_token_file") {
            return Self::WebIdentity {
                profile: profile(found),
            };
        }
        match first.get("role_arn") {
            Some(role) => Self::Role {
                profile: profile(first),
                role: role.to_owned(),
            },
            None => Self::Other,
        }
    }
}

/// Whether the profile's role is assumed with the environment's keys; then these are
/// meant, whatever profile is named.
pub fn borrows_environment(profiles: &ProfileSet, name: &str) -> bool {
    chain(profiles, name)
        .last()
        .and_then(|profile| profile.get("credential_source"))
        == Some("Environment")
}

/// The profile, and those that it takes its credentials from in turn.
fn chain<'a>(profiles: &'a ProfileSet, name: &'a str) -> Vec<&'a Profile> {
    let mut chain: Vec<&Profile> = Vec::new();
    let mut next = Some(name);
    while let Some(profile) = next.and_then(|name| profiles.get_profile(name)) {
        if chain.iter().any(|seen| seen.name() == profile.name()) {
            break;
        }
        next = profile.get("source_profile");
        chain.push(profile);
    }
    chain
}
