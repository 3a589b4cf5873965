//! Apps that are served by their own name, with a certificate of ACM's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use localstack::gate::faults::Fault;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

use crate::api::exchange;
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V1, V2, World, error, greeter, string};

const NAME: &str = "shop.test";
const URL: &str = "https://shop.test";
const BETWEEN_REQUESTS: Duration = Duration::from_millis(20);

impl World {
    /// A certificate for that name, and the authority of the local AWS in `ca.pem`.
    fn certificate(&self, name: &str) -> Outcome<String> {
        let elb = self.gate.load_balancing().ok_or("it balances no load")?;
        self.desk.write("ca.pem", &elb.authority()?)?;
        let asked = json!({ "DomainName": name, "ValidationMethod": "DNS" });
        let target = "CertificateManager.RequestCertificate";
        string(&self.api.json("acm", target, &asked)?, "/CertificateArn")
    }

    fn configure_tls(&self, certificate: &str) -> Outcome {
        self.configure_more(&format!(
            "[production]\nurl = \"{URL}\"\n\n[tls]\ncertificate = \"{certificate}\"\n"
        ))
    }

    /// What production and the test route answer who trusts the authority.
    fn expect_secure_answers(&self, prod: &str, test: &str) -> Outcome {
        let client = self.secure_client()?;
        for (host, expected) in [(NAME.to_owned(), prod), (format!("{NAME}:8443"), test)] {
            let (status, body) = client.get(&host, "/api")?;
            assert!(status == 200 && body.contains(expected), "{host}: {body}");
        }
        Ok(())
    }

    fn secure_client(&self) -> Outcome<SecureClient> {
        let pem = std::fs::read(self.desk.path().join("ca.pem"))?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(SecureClient {
            config: Arc::new(config),
            through: self.api.address.clone(),
        })
    }
}

#[derive(Clone)]
struct SecureClient {
    config: Arc<ClientConfig>,
    through: String,
}

impl SecureClient {
    /// As a browser asks for the name, with or without a port.
    fn get(&self, host: &str, path: &str) -> Outcome<(u16, String)> {
        let name = host.split(':').next().unwrap_or(host).to_owned();
        let connection = ClientConnection::new(self.config.clone(), ServerName::try_from(name)?)?;
        let mut stream = StreamOwned::new(connection, TcpStream::connect(&self.through)?);
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
        let mut answer = Vec::new();
        // Whoever serves it may end without a word of TLS.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split_whitespace().nth(1).ok_or("no answer")?;
        Ok((status.parse()?, answer.to_string()))
    }
}

/// A user of port 80 who goes where it sends them, over and over.
struct Visitor {
    is_over: Arc<AtomicBool>,
    visits: JoinHandle<Visits>,
}

#[derive(Debug, Default)]
struct Visits {
    plain: u32,
    redirected: u32,
    failed: Vec<String>,
}

impl Visitor {
    fn at(door: String, secure: SecureClient) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let visits = std::thread::spawn(move || {
            let mut visits = Visits::default();
            // A gate learns of a listener's change a moment after the stack did.
            let mut more = 100;
            while !told.load(Ordering::Relaxed) || (visits.redirected == 0 && more > 0) {
                more -= i32::from(told.load(Ordering::Relaxed));
                visits.make(&door, &secure);
                std::thread::sleep(BETWEEN_REQUESTS);
            }
            visits
        });
        Self { is_over, visits }
    }

    fn leaves(self) -> Outcome<Visits> {
        self.is_over.store(true, Ordering::Relaxed);
        self.visits.join().map_err(|_| "the visitor is lost".into())
    }
}

impl Visits {
    fn make(&mut self, door: &str, secure: &SecureClient) {
        match exchange(door, NAME, "GET /api", "", "") {
            Ok((200, body)) if body.contains(ENGLISH) => self.plain += 1,
            Ok((301, _)) => match secure.get(NAME, "/api") {
                Ok((200, body)) if body.contains(ENGLISH) => self.redirected += 1,
                other => self.failed.push(format!("redirected: {other:?}")),
            },
            other => self.failed.push(format!("{other:?}")),
        }
    }
}

