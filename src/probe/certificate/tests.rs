//! A real handshake over a real socket, with certificates made here.

use std::net::SocketAddr;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::model::{Answer, Connection, Lost};
use crate::probe::testing::{PATIENCE, ok, soon};
use crate::probe::{Address, Client, Question, ask_each};

const DAY: time::Duration = time::Duration::DAY;

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server with a certificate for `shop.test`, valid from and until these days from
    /// now, and the server names that clients asked for.
    async fn serve(&self, from: i32, to: i32) -> (SocketAddr, watch::Receiver<Vec<String>>) {
        let mut params = CertificateParams::new(["shop.test".to_owned()]).unwrap();
        let now = time::OffsetDateTime::now_utc();
        (params.not_before, params.not_after) = (now + DAY * from, now + DAY * to);
        let key = KeyPair::generate().unwrap();
        let chain = vec![params.signed_by(&key, &self.issuer).unwrap().der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, asked) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, tell) = (acceptor.clone(), tell.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let name = stream.get_ref().1.server_name().unwrap_or_default();
                    tell.send_modify(|names| names.push(name.to_owned()));
                    let mut request = [0; 4096];
                    while let Ok(1..) = stream.read(&mut request).await {
                        let host = String::from_utf8_lossy(&request).contains("host: shop.test");
                        let answer = ok(if host { "shop" } else { "?" });
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        (address, asked)
    }

    fn client(&self, url: &str) -> Client {
        let address = Address::parse(url).unwrap().trusting(Some(self.file()));
        Client::new(&address, Question::default(), PATIENCE).unwrap()
    }
}

async fn complaint(client: &Client, node: SocketAddr) -> String {
    let asked = soon(client.ask(node, Connection::Fresh)).await;
    match Answer::clone(&*asked.answer) {
        Answer::Nothing { why, error } => {
            assert_eq!(why, Lost::Tls, "{error}");
            error
        }
        answer @ Answer::Http { .. } => panic!("an answer: {answer:?}"),
    }
}

#[tokio::test]
async fn the_public_name_is_asked_for_at_the_nodes_over_every_connection() {
    let authority = Authority::new();
    let (node, asked) = authority.serve(-1, 90).await;
    let client = authority.client("https://shop.test/");
    for connection in [
        Connection::Fresh,
        Connection::Fresh,
        Connection::Reused,
        Connection::Reused,
    ] {
        let asked = soon(client.ask(node, connection)).await;
        let Answer::Http { status, body, .. } = &*asked.answer else {
            panic!("{asked:?}");
        };
        assert_eq!((*status, body.as_str()), (200, "shop"), "{connection:?}");
    }
    assert_eq!(*asked.borrow(), ["shop.test"; 3]);
    assert_eq!(client.expiry().warning(), None);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_a_sentence() {
    let authority = Authority::new();
    let (node, _) = authority.serve(-1, 90).await;
    assert_eq!(
        complaint(&authority.client("https://www.test/"), node).await,
        "the certificate is for shop.test, not for www.test: ask by a name that it has, or give \
         the load balancer a certificate for this one"
    );
    let stranger = Authority::new();
    assert_eq!(
        complaint(&stranger.client("https://shop.test/"), node).await,
        "the certificate's issuer is not known here: if you trust it, name its certificate with \
         --ca-file, [probe] ca_file or SSL_CERT_FILE"
    );
    let day = |days: i32| (time::OffsetDateTime::now_utc() + DAY * days).date();
    let expected = [
        (-9, -2, format!("the certificate ended on {}", day(-2))),
        (
            2,
            9,
            format!("the certificate is not valid before {}", day(2)),
        ),
    ];
    for (from, to, expected) in expected {
        let (node, _) = authority.serve(from, to).await;
        let error = complaint(&authority.client("https://shop.test/"), node).await;
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_that_ends_within_two_weeks_is_warned_of() {
    let authority = Authority::new();
    for (days, is_soon) in [(1, true), (13, true), (15, false)] {
        let (node, _) = authority.serve(-1, days).await;
        let client = authority.client("https://shop.test/");
        assert_eq!(client.expiry().warning(), None);
        soon(client.ask(node, Connection::Fresh)).await;
        let warning = client.expiry().warning();
        assert_eq!(warning.is_some(), is_soon, "{days}: {warning:?}");

        let address = Address::parse("https://shop.test/").unwrap();
        let address = address.trusting(Some(authority.file()));
        let address = address.through(&[node.to_string()]);
        let (answers, expiry) = ask_each(&address, &Question::default(), PATIENCE).await;
        assert!(answers.len() == 1 && answers[0].is_good(), "{answers:?}");
        assert_eq!(expiry.warning(), warning);
    }
}

#[test]
fn a_file_without_certificates_is_told_ahead_of_any_request() {
    let address = Address::parse("https://shop.test/").unwrap();
    let address = address.trusting(Some("/nowhere/ca.pem".into()));
    let error = Client::new(&address, Question::default(), PATIENCE).unwrap_err();
    assert!(error.contains("/nowhere/ca.pem"), "{error}");
}
