//! HTTPS listeners, and clients that speak HTTP/2 or do not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::HeaderName;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client::{Answer, Sent, in_time};
use super::failures::{saying, to};
use super::target::FakeTarget;
use super::{Action, LOOPBACK, PORT, Ports, Site, config, forward, group, healthy, until};
use crate::balancer::config::{Certificate, Condition, Config, Rule, Tls};
use crate::balancer::{Arn, Authority, Balancer};

/// A load balancer whose only listener speaks HTTPS, for two names.
struct Secured {
    balancer: Balancer,
    authority: Arc<Authority>,
}

/// A connection of HTTP/2, on which many may ask at once.
#[derive(Clone)]
struct Multiplexed(http2::SendRequest<Sent>);

impl Secured {
    async fn of(mut config: Config) -> Self {
        let authority = Arc::<Authority>::default();
        let site = Site {
            nodes: vec![LOOPBACK],
            ports: Ports::Free,
        };
        let balancer = Balancer::certified_by(authority.clone(), site);
        let names = vec!["shop.test".to_owned(), "other.test".to_owned()];
        config.listeners[0].tls = Some(Tls {
            certificates: vec![Certificate {
                arn: Arn::new("certificate"),
                names,
            }],
            policy: String::new(),
        });
        balancer.apply(config).await.unwrap();
        Self {
            balancer,
            authority,
        }
    }

    /// Before one target, which is healthy.
    async fn before(target: &FakeTarget) -> Self {
        let groups = [group("blue", &[target])];
        let mut config = config(forward(&[("blue", 1)]), &groups);
        let listener = &mut config.listeners[0];
        listener.rules.push(Rule {
            arn: Arn::new("rule"),
            priority: 1,
            conditions: vec![Condition::HostHeader(vec!["other.*".to_owned()])],
            actions: vec![Action::FixedResponse {
                status: 200,
                content_type: None,
                body: Some("other".to_owned()),
            }],
        });
        let secured = Self::of(config).await;
        healthy(&secured.balancer, "blue", 1).await;
        secured
    }

    fn door(&self) -> SocketAddr {
        self.balancer.door(0, PORT).unwrap()
    }

    async fn connect(&self, offered: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let pem = self.authority.pem().unwrap();
        let root = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        roots.add(root).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = offered.iter().map(|one| one.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("shop.test").unwrap();
        let stream = TcpStream::connect(self.door()).await.unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        in_time(connecting).await.unwrap()
    }

    /// The second ends with the connection.
    async fn multiplexed(&self) -> (Multiplexed, JoinHandle<()>) {
        let stream = TokioIo::new(self.connect(&["h2", "http/1.1"]).await);
        let two = http2::handshake(TokioExecutor::new(), stream);
        let (sender, connection) = two.await.unwrap();
        let closed = tokio::spawn(async { drop(connection.await) });
        (Multiplexed(sender), closed)
    }
}

impl Multiplexed {
    async fn ask(&self, request: Request<Sent>) -> hyper::Result<Answer> {
        let mut sender = self.0.clone();
        let (head, body) = in_time(sender.send_request(request)).await?.into_parts();
        let body = in_time(body.collect()).await?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    async fn get(&self, uri: &str) -> Answer {
        self.ask(request(Method::GET, uri, Empty::new().boxed()))
            .await
            .unwrap()
    }
}

fn request(method: Method, uri: &str, body: Sent) -> Request<Sent> {
    let start = Request::builder().method(method).uri(uri);
    start.body(body).unwrap()
}

#[tokio::test]
async fn requests_of_one_connection_do_not_wait_for_each_other() {
    let blue = FakeTarget::start("blue").await;
    let secured = Secured::before(&blue).await;
    let (client, _) = secured.multiplexed().await;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.get("https://shop.test/hold").await }
    });
    until("the slow one is there", || blue.requests() == 1).await;
    let many = (0..20).map(|_| client.get("https://shop.test/"));
    for answer in futures_util::future::join_all(many).await {
        assert_eq!((answer.status, answer.text.as_str()), (200, "blue"));
    }
    assert!(!slow.is_finished());
    blue.let_go();
    assert_eq!(slow.await.unwrap().text, "blue");
}

