use std::sync::LazyLock;

use super::*;
use crate::model::testing::{nowhere, observed, service, to};
use crate::model::{
    ColorState, Forwarding, PerPort, Release, Rollout, Target, TargetState, Targets,
};

fn live(color: Color) -> Observed {
    let mut world = observed();
    world.listeners = PerPort {
        prod: to(color),
        test: to(color.other()),
    };
    world.colors.blue.service = Some(service(2));
    world.colors.green.service = Some(service(2));
    world
}

fn fresh() -> Observed {
    let mut world = observed();
    world.listeners = PerPort {
        prod: nowhere(),
        test: nowhere(),
    };
    world
}

fn strange() -> Observed {
    let mut world = live(Color::Blue);
    let mut both = to(Color::Blue).0;
    both.extend(to(Color::Green).0);
    world.listeners.prod = Forwarding(both);
    world
}

static TWO: LazyLock<Tag> = LazyLock::new(|| "2".parse().unwrap());

/// A deploy of tag 2.
fn onto(color: Option<Color>, allow_live: bool) -> DeployWish<'static> {
    DeployWish {
        tag: &TWO,
        color,
        allow_live,
        force: false,
        count: 2,
    }
}

#[test]
fn the_first_deploy_becomes_live_on_either_colour() {
    for color in Color::BOTH {
        let plan = deploy(&fresh(), &onto(Some(color), false)).unwrap();
        assert!(plan.becomes_live);
        assert_eq!(plan.color, color);
        assert_eq!(plan.service, ServicePlan::Create { desired: 2 });
    }
    assert_eq!(
        deploy(&fresh(), &onto(None, false)).unwrap().color,
        Color::Blue
    );
}

#[test]
fn a_deploy_goes_to_the_idle_colour_and_never_resets_a_count() {
    let plan = deploy(&live(Color::Green), &onto(None, false)).unwrap();
    assert_eq!(plan.color, Color::Blue);
    assert!(!plan.becomes_live);
    assert_eq!(plan.service, ServicePlan::Update { desired: None });
}

#[test]
fn an_idle_colour_is_brought_up_to_the_live_count() {
    let mut world = live(Color::Green);
    world.colors.green.service = Some(service(100));
    let raised = deploy(&world, &onto(None, false)).unwrap();
    assert_eq!(raised.service, ServicePlan::Update { desired: Some(100) });
    world.colors.blue.service = Some(service(0));
    let woken = deploy(&world, &onto(None, false)).unwrap();
    assert_eq!(woken.service, ServicePlan::Update { desired: Some(100) });
    world.colors.blue.service = None;
    let made = deploy(&world, &onto(None, false)).unwrap();
    assert_eq!(made.service, ServicePlan::Create { desired: 100 });
}

#[test]
fn the_live_colour_is_refused_unless_insisted_on() {
    let world = live(Color::Green);
    let refusal = deploy(&world, &onto(Some(Color::Green), false)).unwrap_err();
    assert!(refusal.message.contains("green is live"), "{refusal:?}");
    assert!(
        deploy(&world, &onto(Some(Color::Green), true))
            .unwrap()
            .onto_live
    );
}

#[test]
fn a_stranger_s_listener_is_refused() {
    let world = strange();
    assert!(deploy(&world, &onto(None, true)).is_err());
    assert!(retire(&world).is_err());
    assert!(promote(&world, &Aim::Color(Color::Green)).is_err());
    assert!(rollback(&world).is_err());
}

/// As after an `adopt` of what a stranger did.
#[test]
fn with_both_ports_on_the_live_colour_all_goes_on() {
    let mut world = live(Color::Blue);
    world.listeners.test = to(Color::Blue);
    assert_eq!(
        deploy(&world, &onto(None, false)).unwrap().color,
        Color::Green
    );
    assert!(retire(&world).is_ok());
    assert!(promote(&world, &Aim::Newest).is_ok());
}

#[test]
fn a_tag_that_is_live_may_be_all_that_was_asked_for() {
    let mut world = live(Color::Green);
    world.colors.green.release = serving(2).release;
    let wish = onto(Some(Color::Green), false);
    let plan = deploy(&world, &wish).unwrap();
    assert_eq!(plan.may_be_live, Some(Color::Green));
    assert!(plan.onto_live && !plan.allow_live);
    let elsewhere = deploy(&world, &onto(None, false)).unwrap();
    assert_eq!(
        (elsewhere.color, elsewhere.may_be_live),
        (Color::Blue, Some(Color::Green))
    );
    let forced = DeployWish {
        force: true,
        ..wish
    };
    assert!(deploy(&world, &forced).is_err());
    let another = "3".parse().unwrap();
    let other = DeployWish {
        tag: &another,
        ..wish
    };
    assert!(deploy(&world, &other).is_err());
}

#[test]
fn only_an_idle_colour_is_retired() {
    let retired = retire(&live(Color::Green));
    assert_eq!(
        retired,
        Ok(RetirePlan::Retire {
            color: Color::Blue,
            tasks: 2
        })
    );
    let mut world = live(Color::Green);
    world.colors.blue.service = Some(service(0));
    assert_eq!(
        retire(&world),
        Ok(RetirePlan::NothingToDo { color: Color::Blue })
    );
    assert!(retire(&fresh()).is_err());
}

fn serving(count: i32) -> ColorState {
    let target = |n| Target {
        id: format!("10.0.0.{n}"),
        state: TargetState::Healthy,
        reason: None,
        description: None,
    };
    ColorState {
        service: Some(service(count)),
        release: Some(Release {
            tag: "2".parse().ok(),
            digest: None,
            commit: None,
            deployed_by: None,
            deployed_at: None,
            operation: None,
            config: Some("abc".to_owned()),
        }),
        targets: Targets((0..count).map(target).collect()),
    }
}

#[test]
fn only_the_same_release_that_serves_is_left_alone() {
    let (two, three) = ("2".parse().unwrap(), "3".parse().unwrap());
    assert!(serves_already(&serving(2), "abc", &two).is_some());
    assert_eq!(serves_already(&serving(2), "abd", &two), None);
    assert_eq!(serves_already(&serving(2), "abc", &three), None);
    assert_eq!(serves_already(&serving(0), "abc", &two), None);

    let mut sick = serving(2);
    sick.targets.0[0].state = TargetState::Unhealthy;
    assert_eq!(serves_already(&sick, "abc", &two), None);

    let mut rolling = serving(2);
    rolling.service.as_mut().unwrap().deployments[0].rollout = Some(Rollout::InProgress);
    assert_eq!(serves_already(&rolling, "abc", &two), None);
    assert_eq!(serves_already(&ColorState::default(), "abc", &two), None);
}
