use std::sync::LazyLock;

use super::*;
use crate::model::testing::{
    api_rule, nowhere, observed, port_8080, redirect, release, service, to, to_both,
};
use crate::model::{ColorState, PerRoute, Release, Rollout, Target, TargetState, Targets};

fn live(color: Color) -> Observed {
    let mut world = observed();
    world.traffic = PerRoute {
        production: to(color),
        test: to(color.other()),
    };
    for color in Color::BOTH {
        let state = world.colors.get_mut(color);
        state.service = Some(service(2));
        state.targets = serving(2).targets;
    }
    world
}

fn fresh() -> Observed {
    let mut world = observed();
    world.traffic = PerRoute {
        production: nowhere(),
        test: nowhere(),
    };
    world
}

fn strange() -> Observed {
    let mut world = live(Color::Blue);
    world.traffic.production = to_both();
    world
}

fn redirected() -> Observed {
    let mut world = live(Color::Blue);
    world.traffic.production = redirect();
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
    for world in [strange(), redirected()] {
        assert!(deploy(&world, &onto(None, true)).is_err());
        assert!(retire(&world).is_err());
        assert!(promote(&world, &Aim::Color(Color::Green)).is_err());
        assert!(rollback(&world).is_err());
    }
}

/// Not even where nobody ever wrote down what was live.
#[test]
fn what_is_foreign_is_never_nothing() {
    let mut world = fresh();
    world.colors.blue.service = Some(service(2));
    for (port_80, port_81, what) in [
        (redirect(), nowhere(), "port 80 answers with a redirect"),
        (nowhere(), redirect(), "port 81 answers with a redirect"),
        (nowhere(), to_both(), "port 81 forwards to 50% blue"),
    ] {
        world.traffic = PerRoute {
            production: port_80,
            test: port_81,
        };
        for refusal in [
            deploy(&world, &onto(None, true)).unwrap_err(),
            promote(&world, &Aim::Newest).unwrap_err(),
            retire(&world).unwrap_err(),
        ] {
            assert!(refusal.message.starts_with(what), "{refusal:?}");
            assert!(refusal.hint.unwrap().contains("`bgecs adopt`"));
        }
    }
}

#[test]
fn a_colour_on_which_others_come_in_is_treated_as_if_it_were_live() {
    for way in [port_8080(Color::Blue), api_rule(Color::Blue)] {
        let mut world = live(Color::Green);
        world.other_ways.seen = vec![way.clone()];
        for refusal in [
            deploy(&world, &onto(None, false)).unwrap_err(),
            retire(&world).unwrap_err(),
        ] {
            assert!(refusal.message.starts_with(&way.to_string()), "{refusal:?}");
            assert!(refusal.hint.unwrap().contains(&way.arn));
        }
        assert!(!deploy(&world, &onto(None, true)).unwrap().onto_live);
        assert!(promote(&world, &Aim::Newest).is_ok());
        // Nothing is to be done, and so to be seen, if what is live is the same.
        world.colors.green = serving(2);
        let plan = deploy(&world, &onto(None, false)).unwrap();
        assert_eq!(plan.may_be_live, Some(Color::Green));
        let refusal = refuse_unproven(&world, &plan).unwrap_err();
        assert!(refusal.message.starts_with(&way.to_string()), "{refusal:?}");
        // Nobody is cut off where nothing runs.
        world.colors.blue.service = Some(service(0));
        assert!(matches!(retire(&world), Ok(RetirePlan::NothingToDo { .. })));
        // The first release is seen by all, and before it there is nothing to see.
        let mut first = fresh();
        first.other_ways = world.other_ways;
        assert!(deploy(&first, &onto(None, false)).unwrap().becomes_live);
        first.colors.blue.service = Some(service(2));
        assert!(deploy(&first, &onto(None, false)).is_err());
    }
    let mut world = live(Color::Green);
    world.other_ways.seen = vec![port_8080(Color::Green)];
    assert!(deploy(&world, &onto(None, false)).is_ok());
    assert!(retire(&world).is_ok());
    world.other_ways.hidden = Some("AccessDenied".to_owned());
    assert!(deploy(&world, &onto(None, false)).is_ok());
    assert!(retire(&world).is_err());
}

/// As after an `adopt` of what a stranger did.
#[test]
fn with_both_ports_on_the_live_colour_all_goes_on() {
    let mut world = live(Color::Blue);
    world.traffic.test = to(Color::Blue);
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
    // Insisted on, it goes onto the other colour too: so users come home to a service
    // that is to stay.
    let insisted = DeployWish {
        force: true,
        ..onto(Some(Color::Blue), false)
    };
    let there = deploy(&world, &insisted).unwrap();
    assert_eq!((there.color, there.may_be_live), (Color::Blue, None));
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

/// Another colour's answers prove nothing.
#[test]
fn a_deploy_that_cannot_be_seen_by_name_is_refused() {
    let mut world = live(Color::Green);
    world.other_ways.amiss = Some("the rule for x-bgecs-color: blue is gone".to_owned());
    let refusal = deploy(&world, &onto(None, false)).unwrap_err();
    assert!(refusal.message.contains("cannot be seen"), "{refusal:?}");
}

/// The last tasks that serve are nobody's to stop, whichever colour they are.
#[test]
fn a_colour_is_not_retired_beside_one_that_serves_nobody() {
    let mut world = live(Color::Green);
    world.colors.green.targets = Targets::default();
    assert!(retire(&world).is_err());
    world.colors.green.service = None;
    assert!(retire(&world).is_err());
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
        hosted: None,
        release: Some(Release {
            config: Some("abc".to_owned()),
            ..release("2")
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

    // No service takes it any more.
    let mut deregistered = serving(2);
    deregistered.release.as_mut().unwrap().is_deregistered = true;
    assert_eq!(serves_already(&deregistered, "abc", &two), None);

    let mut rolling = serving(2);
    rolling.service.as_mut().unwrap().deployments[0].rollout = Some(Rollout::InProgress);
    assert_eq!(serves_already(&rolling, "abc", &two), None);
    assert_eq!(serves_already(&ColorState::default(), "abc", &two), None);
}

#[test]
fn nothing_is_deployed_onto_a_service_that_is_on_its_way_out() {
    let mut world = live(Color::Green);
    world.colors.blue.service.as_mut().unwrap().is_draining = true;
    let refusal = deploy(&world, &onto(None, false)).unwrap_err();
    assert_eq!(
        refusal.message,
        "the service blue is being deleted (DRAINING)"
    );
    assert!(refusal.hint.unwrap().contains("bgecs status"));
    world.colors.blue.service = None;
    assert!(deploy(&world, &onto(None, false)).is_ok());
}
