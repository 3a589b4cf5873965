//! Chooses a request's route by its scheme, and explains why it found nobody there: the
//! SDK knows neither that a request went through a proxy, nor that a local AWS which
//! refuses connections is not running.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::aws::loopback_authority;
use crate::error::causes;

/// A proxy, and the variable that names it.
#[derive(Clone)]
pub struct Proxy {
    pub name: &'static str,
    pub uri: String,
}

/// The address may contain a password, so only the name is shown.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[derive(Debug, Clone)]
pub struct Routes {
    pub secured: SharedHttpClient,
    pub plain: SharedHttpClient,
    pub https: Option<Proxy>,
    pub http: Option<Proxy>,
    pub except: String,
    /// Something has answered since this process began.
    pub has_answered: Arc<AtomicBool>,
}

/// Nothing listens where the local AWS should be.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct NotUp {
    pub authority: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// A connection through a proxy failed.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct Proxied {
    /// The variable that names it.
    pub name: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl HttpClient for Routes {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ProxyConnector {
            routes: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct ProxyConnector {
    routes: Routes,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ProxyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let to = request.uri().to_owned();
        let client = match to.starts_with("https:") {
            true => &self.routes.secured,
            false => &self.routes.plain,
        };
        let connector = client.http_connector(&self.settings, &self.components);
        let routes = self.routes.clone();
        HttpConnectorFuture::new(async move {
            let answer = connector.call(request).await;
            if answer.is_ok() {
                routes.has_answered.store(true, Ordering::Relaxed);
            }
            answer.map_err(|error| routes.explained(&to, error))
        })
    }
}

impl Routes {
    fn explained(&self, to: &str, error: ConnectorError) -> ConnectorError {
        if let Some(authority) = self.is_not_up(to, &error) {
            let source = error.into_source();
            // Not an error that is retried: the local AWS will not start by itself.
            return ConnectorError::other(NotUp { authority, source }.into(), None);
        }
        let Some(name) = self.proxy_to(to) else {
            return error;
        };
        let (is_timeout, is_io, other) = (error.is_timeout(), error.is_io(), error.as_other());
        let source = error.into_source();
        let proxied = Proxied { name, source }.into();
        match () {
            () if is_timeout => ConnectorError::timeout(proxied),
            () if is_io => ConnectorError::io(proxied),
            () => ConnectorError::other(proxied, other),
        }
    }

    /// If it has answered before, it is only restarting.
    fn is_not_up(&self, to: &str, error: &ConnectorError) -> Option<String> {
        let is_refused = causes(error).any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        });
        if !is_refused || self.has_answered.load(Ordering::Relaxed) {
            return None;
        }
        loopback_authority(to)
    }

    fn proxy_to(&self, to: &str) -> Option<&'static str> {
        let uri: Uri = to.parse().ok()?;
        let proxy = match uri.scheme_str() {
            Some("https") => self.https.as_ref(),
            _ => self.http.as_ref(),
        }?;
        let matcher = Matcher::builder()
            .all(proxy.uri.as_str())
            .no(self.except.as_str())
            .build();
        matcher.intercept(&uri).map(|_| proxy.name)
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::Builder;

    use super::*;

    const HERE: &str = "http://127.0.0.1:4566/";
    const AWS: &str = "https://ecs.eu-west-1.amazonaws.com/";

    fn routes() -> Routes {
        let proxy = Proxy {
            name: "HTTPS_PROXY",
            uri: "http://al:hunter22@proxy:3128".to_owned(),
        };
        Routes {
            secured: Builder::new().build_http(),
            plain: Builder::new().build_http(),
            https: Some(proxy),
            http: None,
            except: ".internal,127.0.0.0/8".to_owned(),
            has_answered: Arc::default(),
        }
    }

    fn refused() -> ConnectorError {
        ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into())
    }

    fn cause<T: std::error::Error + 'static>(error: &ConnectorError) -> Option<&T> {
        causes(error).find_map(|cause| cause.downcast_ref())
    }

    #[test]
    fn a_local_aws_that_refuses_is_not_tried_again_unless_it_answered_before() {
        let routes = routes();
        let error = routes.explained(HERE, refused());
        assert!(!error.is_io() && !error.is_timeout(), "{error:?}");
        let not_up = cause::<NotUp>(&error).unwrap();
        assert_eq!(not_up.authority, "127.0.0.1:4566");

        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = routes.explained(HERE, ConnectorError::io(reset.into()));
        assert!(error.is_io() && cause::<NotUp>(&error).is_none());
        let far = routes.explained("http://10.0.0.7:4566/", refused());
        assert!(far.is_io() && cause::<NotUp>(&far).is_none());

        routes.has_answered.store(true, Ordering::Relaxed);
        assert!(routes.explained(HERE, refused()).is_io());
    }

    #[test]
    fn a_proxy_is_named_where_one_was_used() {
        let routes = routes();
        let error = routes.explained(AWS, refused());
        assert!(error.is_io(), "it is tried again: {error:?}");
        assert_eq!(cause::<Proxied>(&error).unwrap().name, "HTTPS_PROXY");
        let late = ConnectorError::timeout("too late".into());
        assert!(routes.explained(AWS, late).is_timeout());
        for direct in ["https://aws.internal/", "http://aws.example.com/"] {
            let error = routes.explained(direct, refused());
            assert!(cause::<Proxied>(&error).is_none(), "{direct}");
        }
        assert!(!format!("{routes:?}").contains("hunter"));
    }
}
