//! `bgecs release`: a frontend and the backend that it needs, as one.

mod edges;
mod jobs;
mod lands;
mod overlapping;
mod reports;

use localstack::gate::crash::Write;
use localstack::gate::faults::Fault;
use serde_json::{Value, json};

use crate::support::Outcome;
use crate::world::{V1, V2, World, string};

const ELB: &str = "elasticloadbalancing";
const MODULES: [&str; 2] = ["backend", "frontend"];

/// Two apps in a world of one's own.
struct Shop(World);

impl Shop {
    /// Their infrastructure, and nothing deployed.
    fn bare(name: &str) -> Outcome<Self> {
        crate::world::greeter()?;
        let shop = Self(World::new(name)?);
        shop.lay_out(V1)?;
        for module in MODULES {
            shop.configure(module, "")?;
            shop.of(module, 0, &["init"])?;
        }
        Ok(shop)
    }

    /// With release 1 of both live, and release 2 to be built.
    fn new(name: &str) -> Outcome<Self> {
        let shop = Self::bare(name)?;
        shop.0.done(&["release", "--tag", "1", "--window", "0s"])?;
        shop.lay_out(V2)?;
        Ok(shop)
    }

    fn lay_out(&self, context: &str) -> Outcome {
        let text = format!(
            "set = 'shop'\n\
             [[module]]\nname = 'frontend'\nconfig = 'frontend/bgecs.toml'\ncontext = '{context}'\nafter = ['backend']\n\
             [[module]]\nname = 'backend'\nconfig = 'backend/bgecs.toml'\ncontext = '{context}'\n"
        );
        self.0.desk.write("set.toml", &text)?;
        Ok(())
    }

    fn configure(&self, module: &str, container: &str) -> Outcome {
        let app = format!("{}-{}", self.0.app, &module[..1]);
        let text = format!(
            "app = '{app}'\n[container]\n{container}\n[service]\ndesired_count = 1\n\
             [probe]\npath = '/api'\nrate = 20\nwindow_seconds = 2\n\
             [load_balancer]\nderegistration_delay_seconds = 0\n"
        );
        self.0.desk.write(&format!("{module}/bgecs.toml"), &text)?;
        Ok(())
    }

    /// A command of one module's own.
    fn of(&self, module: &str, code: i32, line: &[&str]) -> Outcome<Value> {
        let config = format!("{module}/bgecs.toml");
        let line = [line, &["--config", &config, "--json"]].concat();
        self.0.ends(code, &line)?.json()
    }

    fn live(&self) -> Outcome<Vec<String>> {
        let status = self.0.done_json(&["release", "status"])?;
        let modules = status["modules"].as_array().ok_or("no modules")?;
        let tag = |it: &Value| string(it, "/tag");
        // As the file has them: the frontend first.
        modules.iter().map(tag).rev().collect()
    }

    /// Nothing is unfinished, and nobody holds a lease.
    fn expect_settled(&self) -> Outcome {
        expect_settled(&MODULES, |module| self.of(module, 0, &["status"]))
    }

    /// The listeners' writes, by whose load balancer they were for.
    fn moves(&self, since: localstack::gate::record::Mark) -> Vec<String> {
        let calls = self.0.gate.calls().since(since).into_iter();
        let moves = calls.filter(|call| call.is(ELB, "ModifyListener"));
        moves
            .filter_map(|call| {
                let resource = call.resource;
                MODULES.iter().find_map(|module| {
                    let app = format!("bgecs-{}-{}/", self.0.app, &module[..1]);
                    resource.contains(&app).then(|| (*module).to_owned())
                })
            })
            .collect()
    }
}

/// Nothing is unfinished, and nobody holds a lease, as each one's status says.
fn expect_settled(modules: &[&str], status: impl Fn(&str) -> Outcome<Value>) -> Outcome {
    for module in modules {
        let status = status(module)?;
        assert_eq!(status["unfinished"], json!(null), "{status:#}");
        assert_eq!(status["lease"], json!(null), "{status:#}");
    }
    Ok(())
}

