//! What to ask for what users see of a service, and at which load balancer's
//! nodes: read off what leads there. What cannot be known is not guessed, but
//! said with all that there is to choose from.

use std::collections::BTreeSet;
use std::fmt;

use super::plan::Refusal;
use crate::counted::counted;
use crate::model::{
    Balancer, BalancerListener, ConditionPattern, ListenerRule, Protocol, RuleCondition,
    RunningService,
};

const NAME: &str = "NAME";

/// What was said of the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    pub path: Option<String>,
    /// In addition to the probe's own.
    pub headers: Vec<(String, String)>,
}

/// A URL that somebody gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUrl {
    pub is_secured: bool,
    pub host: String,
    pub port: u16,
    pub path: String,
}

/// Where to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    pub url: String,
    /// The `host:port` behind which the load balancer's nodes are.
    pub nodes: String,
    /// By which listener and rule, in words.
    pub way: String,
    /// How much of what comes there the service gets, where others get some too.
    pub share: Option<(u32, u32)>,
}

/// A rule that gives requests to a service, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct WayTo<'a> {
    pub balancer: &'a Balancer,
    pub listener: &'a BalancerListener,
    pub rule: &'a ListenerRule,
    /// Those that are tried before it.
    ahead: &'a [ListenerRule],
}

/// A way to the service, and what is known of how to ask there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub entrance: Entrance,
    /// The scheme, host and port.
    pub origin: String,
    /// Whether the URL is all there, and not one with a gap in it.
    pub is_whole: bool,
    /// What else a request must have.
    pub needs: Vec<String>,
}

/// `shared: port 443 (HTTPS), default action`
impl fmt::Display for WayTo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            balancer,
            listener,
            rule,
            ..
        } = self;
        write!(f, "{}: {listener}, {rule}", balancer.name)
    }
}

/// # Errors
/// What is not known, and by which flag it is said.
pub fn find(
    service: &RunningService,
    balancers: &[Balancer],
    wish: &Wish,
) -> Result<Entrance, Refusal> {
    let all = candidates(service, balancers, wish);
    let (plain, special): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.needs.is_empty());
    let origins: BTreeSet<&str> = plain.iter().map(|it| it.origin.as_str()).collect();
    if origins.len() == 1 {
        let whole = || plain.iter().filter(|it| it.is_whole);
        // Of one name any place will do, and the first page best.
        let root = whole().find(|it| it.entrance.url == format!("{}/", it.origin));
        if let Some(found) = root.or_else(|| whole().next()) {
            return Ok(found.entrance.clone());
        }
    }
    Err(match (plain.as_slice(), special.as_slice()) {
        ([], []) => no_way(service, balancers, wish),
        ([], special) => wants_more(service, special),
        ([only], _) => unknown(service, only),
        (several, _) => choose(service, several),
    })
}

/// The entrance of a URL, where one of the load balancers leads it to the
/// service. A public one comes first.
pub fn of_url(
    service: &RunningService,
    balancers: &[Balancer],
    url: &GivenUrl,
    wish: &Wish,
) -> Option<Entrance> {
    listeners(balancers).find_map(|(balancer, listener)| {
        let is_spoken = match listener.protocol {
            Protocol::Http => !url.is_secured,
            Protocol::Https => url.is_secured,
            Protocol::Other(_) => true,
        };
        if listener.port != url.port || !is_spoken {
            return None;
        }
        let taking = |rule: &&ListenerRule| fits(rule, &url.host, &url.path, wish) != Some(false);
        // One of which it is not known takes it only if it is the service's.
        let rule = listener.rules.iter().filter(taking).find(|rule| {
            let is_sure = fits(rule, &url.host, &url.path, wish) == Some(true);
            is_sure || service.share_of(rule).0 > 0
        })?;
        let origin = origin(url.is_secured, &url.host, url.port);
        let way = WayTo {
            balancer,
            listener,
            rule,
            ahead: &[],
        };
        (service.share_of(rule).0 > 0)
            .then(|| entrance(service, way, format!("{origin}{}", url.path)))
    })
}

/// Every rule that gives the service any of its requests.
pub fn ways_to<'a>(service: &RunningService, balancers: &'a [Balancer]) -> Vec<WayTo<'a>> {
    let of = |(balancer, listener): (&'a Balancer, &'a BalancerListener)| {
        let rules = listener.rules.iter().enumerate();
        rules.map(move |(number, rule)| WayTo {
            balancer,
            listener,
            rule,
            ahead: &listener.rules[..number],
        })
    };
    let all = listeners(balancers).flat_map(of);
    all.filter(|way| service.share_of(way.rule).0 > 0).collect()
}

