use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::model::testing::{
    NOT_HOSTED, PORTS, holder, moment, move_to, nowhere, observed, observed_by_header, operation,
    to, with_previous,
};
use crate::model::{Hook, Move, PerRoute, Revision, Split};

const BLUE: Option<Color> = Some(Color::Blue);
const GREEN: Option<Color> = Some(Color::Green);

fn revision() -> Revision {
    Revision::new("task-definition/bgecs-hello:2")
}

fn every_effect() -> Vec<Effect> {
    let digest = format!("sha256:{}", "2".repeat(64)).parse().unwrap();
    let name = || "bgecs-hello".to_owned();
    let color = Color::Blue;
    vec![
        Effect::PushImage { name: name() },
        Effect::RegisterTaskDefinition {
            family: name(),
            digest,
        },
        Effect::CreateService {
            color,
            task_definition: revision(),
        },
        Effect::UpdateService {
            color,
            task_definition: Some(revision()),
            desired: None,
        },
        Effect::UpdateService {
            color,
            task_definition: None,
            desired: Some(0),
        },
        Effect::Move(Move {
            route: Route::Production,
            from: Some(Split::all(Color::Green)),
            to: Split::all(color),
        }),
        Effect::Move(move_to(Route::Test, color)),
        Effect::RunHook {
            hook: Hook::BeforeStage,
            stage: Some(2),
        },
        Effect::RunHook {
            hook: Hook::AfterShift,
            stage: None,
        },
        Effect::DeleteService { color },
        Effect::DeleteTaskDefinitions { count: 2 },
        Effect::DeleteImages { repository: name() },
        Effect::UpdateStack { name: name() },
        Effect::DeleteStack { name: name() },
    ]
}

/// With every optional field and every kind of entry.
fn full() -> Operation {
    let mut full = operation();
    full.who.url = Some("https://ci.example/1".to_owned());
    full.who.process = Some(Process {
        realm: "boot pid:[1]".to_owned(),
        pid: 42,
        started: 777,
    });
    full.digest = format!("sha256:{}", "2".repeat(64)).parse().ok();
    full.task_definition = Some(revision());
    for effect in every_effect() {
        full.intend(moment(), effect);
    }
    full.entries[0].fate = Some(Fate::Done);
    full.entries[1].fate = Some(Fate::Failed("AccessDenied".to_owned()));
    full.taken_up_by = vec![holder().who];
    full.ending = Some(Ending {
        at: moment(),
        outcome: OperationOutcome::RolledBack,
        reason: Some("users saw failures".to_owned()),
        watched: Some(Watched {
            requests: 52,
            failed: 7,
            changeover_ms: Some(-3),
        }),
    });
    full
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

#[test]
fn what_is_written_is_read_back_the_same() {
    survives(&full());
    survives(&operation());
    survives(&Operation::of(&holder()));
    survives(&holder());
    survives(&Truth::default());
    survives(&Truth {
        production: Some(Deployed::somewhere_on(Color::Blue)),
        test: GREEN,
        previous: Some(Deployed::somewhere_on(Color::Green).into()),
        hosted: NOT_HOSTED,
    });
    for left in [Left::Replaced, Left::RolledBack, Left::TakenBack] {
        let release = operation().release().unwrap();
        survives(&Truth {
            previous: Some(Previous { release, left }),
            ..Truth::default()
        });
    }
    for outcome in [
        OperationOutcome::Done,
        OperationOutcome::RolledBack,
        OperationOutcome::Failed,
        OperationOutcome::Refused,
        OperationOutcome::TimedOut,
        OperationOutcome::Interrupted,
        OperationOutcome::Left,
        OperationOutcome::Finished,
        OperationOutcome::Undone,
        OperationOutcome::Superseded,
        OperationOutcome::Adopted,
    ] {
        survives(&Ending {
            at: moment(),
            outcome,
            reason: None,
            watched: None,
        });
    }
}

/// Adds a field to each object, and to each in it.
fn of_tomorrow(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(of_tomorrow);
            // A failure is its reason alone.
            if !fields.contains_key("failed") || fields.len() > 1 {
                fields.insert("tomorrow".to_owned(), json!([1]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(of_tomorrow),
        _ => {}
    }
}

#[test]
fn fields_that_a_newer_minor_version_adds_are_passed_over() {
    let mut newer = serde_json::to_value(full()).unwrap();
    of_tomorrow(&mut newer);
    assert!(newer["entries"][5]["tomorrow"].is_array());
    assert_eq!(serde_json::from_value::<Operation>(newer).unwrap(), full());
    let truth = json!({ "prod": "blue", "tomorrow": 1 });
    let truth: Truth = serde_json::from_value(truth).unwrap();
    assert_eq!((truth.live(), truth.test), (BLUE, None));
}

/// What changes here is not what older versions have written.
#[test]
fn the_form_of_an_operation() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&full()).unwrap());
}

