//! An AWS that gives one answer to everything: for what no emulator does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::support::Outcome;

/// From the `X-Amz-Target` header, which the query protocol has not, and the
/// body, to status and body.
type Answer = (u16, String);

/// From a request's head and body to status, header lines and body.
type Whole = dyn Fn(&str, &str) -> (u16, String, String) + Send + Sync;

/// Answers as AWS until the process ends; gives the endpoint.
pub fn serve(
    answer: impl Fn(Option<&str>, &str) -> Answer + Send + Sync + 'static,
) -> Outcome<String> {
    serve_whole(move |head, body| {
        let target = header(head, "x-amz-target");
        let (status, text) = answer(target, body);
        let kind = match target {
            Some(_) => "application/x-amz-json-1.1",
            None => "text/xml",
        };
        (status, format!("Content-Type: {kind}\r\n"), text)
    })
}

/// The same for who wants all of the request.
pub fn serve_whole(
    answer: impl Fn(&str, &str) -> (u16, String, String) + Send + Sync + 'static,
) -> Outcome<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let answer: Arc<Whole> = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // Who goes away before the answer does not want it.
            thread::spawn(move || drop(converse(stream, &*answer)));
        }
    });
    Ok(endpoint)
}

fn converse(stream: TcpStream, answer: &Whole) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let length = header(&head, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (status, headers, text) = answer(&head, &String::from_utf8_lossy(&body));
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} Stub\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// A header of a request, by its name in lower case.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.to_ascii_lowercase() == name).then(|| value.trim())
    })
}

/// As AWS refuses: in JSON or in XML, whichever was asked.
pub fn refusal(target: Option<&str>, code: &str, message: &str) -> Answer {
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
