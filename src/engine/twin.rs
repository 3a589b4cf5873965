//! How the services of the two colours differ, apart from the release that they run.

mod scaling;

use std::collections::BTreeSet;

use super::plan::Refusal;
use crate::model::{
    Check, Color, Compute, ComputeKeys, DeploymentConfiguration, Network, Observed, Scaling,
    ServiceDefinition, ServiceState,
};

/// One difference, told of the colour that users are to come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwinDifference {
    pub what: String,
    /// Whether it could serve users less well than the other one does.
    pub is_weaker: bool,
}

/// What of two services is compared.
#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    to: Color,
    its: &'a ServiceState,
    others: &'a ServiceState,
}

/// Nothing where one of the two is not there.
pub fn differences(
    observed: &Observed,
    to: Color,
    scaling: Option<&Scaling>,
) -> Vec<TwinDifference> {
    let service = |color| observed.color(color).service.as_ref();
    let (Some(its), Some(others)) = (service(to), service(to.other())) else {
        return Vec::new();
    };
    let pair = Pair { to, its, others };
    let scaling = scaling
        .into_iter()
        .flat_map(|all| scaling::differences(pair, all));
    of_definitions(to, &its.definition, &others.definition)
        .into_iter()
        .chain(scaling)
        .collect()
}

/// What differs is told, and forbids the swap where users would have less.
pub fn check(observed: &Observed, to: Color, scaling: Option<&Scaling>) -> Check {
    let mut all = differences(observed, to, scaling);
    // What forbids it is not looked for among the rest.
    all.sort_by_key(|it| !it.is_weaker);
    let told: Vec<&str> = all.iter().map(|it| it.what.as_str()).collect();
    Check {
        name: "twin",
        ok: !all.iter().any(|it| it.is_weaker),
        detail: match told.is_empty() {
            true => format!("{to} is made like {}", to.other()),
            false => told.join("; "),
        },
    }
}

/// A release that could never be promoted is not deployed.
///
/// # Errors
/// AWS may take all tasks of it away, and none of what is live.
pub fn refuse_interruptible(
    observed: &Observed,
    color: Color,
    said: &ComputeKeys,
) -> Result<(), Refusal> {
    let live = observed.live_color().filter(|live| *live != color);
    let live = live.and_then(|live| Some((live, observed.color(live).service.as_ref()?)));
    let (Some((live, service)), Some(capacity)) = (live, &said.capacity) else {
        return Ok(());
    };
    let safe = &service.definition.compute.capacity;
    match capacity.is_weaker_than(safe) {
        false => Ok(()),
        true => Err(Refusal::new(
            format!(
                "{color} would run on {capacity} alone, which AWS takes away at two minutes' notice, and {live}, which is live, runs on {safe}"
            ),
            "give it a base in [service]: capacity = [{ provider = \"FARGATE\", base = 1 }, { provider = \"FARGATE_SPOT\", weight = 1 }]",
        )),
    }
}

fn of_definitions(
    to: Color,
    its: &ServiceDefinition,
    others: &ServiceDefinition,
) -> Vec<TwinDifference> {
    let of_compute = of_compute(to, &its.compute, &others.compute);
    let of_network = of_network(to, &its.network, &others.network);
    let [limits, names] = [
        (limits(its.deployment), limits(others.deployment)),
        (joined(&its.names), joined(&others.names)),
    ];
    let of_limits = differ(to, "the deployment limits", limits, false);
    let tags = [its, others].map(|it| it.propagate_tags.as_str().to_owned());
    let of_tags = differ(to, "propagateTags", tags.into(), false);
    let of_names = (names.0 != names.1).then(|| TwinDifference {
        what: format!(
            "{to} is found by {}, and {} by {}: whoever comes that way is not moved",
            names.0,
            to.other(),
            names.1
        ),
        is_weaker: false,
    });
    let all = of_compute.into_iter().chain(of_network);
    all.chain([of_limits, of_tags, of_names])
        .flatten()
        .collect()
}

