//! Colours that bgecs does not run, behind a record of Route 53: what ran before is
//! taken over, released and given back, while users come in by three resolvers.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use localstack::Tool;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::stage::Stage;
use crate::bgecs::Ended;
use crate::json::expect;
use crate::{Result, say};

/// It knows nothing of our resolver.
const DIG: Tool = Tool {
    path: "/usr/bin/dig",
    package: "bind9-dnsutils",
};
const NAME: &str = "www.edge.test";
const ZONE: &str = "edge.test";
const PORT: u16 = 8091;
const ADDRESSES: [(&str, &str); 2] = [("blue", "127.0.3.1"), ("green", "127.0.3.2")];
/// Before bgecs came, and since; in seconds.
const TTL_BEFORE: u32 = 4;
const TTL: u32 = 2;
/// Between two visits.
const PACE: Duration = Duration::from_millis(150);

/// A company without a load balancer.
struct Edge<'a> {
    stage: &'a Stage<'a>,
    config: String,
    zone: String,
    dig: PathBuf,
    resolvers: Vec<SocketAddr>,
}

/// Nobody who comes in by any resolver notices that a record is taken over, moved, and
/// given back.
pub async fn a_record_is_released_by_and_nobody_notices(stage: &Stage<'_>) -> Result<String> {
    let edge = Edge::begin(stage).await?;
    let told = edge.is_released_by_bgecs().await;
    edge.leave().await?;
    told
}

impl<'a> Edge<'a> {
    async fn begin(stage: &'a Stage<'a>) -> Result<Self> {
        let gate = stage.gate.ok_or("there is no gate")?;
        let dns = gate.dns().ok_or("the gate serves no names")?;
        let dig = DIG.ensure(&say::line).await?;
        let folder = stage.folder.join("edge");
        fs::create_dir_all(&folder)?;
        let resolvers = dns.resolvers.iter().chain([&dns.authority]);
        let mut edge = Self {
            stage,
            config: write_config(&folder, stage, &dns.resolvers)?,
            zone: String::new(),
            dig,
            resolvers: resolvers.copied().collect(),
        };
        let body = format!(
            "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{ZONE}</Name>\
             <CallerReference>e2e</CallerReference></CreateHostedZoneRequest>"
        );
        let made = edge.route53("/2013-04-01/hostedzone", body).await?;
        let id = made.split("<Id>/hostedzone/").nth(1);
        let id = id.and_then(|rest| rest.split('<').next());
        edge.zone = id.ok_or("the zone has no id")?.to_owned();
        edge.begins_on_green().await?;
        Ok(edge)
    }

