mod http_2;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use super::*;
use crate::model::{Color, Expected};
use crate::probe::testing::{PATIENCE, Reply, Server, ok, soon, with_status};

/// Sends the requests of the tests below to one node.
struct Asker {
    client: Client,
    node: SocketAddr,
}

impl Asker {
    fn of(url: &str, node: SocketAddr, question: Question, timeout: Duration) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = Address::parse(url).unwrap();
        let client = Client::new(&address, question, timeout).unwrap();
        Self { client, node }
    }

    fn patient(server: &Server) -> Self {
        Self::with(server, Question::default())
    }

    fn with(server: &Server, question: Question) -> Self {
        let node = server.address();
        Self::of(&format!("http://{node}/api"), node, question, PATIENCE)
    }

    fn impatient(server: &Server) -> Self {
        let (node, short) = (server.address(), Duration::from_millis(200));
        Self::of(&format!("http://{node}/"), node, Question::default(), short)
    }

    async fn asked(&self, connection: model::Connection) -> Exchange {
        soon(self.client.ask(self.node, connection)).await
    }

    async fn ask(&self, connection: model::Connection) -> Answer {
        Answer::clone(&*self.asked(connection).await.answer)
    }
}

/// What a visitor gets there.
async fn at(node: SocketAddr, scheme: &str) -> Answer {
    let url = format!("{scheme}://{node}/");
    let asker = Asker::of(&url, node, Question::default(), PATIENCE);
    asker.ask(model::Connection::Fresh).await
}

/// What happened instead of an answer.
fn lost(answer: Answer) -> (Lost, String) {
    match answer {
        Answer::Nothing { why, error } => (why, error),
        answer @ Answer::Http { .. } => panic!("an answer: {answer:?}"),
    }
}

#[tokio::test]
async fn only_a_2xx_is_well() {
    for (status, is_ok) in [
        (200, true),
        (204, true),
        (299, true),
        (301, false),
        (302, false),
        (304, false),
        (307, false),
        (404, false),
        (500, false),
        (503, false),
    ] {
        let server = Server::start(move |_| Reply::Send(with_status(status, ""))).await;
        let answer = Asker::patient(&server).ask(model::Connection::Fresh).await;
        assert_eq!(answer.status(), Some(status));
        assert_eq!(answer.is_ok(), is_ok, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let server = Server::start(|_| {
        Reply::Send(
            "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned(),
        )
    })
    .await;
    for connection in [model::Connection::Fresh, model::Connection::Reused] {
        let answer = Asker::patient(&server).ask(connection).await;
        assert_eq!((answer.status(), answer.is_ok()), (Some(302), false));
    }
    assert_eq!(server.asked(), 2);
}

/// Even with an app that repeats requests in its answers.
#[tokio::test]
async fn a_secret_header_is_sent_and_not_told_of() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = listener.local_addr().unwrap();
    let repeating = async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let is_shown = request.contains("x-origin-verify: hunter22\r\n");
            let start = "x".repeat(Answer::KEPT_BODY - 12);
            let body = format!("{start}{is_shown}: hunter22 and more");
            let head = "HTTP/1.1 200 OK\r\nx-bgecs-release: hunter22\r\nconnection: close";
            let length = body.len();
            let answer = format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    tokio::spawn(repeating);
    let secret = (
        HeaderName::from_static("x-origin-verify"),
        HeaderValue::from_static("hunter22"),
    );
    let address = Address::parse(&format!("http://{node}/")).unwrap();
    let address = address.showing(Some(secret));
    let client = Client::new(&address, Question::default(), PATIENCE).unwrap();
    assert!(!format!("{address:?} {address} {client:?}").contains("hunter"));
    for connection in [model::Connection::Fresh, model::Connection::Reused] {
        let asked = soon(client.ask(node, connection)).await;
        let Answer::Http { release, body, .. } = &*asked.answer else {
            panic!("{asked:?}");
        };
        assert_eq!(*release, None);
        assert!(body.ends_with("xtrue: ***"), "{body}");
    }
}

#[tokio::test]
async fn an_answer_gives_its_release_and_the_start_of_its_body() {
    let body = "x".repeat(Answer::KEPT_BODY + 5000);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nx-bgecs-release: 2\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::start(move |_| Reply::Send(answer.clone())).await;
    let expected = Answer::Http {
        status: 200,
        release: Some("2".to_owned()),
        body: "x".repeat(Answer::KEPT_BODY),
    };
    assert_eq!(
        Asker::patient(&server).ask(model::Connection::Fresh).await,
        expected
    );
}

#[tokio::test]
async fn the_request_names_the_host_and_the_colour() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let through = server.address().to_string();
    let address = Address::parse("http://lb.example:81").unwrap();
    let address = address.at_path("/health").unwrap();
    let address = address.through(&[through]).asking_for(Color::Blue);
    let asked = soon(ask_once(&address, &Question::default(), PATIENCE)).await;
    assert!(asked.is_good(), "{asked:?}");
    let head = server.asked_times(1).await.remove(0).to_ascii_lowercase();
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines[0], "get /health http/1.1");
    assert!(lines.contains(&"host: lb.example:81"), "{head}");
    assert!(lines.contains(&"x-bgecs-color: blue"), "{head}");
    assert_eq!(head.matches("host:").count(), 1, "{head}");
}

