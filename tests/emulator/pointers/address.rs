//! A static address of Lightsail, both ways that AWS might behave.

use std::net::Ipv4Addr;
use std::time::Duration;

use localstack::Options;
use localstack::gate::{self, lightsail};
use serde_json::{Value, json};

use crate::edge_actions::{called, expect_called, expect_granted};
use crate::permissions::table::{EDGE_DEPLOYER, EDGE_OPERATOR_TOO, STATIC_IP_DEPLOYER};
use crate::servers::Servers;
use crate::support::Outcome;
use crate::world::World;

const BLUE: Ipv4Addr = Ipv4Addr::new(127, 0, 5, 1);
const GREEN: Ipv4Addr = Ipv4Addr::new(127, 0, 5, 2);

/// Two instances of Lightsail, web-1 and web-2, and the address that users have.
struct Instances {
    world: World,
    servers: Servers,
}

impl Instances {
    fn new(app: &str, attach: lightsail::Attach, gap: Duration) -> Outcome<Self> {
        let servers = Servers::at(BLUE, GREEN)?;
        let instances = [("web-1", BLUE), ("web-2", GREEN)];
        let lightsail = lightsail::Options {
            attach,
            gap,
            ports: vec![servers.port],
            instances: instances.map(|(name, at)| (name.to_owned(), at)).into(),
            ..lightsail::Options::default()
        };
        let options = gate::Options {
            lightsail: Some(lightsail),
            ..gate::Options::default()
        };
        let world = World::behind(app, Options::default(), &options)?;
        let it = Self { world, servers };
        it.call("AllocateStaticIp", &json!({ "staticIpName": "site-ip" }))?;
        let port = it.servers.port;
        let colors = it
            .servers
            .colors(["web-1", "web-2"], |_| format!("http://{{address}}:{port}"));
        let text = format!(
            "app = \"{app}\"\n[router]\nkind = \"static-ip\"\nname = \"site-ip\"\nurl = \"http://{}:{port}\"\n\
             [probe]\nrate = 20\nwindow_seconds = 2\n{colors}",
            it.address()?
        );
        it.world.desk.write("bgecs.toml", &text)?;
        Ok(it)
    }

    fn call(&self, operation: &str, request: &Value) -> Outcome<Value> {
        let target = format!("Lightsail_20161128.{operation}");
        self.world.api.json("lightsail", &target, request)
    }

    fn static_ip(&self) -> Outcome<Value> {
        let answer = self.call("GetStaticIp", &json!({ "staticIpName": "site-ip" }))?;
        Ok(answer["staticIp"].clone())
    }

    fn address(&self) -> Outcome<String> {
        crate::world::string(&self.static_ip()?, "/ipAddress")
    }

    fn attach(&self, instance: &str) -> Outcome {
        let request = json!({ "staticIpName": "site-ip", "instanceName": instance });
        self.call("AttachStaticIp", &request).map(drop)
    }
}

/// From nothing to retire; nobody is without an answer where AWS moves an address that
/// is attached.
#[test]
fn an_address_that_moves_is_released_by() -> Outcome {
    let it = Instances::new("moves", lightsail::Attach::Moves, Duration::ZERO)?;
    let (world, servers) = (&it.world, &it.servers);
    let made = world.done(&["init"])?;
    assert!(
        made.stdout.contains("leads nowhere yet"),
        "{}",
        made.shown()
    );
    world.done(&["deploy", "--tag", "1"])?;
    let first = world.status()?["live"].clone();
    assert_eq!(it.static_ip()?["isAttached"], true);
    let idle = if first == "blue" { "green" } else { "blue" };
    let seen = world.status()?["hosted"][idle]["url"].clone();
    assert_eq!(seen, servers.url(idle), "its own address");
    world.done(&["deploy", "--tag", "2"])?;
    let promoted = world.done_json(&["promote"])?;
    assert_eq!(promoted["outcome"], "committed");
    // A request under way is cut off with its connection; nobody is refused one.
    let failures = promoted["probe"]["failures"].as_array();
    let refused = failures
        .into_iter()
        .flatten()
        .find(|it| it["why"] != "reset");
    assert_eq!(refused, None, "{promoted:#}");
    assert_ne!(world.status()?["live"], first);
    servers.put("blue", "bad")?;
    servers.put("green", "bad")?;
    world.ends(6, &["promote", "--tag", "1"])?;
    let canary = world.ends(2, &["promote", "--tag", "1", "--canary", "10%:1s"])?;
    assert!(
        canary.stderr.contains("moves them all at once"),
        "{}",
        canary.shown()
    );
    Ok(())
}

