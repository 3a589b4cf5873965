//! The checks before a swap: each with its name, its result and what was seen,
//! so that a refusal explains itself.

use super::fitness::unhealthy;
use super::plan::needed;
use crate::counted::counted;
use crate::model::{
    Answer, Check, Color, EdgeRouter, Infrastructure, Observed, Place, Rollout, ServiceState,
    Strategy, TargetState, TestPlace,
};

/// Answers that the test port must give in a row.
pub const TEST_ANSWERS: usize = 3;

/// How much a swap must have to go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thoroughness {
    Full,
    /// The same but for its own answers, where nobody here can ask it.
    Blind,
    /// Where users are to get away from what is live, or are there already:
    /// healthy is enough, and what else is not as it should be is only told.
    WayBack,
}

/// All checks ahead of a shift, in the order in which a person would ask them.
/// `is_under_way`: it goes on with one that may have left users on both colours.
/// `test_answers` are the test port's to the health path, where it is asked.
pub fn checks(
    observed: &Observed,
    strategy: &Strategy,
    is_under_way: bool,
    test_answers: &[Answer],
    thoroughness: Thoroughness,
) -> Vec<Check> {
    let to = strategy.to;
    let ecs = match &observed.infrastructure {
        Infrastructure::Ecs(ecs) => ecs,
        Infrastructure::Edge(edge) => {
            let production = production(observed, kind(&edge.router), is_under_way);
            let rest = hosted(observed, to, test_answers, thoroughness);
            return std::iter::once(production).chain(rest).collect();
        }
    };
    let test = test(observed, &ecs.places.test);
    let always = [
        production(
            observed,
            listener_or_rule(&ecs.places.production),
            is_under_way,
        ),
        match (thoroughness, observed.traffic.test.is_by_request()) {
            // What nothing moves is in nobody's way.
            (Thoroughness::WayBack, true) => only_told(test),
            _ => test,
        },
        attached(observed),
    ];
    let rest = match thoroughness {
        Thoroughness::Full | Thoroughness::Blind => {
            let answers = answers(test_name(&ecs.places.test), test_answers);
            let answers = (thoroughness == Thoroughness::Full).then_some(answers);
            [
                rolled_out(observed, to),
                capacity(observed, strategy, is_under_way),
                healthy(observed, to),
            ]
            .into_iter()
            .chain(answers)
            .collect()
        }
        Thoroughness::WayBack => vec![
            only_told(rolled_out(observed, to)),
            only_told(capacity(observed, strategy, is_under_way)),
            healthy_enough(observed, to),
        ],
    };
    always.into_iter().chain(rest).collect()
}

/// For a colour that bgecs does not run: whoever runs it decides whether it is large
/// enough.
fn hosted(
    observed: &Observed,
    to: Color,
    test_answers: &[Answer],
    thoroughness: Thoroughness,
) -> [Check; 2] {
    let is_there = observed.color(to).is_there();
    let deployed = Check {
        name: "deployment",
        ok: is_there,
        detail: match is_there {
            true => format!("{} is deployed", observed.named(to)),
            false => format!("nothing is deployed on {to}, for all that the journal knows"),
        },
    };
    let health = match thoroughness {
        Thoroughness::Full => release_answers(observed, to, test_answers),
        Thoroughness::Blind | Thoroughness::WayBack => Check {
            name: "health",
            ..healthy_enough(observed, to)
        },
    };
    [deployed, health]
}

/// What answers there is to be what the journal says was deployed, where it says what
/// it is.
fn release_answers(observed: &Observed, to: Color, test_answers: &[Answer]) -> Check {
    let check = answers("health", test_answers);
    let hosted = observed.color(to).hosted.as_ref();
    let Some(tag) = hosted.and_then(|it| it.tag.as_ref()).filter(|_| check.ok) else {
        return check;
    };
    let another = test_answers.iter().find_map(|answer| match answer {
        Answer::Http { release, .. } => release.as_deref().filter(|it| *it != tag.as_str()),
        Answer::Nothing { .. } => None,
    });
    match another {
        None => check,
        Some(other) => Check {
            ok: false,
            detail: format!("{to} answers as release {other}, and {tag} is what was deployed"),
            ..check
        },
    }
}

