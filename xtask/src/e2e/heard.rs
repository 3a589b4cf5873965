//! Those who are told of releases: a queue that subscribes to the shop's topic, and a
//! server of somebody else's at the address of its webhook.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::site::until;
use crate::{Result, peers};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:shop-notices";
/// The environment variable that has the server's address.
const HOOK: &str = "SHOP_HOOK";
const SQS: (&str, &str) = ("sqs", "AmazonSQS");

pub struct Heard {
    api: Upstream,
    queue: String,
    /// What came to it so far.
    published: RefCell<Vec<Value>>,
    posted: PathBuf,
    pub address: String,
    _server: Child,
}

impl Heard {
    /// Everybody listens.
    pub async fn in_folder(api: Upstream, folder: &Path) -> Result<Self> {
        let queue = json!({ "QueueName": "shop-notices" });
        let queue = api.json(SQS, "CreateQueue", &queue).await?;
        let queue = queue["QueueUrl"].as_str().ok_or("no queue was made")?;
        let sns = ("sns", "2010-03-31");
        api.query(sns, "CreateTopic", &[("Name", "shop-notices")])
            .await?;
        let subscription = [
            ("TopicArn", TOPIC),
            ("Protocol", "sqs"),
            (
                "Endpoint",
                "arn:aws:sqs:us-east-1:000000000000:shop-notices",
            ),
        ];
        api.query(sns, "Subscribe", &subscription).await?;

        let posted = folder.join("posted.jsonl");
        fs::write(&posted, "")?;
        let mut server = Command::new(peers::python().await?);
        server.args(["-c", include_str!("hear.py")]).arg(&posted);
        let mut server = server.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let said = server.stdout.take().ok_or("the server has no output")?;
        let port = BufReader::new(said).lines().next_line().await?;
        let port = port.ok_or("the server says no port")?;
        Ok(Self {
            queue: queue.to_owned(),
            api,
            published: RefCell::default(),
            posted,
            address: format!("http://127.0.0.1:{port}/hook"),
            _server: server,
        })
    }

    /// What has a worker tell them, and the variable that it needs for it.
    pub fn settings(&self) -> (String, (&'static str, &str)) {
        let text = format!("[notify]\nsns = \"{TOPIC}\"\nwebhook = \"{HOOK}\"\n");
        (text, (HOOK, &self.address))
    }

    /// Waits until both were told of that.
    pub async fn expect(&self, is_it: impl Fn(&Value) -> bool, what: &str) -> Result<()> {
        let what = format!("the topic's subscriber and the webhook hear of {what}");
        until(&what, async || {
            self.receive().await?;
            let is_published = self.published.borrow().iter().any(&is_it);
            Ok(is_published && self.posted()?.iter().any(&is_it))
        })
        .await
    }

    async fn receive(&self) -> Result<()> {
        let asked = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": 10 });
        loop {
            let answer = self.api.json(SQS, "ReceiveMessage", &asked).await?;
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return Ok(());
            }
            for message in messages {
                let gone = json!({
                    "QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"],
                });
                self.api.json(SQS, "DeleteMessage", &gone).await?;
                let envelope = inner(&message["Body"])?;
                let notice = inner(&envelope["Message"])?;
                self.published.borrow_mut().push(notice);
            }
        }
    }

    fn posted(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.posted)?;
        // One that is just being written has no end yet.
        let whole = text.split_inclusive('\n').filter(|it| it.ends_with('\n'));
        whole.map(|it| Ok(serde_json::from_str(it)?)).collect()
    }
}

fn inner(text: &Value) -> Result<Value> {
    Ok(serde_json::from_str(text.as_str().ok_or("no text")?)?)
}
