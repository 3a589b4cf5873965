//! The way to AWS: proxies and certificates.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Aws, Sts};
use crate::support::{Desk, Outcome};

/// A proxy that is AWS itself: it lets tunnels through to nobody else, and shows
/// a certificate that no system trusts.
struct Proxy {
    address: String,
    certificate: String,
    /// The first line of all that it was asked.
    asked: Arc<Mutex<Vec<String>>>,
}

const NO_STACK: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
    <Message>Stack with id bgecs-hello does not exist</Message></Error></ErrorResponse>";

impl Proxy {
    fn start(host: &str) -> Outcome<Self> {
        let made = rcgen::generate_simple_self_signed([host.to_owned()])?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        let tls = Arc::new(tls);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?.to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, kept) = (Arc::clone(&tls), Arc::clone(&kept));
                thread::spawn(move || drop(converse(stream, tls, &kept)));
            }
        });
        Ok(Self {
            address,
            certificate: made.cert.pem(),
            asked,
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .map(|asked| asked.clone())
            .unwrap_or_default()
    }
}

fn converse(stream: TcpStream, tls: Arc<ServerConfig>, asked: &Mutex<Vec<String>>) -> Outcome {
    let mut reader = BufReader::new(stream);
    let head = head(&mut reader)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    let is_tunnel = line.starts_with("CONNECT ");
    if let Ok(mut asked) = asked.lock() {
        asked.push(line);
    }
    if !is_tunnel {
        return answer(reader, &head);
    }
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let connection = ServerConnection::new(tls)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, reader.into_inner()));
    let head = self::head(&mut reader)?;
    answer(reader, &head)
}

fn head(reader: &mut impl BufRead) -> Outcome<String> {
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    Ok(head)
}

fn answer(mut reader: BufReader<impl Read + Write>, head: &str) -> Outcome {
    let length = crate::stub::header(head, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let text = format!(
        "HTTP/1.1 400 No\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{NO_STACK}",
        NO_STACK.len()
    );
    reader.get_mut().write_all(text.as_bytes())?;
    Ok(reader.get_mut().flush()?)
}

fn desk(endpoint: &str) -> Outcome<Desk> {
    let desk = Desk::empty()?
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", endpoint);
    desk.write("bgecs.toml", "app = \"hello\"\n")?;
    Ok(desk)
}

const THERE: &str = "there is no stack bgecs-hello";

#[test]
fn aws_is_reached_through_the_proxy_with_the_bundle_that_is_named() -> Outcome {
    let host = "aws.example.com";
    let proxy = Proxy::start(host)?;
    let tunnel = format!("CONNECT {host}:443 HTTP/1.1");
    for (proxied, trusted) in [
        ("HTTPS_PROXY", "AWS_CA_BUNDLE"),
        ("https_proxy", "SSL_CERT_FILE"),
        ("ALL_PROXY", "the profile"),
    ] {
        let mut desk =
            desk(&format!("https://{host}"))?.env(proxied, &format!("http://{}\n", proxy.address));
        let bundle = desk
            .write("bundle.pem", &proxy.certificate)?
            .display()
            .to_string();
        match trusted {
            "the profile" => {
                let text = format!("[default]\nca_bundle = {bundle}\n");
                desk.write("home/.aws/config", &text)?;
            }
            name => desk = desk.env(name, &bundle),
        }
        let ended = desk.bgecs(&["status"])?;
        assert!(
            ended.stderr.contains(THERE),
            "{proxied}, {trusted}: {}",
            ended.shown()
        );
        assert!(proxy.asked().contains(&tunnel), "{:?}", proxy.asked());
    }
    Ok(())
}

#[test]
fn a_certificate_that_is_not_trusted_leads_to_the_bundle() -> Outcome {
    let proxy = Proxy::start("aws.example.com")?;
    let desk = desk("https://aws.example.com")?.env("HTTPS_PROXY", &proxy.address);
    let ended = desk.bgecs(&["status"])?;
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(ended.stderr.contains("AWS_CA_BUNDLE"), "{}", ended.shown());
    Ok(())
}

#[test]
fn plain_requests_go_through_theirs_and_what_is_excepted_does_not() -> Outcome {
    let proxy = Proxy::start("aws.example.com")?;
    let http = format!("http://{}", proxy.address);
    let ended = desk("http://aws.example.com")?
        .env("http_proxy", &http)
        .bgecs(&["status"])?;
    assert!(ended.stderr.contains(THERE), "{}", ended.shown());
    let asked = proxy.asked();
    assert!(
        asked[0].starts_with("POST http://aws.example.com/"),
        "{asked:?}"
    );

    // A local AWS is on this machine, whatever leads out of it.
    let aws = Aws::start(Sts::Role)?;
    let ended = aws.desk()?.env("ALL_PROXY", &http).bgecs(&["status"])?;
    assert!(ended.stderr.contains(THERE), "{}", ended.shown());
    assert_eq!(proxy.asked(), asked);
    Ok(())
}

#[test]
fn a_local_aws_that_is_not_up_is_asked_after_at_once() -> Outcome {
    let since = Instant::now();
    let ended = desk("http://127.0.0.1:9")?.bgecs(&["status"])?;
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(
        ended.stderr.contains("nothing answers at 127.0.0.1:9"),
        "{}",
        ended.shown()
    );
    assert!(
        ended.stderr.contains("is the local AWS up?"),
        "{}",
        ended.shown()
    );
    Ok(())
}