#[test]
fn a_set_is_released_from_nothing_and_goes_back_as_one() -> Outcome {
    let shop = Shop::bare("whole")?;
    let world = &shop.0;
    let plan = world.done(&["release", "--tag", "1", "--dry-run"])?;
    assert!(
        plan.stdout.contains("Nothing was changed."),
        "{}",
        plan.shown()
    );
    let first = world.done_json(&["release", "--tag", "1"])?;
    assert_eq!(first["outcome"], "released", "{first:#}");
    assert_eq!(shop.live()?, ["1", "1"], "{first:#}");

    shop.lay_out(V2)?;
    let plan = world.done(&["release", "--tag", "2", "--dry-run"])?;
    let never = "new frontend with old backend: never, unless backend itself fails";
    assert!(plan.stdout.contains(never), "{}", plan.shown());
    let before = world.gate.calls().mark();
    let second = world.done_json(&["release", "--tag", "2"])?;
    assert_eq!(second["outcome"], "released", "{second:#}");
    assert_eq!(shop.live()?, ["2", "2"]);
    let moves = shop.moves(before);
    assert_eq!(
        moves.first().map(String::as_str),
        Some("backend"),
        "{moves:?}"
    );
    for module in MODULES {
        let history = shop.of(module, 0, &["history"])?;
        let mark = &history["operations"][0]["set"];
        assert_eq!(
            (&mark["set"], &mark["module"]),
            (&json!("shop"), &json!(module)),
            "{history:#}"
        );
    }
    let status = world.done(&["release", "status"])?;
    assert!(
        status.stdout.contains("released last was tag 2"),
        "{}",
        status.shown()
    );

    let again = world.done_json(&["release", "--tag", "2"])?;
    assert_eq!(again["outcome"], "unchanged", "{again:#}");
    let back = world.done_json(&["release", "--rollback", "--window", "0s"])?;
    assert_eq!(back["outcome"], "went_back", "{back:#}");
    assert_eq!(shop.live()?, ["1", "1"]);
    let twice = world.done_json(&["release", "--rollback"])?;
    assert_eq!(twice["outcome"], "unchanged", "{twice:#}");
    shop.expect_settled()
}

#[test]
fn one_module_that_fails_turns_all_back() -> Outcome {
    for failing in MODULES {
        let shop = Shop::new(&format!("fail-{}", &failing[..1]))?;
        let world = &shop.0;
        shop.configure(failing, "environment = { GREETER_FAIL_WHEN_LIVE = '1' }")?;
        let ended = world.ends(3, &["release", "--tag", "2", "--json"])?;
        let result = ended.json()?;
        assert_eq!(result["outcome"], "rolled_back", "{}", ended.shown());
        let reason = string(&result, "/reason")?;
        assert!(
            reason.starts_with(&format!("{failing}: ")),
            "{}",
            ended.shown()
        );
        assert_eq!(shop.live()?, ["1", "1"], "{}", ended.shown());
        for it in result["modules"].as_array().ok_or("no modules")? {
            // Whoever else was asked answered well throughout.
            let is_it = it["name"] == failing;
            let failed = it["probe"]["failed"].as_u64().unwrap_or_default();
            assert!(is_it || failed == 0, "{}", ended.shown());
        }
        shop.expect_settled()?;
    }
    Ok(())
}

#[test]
fn a_module_that_cannot_start_leaves_all_where_they_are() -> Outcome {
    let shop = Shop::new("unable")?;
    shop.configure("frontend", "environment = { GREETER_CRASH = '1' }")?;
    let before = shop.0.gate.calls().mark();
    let ended = shop.0.ends(1, &["release", "--tag", "2", "--json"])?;
    assert_eq!(ended.json()?["outcome"], "failed", "{}", ended.shown());
    assert!(shop.moves(before).is_empty());
    assert_eq!(shop.live()?, ["1", "1"]);
    shop.expect_settled()
}

#[test]
fn a_canary_moves_every_module_before_any_moves_on() -> Outcome {
    let shop = Shop::new("steps")?;
    let before = shop.0.gate.calls().mark();
    let line = [
        "release",
        "--tag",
        "2",
        "--steps",
        "25% for 2s,50% for 2s",
        "--window",
        "1s",
    ];
    let done = shop.0.done_json(&line)?;
    assert_eq!(done["outcome"], "released", "{done:#}");
    let moves = shop.moves(before);
    let in_turn = ["backend", "frontend"].repeat(2);
    assert_eq!(&moves[..4], in_turn, "{moves:?}");
    // Beside the last of them testers are moved.
    assert_eq!(moves[4], "backend", "{moves:?}");
    assert_eq!(shop.live()?, ["2", "2"]);
    shop.expect_settled()
}