#[tokio::test]
async fn nobody_there_is_told_from_nobody_who_answers() {
    let silent = Server::start(|_| Reply::Stall(String::new(), String::new())).await;
    let answer = Asker::impatient(&silent)
        .ask(model::Connection::Fresh)
        .await;
    let expected = (Lost::TimedOut, "no answer within 200 ms".to_owned());
    assert_eq!(lost(answer), expected);

    // A port that is taken, but that nobody listens on.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (why, error) = lost(at(taken.local_addr().unwrap(), "http").await);
    assert_eq!(why, Lost::Refused, "{error}");
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn an_answer_that_stops_half_way_runs_out_of_time_too() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let server = Server::start(move |_| Reply::Stall(half.clone(), String::new())).await;
    let answer = Asker::impatient(&server)
        .ask(model::Connection::Fresh)
        .await;
    let expected = (Lost::TimedOut, "no answer within 200 ms".to_owned());
    assert_eq!(lost(answer), expected);
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_no_answer() {
    for (cut, expected) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
            Lost::CutShort,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            Lost::CutShort,
        ),
        ("HTTP/1.1 200 OK\r\nconte", Lost::Reset),
        ("", Lost::Reset),
    ] {
        let server = Server::start(|_| Reply::SendAndClose(cut.to_owned())).await;
        for connection in [model::Connection::Fresh, model::Connection::Reused] {
            let answer = Asker::patient(&server).ask(connection).await;
            assert!(!answer.is_ok(), "{cut:?}");
            let (why, error) = lost(answer);
            assert_eq!(why, expected, "{cut:?}: {error}");
            assert!(!error.is_empty(), "{cut:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_is_told_from_one_that_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        // A connection that is closed with an unread request is reset.
    });
    let (why, error) = lost(at(address, "http").await);
    assert_eq!(why, Lost::Reset, "{error}");
}

#[tokio::test]
async fn what_tls_refuses_is_told_as_such() {
    // A server that speaks no TLS, and one that goes away.
    for said in [&b"HTTP/1.1 400 -\r\n\r\n"[..], b""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 16];
            stream.read_exact(&mut hello).await.unwrap();
            stream.write_all(said).await.unwrap();
            stream.shutdown().await.unwrap();
            // The rest is read, so that nothing is reset.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        });
        let (why, error) = lost(at(address, "https").await);
        assert_eq!(why, Lost::Tls, "{error}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    let server = Server::start(|_| Reply::SendAndClose("SSH-2.0-OpenSSH_9.9\r\n".to_owned())).await;
    let answer = Asker::patient(&server).ask(model::Connection::Fresh).await;
    let (why, error) = lost(answer);
    assert_eq!(why, Lost::Other, "{error}");
    assert!(!error.is_empty());
}

#[tokio::test]
async fn a_fresh_connection_is_fresh_and_a_kept_one_is_kept() {
    for (connection, accepts) in [
        (model::Connection::Fresh, 5),
        (model::Connection::Reused, 1),
    ] {
        let server = Server::start(|n| Reply::Send(ok(&n.to_string()))).await;
        let asker = Asker::patient(&server);
        for n in 0..5 {
            let answer = asker.ask(connection).await;
            assert!(
                matches!(&answer, Answer::Http { body, .. } if *body == n.to_string()),
                "{answer:?}"
            );
        }
        assert_eq!(
            (server.accepts(), server.asked()),
            (accepts, 5),
            "{connection:?}"
        );
    }
}

/// The two do not share connections: one that a request with a fresh connection took
/// would not be a kept one.
#[tokio::test]
async fn fresh_and_kept_connections_do_not_mix() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let asker = Asker::patient(&server);
    for _ in 0..3 {
        for connection in [model::Connection::Reused, model::Connection::Fresh] {
            let answer = asker.ask(connection).await;
            assert!(answer.is_ok(), "{answer:?}");
        }
    }
    assert_eq!(server.accepts(), 1 + 3);
}

