//! Several operators who do not know of each other: one at a time changes
//! something, and nothing that one did is lost on the next.

mod record;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Ended, Outcome};
use crate::world::{World, string};
use record::expect_no_overlap;

/// How long new commands are begun.
const BUSY: Duration = Duration::from_secs(15);
/// Between two tries of one who does not wait: nobody is quicker by hand.
const BREATH: Duration = Duration::from_millis(300);

/// What one operator ran.
struct Run {
    key: String,
    began: Instant,
    over: Instant,
    ended: Ended,
    changed: bool,
}

/// Deploys and promotes in turn until the time is up. Every second operator
/// waits in line.
fn operate(world: &World, number: usize, began: Instant) -> Outcome<Vec<Run>> {
    let key = format!("operator{number}");
    let image = format!("{}/bgecs-{}:2", world.registry(), world.app);
    let mut runs = Vec::new();
    let mut round = 0;
    while began.elapsed() < BUSY {
        round += 1;
        let tag = format!("{number}-{round}");
        let deploy = ["deploy", "--image", &image, "--tag", &tag];
        let promote = ["promote", "--window", "1s"];
        let line = match (number + round) % 2 {
            0 => &deploy[..],
            _ => &promote[..],
        };
        let mut line = [line, &["--json"]].concat();
        if number.is_multiple_of(2) {
            line.extend(["--wait", "20s"]);
        }
        let mut command = world.desk.command(&line);
        command.env("AWS_ACCESS_KEY_ID", &key);
        let begun = Instant::now();
        let ended = world.desk.ended(&line, &command.output()?);
        let result = ended.json()?;
        let outcome = result["outcome"].as_str();
        let changed = ended.code == Some(0) && outcome != Some("unchanged");
        if ended.code == Some(6) {
            thread::sleep(BREATH);
        }
        runs.push(Run {
            key: key.clone(),
            began: begun,
            over: Instant::now(),
            ended,
            changed,
        });
    }
    Ok(runs)
}

/// A user, who asks for as long as there is something to see.
fn watch(world: &World, url: &str, is_over: &AtomicBool) -> Outcome<usize> {
    let mut asked = 0;
    while !is_over.load(Ordering::Relaxed) {
        let (code, body) = world.api.visit(url, "/api")?;
        if code != 200 {
            return Err(format!("request {asked} got {code}: {body}").into());
        }
        asked += 1;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(asked)
}

/// All that the operators ran, while production was asked.
fn at_once(world: &World, operators: usize) -> Outcome<Vec<Run>> {
    let prod = string(&world.status()?, "/urls/prod")?;
    let is_over = AtomicBool::new(false);
    let began = Instant::now();
    let (runs, asked) = thread::scope(|scope| {
        let user = scope.spawn(|| watch(world, &prod, &is_over));
        let operators: Vec<_> = (1..=operators)
            .map(|number| scope.spawn(move || operate(world, number, began)))
            .collect();
        let runs: Outcome<Vec<Vec<Run>>> = operators
            .into_iter()
            .map(|operator| operator.join().map_err(|_| "an operator panicked")?)
            .collect();
        is_over.store(true, Ordering::Relaxed);
        let asked = user.join().map_err(|_| "the user panicked")?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((runs?, asked?))
    })?;
    assert!(asked > 0);
    Ok(runs.into_iter().flatten().collect())
}

/// Another deployed over what it was to make live, while it stood in line.
fn came_too_late(ended: &Ended) -> bool {
    ended.code == Some(6) && ended.stderr.contains("is gone now")
}

/// It is done, or another is at work, whom it names, or was.
fn expect_a_clear_end(ended: &Ended) {
    match ended.code {
        Some(0) => {}
        Some(6) if came_too_late(ended) => {}
        Some(6) => {
            let names = [
                ", has been running `",
                "others are waiting in line for the lease",
            ];
            let is_named = names.iter().any(|name| ended.stderr.contains(name));
            assert!(is_named, "{}", ended.shown());
        }
        _ => panic!("{}", ended.shown()),
    }
}

/// The history has every change once, and each begins where the last one ended.
fn expect_no_lost_update(world: &World, before: &[Value], runs: &[Run]) -> Outcome {
    let history = world.history()?;
    let all: Vec<&Value> = history.iter().rev().skip(before.len()).collect();
    let changed = runs.iter().filter(|run| run.changed);
    let shown = || {
        let runs = runs.iter().map(|run| run.ended.shown());
        format!("{history:#?}\n{}", runs.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(all.len(), changed.count(), "{}", shown());
    let mut live = "green".to_owned();
    let mut tags = std::collections::BTreeMap::new();
    tags.insert("blue".to_owned(), "2".to_owned());
    tags.insert("green".to_owned(), "1".to_owned());
    for operation in all {
        assert_eq!(operation["outcome"], "done", "{operation:#}");
        assert_eq!(operation["from"], *live, "{}", shown());
        let color = string(operation, "/color")?;
        let tag = string(operation, "/tag")?;
        if operation["command"] == "promote" {
            assert_eq!(tags.get(&color), Some(&tag), "{}", shown());
            live = color;
        } else {
            assert_ne!(color, live, "{}", shown());
            tags.insert(color, tag);
        }
    }
    let status = world.status()?;
    assert_eq!(status["live"], *live, "{}", shown());
    for (color, tag) in tags {
        assert_eq!(status["colors"][&color]["tag"], *tag, "{}", shown());
    }
    Ok(())
}

fn take_turns(operators: usize) -> Outcome {
    let world = World::with_v2_idle(&format!("turns{operators}"))?;
    let before = world.gate.calls().mark();
    let (fence, history) = (world.fence()?, world.history()?);
    let runs = at_once(&world, operators)?;
    for run in &runs {
        expect_a_clear_end(&run.ended);
    }
    let changes = runs.iter().filter(|run| run.changed).count();
    assert!(changes > 1, "there was something to lose");
    expect_no_overlap(&runs, &world.gate.calls().since(before));
    expect_no_lost_update(&world, &history, &runs)?;
    let took_its_turn = |run: &&Run| run.ended.code == Some(0) || came_too_late(&run.ended);
    let takings = runs.iter().filter(took_its_turn);
    assert_eq!(world.fence()? - fence, takings.count());
    world.expect_settled("all turns")
}

#[test]
fn two_operators_take_turns() -> Outcome {
    take_turns(2)
}

#[test]
fn ten_operators_take_turns() -> Outcome {
    take_turns(10)
}