#[tokio::test]
async fn a_target_is_asked_by_http_1_and_rules_go_by_the_authority() {
    let blue = FakeTarget::start("blue").await;
    let secured = Secured::before(&blue).await;
    let (client, _) = secured.multiplexed().await;
    let seen = client.get("https://shop.test/head?a=b").await.text;
    for line in [
        "GET /head?a=b\n",
        "host: shop.test",
        "x-forwarded-proto: https",
    ] {
        assert!(seen.contains(line), "{line} in {seen}");
    }
    assert!(!seen.contains("transfer-encoding"), "{seen}");
    assert_eq!(client.get("https://other.test/").await.text, "other");
    let body = Full::from("hello").boxed();
    let echoed = client.ask(request(Method::POST, "https://shop.test/echo", body));
    assert_eq!(echoed.await.unwrap().text, "hello");
    let traced = request(Method::TRACE, "https://shop.test/", Empty::new().boxed());
    assert_eq!(client.ask(traced).await.unwrap().status, 405);
}

#[tokio::test]
async fn what_a_target_says_of_its_connection_does_not_reach_the_client() {
    let target = saying(
        "HTTP/1.1 200 OK\r\nConnection: close, x-hop\r\nKeep-Alive: timeout=5\r\n\
         X-Hop: 1\r\nX-Kept: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    );
    let secured = Secured::of(to(target.await)).await;
    let (client, _) = secured.multiplexed().await;
    let answer = client.get("https://shop.test/").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "hello"));
    let names: Vec<_> = answer.headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(names, ["x-kept", "date"]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_ends_its_stream_alone() {
    let target = saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello").await;
    let secured = Secured::of(to(target)).await;
    let (client, _) = secured.multiplexed().await;
    for _ in 0..2 {
        let asked = request(Method::GET, "https://shop.test/", Empty::new().boxed());
        let answer = in_time(client.0.clone().send_request(asked)).await.unwrap();
        assert!(in_time(answer.into_body().collect()).await.is_err());
    }
}

#[tokio::test]
async fn who_offers_no_http_2_is_spoken_to_in_http_1() {
    let blue = FakeTarget::start("blue").await;
    let secured = Secured::before(&blue).await;
    for offered in [&["http/1.1"][..], &[]] {
        let stream = secured.connect(offered).await;
        let agreed = stream.get_ref().1.alpn_protocol();
        assert_eq!(agreed, offered.first().map(|one| one.as_bytes()));
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let asked = super::client::request("GET", "/", "");
        let answer = in_time(sender.send_request(asked)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn there_is_no_http_2_without_tls() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = super::before(&[&blue]).await;
    let stream = TcpStream::connect(balancer.door(0, PORT).unwrap()).await;
    let stream = TokioIo::new(stream.unwrap());
    let two = http2::handshake::<_, _, Sent>(TokioExecutor::new(), stream);
    let (mut sender, connection) = two.await.unwrap();
    tokio::spawn(connection);
    let asked = request(Method::GET, "http://shop.test/", Empty::new().boxed());
    assert!(in_time(sender.send_request(asked)).await.is_err());
    assert_eq!(blue.requests(), 0);
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_after_the_idle_timeout() {
    let blue = FakeTarget::start("blue").await;
    let mut config = config(forward(&[("blue", 1)]), &[group("blue", &[&blue])]);
    config.idle_timeout = Duration::from_millis(200);
    let secured = Secured::of(config).await;
    let (client, closed) = secured.multiplexed().await;
    client.get("https://shop.test/").await;
    in_time(closed).await.unwrap();
}

#[tokio::test]
async fn a_listener_that_goes_lets_what_is_in_hand_finish() {
    let blue = FakeTarget::start("blue").await;
    let secured = Secured::before(&blue).await;
    let (client, closed) = secured.multiplexed().await;
    let held = tokio::spawn(async move { client.get("https://shop.test/hold").await });
    until("it is in hand", || blue.requests() == 1).await;
    let mut without = Config::clone(&secured.balancer.config());
    without.listeners.clear();
    secured.balancer.apply(without).await.unwrap();
    assert!(!closed.is_finished());
    blue.let_go();
    assert_eq!(held.await.unwrap().text, "blue");
    in_time(closed).await.unwrap();
}
