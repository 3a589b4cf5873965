//! What scales the two services. Users' colour gives its bounds, its policies and its
//! schedules to the one that takes over: only what cannot be given is a difference.

use super::{Pair, TwinDifference};
use crate::counted::counted;
use crate::model::{Autoscaling, Color, Scaling, ScalingPolicy, ServiceState};

/// Its alarms are its owner's, and name one service each.
const STEPS: &str = "StepScaling";

pub(super) fn differences(pair: Pair<'_>, all: &Scaling) -> Vec<TwinDifference> {
    let Pair { to, its, others } = pair;
    let scaled = |color| all.get(color).as_ref();
    let own = scaled(to);
    let own_policies = own.map_or(&[][..], |it| &it.policies);
    let misled = own_policies.iter();
    let misled = misled.filter_map(|policy| counts_others((to, its), policy));
    let awake = own.filter(|it| !it.target.is_at_rest());
    let of_both = match (scaled(to.other()), awake) {
        (Some(theirs), Some(own)) if theirs.target.is_at_rest() => vec![left_behind(to, own)],
        (Some(theirs), _) => ungiven((to, own_policies), (others, theirs)),
        (None, Some(own)) => vec![alone(pair, own)],
        (None, None) => Vec::new(),
    };
    let restless = awake.filter(|it| !it.target.suspended.scale_in && scaled(to.other()).is_some());
    let restless = restless.map(|it| TwinDifference {
        what: format!(
            "{to} is scaled from {} without a user on it: that may start its tasks, or end those that a way back needs",
            it.target.bounds()
        ),
        is_weaker: false,
    });
    of_both.into_iter().chain(restless).chain(misled).collect()
}

/// Somebody has moved users by hand.
fn left_behind(to: Color, own: &Autoscaling) -> TwinDifference {
    let live = to.other();
    TwinDifference {
        what: format!(
            "all scaling of {live} is suspended, where users are, and {to} is scaled from {}: `bgecs adopt` has it follow users after a move by hand",
            own.target.bounds()
        ),
        is_weaker: false,
    }
}

/// Nothing scales users' colour, and so nothing is given.
fn alone(pair: Pair<'_>, own: &Autoscaling) -> TwinDifference {
    let Pair { to, others, .. } = pair;
    let (live, bounds) = (to.other(), own.target.bounds());
    // Whatever registers it again brings its count into its bounds.
    let is_weaker = own.target.most < others.desired;
    let what = match is_weaker {
        true => format!(
            "{to} is scaled from {bounds}, and {live}, which nothing scales, has {}",
            others.desired
        ),
        false => format!("{to} is scaled from {bounds}, and nothing scales {live}"),
    };
    TwinDifference { what, is_weaker }
}

/// What scales users' colour and cannot be given to the other one.
fn ungiven(
    (to, own): (Color, &[ScalingPolicy]),
    (others, theirs): (&ServiceState, &Autoscaling),
) -> Vec<TwinDifference> {
    let (live, target, count) = (to.other(), theirs.target, others.desired);
    let has = |all: &[ScalingPolicy], it: &ScalingPolicy| all.iter().any(|of| of.name == it.name);
    let impossible = (target.least > target.most).then(|| TwinDifference {
        what: format!(
            "{live} is scaled from {}, which no count is",
            target.bounds()
        ),
        is_weaker: true,
    });
    let beyond = (target.least <= target.most && count > target.most).then(|| TwinDifference {
        what: format!(
            "{live} has {}, and its scaling allows {}: it is to allow {count}",
            counted(count, "task"),
            target.most
        ),
        is_weaker: false,
    });
    let misled = theirs.policies.iter();
    let misled = misled.filter_map(|policy| counts_others((live, others), policy));
    let unalarmed = theirs.policies.iter();
    let unalarmed = unalarmed.filter(|it| it.kind == STEPS && !has(own, it));
    let unalarmed = unalarmed.map(|policy| TwinDifference {
        what: format!(
            "the step scaling policy `{0}` of {live} is called by alarms that look at {live}: {to} needs a policy `{0}` with alarms of its own",
            policy.name
        ),
        is_weaker: true,
    });
    let besides = own.iter().filter(|it| !has(&theirs.policies, it));
    let besides = besides.map(|policy| TwinDifference {
        what: format!(
            "{to} is also scaled by the policy `{}`, and {live} is not",
            policy.name
        ),
        is_weaker: false,
    });
    let of_target = impossible.into_iter().chain(beyond);
    of_target
        .chain(misled)
        .chain(unalarmed)
        .chain(besides)
        .collect()
}