/// If a server closes a connection in order, the next request does not fail.
#[tokio::test]
async fn a_connection_that_the_server_closes_is_not_kept() {
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(|_| Reply::SendAndClose(closing.to_owned())).await;
    let asker = Asker::patient(&server);
    for _ in 0..3 {
        let answer = asker.ask(model::Connection::Reused).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
    assert_eq!(server.accepts(), 3);
}

/// Waits until every kept connection has noticed its end.
async fn until_the_kept_ones_end(asker: &Asker) {
    let pool = asker.client.pool(asker.node);
    let has_ended = || pool.idle().iter().all(|kept| !kept.is_open());
    soon(async {
        while !has_ended() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A connection that ends without notice while no request is made.
#[tokio::test]
async fn a_kept_connection_that_ends_while_it_is_idle_is_no_failure() {
    let server = Server::start(|_| Reply::SendAndClose(ok(""))).await;
    let asker = Asker::patient(&server);
    for accepts in 1..=3 {
        let asked = asker.asked(model::Connection::Reused).await;
        assert!(asked.is_good(), "{asked:?}");
        assert_eq!(server.accepts(), accepts);
        until_the_kept_ones_end(&asker).await;
    }
}

#[tokio::test]
async fn nothing_is_sent_over_a_connection_that_has_ended() {
    let server = Server::start(|_| Reply::SendAndClose(ok(""))).await;
    let asker = Asker::patient(&server);
    asker.asked(model::Connection::Reused).await;
    until_the_kept_ones_end(&asker).await;
    let mut ended = asker.client.pool(asker.node).idle().remove(0);
    let request = asker.client.request(&ended);
    assert!(matches!(
        soon(ended.send(request)).await,
        SendResult::Unsent
    ));
    assert_eq!(server.asked(), 1);
}

/// The app may have done what was requested, and users would not know.
#[tokio::test]
async fn a_kept_connection_that_breaks_off_after_the_request_came_is_a_failure() {
    for broken in [Reply::Reset, Reply::SendAndClose(String::new())] {
        let server = Server::start(move |n| match n {
            1 => broken.clone(),
            _ => Reply::Send(ok("")),
        })
        .await;
        let asker = Asker::patient(&server);
        let kept = model::Connection::Reused;
        assert!(asker.ask(kept).await.is_ok());
        let (why, error) = lost(asker.ask(kept).await);
        assert_eq!(why, Lost::Reset, "{error}");
        // The request was not silently sent again.
        assert_eq!((server.accepts(), server.asked()), (1, 2));
        assert!(asker.ask(kept).await.is_ok());
        assert_eq!((server.accepts(), server.asked()), (2, 3));
    }
}

#[tokio::test]
async fn a_person_says_what_is_asked_and_what_is_good() {
    let server = Server::start(|_| Reply::Send(with_status(404, "gone for good"))).await;
    let header = |name: &'static str, value| {
        let name = HeaderName::from_static(name);
        (name, HeaderValue::from_static(value))
    };
    let question = |pattern: &str| Question {
        method: hyper::Method::DELETE,
        headers: vec![
            header("x-a", "1"),
            header("x-a", "2"),
            header("host", "shop.example"),
            header("user-agent", "mine"),
        ],
        expected: Expected {
            status: "404".parse().unwrap(),
            body: Some(regex_lite::Regex::new(pattern).unwrap()),
        },
        ..Question::default()
    };
    let asked = Asker::with(&server, question("for g..d$"))
        .asked(model::Connection::Fresh)
        .await;
    assert!(asked.is_good(), "{asked:?}");
    let head = server.asked_times(1).await.remove(0).to_ascii_lowercase();
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines[0], "delete /api http/1.1");
    for line in ["x-a: 1", "x-a: 2", "host: shop.example", "user-agent: mine"] {
        assert!(lines.contains(&line), "{line}: {head}");
    }
    let asked = Asker::with(&server, question("welcome"))
        .asked(model::Connection::Reused)
        .await;
    assert_eq!(asked.unexpected, Some(Unexpected::Body));
}
