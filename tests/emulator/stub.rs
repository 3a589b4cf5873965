//! An AWS that gives one answer to everything: for what no emulator does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::support::Outcome;

/// From the `X-Amz-Target` header, which the query protocol has not, and the
/// body, to status and body.
type Answer = dyn Fn(Option<&str>, &str) -> (u16, String) + Send + Sync;

/// Answers until the process ends; gives the endpoint.
pub fn serve(
    answer: impl Fn(Option<&str>, &str) -> (u16, String) + Send + Sync + 'static,
) -> Outcome<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let answer: Arc<Answer> = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // Who goes away before the answer does not want it.
            thread::spawn(move || drop(converse(stream, &*answer)));
        }
    });
    Ok(endpoint)
}

fn converse(stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut target) = (0, None);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "x-amz-target" => target = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, text) = answer(target.as_deref(), &String::from_utf8_lossy(&body));
    let kind = if target.is_some() {
        "application/x-amz-json-1.1"
    } else {
        "text/xml"
    };
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} Stub\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// As AWS refuses: in JSON or in XML, whichever was asked.
pub fn refusal(target: Option<&str>, code: &str, message: &str) -> (u16, String) {
    match target {
        Some(_) => (
            400,
            format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}"),
        ),
        None => (
            403,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
            ),
        ),
    }
}
