//! Tells those who want to know how a release goes. A notice never delays a release or
//! makes it fail: it is retried, and if it is lost, that is told here.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::aws::Aws;
use crate::config::NotifySection;
use crate::error::{Error, Result};
use crate::hidden::Hidden;
use crate::model::{ReleaseNotice, TopicArn};

/// The pause before each retry.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(20),
];
/// How long the last attempt may take in a hurry.
const LAST: Duration = Duration::from_secs(5);

/// Where notices go.
#[derive(Debug, Clone)]
struct Recipients {
    aws: Aws,
    topic: Option<TopicArn>,
    webhook: Option<Webhook>,
}

#[derive(Debug, Clone)]
struct Webhook {
    address: Hidden,
    form: WebhookForm,
}

/// What a webhook expects, judging by its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WebhookForm {
    /// <https://api.slack.com/messaging/webhooks>
    Slack,
    /// <https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook>
    Teams,
    /// The notice itself, with the line as `text`.
    Plain,
}

/// Sends notices in order, beside everything else.
#[derive(Debug)]
pub struct Notifier {
    notices: UnboundedSender<ReleaseNotice>,
    /// Once true, nothing is retried.
    hurry: watch::Sender<bool>,
    sending: JoinHandle<()>,
}

impl Notifier {
    /// `lost` is called with a sentence for each notice that was not delivered.
    ///
    /// # Errors
    /// The variable that should hold the webhook's address is not set, or holds none
    /// (exit 2).
    pub fn start(
        aws: &Aws,
        section: &NotifySection,
        lost: impl Fn(String) + Send + 'static,
    ) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        let webhook = section.webhook.as_deref();
        let told = Recipients {
            aws: aws.clone(),
            topic: section.sns.clone(),
            webhook: webhook.map(|name| webhook_in(name, variable)).transpose()?,
        };
        let (notices, waiting) = unbounded_channel();
        let (hurry, hurried) = watch::channel(false);
        Ok(Self {
            notices,
            hurry,
            sending: tokio::spawn(send_all(told, (waiting, hurried), lost)),
        })
    }

    pub fn tell(&self, notice: ReleaseNotice) {
        // The sender task ends only with this.
        let _ = self.notices.send(notice);
    }

    /// Waits that long for notices that are still being sent; what is not sent by then is
    /// reported as lost.
    pub async fn end(mut self, patience: Duration) {
        drop(self.notices);
        if timeout(patience, &mut self.sending).await.is_err() {
            self.hurry.send_replace(true);
            let _ = self.sending.await;
        }
    }
}

fn webhook_in(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Webhook> {
    let address = variable(name).unwrap_or_default();
    let address = address.trim();
    let host = url::Url::parse(address).ok();
    let host = host.filter(|url| matches!(url.scheme(), "https" | "http"));
    let Some(host) = host.as_ref().and_then(url::Url::host_str) else {
        return Err(Error::usage(format!(
            "[notify] webhook names the variable {name}, which holds no address"
        ))
        .hint("put the webhook's https:// address into it, or remove the key"));
    };
    Ok(Webhook {
        form: WebhookForm::of(host),
        address: Hidden::new(address),
    })
}

async fn send_all(
    told: Recipients,
    (mut waiting, hurried): (UnboundedReceiver<ReleaseNotice>, watch::Receiver<bool>),
    lost: impl Fn(String) + Send,
) {
    let topic = told.topic.as_ref().map(NoticeWay::Topic);
    let webhook = told.webhook.as_ref().map(NoticeWay::Webhook);
    let ways: Vec<NoticeWay<'_>> = topic.into_iter().chain(webhook).collect();
    while let Some(notice) = waiting.recv().await {
        let line = notice.line();
        let sending = ways
            .iter()
            .map(|way| way.tried(&told.aws, &notice, hurried.clone()));
        for why in join_all(sending).await.into_iter().flatten() {
            lost(format!("the notice \"{line}\" was not delivered by {why}"));
        }
    }
}

/// One of the ways in which notices are sent.
#[derive(Debug, Clone, Copy)]
enum NoticeWay<'a> {
    Topic(&'a TopicArn),
    Webhook(&'a Webhook),
}

impl NoticeWay<'_> {
    /// The recipient that did not get it, and why, if it failed.
    async fn tried(
        self,
        aws: &Aws,
        notice: &ReleaseNotice,
        mut hurried: watch::Receiver<bool>,
    ) -> Option<String> {
        let mut pauses = PAUSES.iter();
        loop {
            let mut hurry = hurried.clone();
            let late = async {
                // The sender is kept until this has ended.
                let _ = hurry.wait_for(|now| *now).await;
                sleep(LAST).await;
            };
            let why = tokio::select! {
                sent = self.send(aws, notice) => sent.err()?,
                () = late => "no answer came in time".to_owned(),
            };
            let Some(pause) = pauses.next() else {
                return Some(why);
            };
            tokio::select! {
                () = sleep(*pause) => {}
                _ = hurried.wait_for(|now| *now) => return Some(why),
            }
        }
    }

    async fn send(self, aws: &Aws, notice: &ReleaseNotice) -> Result<(), String> {
        match self {
            Self::Topic(topic) => {
                let message = serde_json::to_string(notice).unwrap_or_default();
                let subject = subject(&notice.line());
                let sent = aws.publish(topic.as_str(), (&subject, &message)).await;
                sent.map_err(|error| format!("{topic}: {error}"))
            }
            Self::Webhook(webhook) => {
                let body = webhook.form.body(notice).to_string();
                let sent = aws.post(webhook.address.reveal(), body).await;
                // The address is a secret, so it is not shown.
                sent.map_err(|why| format!("the webhook: {why}"))
            }
        }
    }
}

/// SNS allows a hundred ASCII characters
/// (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>).
fn subject(line: &str) -> String {
    let plain = |c: char| match c {
        ' '..='~' => c,
        _ => '?',
    };
    line.chars().map(plain).take(100).collect()
}

impl WebhookForm {
    fn of(host: &str) -> Self {
        let is_under = |domains: &[&str]| {
            let mut all = domains.iter();
            all.any(|domain| host.ends_with(&format!(".{domain}")))
        };
        if is_under(&["slack.com", "slack-gov.com"]) {
            Self::Slack
        } else if is_under(&["office.com", "logic.azure.com", "api.powerplatform.com"]) {
            Self::Teams
        } else {
            Self::Plain
        }
    }

    fn body(self, notice: &ReleaseNotice) -> serde_json::Value {
        let line = notice.line();
        match self {
            Self::Slack => serde_json::json!({ "text": line }),
            Self::Teams => serde_json::json!({
                "type": "message",
                "attachments": [{
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "content": {
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "type": "AdaptiveCard",
                        "version": "1.4",
                        "body": [{ "type": "TextBlock", "text": line, "wrap": true }],
                    },
                }],
            }),
            Self::Plain => {
                let mut body = serde_json::json!(notice);
                body["text"] = line.into();
                body
            }
        }
    }
}

#[cfg(test)]
mod tests;
