use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use super::*;
use crate::probe::testing::{PATIENCE, Reply, Server, ok, soon, with_status};

#[test]
fn a_detour_keeps_the_host_header() {
    let direct = Address::new("http://lb.example", "/api", None);
    assert_eq!(direct.url, "http://lb.example/api");
    assert_eq!(direct.host, None);
    let detour = Address::new("http://lb.example:81", "/api", Some("127.0.0.1:4566"));
    assert_eq!(detour.url, "http://127.0.0.1:4566/api");
    assert_eq!(detour.host.as_deref(), Some("lb.example:81"));
    assert_eq!(detour.shown(), "http://lb.example:81/api");
}

#[test]
fn a_password_in_an_address_is_used_and_not_shown() {
    for (url, shown) in [
        (
            "http://me:hunter22@a.example:81/b@c?d",
            "http://***@a.example:81/b@c?d",
        ),
        ("http://hunter@22@a.example", "http://***@a.example"),
        ("https://a.example?b=@c", "https://a.example?b=@c"),
    ] {
        let address = Address::url(url);
        assert_eq!(address.shown(), shown);
        assert_eq!(address.url, url);
    }
}

fn patient() -> Client {
    Client::for_tests(PATIENCE)
}

async fn ask(client: &Client, server: &Server, connection: Connection) -> Answer {
    soon(client.ask(&server.url("/api"), connection)).await
}

/// What came in place of an answer.
fn lost(answer: Answer) -> (Lost, String) {
    match answer {
        Answer::Nothing { why, error } => (why, error),
        answer @ Answer::Http { .. } => panic!("an answer: {answer:?}"),
    }
}

#[tokio::test]
async fn only_a_2xx_is_well() {
    let client = patient();
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
        let answer = ask(&client, &server, Connection::Fresh).await;
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
    let client = patient();
    for connection in [Connection::Fresh, Connection::Reused] {
        let answer = ask(&client, &server, connection).await;
        assert_eq!((answer.status(), answer.is_ok()), (Some(302), false));
    }
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn an_answer_gives_its_release_and_the_start_of_its_body() {
    let body = "x".repeat(KEPT_BODY + 5000);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nx-bgecs-release: 2\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::start(move |_| Reply::Send(answer.clone())).await;
    let expected = Answer::Http {
        status: 200,
        release: Some("2".to_owned()),
        body: "x".repeat(KEPT_BODY),
    };
    assert_eq!(ask(&patient(), &server, Connection::Fresh).await, expected);
}

#[tokio::test]
async fn the_request_names_the_host_and_the_colour() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let through = server.address().to_string();
    let address =
        Address::new("http://lb.example:81", "/health", Some(&through)).asking_for(Color::Blue);
    let answer = soon(patient().ask(&address, Connection::Fresh)).await;
    assert!(answer.is_ok(), "{answer:?}");
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
    let impatient = Client::for_tests(Duration::from_millis(200));
    let answer = soon(impatient.ask(&silent.url("/"), Connection::Fresh)).await;
    let expected = (Lost::TimedOut, "no answer within 200 ms".to_owned());
    assert_eq!(lost(answer), expected);

    // A port that is taken, and that nobody listens on.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = Address::url(&format!("http://{}/", taken.local_addr().unwrap()));
    let answer = soon(patient().ask(&nobody, Connection::Fresh)).await;
    let (why, error) = lost(answer);
    assert_eq!(why, Lost::Refused, "{error}");
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn an_answer_that_stops_half_way_runs_out_of_time_too() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let server = Server::start(move |_| Reply::Stall(half.clone(), String::new())).await;
    let impatient = Client::for_tests(Duration::from_millis(200));
    let answer = soon(impatient.ask(&server.url("/"), Connection::Fresh)).await;
    let expected = (Lost::TimedOut, "no answer within 200 ms".to_owned());
    assert_eq!(lost(answer), expected);
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_no_answer() {
    let client = patient();
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
        for connection in [Connection::Fresh, Connection::Reused] {
            let answer = ask(&client, &server, connection).await;
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
        // What is closed with a request unread is reset.
    });
    let nobody = Address::url(&format!("http://{address}/"));
    let (why, error) = lost(soon(patient().ask(&nobody, Connection::Fresh)).await);
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
            // What else comes is read, so that nothing is reset.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        });
        let secured = Address::url(&format!("https://{address}/"));
        let answer = soon(patient().ask(&secured, Connection::Fresh)).await;
        let (why, error) = lost(answer);
        assert_eq!(why, Lost::Tls, "{error}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    let server = Server::start(|_| Reply::SendAndClose("SSH-2.0-OpenSSH_9.9\r\n".to_owned())).await;
    let answer = ask(&patient(), &server, Connection::Fresh).await;
    let (why, error) = lost(answer);
    assert_eq!(why, Lost::Other, "{error}");
    assert!(!error.is_empty());
}

#[tokio::test]
async fn a_fresh_connection_is_fresh_and_a_kept_one_is_kept() {
    for (connection, accepts) in [(Connection::Fresh, 5), (Connection::Reused, 1)] {
        let server = Server::start(|n| Reply::Send(ok(&n.to_string()))).await;
        let client = patient();
        for n in 0..5 {
            let answer = soon(client.ask(&server.url("/"), connection)).await;
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

/// The two do not borrow from each other: a kept connection that a fresh
/// request took would be none.
#[tokio::test]
async fn fresh_and_kept_connections_do_not_mix() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let client = patient();
    for _ in 0..3 {
        for connection in [Connection::Reused, Connection::Fresh] {
            let answer = soon(client.ask(&server.url("/"), connection)).await;
            assert!(answer.is_ok(), "{answer:?}");
        }
    }
    assert_eq!(server.accepts(), 1 + 3);
}

/// A server that takes its leave is no failure of the next request.
#[tokio::test]
async fn a_connection_that_the_server_closes_is_not_kept() {
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(|_| Reply::SendAndClose(closing.to_owned())).await;
    let client = patient();
    for _ in 0..3 {
        let answer = soon(client.ask(&server.url("/"), Connection::Reused)).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
    assert_eq!(server.accepts(), 3);
}
