//! Logins for registries: the user's own, as `docker login` and the credential helpers
//! store them; for a registry without one, the login issued for the app's registry and
//! those like it.
//!
//! A login is looked up when a registry is about to be contacted, passed to the engine,
//! and stored nowhere. If a helper fails, the registry is used anonymously, as Docker
//! does it: most images are public. Unlike Docker, this is reported.

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

/// What is sent to a registry.
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
    /// Masks the login in a registry's messages: these may repeat it, even in the form of
    /// an `Authorization` header.
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

    /// Whether it contains an expiry that has passed: a password of ECR's does.
    fn has_expired(&self, now: OffsetDateTime) -> bool {
        let Self::Password { password, .. } = self else {
            return false;
        };
        let token = STANDARD.decode(password).ok();
        let token = token.and_then(|token| serde_json::from_slice::<Value>(&token).ok());
        let until = token.and_then(|token| token.get("expiration")?.as_i64());
        until.is_some_and(|until| until <= now.unix_timestamp())
    }

    /// The header that gives the engine the credentials for one registry.
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
        // The engine expects the URL-safe alphabet; with `+` and `/` it would silently go
        // anonymous.
        let json = serde_json::to_vec(&config).unwrap_or_default();
        let mut value = HeaderValue::try_from(URL_SAFE.encode(json))
            .unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        (HeaderName::from_static("x-registry-auth"), value)
    }
}

/// Why no login was sent to a registry although there may be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no login was sent to {registry}: {why}")]
pub struct LoginDoubt {
    registry: String,
    why: String,
}

const EXPIRED: &str = "the one that Docker keeps for it has expired";

type Issue = dyn Fn(&str) -> Option<Credentials> + Send + Sync;

/// All logins, for pulls and builds. Cheap to clone.
#[derive(Clone)]
pub struct Logins(Arc<SharedLogins>);

struct SharedLogins {
    settings: LoginSettings,
    issued: Box<Issue>,
    doubts: Mutex<BTreeMap<String, LoginDoubt>>,
    /// One helper at a time: macOS's keychain helper hangs when it runs twice.
    turn: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logins(..)")
    }
}

impl Logins {
    /// The user's own logins; for a registry without one, what `issued` has for that
    /// host.
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

    /// The login for `registry` (a host, with its port if it has one).
    pub(super) async fn of(&self, registry: &str) -> Login {
        let _turn = self.0.turn.lock().await;
        let (shared, host) = (Arc::clone(&self.0), registry.to_owned());
        // Helpers are programs that may ask the system's keychain.
        let found = tokio::task::spawn_blocking(move || shared.settings.login_for(&host)).await;
        let (login, why) = match found {
            Ok(found) => (found.login, found.why),
            Err(panicked) => (Login::Anonymous, Some(panicked.to_string())),
        };
        // A login of ECR's lasts twelve hours; a newly issued one is fresh.
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

    /// For each registry that was used without a login although there may be one, the
    /// reason.
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
