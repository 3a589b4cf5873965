use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    /// An engine with a client's certificate beside its own.
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        let own = Self { issuer, folder };
        let (cert, key) = own.issue("client");
        let pem = own.issuer.pem();
        for (name, text) in [
            ("ca.pem", pem),
            ("cert.pem", cert.pem()),
            ("key.pem", key.serialize_pem()),
        ] {
            std::fs::write(own.folder.path().join(name), text).expect("a file");
        }
        own
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate");
        (cert, key)
    }

    fn files(&self, names: &[&str], verifies: bool) -> TlsFiles {
        let at = |name: &str| names.contains(&name).then(|| self.folder.path().join(name));
        TlsFiles {
            ca: at("ca.pem"),
            cert: at("cert.pem"),
            key: at("key.pem"),
            verifies,
        }
    }

    /// Answers one client, whose certificate it requires, with a word.
    async fn serve(&self) -> String {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("it is one");
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let (cert, key) = self.issue("localhost");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(clients.build().expect("a verifier"))
            .with_single_cert(
                vec![cert.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .expect("a pair");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            let mut stream = acceptor.accept(stream).await?;
            stream.write_all(b"pong").await?;
            stream.shutdown().await
        });
        format!("localhost:{port}")
    }
}

async fn asked(files: &TlsFiles, authority: &str) -> io::Result<String> {
    let config = TlsConfig::new(files).map_err(io::Error::other)?;
    let stream = TcpStream::connect(authority).await?;
    let mut stream = config.connect(authority, stream).await?;
    let mut word = String::new();
    stream.read_to_string(&mut word).await?;
    Ok(word)
}

#[tokio::test]
async fn an_engine_and_its_client_know_each_other() {
    let (own, other) = (Authority::new(), Authority::new());
    let all = ["ca.pem", "cert.pem", "key.pem"];
    for (files, is_let_in) in [
        (own.files(&all, true), true),
        (own.files(&all[1..], false), true),
        (other.files(&all, true), false),
        (own.files(&all[..1], true), false),
    ] {
        let answer = asked(&files, &own.serve().await).await;
        assert_eq!(
            answer.is_ok_and(|word| word == "pong"),
            is_let_in,
            "{files:?}"
        );
    }
}

#[test]
fn a_file_that_holds_none_is_named() {
    let own = Authority::new();
    let ca = own.folder.path().join("ca.pem");
    for text in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        std::fs::write(&ca, text).expect("a file");
        let why = TlsConfig::new(&own.files(&["ca.pem"], true)).expect_err("it is none");
        assert!(why.starts_with(&format!("{}: ", ca.display())), "{why}");
    }
    std::fs::write(own.folder.path().join("key.pem"), "no key").expect("a file");
    let why = TlsConfig::new(&own.files(&["cert.pem", "key.pem"], false)).expect_err("it is none");
    assert!(why.contains("key.pem: "), "{why}");
}
