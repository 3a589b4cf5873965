use super::*;
use crate::model::testing::{PORTS, move_to};
use crate::model::{Color, Route};

#[test]
fn every_step_in_words() {
    let color = Color::Blue;
    let name = || "bgecs-hello".to_owned();
    let steps = vec![
        Step::CreateStack { name: name() },
        Step::UpdateStack {
            name: name(),
            changes: vec![
                "HealthPath from `/` to `/health`".to_owned(),
                "App from `a` to `b`".to_owned(),
            ],
        },
        Step::RunHook {
            command: "cargo build --release".to_owned(),
        },
        Step::Build {
            context: "./v2".to_owned(),
        },
        Step::TakeImage {
            reference: "ghcr.io/acme/hello:2".to_owned(),
        },
        Step::Push {
            repository: "1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello".to_owned(),
            tag: "2".parse().unwrap(),
        },
        Step::RegisterTaskDefinition { family: name() },
        Step::CreateService {
            service: color.to_string(),
            desired: 1,
        },
        Step::UpdateService {
            service: color.to_string(),
            desired: None,
            restart: false,
            changes: Vec::new(),
        },
        Step::UpdateService {
            service: color.to_string(),
            desired: Some(3),
            restart: true,
            changes: Vec::new(),
        },
        Step::Await {
            color,
            blind: false,
        },
        Step::Scale { color, desired: 3 },
        Step::Check,
        Step::Baseline {
            production: PORTS.production,
            seconds: 1.0,
        },
        Step::Move(move_to(Route::Production, color).told(&PORTS)),
        Step::Bake { seconds: 300.0 },
        Step::Pause,
        Step::Move(move_to(Route::Test, color.other()).told(&PORTS)),
        Step::Probe {
            production: PORTS.production,
            rate: 10.0,
            seconds: 15.0,
            takes_back: true,
        },
        Step::Retire {
            service: color.to_string(),
        },
        Step::DeleteService {
            service: "web (green)".to_owned(),
            tasks: 2,
        },
        Step::DeleteTaskDefinitions {
            family: name(),
            count: 7,
        },
        Step::DeleteImages { repository: name() },
        Step::DeleteStack { name: name() },
    ];
    let plan = PlanResult::of(Command::Promote, steps);
    insta::assert_snapshot!(plan.human(&Style::plain()), @r"
    promote would:
       1. create the CloudFormation stack bgecs-hello
       2. update the CloudFormation stack bgecs-hello: HealthPath from `/` to `/health`, App from `a` to `b`
       3. run the hook `cargo build --release`
       4. build the image from ./v2
       5. take the image ghcr.io/acme/hello:2
       6. push it to 1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello:2, unless it is there already
       7. register a revision of the task definition bgecs-hello, by digest
       8. create the service blue with 1 task
       9. update the service blue
      10. update the service blue, to 3 tasks, restarting its tasks
      11. wait until blue serves
      12. scale blue to 3 tasks
      13. check both colours and both routes
      14. probe port 80 for 1 s: it must answer without a failure before anything changes
      15. point port 80 at blue, and read it back
      16. watch it for 300 s
      17. wait for a person: `bgecs promote --continue` goes on, `bgecs promote --abort` goes back
      18. point port 81 at green, and read it back
      19. probe port 80 10 times a second for 15 s; take it back if anything fails
      20. scale blue to zero tasks
      21. stop 2 tasks and delete the service web (green)
      22. delete 7 revisions of the task definition bgecs-hello
      23. delete every image in the repository bgecs-hello
      24. delete the CloudFormation stack bgecs-hello and all in it
    Nothing was changed.
    ");
}

#[test]
fn a_blind_one_says_so() {
    let color = Color::Blue;
    let watch = |heeds_alarms, takes_back| Step::WatchBlind {
        color,
        heeds_alarms,
        seconds: 15.0,
        takes_back,
    };
    let steps = vec![
        Step::Await { color, blind: true },
        watch(true, true),
        watch(false, false),
    ];
    let plan = PlanResult::of(Command::Promote, steps);
    insta::assert_snapshot!(plan.human(&Style::plain()), @"
    promote would:
       1. wait until all of blue runs and its targets are healthy: it is not probed (--blind)
       2. watch the target health of blue and the alarms for 15 s, and ask production nothing (--blind); take it back if anything is amiss
       3. watch the target health of blue for 15 s, and ask production nothing (--blind); leave it, and say so, if anything is amiss
    Nothing was changed.
    ");
}

#[test]
fn nothing_to_do() {
    let plan = PlanResult::of(Command::Init, Vec::new());
    insta::assert_snapshot!(plan.human(&Style::plain()), @"init would do nothing");
}

#[test]
fn for_programs() {
    let plan = PlanResult::of(
        Command::Retire,
        vec![Step::Retire {
            service: "blue".to_owned(),
        }],
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).unwrap(), @r#"
    {
      "operation": "retire",
      "dry_run": true,
      "steps": [
        "scale blue to zero tasks"
      ]
    }
    "#);
}
