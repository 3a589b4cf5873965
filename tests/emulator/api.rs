//! Calls of the emulator's API that are not bgecs's: to look at what it really
//! left, and to do what somebody else might. HTTP/1.0 over a socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::support::Outcome;

const PATIENCE: Duration = Duration::from_secs(60);

/// One account's API.
#[derive(Debug, Clone)]
pub struct Api {
    /// `HOST:PORT`.
    pub address: String,
    /// The access key; emulators take 12 digits and `test` without a signature.
    pub key: String,
    pub region: String,
}

impl Api {
    /// A call of a service that speaks JSON, named as AWS names the target.
    pub fn json(&self, service: &str, target: &str, request: &Value) -> Outcome<Value> {
        let headers = format!(
            "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n{}",
            self.authorization(service)
        );
        let answer = self.send("POST /", &headers, &request.to_string())?;
        match answer {
            (200, body) if body.is_empty() => Ok(Value::Null),
            (200, body) => Ok(serde_json::from_str(&body)?),
            (status, body) => Err(format!("{target}: {status} {body}").into()),
        }
    }

    pub fn ecs(&self, operation: &str, request: &Value) -> Outcome<Value> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        self.json("ecs", &target, request)
    }

    /// A call of a service that speaks the query protocol; the answer is XML.
    pub fn query(
        &self,
        service: &str,
        version: &str,
        parameters: &[(&str, &str)],
    ) -> Outcome<String> {
        let headers = format!(
            "Content-Type: application/x-www-form-urlencoded\r\n{}",
            self.authorization(service)
        );
        let mut body = serde_urlencoded::to_string(parameters)?;
        body += &format!("&Version={version}");
        match self.send("POST /", &headers, &body)? {
            (200, body) => Ok(body),
            (status, answer) => Err(format!("{body}: {status} {answer}").into()),
        }
    }

    /// A call of a service that speaks REST with XML.
    pub fn rest(&self, service: &str, line: &str, body: &str) -> Outcome<String> {
        match self.send(line, &self.authorization(service), body)? {
            (200 | 201 | 204, body) => Ok(body),
            (status, answer) => Err(format!("{line} {body}: {status} {answer}").into()),
        }
    }

    /// Puts an object of whatever bytes.
    pub fn put(&self, path: &str, body: &[u8]) -> Outcome {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (address, length) = (&self.address, body.len());
        let authorization = self.authorization("s3");
        write!(
            stream,
            "PUT {path} HTTP/1.0\r\nHost: {address}\r\n{authorization}Content-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        match status_of(&answer)? {
            200 => Ok(()),
            status => Err(format!("PUT {path}: {status} {answer}").into()),
        }
    }

    /// The same with headers; gives the answer's head as well, which has the version of
    /// what it is about.
    pub fn rest_with_headers(
        &self,
        service: &str,
        line: &str,
        headers: &str,
        body: &str,
    ) -> Outcome<(String, String)> {
        let headers = headers.to_owned() + &self.authorization(service);
        let (head, body) = exchange_whole(&self.address, &self.address, line, &headers, body)?;
        match status_of(&head)? {
            200 | 201 => Ok((head, body)),
            status => Err(format!("{line}: {status} {body}").into()),
        }
    }

    pub fn elb(&self, parameters: &[(&str, &str)]) -> Outcome<String> {
        self.query("elasticloadbalancing", "2015-12-01", parameters)
    }

    pub fn iam(&self, parameters: &[(&str, &str)]) -> Outcome<String> {
        self.query("iam", "2010-05-08", parameters)
    }

    /// Points a listener somewhere, as a person in the console would.
    pub fn point(&self, listener: &str, target_group: &str) -> Outcome {
        self.elb(&[
            ("Action", "ModifyListener"),
            ("ListenerArn", listener),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", target_group),
        ])?;
        Ok(())
    }

    /// What somebody gets who asks a load balancer.
    pub fn visit(&self, url: &str, path: &str) -> Outcome<(u16, String)> {
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        exchange(&self.address, host, &format!("GET {path}"), "", "")
    }

    fn send(&self, line: &str, headers: &str, body: &str) -> Outcome<(u16, String)> {
        exchange(&self.address, &self.address, line, headers, body)
    }

    fn authorization(&self, service: &str) -> String {
        format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={}/20260101/{}/{service}/aws4_request, \
             SignedHeaders=host, Signature=none\r\n",
            self.key, self.region
        )
    }
}

/// One request and its answer.
pub fn exchange(
    address: &str,
    host: &str,
    line: &str,
    headers: &str,
    body: &str,
) -> Outcome<(u16, String)> {
    let (head, body) = exchange_whole(address, host, line, headers, body)?;
    Ok((status_of(&head)?, body))
}

fn status_of(head: &str) -> Outcome<u16> {
    let status = head.split_whitespace().nth(1).ok_or("no status")?;
    Ok(status.parse()?)
}

fn exchange_whole(
    address: &str,
    host: &str,
    line: &str,
    headers: &str,
    body: &str,
) -> Outcome<(String, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.0\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("that is not HTTP")?;
    Ok((head.to_owned(), body.to_owned()))
}

/// The texts of every element of that name.
pub fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(&open)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(&close)?.0))
        .collect()
}

/// The text of the first element of that name.
pub fn text<'a>(xml: &'a str, element: &str) -> Outcome<&'a str> {
    texts(xml, element)
        .first()
        .copied()
        .ok_or_else(|| format!("no {element} in {xml}").into())
}
