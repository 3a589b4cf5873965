//! A site whose releases bgecs does not run: a container for each colour, at an address
//! of this machine each, which a command of the colour starts and another one ends.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use localstack::gate::upstream::Upstream;
use tokio::process::Command;

use super::stage::Stage;
use crate::bgecs::{Bgecs, Ended};
use crate::observer::Door;
use crate::{Result, others, say};

/// Of every site's containers.
pub const PORT: u16 = 8091;
/// Requests of bgecs's probe, in a second.
pub const RATE: u64 = 20;
/// Far from what anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(150);

pub struct Site<'a> {
    pub stage: &'a Stage<'a>,
    /// The AWS that it is made at.
    pub api: Upstream,
    bgecs: Bgecs,
    app: &'static str,
    /// Where each colour's container is.
    addresses: [(&'static str, Ipv4Addr); 2],
    folder: PathBuf,
}

/// What its `bgecs.toml` says.
pub struct Routing<'t> {
    /// The lines of `[router]`.
    pub router: &'t str,
    /// What users are led to, blue's first.
    pub targets: [&'t str; 2],
    /// What stands for a colour's address, where that is not its own.
    pub address: Option<&'t str>,
    /// Further sections.
    pub more: &'t str,
}

impl<'a> Site<'a> {
    /// Blue's container is at `first`, and green's at the next address.
    pub fn new(stage: &'a Stage<'a>, app: &'static str, first: Ipv4Addr) -> Result<Self> {
        let next = Ipv4Addr::from(u32::from(first) + 1);
        let folder = stage.folder.join(app);
        fs::create_dir_all(&folder)?;
        Ok(Self {
            stage,
            api: Upstream::new(stage.endpoint.trim_start_matches("http://"), "test"),
            // Beside others, whose calls are not to be taken for its own.
            bgecs: stage.bgecs.uncounted(),
            app,
            addresses: [("blue", first), ("green", next)],
            folder,
        })
    }

    /// Where that colour is.
    pub fn address(&self, color: &str) -> Ipv4Addr {
        let [(_, blue), (_, green)] = self.addresses;
        if color == "blue" { blue } else { green }
    }

    pub fn url(&self, color: &str) -> String {
        format!("http://{}:{PORT}", self.address(color))
    }

    pub fn configure(&self, routing: &Routing<'_>) -> Result<()> {
        let Routing { router, more, .. } = routing;
        let mut text = format!(
            "app = \"{}\"\n[router]\n{router}\n[probe]\npath = \"/api\"\nrate = {RATE}\nwindow_seconds = 2\n{more}\n",
            self.app
        );
        for ((color, own), target) in self.addresses.iter().zip(routing.targets) {
            let address = routing.address.map_or(own.to_string(), str::to_owned);
            text += &format!(
                "[colors.{color}]\ntarget = \"{target}\"\nurl = \"http://{address}:{PORT}\"\n\
                 deploy = '{}'\nretire = '{}'\n",
                self.run_line(color, "$BGECS_TAG"),
                self.end_line(color)
            );
        }
        Ok(fs::write(self.config(), text)?)
    }

    fn config(&self) -> PathBuf {
        self.folder.join("bgecs.toml")
    }

    /// A release of the site's own, without bgecs; waits until it answers.
    pub async fn run(&self, color: &str, tag: &str) -> Result<()> {
        shell(&self.run_line(color, tag)).await?;
        let door = Door::new(vec![self.url(color)], color)?;
        until("a container answers", async || {
            Ok(matches!(door.get("/api").await, Ok((200, _))))
        })
        .await
    }

    /// A container of that colour, which tells its tag.
    fn run_line(&self, color: &str, tag: &str) -> String {
        let (name, address) = (self.container(color), self.address(color));
        format!(
            "docker rm -f {name} >/dev/null 2>&1; docker run -d --name {name} -p {address}:{PORT}:8080 \
             -e BGECS_RELEASE={tag} {}",
            self.stage.image(tag)
        )
    }

    pub fn end_line(&self, color: &str) -> String {
        format!("docker rm -f {}", self.container(color))
    }

    fn container(&self, color: &str) -> String {
        format!("{}-{color}", self.app)
    }

    /// Shown when it has ended: others may be under way.
    pub async fn bgecs(&self, arguments: &[&str]) -> Result<Ended> {
        let config = self.config().display().to_string();
        let arguments = [arguments, &["--config", &config]].concat();
        let ended = self.bgecs.run_quietly(&arguments).await?;
        say::line(&format!("  $ bgecs {}", arguments.join(" ")));
        ended.show();
        Ok(ended)
    }

    pub async fn done(&self, arguments: &[&str]) -> Result<Ended> {
        self.bgecs(arguments).await?.expect_code(0)
    }

    /// A call of a service that speaks REST, `POST /path`, as the site's people make it.
    pub async fn rest(&self, service: &str, line: &str, body: &str) -> Result<String> {
        others::rest(&self.api, service, line, body).await
    }

    /// Takes its containers along.
    pub async fn leave(&self) -> Result<()> {
        for (color, _) in self.addresses {
            shell(&format!("{} >/dev/null 2>&1 || true", self.end_line(color))).await?;
        }
        Ok(())
    }
}

async fn shell(line: &str) -> Result<()> {
    let output = Command::new("sh").arg("-c").arg(line).output().await?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{line}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Waits until that is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    until_within(PATIENCE, what, is_so).await
}

/// The same with another patience.
pub async fn until_within(
    patience: Duration,
    what: &str,
    is_so: impl AsyncFn() -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + patience;
    while !is_so().await? {
        if Instant::now() > deadline {
            return Err(format!("after {} s it is not so that {what}", patience.as_secs()).into());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
