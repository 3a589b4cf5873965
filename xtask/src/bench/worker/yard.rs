//! Many apps behind records of one zone, a bucket for their releases, and a queue in which
//! each of them has a group of its own.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt, TryStreamExt, stream};
use localstack::Endpoints;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::released::{Span, spans};
use crate::bench::program::Line;
use crate::bench::stage::Stage;
use crate::bgecs::root;
use crate::others::{make_bucket, make_queue, make_zone, tell_of_uploads};
use crate::{Result, say};

const ZONE: &str = "yard.test";
const BUCKET: &str = "yard-releases";
const QUEUE: &str = "yard-uploads";
const COLORS: [&str; 2] = ["blue", "green"];
/// Every app's blue and green, each app at a port of its own.
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 8, 1), Ipv4Addr::new(127, 0, 8, 2)];
/// So many commands are typed at a time where nothing is measured.
const HANDS: usize = 4;
const PACE: Duration = Duration::from_millis(100);
/// Far more than one worker takes.
const PATIENCE: Duration = Duration::from_secs(3600);

pub struct Yard<'a> {
    stage: &'a Stage<'a>,
    folder: PathBuf,
    queue: String,
    apps: Vec<YardApp>,
}

struct YardApp {
    name: String,
    endpoints: Endpoints,
}

impl<'a> Yard<'a> {
    /// With a release of each app live.
    pub async fn laid_out(stage: &'a Stage<'a>, apps: usize) -> Result<Self> {
        say::line(&format!("making {apps} apps, each with a release"));
        let folder = root().join("target/bench/worker");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        make_zone(&stage.api, ZONE).await?;
        make_bucket(&stage.api, BUCKET).await?;
        let queue = make_queue(&stage.api, QUEUE).await?;
        let apps = (1..=apps).map(|n| {
            Ok(YardApp {
                name: format!("yard-{n:02}"),
                endpoints: Endpoints::at(ADDRESSES, "x-bgecs-release")?,
            })
        });
        let yard = Self {
            stage,
            folder,
            queue,
            apps: apps.collect::<Result<_>>()?,
        };
        for app in &yard.apps {
            fs::write(yard.config(app), yard.configuration(app)?)?;
            let prefix = format!("{}/", app.name);
            tell_of_uploads(&stage.api, QUEUE, (&prefix, &app.name)).await?;
        }
        fs::write(yard.served(), yard.serving()?)?;
        yard.each(async |app| {
            for words in [&["init"][..], &["deploy", "--tag", "first"]] {
                let config = yard.config(app).display().to_string();
                let line = yard.bgecs(words).with(&["--config", &config]);
                line.run().await?;
            }
            Ok(())
        })
        .await?;
        Ok(yard)
    }

    /// Does that for each app, some at a time.
    async fn each(&self, work: impl AsyncFn(&YardApp) -> Result<()>) -> Result<()> {
        let all = stream::iter(&self.apps).map(|app| work(app));
        all.buffer_unordered(HANDS).try_collect().await
    }

    fn config(&self, app: &YardApp) -> PathBuf {
        self.folder.join(format!("{}.toml", app.name))
    }

    /// The worker's own file, of the first app.
    fn served(&self) -> PathBuf {
        self.folder.join("served.toml")
    }

    fn configuration(&self, app: &YardApp) -> Result<String> {
        let dns = self.stage.gate.dns().ok_or("the gate serves no names")?;
        let YardApp { name, endpoints } = app;
        let mut text = format!(
            "app = \"{name}\"\n[router]\nkind = \"route53\"\nrecord = \"{name}.{ZONE}\"\n\
             url = \"http://{name}.{ZONE}:{}\"\nttl = 1\nresolvers = [\"{}\"]\n\
             [probe]\nrate = 10\nwindow_seconds = 1\n",
            endpoints.port, dns.authority
        );
        for color in COLORS {
            text += &format!(
                "[colors.{color}]\ntarget = \"{}\"\nurl = \"{}\"\n\
                 deploy = \"echo $BGECS_TAG >> {}; echo $BGECS_TAG > {}\"\n",
                endpoints.address(color),
                endpoints.url(color),
                self.deployed(app).display(),
                endpoints.file(color).display()
            );
        }
        Ok(text)
    }

    /// Where each deploy of an app leaves its tag, whatever bgecs says of it.
    fn deployed(&self, app: &YardApp) -> PathBuf {
        self.folder.join(format!("{}.deployed", app.name))
    }

    fn serving(&self) -> Result<String> {
        let (first, others) = self.apps.split_first().ok_or("there are no apps")?;
        let others = others.iter().map(|it| format!("\"{}.toml\"", it.name));
        let serve = format!(
            "[serve]\nqueue = \"{}\"\nbucket = \"{BUCKET}\"\nallow = [{}]\n",
            self.queue,
            others.collect::<Vec<_>>().join(", ")
        );
        Ok(self.configuration(first)? + &serve)
    }