    /// The company's own first release, and its own record.
    async fn begins_on_green(&self) -> Result<()> {
        let run = run_line(self.stage, "green", "1");
        shell(&run).await?;
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>\
             <Change><Action>CREATE</Action><ResourceRecordSet><Name>{NAME}</Name><Type>A</Type><TTL>{TTL_BEFORE}</TTL>\
             <ResourceRecords><ResourceRecord><Value>{}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>\
             </Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
            ADDRESSES[1].1
        );
        let path = format!("/2013-04-01/hostedzone/{}/rrset/", self.zone);
        self.route53(&path, body).await?;
        // Until it is served everywhere.
        while !self.all_led_to("127.0.3.2").await? {
            tokio::time::sleep(PACE).await;
        }
        Ok(())
    }

    async fn all_led_to(&self, address: &str) -> Result<bool> {
        for resolver in &self.resolvers {
            if look_up(&self.dig, *resolver).await?.as_deref() != Some(address) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn is_released_by_bgecs(&self) -> Result<String> {
        let users: Vec<Users> = self
            .resolvers
            .iter()
            .map(|resolver| Users::come_in(&self.dig, *resolver))
            .collect();
        let released = self.release().await;
        let mut visits = 0;
        for one in users {
            let seen = one.leave().await?;
            released.as_ref().map_err(ToString::to_string)?;
            visits += seen.unharmed()?;
            seen.met_both()?;
        }
        released?;
        Ok(format!(
            "a record is taken over, shared, moved, rolled back and given back: {visits} visits by {} resolvers, and nobody noticed",
            self.resolvers.len()
        ))
    }

    async fn release(&self) -> Result<()> {
        let taken = self.bgecs(&["init"]).await?.expect_code(0)?;
        taken.expect_stderr("lower the TTL of the record")?;
        self.bgecs(&["deploy", "--tag", "2"])
            .await?
            .expect_code(0)?;
        let promote = ["promote", "--canary", "30%:3s", "--window", "3s", "--json"];
        let promoted = self.bgecs(&promote).await?.expect_code(0)?.json()?;
        expect(&promoted, &["outcome"], "committed")?;
        expect(&promoted, &["probe", "failed"], 0)?;
        self.bgecs(&["rollback", "--window", "3s"])
            .await?
            .expect_code(0)?;
        let again = ["promote", "--tag", "2", "--window", "3s"];
        self.bgecs(&again).await?.expect_code(0)?;
        // Its own command stops the container, once nobody is led there any more.
        loop {
            let ended = self.bgecs(&["retire"]).await?;
            match ended.code {
                6 if ended.stderr.contains("are led to green still") => {}
                _ => break drop(ended.expect_code(0)?),
            }
        }
        self.bgecs(&["destroy", "--yes"]).await?.expect_code(0)?;
        match self.all_led_to("127.0.3.1").await? {
            true => Ok(()),
            false => Err("the record was not given back with what users had".into()),
        }
    }

    async fn bgecs(&self, arguments: &[&str]) -> Result<Ended> {
        let with = [&["--config", self.config.as_str()], arguments].concat();
        self.stage.bgecs.run(&with).await
    }

    async fn route53(&self, path: &str, body: String) -> Result<String> {
        let scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0";
        let url = format!("{}{path}", self.stage.endpoint);
        let request = reqwest::Client::new().post(url);
        let answer = request.header("authorization", scope).body(body).send();
        let answer = answer.await?;
        let is_success = answer.status().is_success();
        let text = answer.text().await?;
        match is_success {
            true => Ok(text),
            false => Err(format!("Route 53 answered {text}").into()),
        }
    }

    async fn leave(&self) -> Result<()> {
        for (color, _) in ADDRESSES {
            shell(&format!(
                "docker rm -f edge-{color} >/dev/null 2>&1 || true"
            ))
            .await?;
        }
        Ok(())
    }
}

fn write_config(folder: &Path, stage: &Stage<'_>, resolvers: &[SocketAddr]) -> Result<String> {
    let resolvers: Vec<String> = resolvers.iter().map(|it| format!("\"{it}\"")).collect();
    let mut text = format!(
        "app = \"edge\"\n[router]\nkind = \"route53\"\nrecord = \"{NAME}\"\nurl = \"http://{NAME}:{PORT}\"\n\
         ttl = {TTL}\nresolvers = [{}]\n[probe]\npath = \"/api\"\n",
        resolvers.join(", ")
    );
    for (color, address) in ADDRESSES {
        let deploy = run_line(stage, color, "$BGECS_TAG");
        text += &format!(
            "[colors.{color}]\ntarget = \"{address}\"\nurl = \"http://{address}:{PORT}\"\n\
             deploy = '{deploy}'\nretire = 'docker rm -f edge-{color}'\n"
        );
    }
    let path = folder.join("bgecs.toml");
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}

/// A container of that colour, which tells its tag.
fn run_line(stage: &Stage<'_>, color: &str, tag: &str) -> String {
    let address = ADDRESSES.iter().find(|(name, _)| *name == color);
    let address = address.map_or("", |(_, address)| address);
    format!(
        "docker rm -f edge-{color} >/dev/null 2>&1; docker run -d --name edge-{color} -p {address}:{PORT}:8080 \
         -e BGECS_RELEASE={tag} {}",
        stage.image(tag)
    )
}

async fn shell(line: &str) -> Result<()> {
    let output = Command::new("sh").arg("-c").arg(line).output().await?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{line}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Where that resolver says that the name is.
async fn look_up(dig: &Path, resolver: SocketAddr) -> Result<Option<String>> {
    let (server, port) = (format!("@{}", resolver.ip()), resolver.port().to_string());
    let arguments = [
        &server, "-p", &port, "+short", "+tries=1", "+time=2", NAME, "A",
    ];
    let output = Command::new(dig).args(arguments).output().await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().next().map(str::to_owned))
}

/// Those who come in by one resolver, as a browser does: they look the name up, and
/// ask there.
struct Users {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Seen>,
}

/// What came to them.
#[derive(Default)]
struct Seen {
    releases: Vec<String>,
    failures: Vec<String>,
}

impl Users {
    fn come_in(dig: &Path, resolver: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (dig, told) = (dig.to_owned(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut seen = Seen::default();
            while !told.load(Ordering::Relaxed) {
                match visit(&dig, resolver).await {
                    Ok(release) => seen.releases.push(release),
                    Err(error) => seen.failures.push(format!("by {resolver}: {error}")),
                }
                tokio::time::sleep(PACE).await;
            }
            seen
        });
        Self { stop, task }
    }

    async fn leave(self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.task.await?)
    }
}

/// The release that answered.
async fn visit(dig: &Path, resolver: SocketAddr) -> Result<String> {
    let address = look_up(dig, resolver)
        .await?
        .ok_or("the name leads nowhere")?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.get(format!("http://{address}:{PORT}/api"));
    let answer = request.header("host", NAME).send().await?;
    let release = answer.headers().get("x-bgecs-release");
    let release = release.and_then(|release| release.to_str().ok());
    match (answer.status().as_u16(), release) {
        (200, Some(release)) => Ok(release.to_owned()),
        (status, _) => Err(format!("HTTP {status}").into()),
    }
}

impl Seen {
    fn unharmed(&self) -> Result<usize> {
        match self.failures.first() {
            None => Ok(self.releases.len()),
            Some(first) => Err(format!("{} visits failed: {first}", self.failures.len()).into()),
        }
    }

    /// A resolver that never led to the new release, or had never led to the old one,
    /// would prove nothing.
    fn met_both(&self) -> Result<()> {
        for release in ["1", "2"] {
            if !self.releases.iter().any(|it| it == release) {
                return Err(format!("nobody met release {release}").into());
            }
        }
        Ok(())
    }
}
