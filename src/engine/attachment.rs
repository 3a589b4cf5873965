//! Whether bgecs can be attached to a service, and where: the way by which its
//! users come in, and room beside it for testers.

mod again;

use url::Url;

use crate::config::{Attached, ListenerKeys, NamedWay, RuleKey, TestKey};
use crate::counted::counted;
use crate::engine::entrance::origin;
use crate::engine::plan::Refusal;
use crate::model::{
    Balancer, BalancerListener, ConditionPattern, IssuedCertificate, ListenerRule, RuleArn,
    RuleCondition, TargetGroupArn, TargetGroupSettings,
};

pub use again::{refuse_another, refuse_leaving};

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html>
const LAST_PRIORITY: u32 = 50_000;

/// Where users come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsersWay<'a> {
    pub balancer: &'a Balancer,
    pub listener: &'a BalancerListener,
    /// The rule, or the default action.
    pub rule: &'a ListenerRule,
}

/// Finds what the configuration names, of what was read.
///
/// # Errors
/// Nothing or several things are like that; it leads elsewhere too.
pub fn users_way<'a>(
    (named, service): (NamedWay<'_>, &str),
    groups: &[TargetGroupArn],
    balancers: &'a [Balancer],
) -> Result<UsersWay<'a>, Refusal> {
    let (balancer, listener) = listener((named.listener, service), balancers)?;
    let rule = rule(named.rule, listener)?;
    let named = || format!("{}: {listener}, {rule}", balancer.name);
    let strangers: Vec<&str> = rule
        .forwards
        .iter()
        .map(|(group, _)| group)
        .filter(|group| !groups.contains(group))
        .map(TargetGroupArn::as_str)
        .collect();
    if rule.forwards.is_empty() {
        return Err(Refusal::new(
            format!(
                "{} forwards to no target group, so it does not lead to the service {}",
                named(),
                service
            ),
            "name the listener or rule that does under [production]; `bgecs import` finds it",
        ));
    }
    match strangers.is_empty() {
        true => Ok(UsersWay {
            balancer,
            listener,
            rule,
        }),
        false => Err(Refusal::new(
            format!(
                "{} forwards to {}, which is not the service {}'s",
                named(),
                strangers.join(" and "),
                service
            ),
            "have it forward to the service's target group alone, or name another place under [production]",
        )),
    }
}

/// Which of the service's groups that way leads to, by its number: `pairs` are those
/// of both colours.
///
/// # Errors
/// Several: each colour has its users in one of them.
pub fn pair_of(way: UsersWay<'_>, pairs: &[Vec<TargetGroupArn>]) -> Result<usize, Refusal> {
    let holds = |pair: &&Vec<TargetGroupArn>| {
        let mut all = way.rule.forwards.iter();
        all.any(|(group, _)| pair.contains(group))
    };
    match (
        pairs.iter().position(|pair| holds(&pair)),
        pairs.iter().filter(holds).count(),
    ) {
        (Some(number), 1) => Ok(number),
        _ => Err(Refusal::new(
            format!(
                "{}: {}, {} forwards to several of the service's target groups",
                way.balancer.name, way.listener, way.rule
            ),
            "have it forward to one of them",
        )),
    }
}

/// Who comes by a group that no way of the configuration leads to would stay on what
/// runs there.
///
/// # Errors
/// There is one.
pub fn refuse_left_out(
    groups: &[&TargetGroupSettings],
    led_to: &[usize],
    service: &str,
) -> Result<(), Refusal> {
    let mut numbered = groups.iter().enumerate();
    match numbered.find(|(number, _)| !led_to.contains(number)) {
        None => Ok(()),
        Some((_, left)) => Err(Refusal::new(
            format!(
                "no [[production]] leads to {}, one of the {} of the service {service}: its users would stay on what runs now",
                left.name,
                counted(groups.len(), "target group")
            ),
            "name a way that leads there as another [[production]]; `bgecs import` lists them",
        )),
    }
}

fn listener<'a>(
    (wanted, service): (&ListenerKeys, &str),
    balancers: &'a [Balancer],
) -> Result<(&'a Balancer, &'a BalancerListener), Refusal> {
    let is_it = |balancer: &Balancer, listener: &BalancerListener| match wanted {
        ListenerKeys::Arn(arn) => listener.arn == arn.as_str(),
        ListenerKeys::Of {
            load_balancer,
            port,
        } => balancer.name == *load_balancer && listener.port == *port,
    };
    let all = balancers.iter().flat_map(|balancer| {
        let listeners = balancer.listeners.iter();
        listeners.map(move |listener| (balancer, listener))
    });
    let mut found = all.filter(|(balancer, listener)| is_it(balancer, listener));
    found.next().ok_or_else(|| {
        let what = match wanted {
            ListenerKeys::Arn(arn) => format!("the listener {arn}"),
            ListenerKeys::Of {
                load_balancer,
                port,
            } => format!("a listener on port {port} of {load_balancer}"),
        };
        let names: Vec<&str> = balancers.iter().map(|it| it.name.as_str()).collect();
        let there = match names.as_slice() {
            [] => "no load balancer has its target group".to_owned(),
            names => format!("it is behind {}", names.join(", ")),
        };
        Refusal::new(
            format!("{what} is not one of the service {service}'s: {there}"),
            "`bgecs import` finds the listeners and rules that lead to it",
        )
    })
}

