//! `kill -9` of a promotion that goes step by step, at moments of each kind; what
//! is asserted holds for all of them.

use std::thread;

use localstack::gate::crash::{Side, Write};
use serde_json::Value;

use crate::support::Outcome;
use crate::world::{World, string};

const CANARY: [&str; 7] = [
    "promote",
    "--tag",
    "2",
    "--steps",
    "10% for 1s,50% for 1s",
    "--bake",
    "1s",
];
const WITH_A_PAUSE: [&str; 7] = [
    "promote",
    "--tag",
    "2",
    "--steps",
    "50% pause",
    "--bake",
    "1s",
];
/// Says which stage is next, and waits where it is told to.
const HOOK: &str = "[hooks]\nbefore_stage = 'echo \"$BGECS_STAGE\" >> ran; while test -e hold-$BGECS_STAGE; do sleep 0.1; done'\n";

/// When it is killed. Moves are counted from 1, and the last one is the test
/// route's; stages are those of production.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// The stage's hook runs.
    InHook(usize),
    /// It ended well, and the journal says so.
    HookDone(usize),
    /// The move is in the journal, and was not made.
    Noted(usize),
    /// It was made, and nobody heard of it.
    Moved(usize),
    /// Its stage is watched.
    Baking(usize),
    /// The pause is in the journal.
    InPause,
}

/// What is done after a kill, and what comes of it.
struct Case {
    at: Point,
    line: &'static [&'static str],
    live: &'static str,
    /// What the hooks ran for, all in all.
    ran: &'static [&'static str],
}

fn case(
    at: Point,
    line: &'static [&'static str],
    live: &'static str,
    ran: &'static [&'static str],
) -> Case {
    Case {
        at,
        line,
        live,
        ran,
    }
}

/// The write after which a point comes, among those of a whole run.
fn write_of(writes: &[Write], point: Point) -> Outcome<Write> {
    let is_move = |write: &Write| write.operation == "ModifyListener";
    let mut moves = (0..writes.len()).filter(|&n| is_move(&writes[n]));
    let mut of_move = |number: usize| moves.nth(number - 1).ok_or("there are fewer moves");
    let n = match point {
        Point::HookDone(stage) | Point::InHook(stage) => of_move(stage)? - 2,
        Point::Noted(number) => of_move(number)? - 1,
        Point::Moved(number) => of_move(number)?,
        Point::Baking(number) => of_move(number)? + 1,
        // The lease is given back by the last.
        Point::InPause => writes.len() - 2,
    };
    Ok(writes.get(n).ok_or("there are fewer writes")?.clone())
}

impl World {
    fn with_a_canary(app: &str) -> Outcome<Self> {
        let world = Self::with_v2_idle(app)?;
        world.configure_more(HOOK)?;
        Ok(world)
    }

    fn ran(&self) -> Outcome<Vec<String>> {
        let ran = std::fs::read_to_string(self.desk.path().join("ran"))?;
        Ok(ran.lines().map(ToOwned::to_owned).collect())
    }

    /// Tag 1 is live, and no hook has run.
    fn starts_over(&self) -> Outcome {
        let _ = std::fs::remove_file(self.desk.path().join("ran"));
        if string(&self.status()?, "/live")? == "blue" {
            self.done(&["rollback", "--window", "0s"])?;
        }
        Ok(())
    }

    fn killed_at(&self, line: &[&str], writes: &[Write], point: Point) -> Outcome {
        match point {
            Point::InHook(stage) => {
                let hold = self.desk.write(&format!("hold-{stage}"), "")?;
                let running = self.start(line)?;
                let stage = stage.to_string();
                self.until("the hook runs", || {
                    Ok(self.ran().unwrap_or_default().contains(&stage))
                })?;
                running.signal("KILL")?;
                running.end()?;
                std::fs::remove_file(hold)?;
            }
            _ => self.killed_at_write(line, &write_of(writes, point)?, Side::After)?,
        }
        Ok(())
    }

    /// What is so wherever it was killed, and what `status` says of it.
    fn expect_named(&self, what: &str) -> Outcome<Value> {
        let status = self.status()?;
        let prod = string(&status, "/urls/prod")?;
        for _ in 0..5 {
            assert_eq!(self.api.visit(&prod, "/api")?.0, 200, "{what}");
        }
        let left = &status["unfinished"];
        assert_eq!(left["command"], "promote", "{what}: {status:#}");
        let forwards = &status["listeners"]["prod"]["forwards"];
        let is_split = forwards.as_array().is_some_and(|to| to.len() > 1);
        assert_eq!(
            left["split_since"].is_string(),
            is_split,
            "{what}: {status:#}"
        );
        Ok(status)
    }

    /// The release of that tag is live, and nothing is unfinished.
    pub fn expect_end(&self, tag: &str, what: &str) -> Outcome {
        let status = self.expect_consistent(what)?;
        let live = string(&status, "/live")?;
        assert_eq!(status["colors"][&live]["tag"], tag, "{what}: {status:#}");
        Ok(())
    }

