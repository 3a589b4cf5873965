//! Releases of the shop that are dropped into a bucket, also by the AWS CLI: what a worker
//! makes of them, and of one that comes while another is released, and of a worker that
//! dies; and who hears of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use localstack::gate::record::{Call, Mark};
use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::heard::Heard;
use super::shop::Shop;
use super::site::{until, until_within};
use crate::json::{at, expect};
use crate::others::{make_bucket, make_queue, tell_of_uploads};
use crate::{Result, peers};

const BUCKET: &str = "shop-releases";
/// A dead worker's message comes back within half a minute.
pub const RELEASED: Duration = Duration::from_secs(150);

/// A bucket, and a queue that is told of its uploads.
pub struct Depot<'s> {
    shop: &'s Shop<'s>,
    api: Upstream,
    queue: String,
    set: String,
    pub heard: Heard,
}

impl<'s> Depot<'s> {
    pub async fn beside(shop: &'s Shop<'s>) -> Result<Self> {
        let authority = shop.stage.endpoint.trim_start_matches("http://");
        let api = Upstream::new(authority, "test");
        make_bucket(&api, BUCKET).await?;
        let queue = make_queue(&api, "shop-uploads").await?;
        tell_of_uploads(&api, "shop-uploads", ("", "shop")).await?;
        let heard = Heard::in_folder(api.clone(), &shop.folder).await?;
        let (notify, _) = heard.settings();
        let set = shop.whole("v1")?;
        let text = fs::read_to_string(&set)?;
        let serve = format!(
            "{notify}[serve]\nqueue = \"{queue}\"\nbucket = \"{BUCKET}\"\nevery = \"3s\"\nwindow = \"3s\"\n"
        );
        let set = shop.folder.join("served.toml");
        fs::write(&set, text + &serve)?;
        Ok(Self {
            shop,
            api,
            queue,
            set: set.display().to_string(),
            heard,
        })
    }

    pub fn folder(&self) -> &Path {
        &self.shop.folder
    }

    /// The AWS CLI, as anybody has it who has no bgecs.
    pub async fn aws(&self, words: &[&str]) -> Result<()> {
        self.python(&[&["-m", "awscli"], words].concat()).await
    }