/// Killed while the second module is moved; and while the first of them is written
/// down as live.
#[test]
fn a_set_that_is_killed_never_ends_half() -> Outcome {
    for (name, fault, live) in [
        (
            "killed-1",
            Fault::on(ELB, "ModifyListener").nth(2).hold_after(),
            "1",
        ),
        (
            "killed-2",
            Fault::on("dynamodb", "PutItem").nth(4).hold_before(),
            "2",
        ),
    ] {
        let shop = Shop::new(name)?;
        shop.0.killed_in(fault, &["release", "--tag", "2"])?;
        // Whatever is typed in a module that has not ended, its set comes first. Both end
        // at once, so either may be the one that has.
        let mut open = MODULES.into_iter();
        let open = open.find(|module| {
            let status = shop.of(module, 0, &["status"]);
            status.is_ok_and(|status| !status["unfinished"].is_null())
        });
        let open = open.ok_or("neither is unfinished")?;
        for line in [
            &["promote", "--tag", "2"][..],
            &["adopt"],
            &["destroy", "--yes"],
            &["up"],
        ] {
            let refused = shop.of(open, 6, line)?;
            let message = string(&refused, "/error/message")?;
            assert!(
                message.contains("the release of the set shop is unfinished"),
                "{message}"
            );
        }
        shop.of("frontend", 0, &["resume"])?;
        assert_eq!(shop.live()?, [live, live], "{name}");
        shop.expect_settled()?;
        shop.0.done(&["release", "--tag", "2", "--window", "0s"])?;
        assert_eq!(shop.live()?, ["2", "2"]);
    }
    Ok(())
}

/// One was written down as live, and nothing of the other's release runs any more.
/// Its users get away from a release: who was not moved yet is, unless nobody was.
#[test]
fn a_rollback_that_is_killed_never_ends_half() -> Outcome {
    let shop = Shop::new("fleeing")?;
    for (nth, resumed_in, live) in [
        // Nobody is moved.
        (1, "backend", "2"),
        // The frontend is, and the backend's turn has not come.
        (2, "frontend", "1"),
        (2, "backend", "1"),
    ] {
        let tag = format!("{nth}-{resumed_in}");
        shop.0.done(&["release", "--tag", &tag])?;
        let before = shop.live()?;
        let at = Fault::on(ELB, "ModifyListener").nth(nth).hold_before();
        shop.0.killed_in(at, &["release", "--rollback"])?;
        shop.of(resumed_in, 0, &["resume"])?;
        let after = shop.live()?;
        assert_eq!(after[0], after[1], "{tag}: {after:?}");
        let is_back = after != before;
        assert_eq!(is_back, live == "1", "{tag}: {before:?} became {after:?}");
        shop.expect_settled()?;
    }
    Ok(())
}

#[test]
fn a_module_that_cannot_follow_is_told_of() -> Outcome {
    let shop = Shop::new("stuck")?;
    let world = &shop.0;
    let at = Fault::on("dynamodb", "PutItem").nth(4).hold_after();
    world.killed_in(at, &["release", "--tag", "2"])?;
    let unfinished = |module: &&str| -> Outcome<bool> {
        let status = shop.of(module, 0, &["status"])?;
        Ok(status["unfinished"] != json!(null))
    };
    let left = MODULES
        .iter()
        .map(unfinished)
        .collect::<Outcome<Vec<_>>>()?;
    let stuck = match left[..] {
        [true, false] => "backend",
        [false, true] => "frontend",
        _ => return Err(format!("unfinished are {left:?}").into()),
    };
    let status = shop.of(stuck, 0, &["status"])?;
    let live = string(&status, "/live")?;
    let cluster = format!("bgecs-{}-{}", world.app, &stuck[..1]);
    let stop = json!({ "cluster": cluster, "service": live, "desiredCount": 0 });
    world.api.ecs("UpdateService", &stop)?;
    world.until("no task of it runs", || {
        let asked = json!({ "cluster": cluster, "services": [live] });
        let answer = world.api.ecs("DescribeServices", &asked)?;
        Ok(answer["services"][0]["runningCount"] == 0)
    })?;
    let told = world.ends(4, &["resume", "--config", &format!("{stuck}/bgecs.toml")])?;
    for said in [
        "is only partly live: look now",
        "`bgecs release --rollback` takes users back from what is live by it",
    ] {
        assert!(told.stderr.contains(said), "{}", told.shown());
    }
    // Which it does.
    world.done(&["release", "--rollback", "--window", "0s"])?;
    assert_eq!(shop.live()?, ["1", "1"], "{}", told.shown());
    shop.expect_settled()
}

