//! The user's own registry credentials, as `docker login` and the credential
//! helpers keep them: for base images and for images to pull.
//!
//! They are looked up when a registry is about to be asked, handed to the
//! engine, and kept nowhere. A helper that fails means "anonymous", as it does
//! to Docker: most images are public.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bollard::moby::filesync::v1::auth_server::Auth;
use bollard::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};

use crate::hidden::Mask;

/// The key under which Docker's configuration keeps Docker Hub.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What a registry is shown.
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
    /// What the user's configuration holds for `registry` (a host, with its
    /// port if it has one).
    pub(super) async fn of_user(registry: &str) -> Self {
        let key = match registry {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
            registry => registry.to_owned(),
        };
        // Helpers are programs that may ask the system's key chain.
        let found = tokio::task::spawn_blocking(move || docker_credential::get_credential(&key));
        match found.await {
            Ok(Ok(DockerCredential::UsernamePassword(username, password))) => {
                Self::Password { username, password }
            }
            Ok(Ok(DockerCredential::IdentityToken(token))) => Self::IdentityToken(token),
            Ok(Err(error)) => {
                tracing::debug!(
                    registry,
                    why = reason(&error),
                    "no credentials, going anonymous"
                );
                Self::Anonymous
            }
            Err(_) => Self::Anonymous,
        }
    }

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

/// Without the output of a helper, which may hold what must not be shown.
fn reason(error: &CredentialRetrievalError) -> &'static str {
    match error {
        CredentialRetrievalError::HelperCommunicationError => "the helper cannot be run",
        CredentialRetrievalError::MalformedHelperResponse => "the helper's answer is malformed",
        CredentialRetrievalError::HelperFailure { .. } => "the helper has none",
        CredentialRetrievalError::CredentialDecodingError
        | CredentialRetrievalError::CredentialMismatchError => "the stored ones are malformed",
        CredentialRetrievalError::NoCredentialConfigured => "none configured",
        CredentialRetrievalError::ConfigNotFound | CredentialRetrievalError::ConfigReadError => {
            "no readable Docker configuration"
        }
    }
}

/// Answers BuildKit when a registry wants to know who pulls a base image.
#[derive(Debug, Default)]
pub(super) struct UserLogins {
    /// One helper at a time: macOS' key chain helper hangs when run twice.
    turn: Mutex<()>,
}

#[tonic::async_trait]
impl Auth for UserLogins {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let _turn = self.turn.lock().await;
        let answer = match Login::of_user(&request.get_ref().host).await {
            Login::Anonymous => CredentialsResponse::default(),
            Login::Password { username, password } => CredentialsResponse {
                username,
                secret: password,
            },
            // An empty user name tells BuildKit that it is a refresh token.
            Login::IdentityToken(token) => CredentialsResponse {
                username: String::new(),
                secret: token,
            },
        };
        Ok(Response::new(answer))
    }

    // The three below let the client fetch tokens for the engine. Where they
    // are not implemented BuildKit fetches them itself, with the credentials
    // above; it knows the ways of more registries than could be covered here.

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens"))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE;

    use super::Login;

    #[test]
    fn the_header_is_url_safe_and_sensitive() {
        let login = Login::Password {
            username: "AWS".to_owned(),
            password: "???>>>~~~".to_owned(),
        };
        let (name, value) = login.header("1.dkr.ecr");
        assert_eq!(name, "x-registry-auth");
        assert!(value.is_sensitive());
        assert!(!format!("{value:?} {login:?}").contains('>'));
        let text = value.to_str().expect("it is ASCII");
        assert!(!text.contains(['+', '/']), "{text}");
        let json = URL_SAFE.decode(text).expect("it is base64");
        assert_eq!(
            String::from_utf8_lossy(&json),
            r#"{"username":"AWS","password":"???>>>~~~","serveraddress":"1.dkr.ecr"}"#
        );
    }

    #[test]
    fn a_registry_that_repeats_a_login_is_not_repeated() {
        let login = Login::Password {
            username: "AWS".to_owned(),
            password: "hunter22".to_owned(),
        };
        let said = "unauthorized: Basic QVdTOmh1bnRlcjIy is AWS with hunter22";
        assert_eq!(
            login.mask().apply(said),
            "unauthorized: Basic *** is AWS with ***"
        );
        let token = Login::IdentityToken("hunter22".to_owned());
        assert_eq!(token.mask().apply("no hunter22 here"), "no *** here");
        assert_eq!(Login::Anonymous.mask().apply(said), said);
    }

    #[test]
    fn a_token_and_nothing_are_headers_too() {
        let decode = |login: Login| {
            let (_, value) = login.header("r");
            String::from_utf8(URL_SAFE.decode(value).expect("base64")).expect("JSON")
        };
        assert_eq!(
            decode(Login::IdentityToken("t".to_owned())),
            r#"{"identitytoken":"t","serveraddress":"r"}"#
        );
        assert_eq!(decode(Login::Anonymous), r#"{"serveraddress":"r"}"#);
    }
}
