//! TLS to an engine, with the certificates where Docker stores them: `ca.pem`, and
//! `cert.pem` with `key.pem` if the engine authenticates its clients.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::trust;

/// Where an engine's TLS files are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    /// Without one, the system's authorities are trusted.
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    /// Whether the engine's certificate is checked.
    pub(super) verifies: bool,
}

impl TlsFiles {
    /// Whether anything in it calls for TLS.
    pub(super) fn says_something(&self) -> bool {
        !self.verifies || self.ca.is_some() || self.cert.is_some() || self.key.is_some()
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.ca else {
            roots.add_parsable_certificates(trust::roots().unwrap_or_default());
            return Ok(roots);
        };
        let wrong = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        match roots.is_empty() {
            true => Err(wrong(&"there is no certificate in it")),
            false => Ok(roots),
        }
    }
}

/// Which certificates to trust, and how to authenticate.
#[derive(Clone)]
pub(super) struct TlsConfig(Arc<ClientConfig>);

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tls::Config")
    }
}

impl TlsConfig {
    /// The error says which file is wrong.
    pub(super) fn new(files: &TlsFiles) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match files.verifies {
            true => builder.with_root_certificates(files.roots()?),
            false => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
        };
        let (Some(cert), Some(key)) = (&files.cert, &files.key) else {
            return Ok(Self(Arc::new(builder.with_no_client_auth())));
        };
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| format!("{}: {error}", key.display()))?;
        builder
            .with_client_auth_cert(certificates(cert)?, private)
            .map(|config| Self(Arc::new(config)))
            .map_err(|error| format!("{}: {error}", cert.display()))
    }

    /// Performs the TLS handshake over `stream` with the engine at `authority`
    /// (`host:port`).
    pub(super) async fn connect(
        &self,
        authority: &str,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(io::Error::other)?;
        TlsConnector::from(self.0.clone())
            .connect(name, stream)
            .await
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    certificates
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(&error))
}

/// For a context's `SkipTLSVerify` and for DOCKER_TLS: encrypted, with whoever answers.
/// It is still checked that the other side has the key of its certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
