use super::*;
use crate::model::testing::{
    api_rule, nowhere, observed, port_8080, redirect, service, to, to_both, with_previous,
};
use crate::model::{ColorState, PerPort, Release, Rollout, Target, TargetState, Targets};

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

fn half_swapped(color: Color) -> Observed {
    let mut world = live(color);
    world.listeners.test = to(color);
    world
}

fn strange() -> Observed {
    let mut world = live(Color::Blue);
    world.listeners.prod = to_both();
    world
}

fn redirected() -> Observed {
    let mut world = live(Color::Blue);
    world.listeners.prod = redirect();
    world
}

#[test]
fn the_first_deploy_becomes_live_on_either_colour() {
    for color in Color::BOTH {
        let plan = deploy(&fresh(), Some(color), false, 2).unwrap();
        assert!(plan.becomes_live);
        assert_eq!(plan.color, color);
        assert_eq!(plan.service, ServicePlan::Create { desired: 2 });
    }
    assert_eq!(deploy(&fresh(), None, false, 2).unwrap().color, Color::Blue);
}

#[test]
fn a_deploy_goes_to_the_idle_colour_and_never_resets_a_count() {
    let plan = deploy(&live(Color::Green), None, false, 7).unwrap();
    assert_eq!(plan.color, Color::Blue);
    assert!(!plan.becomes_live);
    assert_eq!(plan.service, ServicePlan::Update { desired: None });
}

#[test]
fn an_idle_colour_is_brought_up_to_the_live_count() {
    let mut world = live(Color::Green);
    world.colors.green.service = Some(service(100));
    let raised = deploy(&world, None, false, 2).unwrap();
    assert_eq!(raised.service, ServicePlan::Update { desired: Some(100) });
    world.colors.blue.service = Some(service(0));
    let woken = deploy(&world, None, false, 2).unwrap();
    assert_eq!(woken.service, ServicePlan::Update { desired: Some(100) });
    world.colors.blue.service = None;
    let made = deploy(&world, None, false, 2).unwrap();
    assert_eq!(made.service, ServicePlan::Create { desired: 100 });
}

#[test]
fn the_live_colour_is_refused_unless_insisted_on() {
    let world = live(Color::Green);
    let refusal = deploy(&world, Some(Color::Green), false, 2).unwrap_err();
    assert!(refusal.message.contains("green is live"), "{refusal:?}");
    assert!(
        deploy(&world, Some(Color::Green), true, 2)
            .unwrap()
            .onto_live
    );
}

#[test]
fn an_unfinished_swap_and_a_stranger_s_listener_are_refused() {
    for world in [half_swapped(Color::Blue), strange(), redirected()] {
        assert!(deploy(&world, None, true, 2).is_err());
        assert!(retire(&world).is_err());
    }
    for world in [strange(), redirected()] {
        assert!(promote(&world, Some(Color::Green)).is_err());
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
        (nowhere(), to_both(), "port 81 forwards to blue (1 of 2)"),
    ] {
        world.listeners = PerPort {
            prod: port_80,
            test: port_81,
        };
        for refusal in [
            deploy(&world, None, true, 2).unwrap_err(),
            promote(&world, None).unwrap_err(),
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
            deploy(&world, None, false, 2).unwrap_err(),
            retire(&world).unwrap_err(),
        ] {
            assert!(refusal.message.starts_with(&way.to_string()), "{refusal:?}");
            assert!(refusal.hint.unwrap().contains(&way.arn));
        }
        assert!(!deploy(&world, None, true, 2).unwrap().onto_live);
        assert!(promote(&world, None).is_ok());
        // Nobody is cut off where nothing runs.
        world.colors.blue.service = Some(service(0));
        assert!(matches!(retire(&world), Ok(RetirePlan::NothingToDo { .. })));
        // The first release is seen by all, and before it there is nothing to see.
        let mut first = fresh();
        first.other_ways = world.other_ways;
        assert!(deploy(&first, None, false, 2).unwrap().becomes_live);
        first.colors.blue.service = Some(service(2));
        assert!(deploy(&first, None, false, 2).is_err());
    }
    let mut world = live(Color::Green);
    world.other_ways.seen = vec![port_8080(Color::Green)];
    assert!(deploy(&world, None, false, 2).is_ok());
    assert!(retire(&world).is_ok());
    world.other_ways.hidden = Some("AccessDenied".to_owned());
    assert!(deploy(&world, None, false, 2).is_ok());
    assert!(retire(&world).is_err());
}