    fn bgecs(&self, words: &[&str]) -> Line {
        let exe = self.stage.exe().display().to_string();
        self.stage.line([exe]).with(words)
    }

    /// Uploads a release of each app, all of them later than those before.
    pub async fn submit(&self, tag: &str) -> Result<()> {
        another_second().await?;
        self.each(async |app| self.submit_of(app, tag).await).await
    }

    async fn submit_of(&self, app: &YardApp, tag: &str) -> Result<()> {
        let name = &app.name;
        let folder = self.folder.join("bundles").join(name);
        fs::create_dir_all(&folder)?;
        let release = format!("app = \"{name}\"\ntag = \"{tag}\"\n");
        fs::write(folder.join("release.toml"), release)?;
        let bundle = folder.join(format!("{tag}.tar.gz"));
        let mut pack = Command::new("tar");
        pack.arg("czf").arg(&bundle).arg("-C").arg(&folder);
        if !pack.arg("release.toml").status().await?.success() {
            return Err("tar could not make the bundle".into());
        }
        let (bundle, served) = (
            bundle.display().to_string(),
            self.served().display().to_string(),
        );
        let key = format!("{name}/{tag}.tar.gz");
        let line = ["submit", &bundle, "--key", &key, "--file", &served];
        self.bgecs(&line).with(&["--no-wait"]).run().await?;
        Ok(())
    }

    /// How long so many workers take, from their start until nothing is left in the queue.
    pub async fn emptied_by(&self, workers: usize) -> Result<Duration> {
        let begun = Instant::now();
        let started = (1..=workers).map(|n| self.worker(&format!("{workers}-{n}")));
        let mut all: Vec<Child> = started.collect::<Result<_>>()?;
        while self.waiting().await? > 0 {
            for worker in &mut all {
                if let Some(status) = worker.try_wait()? {
                    let logs = self.folder.display();
                    return Err(format!("a worker has ended, {status}: see {logs}").into());
                }
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("the queue is not empty after {PATIENCE:?}").into());
            }
            sleep(PACE).await;
        }
        let wall = begun.elapsed();
        for worker in &all {
            let id = worker.id().and_then(|id| i32::try_from(id).ok());
            let id = id.and_then(Pid::from_raw).ok_or("a worker is gone")?;
            kill_process(id, Signal::TERM)?;
        }
        for mut worker in all {
            let status = worker.wait().await?;
            if !status.success() {
                return Err(format!("a worker ended with {status}").into());
            }
        }
        Ok(wall)
    }

    fn worker(&self, name: &str) -> Result<Child> {
        let served = self.served().display().to_string();
        let log = File::create(self.folder.join(format!("worker-{name}.log")))?;
        let mut command = self.bgecs(&["serve", &served]).command();
        let command = command.stdout(Stdio::null()).stderr(log);
        Ok(command.spawn()?)
    }

    /// Messages that wait or are worked on.
    async fn waiting(&self) -> Result<u64> {
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ];
        let asked = json!({ "QueueUrl": self.queue, "AttributeNames": names });
        let sqs = ("sqs", "AmazonSQS");
        let told = self.stage.api.json(sqs, "GetQueueAttributes", &asked);
        let told = told.await?;
        let count = |name: &str| -> Result<u64> {
            let text = told["Attributes"][name].as_str();
            Ok(text.ok_or("the queue does not say what waits")?.parse()?)
        };
        Ok(count(names[0])? + count(names[1])?)
    }

    /// The releases of those tags, of all apps.
    ///
    /// # Errors
    /// Something was lost, was released twice or at once, or had not its turn.
    pub async fn released(&self, tags: &[String]) -> Result<Vec<Span>> {
        let mut all = Vec::new();
        for app in &self.apps {
            let name = &app.name;
            let spans = self.released_of(app, tags).await;
            all.extend(spans.map_err(|error| format!("{name}: {error}"))?);
        }
        Ok(all)
    }

    async fn released_of(&self, app: &YardApp, tags: &[String]) -> Result<Vec<Span>> {
        let deployed = fs::read_to_string(self.deployed(app))?;
        let last: Vec<&str> = deployed.lines().collect();
        let last = &last[last.len().saturating_sub(tags.len())..];
        if last != tags {
            return Err(format!("deployed were {deployed}").into());
        }
        let config = self.config(app).display().to_string();
        let history = ["history", "--limit", "100", "--json", "--config", &config];
        spans(&self.bgecs(&history).run().await?.json()?, tags)
    }
}

/// S3 tells whole seconds, by which uploads are ordered.
async fn another_second() -> Result<()> {
    let second = || SystemTime::now().duration_since(UNIX_EPOCH);
    let now = second()?.as_secs();
    while second()?.as_secs() == now {
        sleep(PACE).await;
    }
    Ok(())
}
