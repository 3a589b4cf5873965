//! Ctrl-C, a cancelled pipeline and a closed terminal, at each stage of what
//! changes something: the exit code says what became of it, nobody else has to
//! wait, and nothing is left that nobody knows of.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use localstack::gate::faults::Fault;
use serde_json::{Value, json};

use crate::running::Running;
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V1, V2, World, greeter};

const ELB: &str = "elasticloadbalancing";
const SLOW: &str = "environment = { GREETER_START_DELAY_MS = \"60000\" }";

impl World {
    /// Signals it, which must end it with that code. Gives the history's newest.
    fn interrupts(&self, running: Running<'_>, signal: &str, code: i32) -> Outcome<Value> {
        running.signal(signal)?;
        let ended = running.ends(code)?;
        self.expect_settled(&format!("{signal}: {}", ended.shown()))?;
        Ok(self.history()?.remove(0))
    }

    /// Interrupts it while it makes that call.
    fn interrupts_in(&self, call: (&str, &str), signal: &str, line: &[&str]) -> Outcome<Value> {
        let held = Fault::on(call.0, call.1).nth(1).hold_after();
        let held = self.gate.faults().add(held);
        let running = self.start(line)?;
        self.until_held(held)?;
        let newest = self.interrupts(running, signal, 130);
        self.gate.faults().remove(held);
        newest
    }
}

#[test]
fn an_interrupted_deploy_is_over_at_every_stage() -> Outcome {
    let world = World::with_v1_live("cut")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let busybox = runtime.block_on(localstack::busybox(&|_| ()))?;
    let dockerfile = "FROM scratch\nCOPY busybox /busybox\nRUN [\"/busybox\", \"sleep\", \"60\"]\n";
    world.desk.write("slow/Dockerfile", dockerfile)?;
    fs::copy(&busybox, world.desk.path().join("slow/busybox"))?;
    let before = world.status()?;
    for signal in ["INT", "TERM", "HUP"] {
        let mut building = world.start(&["deploy", "slow", "--tag", "2"])?;
        building.until_said("building the image")?;
        let newest = world.interrupts(building, signal, 130)?;
        assert_eq!(newest["tag"], "1", "it had not begun to change anything");
        assert_eq!(world.status()?, before);
    }

    world.configure(SLOW)?;
    let mut pushing = world.start(&["deploy", V2, "--tag", "2"])?;
    pushing.until_said("pushing ")?;
    let newest = world.interrupts(pushing, "TERM", 130)?;
    assert_eq!(
        (&newest["outcome"], &newest["tag"]),
        (&json!("interrupted"), &json!("2"))
    );
    let line = ["deploy", V2, "--tag", "3"];
    let revisions = world.revisions("ACTIVE")?;
    let newest = world.interrupts_in(("ecs", "RegisterTaskDefinition"), "HUP", &line)?;
    assert_eq!(newest["outcome"], "interrupted");
    assert_eq!(world.revisions("ACTIVE")?, revisions, "no service needs it");
    for (signal, tag) in [("INT", "4"), ("TERM", "5"), ("HUP", "6")] {
        let mut waiting = world.start(&["deploy", V2, "--tag", tag])?;
        waiting.until_said("service blue")?;
        let newest = world.interrupts(waiting, signal, 130)?;
        assert_eq!(
            (&newest["outcome"], &newest["tag"]),
            (&json!("interrupted"), &json!(tag))
        );
        assert_eq!(world.status()?["live"], "green");
    }
    // Nothing of all this is in the way of the next one.
    world.configure("")?;
    world.done(&["deploy", V2, "--tag", "7"])?;
    world.expect_answers(ENGLISH, FRENCH)
}

#[test]
fn an_interrupt_does_not_leave_the_first_release_half_live() -> Outcome {
    greeter()?;
    let world = World::new("first")?;
    world.done(&["init"])?;
    let second = Fault::on(ELB, "ModifyListener").nth(2);
    let second = world.gate.faults().add(second.hold_before());
    let deploying = world.start(&["deploy", V1, "--tag", "1", "--color", "green"])?;
    world.until_held(second)?;
    deploying.signal("INT")?;
    world.gate.faults().remove(second);
    deploying.ends(0)?;
    world.expect_settled("the deploy")?;
    let status = world.status()?;
    assert_eq!(status["live"], "green");
    let listeners = &status["listeners"];
    assert_ne!(
        listeners["test"]["forwards"], listeners["prod"]["forwards"],
        "{status:#}"
    );
    Ok(())
}

#[test]
fn an_interrupted_promotion_leaves_nothing_to_finish() -> Outcome {
    let world = World::with_v2_idle("back")?;
    let before = world.status()?;
    for signal in ["INT", "TERM", "HUP"] {
        let mut early = world.start(&["promote", "--window", "60s"])?;
        early.until_said("probing ")?;
        world.interrupts(early, signal, 130)?;
        assert_eq!(world.status()?, before);

        let mut late = world.start(&["promote", "--window", "60s"])?;
        late.until_said("watching for")?;
        let newest = world.interrupts(late, signal, 3)?;
        assert_eq!(
            (&newest["command"], &newest["outcome"]),
            (&json!("promote"), &json!("rolled_back"))
        );
        assert_eq!(world.status()?["live"], "green");
    }

    world.lease_to_bob(Duration::from_secs(60))?;
    for signal in ["INT", "TERM", "HUP"] {
        let waiting = world.start(&["promote", "--wait", "1m"])?;
        world.until("it stands in line", || Ok(world.in_line()? == 1))?;
        waiting.signal(signal)?;
        waiting.ends(130)?;
        assert_eq!(world.in_line()?, 0, "{signal}");
        let lease = world.done_json(&["unlock"])?;
        assert_eq!(lease["lease"]["who"], "bob@desk", "{signal}: {lease:#}");
    }
    world.done(&["unlock", "--force"])?;

    for signal in ["INT", "TERM", "HUP"] {
        let newest = world.interrupts_in(("ecs", "UpdateService"), signal, &["retire"])?;
        assert_eq!(
            (&newest["command"], &newest["outcome"]),
            (&json!("retire"), &json!("interrupted"))
        );
        world.done(&["deploy", V2, "--tag", "2"])?;
    }
    world.done(&["promote", "--window", "0s"])?;
    world.expect_answers(FRENCH, ENGLISH)
}

