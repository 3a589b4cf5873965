//! The checks before a swap: each with its name, its result and what was seen,
//! so that a refusal explains itself.

use serde::Serialize;

use crate::model::{Answer, Color, Observed, Port, Rollout, TargetState};

/// Answers that the test port must give in a row.
pub const TEST_ANSWERS: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub detail: String,
}

/// All checks of a swap from `from` to `to`, in the order in which a person
/// would ask them. `test_answers` are the test port's to the health path.
pub fn checks(observed: &Observed, from: Color, to: Color, test_answers: &[Answer]) -> Vec<Check> {
    vec![
        listener(observed, Port::Prod, from, to),
        listener(observed, Port::Test, to, test_may_be_at(observed, from, to)),
        attached(observed),
        rolled_out(observed, to),
        capacity(observed, from, to),
        healthy(observed, to),
        answers(test_answers),
    ]
}

/// A swap that stopped half-way left the test port on the live colour, and one
/// that stopped after its writes has both where they belong.
fn test_may_be_at(observed: &Observed, from: Color, to: Color) -> Color {
    match observed.live_color() {
        Some(live) if live == to => from,
        _ => observed.half_swapped().unwrap_or(to),
    }
}

/// Prod may forward to either colour (to the new one where a swap was
/// interrupted), test to the new one; nothing to nobody else's group.
fn listener(observed: &Observed, port: Port, expected: Color, or: Color) -> Check {
    let seen = observed.forwarding(port);
    let only = seen.only();
    Check {
        name: match port {
            Port::Prod => "prod listener",
            Port::Test => "test listener",
        },
        ok: only == Some(expected) || only == Some(or),
        detail: format!("{port} {}", seen.deed()),
    }
}

/// A target group that no listener names is not health-checked.
fn attached(observed: &Observed) -> Check {
    let unused: Vec<Color> = Color::BOTH
        .into_iter()
        .filter(|color| {
            let targets = &observed.color(*color).targets.0;
            targets
                .iter()
                .any(|target| target.state == TargetState::Unused)
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

fn capacity(observed: &Observed, from: Color, to: Color) -> Check {
    let (has, needs) = (observed.color(to).running(), observed.color(from).running());
    Check {
        name: "capacity",
        ok: has > 0 && has >= needs,
        detail: format!("{to} runs {has} task(s), {from} {needs}"),
    }
}

fn healthy(observed: &Observed, to: Color) -> Check {
    let state = observed.color(to);
    let (healthy, registered) = (state.targets.healthy(), state.targets.registered());
    let wanted = usize::try_from(state.desired()).unwrap_or(0);
    let sick = state
        .targets
        .0
        .iter()
        .find(|target| target.state == TargetState::Unhealthy);
    let mut detail = format!("{healthy} of {registered} target(s) of {to} healthy");
    if let Some(reason) = sick.and_then(|target| target.reason.as_deref()) {
        detail += &format!(" ({reason})");
    }
    Check {
        name: "target health",
        ok: healthy > 0 && healthy >= wanted && sick.is_none(),
        detail,
    }
}

/// A load balancer without any healthy target sends traffic anyway, so health
/// as described is not enough: the new colour must answer.
fn answers(answers: &[Answer]) -> Check {
    let bad = answers.iter().find(|answer| !answer.is_ok());
    Check {
        name: "test port",
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
    use super::*;
    use crate::model::testing::{nowhere, observed, service, to};
    use crate::model::{Target, Targets};

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

    fn well() -> Vec<Answer> {
        let answer = Answer::Http {
            status: 204,
            release: None,
            body: String::new(),
        };
        vec![answer; TEST_ANSWERS]
    }

    fn failing(world: &Observed, answers: &[Answer]) -> Vec<&'static str> {
        checks(world, Color::Green, Color::Blue, answers)
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
    fn each_defect_fails_its_own_check() {
        let mut half_swapped = ready();
        half_swapped.listeners.prod = to(Color::Blue);
        assert_eq!(failing(&half_swapped, &well()), Vec::<&str>::new());

        let mut strange = ready();
        strange.listeners.prod = nowhere();
        assert_eq!(failing(&strange, &well()), ["prod listener"]);

        let mut test_elsewhere = ready();
        test_elsewhere.listeners.test = nowhere();
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
    fn the_test_port_must_answer_three_times() {
        assert_eq!(failing(&ready(), &well()[..2]), ["test port"]);
        let mut answers = well();
        answers[1] = Answer::Nothing {
            why: crate::model::Lost::Refused,
            error: "connection refused".to_owned(),
        };
        assert_eq!(failing(&ready(), &answers), ["test port"]);
    }
}
