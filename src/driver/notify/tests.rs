use std::sync::{Arc, Mutex};

use serde_json::json;
use time::macros::datetime;
use tokio::time::Instant;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::{NoticeOf, ReleaseNews};

const LONG: Duration = Duration::from_secs(60);
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:releases";

fn notice() -> ReleaseNotice {
    let of = NoticeOf {
        release: Some("shop".to_owned()),
        ..NoticeOf::default()
    };
    ReleaseNotice::new(datetime!(2026-01-01 00:00 UTC), of, ReleaseNews::Begin)
}

/// What was lost of one notice, and how long that took, with that much patience.
async fn told(wire: &Wire, patience: Duration) -> (Vec<String>, Duration) {
    let section = NotifySection {
        sns: Some(TOPIC.parse().unwrap()),
        webhook: None,
    };
    let lost = Arc::new(Mutex::new(Vec::new()));
    let kept = lost.clone();
    let notifier = Notifier::start(&wire.aws(), &section, move |why| {
        kept.lock().unwrap().push(why);
    });
    let notifier = notifier.unwrap();
    let since = Instant::now();
    notifier.tell(notice());
    notifier.end(patience).await;
    let lost = lost.lock().unwrap().clone();
    (lost, since.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_topic_gets_the_notice_and_a_line_in_its_own_region() {
    let wire = Wire::new().on("Publish", Reply::xml("Publish", ""));
    assert_eq!(told(&wire, LONG).await, (Vec::new(), Duration::ZERO));
    let request = wire.request();
    assert!(request.uri.contains("sns.eu-central-1."), "{}", request.uri);
    assert_eq!(request.field("TopicArn").as_deref(), Some(TOPIC));
    assert_eq!(
        request.field("Subject").as_deref(),
        Some("shop: the release begins")
    );
    let message: serde_json::Value =
        serde_json::from_str(&request.field("Message").unwrap()).unwrap();
    assert_eq!(message, json!(notice()));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_tried_again_and_then_said_to_be_lost() {
    let refused = || Reply::xml_error(404, "NotFound", "Topic does not exist");
    let wire = Wire::new()
        .on("Publish", refused())
        .on("Publish", Reply::xml("Publish", ""));
    let (lost, took) = told(&wire, LONG).await;
    assert_eq!((lost, took.as_secs()), (Vec::new(), 1));

    let wire = (0..4).fold(Wire::new(), |wire, _| wire.on("Publish", refused()));
    let (lost, took) = told(&wire, LONG).await;
    assert_eq!(took.as_secs(), 26);
    let [why] = &lost[..] else { panic!("{lost:?}") };
    assert!(why.contains("\"shop: the release begins\""), "{why}");
    assert!(why.contains("Topic does not exist"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_a_process_that_ends_does_not_wait_for_is_said_to_be_lost() {
    let refused = || Reply::xml_error(404, "NotFound", "Topic does not exist");
    let wire = Wire::new()
        .on("Publish", refused())
        .on("Publish", refused());
    let (lost, took) = told(&wire, Duration::from_secs(2)).await;
    assert_eq!((lost.len(), took.as_secs()), (1, 2), "{lost:?}");
    let wire = Wire::new().on("Publish", Reply::Never);
    let (lost, took) = told(&wire, Duration::from_secs(2)).await;
    assert!(lost[0].contains("no answer came in time"), "{lost:?}");
    assert_eq!(took, Duration::from_secs(2) + LAST);
}

#[test]
fn a_webhook_s_address_comes_from_the_environment_and_is_never_shown() {
    let found = webhook_in("HOOK", |_| {
        Some("https://hooks.slack.com/services/secret".to_owned())
    });
    let webhook = found.unwrap();
    assert_eq!(webhook.form, WebhookForm::Slack);
    assert!(!format!("{webhook:?}").contains("secret"));
    for value in [
        None,
        Some(String::new()),
        Some("hooks.slack.com/x".to_owned()),
    ] {
        let error = webhook_in("HOOK", |_| value.clone()).unwrap_err();
        assert!(
            error.message.contains("the variable HOOK"),
            "{}",
            error.message
        );
    }
}

#[test]
fn each_host_gets_the_form_that_it_takes() {
    let line = "shop: the release begins";
    for (host, form) in [
        ("hooks.slack.com", WebhookForm::Slack),
        ("acme.webhook.office.com", WebhookForm::Teams),
        ("prod-1.westeurope.logic.azure.com", WebhookForm::Teams),
        ("notslack.com", WebhookForm::Plain),
        ("ci.example.com", WebhookForm::Plain),
    ] {
        assert_eq!(WebhookForm::of(host), form, "{host}");
    }
    let text = |form: WebhookForm| form.body(&notice())["text"].clone();
    assert_eq!(text(WebhookForm::Slack), line);
    assert_eq!(text(WebhookForm::Plain), line);
    assert_eq!(
        WebhookForm::Plain.body(&notice())["schema"],
        "bgecs.notice.v1"
    );
    let card = WebhookForm::Teams.body(&notice());
    assert_eq!(card["attachments"][0]["content"]["body"][0]["text"], line);
}

#[test]
fn a_subject_is_short_and_plain() {
    assert_eq!(subject("läuft"), "l?uft");
    assert_eq!(subject(&"x".repeat(200)).len(), 100);
}