/// Where it has to be detached first, users are without an answer for a moment: that is
/// said ahead, measured, and not held against the release.
#[test]
fn an_address_that_is_refused_has_a_gap_that_is_measured() -> Outcome {
    let gap = Duration::from_millis(1500);
    let it = Instances::new("refuses", lightsail::Attach::Refuses, gap)?;
    let world = &it.world;
    it.servers.put("green", "old")?;
    it.attach("web-2")?;
    world.done(&["init"])?;
    assert_eq!(world.status()?["live"], "green");
    world.done(&["deploy", "--tag", "2"])?;
    let promoted = world.done(&["promote", "--json"])?;
    assert!(
        promoted.stderr.contains("detached first"),
        "{}",
        promoted.shown()
    );
    let promoted = promoted.json()?;
    assert_eq!(promoted["outcome"], "committed", "{promoted:#}");
    let measured = promoted["swap"]["gap_ms"].as_u64().ok_or("no gap")?;
    assert!((1000..5000).contains(&measured), "{measured}");
    let told = world.done(&["rollback"])?.stdout;
    assert!(told.contains("users were without an answer for"), "{told}");
    assert_eq!(it.static_ip()?["attachedTo"], "web-2");
    Ok(())
}

/// One that is longer than the file allows is a failure, and users are taken back.
#[test]
fn a_gap_beyond_its_limit_fails_the_promotion() -> Outcome {
    let gap = Duration::from_millis(2500);
    let it = Instances::new("long", lightsail::Attach::Refuses, gap)?;
    let world = &it.world;
    let text = std::fs::read_to_string(world.desk.path().join("bgecs.toml"))?;
    let text = text.replace("[router]\n", "[router]\ngap = \"1s\"\n");
    world.desk.write("bgecs.toml", &text)?;
    it.servers.put("green", "old")?;
    it.attach("web-2")?;
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    let failed = world.ends(3, &["promote", "--json"])?.json()?;
    assert_eq!(failed["outcome"], "rolled_back", "{failed:#}");
    assert_eq!(it.static_ip()?["attachedTo"], "web-2");
    Ok(())
}

/// What somebody else attached it to is not taken from there.
#[test]
fn an_address_at_a_strangers_instance_is_left_there() -> Outcome {
    let it = Instances::new("strange", lightsail::Attach::Moves, Duration::ZERO)?;
    let world = &it.world;
    let request = json!({ "instanceNames": ["web-9"], "availabilityZone": "us-east-1a",
        "blueprintId": "amazon_linux_2023", "bundleId": "nano_3_0" });
    it.call("CreateInstances", &request)?;
    it.attach("web-9")?;
    let refused = world.ends(6, &["init"])?.stderr;
    assert!(refused.contains("leads to web-9"), "{refused}");
    it.attach("web-1")?;
    it.servers.put("blue", "old")?;
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    it.attach("web-9")?;
    world.ends(6, &["promote"])?;
    assert_eq!(it.static_ip()?["attachedTo"], "web-9");
    Ok(())
}

#[test]
fn an_app_behind_an_address_may_do_what_it_does_and_no_more() -> Outcome {
    let it = Instances::new("allowed", lightsail::Attach::Refuses, Duration::ZERO)?;
    let world = &it.world;
    it.servers.put("green", "old")?;
    it.attach("web-2")?;
    let mark = world.gate.calls().mark();
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    world.done(&["promote"])?;
    world.done(&["status"])?;
    let all = called(world, mark);
    let grants = [EDGE_DEPLOYER, EDGE_OPERATOR_TOO, STATIC_IP_DEPLOYER];
    expect_granted(&all, &grants);
    expect_called(&all, STATIC_IP_DEPLOYER.iter().flat_map(|it| it.needs));
    Ok(())
}
