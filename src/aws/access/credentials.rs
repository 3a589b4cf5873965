//! Where credentials come from, checked and explained: what the SDK's chain finds must
//! fit into a header, and if it finds nothing, a message says how to get credentials.

use std::sync::{Arc, OnceLock};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::{CredentialsError, TokenError};
use aws_credential_types::provider::{
    ProvideCredentials, Result as Provided, SharedCredentialsProvider, future,
};

use super::check;
use super::profiles::{CredentialsOrigin, Selected};
use crate::error::{Cause, causes};

/// What to do without any credentials.
pub const SIGN_IN: &str = "sign in (`aws sso login`), name a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// How the SDK's message begins when a profile makes no sense; neither signing in nor
/// permissions help then.
const NOT_A_PROFILE: &str = "ProfileFile provider could not be built";

/// Why nothing can be signed, and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{cause}")]
pub struct Unsigned {
    pub headline: String,
    pub cause: String,
    pub hint: String,
}

/// The chain's credentials, or an explanation.
#[derive(Debug, Clone)]
pub struct Explained {
    inner: SharedCredentialsProvider,
    about: Arc<About>,
    /// The SDK gives the cause only once; later it only says that it failed before.
    first_failure: Arc<OnceLock<String>>,
}

/// What is known about the credentials before they are fetched.
#[derive(Debug)]
pub struct About {
    pub selected: Selected,
    pub origin: CredentialsOrigin,
    /// They come from the environment.
    pub from_environment: bool,
}

impl Explained {
    pub fn new(inner: SharedCredentialsProvider, about: About) -> Self {
        Self {
            inner,
            about: Arc::new(about),
            first_failure: Arc::default(),
        }
    }

    async fn load(&self) -> Provided {
        match self.inner.provide_credentials().await {
            Ok(found) => fitting(found),
            Err(error) => {
                let cause = self.first_failure.get_or_init(|| words(&error));
                Err(explain(error, cause, &self.about))
            }
        }
    }
}

impl ProvideCredentials for Explained {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.inner.fallback_on_interrupt()
    }
}

/// A process or a file may give keys with a trailing line break. No header can hold that,
/// and the SDK's signer panics on it.
fn fitting(found: Credentials) -> Provided {
    let (id, secret) = (
        found.access_key_id().trim(),
        found.secret_access_key().trim(),
    );
    let token = found
        .session_token()
        .map(str::trim)
        .filter(|token| !token.is_empty());
    let checked = check::key_id(id)
        .map_err(|why| format!("the access key's id {why}"))
        .and_then(|()| match (id.is_empty(), secret.is_empty()) {
            (false, false) => Ok(()),
            _ => Err("the access key's id or secret is empty".to_owned()),
        })
        .and_then(|()| check::printable(secret).map_err(|why| format!("the secret {why}")))
        .and_then(|()| {
            check::printable(token.unwrap_or_default())
                .map_err(|why| format!("the session token {why}"))
        });
    if let Err(cause) = checked {
        return Err(CredentialsError::provider_error(Unsigned {
            headline: "the AWS credentials are ill-formed".to_owned(),
            cause,
            hint: "look at where they come from: -v names it".to_owned(),
        }));
    }
    let is_clean = id == found.access_key_id()
        && secret == found.secret_access_key()
        && token == found.session_token();
    if is_clean {
        return Ok(found);
    }
    let mut clean = Credentials::builder()
        .access_key_id(id)
        .secret_access_key(secret)
        .provider_name("bgecs");
    clean.set_session_token(token.map(str::to_owned));
    clean.set_expiry(found.expiry());
    clean.set_account_id(found.account_id().cloned());
    Ok(clean.build())
}

/// Instead of a list of everything that the SDK has tried.
fn said_of_nothing() -> CredentialsError {
    CredentialsError::provider_error(Unsigned {
        headline: "no AWS credentials".to_owned(),
        cause: "neither the environment nor the profile `default` has any, and this machine has no role".to_owned(),
        hint: SIGN_IN.to_owned(),
    })
}

