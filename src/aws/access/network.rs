//! The network access to AWS: through a proxy if the environment names one, trusting the
//! certificates that it names.
//!
//! `AWS_CA_BUNDLE` and a profile's `ca_bundle` replace the system's certificates, as in
//! the AWS CLI. This machine, and the addresses from which it learns its role, are never
//! reached through a proxy.

use std::path::Path;
use std::sync::Arc;

use aws_config::profile::ProfileSet;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

use super::environment::Variables;
use super::routes::{Proxy, Routes};
use crate::error::{Error, Result};
use crate::trust;

/// The hosts for which no proxy is ever used.
const DIRECT: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fd00:ec2::/32";

/// The variables: those for one scheme before those for all.
const HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Created on demand: reading the system's certificates takes a while.
type MakeConnector = Arc<
    dyn Fn(Option<&HttpConnectorSettings>, Option<&RuntimeComponents>) -> Connector + Send + Sync,
>;

pub struct NetworkAccess {
    pub client: SharedHttpClient,
    /// For a single URL, without the rest of the SDK.
    pub downloads: Arc<dyn Fn(&str) -> SharedHttpConnector + Send + Sync>,
}

/// # Errors
/// A proxy or a bundle of certificates that cannot be used (exit 2).
pub fn network(environment: &Variables, profiles: &ProfileSet) -> Result<NetworkAccess> {
    let trusted = trusted(environment, profiles)?;
    let except = except(environment);
    let https = proxy(environment, &HTTPS)?;
    let http = proxy(environment, &HTTP)?;
    let tls = |needed: bool| match (&trusted, needed) {
        (_, false) => TrustStore::empty(),
        (None, true) => TrustStore::default(),
        (Some(certificates), true) => TrustStore::empty().with_pem_certificate(pem(certificates)),
    };
    let plain_needs_tls = http
        .as_ref()
        .is_some_and(|proxy| proxy.uri.starts_with("https:"));
    let secured = over(https.as_ref(), ProxyConfig::https, &except, tls(true))?;
    let plain = over(
        http.as_ref(),
        ProxyConfig::http,
        &except,
        tls(plain_needs_tls),
    )?;
    let client = |make: MakeConnector| {
        Builder::new()
            .build_with_connector_fn(move |settings, components| make(settings, components))
    };
    let routes = Routes {
        secured: client(secured.clone()),
        plain: client(plain.clone()),
        https,
        http,
        except,
        has_answered: Arc::default(),
    };
    Ok(NetworkAccess {
        client: SharedHttpClient::new(routes),
        downloads: Arc::new(move |url| {
            let make = if url.starts_with("https:") {
                &secured
            } else {
                &plain
            };
            SharedHttpConnector::new(make(None, None))
        }),
    })
}

/// Creates connectors that go through that proxy.
fn over<E>(
    proxy: Option<&Proxy>,
    to: fn(String) -> Result<ProxyConfig, E>,
    except: &str,
    trust: TrustStore,
) -> Result<MakeConnector> {
    let way = match proxy {
        None => ProxyConfig::disabled(),
        Some(proxy) => to(proxy.uri.clone())
            .map_err(|_| no_proxy(proxy.name))?
            .no_proxy(except),
    };
    let tls = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| Error::failed("TLS cannot be set up").because(&error))?;
    // rustls with ring: the SDK's default crypto needs a C toolchain and a minute of
    // build time.
    Ok(Arc::new(move |settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone())
            .proxy_config(way.clone());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.build()
    }))
}

/// # Errors
/// A value that is not a proxy's address. It may contain a password, so it is not shown.
fn proxy(environment: &Variables, names: &[&'static str]) -> Result<Option<Proxy>> {
    let Some((name, value)) = environment.first(names) else {
        return Ok(None);
    };
    // As in curl.
    let uri = match value.contains("://") {
        true => value.to_owned(),
        false => format!("http://{value}"),
    };
    match super::check::endpoint(&uri) {
        Ok(()) => Ok(Some(Proxy { name, uri })),
        Err(_) => Err(no_proxy(name)),
    }
}

fn no_proxy(name: &str) -> Error {
    Error::usage(format!(
        "{name} is not the address of a proxy that bgecs can use"
    ))
    .hint(format!(
        "write http://HOST:PORT, or remove it: `unset {name}`"
    ))
}

fn except(environment: &Variables) -> String {
    let named = environment.first(&["NO_PROXY", "no_proxy"]);
    // Many people write `*.example.com`, but only Go and boto3 understand it.
    let named = named
        .map_or("", |(_, value)| value)
        .split(',')
        .map(|entry| {
            let entry = entry.trim();
            entry
                .strip_prefix('*')
                .filter(|rest| rest.starts_with('.'))
                .unwrap_or(entry)
        });
    named.chain([DIRECT]).collect::<Vec<_>>().join(",")
}

/// The certificates that are trusted instead of the system's.
fn trusted(
    environment: &Variables,
    profiles: &ProfileSet,
) -> Result<Option<Vec<CertificateDer<'static>>>> {
    let of_variable = environment
        .get("AWS_CA_BUNDLE")
        .map(|path| ("AWS_CA_BUNDLE", path));
    let of_profile = profiles
        .get("ca_bundle")
        .map(|path| ("the profile's ca_bundle", path.trim()));
    let bundle = of_variable.or(of_profile.filter(|(_, path)| !path.is_empty()));
    if let Some((name, path)) = bundle {
        return trust::from_file(&expanded(path, environment))
            .map(Some)
            .map_err(|why| {
                Error::usage(format!("{name} is not a bundle of certificates")).cause(why)
            });
    }
    trust::named().transpose().map_err(Error::usage)
}

/// Files may write `~` for the home directory, which no shell expands there.
fn expanded(path: &str, environment: &Variables) -> std::path::PathBuf {
    match (path.strip_prefix("~/"), environment.get("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => path.into(),
    }
}

fn pem(certificates: &[CertificateDer<'static>]) -> String {
    let mut text = String::new();
    for certificate in certificates {
        text += "-----BEGIN CERTIFICATE-----\n";
        text += &STANDARD.encode(certificate);
        text += "\n-----END CERTIFICATE-----\n";
    }
    text
}