fn of_compute(to: Color, its: &Compute, others: &Compute) -> [Option<TwinDifference>; 3] {
    let both = |of: fn(&Compute) -> String| (of(its), of(others));
    let is_weaker = its.capacity.is_weaker_than(&others.capacity);
    let capacity = both(|it| it.capacity.to_string());
    let capacity = differ(to, "the capacity", capacity, is_weaker);
    let switched = both(|it| if it.exec { "on" } else { "off" }.to_owned());
    [
        capacity.filter(|_| !its.capacity.is_like(&others.capacity)),
        differ(
            to,
            "platform version",
            both(|it| it.platform_version().to_owned()),
            false,
        ),
        differ(to, "ECS Exec", switched, false),
    ]
}

fn of_network(to: Color, its: &Network, others: &Network) -> [Option<TwinDifference>; 3] {
    let both = |of: fn(&Network) -> String| (of(its), of(others));
    // One subnet is one zone.
    let is_in_one = its.subnets.len() == 1 && others.subnets.len() > 1;
    let has = |group: &String| its.security_groups.contains(group);
    let lacks_some = !others.security_groups.iter().all(has);
    let public = both(|it| if it.public_ip { "on" } else { "off" }.to_owned());
    [
        differ(to, "the subnets", both(|it| joined(&it.subnets)), is_in_one),
        differ(
            to,
            "the security groups",
            both(|it| joined(&it.security_groups)),
            lacks_some,
        ),
        differ(to, "public IPs", public, false),
    ]
}

fn differ(
    to: Color,
    what: &str,
    (its, others): (String, String),
    is_weaker: bool,
) -> Option<TwinDifference> {
    (its != others).then(|| TwinDifference {
        what: format!("{to} has {what} {its}, and {} {others}", to.other()),
        is_weaker,
    })
}

fn limits(it: DeploymentConfiguration) -> String {
    let breaker = match (it.breaker, it.rollback) {
        (false, _) => "without a circuit breaker",
        (true, false) => "with a circuit breaker",
        (true, true) => "with a circuit breaker that takes back",
    };
    format!(
        "{}-{} % {breaker}",
        it.minimum_healthy_percent, it.maximum_percent
    )
}