#[test]
fn an_operation_has_a_name_and_last_words() {
    let mut operation = operation();
    assert_eq!(operation.name(), "promote of tag 2 to blue");
    assert_eq!(operation.last_words(&PORTS), "nothing was done");
    let effect = every_effect().remove(5);
    operation.intend(moment(), effect.clone());
    assert_eq!(
        operation.last_words(&PORTS),
        "it was about to point port 80 at blue"
    );
    operation.settle(Fate::Done);
    // What is settled stays so.
    operation.settle(Fate::Failed("no".to_owned()));
    assert_eq!(
        operation.last_words(&PORTS),
        "the last it did: point port 80 at blue"
    );
    operation.intend(moment(), effect);
    operation.settle(Fate::Failed("denied".to_owned()));
    assert_eq!(
        operation.last_words(&PORTS),
        "it could not point port 80 at blue: denied"
    );
    operation.command = Command::Retire;
    operation.tag = None;
    assert_eq!(operation.name(), "retire of blue");
}

#[test]
fn a_hook_has_run_once_it_ended_well() {
    let mut operation = operation();
    let [second, third] = [Some(2), Some(3)];
    let (hook, stage) = (Hook::BeforeStage, second);
    operation.intend(moment(), Effect::RunHook { hook, stage });
    assert_eq!(
        operation.last_words(&PORTS),
        "it was about to run the hook before_stage of stage 2"
    );
    assert!(!operation.has_run(hook, second), "it may have been killed");
    operation.settle(Fate::Failed("exit status: 3".to_owned()));
    assert!(!operation.has_run(hook, second));
    operation.intend(moment(), Effect::RunHook { hook, stage });
    operation.settle(Fate::Done);
    assert!(operation.has_run(hook, second));
    assert!(!operation.has_run(hook, third) && !operation.has_run(hook, None));
    assert!(!operation.has_run(Hook::AfterStage, second));
}

#[test]
fn ids_sort_by_time() {
    let id =
        |seconds, random| OperationId::new(moment() + time::Duration::seconds(seconds), random);
    assert_eq!(id(0, 42).as_str(), "20231114T221320Z-0000002a");
    assert!(id(0, u32::MAX) < id(1, 0));
}

#[test]
fn what_format_1_knew_only_the_colour_of_is_read() {
    let truth: Truth =
        serde_json::from_value(json!({ "prod": "blue", "test": "green", "previous": "green" }))
            .unwrap();
    let previous = truth.previous.unwrap();
    assert_eq!(previous.left, Left::Replaced);
    assert_eq!(previous.release, Deployed::somewhere_on(Color::Green));

    let mut older = serde_json::to_value(operation()).unwrap();
    older["from"] = json!("green");
    let read: Operation = serde_json::from_value(older).unwrap();
    assert_eq!(read.was_live(), GREEN);
}