fn kind(router: &EdgeRouter) -> &'static str {
    match router {
        EdgeRouter::Route53(_) => "record",
        EdgeRouter::Pointer(it) => it.pointer.kind(),
    }
}

fn listener_or_rule(place: &Place) -> &'static str {
    match place {
        Place::Listener(_) => "prod listener",
        Place::Rule(_) => "prod rule",
    }
}

fn test_name(place: &TestPlace) -> &'static str {
    match place {
        TestPlace::At(Place::Listener(_)) => "test port",
        TestPlace::At(Place::Rule(_)) | TestPlace::ByHeader(_) => "test route",
    }
}

/// Whether a colour that has a part of the users is as it must be to keep them.
pub fn is_fit(observed: &Observed, strategy: &Strategy) -> bool {
    let to = strategy.to;
    if observed.infrastructure.edge().is_some() {
        return healthy_enough(observed, to).ok;
    }
    let checks = [
        rolled_out(observed, to),
        capacity(observed, strategy, true),
        healthy(observed, to),
    ];
    checks.iter().all(|check| check.ok)
}

fn only_told(check: Check) -> Check {
    match check.ok {
        true => check,
        false => Check {
            ok: true,
            detail: format!("{}: a way back does not wait for more", check.detail),
            ..check
        },
    }
}

/// It forwards to one of the two colours alone: nothing of somebody else's is
/// overwritten.
fn production(observed: &Observed, name: &'static str, may_be_split: bool) -> Check {
    let seen = &observed.traffic.production;
    Check {
        name,
        ok: match may_be_split {
            true => !seen.splits().is_empty(),
            false => seen.only().is_some(),
        },
        detail: format!("{} {}", observed.endpoints().production, seen.deed()),
    }
}

/// The same, but to either, as a swap that stopped half-way or a person may have
/// left it; or nowhere. Where requests name their colour they have to get it.
fn test(observed: &Observed, place: &TestPlace) -> Check {
    let seen = &observed.traffic.test;
    let amiss = observed.other_ways.amiss.as_ref();
    let (name, ok) = match place {
        TestPlace::ByHeader(_) => ("test rules", amiss.is_none()),
        TestPlace::At(place) => {
            let name = match place {
                Place::Listener(_) => "test listener",
                Place::Rule(_) => "test rule",
            };
            (name, seen.only().is_some() || seen.is_nowhere())
        }
    };
    Check {
        name,
        ok,
        detail: match amiss {
            Some(amiss) => amiss.clone(),
            None => format!("{} {}", observed.endpoints().test, seen.deed()),
        },
    }
}

/// A target group that no listener names is not health-checked.
fn attached(observed: &Observed) -> Check {
    let unused: Vec<Color> = Color::BOTH
        .into_iter()
        .filter(|color| {
            let targets = &observed.color(*color).targets;
            targets.in_state(TargetState::Unused).next().is_some()
        })
        .collect();
    Check {
        name: "target groups",
        ok: unused.is_empty(),
        detail: match unused.first() {
            None => "both are attached to the load balancer".to_owned(),
            Some(color) => format!("{color}'s group is not attached to the load balancer"),
        },
    }
}

fn rolled_out(observed: &Observed, to: Color) -> Check {
    let primary = observed
        .color(to)
        .service
        .as_ref()
        .and_then(|service| service.primary());
    let Some(primary) = primary else {
        return Check {
            name: "deployment",
            ok: false,
            detail: format!("{to} has none"),
        };
    };
    let revision = primary.task_definition.short();
    let service = observed.color(to).service.as_ref();
    if service.is_some_and(ServiceState::is_going_back) {
        return Check {
            name: "deployment",
            ok: false,
            detail: going_back(observed, to),
        };
    }
    let (ok, state) = match primary.rollout {
        Some(Rollout::Completed) => (true, "complete"),
        Some(Rollout::Failed) => (false, "failed"),
        Some(Rollout::InProgress) => (false, "still in progress"),
        None => (false, "of unknown state"),
    };
    Check {
        name: "deployment",
        ok,
        detail: format!("{} as {revision} is {state}", observed.named(to)),
    }
}