/// By `resume`, in either module's folder, and by the same line typed again. Kills take
/// turns: ahead of one write, and after the next.
#[test]
fn a_set_that_is_killed_at_any_write_ends_whole() -> Outcome {
    let shop = Shop::new("any")?;
    let world = &shop.0;
    let line = ["release", "--tag", "2", "--window", "0s"];
    let back = ["release", "--rollback", "--window", "0s"];
    for line in [&line[..], &back] {
        world.done(line)?;
    }
    let undisturbed = world.gate.calls().mark();
    world.done(&line)?;
    let writes = Write::all(&world.gate.calls().since(undisturbed)).len();
    world.done(&back)?;
    for (turn, number) in (1..=writes).step_by(2).enumerate() {
        let at = Fault::on_writes().nth(u32::try_from(number)?);
        let at = match turn % 2 {
            0 => at.hold_before(),
            _ => at.hold_after(),
        };
        world.killed_in(at, &line)?;
        if turn % 3 > 0 {
            shop.of(MODULES[turn % 3 - 1], 0, &["resume"])?;
            let live = shop.live()?;
            assert_eq!(
                live[0], live[1],
                "after the kill at write {number} of {writes}"
            );
        }
        world.done(&line)?;
        assert_eq!(shop.live()?, ["2", "2"], "after the kill at write {number}");
        shop.expect_settled()?;
        world.done(&back)?;
    }
    Ok(())
}

#[test]
fn a_release_waits_for_another_and_an_interrupt_takes_all_back_in_order() -> Outcome {
    let shop = Shop::new("turns")?;
    let world = &shop.0;
    let mut first = world.start(&["release", "--tag", "2", "--window", "4s"])?;
    first.until_said("watching for")?;
    let second = world.start(&["release", "--tag", "2", "--wait", "1m"])?;
    first.ends(0)?;
    second.ends(0)?;
    assert_eq!(shop.live()?, ["2", "2"]);
    world.done(&["release", "--rollback", "--window", "0s"])?;

    let mut cut = world.start(&["release", "--tag", "2", "--window", "1m"])?;
    for _ in MODULES {
        cut.until_said("watching for")?;
    }
    // Of both modules, whichever was told of first.
    world.until("both are live", || Ok(shop.live()? == ["2", "2"]))?;
    let before = world.gate.calls().mark();
    cut.signal("INT")?;
    let ended = cut.ends(3)?;
    assert_eq!(shop.live()?, ["1", "1"], "{}", ended.shown());
    let moves = shop.moves(before);
    assert_eq!(
        moves.first().map(String::as_str),
        Some("frontend"),
        "{moves:?}"
    );
    assert_eq!(
        moves.last().map(String::as_str),
        Some("backend"),
        "{moves:?}"
    );
    shop.expect_settled()
}

#[test]
fn who_has_lost_a_lease_says_that_its_end_is_not_written() -> Outcome {
    let shop = Shop::new("broken")?;
    let mut releasing = shop.0.start(&["release", "--tag", "2", "--window", "4s"])?;
    releasing.until_said("watching for")?;
    shop.of("backend", 0, &["unlock", "--force"])?;
    let ended = releasing.ends(4)?;
    assert!(
        ended.stderr.contains("the lease was lost"),
        "{}",
        ended.shown()
    );
    shop.of("frontend", 0, &["resume"])?;
    shop.expect_settled()
}

/// As the next job of a pipeline finds it.
#[test]
fn a_set_that_is_killed_is_ended_in_another_checkout() -> Outcome {
    let shop = Shop::new("moved")?;
    let at = Fault::on(ELB, "ModifyListener").nth(2).hold_after();
    shop.0.killed_in(at, &["release", "--tag", "2"])?;
    let desk = shop.0.desk.path();
    std::fs::create_dir(desk.join("elsewhere"))?;
    for name in ["frontend", "backend", "set.toml"] {
        std::fs::rename(desk.join(name), desk.join("elsewhere").join(name))?;
    }
    let alone = ["resume", "--config", "elsewhere/frontend/bgecs.toml"];
    let refused = shop.0.ends(6, &alone)?;
    let hint = "run `bgecs release` with the set's own file";
    assert!(refused.stderr.contains(hint), "{}", refused.shown());
    let line = ["release", "elsewhere/set.toml", "--tag", "2", "--json"];
    let done = shop.0.done(&line)?;
    assert_eq!(done.json()?["outcome"], "released", "{}", done.shown());
    Ok(())
}