    pub async fn python(&self, words: &[&str]) -> Result<()> {
        let mut python = Command::new(peers::python().await?);
        let env = self.shop.stage.bgecs.env().iter().cloned();
        let done = python.args(words).envs(env).output().await?;
        match done.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&done.stderr).into_owned().into()),
        }
    }

    /// As the AWS CLI names its bucket.
    pub fn bucket() -> String {
        format!("s3://{BUCKET}/")
    }

    /// A bundle with the sources of all modules.
    async fn bundle(&self, tag: &str) -> Result<PathBuf> {
        let folder = self.shop.folder.join("bundle");
        fs::create_dir_all(&folder)?;
        let contexts = "[contexts]\nbackend = \"v2\"\nfrontend = \"v2\"\nsearch = \"v2\"\n";
        let release = format!("set = \"shop\"\ntag = \"{tag}\"\n{contexts}");
        fs::write(folder.join("release.toml"), release)?;
        let bundle = self.shop.folder.join(format!("shop-{tag}.tar.gz"));
        let mut pack = Command::new("tar");
        pack.arg("czf").arg(&bundle);
        pack.arg("-C").arg(&folder).arg("release.toml");
        pack.arg("-C")
            .arg(crate::bgecs::root().join("sample-app"))
            .arg("v2");
        match pack.status().await?.success() {
            true => Ok(bundle),
            false => Err("tar could not make the bundle".into()),
        }
    }

    async fn submit(&self, tag: &str) -> Result<()> {
        let bundle = self.bundle(tag).await?.display().to_string();
        let line = ["submit", &bundle, "--file", &self.set, "--no-wait"];
        self.shop
            .stage
            .bgecs
            .run(&line)
            .await?
            .expect_code(0)
            .map(drop)
    }

    fn worker(&self, more: &[&str]) -> Result<Child> {
        let line = [&["serve", &self.set, "-q"], more].concat();
        let (_, (name, address)) = self.heard.settings();
        let mut worker = Command::from(self.shop.stage.bgecs.command(&line));
        Ok(worker
            .env(name, address)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()?)
    }

    /// A worker takes all that is there.
    pub async fn empty(&self) -> Result<()> {
        match self.worker(&["--until-empty"])?.wait().await?.success() {
            true => Ok(()),
            false => Err("the worker did not take all uploads".into()),
        }
    }

    /// What became of each upload: it is beside the journal of the set's first module, by
    /// its name.
    pub async fn uploads(&self) -> Result<Vec<Value>> {
        let backend = self.shop.config("backend");
        let line = ["history", "-n", "100", "--json", "-q", "--config", &backend];
        let history = self.shop.stage.bgecs.run_quietly(&line).await?;
        let history = history.expect_code(0)?.json()?;
        let uploads = at(&history, &["uploads"]).as_array().cloned();
        Ok(uploads.unwrap_or_default())
    }

    /// What was asked of AWS so far.
    pub fn mark(&self) -> Result<Mark> {
        let gate = self.shop.stage.gate.ok_or("there is no gate")?;
        Ok(gate.calls().mark())
    }

    pub fn expect_nothing_changed_since(&self, mark: Mark) -> Result<()> {
        const CHANGES: [(&str, &str); 4] = [
            ("ecs", "CreateService"),
            ("ecs", "UpdateService"),
            ("ecs", "RegisterTaskDefinition"),
            ("elasticloadbalancing", "ModifyListener"),
        ];
        let gate = self.shop.stage.gate.ok_or("there is no gate")?;
        let calls = gate.calls().since(mark);
        let is_change = |it: &&Call| CHANGES.iter().any(|(service, name)| it.is(service, name));
        match calls.iter().find(is_change) {
            None => Ok(()),
            Some(call) => Err(format!("something was changed: {call:?}").into()),
        }
    }

    async fn until_complete(&self, tag: &str) -> Result<()> {
        let key = format!("shop-{tag}.tar.gz");
        let what = format!("{key} is complete");
        until_within(RELEASED, &what, async || {
            let uploads = self.uploads().await?;
            let is_it = |it: &Value| it["key"] == key && it["end"]["outcome"] == "complete";
            Ok(uploads.iter().any(is_it))
        })
        .await?;
        for event in ["begin", "stage", "end"] {
            let is_it = |it: &Value| it["event"] == event && it["upload"]["key"] == key;
            self.heard
                .expect(is_it, &format!("{event} of {key}"))
                .await?;
        }
        Ok(())
    }

    /// By who has no bgecs.
    async fn upload(&self, tag: &str) -> Result<()> {
        let bundle = self.bundle(tag).await?.display().to_string();
        let line = ["s3", "cp", "--only-show-errors", &bundle, &Self::bucket()];
        self.aws(&line).await
    }

    /// Two uploads, and a worker that dies at the first.
    pub async fn what_is_uploaded_goes_live_in_its_order(&self) -> Result<String> {
        let told = self.shop.watched(async {
            self.upload("5").await?;
            let mut first = self.worker(&[])?;
            until("the first worker releases it", async || {
                Ok(!self.uploads().await?.is_empty())
            })
            .await?;
            self.submit("6").await?;
            first.kill().await?;
            let mut second = self.worker(&[])?;
            self.until_complete("5").await?;
            self.until_complete("6").await?;
            second.kill().await?;
            self.shop.expect_live("6").await
        });
        let ((), seen) = told.await?;
        let requests = super::shop::unharmed(&seen, |_| true)?;
        let asked =
            json!({ "QueueUrl": self.queue, "AttributeNames": ["ApproximateNumberOfMessages"] });
        let left = self
            .api
            .json(("sqs", "AmazonSQS"), "GetQueueAttributes", &asked)
            .await?;
        expect(&left, &["Attributes", "ApproximateNumberOfMessages"], "0")?;
        Ok(format!(
            "what is uploaded goes live in its order, though the first worker is killed, and those who want to know are told: \
             {requests} requests, none failed"
        ))
    }
}