#[test]
fn a_second_interrupt_leaves_at_once_and_resume_goes_the_rest_of_the_way_back() -> Outcome {
    let world = World::with_v2_idle("twice")?;
    let mut promoting = world.start(&["promote", "--window", "60s"])?;
    promoting.until_said("watching for")?;
    // The way back has begun, and takes for ever.
    let back = world
        .gate
        .faults()
        .add(Fault::on(ELB, "ModifyListener").hold_before());
    promoting.signal("INT")?;
    world.until_held(back)?;
    promoting.signal("INT")?;
    let left = promoting.ends(4)?;
    assert!(
        left.stderr.contains("left at the second interrupt"),
        "{}",
        left.shown()
    );
    world.gate.faults().remove(back);
    assert_eq!(world.done_json(&["unlock"])?["outcome"], "free");
    let status = world.status()?;
    assert_eq!(status["unfinished"]["command"], "promote", "{status:#}");
    assert_eq!(
        world.done_json(&["resume", "--window", "0s"])?["outcome"],
        "undone"
    );
    world.expect_settled("the resume")?;
    world.expect_answers(ENGLISH, FRENCH)
}

#[test]
fn a_signal_that_was_ignored_from_the_start_interrupts_nothing() -> Outcome {
    let world = World::with_v2_idle("nohup")?;
    let window = world.desk.command(&["promote", "--window", "5s"]);
    let mut shell = in_shell(&window, "trap '' HUP; exec \"$0\" \"$@\"");
    let promoting = shell.stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut promoting = world.running(promoting.spawn()?, &["promote"])?;
    promoting.until_said("watching for")?;
    promoting.signal("HUP")?;
    promoting.ends(0)?;
    world.expect_settled("the promotion")?;
    world.expect_answers(FRENCH, ENGLISH)
}

/// The same command as a shell's script runs it.
fn in_shell(bgecs: &Command, script: &str) -> Command {
    let mut shell = Command::new("sh");
    let env = bgecs.get_envs();
    shell
        .args(["-c", script])
        .arg(bgecs.get_program())
        .args(bgecs.get_args())
        .env_clear()
        .envs(env.filter_map(|(name, value)| Some((name, value?))))
        .current_dir(bgecs.get_current_dir().unwrap_or(Path::new(".")));
    shell
}

/// How a terminal is gone that told nobody: nothing can be written any more.
fn without_streams(world: &World, line: &[&str]) -> Outcome<Option<i32>> {
    let bgecs = world.desk.command(line);
    let mut shell = in_shell(&bgecs, "exec \"$0\" \"$@\" <&- >&- 2>&-");
    Ok(shell.status()?.code())
}

#[test]
fn nobody_to_read_is_no_reason_to_stop() -> Outcome {
    let world = World::with_v1_live("unread")?;
    // Both pipes end before anything is written.
    let unread = |line: &[&str]| -> Outcome<Option<i32>> {
        let mut command = world.desk.command(line);
        let (out, to_out) = std::io::pipe()?;
        let (err, to_err) = std::io::pipe()?;
        command.stdin(Stdio::null()).stdout(to_out).stderr(to_err);
        drop((out, err));
        Ok(command.status()?.code())
    };
    assert_eq!(unread(&["deploy", V2, "--tag", "2", "-vvv"])?, Some(0));
    assert_eq!(unread(&["promote", "--window", "0s", "-vvv"])?, Some(0));
    world.expect_settled("the promotion")?;
    world.expect_answers(FRENCH, ENGLISH)?;
    assert_eq!(unread(&["promote", "green", "--tag"])?, Some(2));

    let rollback = ["rollback", "--window", "0s", "-vvv"];
    assert_eq!(without_streams(&world, &rollback)?, Some(0));
    world.expect_settled("the rollback")?;
    let deploy = ["deploy", V2, "--tag", "3", "-vvv"];
    assert_eq!(without_streams(&world, &deploy)?, Some(0));
    assert_eq!(world.history()?[0]["tag"], "3");
    world.expect_answers(ENGLISH, FRENCH)
}

#[test]
fn a_reader_that_stopped_reading_holds_nothing_up() -> Outcome {
    let world = World::with_v2_idle("stuck")?;
    let (unread, mut full) = std::io::pipe()?;
    let mut command = world.desk.command(&["promote", "--window", "0s", "-vvv"]);
    command.stdout(full.try_clone()?).stderr(full.try_clone()?);
    // Takes all the room there is, and waits for more.
    let filler = std::thread::spawn(move || while full.write_all(&[b'.'; 4096]).is_ok() {});
    let mut promoting = command.spawn()?;
    drop(command);
    world.until("the promotion is over, and its lease is free", || {
        let status = world.status()?;
        Ok(status["live"] == "blue" && status["lease"].is_null())
    })?;
    world.expect_settled("the promotion")?;
    world.expect_answers(FRENCH, ENGLISH)?;
    // It waits only at its very end, for what it has to say to be read.
    assert_eq!(promoting.try_wait()?, None);
    drop(unread);
    assert_eq!(promoting.wait()?.code(), Some(0));
    filler.join().map_err(|_| "the filler panicked")?;
    Ok(())
}
