//! What passes through the gate, and how.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, stream};
use http_body_util::StreamBody;
use hyper::StatusCode;
use hyper::body::Frame;
use serde_json::Value;
use tokio::sync::mpsc;

use super::super::front::{Traffic, Visitor};
use super::super::services::Services;
use super::*;

const MEGABYTE: usize = 1024 * 1024;

/// Makes a call of S3 of a request, by one more header.
const SIGNED: &str = "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=k/d/r/s3/aws4_request";

#[tokio::test]
async fn an_upload_is_passed_on_while_it_comes() {
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let stand = Stand::start(move |request| {
        let arrived = arrived.clone();
        async move {
            let length = request.headers()["content-length"].clone();
            let mut body = request.into_body();
            let mut count = 0;
            while let Some(frame) = body.frame().await {
                count += frame.unwrap().data_ref().unwrap().len();
                arrived.send(count).unwrap();
            }
            Response::new(body::whole(format!("{count} of {length:?}.")))
        }
    })
    .await;
    let gate = stand.gate();
    let mut raw = Raw::to(&gate).await;
    let length = 50 * MEGABYTE;
    let head = "PATCH /v2/app/blobs/uploads/1 HTTP/1.1\r\nHost: localhost:1";
    raw.send(format!("{head}\r\nContent-Length: {length}\r\n\r\nfirst"))
        .await;
    assert_eq!(
        soon(arrivals.recv()).await,
        Some(5),
        "before the rest is sent"
    );
    let block = vec![b'x'; MEGABYTE];
    for _ in 1..50 {
        raw.send(&block).await;
    }
    raw.send(&block[5..]).await;
    let answer = raw.read_until(".").await;
    assert!(
        answer.ends_with(&format!("{length} of \"{length}\".")),
        "{answer}"
    );
}

#[tokio::test]
async fn a_download_is_passed_on_while_it_comes() {
    let (pieces, received) = mpsc::channel::<&'static [u8]>(1);
    let received = Arc::new(tokio::sync::Mutex::new(received));
    let stand = Stand::start(move |_| {
        let received = Arc::clone(&received);
        async move {
            let pieces = stream::unfold(received, |received| async {
                let piece = received.lock().await.recv().await?;
                let frame = Frame::data(Bytes::from_static(piece));
                Some((Ok::<_, Infallible>(frame), received))
            });
            Response::new(body::streamed(StreamBody::new(pieces)))
        }
    })
    .await;
    let gate = stand.gate();
    let mut raw = Raw::to(&gate).await;
    raw.send("GET /v2/app/blobs/sha256:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n")
        .await;
    pieces.send(b"first").await.unwrap();
    let begin = raw.read_until("first").await;
    assert!(begin.contains("transfer-encoding: chunked"), "{begin}");
    pieces.send(b"last").await.unwrap();
    drop(pieces);
    assert!(raw.read_until("0\r\n\r\n").await.contains("last"));
}

#[tokio::test]
async fn a_request_passes_with_its_host_and_its_own_headers() {
    let stand = mirror().await;
    let gate = stand.gate();
    let head = "PUT /v2/a?digest=x%20y HTTP/1.1\r\nHost: localhost:5000\r\n\
                Authorization: Basic dDp0\r\nX-Mine: 1\r\nContent-Length: 4";
    let (status, _, body) = ask(&gate, head, "blob").await;
    assert_eq!(status, 200);
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(said["method"], "PUT");
    assert_eq!(said["uri"], "/v2/a?digest=x%20y");
    assert_eq!(said["body"], "blob");
    for (name, value) in [
        ("host", "localhost:5000"),
        ("authorization", "Basic dDp0"),
        ("x-mine", "1"),
        ("content-length", "4"),
    ] {
        assert_eq!(said["headers"][name], value, "{name}");
    }
    assert_eq!(said["headers"].get("connection"), None);
    assert!(gate.calls().all().is_empty());
}