fn rule<'a>(wanted: &RuleKey, listener: &'a BalancerListener) -> Result<&'a ListenerRule, Refusal> {
    let is_it = |rule: &&ListenerRule| match wanted {
        RuleKey::DefaultAction => rule.priority.is_none(),
        RuleKey::Arn(arn) => rule.arn == *arn,
        RuleKey::With { host, path } => rule.priority.is_some() && has_just(rule, host, path),
    };
    let found: Vec<&ListenerRule> = listener.rules.iter().filter(is_it).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let all: Vec<String> = listener.rules.iter().map(ToString::to_string).collect();
            Err(Refusal::new(
                format!("{listener} has no rule like the one under [production]"),
                format!("it has {}", all.join("; ")),
            ))
        }
        several => {
            let all = several.iter().map(|rule| format!("{rule}: {}", rule.arn));
            Err(Refusal::new(
                format!("several rules of {listener} have these conditions"),
                format!(
                    "name one by its ARN:\n{}",
                    all.collect::<Vec<_>>().join("\n")
                ),
            ))
        }
    }
}

/// Whether these are its conditions, and no other.
fn has_just(rule: &ListenerRule, host: &[String], path: &[String]) -> bool {
    let (mut hosts, mut paths) = (Vec::new(), Vec::new());
    for condition in &rule.conditions {
        let (patterns, into) = match condition {
            RuleCondition::Host(patterns) => (patterns, &mut hosts),
            RuleCondition::Path(patterns) => (patterns, &mut paths),
            RuleCondition::Header(..) | RuleCondition::Other(_) => return false,
        };
        for pattern in patterns {
            match pattern {
                ConditionPattern::Glob(glob) => into.push(glob.clone()),
                ConditionPattern::Regex(_) => return false,
            }
        }
    }
    let same = |found: &mut Vec<String>, wanted: &[String], any_case: bool| {
        let fold = |text: &String| match any_case {
            true => text.to_ascii_lowercase(),
            false => text.clone(),
        };
        let [mut found, mut wanted] = [
            found.iter().map(fold).collect::<Vec<_>>(),
            wanted.iter().map(fold).collect(),
        ];
        found.sort();
        wanted.sort();
        found == wanted
    };
    same(&mut hosts, host, true) && same(&mut paths, path, false)
}

/// A rule for testers ahead of users' would take them past what users have to pass,
/// and a sign-in cannot be made once more: AWS keeps its secret.
///
/// # Errors
/// There is such a thing.
pub fn refuse_way_around(way: UsersWay<'_>) -> Result<(), Refusal> {
    if way.rule.guards.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        format!(
            "{}: {}, {} makes users pass {} first, and a rule for testers before it would let anybody bypass that",
            way.balancer.name,
            way.listener,
            way.rule,
            way.rule.guards.join(" and ")
        ),
        "let testers come by `port` under [test], where a security group decides who may; leave out a further [[production]] of that kind",
    ))
}

/// So many free priorities ahead of the users' rule, in their order and as close to
/// it as can be: a rule that is ahead of it for users is so for testers too. `own`
/// are rules that were made for this before: these keep theirs. `reserved` are for
/// other rules, which are still to be made.
///
/// # Errors
/// There is no room. Nothing of others' is moved to make some.
pub fn priorities<const COUNT: usize>(
    way: UsersWay<'_>,
    own: &[RuleArn],
    reserved: &[u32],
) -> Result<[u32; COUNT], Refusal> {
    let number = |rule: &ListenerRule| rule.priority.as_ref()?.parse::<u32>().ok();
    let before = way
        .rule
        .priority
        .as_ref()
        .map_or(LAST_PRIORITY + 1, |_| number(way.rule).unwrap_or_default());
    let rules = || way.listener.rules.iter();
    let of = |arn: &RuleArn| {
        let mut all = rules();
        all.find(|rule| rule.arn == arn.as_str()).and_then(number)
    };
    let theirs: Vec<u32> = own.iter().take(COUNT).filter_map(of).collect();
    if let Ok(theirs) = <[u32; COUNT]>::try_from(theirs) {
        return Ok(theirs);
    }
    let reserved = reserved.iter().copied();
    let taken: Vec<u32> = rules().filter_map(number).chain(reserved).collect();
    let last = taken.iter().copied().filter(|it| *it < before).max();
    // Behind all that is ahead of users' own; where that is too narrow, wherever
    // there is room.
    let behind = last.map_or(1, |last| last + 1);
    let free = |from: u32| (from..before).filter(|it| !taken.contains(it));
    let mut found: Vec<u32> = free(behind).take(COUNT).collect();
    if found.len() < COUNT {
        let mut all: Vec<u32> = free(1).collect();
        found = all.split_off(all.len().saturating_sub(COUNT));
    }
    found.try_into().map_err(|_| {
        Refusal::new(
            format!(
                "{} lacks {COUNT} free priorities before {}, which the rules for testers need",
                way.listener, way.rule
            ),
            "give that rule a greater priority number, which does not change what it takes where no rule is between: \
             bgecs never moves another's rules",
        )
    })
}

