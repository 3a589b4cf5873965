//! Certificates for HTTPS listeners, made when they are first needed: ACM gives the
//! private key of none to anybody, so that those with which a listener is served
//! here are another authority's, for the same names.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

use super::config::{Certificate, Tls};
use crate::http2;

/// Why one cannot be made.
pub type Unmade = Box<dyn Error + Send + Sync>;

/// Whoever trusts its own certificate is served without a complaint.
#[derive(Default)]
pub struct Authority(Mutex<Made>);

#[derive(Default)]
struct Made {
    issuer: Option<CertifiedIssuer<'static, KeyPair>>,
    keys: HashMap<Certificate, Arc<CertifiedKey>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Its own certificate, for who is to trust it.
    ///
    /// # Errors
    /// The system's own.
    pub fn pem(&self) -> Result<String, Unmade> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(made.issuer()?.pem())
    }

    /// What a listener answers with.
    ///
    /// # Errors
    /// A name that no certificate can have, or none to serve with.
    pub(crate) fn config(&self, tls: &Tls) -> Result<Arc<ServerConfig>, Unmade> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = tls.certificates.iter();
        let keys = keys.map(|certificate| Ok((certificate.clone(), made.key(certificate)?)));
        let versions = match tls.policy.as_str() {
            policy if policy.contains("TLS13-1-3") => &[&TLS13][..],
            policy if policy.is_empty() || policy.contains("TLS13") => &[&TLS13, &TLS12],
            _ => &[&TLS12],
        };
        let by_name = ByName(keys.collect::<Result<_, Unmade>>()?);
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(by_name));
        config.alpn_protocols = http2::offered();
        Ok(Arc::new(config))
    }
}

impl Made {
    fn issuer(&mut self) -> Result<&CertifiedIssuer<'static, KeyPair>, Unmade> {
        let issuer = match self.issuer.take() {
            Some(issuer) => issuer,
            None => {
                let mut params = CertificateParams::default();
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                let name = "the gate of a local AWS";
                params.distinguished_name.push(DnType::CommonName, name);
                CertifiedIssuer::self_signed(params, KeyPair::generate()?)?
            }
        };
        Ok(self.issuer.insert(issuer))
    }

    fn key(&mut self, of: &Certificate) -> Result<Arc<CertifiedKey>, Unmade> {
        if let Some(key) = self.keys.get(of) {
            return Ok(key.clone());
        }
        let pair = KeyPair::generate()?;
        let params = CertificateParams::new(of.names.clone())?;
        let chain = vec![params.signed_by(&pair, self.issuer()?)?.der().clone()];
        let der = PrivateKeyDer::try_from(pair.serialize_der())?;
        let key = CertifiedKey::from_der(chain, der, &ring::default_provider())?;
        let key = Arc::new(key);
        self.keys.insert(of.clone(), key.clone());
        Ok(key)
    }
}

/// "The load balancer uses the default certificate if the client does not provide
/// a server name, or none in the list matches":
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html>
#[derive(Debug)]
struct ByName(Vec<(Certificate, Arc<CertifiedKey>)>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name();
        let named = asked.and_then(|name| self.0.iter().find(|(one, _)| one.covers(name)));
        named.or(self.0.first()).map(|(_, key)| key.clone())
    }
}