#[tokio::test]
async fn bodies_in_chunks_arrive_whole() {
    let stand = mirror().await;
    let gate = stand.gate();
    for authorization in ["", SIGNED] {
        let head = format!(
            "PUT /bucket/key HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked\r\n\
             Content-Encoding: aws-chunked{authorization}"
        );
        let (status, _, body) = ask(&gate, &head, "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n").await;
        assert_eq!(status, 200);
        let said: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(said["body"], "hello world");
        assert_eq!(said["headers"]["content-encoding"], "aws-chunked");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_gets_it() {
    let stand = mirror().await;
    let gate = stand.gate();
    for authorization in ["", SIGNED] {
        let mut raw = Raw::to(&gate).await;
        let head =
            "PUT /bucket/key HTTP/1.1\r\nHost: s3\r\nExpect: 100-continue\r\nContent-Length: 4";
        raw.send(format!("{head}{authorization}\r\n\r\n")).await;
        let first = raw.read_until("\r\n\r\n").await;
        assert!(first.starts_with("HTTP/1.1 100 "), "{first}");
        raw.send("data").await;
        let answer = raw.read_until("\"body\":\"data\"").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_to_head_keeps_the_length_of_what_it_does_not_have() {
    let stand = Stand::start(|request| async move {
        assert_eq!(request.method(), "HEAD");
        let answer = Response::builder().header("content-length", "1234");
        answer.body(body::whole("")).unwrap()
    })
    .await;
    let gate = stand.gate();
    for authorization in ["", SIGNED] {
        let head = format!("HEAD /bucket/key HTTP/1.1\r\nHost: s3{authorization}");
        let (status, headers, body) = ask(&gate, &head, "").await;
        assert_eq!((status, body.as_str()), (200, ""));
        assert_eq!(headers["content-length"], "1234");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_has_none() {
    let stand = Stand::start(|_| async {
        let answer = Response::builder().status(StatusCode::NO_CONTENT);
        answer.body(body::whole("")).unwrap()
    })
    .await;
    let gate = stand.gate();
    let mut raw = Raw::to(&gate).await;
    let call = ecs("DescribeServices", "{}");
    for request in ["DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", &call] {
        raw.send(request).await;
        let answer = raw.read_until("\r\n\r\n").await;
        assert!(
            answer.starts_with("HTTP/1.1 204 ") && answer.ends_with("\r\n\r\n"),
            "{answer}"
        );
        assert!(!answer.contains("transfer-encoding"), "{answer}");
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let mut raw = Raw::to(&gate).await;
    for count in 1..=3 {
        raw.send(ecs("UpdateService", "{}")).await;
        raw.read_until(&format!("{{\"writes\":{count}}}")).await;
    }
}

#[tokio::test]
async fn a_silent_emulator_is_a_502_that_says_so() {
    // Nobody listens there.
    let place = "127.0.0.1:1";
    let gate = Gate::before(&format!("http://{place}"), &Options::default()).unwrap();
    let call = ecs("DescribeServices", "{}");
    let (call, _) = call.split_once("\r\n\r\n").unwrap();
    for (head, body) in [
        ("GET /_localstack/health HTTP/1.1\r\nHost: a", ""),
        (call, "{}"),
    ] {
        let (status, headers, text) = ask(&gate, head, body).await;
        assert_eq!(status, 502);
        assert!(
            headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/plain")
        );
        let begin = format!("the emulator at {place} gave no answer to ");
        assert!(text.starts_with(&begin), "{text}");
    }
}

#[tokio::test]
async fn a_form_that_is_no_call_passes() {
    let stand = mirror().await;
    let gate = stand.gate();
    let head = "POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 7\r\n\
                Content-Type: application/x-www-form-urlencoded";
    let (status, _, body) = ask(&gate, head, "user=me").await;
    assert_eq!(status, 200);
    assert!(body.contains("\"body\":\"user=me\""), "{body}");
    assert!(gate.calls().all().is_empty());
}

/// A load balancer that answers its port, and echoes after an upgrade.
struct Echo;

impl Traffic for Echo {
    fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        None
    }

    fn takes(&self, host: &str) -> bool {
        host.starts_with("web.elb")
    }

    fn serve(
        &self,
        visitor: Visitor,
        host: String,
        mut request: hyper::Request<Incoming>,
    ) -> BoxFuture<'_, Response<Body>> {
        async move {
            if !request.headers().contains_key("upgrade") {
                return Response::new(body::whole(format!("{host} for {}", visitor.client)));
            }
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let (mut read, mut write) = tokio::io::split(TokioIo::new(upgrade.await.unwrap()));
                tokio::io::copy(&mut read, &mut write).await.unwrap();
            });
            let answer = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            let answer = answer
                .header("connection", "upgrade")
                .header("upgrade", "echo");
            answer.body(body::whole("")).unwrap()
        }
        .boxed()
    }
}

#[tokio::test]
async fn traffic_of_load_balancers_is_theirs_even_if_it_looks_like_a_call() {
    let stand = mirror().await;
    let gate = Gate::with(&stand.endpoint, &Options::default(), |_| Services {
        traffic: Some(Arc::new(Echo)),
        ..Services::default()
    })
    .unwrap();
    let head = "GET /?Action=Describe HTTP/1.1\r\nHost: web.elb:81\r\nX-Amz-Target: A.B";
    let (status, _, body) = ask(&gate, head, "").await;
    assert_eq!((status, body.as_str()), (200, "web.elb:81 for 127.0.0.1"));
    let (_, _, body) = ask(&gate, "GET /x HTTP/1.1\r\nHost: other.elb", "").await;
    assert!(body.contains("\"uri\":\"/x\""), "{body}");
    assert!(gate.calls().all().is_empty());

    let mut raw = Raw::to(&gate).await;
    let upgrade = "Connection: upgrade\r\nUpgrade: echo";
    raw.send(format!(
        "GET / HTTP/1.1\r\nHost: web.elb\r\n{upgrade}\r\n\r\n"
    ))
    .await;
    let answer = raw.read_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    raw.send("hello").await;
    raw.read_until("hello").await;
}