/// The URL that testers use; None if it is users' own.
pub fn test_url(attached: &Attached, listener: &BalancerListener) -> Option<String> {
    let users = Url::parse(&attached.url).ok()?;
    match &attached.test {
        TestKey::Header => None,
        TestKey::Host(name) => {
            let port = users.port_or_known_default()?;
            Some(origin(users.scheme() == "https", name, port))
        }
        TestKey::Port(port) => {
            let is_secured = listener.protocol.is_secured();
            Some(origin(is_secured, users.host_str()?, *port))
        }
    }
}

/// Testers' listener needs a port of its own; `own` is the ARN of the one that was
/// made for them before.
///
/// # Errors
/// Another listener has it.
pub fn refuse_taken_port(balancer: &Balancer, port: u16, own: Option<&str>) -> Result<(), Refusal> {
    let mut all = balancer.listeners.iter();
    let is_it = |it: &&BalancerListener| it.port == port && Some(it.arn.as_str()) != own;
    match all.find(is_it) {
        None => Ok(()),
        Some(taken) => Err(Refusal::new(
            format!("{} has a listener already at {taken}", balancer.name),
            "name another `port` under [test]; `host` and `header` need none",
        )),
    }
}

/// Testers' name is theirs alone: nobody's users come by it, and no rule takes it
/// ahead of the one that is made. `own` are those that were made before.
///
/// # Errors
/// Which rule has it.
pub fn refuse_taken_name(way: UsersWay<'_>, name: &str, own: &[RuleArn]) -> Result<(), Refusal> {
    let others = way.listener.rules.iter();
    let mut others = others.filter(|rule| !own.iter().any(|it| it.as_str() == rule.arn));
    let mut is_ahead = true;
    let taken = others.find(|rule| {
        is_ahead &= rule.arn != way.rule.arn;
        let hosts = rule
            .conditions
            .iter()
            .filter_map(|condition| match condition {
                RuleCondition::Host(patterns) => Some(patterns),
                RuleCondition::Path(_) | RuleCondition::Header(..) | RuleCondition::Other(_) => {
                    None
                }
            });
        hosts.flatten().any(|pattern| {
            let takes = pattern.takes_in_any_case(name) == Some(true);
            takes && (is_ahead || pattern.only().is_some())
        })
    });
    match taken {
        None => Ok(()),
        Some(rule) => Err(Refusal::new(
            format!(
                "requests for {name} are taken already by {rule} of {}",
                way.listener
            ),
            "name another `host` under [test], one that is testers' alone",
        )),
    }
}

/// Whether users' listener can serve a name of testers' with what it has: what is
/// to be said where that is not known.
///
/// # Errors
/// None of its certificates is for that name.
pub fn refuse_uncovered(
    host: &str,
    listener: &BalancerListener,
    certificates: &[IssuedCertificate],
    unread: &[String],
) -> Result<Option<String>, Refusal> {
    if certificates.iter().any(|it| it.covers(host)) {
        return Ok(None);
    }
    if !unread.is_empty() {
        return Ok(Some(format!(
            "whether a certificate of {listener} covers {host} is not known here ({}): if none does, no promotion gets past the test route",
            unread.join("; ")
        )));
    }
    let each = certificates.iter();
    let each = each.map(|it| format!("{} is for {}", it.arn, it.names.join(", ")));
    let each: Vec<String> = each.collect();
    Err(Refusal::new(
        format!(
            "no certificate of {listener} covers {host}: {}",
            each.join("; ")
        ),
        "add one for that name to the listener (`*` stands for one label of it), or have testers come by `header` or `port` under [test]",
    ))
}

#[cfg(test)]
mod tests;
