//! Releases of the shop that are dropped into a bucket: what a worker makes of them, and
//! of one that comes while another is released, and of a worker that dies.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::shop::Shop;
use super::site::{until, until_within};
use crate::Result;
use crate::json::{at, expect};
use crate::others::{make_bucket, make_queue, tell_of_uploads};

const BUCKET: &str = "shop-releases";
/// A dead worker's message comes back within half a minute.
const RELEASED: Duration = Duration::from_secs(150);

/// A bucket, and a queue that is told of its uploads.
pub struct Depot<'s> {
    shop: &'s Shop<'s>,
    api: Upstream,
    queue: String,
    set: String,
}

impl<'s> Depot<'s> {
    pub async fn beside(shop: &'s Shop<'s>) -> Result<Self> {
        let authority = shop.stage.endpoint.trim_start_matches("http://");
        let api = Upstream::new(authority, "test");
        make_bucket(&api, BUCKET).await?;
        let queue = make_queue(&api, "shop-uploads").await?;
        tell_of_uploads(&api, "shop-uploads", ("", "shop")).await?;
        let set = shop.whole("v1")?;
        let text = fs::read_to_string(&set)?;
        let serve = format!(
            "[serve]\nqueue = \"{queue}\"\nbucket = \"{BUCKET}\"\nevery = \"3s\"\nwindow = \"3s\"\n"
        );
        let set = shop.folder.join("served.toml");
        fs::write(&set, text + &serve)?;
        Ok(Self {
            shop,
            api,
            queue,
            set: set.display().to_string(),
        })
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

    fn worker(&self) -> Result<Child> {
        let mut worker = Command::from(self.shop.stage.bgecs.command(&["serve", &self.set, "-q"]));
        Ok(worker
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()?)
    }

    async fn outcomes(&self) -> Result<Vec<(String, Value)>> {
        let line = ["release", "status", &self.set, "--json", "-q"];
        let status = self.shop.stage.bgecs.run_quietly(&line).await?;
        let status = status.expect_code(0)?.json()?;
        let uploads = at(&status, &["uploads"]).as_array().cloned();
        let uploads = uploads.unwrap_or_default().into_iter();
        let told = uploads.map(|it| {
            let key = it["key"].as_str().unwrap_or_default().to_owned();
            (key, it["end"]["outcome"].clone())
        });
        Ok(told.collect())
    }

    async fn until_complete(&self, tag: &str) -> Result<()> {
        let key = format!("shop-{tag}.tar.gz");
        let what = format!("{key} is complete");
        until_within(RELEASED, &what, async || {
            let outcomes = self.outcomes().await?;
            Ok(outcomes.contains(&(key.clone(), "complete".into())))
        })
        .await
    }

    /// Two uploads, and a worker that dies at the first.
    pub async fn what_is_uploaded_goes_live_in_its_order(&self) -> Result<String> {
        let told = self.shop.watched(async {
            self.submit("5").await?;
            let mut first = self.worker()?;
            until("the first worker releases it", async || {
                Ok(!self.outcomes().await?.is_empty())
            })
            .await?;
            self.submit("6").await?;
            first.kill().await?;
            let mut second = self.worker()?;
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
            "what is uploaded goes live in its order, though the first worker is killed: {requests} requests, none failed"
        ))
    }
}