/// It would scale by requests that go elsewhere.
fn counts_others(
    (color, service): (Color, &ServiceState),
    policy: &ScalingPolicy,
) -> Option<TwinDifference> {
    let counted = policy.counted_group.as_deref()?;
    let mut own = service.definition.load_balancers.iter();
    let is_own = own.any(|it| it.target_group.as_str().ends_with(counted));
    (!is_own).then(|| TwinDifference {
        what: format!(
            "the scaling policy `{}` of {color} counts requests of {counted}, where {color} is not registered",
            policy.name
        ),
        is_weaker: true,
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;
    use crate::model::testing::{observed, service};
    use crate::model::{LoadBalancer, Observed, ScalableTarget, Suspended, TargetGroupArn};

    fn scaled_by(least: i32, most: i32, policies: &[(&str, &str, Option<&str>)]) -> Autoscaling {
        let policies = policies.iter().map(|(name, kind, group)| ScalingPolicy {
            name: (*name).to_owned(),
            kind: (*kind).to_owned(),
            counted_group: group.map(str::to_owned),
        });
        Autoscaling {
            target: ScalableTarget {
                least,
                most,
                suspended: Suspended::default(),
            },
            policies: policies.collect(),
        }
    }

    /// Three tasks of each, and users on green.
    fn world() -> Observed {
        let mut world = observed();
        let with_group = |group: &str| {
            let mut it = service(3);
            it.definition.load_balancers = vec![LoadBalancer {
                target_group: TargetGroupArn::new(group),
                container: "app".to_owned(),
                port: 80,
            }];
            it
        };
        world.colors.blue.service = Some(with_group("arn:targetgroup/blue/1"));
        world.colors.green.service = Some(with_group("arn:targetgroup/green/2"));
        world
    }

    fn told(blue: Option<Autoscaling>, green: Option<Autoscaling>) -> (bool, String) {
        let check = check(&world(), Color::Blue, Some(&Scaling { blue, green }));
        (check.ok, check.detail)
    }

    #[test]
    fn what_users_colour_gives_the_other_one_is_no_difference() {
        let alike = (true, "blue is made like green".to_owned());
        let ten = || Some(scaled_by(2, 10, &[]));
        assert_eq!(told(None, None), alike);
        assert_eq!(told(None, ten()), alike);
        let mut rest = scaled_by(2, 10, &[]);
        rest.target = rest.target.at_rest();
        assert_eq!(told(Some(rest.clone()), None), alike);
        // It gets green's bounds, whatever its own are.
        assert_eq!(told(Some(rest.clone()), ten()), alike);
        // As the owner wants it, and no more to be moved by hand.
        assert_eq!(told(None, Some(rest)), alike);
        let tracking = |group| scaled_by(2, 10, &[("cpu", "TargetTrackingScaling", group)]);
        assert_eq!(
            told(None, Some(tracking(Some("targetgroup/green/2")))),
            alike
        );
    }

    #[test]
    fn what_cannot_be_given_is_told() {
        let ten = || Some(scaled_by(2, 10, &[]));
        let alone = "blue is scaled from 2 to 10 tasks, and nothing scales green".to_owned();
        assert_eq!(told(ten(), None), (true, alone));
        let restless = "blue is scaled from 2 to 10 tasks without a user on it: that may start its tasks, or end those that a way back needs";
        assert_eq!(told(ten(), ten()), (true, restless.to_owned()));
        let mut rest = scaled_by(2, 10, &[]);
        rest.target = rest.target.at_rest();
        let (ok, left) = told(ten(), Some(rest));
        assert!(ok && left.starts_with("all scaling of green is suspended, where users are"));
        let capped =
            "blue is scaled from 0 to 2 tasks, and green, which nothing scales, has 3".to_owned();
        assert_eq!(told(Some(scaled_by(0, 2, &[])), None), (false, capped));
        let beyond = "green has 3 tasks, and its scaling allows 2: it is to allow 3".to_owned();
        assert_eq!(told(None, Some(scaled_by(1, 2, &[]))), (true, beyond));
        let impossible = "green is scaled from 5 to 4 tasks, which no count is".to_owned();
        assert_eq!(told(None, Some(scaled_by(5, 4, &[]))), (false, impossible));

        let counting =
            |group| scaled_by(2, 10, &[("requests", "TargetTrackingScaling", Some(group))]);
        let of = |color, group| {
            format!(
                "the scaling policy `requests` of {color} counts requests of {group}, where {color} is not registered"
            )
        };
        let group = "targetgroup/green/2";
        let (ok, detail) = told(Some(counting(group)), ten());
        assert!(!ok && detail.starts_with(&of("blue", group)), "{detail}");
        assert!(detail.contains("blue is also scaled by the policy `requests`"));
        let group = "targetgroup/blue/1";
        assert_eq!(
            told(None, Some(counting(group))),
            (false, of("green", group))
        );
    }

    #[test]
    fn steps_need_alarms_of_their_own() {
        let steps = || Some(scaled_by(2, 10, &[("up", STEPS, None)]));
        assert!(told(steps(), steps()).0);
        let unalarmed = "the step scaling policy `up` of green is called by alarms that look at green: blue needs a policy `up` with alarms of its own".to_owned();
        assert_eq!(told(None, steps()), (false, unalarmed));
    }
}