/// What all causes say: each provider hides a different part of it.
fn words(error: &CredentialsError) -> String {
    if let CredentialsError::CredentialsNotLoaded(_) = error {
        return "neither it nor this machine has any".to_owned();
    }
    // These only say that there is an error.
    let says_more =
        |cause: &Cause<'_>| !cause.is::<CredentialsError>() && !cause.is::<TokenError>();
    let said = causes(error).filter(says_more);
    let mut words: Vec<String> = said.map(ToString::to_string).collect();
    words.dedup();
    words.join(": ")
}

fn explain(error: CredentialsError, cause: &str, about: &About) -> CredentialsError {
    let said = |headline: String, hint: String| {
        let cause = cause.to_owned();
        let unsigned = Unsigned {
            headline,
            cause,
            hint,
        };
        CredentialsError::provider_error(unsigned)
    };
    if about.from_environment {
        return said(
            "the credentials that the environment names cannot be obtained".to_owned(),
            "check AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, and whether the role trusts this pipeline".to_owned(),
        );
    }
    if cause.starts_with(NOT_A_PROFILE)
        && !matches!(about.origin, CredentialsOrigin::NoSource { .. })
    {
        return said(
            format!("{} is contradictory or incomplete", about.selected.words()),
            "correct it in ~/.aws/config or ~/.aws/credentials".to_owned(),
        );
    }
    match &about.origin {
        CredentialsOrigin::Mfa {
            profile,
            has_role: true,
        } => said(
            format!("the profile `{profile}` needs an MFA code, and bgecs does not ask for one"),
            format!(
                "get a session first, and run bgecs in it without --profile: `eval \"$(aws configure export-credentials --profile {profile} --format env)\"`"
            ),
        ),
        CredentialsOrigin::Mfa {
            profile,
            has_role: false,
        } => said(
            format!("the credentials of the profile `{profile}` cannot be obtained"),
            format!(
                "get a session first: `aws sts get-session-token --profile {profile} --serial-number ARN --token-code CODE`"
            ),
        ),
        CredentialsOrigin::Sso { profile } => said(
            format!("the profile `{profile}` is not signed in, or its session has expired"),
            format!("sign in: `aws sso login --profile {profile}`"),
        ),
        CredentialsOrigin::Login { profile } => said(
            format!("the profile `{profile}` is not signed in, or its session has expired"),
            format!("sign in: `aws login --profile {profile}`"),
        ),
        CredentialsOrigin::Process { profile } => said(
            format!("the credential_process of the profile `{profile}` fails"),
            format!(
                "`aws sts get-caller-identity --profile {profile}` runs the same one; what it wrote is above"
            ),
        ),
        CredentialsOrigin::NoSource { profile, source } => said(
            format!(
                "the profile `{profile}` names the source_profile `{source}`, which does not exist"
            ),
            "correct it in ~/.aws/config".to_owned(),
        ),
        CredentialsOrigin::WebIdentity { profile } => said(
            format!("the profile `{profile}` cannot assume its role"),
            "check its web_identity_token_file, and whether the role trusts the token's issuer"
                .to_owned(),
        ),
        CredentialsOrigin::Role { profile, role } => said(
            format!("the profile `{profile}` cannot assume its role"),
            format!(
                "allow sts:AssumeRole on {role} for its source_profile, and let the role trust that"
            ),
        ),
        CredentialsOrigin::Other if about.selected.name != "default" => said(
            format!("{} gives no credentials", about.selected.words()),
            format!(
                "`aws configure list --profile {}` shows what it has",
                about.selected.name
            ),
        ),
        CredentialsOrigin::Other => match error {
            CredentialsError::CredentialsNotLoaded(_) => said_of_nothing(),
            _ => error,
        },
    }
}
