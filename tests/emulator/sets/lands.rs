//! A set over two regions, or over two accounts: each an emulator of its own, which a
//! profile leads to.

use std::time::Duration;

use localstack::gate::crash::Write;
use localstack::gate::faults::Fault;
use localstack::gate::record::{Call, Mark};
use localstack::{Options, gate};
use serde_json::Value;

use super::ELB;
use crate::support::{Desk, Outcome};
use crate::world::{V1, V2, World, string};

const MODULES: [&str; 2] = ["near", "far"];
/// What each module's file says.
const WINDOW: Duration = Duration::from_secs(2);
const RELEASE: [&str; 3] = ["release", "--tag", "2"];

/// Where one of the two is.
#[derive(Clone, Copy)]
struct Land {
    region: &'static str,
    account: &'static str,
    app: &'static str,
}

/// The near one's desk is where everything is typed.
struct Lands {
    near: World,
    far: World,
    lands: [Land; 2],
    /// At the top of set.toml.
    top: &'static str,
}

impl Lands {
    /// With release 1 live in both, and release 2 to be built.
    fn new(lands: [Land; 2], top: &'static str) -> Outcome<Self> {
        let it = Self::bare(lands, top)?;
        it.near.done(&["release", "--tag", "1", "--window", "0s"])?;
        it.lay_out(V2, MODULES)?;
        Ok(it)
    }

    /// Their infrastructure, and nothing deployed.
    fn bare(lands: [Land; 2], top: &'static str) -> Outcome<Self> {
        crate::world::greeter()?;
        let [mut near, far] = [world(lands[0])?, world(lands[1])?];
        let profile = |name: &str, world: &World, land: Land| {
            format!(
                "[profile {name}]\nregion = {}\nendpoint_url = {}\n\
                 aws_access_key_id = test\naws_secret_access_key = test\n",
                land.region,
                world.gate.endpoint()
            )
        };
        let desk = Desk::empty()?;
        let profiles = profile("near", &near, lands[0]) + &profile("far", &far, lands[1]);
        let file = desk.write("aws-config", &profiles)?.display().to_string();
        near.desk = desk
            .env("AWS_CONFIG_FILE", &file)
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        let it = Self {
            near,
            far,
            lands,
            top,
        };
        it.lay_out(V1, MODULES)?;
        for module in MODULES {
            it.configure(module, "")?;
            it.of(module, 0, &["init"])?;
        }
        Ok(it)
    }

    /// With the modules in that order.
    fn lay_out(&self, context: &str, modules: [&str; 2]) -> Outcome {
        let mut text = format!("set = 'world'\n{}\n", self.top);
        for module in modules {
            let region = self.land(module).region;
            text += &format!(
                "[[module]]\nname = '{module}'\nconfig = '{module}/bgecs.toml'\ncontext = '{context}'\n\
                 region = '{region}'\nprofile = '{module}'\n"
            );
        }
        self.near.desk.write("set.toml", &text)?;
        Ok(())
    }

    fn configure(&self, module: &str, container: &str) -> Outcome {
        let text = format!(
            "app = '{}'\n[container]\n{container}\n[service]\ndesired_count = 1\n\
             [probe]\npath = '/api'\nrate = 20\nwindow_seconds = {}\n\
             [load_balancer]\nderegistration_delay_seconds = 0\n",
            self.land(module).app,
            WINDOW.as_secs()
        );
        self.near
            .desk
            .write(&format!("{module}/bgecs.toml"), &text)?;
        Ok(())
    }

    fn land(&self, module: &str) -> Land {
        self.lands[usize::from(module == "far")]
    }

    /// A command of one module's own.
    fn of(&self, module: &str, code: i32, line: &[&str]) -> Outcome<Value> {
        let config = format!("{module}/bgecs.toml");
        let place = ["--config", &config, "--profile", module, "--json"];
        self.near.ends(code, &[line, &place].concat())?.json()
    }

