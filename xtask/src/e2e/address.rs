//! An app behind a static address of Lightsail, both ways that AWS might behave: an
//! address that is attached moves, or it has to be detached first and leads nowhere
//! meanwhile.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use localstack::Gate;
use localstack::gate::lightsail::{Attach, Lightsail, Options};
use localstack::gate::record::Mark;
use serde_json::{Value, json};

use super::gap::{self, Gap};
use super::onlookers::meets_both;
use super::site::{PORT, Routing, Site, until};
use super::stage::Stage;
use crate::Result;
use crate::bgecs::Ended;
use crate::json::{expect, text};
use crate::observer::{Answer, Door, Observer, PACE, Seen};

const NAME: &str = "site-ip";
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 5, 1);
const INSTANCES: [&str; 2] = ["web-1", "web-2"];
const GAP: Duration = Duration::from_millis(1500);
/// Until connections to where the address was are cut.
const CUT: Duration = Duration::from_millis(100);

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
    let gap = address.has_a_gap().await?;
    site.done(&["destroy", "--yes"]).await?;
    Ok(format!(
        "a static address that moves takes nobody along: {visits} visits; one that has to be detached \
         leads nowhere for {gap}"
    ))
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

    /// Says how long it was, to bgecs and to an onlooker.
    async fn has_a_gap(&self) -> Result<String> {
        self.lightsail.set_attach(Attach::Refuses, GAP);
        let promote = ["promote", "--tag", "2", "--json"];
        let (promoted, seen) = self.swap(&promote).await?;
        let promoted = promoted.expect_stderr("detached first")?.json()?;
        let (measured, late) = gap::measured(&promoted)?;
        let seen = Gap::seen(&seen).ok_or("the onlooker saw no gap")?;
        let told = format!(
            "{measured:.2?} by bgecs, which was {late:.2?} late, and {:.2?} to {:.2?} to an onlooker",
            seen.least, seen.most
        );
        match seen.most >= GAP && seen.agrees(measured, late) {
            true => Ok(told),
            false => Err(format!("a gap of {GAP:?} was {told}").into()),
        }
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

async fn call(site: &Site<'_>, operation: &str, input: &Value) -> Result<Value> {
    let service = ("lightsail", "Lightsail_20161128");
    Ok(site.api.json(service, operation, input).await?)
}