    fn plays(&self, line: &[&str], writes: &[Write], case: &Case) -> Outcome {
        self.starts_over()?;
        let what = format!("killed {:?}, then {:?}", case.at, case.line);
        self.killed_at(line, writes, case.at)?;
        self.expect_named(&what)?;
        let ended = self.done(case.line)?;
        let what = format!("{what}: {}", ended.shown());
        self.expect_end(case.live, &what)?;
        assert_eq!(self.ran()?, case.ran, "{what}");
        Ok(())
    }
}

/// Goes through the cases on a world of its own.
fn play(app: &str, line: &[&str], cases: &[Case]) -> Outcome {
    let world = World::with_a_canary(app)?;
    let writes = world.writes_of(line)?;
    for case in cases {
        world.plays(line, &writes, case)?;
    }
    Ok(())
}

fn forward() -> Outcome {
    const RESUME: &[&str] = &["resume"];
    let cases = [
        case(Point::HookDone(1), RESUME, "1", &["1"]),
        case(Point::Noted(1), RESUME, "1", &["1"]),
        case(Point::Moved(1), RESUME, "2", &["1", "2", "3"]),
        case(Point::InHook(2), RESUME, "2", &["1", "2", "2", "3"]),
        case(Point::HookDone(2), RESUME, "2", &["1", "2", "3"]),
        case(Point::Baking(2), RESUME, "2", &["1", "2", "3"]),
        case(Point::Moved(3), RESUME, "2", &["1", "2", "3"]),
        case(Point::Noted(4), RESUME, "2", &["1", "2", "3"]),
    ];
    play("onward", &CANARY, &cases)
}

fn back() -> Outcome {
    const ROLLBACK: &[&str] = &["rollback"];
    // Typed again, it finishes what there is, and has nothing left to do.
    let cases = [
        case(Point::Moved(1), ROLLBACK, "1", &["1"]),
        case(Point::InHook(2), ROLLBACK, "1", &["1", "2"]),
        case(Point::Noted(2), ROLLBACK, "1", &["1", "2"]),
        case(Point::Baking(2), ROLLBACK, "1", &["1", "2"]),
        case(Point::Moved(3), ROLLBACK, "1", &["1", "2", "3"]),
        case(Point::Moved(4), ROLLBACK, "1", &["1", "2", "3"]),
        case(Point::Moved(2), &CANARY, "2", &["1", "2", "3"]),
    ];
    play("homeward", &CANARY, &cases)
}

/// The pause, and the processes that end it.
fn paused() -> Outcome {
    let world = World::with_a_canary("halfway")?;
    let go_on = ["promote", "--continue"];
    let abort = ["promote", "--abort"];
    let to_pause = world.writes_of(&WITH_A_PAUSE)?;
    let of_continue = world.writes_of(&go_on)?;
    world.starts_over()?;
    world.killed_at(&WITH_A_PAUSE, &to_pause, Point::InPause)?;
    let status = world.expect_named("killed in the pause")?;
    assert!(
        status["unfinished"]["waiting_since"].is_string(),
        "{status:#}"
    );
    world.ends(6, &["resume"])?;
    // From the pause on: a hook, the rest of production, and the test route.
    world.killed_at(&go_on, &of_continue, Point::Moved(1))?;
    world.expect_named("killed in --continue")?;
    world.done(&["resume"])?;
    world.expect_end("2", "--continue, then resume")?;
    assert_eq!(world.ran()?, ["1", "2"]);

    world.starts_over()?;
    world.done(&WITH_A_PAUSE)?;
    world.killed_at(&go_on, &of_continue, Point::HookDone(1))?;
    world.expect_named("killed after the hook of --continue")?;
    world.done(&["resume"])?;
    world.expect_end("2", "the hook of --continue, then resume")?;
    assert_eq!(world.ran()?, ["1", "2"]);

    world.starts_over()?;
    world.done(&WITH_A_PAUSE)?;
    let of_abort = world.writes_of(&abort)?;
    world.expect_end("1", "--abort")?;
    for point in [Point::Noted(1), Point::Moved(1)] {
        world.starts_over()?;
        world.done(&WITH_A_PAUSE)?;
        world.killed_at(&abort, &of_abort, point)?;
        let what = format!("--abort killed {point:?}");
        world.expect_named(&what)?;
        world.done(&["resume"])?;
        world.expect_end("1", &what)?;
    }
    Ok(())
}

#[test]
fn a_canary_that_is_killed_anywhere_is_named_and_ended() -> Outcome {
    // Each of them waits most of the time.
    let worlds = [forward, back, paused].map(thread::spawn);
    for world in worlds {
        world.join().map_err(|_| "a world panicked")??;
    }
    Ok(())
}