    /// The near one's tag first, whatever the file's order.
    fn live(&self) -> Outcome<Vec<String>> {
        let status = self.near.done_json(&["release", "status"])?;
        let all = status["modules"].as_array().ok_or("no modules")?;
        let tag = |module: &&str| {
            let it = all.iter().find(|it| it["name"] == **module);
            string(it.ok_or("no such module")?, "/tag")
        };
        MODULES.iter().map(tag).collect()
    }

    fn expect_settled(&self) -> Outcome {
        super::expect_settled(&MODULES, |module| self.of(module, 0, &["status"]))
    }

    fn marks(&self) -> [Mark; 2] {
        [&self.near, &self.far].map(|world| world.gate.calls().mark())
    }

    /// Each one's moves of listeners since then.
    fn moves(&self, since: [Mark; 2]) -> [Vec<Call>; 2] {
        let moves = |world: &World, since| {
            let mut calls = world.gate.calls().since(since);
            calls.retain(|call| call.is(ELB, "ModifyListener"));
            calls
        };
        [moves(&self.near, since[0]), moves(&self.far, since[1])]
    }

    /// Which fails with its release 2, and which answers well throughout.
    fn expect_taken_back(&self, failing: &str) -> Outcome {
        self.configure(failing, "environment = { GREETER_FAIL_WHEN_LIVE = '1' }")?;
        let ended = self.near.ends(3, &[&RELEASE[..], &["--json"]].concat())?;
        let result = ended.json()?;
        assert_eq!(result["outcome"], "rolled_back", "{}", ended.shown());
        let reason = string(&result, "/reason")?;
        let is_told = reason.starts_with(&format!("{failing}: "));
        assert!(is_told, "{}", ended.shown());
        for it in result["modules"].as_array().ok_or("no modules")? {
            let failed = it["probe"]["failed"].as_u64().unwrap_or_default();
            assert!(it["name"] == failing || failed == 0, "{}", ended.shown());
        }
        assert_eq!(self.live()?, ["1", "1"], "{}", ended.shown());
        self.configure(failing, "")?;
        self.expect_settled()
    }

    /// Killed as the far one's users were just moved; ended in a module's folder.
    fn expect_whole_after_a_kill(&self, resumed_in: &str) -> Outcome {
        let held = Fault::on(ELB, "ModifyListener").hold_after();
        let held = self.far.gate.faults().add(held);
        let releasing = self.near.start(&RELEASE)?;
        self.far.until_held(held)?;
        releasing.signal("KILL")?;
        releasing.end()?;
        self.far.gate.faults().remove(held);
        let before = self.marks();
        self.of(resumed_in, 0, &["resume"])?;
        assert_eq!(self.live()?, ["1", "1"], "resumed in {resumed_in}");
        let [near, far] = self.moves(before);
        let (Some(near), Some(far)) = (near.first(), far.last()) else {
            return Err("they were not both taken back".into());
        };
        assert!(far.at < near.at, "those that came last go back first");
        self.expect_settled()
    }
}

fn world(land: Land) -> Outcome<World> {
    let options = Options::default()
        .env("MINISTACK_REGION", land.region)
        .env("MINISTACK_ACCOUNT_ID", land.account);
    let gate = gate::Options {
        region: land.region.to_owned(),
        ..gate::Options::default()
    };
    World::behind(land.app, options, &gate)
}

fn regions(top: &'static str, apps: [&'static str; 2]) -> Outcome<Lands> {
    let land = |region, app| Land {
        region,
        account: "000000000000",
        app,
    };
    let lands = [land("eu-west-1", apps[0]), land("us-east-1", apps[1])];
    Lands::new(lands, top)
}