/// A failed deploy's last chapter.
fn going_back(observed: &Observed, color: Color) -> String {
    let to = observed.deployed(color).map(|deployed| deployed.release());
    let to = to.unwrap_or_else(|| "what it ran before".to_owned());
    format!("ECS is going back to {to}; try again in a moment")
}

/// For what it is to take first, or has by now: for more it grows when that is
/// its turn.
fn capacity(observed: &Observed, strategy: &Strategy, is_under_way: bool) -> Check {
    let (from, to) = (strategy.from, strategy.to);
    let (has, live) = (observed.color(to).running(), observed.color(from).running());
    let found = observed.traffic.production.greatest_share(to);
    let found = found.filter(|_| is_under_way);
    let share = found.unwrap_or_else(|| strategy.first_share());
    let needs = needed(share, live);
    let mut detail = format!("{to} runs {}, {from} {live}", counted(has, "task"));
    if needs < live {
        detail += &format!("; its share needs {needs}");
    }
    Check {
        name: "capacity",
        ok: has > 0 && has >= needs,
        detail,
    }
}

fn healthy(observed: &Observed, to: Color) -> Check {
    let state = observed.color(to);
    let (healthy, registered) = (state.targets.healthy(), state.targets.registered());
    let wanted = usize::try_from(state.desired()).unwrap_or(0);
    let sick = unhealthy(&state.targets).next();
    let mut detail = format!(
        "{healthy} of {} of {to} healthy",
        counted(registered, "target")
    );
    if let Some(reason) = sick.and_then(|target| target.reason.as_deref()) {
        detail += &format!(" ({reason})");
    }
    Check {
        name: "target health",
        ok: healthy > 0 && healthy >= wanted && sick.is_none(),
        detail,
    }
}

/// One target is better than none.
fn healthy_enough(observed: &Observed, to: Color) -> Check {
    let ok = observed.color(to).targets.healthy() > 0;
    Check {
        ok,
        ..healthy(observed, to)
    }
}