#[test]
fn an_app_of_its_own_name_goes_through_its_life_by_https() -> Outcome {
    greeter()?;
    let world = World::new("secure")?;
    let wrong = world.certificate("other.test")?;
    world.configure_tls(&wrong)?;
    let refused = world.ends(6, &["init"])?;
    let said = format!("no certificate of [tls] covers {NAME}: {wrong} is for other.test");
    assert!(refused.stderr.contains(&said), "{}", refused.shown());
    // Nothing was made.
    world.ends(1, &["status"])?;

    let arn = world.certificate(NAME)?;
    world.configure("")?;
    world.configure_tls(&arn)?;
    let made = world.done_json(&["init"])?;
    assert_eq!(made["urls"]["prod"], URL);
    assert_eq!(made["urls"]["test"], format!("{URL}:8443"));
    assert!(string(&made, "/load_balancer")?.starts_with("bgecs-secure"));
    assert_eq!(world.done_json(&["init"])?["outcome"], "unchanged");

    world.done(&["deploy", V1, "--tag", "1", "--ca-file", "ca.pem"])?;
    world.done(&["deploy", V2, "--tag", "2", "--ca-file", "ca.pem"])?;
    world.expect_secure_answers(ENGLISH, FRENCH)?;
    let promoted = world.done_json(&["promote", "--ca-file", "ca.pem"])?;
    assert_eq!(promoted["outcome"], "committed");
    assert_eq!(promoted["probe"]["failed"], 0);
    assert!(
        promoted["probe"]["sent"].as_u64() >= Some(40),
        "{promoted:#}"
    );
    world.expect_secure_answers(FRENCH, ENGLISH)?;

    // Who comes by plain HTTP is sent on.
    let (status, _) = world.api.visit(&format!("http://{NAME}"), "/api")?;
    assert_eq!(status, 301);
    let shown = world.done(&["status", "--ca-file", "ca.pem"])?;
    let says = |text: &str| assert!(shown.stdout.contains(text), "{}", shown.shown());
    says(&format!("  {URL} (here `curl --cacert "));
    says(&format!(" {URL}:8443/`)  -> "));
    // Users whom it sent there would find nobody.
    world.configure("")?;
    let refused = error(&world.ends(6, &["init"])?);
    assert!(
        refused.contains("nothing would answer on port 443"),
        "{refused}"
    );

    world.configure_tls(&arn)?;
    world.done(&["destroy", "--yes"])?;
    world.expect_nothing()
}

#[test]
fn a_live_app_goes_over_to_https_and_port_80_answers_throughout() -> Outcome {
    let world = World::with_v1_live("over")?;
    let arn = world.certificate(NAME)?;
    let status = world.status()?;
    let door = string(&status, "/here/prod")?;
    let door = door.trim_start_matches("http://").trim_end_matches('/');
    let door = match door.contains(':') {
        true => door.to_owned(),
        false => format!("{door}:80"),
    };
    let visitor = Visitor::at(door, world.secure_client()?);
    world.configure_tls(&arn)?;

    let planned = world.done(&["init", "--dry-run"])?;
    let last = format!("2. once {URL} answers, have port 80 redirect to it");
    assert!(planned.stdout.contains(&last), "{}", planned.shown());
    // One tells the stack who is live, one makes the listeners: it is killed ahead
    // of the last.
    let last = Fault::on("cloudformation", "UpdateStack").nth(3);
    let init = ["init", "--ca-file", "ca.pem"];
    world.killed_in(last.hold_before(), &init)?;
    let between = world.done(&["status"])?;
    assert!(
        between.stdout.contains("  port 80  "),
        "{}",
        between.shown()
    );
    assert!(
        between.stdout.contains("differs from the stack"),
        "{}",
        between.shown()
    );

    let done = world.done_json(&init)?;
    assert_eq!(
        (&done["outcome"], &done["urls"]["prod"]),
        (&json!("updated"), &json!(URL))
    );
    assert_eq!(world.status()?["live"], "green");
    let visits = visitor.leaves()?;
    assert!(visits.failed.is_empty(), "{visits:#?}");
    assert!(visits.plain > 10 && visits.redirected > 0, "{visits:#?}");

    // It goes on like one that always was.
    world.done(&["deploy", V2, "--tag", "2", "--ca-file", "ca.pem"])?;
    world.done(&["promote", "--ca-file", "ca.pem"])?;
    world.expect_secure_answers(FRENCH, ENGLISH)?;
    world.done(&["destroy", "--yes"])?;
    world.expect_nothing()
}
