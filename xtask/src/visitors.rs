//! Users who come in by a resolver, as a browser does: they look a name up, and ask there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use localstack::Tool;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::{Result, say};

/// It knows nothing of our resolver.
const DIG: Tool = Tool {
    path: "/usr/bin/dig",
    package: "bind9-dnsutils",
};
/// Between two visits.
const PACE: Duration = Duration::from_millis(150);

/// Where they want to go.
#[derive(Debug, Clone)]
pub struct NamedPlace {
    dig: PathBuf,
    name: String,
    port: u16,
}

impl NamedPlace {
    pub async fn at(name: &str, port: u16) -> Result<Self> {
        Ok(Self {
            dig: DIG.ensure(&say::line).await?,
            name: name.to_owned(),
            port,
        })
    }

    /// Where that resolver says that it is; asked as glibc asks, twice and for five seconds.
    pub async fn look_up(&self, resolver: SocketAddr) -> Result<Option<String>> {
        let (server, port) = (format!("@{}", resolver.ip()), resolver.port().to_string());
        let arguments = [
            &server, "-p", &port, "+short", "+tries=2", "+time=5", &self.name, "A",
        ];
        let output = Command::new(&self.dig).args(arguments).output().await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // What dig says of itself begins so.
        let answer = text.lines().find(|line| !line.starts_with(';'));
        Ok(answer.map(str::to_owned))
    }

    /// The release that answered.
    async fn visit(&self, resolver: SocketAddr) -> Result<String> {
        let address = self.look_up(resolver).await?;
        let address = address.ok_or("the name leads nowhere")?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client.get(format!("http://{address}:{}/api", self.port));
        let answer = request.header("host", &self.name).send().await?;
        let release = answer.headers().get("x-bgecs-release");
        let release = release.and_then(|release| release.to_str().ok());
        match (answer.status().as_u16(), release) {
            (200, Some(release)) => Ok(release.to_owned()),
            (status, _) => Err(format!("HTTP {status}").into()),
        }
    }
}

/// Those who come in by one resolver.
pub struct Visitors {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Visits>,
}

/// What came to them.
#[derive(Debug, Default)]
pub struct Visits {
    pub releases: Vec<String>,
    failures: Vec<String>,
}

impl Visitors {
    pub fn come_in(place: &NamedPlace, resolver: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (place, told) = (place.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut visits = Visits::default();
            while !told.load(Ordering::Relaxed) {
                match place.visit(resolver).await {
                    Ok(release) => visits.releases.push(release),
                    Err(error) => visits.failures.push(format!("by {resolver}: {error}")),
                }
                tokio::time::sleep(PACE).await;
            }
            visits
        });
        Self { stop, task }
    }

    pub async fn leave(self) -> Result<Visits> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.task.await?)
    }
}

impl Visits {
    /// How many there were, of which none may have failed.
    pub fn unharmed(&self) -> Result<usize> {
        match self.failures.first() {
            None => Ok(self.releases.len()),
            Some(first) => Err(format!("{} visits failed: {first}", self.failures.len()).into()),
        }
    }
}