/// A load balancer without any healthy target sends traffic anyway, so health
/// as described is not enough: the new colour must answer.
fn answers(name: &'static str, answers: &[Answer]) -> Check {
    let bad = answers.iter().find(|answer| !answer.is_ok());
    Check {
        name,
        ok: bad.is_none() && answers.len() >= TEST_ANSWERS,
        detail: match bad {
            None => format!("the health path answered well {} times", answers.len()),
            Some(Answer::Http { status, .. }) => format!("the health path answered HTTP {status}"),
            Some(Answer::Nothing { error, .. }) => format!("no answer: {error}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::testing::{by_rules, nowhere, observed, redirect, release, service, to};
    use crate::model::{Deployment, Found, HostedRelease, Revision, Split, Target, Targets};

    fn target(state: TargetState) -> Target {
        Target {
            id: "10.0.0.1".to_owned(),
            state,
            reason: None,
            description: None,
        }
    }

    fn ready() -> Observed {
        let mut world = observed();
        for color in [&mut world.colors.blue, &mut world.colors.green] {
            color.service = Some(service(1));
            color.targets = Targets(vec![target(TargetState::Healthy)]);
        }
        world
    }

    fn to_blue(world: &Observed) -> Strategy {
        Strategy::all_at_once(Color::Blue, &world.traffic, Duration::ZERO)
    }

    fn well() -> Vec<Answer> {
        let answer = Answer::Http {
            status: 204,
            release: None,
            body: String::new(),
        };
        vec![answer; TEST_ANSWERS]
    }

    fn failing(world: &Observed, answers: &[Answer]) -> Vec<&'static str> {
        failing_as(world, answers, Thoroughness::Full)
    }

    fn failing_as(
        world: &Observed,
        answers: &[Answer],
        thoroughness: Thoroughness,
    ) -> Vec<&'static str> {
        checks(world, &to_blue(world), false, answers, thoroughness)
            .into_iter()
            .filter(|check| !check.ok)
            .map(|check| check.name)
            .collect()
    }

    #[test]
    fn a_ready_colour_passes_them_all() {
        assert_eq!(failing(&ready(), &well()), Vec::<&str>::new());
    }

    #[test]
    fn a_test_route_by_header_is_as_it_should_be_unless_its_rules_are_not() {
        let mut world = ready();
        world.infrastructure = by_rules().into();
        world.traffic.test = Found::ByRequest;
        let told = |world: &Observed| -> Vec<String> {
            let all = checks(world, &to_blue(world), false, &well(), Thoroughness::Full);
            let first = all.iter().take(2);
            first
                .map(|check| format!("{} {}: {}", check.ok, check.name, check.detail))
                .collect()
        };
        assert_eq!(
            told(&world),
            [
                "true prod rule: port 80 forwards to green",
                "true test rules: header x-bgecs-color forwards to the colour that a request names",
            ]
        );
        assert_eq!(failing(&world, &well()), [""; 0]);
        assert_eq!(failing(&world, &[]), ["test route"]);
        world.other_ways.amiss = Some("the rule for x-bgecs-color: blue is gone".to_owned());
        assert_eq!(
            told(&world)[1],
            "false test rules: the rule for x-bgecs-color: blue is gone"
        );
        // Users do not wait for the testers' rules.
        assert_eq!(failing_as(&world, &[], Thoroughness::WayBack), [""; 0]);
    }

    #[test]
    fn each_defect_fails_its_own_check() {
        let mut on_both_routes = ready();
        on_both_routes.traffic.production = to(Color::Blue);
        assert_eq!(failing(&on_both_routes, &well()), Vec::<&str>::new());

        let mut strange = ready();
        strange.traffic.production = nowhere();
        assert_eq!(failing(&strange, &well()), ["prod listener"]);

        let mut test_elsewhere = ready();
        test_elsewhere.traffic.test = redirect();
        assert_eq!(failing(&test_elsewhere, &well()), ["test listener"]);

        let mut rolling = ready();
        rolling.colors.blue.service.as_mut().unwrap().deployments[0].rollout =
            Some(Rollout::InProgress);
        assert_eq!(failing(&rolling, &well()), ["deployment"]);

        let mut small = ready();
        small.colors.green.service = Some(service(5));
        assert_eq!(failing(&small, &well()), ["capacity"]);

        let mut sick = ready();
        sick.colors
            .blue
            .targets
            .0
            .push(target(TargetState::Unhealthy));
        assert_eq!(failing(&sick, &well()), ["target health"]);

        let mut detached = ready();
        detached.colors.green.targets = Targets(vec![target(TargetState::Unused)]);
        assert_eq!(failing(&detached, &well()), ["target groups"]);
    }

    #[test]
    fn a_colour_that_ecs_takes_back_is_said_to_be() {
        let mut world = ready();
        world.colors.blue.release = Some(release("60"));
        let service = world.colors.blue.service.as_mut().unwrap();
        service.deployments[0].rollout = Some(Rollout::InProgress);
        let failed = Deployment {
            id: "d2".to_owned(),
            is_primary: false,
            rollout: Some(Rollout::Failed),
            ..service.deployments[0].clone()
        };
        service.deployments.push(failed);
        let check = rolled_out(&world, Color::Blue);
        assert!(!check.ok);
        assert_eq!(
            check.detail,
            "ECS is going back to tag 60; try again in a moment"
        );
    }

    #[test]
    fn the_test_port_may_be_wherever_the_journal_can_have_it() {
        // As a person adopted it: on the live colour, or nowhere.
        for forwarding in [to(Color::Green), to(Color::Blue), nowhere()] {
            let mut world = ready();
            world.traffic.test = forwarding;
            assert_eq!(failing(&world, &well()), Vec::<&str>::new());
        }
    }

    #[test]
    fn a_share_needs_its_part_of_the_live_tasks_and_grows_when_that_is_its_turn() {
        let mut world = ready();
        world.colors.green.service = Some(service(10));
        world.colors.blue.service = Some(service(4));
        let target = || target(TargetState::Healthy);
        world.colors.blue.targets = Targets(vec![target(), target(), target(), target()]);
        let failing = |world: &Observed, strategy: &Strategy, is_under_way| -> Vec<&str> {
            let checks = checks(world, strategy, is_under_way, &well(), Thoroughness::Full);
            let failing = checks.into_iter().filter(|check| !check.ok);
            failing.map(|check| check.name).collect()
        };
        let none = Vec::<&str>::new();
        assert_eq!(failing(&world, &to_blue(&world), false), ["capacity"]);
        let steps = "25% pause".parse().unwrap();
        let all = Strategy::gradual(Color::Blue, &world.traffic, &steps, Duration::ZERO);
        assert_eq!(failing(&world, &all, false), none);
        // What follows the pause needs ten, and waits for them itself.
        world.traffic.production = Found::Split(Split::with_share(Color::Blue, 2500));
        let rest = all.rest(&world.traffic).unwrap().beyond_its_pause(false);
        assert_eq!(failing(&world, &rest, true), none);
        assert!(is_fit(&world, &all));
        world.colors.blue.service = Some(service(3));
        assert_eq!(failing(&world, &rest, true), ["capacity"]);
        assert!(!is_fit(&world, &all));
    }

    /// Its own answers are missing, and nothing else.
    #[test]
    fn where_nobody_asks_it_all_but_its_answers_is_needed() {
        let blind = |world: &Observed| failing_as(world, &[], Thoroughness::Blind);
        assert_eq!(blind(&ready()), Vec::<&str>::new());
        let told = |thoroughness| checks(&ready(), &to_blue(&ready()), false, &[], thoroughness);
        let (blind_ones, all) = (told(Thoroughness::Blind), told(Thoroughness::Full));
        assert_eq!(blind_ones, all[..all.len() - 1]);
        let mut sick = ready();
        sick.colors
            .blue
            .targets
            .0
            .push(target(TargetState::Unhealthy));
        assert_eq!(blind(&sick), ["target health"]);
    }

    #[test]
    fn healthy_is_enough_for_a_way_back() {
        let way_back = |world: &Observed| failing_as(world, &[], Thoroughness::WayBack);
        let mut small = ready();
        small.colors.green.service = Some(service(5));
        let blue = &mut small.colors.blue;
        blue.service.as_mut().unwrap().deployments[0].rollout = Some(Rollout::InProgress);
        blue.targets.0.push(target(TargetState::Unhealthy));
        assert_eq!(way_back(&small), Vec::<&str>::new());
        let told = checks(&small, &to_blue(&small), false, &[], Thoroughness::WayBack);
        let capacity = told.iter().find(|check| check.name == "capacity").unwrap();
        assert_eq!(
            capacity.detail,
            "blue runs 1 task, green 5: a way back does not wait for more"
        );
        small.colors.blue.targets.0.remove(0);
        assert_eq!(way_back(&small), ["target health"]);
        let mut strange = ready();
        strange.traffic.production = nowhere();
        assert_eq!(way_back(&strange), ["prod listener"]);
    }

    #[test]
    fn the_test_port_must_answer_three_times() {
        assert_eq!(failing(&ready(), &well()[..2]), ["test port"]);
        let mut answers = well();
        answers[1] = Answer::Nothing {
            why: crate::model::Lost::Refused,
            error: "connection refused".to_owned(),
        };
        assert_eq!(failing(&ready(), &answers), ["test port"]);
    }

    #[test]
    fn a_release_that_answers_as_another_is_not_what_was_deployed() {
        let mut world = observed();
        world.colors.blue.hosted = Some(HostedRelease {
            revision: Revision::new("op-1"),
            tag: Some("2".parse().unwrap()),
            deployed_at: "2026-01-01T00:00:00Z".to_owned(),
            deployed_by: "ann@laptop".to_owned(),
            is_retired: false,
        });
        let answer = |release: Option<&str>| Answer::Http {
            status: 200,
            release: release.map(str::to_owned),
            body: String::new(),
        };
        for (release, ok) in [(None, true), (Some("2"), true), (Some("1"), false)] {
            let all: Vec<Answer> = (0..TEST_ANSWERS).map(|_| answer(release)).collect();
            let check = release_answers(&world, Color::Blue, &all);
            assert_eq!(check.ok, ok, "{}", check.detail);
        }
    }
}