/// The order in which AWS lists them says nothing.
fn joined(all: &[String]) -> String {
    let all: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    match all.is_empty() {
        true => "none".to_owned(),
        false => Vec::from_iter(all).join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PropagateTags;
    use crate::model::testing::{observed, service};
    use crate::model::{Capacity, CapacityShare};

    fn share(provider: &str, weight: i32, base: i32) -> CapacityShare {
        CapacityShare {
            provider: provider.to_owned(),
            weight,
            base,
        }
    }

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|it| (*it).to_owned()).collect()
    }

    fn usual() -> ServiceDefinition {
        ServiceDefinition {
            network: Network {
                subnets: texts(&["subnet-a", "subnet-b"]),
                security_groups: texts(&["sg-1", "sg-2"]),
                public_ip: false,
            },
            ..ServiceDefinition::default()
        }
    }

    /// What is said of blue, and whether it is weaker.
    fn told(blue: &ServiceDefinition, green: &ServiceDefinition) -> Vec<(String, bool)> {
        let all = of_definitions(Color::Blue, blue, green);
        all.into_iter().map(|it| (it.what, it.is_weaker)).collect()
    }

    #[test]
    fn what_is_made_alike_says_nothing() {
        assert_eq!(told(&usual(), &usual()), []);
        let mut shuffled = usual();
        shuffled.network.subnets.reverse();
        shuffled.network.security_groups.reverse();
        // What is not said is the latest.
        shuffled.compute.platform_version = Some("LATEST".to_owned());
        assert_eq!(told(&shuffled, &usual()), []);
    }

    #[test]
    fn each_difference_is_told_and_what_users_would_lack_is_weaker() {
        let spot = Capacity::Providers(vec![share("FARGATE_SPOT", 1, 0)]);
        let based = Capacity::Providers(vec![share("FARGATE", 0, 1), share("FARGATE_SPOT", 3, 0)]);
        type Change = fn(&mut ServiceDefinition);
        let changes: [(Change, &str, bool); 10] = [
            (
                |it| it.compute.platform_version = Some("1.3.0".to_owned()),
                "blue has platform version 1.3.0, and green LATEST",
                false,
            ),
            (
                |it| it.network.subnets = texts(&["subnet-a"]),
                "blue has the subnets subnet-a, and green subnet-a, subnet-b",
                true,
            ),
            (
                |it| it.network.subnets = texts(&["subnet-a", "subnet-c"]),
                "blue has the subnets subnet-a, subnet-c, and green subnet-a, subnet-b",
                false,
            ),
            (
                |it| it.network.security_groups = texts(&["sg-1"]),
                "blue has the security groups sg-1, and green sg-1, sg-2",
                true,
            ),
            (
                |it| it.network.security_groups.push("sg-3".to_owned()),
                "blue has the security groups sg-1, sg-2, sg-3, and green sg-1, sg-2",
                false,
            ),
            (
                |it| it.network.public_ip = true,
                "blue has public IPs on, and green off",
                false,
            ),
            (
                |it| it.deployment = DeploymentConfiguration::ROLLING,
                "blue has the deployment limits 100-200 % with a circuit breaker that takes back, and green 0-0 % without a circuit breaker",
                false,
            ),
            (
                |it| it.propagate_tags = PropagateTags::Service,
                "blue has propagateTags SERVICE, and green NONE",
                false,
            ),
            (
                |it| it.compute.exec = true,
                "blue has ECS Exec on, and green off",
                false,
            ),
            (
                |it| it.names.push("prod".to_owned()),
                "blue is found by prod, and green by none: whoever comes that way is not moved",
                false,
            ),
        ];
        for (change, what, is_weaker) in changes {
            let mut blue = usual();
            change(&mut blue);
            assert_eq!(told(&blue, &usual()), [(what.to_owned(), is_weaker)]);
        }
        let on = |capacity: &Capacity| {
            let mut it = usual();
            it.compute.capacity = capacity.clone();
            it
        };
        let fargate = Capacity::default();
        for (blue, green, what, is_weaker) in [
            (
                &spot,
                &fargate,
                "FARGATE_SPOT weight 1, and green FARGATE",
                true,
            ),
            (
                &based,
                &fargate,
                "FARGATE base 1, FARGATE_SPOT weight 3, and green FARGATE",
                false,
            ),
            (
                &fargate,
                &spot,
                "FARGATE, and green FARGATE_SPOT weight 1",
                false,
            ),
        ] {
            let what = format!("blue has the capacity {what}");
            assert_eq!(told(&on(blue), &on(green)), [(what, is_weaker)]);
        }
    }

    #[test]
    fn a_release_on_spot_alone_is_not_deployed_beside_one_that_is_safe() {
        let mut world = observed();
        world.colors.green.service = Some(service(1));
        let said = |capacity: &str| ComputeKeys {
            capacity: Some(Capacity::of(capacity)),
            ..ComputeKeys::default()
        };
        assert_eq!(world.live_color(), Some(Color::Green));
        let refuse = |world: &Observed, color, capacity| {
            let refused = refuse_interruptible(world, color, &said(capacity));
            refused.map_err(|refusal| refusal.message)
        };
        let why = "blue would run on FARGATE_SPOT weight 1 alone, which AWS takes away at two minutes' notice, and green, which is live, runs on FARGATE";
        assert_eq!(
            refuse(&world, Color::Blue, "FARGATE_SPOT"),
            Err(why.to_owned())
        );
        assert_eq!(refuse(&world, Color::Blue, "FARGATE"), Ok(()));
        assert_eq!(refuse(&world, Color::Green, "FARGATE_SPOT"), Ok(()));
        let mut spot = service(1);
        spot.definition.compute.capacity = Capacity::of("FARGATE_SPOT");
        world.colors.green.service = Some(spot);
        assert_eq!(refuse(&world, Color::Blue, "FARGATE_SPOT"), Ok(()));
    }
}