/// One for each name by which a way can be asked. Ways by which nobody can come
/// for a wish have none.
pub fn candidates(service: &RunningService, balancers: &[Balancer], wish: &Wish) -> Vec<Candidate> {
    let ways = ways_to(service, balancers).into_iter();
    let all = ways.map(|way| (way, by_way(service, way, wish)));
    let mut all: Vec<_> = all.filter(|(_, found)| !found.is_empty()).collect();
    // ECS knows which way is users', and which one a test's.
    let is_users = |way: &WayTo<'_>| {
        let arns = [&way.rule.arn, &way.listener.arn];
        arns.iter().any(|arn| service.production.contains(arn))
    };
    if all.iter().any(|(way, _)| is_users(way)) {
        all.retain(|(way, _)| is_users(way));
    }
    all.into_iter().flat_map(|(_, found)| found).collect()
}

/// Those that everybody reaches come first.
fn listeners(balancers: &[Balancer]) -> impl Iterator<Item = (&Balancer, &BalancerListener)> {
    let of = |is_internal| {
        let some = balancers.iter();
        some.filter(move |balancer| balancer.is_internal == is_internal)
    };
    of(false).chain(of(true)).flat_map(|balancer| {
        balancer
            .listeners
            .iter()
            .map(move |listener| (balancer, listener))
    })
}

/// One for each name by which the rule's listener can be asked.
fn by_way(service: &RunningService, way: WayTo<'_>, wish: &Wish) -> Vec<Candidate> {
    let WayTo {
        balancer,
        listener,
        rule,
        ahead,
    } = way;
    let place = match &wish.path {
        Some(path) if !may_take_path(rule, path) => return Vec::new(),
        Some(path) => Some(path.clone()),
        None => path_of(rule),
    };
    let mut all = Vec::new();
    for host in hosts(balancer, listener, rule) {
        let path = place.as_deref().unwrap_or("/PATH");
        let named = host.as_deref().unwrap_or(NAME);
        let taken = ahead
            .iter()
            .find(|rule| fits(rule, named, path, wish) == Some(true));
        // Another way of the service's own, or nobody comes by this one.
        if taken.is_some_and(|rule| service.share_of(rule).0 > 0 || wish.path.is_some()) {
            continue;
        }
        let is_whole = host.is_some() && place.is_some() && taken.is_none();
        let is_secured = listener.protocol.is_secured();
        let origin = origin(is_secured, named, listener.port);
        let path = if taken.is_some() { "/PATH" } else { path };
        let url = format!("{origin}{path}");
        all.push(Candidate {
            entrance: entrance(service, way, url),
            origin,
            is_whole: is_whole && !matches!(listener.protocol, Protocol::Other(_)),
            needs: needs(rule, wish),
        });
    }
    all
}

fn entrance(service: &RunningService, way: WayTo<'_>, url: String) -> Entrance {
    let (ours, all) = service.share_of(way.rule);
    Entrance {
        url,
        nodes: format!("{}:{}", way.balancer.dns_name, way.listener.port),
        way: way.to_string(),
        share: (ours < all).then_some((ours, all)),
    }
}

/// The names by which users ask there; none is one that nothing here tells.
fn hosts(
    balancer: &Balancer,
    listener: &BalancerListener,
    rule: &ListenerRule,
) -> Vec<Option<String>> {
    let named = rule
        .conditions
        .iter()
        .find_map(|condition| match condition {
            RuleCondition::Host(patterns) => Some(patterns),
            _ => None,
        });
    let Some(patterns) = named else {
        // Its own name has no certificate.
        let own = (!listener.protocol.is_secured()).then(|| balancer.dns_name.clone());
        return vec![own];
    };
    let only: Vec<_> = patterns.iter().filter_map(ConditionPattern::only).collect();
    match only.is_empty() {
        true => vec![None],
        false => only.iter().map(|name| Some((*name).to_owned())).collect(),
    }
}

/// A path that the rule takes, if one is known.
fn path_of(rule: &ListenerRule) -> Option<String> {
    let paths = rule
        .conditions
        .iter()
        .find_map(|condition| match condition {
            RuleCondition::Path(patterns) => Some(patterns),
            _ => None,
        });
    let Some(paths) = paths else {
        return Some("/".to_owned());
    };
    if paths.iter().any(|path| path.takes("/") == Some(true)) {
        return Some("/".to_owned());
    }
    paths.iter().find_map(|path| match path {
        // A `*` may stand for nothing.
        ConditionPattern::Glob(glob) if !glob.contains('?') => {
            let path = glob.replace('*', "");
            path.starts_with('/').then_some(path)
        }
        ConditionPattern::Glob(_) | ConditionPattern::Regex(_) => None,
    })
}

