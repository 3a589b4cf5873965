//! An app behind a static address of Lightsail, both ways that AWS might behave: an
//! address that is attached moves, or it has to be detached first and leads nowhere
//! meanwhile.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use localstack::Gate;
use localstack::gate::lightsail::{Attach, Lightsail, Options};
use localstack::gate::record::Mark;
use serde_json::{Value, json};

use super::onlookers::meets_both;
use super::site::{PORT, RATE, Routing, Site, until};
use super::stage::Stage;
use crate::Result;
use crate::bgecs::Ended;
use crate::json::{at, expect, text};
use crate::observer::{Answer, Door, Observer, PACE, Seen};

const NAME: &str = "site-ip";
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 5, 1);
const INSTANCES: [&str; 2] = ["web-1", "web-2"];
const GAP: Duration = Duration::from_millis(1500);
/// Of bgecs's own probe.
const PROBE_PACE: Duration = Duration::from_millis(1000 / RATE);
/// Both measure from the last good answer to the next one, so that each finds the gap
/// itself and up to two steps of its own pace besides: they differ by up to two of the
/// longer one's. As much again is for a busy machine, which sends late what was due.
const TOLERANCE: Duration = PROBE_PACE.saturating_mul(4);

/// Until connections to where the address was are cut.
const CUT: Duration = Duration::from_millis(50);

/// Two instances, which are where the site's containers are.
pub fn options() -> Options {
    let [blue, green] = INSTANCES.map(str::to_owned);
    let next = Ipv4Addr::from(u32::from(FIRST) + 1);
    Options {
        ports: vec![PORT],
        instances: vec![(blue, FIRST), (green, next)],
        ..Options::default()
    }
}

struct Address<'s> {
    site: &'s Site<'s>,
    gate: &'s Gate,
    lightsail: &'s Lightsail,
    /// What users type, without a scheme.
    host: String,
}

/// Where the address moves, users lose what was under way at most; where it does not,
/// they have a gap, which bgecs says ahead and measures as an onlooker does.
pub async fn an_address_moves_or_has_a_gap_that_is_known(stage: &Stage<'_>) -> Result<String> {
    let site = Site::new(stage, "address", FIRST)?;
    let told = told(&site).await;
    site.leave().await?;
    told
}

async fn told(site: &Site<'_>) -> Result<String> {
    site.run("green", "1").await?;
    let address = Address::of(site).await?;
    let visits = address.moves().await?;
    let gaps = address.has_a_gap().await?;
    site.done(&["destroy", "--yes"]).await?;
    let [told, seen] = [gaps.told, gaps.seen].map(|gap| gap.as_millis());
    Ok(format!(
        "a static address that moves takes nobody along: {visits} visits; one that has to be detached \
         leads nowhere for {seen} ms, and bgecs says {told}"
    ))
}

/// For how long users were without an answer.
struct Gaps {
    /// As bgecs says.
    told: Duration,
    /// As an onlooker saw it.
    seen: Duration,
}

impl<'s> Address<'s> {
    /// It leads to green.
    async fn of(site: &'s Site<'s>) -> Result<Self> {
        let gate = site.stage.gate.ok_or("there is no gate")?;
        let lightsail = gate.lightsail().ok_or("the gate has no Lightsail")?;
        let name = json!({ "staticIpName": NAME });
        call(site, "AllocateStaticIp", &name).await?;
        let attachment = json!({ "staticIpName": NAME, "instanceName": INSTANCES[1] });
        call(site, "AttachStaticIp", &attachment).await?;
        let it = call(site, "GetStaticIp", &name).await?;
        let host = format!("{}:{PORT}", text(&it, &["staticIp", "ipAddress"])?);
        let it = Self {
            site,
            gate,
            lightsail,
            host,
        };
        site.configure(&Routing {
            router: &format!(
                "kind = \"static-ip\"\nname = \"{NAME}\"\nurl = \"http://{}\"",
                it.host
            ),
            targets: INSTANCES,
            address: Some("{address}"),
            more: "",
        })?;
        let door = it.door()?;
        until("the address leads to green", async || {
            Ok(matches!(door.get("/api").await, Ok((200, _))))
        })
        .await?;
        Ok(it)
    }

