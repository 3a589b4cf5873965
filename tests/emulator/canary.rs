//! Users who go over step by step: the pauses, what stops it, and what it refuses.

use serde_json::{Value, json};

use crate::support::{Ended, Outcome};
use crate::world::{ENGLISH, FRENCH, V2, World};

const TO_A_PAUSE: [&str; 8] = [
    "promote",
    "--tag",
    "2",
    "--steps",
    "10% for 1s,50% pause",
    "--bake",
    "1s",
    "--json",
];

impl World {
    /// In percent, of production's requests.
    pub fn share_of(&self, color: &str) -> Outcome<u64> {
        let status = self.status()?;
        let forwards = status["listeners"]["prod"]["forwards"].as_array();
        let forwards = forwards.ok_or("no forwards")?;
        let weight = |to: &Value| to["weight"].as_u64().unwrap_or(0);
        let of = forwards.iter().filter(|to| to["color"] == color);
        let all: u64 = forwards.iter().map(weight).sum();
        Ok(of.map(weight).sum::<u64>() * 100 / all.max(1))
    }

    /// Leaves it waiting for a person at half of the users.
    fn waits_at_half(&self) -> Outcome {
        let paused = self.done(&TO_A_PAUSE)?;
        assert_eq!(paused.json()?["outcome"], "paused", "{}", paused.shown());
        self.expect_waiting("after the promotion")
    }

    /// It waits, nobody is at work, and half of the users are on blue.
    pub fn expect_waiting(&self, after: &str) -> Outcome {
        let status = self.status()?;
        let waits = &status["unfinished"];
        assert_eq!(waits["command"], "promote", "{after}: {status:#}");
        assert_eq!(waits["under_way"], false, "{after}: {status:#}");
        for since in ["waiting_since", "split_since"] {
            assert!(waits[since].is_string(), "{after}: {status:#}");
        }
        assert_eq!(self.share_of("blue")?, 50, "{after}");
        let lease = self.done_json(&["unlock"])?;
        assert_eq!(lease["outcome"], "free", "{after}: {lease:#}");
        let told = self.done(&["status"])?;
        for part in ["waits for a person, for ", "promote --continue"] {
            let is_told = told.stdout.contains(part) || told.stderr.contains(part);
            assert!(is_told, "{after}: {part}:\n{}", told.shown());
        }
        Ok(())
    }

    fn expect_live(&self, tag: &str, after: &str) -> Outcome {
        self.expect_settled(after)?;
        match tag {
            "1" => self.expect_answers(ENGLISH, FRENCH),
            _ => self.expect_answers(FRENCH, ENGLISH),
        }
    }

    /// An alarm that says what it is told to.
    pub fn measures_errors(&self) -> Outcome {
        let alarm = [
            ("Action", "PutMetricAlarm"),
            ("AlarmName", "errors"),
            ("Namespace", "shop"),
            ("MetricName", "errors"),
            ("Statistic", "Sum"),
            ("Period", "60"),
            ("EvaluationPeriods", "1"),
            ("Threshold", "1"),
            ("ComparisonOperator", "GreaterThanThreshold"),
        ];
        self.api.query("monitoring", "2010-08-01", &alarm)?;
        Ok(())
    }

    fn alarm_is(&self, state: &str) -> Outcome {
        let set = [
            ("Action", "SetAlarmState"),
            ("AlarmName", "errors"),
            ("StateValue", state),
            ("StateReason", "a test says so"),
        ];
        self.api.query("monitoring", "2010-08-01", &set)?;
        Ok(())
    }

    /// Writes the file anew, with these hooks.
    fn configure_hooks(&self, hooks: &str) -> Outcome {
        self.configure("")?;
        self.configure_more(&format!("[hooks]\n{hooks}"))
    }
}

pub fn expect_said(ended: &Ended, parts: &[&str]) {
    for part in parts {
        assert!(ended.stderr.contains(part), "{part}:\n{}", ended.shown());
    }
}

#[test]
fn a_pause_is_left_standing_until_a_person_says_which_way() -> Outcome {
    let world = World::with_v2_idle("pause")?;
    for word in ["--continue", "--abort"] {
        let refused = world.changes_nothing(6, &["promote", word])?;
        expect_said(&refused, &["nothing waits for a person", "hint"]);
    }

    world.waits_at_half()?;
    for line in [
        &["deploy", V2, "--tag", "3"][..],
        &["promote"],
        &["promote", "--tag", "1"],
        &["retire"],
        &["resume"],
    ] {
        let refused = world.changes_nothing(6, line)?;
        let parts = ["waits for a person at 50% blue", "--continue", "--abort"];
        expect_said(&refused, &parts);
        world.expect_waiting(&line.join(" "))?;
    }
    for word in ["promote", "resume"] {
        world.changes_nothing(6, &[word, "--dry-run"])?;
    }
    let back = world.changes_nothing(0, &["rollback", "--dry-run"])?;
    let step = "point port 80 at green";
    assert!(back.stdout.contains(step), "{}", back.shown());
    let went_on = world.done(&["promote", "--continue"])?;
    world.expect_live("2", &went_on.shown())?;
    let newest = world.history()?.remove(0);
    assert_eq!(newest["command"], "promote", "{newest:#}");

    world.done(&["rollback", "--window", "0s"])?;
    for back in [&["promote", "--abort"][..], &["rollback"]] {
        world.waits_at_half()?;
        let ended = world.done(back)?;
        world.expect_live("1", &ended.shown())?;
    }
    Ok(())
}