#[test]
fn regions_go_over_in_turn_and_the_first_is_watched_longer() -> Outcome {
    let lands = regions("regions = 'in-turn'\nbake = '3s'", ["turn-n", "turn-f"])?;
    let world = &lands.near;
    let plan = world.done(&[&RELEASE[..], &["--dry-run"]].concat())?;
    for said in [
        "Regions go over in turn: eu-west-1, then us-east-1, each once the one before it is healthy and was watched for 3s longer.",
        "old us-east-1 with new eu-west-1: while eu-west-1 goes over and is watched, for 3s longer than its window",
    ] {
        assert!(plan.stdout.contains(said), "{}", plan.shown());
    }
    let before = lands.marks();
    let done = world.done_json(&RELEASE)?;
    assert_eq!(done["outcome"], "released", "{done:#}");
    assert_eq!(lands.live()?, ["2", "2"], "{done:#}");
    let [near, far] = lands.moves(before);
    let (Some(near), Some(far)) = (near.last(), far.first()) else {
        return Err("they were not both moved".into());
    };
    let watched = far.at.duration_since(near.at);
    assert!(watched >= WINDOW + Duration::from_secs(3), "{watched:?}");

    let before = lands.marks();
    world.done(&["release", "--rollback", "--window", "0s"])?;
    assert_eq!(lands.live()?, ["1", "1"]);
    let [near, far] = lands.moves(before);
    let (Some(near), Some(far)) = (near.first(), far.first()) else {
        return Err("they were not both moved back".into());
    };
    assert!(far.at < near.at, "a later region goes back first");
    lands.expect_settled()
}

#[test]
fn a_region_that_fails_takes_the_others_back() -> Outcome {
    let lands = regions("regions = 'in-turn'", ["failing-n", "failing-f"])?;
    let before = lands.marks();
    lands.expect_taken_back("near")?;
    let [_, far] = lands.moves(before);
    assert!(far.is_empty(), "it never had its turn");
    let before = lands.marks();
    lands.expect_taken_back("far")?;
    let [near, far] = lands.moves(before);
    let (Some(near), Some(far)) = (near.last(), far.last()) else {
        return Err("they were not both moved".into());
    };
    assert!(far.at < near.at, "a later region goes back first");
    Ok(())
}

#[test]
fn a_release_over_regions_that_is_killed_ends_whole() -> Outcome {
    let lands = regions("regions = 'in-turn'", ["killed-n", "killed-f"])?;
    for module in MODULES {
        lands.expect_whole_after_a_kill(module)?;
    }
    lands.near.done(&RELEASE)?;
    assert_eq!(lands.live()?, ["2", "2"]);
    Ok(())
}

/// Apps of one name, in one region, in two accounts.
#[test]
fn two_accounts_are_released_as_one() -> Outcome {
    let land = |account| Land {
        region: "us-east-1",
        account,
        app: "namesake",
    };
    let lands = Lands::new([land("000000000000"), land("111122223333")], "")?;
    for order in [MODULES, ["far", "near"]] {
        lands.lay_out(V2, order)?;
        let before = lands.marks();
        let done = lands.near.done_json(&RELEASE)?;
        assert_eq!(done["outcome"], "released", "{done:#}");
        assert_eq!(lands.live()?, ["2", "2"], "{done:#}");
        // The first write of each is that of its lease.
        let near = Write::all(&lands.near.gate.calls().since(before[0]));
        let far = Write::all(&lands.far.gate.calls().since(before[1]));
        assert_eq!([&near[0].service, &far[0].service], ["dynamodb"; 2]);
        assert!(
            first_write(&lands.near, before[0])? < first_write(&lands.far, before[1])?,
            "leases are taken in the order of accounts, and not of the file: {order:?}"
        );
        lands
            .near
            .done(&["release", "--rollback", "--window", "0s"])?;
    }
    lands.expect_taken_back("far")?;
    lands.expect_taken_back("near")?;
    lands.expect_settled()
}

fn first_write(world: &World, since: Mark) -> Outcome<std::time::Instant> {
    let calls = world.gate.calls().since(since);
    let first = calls.into_iter().find(|call| call.writes);
    Ok(first.ok_or("nothing was written")?.at)
}

/// By two profiles.
#[test]
fn one_app_is_no_two_modules() -> Outcome {
    let land = |account| Land {
        region: "us-east-1",
        account,
        app: "twins",
    };
    let lands = Lands::bare([land("000000000000"), land("000000000000")], "")?;
    let ended = lands.near.ends(2, &RELEASE)?;
    let said =
        "the modules near and far are the same app, twins: their profiles are for the same account";
    assert!(ended.stderr.contains(said), "{}", ended.shown());
    lands.expect_settled()
}
