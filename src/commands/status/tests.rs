use std::collections::BTreeMap;

use time::macros::datetime;

use super::shown::age;
use super::*;
use crate::aws::StackStatus;
use crate::aws::testing::Wire;
use crate::model::journal::{Effect, Fate, Lease};
use crate::model::testing::{
    api_rule, assert_names_hosts, by_rules, hosts, lease, moment, move_to, nowhere, observed,
    operation, port_8080, redirect, service, to, to_a_stranger, with_previous,
};
use crate::model::{
    Color, ColorServices, Found, Release, Reserved, Rollout, Strategy, Target, TargetState, Targets,
};
use crate::report::{CommandResult, Style};

#[test]
fn ages_are_rounded_down() {
    let now = datetime!(2026-01-02 00:00:00 UTC);
    assert_eq!(age("2026-01-01T23:59:30Z", now), "30 s ago");
    assert_eq!(age("2026-01-01T23:00:30Z", now), "59 min ago");
    assert_eq!(age("2026-01-01T00:00:00Z", now), "24 h ago");
    assert_eq!(age("2025-12-30T00:00:00Z", now), "3 days ago");
    assert_eq!(age("yesterday", now), "yesterday");
}

fn release(tag: &str) -> Release {
    Release {
        tag: tag.parse().ok(),
        digest: format!("sha256:{}", tag.repeat(64)).parse().ok(),
        commit: Some("c0ffee".to_owned()),
        deployed_by: Some("alice".to_owned()),
        // What is no moment is shown as it is: the snapshot needs no clock.
        deployed_at: Some("some time ago".to_owned()),
        operation: None,
        config: None,
        reserves: Some(Reserved {
            cpu: 256,
            memory: 512,
        }),
        is_deregistered: false,
    }
}

fn targets(states: &[TargetState]) -> Targets {
    let target = |state: &TargetState| Target {
        id: "10.0.0.1".to_owned(),
        state: *state,
        reason: None,
        description: None,
    };
    Targets(states.iter().map(target).collect())
}

/// Green is live with tag 1, blue idle with tag 2.
fn world() -> Observed {
    let mut world = observed();
    world.colors.green.service = Some(service(2));
    world.colors.green.release = Some(release("1"));
    world.colors.green.targets = targets(&[TargetState::Healthy, TargetState::Healthy]);
    world.colors.blue.service = Some(service(2));
    world.colors.blue.release = Some(release("2"));
    world.colors.blue.targets = targets(&[TargetState::Healthy, TargetState::Initial]);
    with_previous(world, Some(Color::Blue))
}

fn of(observed: &Observed) -> Status {
    in_state(observed, "CREATE_COMPLETE")
}

fn stack(text: &str) -> StackSnapshot {
    StackSnapshot {
        id: "1".to_owned(),
        name: "bgecs-hello".to_owned(),
        status: StackStatus::of(text),
        status_text: text.to_owned(),
        reason: (text != "CREATE_COMPLETE").then(|| "TaskRole is in use".to_owned()),
        parameters: BTreeMap::new(),
        outputs: BTreeMap::new(),
    }
}

fn in_state(observed: &Observed, text: &str) -> Status {
    let session = Session::of_hello(Wire::new().aws());
    status(&session, &stack(text), observed, None)
}

#[test]
fn a_stack_that_is_not_well_is_named() {
    let said = |text: &str| {
        let shown = in_state(&world(), text).human(&Style::plain());
        let warning = shown.split_once("warning:");
        warning.map(|(_, warning)| warning.trim().to_owned())
    };
    for well in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"] {
        assert_eq!(said(well), None, "{well}");
    }
    assert_eq!(
        said("UPDATE_ROLLBACK_FAILED").unwrap(),
        "the stack bgecs-hello is UPDATE_ROLLBACK_FAILED: an update failed, and its rollback too.\n\
         TaskRole is in use\n\
         Way on: fix the cause, then `aws cloudformation continue-update-rollback --stack-name bgecs-hello`."
    );
    for ill in ["UPDATE_IN_PROGRESS", "DELETE_FAILED", "REVIEW_IN_PROGRESS"] {
        let said = said(ill).unwrap();
        assert!(
            said.starts_with(&format!("the stack bgecs-hello is {ill}: ")),
            "{said}"
        );
    }
    let json = serde_json::json!(in_state(&world(), "DELETE_FAILED"));
    assert_eq!(json["stack"]["status"], "DELETE_FAILED");
}

