use std::time::Duration;

use super::*;
use crate::aws::testing::Wire;
use crate::model::testing::observed;
use crate::model::{Revision, RunsOn};

fn plan() -> DeployPlan {
    DeployPlan {
        color: Color::Blue,
        becomes_live: false,
        onto_live: false,
        allow_live: false,
        may_be_live: None,
        service: ServicePlan::Update { desired: None },
    }
}

fn placed(color: Color, unchanged: bool) -> Placed {
    Placed {
        color,
        digest: format!("sha256:{}", "2".repeat(64)).parse().unwrap(),
        from: Origin::Pulled,
        task_definition: Revision::new("task-definition/bgecs-hello:2"),
        unchanged,
    }
}

fn session() -> Session {
    Session::of_hello(Wire::new().aws())
}

fn tag() -> Tag {
    "2".parse().unwrap()
}

fn of_an_image(reference: &str) -> Request {
    Request {
        image: ImageSource::Reference(Reference::parse(reference).unwrap()),
        runs_on: RunsOn::default(),
        tag: tag(),
        restart: false,
        shows_difference: false,
        is_blind: false,
        timeout: Duration::from_secs(600),
    }
}

fn of_a_build() -> Request {
    Request {
        image: ImageSource::Build {
            request: Box::default(),
            hook: None,
        },
        ..of_an_image("a")
    }
}

fn shown(plan: &DeployPlan, unchanged: bool) -> String {
    let placed = placed(plan.color, unchanged);
    result(&session(), &observed(), plan, &of_a_build(), placed, None).human(&Style::plain())
}

#[test]
fn idle_live_or_unchanged() {
    let live = DeployPlan {
        color: Color::Green,
        onto_live: true,
        ..plan()
    };
    let first = DeployPlan {
        becomes_live: true,
        ..plan()
    };
    let all = [
        shown(&plan(), false),
        shown(&plan(), true),
        shown(&live, false),
        shown(&live, true),
        shown(&first, false),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @"
    blue serves tag 2 (sha256:222222222222)
      look at it on http://lb.example:81, then `bgecs promote --tag 2`

    blue serves tag 2 already: nothing was changed (sha256:222222222222)
      look at it on http://lb.example:81, then `bgecs promote --tag 2`

    green serves tag 2 (sha256:222222222222)
      it is live at http://lb.example

    nothing to do: tag 2 is live already, on green (sha256:222222222222)
      it is live at http://lb.example

    blue serves tag 2 (sha256:222222222222)
      it is live at http://lb.example
    ");
}

#[test]
fn for_programs() {
    let request = of_an_image("ghcr.io/acme/hello:2");
    let placed = placed(Color::Blue, false);
    let result = result(&session(), &observed(), &plan(), &request, placed, None);
    insta::assert_snapshot!(serde_json::to_string_pretty(&result).unwrap(), @r#"
    {
      "operation": "deploy",
      "outcome": "deployed",
      "blind": false,
      "color": "blue",
      "tag": "2",
      "digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
      "image": {
        "from": "pulled",
        "reference": "ghcr.io/acme/hello:2"
      },
      "task_definition": "task-definition/bgecs-hello:2",
      "live": false,
      "urls": {
        "prod": "http://lb.example",
        "test": "http://lb.example:81"
      }
    }
    "#);
}

#[test]
fn where_an_image_came_from_is_said() {
    let request = of_an_image("ghcr.io/acme/hello:2");
    let lines = [
        Origin::Pulled,
        Origin::Present,
        Origin::Local,
        Origin::Registry,
    ]
    .map(|from| {
        let placed = Placed {
            from,
            ..placed(Color::Blue, false)
        };
        let shown =
            result(&session(), &observed(), &plan(), &request, placed, None).human(&Style::plain());
        shown.lines().last().unwrap_or_default().to_owned()
    });
    insta::assert_snapshot!(lines.join("\n"), @"
      the image is ghcr.io/acme/hello:2, as its registry had it now
      the image is ghcr.io/acme/hello:2, which this machine's engine had, by its digest
      the image is ghcr.io/acme/hello:2 as this machine's engine has it, and no registry
      the image is ghcr.io/acme/hello:2, which was in the app's repository already
    ");
}

fn planned(plan: &DeployPlan, request: &Request) -> String {
    let session = Session::of_hello(Wire::new().aws());
    let changes = ["the network".to_owned()];
    let observed = observed();
    let world = (observed.ecs().unwrap(), &observed);
    let steps = steps(&session, world, plan, request, &changes);
    PlanResult::of(Command::Deploy, steps).human(&Style::plain())
}

#[test]
fn the_plan_of_a_first_deploy() {
    let first = DeployPlan {
        becomes_live: true,
        service: ServicePlan::Create { desired: 1 },
        ..plan()
    };
    let request = of_an_image("ghcr.io/acme/hello:2");
    insta::assert_snapshot!(planned(&first, &request), @"
    deploy would:
       1. take the image ghcr.io/acme/hello:2
       2. push it to 1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello:2, unless it is there already
       3. register a revision of the task definition bgecs-hello, by digest
       4. create the service blue with 1 task
       5. wait until blue serves
       6. point port 80 at blue, and read it back
       7. point port 81 at green, and read it back
    Nothing was changed.
    ");
}

#[test]
fn a_plan_names_what_else_of_a_service_changes() {
    let planned = planned(&plan(), &of_an_image("ghcr.io/acme/hello:2"));
    assert!(
        planned.contains("update the service blue, the network\n"),
        "{planned}"
    );
}