    fn door(&self) -> Result<Door> {
        Door::new(vec![format!("http://{}", self.host)], &self.host)
    }

    /// Runs a swap while somebody looks on.
    async fn swap(&self, words: &[&str]) -> Result<(Ended, Seen)> {
        let observer = Observer::start(self.door()?, "/api", PACE);
        let swapped = self.site.bgecs(words).await;
        let seen = observer.stop().await?;
        let swapped = swapped?.expect_code(0)?;
        expect(&swapped.json()?, &["outcome"], "committed")?;
        meets_both(&seen)?;
        Ok((swapped, seen))
    }

    /// Gives how often somebody came.
    async fn moves(&self) -> Result<usize> {
        self.site.done(&["init"]).await?;
        self.site.done(&["deploy", "--tag", "2"]).await?;
        let mut visits = 0;
        for command in ["promote", "rollback"] {
            let mark = self.gate.calls().mark();
            let (_, seen) = self.swap(&[command, "--json"]).await?;
            harmed_under_way_alone(&seen, attached(self.gate, mark)?)?;
            visits += seen.0.len();
        }
        Ok(visits)
    }

    async fn has_a_gap(&self) -> Result<Gaps> {
        self.lightsail.set_attach(Attach::Refuses, GAP);
        let promote = ["promote", "--tag", "2", "--json"];
        let (promoted, seen) = self.swap(&promote).await?;
        let promoted = promoted.expect_stderr("detached first")?.json()?;
        let told = at(&promoted, &["swap", "gap_ms"]).as_u64();
        let told = Duration::from_millis(told.ok_or("bgecs measured no gap")?);
        let seen = gap(&seen).ok_or("the onlooker saw no gap")?;
        if seen < GAP || told < GAP || told.abs_diff(seen) > TOLERANCE {
            return Err(format!(
                "a gap of {GAP:?} was {seen:?} to an onlooker, and {told:?} to bgecs"
            )
            .into());
        }
        Ok(Gaps { told, seen })
    }
}

/// When the gate was asked after that mark to attach the address, and had done so.
fn attached(gate: &Gate, mark: Mark) -> Result<(Instant, Instant)> {
    let calls = gate.calls().since(mark);
    let mut calls = calls.iter();
    let call = calls.find(|call| call.is("lightsail", "AttachStaticIp"));
    let call = call.ok_or("the address was not attached")?;
    Ok((call.at, call.at + call.took()))
}

/// Connections to where the address was end: what is asked over them then has no answer.
fn harmed_under_way_alone(seen: &Seen, (asked, done): (Instant, Instant)) -> Result<()> {
    let is_under_way = |it: &Answer| it.sent <= done + CUT && asked <= it.answered;
    let harmed = seen.0.iter().filter(|it| !is_under_way(it));
    match harmed.filter_map(Answer::failure).next() {
        None => Ok(()),
        Some(first) => Err(format!("a visit failed that was not under way: {first}").into()),
    }
}

/// From the last good answer ahead of the failed ones to the first after them.
fn gap(seen: &Seen) -> Option<Duration> {
    let failed = |it: &Answer| it.failure().is_some();
    let first = seen.0.iter().position(failed)?;
    let last = seen.0.iter().rposition(failed)?;
    let before = seen.0[..first].last()?;
    Some(seen.0.get(last + 1)?.sent - before.sent)
}

async fn call(site: &Site<'_>, operation: &str, input: &Value) -> Result<Value> {
    let service = ("lightsail", "Lightsail_20161128");
    Ok(site.api.json(service, operation, input).await?)
}
