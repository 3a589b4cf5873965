//! Who bgecs is to a registry: the user's own login, as `docker login` and the
//! credential helpers keep it; and where the user has none, the one that was
//! issued for the app's registry, and for its like.
//!
//! Logins are looked up when a registry is about to be asked, handed to the
//! engine, and kept nowhere. A helper that fails means "anonymous", as it does
//! to Docker: most images are public. But it is said, as the others are not.

mod config;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::push::Credentials;
use crate::hidden::Mask;
use config::LoginSettings;

/// What a registry is shown.
#[derive(Clone, PartialEq)]
pub(super) enum Login {
    Anonymous,
    Password { username: String, password: String },
    IdentityToken(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password(***)",
            Self::IdentityToken(_) => "IdentityToken(***)",
        })
    }
}

impl Login {
    /// For what a registry says to it: it may repeat what it was shown, also as
    /// it stands in an `Authorization` header.
    pub(super) fn mask(&self) -> Mask {
        match self {
            Self::Anonymous => Mask::default(),
            Self::Password { username, password } => {
                let header = STANDARD.encode(format!("{username}:{password}"));
                Mask::of([password, &header])
            }
            Self::IdentityToken(token) => Mask::of([token]),
        }
    }

    /// Whether it says of itself that it has: a password of ECR's does.
    fn has_expired(&self, now: OffsetDateTime) -> bool {
        let Self::Password { password, .. } = self else {
            return false;
        };
        let token = STANDARD.decode(password).ok();
        let token = token.and_then(|token| serde_json::from_slice::<Value>(&token).ok());
        let until = token.and_then(|token| token.get("expiration")?.as_i64());
        until.is_some_and(|until| until <= now.unix_timestamp())
    }

    /// The header by which the engine is given credentials for one registry.
    pub(super) fn header(&self, registry: &str) -> (HeaderName, HeaderValue) {
        #[derive(Serialize, Default)]
        struct AuthConfig<'a> {
            #[serde(skip_serializing_if = "str::is_empty")]
            username: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            password: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            identitytoken: &'a str,
            serveraddress: &'a str,
        }
        let mut config = AuthConfig {
            serveraddress: registry,
            ..AuthConfig::default()
        };
        match self {
            Self::Anonymous => {}
            Self::Password { username, password } => {
                config.username = username;
                config.password = password;
            }
            Self::IdentityToken(token) => config.identitytoken = token,
        }
        // The engine reads the URL-safe alphabet; `+` and `/` would make it go
        // anonymous without a word.
        let json = serde_json::to_vec(&config).unwrap_or_default();
        let mut value = HeaderValue::try_from(URL_SAFE.encode(json))
            .unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        (HeaderName::from_static("x-registry-auth"), value)
    }
}

/// Why a registry was shown no login although there may be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{registry} was not shown a login: {why}")]
pub struct LoginDoubt {
    registry: String,
    why: String,
}

const EXPIRED: &str = "the one that Docker keeps for it has expired";

type Issue = dyn Fn(&str) -> Option<Credentials> + Send + Sync;

/// All logins that there are, for pulls and builds. Cheap to clone.
#[derive(Clone)]
pub struct Logins(Arc<SharedLogins>);

struct SharedLogins {
    settings: LoginSettings,
    issued: Box<Issue>,
    doubts: Mutex<BTreeMap<String, LoginDoubt>>,
    /// One helper at a time: macOS' key chain helper hangs when run twice.
    turn: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logins(..)")
    }
}

impl Logins {
    /// The user's own; for a registry where there is none, what `issued` has
    /// for that host.
    pub fn of_user(issued: impl Fn(&str) -> Option<Credentials> + Send + Sync + 'static) -> Self {
        Self::new(LoginSettings::from_env(), issued)
    }

    fn new(
        settings: LoginSettings,
        issued: impl Fn(&str) -> Option<Credentials> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(SharedLogins {
            settings,
            issued: Box::new(issued),
            doubts: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// What `registry` (a host, with its port if it has one) is shown.
    pub(super) async fn of(&self, registry: &str) -> Login {
        let _turn = self.0.turn.lock().await;
        let (shared, host) = (Arc::clone(&self.0), registry.to_owned());
        // Helpers are programs that may ask the system's key chain.
        let found = tokio::task::spawn_blocking(move || shared.settings.login_for(&host)).await;
        let (login, why) = match found {
            Ok(found) => (found.login, found.why),
            Err(panicked) => (Login::Anonymous, Some(panicked.to_string())),
        };
        // One of ECR's lasts twelve hours; who is issued them has a fresh one.
        let expired = login.has_expired(OffsetDateTime::now_utc());
        if login != Login::Anonymous && !expired {
            return login;
        }
        if let Some(issued) = (self.0.issued)(registry) {
            return issued.into();
        }
        let why = why.or_else(|| expired.then(|| EXPIRED.to_owned()));
        if let Some(why) = why {
            let registry = registry.to_owned();
            let mut doubts = self.0.doubts.lock().unwrap_or_else(PoisonError::into_inner);
            doubts.insert(registry.clone(), LoginDoubt { registry, why });
        }
        Login::Anonymous
    }

    /// Why each registry that was asked without a login was, where there may be
    /// one.
    pub fn doubts(&self) -> Vec<LoginDoubt> {
        let doubts = self.0.doubts.lock();
        let doubts = doubts.unwrap_or_else(PoisonError::into_inner);
        doubts.values().cloned().collect()
    }

    pub(super) fn doubt_of(&self, registry: &str) -> Option<LoginDoubt> {
        let mut doubts = self.doubts().into_iter();
        doubts.find(|doubt| doubt.registry == registry)
    }
}

#[cfg(test)]
mod tests;