#[test]
fn a_rollback_leaves_what_it_went_back_from() {
    let before = Truth {
        production: Some(Deployed::somewhere_on(Color::Blue)),
        test: GREEN,
        previous: None,
        hosted: NOT_HOSTED,
    };
    let mut world = observed();
    world.colors.blue.service = Some(crate::model::testing::service(2));
    for (command, left) in [
        (Command::Rollback, Left::RolledBack),
        (Command::Promote, Left::Replaced),
        (Command::Adopt, Left::Replaced),
    ] {
        let mut ended = operation();
        (ended.command, ended.from) = (command, world.deployed(Color::Blue));
        let previous = Truth::after(Some(&before), &ended, &world).previous;
        let previous = previous.unwrap();
        assert_eq!(previous.left, left);
        assert!(previous.release.runs_still(&world));
        assert!(previous.release.revision.is_some());
    }
}

#[test]
fn the_release_before_is_the_one_that_was_live() {
    let truth = |production: Option<Color>, test, previous: Option<Color>| Truth {
        production: production.map(Deployed::somewhere_on),
        test,
        previous: previous.map(|color| Deployed::somewhere_on(color).into()),
        hosted: NOT_HOSTED,
    };
    // Where the last operation left them, where they are, what holds now.
    for (earlier, (production, test), expected) in [
        (
            None,
            (to(Color::Green), to(Color::Blue)),
            truth(GREEN, BLUE, None),
        ),
        (
            Some(truth(GREEN, BLUE, None)),
            (to(Color::Blue), to(Color::Green)),
            truth(BLUE, GREEN, GREEN),
        ),
        (
            Some(truth(GREEN, BLUE, BLUE)),
            (to(Color::Green), to(Color::Green)),
            truth(GREEN, GREEN, BLUE),
        ),
        (
            Some(truth(None, None, None)),
            (to(Color::Blue), to(Color::Green)),
            truth(BLUE, GREEN, None),
        ),
        (
            Some(truth(GREEN, BLUE, None)),
            (nowhere(), nowhere()),
            truth(None, None, GREEN),
        ),
    ] {
        let mut world = observed();
        world.traffic = PerRoute { production, test };
        let after = Truth::after(earlier.as_ref(), &operation(), &world);
        assert_eq!(after, expected);
    }
}

#[test]
fn a_test_route_by_header_never_drifts() {
    let world = with_previous(observed_by_header(), None);
    let truth = world.journal.truth.clone().unwrap();
    assert_eq!((truth.live(), truth.test), (GREEN, None));
    assert_eq!(world.drift(), []);
    // It had a place of its own when the last operation ended.
    let mut world = world;
    world.journal.truth = Some(Truth {
        test: BLUE,
        ..truth
    });
    assert_eq!(world.drift(), []);
    world.traffic.production = to(Color::Blue);
    assert_eq!(world.drift().len(), 1);
}

#[test]
fn drift_is_what_no_operation_explains() {
    let mut world = with_previous(observed(), None);
    assert_eq!(world.drift(), []);
    world.traffic.production = nowhere();
    world.traffic.test = to(Color::Green);
    let told: Vec<_> = world.drift().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "port 80 forwards to nothing, and the journal says green",
            "port 81 forwards to green, and the journal says blue",
        ]
    );
    let mut unfinished = world.clone();
    unfinished.journal.operation = Some(operation());
    assert_eq!(unfinished.drift(), [], "it says itself where they may be");
    world.journal.truth = None;
    assert_eq!(world.drift(), [], "nothing is known");
}

#[test]
fn a_move_of_format_2_was_a_listener_s() {
    for (old, from) in [
        (json!(null), None),
        (json!("tg/green"), GREEN),
        (json!("tg/blue"), BLUE),
    ] {
        let entry = json!({
            "effect": "point_listener", "port": "test", "color": "blue",
            "old": old, "new": "tg/blue", "at": "2023-11-14T22:13:20Z",
        });
        let entry: Entry = serde_json::from_value(entry).unwrap();
        let expected = Move {
            route: Route::Test,
            from: from.map(Split::all),
            to: Split::all(Color::Blue),
        };
        assert_eq!(entry.effect, Effect::Move(expected));
    }
    let uneven = json!({ "blue": 1, "green": 1 });
    assert!(serde_json::from_value::<Split>(uneven).is_err());
}
