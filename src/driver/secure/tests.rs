use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::config::Config;
use crate::error::Exit;
use crate::probe::testing::{Reply as Page, Server, with_status};

const ARN: &str = "arn:aws:acm:eu-west-1:123456789012:certificate/";

async fn looked_at(wire: &Wire, certificates: &str) -> Result<()> {
    let text = format!(
        "app = 'hello'\n[production]\nurl = 'https://shop.example.com'\n[tls]\ncertificate = {certificates}"
    );
    let mut session = Session::of_hello(wire.aws());
    session.config = Config::parse(&text, "/srv/hello/bgecs.toml".as_ref()).unwrap();
    refuse_unfit_certificates(&session).await
}

fn issued(name: &str) -> Reply {
    Reply::json(&json!({ "Certificate": {
        "Status": "ISSUED", "DomainName": name, "SubjectAlternativeNames": [name],
    }}))
}

#[tokio::test]
async fn each_certificate_is_looked_at_and_one_is_for_the_name() {
    let wire = Wire::new()
        .on("DescribeCertificate", issued("other.test"))
        .on("DescribeCertificate", issued("*.example.com"));
    let both = format!("['{ARN}a', '{ARN}b']");
    looked_at(&wire, &both).await.unwrap();
    wire.assert_used_up();

    let wire = Wire::new().on("DescribeCertificate", issued("example.com"));
    let refused = looked_at(&wire, &format!("'{ARN}a'")).await.unwrap_err();
    assert_eq!(refused.exit, Exit::Refused);
    assert!(
        refused.message.contains("covers shop.example.com"),
        "{refused}"
    );

    // Nothing is asked about a certificate that cannot be used.
    let elsewhere = "'arn:aws:acm:us-east-1:123456789012:certificate/a'";
    let refused = looked_at(&Wire::new(), elsewhere).await.unwrap_err();
    assert_eq!(refused.exit, Exit::Refused);
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_said_with_where_to_look() {
    let gone = Reply::json_error(400, "ResourceNotFoundException", "Could not find it");
    let wire = Wire::new().on("DescribeCertificate", gone);
    let refused = looked_at(&wire, &format!("'{ARN}a'")).await.unwrap_err();
    assert_eq!(refused.message, format!("ACM has no certificate {ARN}a"));
    let hint = refused.hint.unwrap();
    assert!(
        hint.contains("list-certificates --region eu-west-1"),
        "{hint}"
    );
}

#[tokio::test]
async fn an_app_without_tls_is_asked_for_no_certificate() {
    let session = Session::of_hello(Wire::new().aws());
    refuse_unfit_certificates(&session).await.unwrap();
}

#[test]
fn only_what_tls_has_against_a_certificate_is_a_complaint_of_it() {
    let lost = |why| Exchange {
        answer: std::sync::Arc::new(Answer::Nothing {
            why,
            error: "the certificate ended on 2026-01-01: renew it".to_owned(),
        }),
        unexpected: None,
    };
    assert!(tls_complaint(&lost(Lost::Tls)).is_some());
    assert_eq!(tls_complaint(&lost(Lost::TimedOut)), None);
}

#[tokio::test]
async fn it_answers_once_it_does_so_time_after_time() {
    let asked = std::sync::Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let server = Server::start(move |_| {
        // As when a listener reaches one node after another.
        let status = match count.fetch_add(1, Ordering::Relaxed) {
            1 | 3 => 200,
            n if n < 5 => 503,
            _ => 200,
        };
        Page::Send(with_status(status, "hello"))
    })
    .await;
    let session = Session::of_hello(Wire::new().aws());
    let asking = Asking::new(of_file(&session.config.probe), Vec::new());
    let address = Address::parse(&format!("http://{}", server.address())).unwrap();
    await_answers(&address, &asking).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 8);
}