fn may_take_path(rule: &ListenerRule, path: &str) -> bool {
    let path = without_query(path);
    rule.conditions.iter().all(|condition| match condition {
        RuleCondition::Path(patterns) => any(patterns, |it| it.takes(path)) != Some(false),
        _ => true,
    })
}

/// Whether a rule takes a request; none where that cannot be known here.
fn fits(rule: &ListenerRule, host: &str, path: &str, wish: &Wish) -> Option<bool> {
    let path = without_query(path);
    let mut all = Some(true);
    for condition in &rule.conditions {
        let held = match condition {
            RuleCondition::Host(patterns) => any(patterns, |it| it.takes_in_any_case(host)),
            RuleCondition::Path(patterns) => any(patterns, |it| it.takes(path)),
            RuleCondition::Header(name, patterns) => header(name, patterns, wish),
            RuleCondition::Other(_) => None,
        };
        match held {
            Some(false) => return Some(false),
            Some(true) => {}
            None => all = None,
        }
    }
    all
}

fn header(name: &str, patterns: &[ConditionPattern], wish: &Wish) -> Option<bool> {
    let mut given = wish.headers.iter();
    match given.find(|(given, _)| given.eq_ignore_ascii_case(name)) {
        Some((_, value)) => any(patterns, |it| it.takes_in_any_case(value)),
        None => Some(false),
    }
}

fn any(
    patterns: &[ConditionPattern],
    takes: impl Fn(&ConditionPattern) -> Option<bool>,
) -> Option<bool> {
    let taken: Vec<_> = patterns.iter().map(takes).collect();
    match taken.contains(&Some(true)) {
        true => Some(true),
        false if taken.contains(&None) => None,
        false => Some(false),
    }
}

fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

/// What a rule wants of a request beside its name and its path.
fn needs(rule: &ListenerRule, wish: &Wish) -> Vec<String> {
    let missing = rule.conditions.iter().filter(|condition| match condition {
        RuleCondition::Host(_) | RuleCondition::Path(_) => false,
        RuleCondition::Header(name, patterns) => header(name, patterns, wish) == Some(false),
        RuleCondition::Other(_) => true,
    });
    missing.map(ToString::to_string).collect()
}

/// As a person types it: without the port that goes without saying.
pub fn origin(is_secured: bool, host: &str, port: u16) -> String {
    let (scheme, usual) = if is_secured {
        ("https", 443)
    } else {
        ("http", 80)
    };
    match port == usual {
        true => format!("{scheme}://{host}"),
        false => format!("{scheme}://{host}:{port}"),
    }
}

fn no_way(service: &RunningService, balancers: &[Balancer], wish: &Wish) -> Refusal {
    let name = &service.name;
    let names: Vec<&str> = balancers.iter().map(|it| it.name.as_str()).collect();
    let names = names.join(", ");
    let message = match (service.classic.as_slice(), service.groups.is_empty()) {
        ([], true) => format!("the service {name} is behind no load balancer"),
        (classic, true) => format!(
            "the service {name} is behind the Classic Load Balancer {}, which does not say how users ask",
            classic.join(", ")
        ),
        (_, false) if balancers.is_empty() => {
            format!("no load balancer uses a target group of the service {name}")
        }
        _ => match &wish.path {
            Some(path) => format!("nothing of {names} leads {path} to the service {name}"),
            None => format!("no listener or rule of {names} leads to the service {name}"),
        },
    };
    Refusal::new(message, "--url URL says what users ask")
}

fn wants_more(service: &RunningService, special: &[Candidate]) -> Refusal {
    let ways = special.iter().map(|it| {
        let needs = it.needs.join(", ");
        format!("{} ({}) wants {needs}", it.entrance.url, it.entrance.way)
    });
    let ways = ways.collect::<Vec<_>>().join("\n");
    Refusal::new(
        format!(
            "a request to the service {} wants more than a URL",
            service.name
        ),
        format!("{ways}\n--header 'Name: value' gives a header, --url URL says what users ask"),
    )
}

fn unknown(service: &RunningService, only: &Candidate) -> Refusal {
    let Entrance { way, url, .. } = &only.entrance;
    Refusal::new(
        format!(
            "{way} leads to the service {}, and does not say what users ask",
            service.name
        ),
        format!("say it with --url, such as --url {url}"),
    )
}

fn choose(service: &RunningService, several: &[Candidate]) -> Refusal {
    let ways = several.iter().map(|it| {
        let Entrance { url, way, .. } = &it.entrance;
        format!("--url {url}  ({way})")
    });
    let ways = ways.collect::<Vec<_>>().join("\n");
    let count = counted(several.len(), "way");
    Refusal::new(
        format!(
            "{count} lead to the service {}, and users may take any of them",
            service.name
        ),
        format!("say which one to ask:\n{ways}"),
    )
}

#[cfg(test)]
mod tests;
