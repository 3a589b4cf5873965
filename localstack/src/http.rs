//! The few plain requests the harness itself sends: is the emulator up, which
//! services does it run. HTTP/1.0 over a socket, one request a connection, since
//! they are few and the emulator may be just starting or ending: nothing is
//! pooled. Not for anything that measures or tests; what the gate sends goes
//! through [`crate::gate::upstream`].

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// `HOST:PORT` of `http://HOST:PORT`, the one form of an endpoint.
pub(crate) fn authority(endpoint: &str) -> Result<&str> {
    endpoint
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .filter(|authority| {
            authority.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
            })
        })
        .ok_or_else(|| Error::Endpoint {
            endpoint: endpoint.to_owned(),
        })
}

pub(crate) async fn get(endpoint: &str, path: &str) -> Result<Answer> {
    exchange(endpoint, path, &format!("GET {path} HTTP/1.0\r\n"), "").await
}

/// Posts JSON, with headers given as whole lines without their ends.
pub(crate) async fn post(
    endpoint: &str,
    path: &str,
    headers: &[String],
    body: &str,
) -> Result<Answer> {
    let length = body.len();
    let mut head = format!("POST {path} HTTP/1.0\r\nContent-Length: {length}\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    exchange(endpoint, path, &head, body).await
}

async fn exchange(endpoint: &str, path: &str, head: &str, body: &str) -> Result<Answer> {
    let authority = authority(endpoint)?;
    let request = format!("{head}Host: {authority}\r\nConnection: close\r\n\r\n{body}");
    let failed = |reason: String| Error::Http {
        url: format!("http://{authority}{path}"),
        reason,
    };
    let answer = tokio::time::timeout(PATIENCE, send(authority, &request))
        .await
        .map_err(|_| failed(format!("nothing within {PATIENCE:?}")))?
        .map_err(|error| failed(error.to_string()))?;
    parse(&answer).ok_or_else(|| failed("that is not HTTP".to_owned()))
}

async fn send(authority: &str, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_http_host_and_port() {
        assert_eq!(
            authority("http://127.0.0.1:4566/").ok(),
            Some("127.0.0.1:4566")
        );
        assert_eq!(authority("http://localhost:1").ok(), Some("localhost:1"));
        for bad in [
            "",
            "localhost:4566",
            "https://a:1",
            "http://a",
            "http://a/b:1",
            "http://:1",
        ] {
            assert!(authority(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn status_and_body_are_read() {
        let answer = parse(b"HTTP/1.1 400 Bad\r\nX: y\r\n\r\n{}").expect("an answer");
        assert_eq!((answer.status, answer.body.as_str()), (400, "{}"));
        assert!(parse(b"garbage").is_none());
    }
}
