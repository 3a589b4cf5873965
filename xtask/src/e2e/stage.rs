//! What the chapters of the story share: bgecs at hand, the way to production,
//! and what may be expected of both.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bollard::Docker;
use localstack::Gate;
use localstack::balancer::Balancer;
use localstack::gate::faults::Fault;
use serde_json::Value;
use tokio::process::Command;

use crate::Result;
use crate::bgecs::{Bgecs, root};
use crate::json::{at, expect, text};
use crate::observer::{Door, Observer, PACE};

/// A deploy that cannot succeed must say so in seconds, not at its timeout of
/// ten minutes. Far from both, so that a slow machine does not matter.
const SOON: Duration = Duration::from_secs(150);

/// For a load balancer that a stack has just made.
const APPEARING: Duration = Duration::from_secs(10);

pub const ENGLISH: &str = "Hello, World!";
pub const FRENCH: &str = "Bonjour, le monde";

pub struct Stage<'a> {
    pub bgecs: Bgecs,
    pub endpoint: String,
    /// None where the story is told on the bare emulator.
    pub gate: Option<&'a Gate>,
    pub docker: Docker,
    /// Where configurations of bad releases are written.
    pub folder: PathBuf,
}

/// Where files of the story are written.
pub fn folder() -> Result<PathBuf> {
    let folder = root().join("target/e2e");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

impl<'a> Stage<'a> {
    pub fn new(
        bgecs: Bgecs,
        endpoint: &str,
        gate: Option<&'a Gate>,
        docker: &Docker,
    ) -> Result<Self> {
        Ok(Self {
            bgecs,
            endpoint: endpoint.to_owned(),
            gate,
            docker: docker.clone(),
            folder: folder()?,
        })
    }

    /// Where the probe finds the load balancer's nodes, whose one name leads to
    /// one of them here.
    pub fn nodes(&self) -> Result<String> {
        let gate = self.gate.ok_or("there is no gate")?;
        let nodes: Vec<String> = gate.addresses().iter().map(ToString::to_string).collect();
        Ok(nodes.join(","))
    }

    /// Where a chapter's report goes.
    pub fn report(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The way to a listener: on the ports of the load balancer's nodes, or by
    /// the Host header where the emulator is the load balancer.
    pub async fn door(&self, port: &str) -> Result<Door> {
        self.door_to(host(&self.status().await?, port)?).await
    }

    /// The same of another app, by its file.
    pub async fn door_of(&self, config: &str, port: &str) -> Result<Door> {
        let line = ["status", "--json", "-q", "--config", config];
        let status = self.bgecs.run(&line).await?.expect_code(0)?.json()?;
        self.door_to(host(&status, port)?).await
    }

    async fn door_to(&self, host: &str) -> Result<Door> {
        let nodes = match self.gate {
            Some(gate) => {
                let port = host.rsplit_once(':');
                let port = port.map_or(Ok(80), |(_, port)| port.parse())?;
                let nodes = balancer_of(gate, host, port).await?.doors(port);
                nodes.iter().map(|node| format!("http://{node}")).collect()
            }
            None => vec![self.endpoint.clone()],
        };
        Door::new(nodes, host)
    }

    /// The load balancer itself, where it is the gate's.
    pub async fn balancer(&self) -> Result<Balancer> {
        let gate = self.gate.ok_or("there is no gate")?;
        balancer_of(gate, host(&self.status().await?, "prod")?, 80).await
    }

    pub async fn status(&self) -> Result<Value> {
        self.bgecs
            .run(&["status", "--json", "-q"])
            .await?
            .expect_code(0)?
            .json()
    }

    /// Production and the test port answer so.
    pub async fn expect_answers(&self, prod: &str, test: &str) -> Result<()> {
        let now = self.status().await?;
        expect_answer(&self.door_to(host(&now, "prod")?).await?, "prod", prod).await?;
        expect_answer(&self.door_to(host(&now, "test")?).await?, "test", test).await
    }

    /// Green is live, and answers.
    pub async fn expect_green(&self) -> Result<()> {
        let now = self.status().await?;
        expect(&now, &["live"], "green")?;
        expect_answer(&self.door_to(host(&now, "prod")?).await?, "prod", ENGLISH).await
    }

    /// A configuration like the repository's own, with a fault switched on.
    pub fn config(&self, name: &str, environment: &str) -> Result<String> {
        self.config_with(name, environment, "")
    }

    /// The same with further sections.
    pub fn config_with(&self, name: &str, environment: &str, more: &str) -> Result<String> {
        self.write_config(name, "/api", environment, more)
    }

    /// The same with a path for the probe.
    pub fn config_probing(&self, probed: &str, name: &str, environment: &str) -> Result<String> {
        self.write_config(name, probed, environment, "")
    }

    fn write_config(
        &self,
        name: &str,
        probed: &str,
        environment: &str,
        more: &str,
    ) -> Result<String> {
        let path = self.folder.join(format!("{name}.toml"));
        let text = format!(
            "app = \"hello\"\n[container]\nenvironment = {{ {environment} }}\n[service]\ndesired_count = 2\nhealth_check_grace_period_seconds = 20\n[probe]\npath = \"{probed}\"\n{more}"
        );
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    /// The registry's name of an image with that tag, as CI would hand it over.
    pub fn image(&self, tag: &str) -> String {
        format!("{}/bgecs-hello:{tag}", self.registry())
    }

    /// As Docker names it.
    pub fn registry(&self) -> String {
        let port = self.endpoint.rsplit(':').next().unwrap_or_default();
        format!("localhost:{port}")
    }

    /// Swaps while somebody else uses production; gives the swap's own result
    /// and how many requests the onlooker sent, of which none may have failed.
    pub async fn swap_unnoticed(&self, swap: &[&str]) -> Result<(Value, usize)> {
        let observer = Observer::start(self.door("prod").await?, "/api", PACE);
        let swapped = self.bgecs.run(swap).await;
        let seen = observer.stop().await?;
        let swapped = swapped?.expect_code(0)?.json()?;
        expect(&swapped, &["outcome"], "committed")?;
        expect(&swapped, &["probe", "failed"], 0)?;
        if at(&swapped, &["probe", "changeover_ms"]).is_null() {
            return Err("the probe did not see the changeover".into());
        }
        Ok((swapped, seen.unharmed()?))
    }

    /// Kills a command while the gate holds one of its calls.
    pub async fn killed_in(&self, fault: Fault, words: &[&str]) -> Result<()> {
        let gate = self.gate.ok_or("there is no gate")?;
        let held = gate.faults().add(fault);
        let command = self.bgecs.command(words);
        let mut running = Command::from(command).kill_on_drop(true).spawn()?;
        tokio::select! {
            () = gate.faults().until_held(held) => {}
            ended = running.wait() => {
                return Err(format!("it ended ahead of that call: {}", ended?).into());
            }
        }
        running.kill().await?;
        gate.faults().remove(held);
        Ok(())
    }

    /// A deploy that must fail, soon, and must leave production alone.
    pub async fn expect_refused_release(&self, deploy: &[&str], reasons: &[&str]) -> Result<()> {
        let began = Instant::now();
        let mut ended = self.bgecs.run(deploy).await?.expect_code(1)?;
        if began.elapsed() > SOON {
            return Err(format!("it took {} s to say so", began.elapsed().as_secs()).into());
        }
        for reason in reasons {
            ended = ended.expect_stderr(reason)?;
        }
        self.expect_green().await
    }
}

async fn expect_answer(door: &Door, port: &str, expected: &str) -> Result<()> {
    let (status, body) = door.get("/api").await?;
    if status != 200 || !body.contains(expected) {
        return Err(format!("{port} answers {status} {body}, not {expected}").into());
    }
    Ok(())
}

/// What clients of a listener write into their Host header.
fn host<'a>(status: &'a Value, port: &str) -> Result<&'a str> {
    let host = text(status, &["urls", port])?.strip_prefix("http://");
    Ok(host.ok_or("the URL is not plain HTTP")?)
}

async fn balancer_of(gate: &Gate, host: &str, port: u16) -> Result<Balancer> {
    let balancer = gate.listening(host, port, APPEARING).await;
    balancer.ok_or_else(|| format!("the gate knows no load balancer {host}").into())
}