#[test]
fn a_canary_goes_stage_by_stage_and_only_one_at_a_time() -> Outcome {
    let world = World::with_v2_idle("canary")?;
    let planned = world.changes_nothing(0, &["promote", "--canary", "10%:1m", "--dry-run"])?;
    for part in [
        "10% blue",
        "point port 80 at blue",
        "point port 81 at green",
    ] {
        assert!(
            planned.stdout.contains(part),
            "{part}:\n{}",
            planned.shown()
        );
    }
    world.changes_nothing(2, &["promote", "--canary", "0.05%:1m"])?;
    world.changes_nothing(6, &["promote", "--tag", "9", "--canary", "10%:1m"])?;

    let line = ["promote", "--canary", "20%:3s", "--bake", "1s", "--json"];
    let mut first = world.start(&line)?;
    first.until_said("20%")?;
    world.until("users are on both", || Ok(world.share_of("blue")? == 20))?;
    for other in [&["promote", "--canary", "50%:1s"][..], &["rollback"]] {
        let refused = world.ends(6, other)?;
        expect_said(&refused, &["has been running `promote`"]);
    }
    let ended = first.ends(0)?;
    assert_eq!(ended.json()?["outcome"], "committed", "{}", ended.shown());
    world.expect_live("2", "the canary")?;
    world.done(&["rollback", "--window", "0s"])?;

    for signal in ["INT", "TERM"] {
        let mut stopped = world.start(&["promote", "--tag", "2", "--canary", "20%:60s"])?;
        stopped.until_said("20%")?;
        world.until("users are on both", || Ok(world.share_of("blue")? == 20))?;
        stopped.signal(signal)?;
        let ended = stopped.ends(3)?;
        expect_said(&ended, &["interrupt"]);
        world.expect_live("1", &ended.shown())?;
        assert_eq!(world.history()?[0]["outcome"], "rolled_back");
    }

    world.done(&["retire"])?;
    let before = world.status()?;
    world.ends(6, &["promote", "blue", "--canary", "10%:1m"])?;
    assert_eq!(world.status()?, before);
    Ok(())
}

#[test]
fn a_hook_that_fails_lets_nothing_go_on() -> Outcome {
    let world = World::with_v2_idle("hooked")?;
    let canary = [
        "promote", "--tag", "2", "--canary", "20%:1s", "--bake", "1s",
    ];
    world.configure_hooks("before_shift = \"echo not now; exit 7\"\n")?;
    let refused = world.changes_nothing(6, &canary)?;
    expect_said(&refused, &["before_shift failed", "not now"]);
    world.expect_live("1", &refused.shown())?;

    let hooks = "after_stage = 'test \"$BGECS_STAGE\" != 1'\nafter_rollback = 'echo \"$BGECS_TO_TAG\" >> told'\n";
    world.configure_hooks(hooks)?;
    let back = world.ends(3, &canary)?;
    expect_said(&back, &["after_stage of stage 1 failed"]);
    world.expect_live("1", &back.shown())?;
    let told = || std::fs::read_to_string(world.desk.path().join("told"));
    assert_eq!(told()?, "2\n");

    // The last stage is over once all users were watched.
    let hooks = "after_stage = 'test \"$BGECS_STAGE\" != 2'\n";
    world.configure_hooks(hooks)?;
    let back = world.ends(3, &canary)?;
    expect_said(&back, &["after_stage of stage 2 failed"]);
    world.expect_live("1", &back.shown())?;

    // One that waits is ended with bgecs, by which users stay where they are.
    world.configure_hooks("before_shift = \"echo it waits; sleep 60\"\n")?;
    let mut waiting = world.start(&canary)?;
    waiting.until_said("it waits")?;
    waiting.signal("INT")?;
    let ended = waiting.ends(130)?;
    world.expect_live("1", &ended.shown())
}

#[test]
fn an_alarm_that_rings_stops_a_canary() -> Outcome {
    let world = World::with_v2_idle("alarmed")?;
    world.measures_errors()?;
    world.configure_more("[shift]\nalarms = [\"errors\"]\n")?;
    world.alarm_is("ALARM")?;
    let line = ["promote", "--tag", "2", "--canary", "20%:40s", "--json"];
    let refused = world.changes_nothing(6, &line)?;
    expect_said(&refused, &["errors"]);

    world.alarm_is("OK")?;
    let mut canary = world.start(&line)?;
    canary.until_said("20%")?;
    world.until("users are on both", || Ok(world.share_of("blue")? == 20))?;
    world.alarm_is("ALARM")?;
    let ended = canary.ends(3)?;
    assert_eq!(ended.json()?["outcome"], json!("rolled_back"));
    expect_said(&ended, &["errors"]);
    world.expect_live("1", &ended.shown())?;

    // A way back does not ask them.
    world.alarm_is("OK")?;
    world.done(&["promote", "--tag", "2", "--window", "1s"])?;
    world.alarm_is("ALARM")?;
    world.done(&["rollback", "--window", "1s"])?;
    world.expect_live("1", "the rollback")
}