fn shown(observed: &Observed) -> String {
    of(observed).human(&Style::plain())
}

#[test]
fn both_colours_at_work() {
    let mut world = world();
    let rolling = world.colors.blue.service.as_mut().unwrap();
    rolling.running = 1;
    rolling.deployments[0].rollout = Some(Rollout::InProgress);
    insta::assert_snapshot!(shown(&world), @"
    hello in eu-west-1
      port 80  http://lb.example  -> green
      port 81  http://lb.example:81  -> blue

    blue   idle, tag 2
      digest   sha256:2222222222222222222222222222222222222222222222222222222222222222
      revision bgecs-hello:1, rolling out
      tasks    1 of 2 running, 1 of 2 targets healthy
      costs    1 task, 0.25 vCPU and 0.5 GB
      deployed some time ago by alice, commit c0ffee

    green  live, tag 1
      digest   sha256:1111111111111111111111111111111111111111111111111111111111111111
      revision bgecs-hello:1
      tasks    2 of 2 running, 2 of 2 targets healthy
      deployed some time ago by alice, commit c0ffee
    ");
}

#[test]
fn a_fresh_stack() {
    let mut world = observed();
    world.traffic.production = nowhere();
    world.traffic.test = nowhere();
    insta::assert_snapshot!(shown(&world), @"
    hello in eu-west-1
      port 80  http://lb.example  -> nothing
      port 81  http://lb.example:81  -> nothing

    blue   not live, no service

    green  not live, no service

    Nothing is deployed yet: `bgecs deploy . --tag 1` makes the first release live.
    ");
}

#[test]
fn a_retired_colour_and_a_failed_one() {
    let mut world = world();
    world.colors.green.service.as_mut().unwrap().deployments[0].rollout = Some(Rollout::Failed);
    world.colors.blue.service = Some(service(0));
    world.colors.blue.targets = Targets::default();
    world.colors.blue.release = None;
    insta::assert_snapshot!(shown(&world), @"
    hello in eu-west-1
      port 80  http://lb.example  -> green
      port 81  http://lb.example:81  -> blue

    blue   idle, tag unknown, retired
      digest   unknown
      revision bgecs-hello:1
      tasks    0 of 0 running, 0 of 0 targets healthy
      warning  something else deleted this revision: `bgecs deploy CONTEXT --tag TAG --color blue` registers another

    green  live, tag 1
      digest   sha256:1111111111111111111111111111111111111111111111111111111111111111
      revision bgecs-hello:1, failed
      tasks    2 of 2 running, 2 of 2 targets healthy
      deployed some time ago by alice, commit c0ffee
    ");
}

#[test]
fn a_swap_that_stopped_half_way() {
    let mut world = world();
    world.traffic.production = to(Color::Blue);
    world.traffic.test = to(Color::Blue);
    // Ahead of the first journal.
    world.journal.truth = None;
    let text = shown(&world);
    insta::assert_snapshot!(text.split("\n\n").last().unwrap(), @"warning: both routes serve blue: port 81 shows what users see, until the next promotion.");
}

#[test]
fn a_listener_that_is_not_where_the_journal_says() {
    let mut world = world();
    world.traffic.test = to(Color::Green);
    let text = shown(&world);
    insta::assert_snapshot!(text.split("\n\n").last().unwrap(), @"
    warning: port 81 forwards to green, and the journal says blue: something else changed it.
    `bgecs adopt` accepts what is there now.
    ");
}

#[test]
fn an_operation_that_nobody_finished() {
    let mut world = world();
    let mut operation = operation();
    let effect = Effect::Move(move_to(Route::Production, Color::Blue));
    operation.intend(moment(), effect);
    world.journal.operation = Some(operation);
    world.traffic.production = to(Color::Blue);
    let text = shown(&world);
    insta::assert_snapshot!(text.split("\n\n").last().unwrap(), @"
    warning: the promote of tag 2 to blue that ann@laptop began at 2023-11-14 22:13:20 UTC is unfinished: it was about to point port 80 at blue.
    `bgecs resume` finishes or undoes it.
    ");
    // One that expired keeps nobody out.
    world.journal.lease = Some(lease());
    assert_eq!(shown(&world), text);
    // Somebody is at it: no reason to warn.
    world.journal.lease = Some(Lease {
        until: datetime!(2123-11-14 00:00:00 UTC),
        ..lease()
    });
    let text = shown(&world);
    assert!(
        text.contains("ann@laptop, process 42 on laptop, has been running `promote`"),
        "{text}"
    );
    assert!(!text.contains("warning"), "{text}");
}

#[test]
fn users_on_both_colours_are_told_of_with_the_operation() {
    let mut world = world();
    let mut operation = operation();
    let steps = "25% pause".parse().unwrap();
    let strategy = Strategy::gradual(Color::Blue, &world.traffic, &steps, Duration::ZERO);
    let it = strategy.stages[0].it;
    operation.strategy = Some(strategy);
    operation.intend(moment(), Effect::Move(it));
    world.journal.operation = Some(operation.clone());
    world.traffic.production = Found::Split(it.to);
    let now = moment() + Duration::from_secs(3600);
    let last = |world: &Observed| {
        let mut status = of(world);
        status.unfinished.as_mut().unwrap().now = now;
        let text = status.human(&Style::plain());
        assert_eq!(text.matches("warning").count(), 1, "{text}");
        assert!(!text.contains("is live yet"), "{text}");
        let roles: Vec<&str> = text
            .lines()
            .filter(|it| it.contains("of the users"))
            .collect();
        format!(
            "{}\n{}",
            roles.join("\n"),
            text.split("\n\n").last().unwrap()
        )
    };
    let killed = last(&world);
    operation.settle(Fate::Done);
    operation.intend(moment(), Effect::WaitForAPerson);
    world.journal.operation = Some(operation);
    insta::assert_snapshot!(format!("{killed}\n\n{}", last(&world)), @"
    blue   25% of the users, tag 2
    green  75% of the users, tag 1
    warning: the promote of tag 2 to blue that ann@laptop began at 2023-11-14 22:13:20 UTC is unfinished: it was about to point port 80 at 25% blue, 75% green; users are on both colours, for 60 min now.
    `bgecs resume` finishes or undoes it.

    blue   25% of the users, tag 2
    green  75% of the users, tag 1
    warning: the promote of tag 2 to blue that ann@laptop began at 2023-11-14 22:13:20 UTC waits for a person, for 60 min now.
    `bgecs promote --continue` goes on with it, `bgecs promote --abort` takes it back.
    ");
}

#[test]
fn a_listener_that_bgecs_did_not_set() {
    let mut world = world();
    world.traffic.production = to_a_stranger(Some(Color::Green));
    insta::assert_snapshot!(shown(&world), @"
    hello in eu-west-1
      port 80  http://lb.example  -> green (1 of 2), a stranger's target group tg/someone-else-s (1 of 2)
      port 81  http://lb.example:81  -> blue

    blue   not live, tag 2
      digest   sha256:2222222222222222222222222222222222222222222222222222222222222222
      revision bgecs-hello:1
      tasks    2 of 2 running, 1 of 2 targets healthy
      costs    2 tasks, 0.5 vCPU and 1 GB
      deployed some time ago by alice, commit c0ffee

    green  not live, tag 1
      digest   sha256:1111111111111111111111111111111111111111111111111111111111111111
      revision bgecs-hello:1
      tasks    2 of 2 running, 2 of 2 targets healthy
      deployed some time ago by alice, commit c0ffee

    warning: port 80 forwards to green (1 of 2), a stranger's target group tg/someone-else-s (1 of 2), which bgecs did not do: it changes nothing until that is undone.
    Way out: point listener/prod by hand at tg/green, the target group of green (tag 1), which the journal says was live; then `bgecs adopt`.
    ");
}

/// Users who come in by TLS are told of, and not taken for nobody.
#[test]
fn a_redirect_and_the_other_ways_in() {
    let mut world = world();
    world.traffic.production = redirect();
    world.other_ways.seen = vec![port_8080(Color::Green)];
    let text = shown(&world);
    assert!(!text.contains("Nothing is live"), "{text}");
    insta::assert_snapshot!(around_the_colours(&text), @"
    hello in eu-west-1
      port 80  http://lb.example  -> a redirect to https://…:443
      port 81  http://lb.example:81  -> blue
      port 8080 (HTTP)  -> green

    warning: port 80 answers with a redirect to https://…:443, which bgecs did not do: it changes nothing until that is undone.
    Way out: point listener/prod by hand at tg/green, the target group of green (tag 1), which the journal says was live; then `bgecs adopt`.
    ");
    let json = serde_json::to_value(of(&world)).unwrap();
    let production = &json["listeners"]["prod"];
    assert_eq!(production["foreign"], "a redirect to https://…:443");
    assert_eq!(production["forwards"], serde_json::json!([]));

    world.traffic.production = to(Color::Green);
    world.other_ways.seen.push(api_rule(Color::Blue));
    world.other_ways.hidden = Some("AccessDenied: no".to_owned());
    insta::assert_snapshot!(around_the_colours(&shown(&world)), @"
    hello in eu-west-1
      port 80  http://lb.example  -> green
      port 81  http://lb.example:81  -> blue
      port 8080 (HTTP)  -> green
      port 80 (HTTP), rule 10 (path /api/*)  -> blue

    warning: port 80 (HTTP), rule 10 (path /api/*) leads to blue, which is not live: users there get tag 2, and bgecs does not move it (rule/api).

    warning: a rule that leads to a colour would go unnoticed, as the rules cannot be read: AccessDenied: no.
    ");
    let json = serde_json::to_value(of(&world)).unwrap();
    assert_eq!(json["other_ways_hidden"], "AccessDenied: no");
    insta::assert_snapshot!(format!("{:#}", json["other_ways"][1]), @r#"
    {
      "arn": "rule/api",
      "listener": "port 80 (HTTP)",
      "rule": "rule 10 (path /api/*)",
      "forwards": [
        {
          "color": "blue",
          "weight": 1
        }
      ]
    }
    "#);
}

/// What stands ahead of both colours, and the warnings after them.
fn around_the_colours(text: &str) -> String {
    let is_color = |part: &&str| part.starts_with("blue") || part.starts_with("green");
    let parts: Vec<&str> = text.split("\n\n").filter(|part| !is_color(part)).collect();
    parts.join("\n\n")
}

#[test]
fn for_programs() {
    let json = serde_json::to_string_pretty(&of(&world())).unwrap();
    insta::assert_snapshot!(json, @r#"
    {
      "app": "hello",
      "region": "eu-west-1",
      "stack": {
        "name": "bgecs-hello",
        "status": "CREATE_COMPLETE",
        "reason": null
      },
      "live": "green",
      "idle": "blue",
      "previous": {
        "color": "blue",
        "revision": "task-definition/bgecs-hello:1",
        "tag": "2",
        "digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
        "left": "replaced"
      },
      "urls": {
        "prod": "http://lb.example",
        "test": "http://lb.example:81"
      },
      "colors": {
        "blue": {
          "service": "blue",
          "tag": "2",
          "digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
          "task_definition": "task-definition/bgecs-hello:1",
          "desired": 2,
          "running": 2,
          "healthy": 1,
          "registered": 2,
          "warm": {
            "tasks": 2,
            "vcpu": 0.5,
            "memory_gb": 1.0,
            "an_hour": null
          },
          "deployed_at": "some time ago",
          "deployed_by": "alice",
          "commit": "c0ffee",
          "rollout": "COMPLETED",
          "draining": false,
          "setback": null
        },
        "green": {
          "service": "green",
          "tag": "1",
          "digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
          "task_definition": "task-definition/bgecs-hello:1",
          "desired": 2,
          "running": 2,
          "healthy": 2,
          "registered": 2,
          "warm": null,
          "deployed_at": "some time ago",
          "deployed_by": "alice",
          "commit": "c0ffee",
          "rollout": "COMPLETED",
          "draining": false,
          "setback": null
        }
      },
      "listeners": {
        "prod": {
          "arn": "listener/prod",
          "forwards": [
            {
              "color": "green",
              "weight": 1
            }
          ],
          "foreign": null
        },
        "test": {
          "arn": "listener/test",
          "forwards": [
            {
              "color": "blue",
              "weight": 1
            }
          ],
          "foreign": null
        }
      },
      "other_ways": [],
      "other_ways_hidden": null,
      "drift": [],
      "lease": null,
      "unfinished": null,
      "differs_from_stack": null
    }
    "#);
}

#[test]
fn what_others_wrote_is_shown_as_it_is() {
    use crate::report::capture::{HOSTILE, SHOWN, To, assert_harmless, reporter};
    let mut world = world();
    let green = world.colors.green.release.as_mut().unwrap();
    for said in [
        &mut green.commit,
        &mut green.deployed_by,
        &mut green.deployed_at,
    ] {
        *said = Some(HOSTILE.to_owned());
    }
    let mut at_work = lease();
    at_work.holder.who.name = HOSTILE.to_owned();
    world.journal.lease = Some(at_work);
    for json in [false, true] {
        let (reporter, seen) = reporter(To::Terminal, json, Style::plain());
        reporter.result(&of(&world));
        drop(reporter);
        let text = seen.out.text();
        assert_harmless(&text, &[]);
        if json {
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read["colors"]["green"]["commit"], HOSTILE);
        } else {
            assert!(text.matches(SHOWN).count() >= 3, "{text}");
        }
    }
}

#[test]
fn a_failed_deploy_is_shown_with_its_reason() {
    use crate::model::Deployment;
    use crate::model::journal::{Ending, OperationOutcome};
    let mut world = world();
    let service = world.colors.blue.service.as_mut().unwrap();
    service.deployments[0].rollout = Some(Rollout::InProgress);
    let failed = Deployment {
        is_primary: false,
        rollout: Some(Rollout::Failed),
        rollout_reason: Some("tasks failed to start.".to_owned()),
        ..service.deployments[0].clone()
    };
    service.deployments.push(failed);
    let mut deploy = operation();
    deploy.command = journal::Command::Deploy;
    deploy.tag = "63".parse().ok();
    deploy.ending = Some(Ending {
        at: moment(),
        outcome: OperationOutcome::Failed,
        reason: Some("container `app` exited with code 3".to_owned()),
        watched: None,
    });
    let told = |ended: &[Operation]| setback(&world, ended, Color::Blue).unwrap();
    assert_eq!(
        told(&[operation(), deploy]),
        "ECS is going back to blue (tag 2): tag 63: container `app` exited with code 3"
    );
    assert_eq!(
        told(&[]),
        "ECS is going back to blue (tag 2): tasks failed to start."
    );
    let mut status = of(&world);
    status.colors.blue.as_mut().unwrap().setback = Some(told(&[]));
    let shown = status.human(&Style::plain());
    assert!(
        shown.contains("  failed   ECS is going back to blue"),
        "{shown}"
    );
}

#[test]
fn the_environment_and_a_file_that_differs_are_shown() {
    let status = Status {
        environment: Some("staging".to_owned()),
        differs_from_stack: Some("bgecs.toml differs".to_owned()),
        certificate: Some("the certificate ends on 2026-12-01".to_owned()),
        ..of(&world())
    };
    let shown = status.human(&Style::plain());
    assert!(
        shown.starts_with("hello in eu-west-1, environment staging\n"),
        "{shown}"
    );
    assert!(
        shown.contains(
            "\nwarning: bgecs.toml differs\n\nwarning: the certificate ends on 2026-12-01"
        ) || shown.ends_with("\nwarning: bgecs.toml differs"),
        "{shown}"
    );
}

#[test]
fn a_revision_that_something_else_took_away_is_named() {
    let line = |world: &Observed| {
        let shown = shown(world);
        let line = shown.lines().find(|line| line.starts_with("  warning"));
        line.map(str::to_owned)
    };
    let mut world = world();
    assert_eq!(line(&world), None);
    for (what, release) in [
        ("deleted", None),
        (
            "deregistered",
            Some(Release {
                is_deregistered: true,
                ..release("2")
            }),
        ),
    ] {
        world.colors.blue.release = release;
        assert_eq!(
            line(&world).unwrap(),
            format!(
                "  warning  something else {what} this revision: \
                 `bgecs deploy CONTEXT --tag TAG --color blue` registers another"
            )
        );
        let json = serde_json::json!(of(&world));
        assert_eq!(json["colors"]["blue"]["task_definition_lost"], what);
    }
}

#[test]
fn the_colour_that_serves_nobody_says_what_it_costs() {
    let prices = "app = 'hello'\n[cost]\nvcpu_hour = 0.04048\ngb_hour = 0.004445\n";
    let with = |keys: &str| {
        let mut session = Session::of_hello(Wire::new().aws());
        let path = std::path::Path::new("/srv/bgecs.toml");
        session.config.cost = crate::config::Config::parse(keys, path).unwrap().cost;
        status(&session, &stack("CREATE_COMPLETE"), &world(), None)
    };
    let costs = |status: &Status| {
        let human = status.human(&Style::plain());
        let lines = human.lines().filter(|line| line.starts_with("  costs "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        costs(&with("app = 'hello'")),
        ["  costs    2 tasks, 0.5 vCPU and 1 GB"]
    );
    let priced = with(prices);
    assert_eq!(
        costs(&priced),
        ["  costs    2 tasks, 0.5 vCPU and 1 GB, about $0.0247 an hour"]
    );
    let json = serde_json::json!(priced);
    assert_eq!(
        json["colors"]["blue"]["warm"]["an_hour"]["amount"],
        0.024_685
    );
    assert!(json["colors"]["green"]["warm"].is_null());
}

#[test]
fn a_route_is_called_what_its_router_calls_it() {
    let mut world = world();
    world.ecs_mut().endpoints = hosts();
    assert!(shown(&world).contains("\n  https://shop.example.com  -> green"));

    let mut moved = world.clone();
    moved.traffic.production = to(Color::Blue);
    assert_names_hosts(&shown(&moved));
    let drift = serde_json::to_value(&of(&moved).drift).unwrap();
    assert_eq!(drift[0]["port"], "https://shop.example.com");
    moved.traffic.test = to(Color::Blue);
    moved.journal.truth = None;
    let told = shown(&moved);
    let both = told.split("\n\n").last().unwrap();
    assert_names_hosts(both);

    let mut unfinished = operation();
    unfinished.entries.push(journal::Entry {
        effect: Effect::Move(move_to(Route::Production, Color::Blue)),
        at: moment(),
        fate: None,
    });
    world.journal.operation = Some(unfinished);
    assert_names_hosts(&shown(&world));
}

/// Nothing is said of it that is said of a test route that is moved.
#[test]
fn a_test_route_by_header_is_shown_with_its_rules() {
    let mut world = world();
    world.infrastructure = by_rules().into();
    world.ecs_mut().services = ColorServices::new(
        "prod",
        PerColor {
            blue: "web".to_owned(),
            green: "bgecs-web-green".to_owned(),
        },
    );
    world.traffic.test = Found::ByRequest;
    let text = shown(&world);
    for name in ["web", "bgecs-web-green"] {
        assert!(text.contains(&format!("\n  service  {name}\n")), "{text}");
    }
    let routes: Vec<&str> = text.lines().skip(1).take(2).collect();
    assert!(routes[0].ends_with("  -> green"), "{text}");
    assert!(
        routes[1].starts_with("  header x-bgecs-color  ")
            && routes[1].ends_with("  -> the colour that a request names"),
        "{text}"
    );
    assert!(!text.contains("warning"), "{text}");
    let json = of(&world);
    let json = serde_json::to_value(&json).unwrap();
    assert_eq!(json["listeners"]["prod"]["arn"], "rule/prod");
    let test = &json["listeners"]["test"];
    assert_eq!(
        test,
        &serde_json::json!({
            "arn": null,
            "rules": { "blue": "rule/blue", "green": "rule/green" },
            "forwards": [],
            "foreign": null,
        })
    );
}
