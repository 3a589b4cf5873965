use std::time::Duration;

use super::*;
use crate::aws::testing::Wire;
use crate::cli::WatchFlags;
use crate::commands::asking::watching;
use crate::driver::asking::base;
use crate::model::Color;
use crate::model::Revision;
use crate::model::testing::{assert_names_hosts, hosts, observed};

#[test]
fn what_is_done_already_is_no_step() {
    let session = Session::of_hello(Wire::new().aws());
    let strategy = swap_to(Color::Green);
    let is_back = false;
    let way = Resolution::Shift { strategy, is_back };
    let [Step::Probe { .. }] = steps(
        &session,
        &observed(),
        Command::Promote,
        &way,
        &watched(&session),
    )[..] else {
        panic!("both listeners are where the swap has them");
    };
}

#[test]
fn each_way_has_its_steps() {
    let session = Session::of_hello(Wire::new().aws());
    let color = Color::Blue;
    let world = observed();
    let names = |way: Resolution| -> Vec<String> {
        let steps = serde_json::to_value(steps(
            &session,
            &world,
            Command::Promote,
            &way,
            &watched(&session),
        ))
        .unwrap();
        let steps = steps.as_array().unwrap().iter();
        steps.map(ToString::to_string).collect()
    };
    let mut all = String::new();
    for way in [
        Resolution::Undone,
        Resolution::Shift {
            strategy: swap_to(color),
            is_back: false,
        },
        Resolution::MakeLive { color },
        Resolution::AwaitServing {
            color,
            task_definition: Revision::new("task-definition/bgecs-hello:2"),
        },
        Resolution::ForgetRevision,
        Resolution::AwaitRetired { color },
        Resolution::GoOnDestroying,
        Resolution::AwaitStack,
    ] {
        all += &format!("{}\n", names(way).join(", "));
    }
    insta::assert_snapshot!(all.trim(), @r#"
    "point port 80 at blue, and read it back", "point port 81 at green, and read it back", "probe port 80 10 times a second for 15 s; take it back if anything fails"
    "point port 80 at blue, and read it back", "point port 81 at green, and read it back"
    "wait until blue serves"
    "delete 1 revision of the task definition bgecs-hello"
    "scale blue to zero tasks"
    "delete the CloudFormation stack bgecs-hello and all in it"
    "wait until the stack bgecs-hello is settled"
    "#);
}

fn swap_to(color: Color) -> Strategy {
    Strategy::all_at_once(color, &observed().traffic, Duration::from_secs(15))
}

fn watched(session: &Session) -> Watching {
    watching(&WatchFlags::default(), base(None, &session.config.probe))
}

#[test]
fn the_steps_of_a_plan_call_a_route_what_its_router_calls_it() {
    let session = Session::of_hello(Wire::new().aws());
    let mut world = observed();
    world.ecs_mut().endpoints = hosts();
    let way = Resolution::Shift {
        strategy: swap_to(Color::Blue),
        is_back: false,
    };
    let steps = steps(&session, &world, Command::Promote, &way, &watched(&session));
    assert_eq!(steps.len(), 3);
    for step in steps {
        assert_names_hosts(&step.to_string());
    }
}
