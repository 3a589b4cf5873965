//! TLS to an engine, with the certificates where Docker keeps them: `ca.pem`,
//! and `cert.pem` with `key.pem` if the engine wants to know its clients.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom to trust, and how to say who we are.
#[derive(Clone)]
pub(super) struct Config(Arc<ClientConfig>);

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tls::Config")
    }
}

impl Config {
    /// The error says which file is wrong.
    pub(super) fn from_folder(folder: &Path) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&folder.join("ca.pem"))? {
            roots
                .add(certificate)
                .map_err(|error| format!("{}: {error}", folder.join("ca.pem").display()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        if !cert.exists() && !key.exists() {
            return Ok(Self(Arc::new(builder.with_no_client_auth())));
        }
        let private = PrivateKeyDer::from_pem_file(&key)
            .map_err(|error| format!("{}: {error}", key.display()))?;
        builder
            .with_client_auth_cert(certificates(&cert)?, private)
            .map(|config| Self(Arc::new(config)))
            .map_err(|error| format!("{}: {error}", cert.display()))
    }

    /// Shakes hands over `stream` with the engine at `authority` (`host:port`).
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