#[test]
fn promote_goes_to_the_idle_colour() {
    let swap = SwapPlan::Swap {
        from: Color::Green,
        to: Color::Blue,
        match_count: None,
    };
    assert_eq!(promote(&live(Color::Green), None), Ok(swap));
    assert_eq!(promote(&live(Color::Green), Some(Color::Blue)), Ok(swap));
    let done = SwapPlan::NothingToDo { live: Color::Green };
    assert_eq!(promote(&live(Color::Green), Some(Color::Green)), Ok(done));
}

#[test]
fn promote_brings_the_count_along() {
    let mut world = live(Color::Green);
    world.colors.green.service = Some(service(10));
    let plan = promote(&world, None).unwrap();
    assert!(
        matches!(
            plan,
            SwapPlan::Swap {
                match_count: Some(10),
                ..
            }
        ),
        "{plan:?}"
    );
}

#[test]
fn promote_waits_for_a_colour_that_still_grows() {
    let mut world = live(Color::Green);
    for (wanted, desired, running, count) in [
        (2, 2, 1, Some(2)),
        (2, 3, 1, Some(3)),
        (2, 3, 2, None),
        (2, 1, 3, Some(2)),
    ] {
        world.colors.green.service = Some(service(wanted));
        let mut blue = service(desired);
        blue.running = running;
        world.colors.blue.service = Some(blue);
        let plan = promote(&world, None).unwrap();
        let SwapPlan::Swap { match_count, .. } = plan else {
            panic!("{plan:?}");
        };
        assert_eq!(match_count, count, "{running} of {desired} for {wanted}");
    }
}

#[test]
fn promote_does_not_wait_for_a_colour_that_does_not_roll_out() {
    let mut world = live(Color::Green);
    world.colors.green.service = Some(service(2));
    for rollout in [Rollout::InProgress, Rollout::Failed] {
        let mut blue = service(2);
        blue.running = 0;
        blue.deployments[0].rollout = Some(rollout);
        world.colors.blue.service = Some(blue);
        let plan = promote(&world, None);
        let Ok(SwapPlan::Swap { match_count, .. }) = plan else {
            panic!("{plan:?}");
        };
        assert_eq!(match_count, None, "{rollout:?}");
    }
}

#[test]
fn an_interrupted_swap_is_finished_or_undone() {
    let world = half_swapped(Color::Blue);
    let finish = SwapPlan::Swap {
        from: Color::Green,
        to: Color::Blue,
        match_count: None,
    };
    assert_eq!(promote(&world, None), Ok(finish));
    assert_eq!(promote(&world, Some(Color::Blue)), Ok(finish));
    let undo = SwapPlan::Swap {
        from: Color::Blue,
        to: Color::Green,
        match_count: None,
    };
    assert_eq!(rollback(&world), Ok(undo));
}

#[test]
fn rollback_needs_a_recorded_way_back() {
    let world = live(Color::Blue);
    assert!(rollback(&world).is_err());
    let world = with_previous(world, Some(Color::Blue));
    assert!(rollback(&world).is_err());
    let mut world = with_previous(world, Some(Color::Green));
    assert!(matches!(
        rollback(&world),
        Ok(SwapPlan::Swap {
            to: Color::Green,
            ..
        })
    ));
    world.colors.green.service = Some(service(0));
    let refusal = rollback(&world).unwrap_err();
    assert!(refusal.message.contains("retired"), "{refusal:?}");
}

#[test]
fn a_colour_without_a_service_is_not_promoted() {
    let mut world = live(Color::Green);
    world.colors.blue.service = None;
    assert!(promote(&world, None).is_err());
    assert!(promote(&fresh(), None).is_err());
    let mut first = fresh();
    first.colors.green.service = Some(service(2));
    let make_live = SwapPlan::MakeLive {
        color: Color::Green,
    };
    assert_eq!(promote(&first, None), Ok(make_live));
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
