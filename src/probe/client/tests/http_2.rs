//! HTTP/2 without TLS, so without negotiation.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Asker, lost};
use crate::model::{Answer, Connection, Lost};
use crate::probe::testing::PATIENCE;
use crate::probe::{Question, Version};

fn asker(url: &str, node: SocketAddr) -> Asker {
    let question = Question {
        version: Version::Two,
        ..Question::default()
    };
    Asker::of(url, node, question, PATIENCE)
}

async fn start_http_2() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            // The answer names the connection that it came over.
            let answer = move |request: Request<Incoming>| async move {
                let text = format!("{} {} {peer}", request.method(), request.uri());
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
            };
            tokio::spawn(
                http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    });
    (node, serving)
}

#[tokio::test]
async fn http_2_is_spoken_too() {
    let (node, serving) = start_http_2().await;
    let url = format!("http://{node}/api?x=1");
    let asker = asker(&url, node);
    for (connection, expected) in [(Connection::Fresh, 4), (Connection::Reused, 1)] {
        let mut peers = BTreeSet::new();
        for _ in 0..4 {
            let Answer::Http { status, body, .. } = asker.ask(connection).await else {
                panic!("no answer");
            };
            assert_eq!(status, 200);
            let (asked, peer) = body.rsplit_once(' ').unwrap();
            assert_eq!(asked, format!("GET {url}"));
            peers.insert(peer.to_owned());
        }
        assert_eq!(peers.len(), expected, "{connection:?}");
    }
    serving.abort();
}

/// Load balancers end a connection in order after some number of requests.
#[tokio::test]
async fn an_http_2_connection_that_takes_its_leave_is_no_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = listener.local_addr().unwrap();
    let (accepts, accepted) = watch::channel(0);
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            accepts.send_modify(|accepts| *accepts += 1);
            let (tell, mut asked) = watch::channel(0);
            let answer = move |_: Request<Incoming>| {
                tell.send_modify(|asked| *asked += 1);
                async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
            };
            let server = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                let serving = server.serve_connection(TokioIo::new(stream), service_fn(answer));
                tokio::pin!(serving);
                tokio::select! {
                    _ = &mut serving => return,
                    _ = asked.wait_for(|asked| *asked >= 5) => {}
                }
                serving.as_mut().graceful_shutdown();
                let _ = serving.await;
            });
        }
    });
    let asker = asker(&format!("http://{node}/"), node);
    for _ in 0..50 {
        let all = (0..3).map(|_| asker.asked(Connection::Reused));
        for asked in join_all(all).await {
            assert!(asked.is_good(), "{asked:?}");
        }
    }
    assert!(*accepted.borrow() >= 10, "{}", *accepted.borrow());
    serving.abort();
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;

/// Answers the first `answers` requests of a connection, and says about the next one that
/// it was not processed (RFC 9113, 6.8).
async fn answer_some(mut stream: TcpStream, answers: u32) -> io::Result<()> {
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    let mut last = 0_u32;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, stream_id @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await?;
        let id = u32::from_be_bytes(stream_id);
        let said = match kind {
            SETTINGS if flags == 0 => frame(SETTINGS, 1, 0, &[]),
            HEADERS if id < 2 * answers => {
                last = id;
                // All of it in one byte: `:status: 200`.
                frame(HEADERS, 5, id, &[0x88])
            }
            HEADERS => frame(GO_AWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat()),
            _ => Vec::new(),
        };
        stream.write_all(&said).await?;
    }
}

async fn start_answering_some(answers: u32) -> (SocketAddr, watch::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = listener.local_addr().unwrap();
    let (accepts, accepted) = watch::channel(0);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            accepts.send_modify(|accepts| *accepts += 1);
            tokio::spawn(answer_some(stream, answers));
        }
    });
    (node, accepted)
}

#[tokio::test]
async fn a_request_that_a_leaving_server_did_not_look_at_is_asked_again() {
    let (node, accepted) = start_answering_some(3).await;
    let asker = asker(&format!("http://{node}/"), node);
    for _ in 0..12 {
        let asked = asker.asked(Connection::Reused).await;
        assert!(asked.is_good(), "{asked:?}");
    }
    assert_eq!(*accepted.borrow(), 4);
}

#[tokio::test]
async fn a_server_that_looks_at_nothing_is_not_asked_for_ever() {
    for connection in [Connection::Fresh, Connection::Reused] {
        let (node, accepted) = start_answering_some(0).await;
        let asker = asker(&format!("http://{node}/"), node);
        let (why, error) = lost(asker.ask(connection).await);
        assert_eq!(why, Lost::Reset, "{error}");
        assert_eq!(*accepted.borrow(), 1);
    }
}
