//! The ways in apart from the places of the two routes: all other listeners of the load
//! balancer, and all of their rules, as far as they lead to the app. Others may share the
//! load balancer; ways that lead only to them are their own business.

use std::collections::HashMap;

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig as Host, HttpHeaderConditionConfig as Header,
    HttpRequestMethodConditionConfig as Method, Listener, PathPatternConditionConfig as Path,
    ProtocolEnum, QueryStringConditionConfig as Query, QueryStringKeyValuePair, Rule,
    RuleCondition, SourceIpConditionConfig as Source,
};
use futures_util::future::{join_all, try_join_all};

use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::aws::router::{ActionsByArn, Router, found, listener_actions, rule_actions};
use crate::model::{
    COLOR_HEADER, Color, EcsInfrastructure, Found, OtherWays, PerRoute, Place, Route, WayIn,
};

const LISTENERS: &str = "elasticloadbalancing:DescribeListeners";
const RULES: &str = "elasticloadbalancing:DescribeRules";

/// Everything by which a load balancer decides.
struct Decisions {
    /// In the order in which they are tried; a listener has no rules here if these may
    /// not be read.
    listeners: Vec<(Listener, Vec<Rule>)>,
    /// AWS's error, if some may not be read.
    denied: Option<AwsError>,
}

impl Decisions {
    fn actions(&self) -> ActionsByArn {
        let (listeners, rules): (Vec<Listener>, Vec<Vec<Rule>>) =
            self.listeners.iter().cloned().unzip();
        let by_default = listener_actions(&listeners);
        by_default.chain(rule_actions(&rules.concat())).collect()
    }
}

impl Aws {
    /// Reads where both routes lead, and which other ways lead to the app, unless these
    /// are given.
    pub async fn read_load_balancer(
        &self,
        infra: &EcsInfrastructure,
        known: Option<OtherWays>,
    ) -> Result<(PerRoute<Found>, OtherWays), AwsError> {
        let router = self.alb_router(infra);
        if let Some(ways) = known {
            return Ok((router.read().await?, ways));
        }
        let all = self.decisions_of(infra).await?;
        match (router.understand(&all.actions()), all.denied) {
            (Ok(traffic), denied) => Ok((traffic, ways(infra, &all.listeners, denied.as_ref()))),
            // The route may be among the rules that could not be read.
            (Err(_), Some(denied)) if is_by_rule(infra) => Err(denied),
            (Err(error), _) => Err(error),
        }
    }

    /// Only the other ways. Without a load balancer there are none.
    pub async fn read_other_ways(&self, infra: &EcsInfrastructure) -> Result<OtherWays, AwsError> {
        match self.decisions_of(infra).await {
            Ok(all) => Ok(ways(infra, &all.listeners, all.denied.as_ref())),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(OtherWays::default()),
            Err(error) => Err(error),
        }
    }

    /// What each existing place of the routes does, by its ARN; None if the load balancer
    /// does not exist.
    pub async fn places_there(
        &self,
        infra: &EcsInfrastructure,
    ) -> Result<Option<HashMap<String, Found>>, AwsError> {
        let all = match self.decisions_of(infra).await {
            Ok(all) => all,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if let (Some(denied), true) = (all.denied.clone(), is_by_rule(infra)) {
            return Err(denied);
        }
        let actions = all.actions().into_iter();
        let found = actions.map(|(arn, actions)| (arn, found(infra, &actions)));
        Ok(Some(found.collect()))
    }

    pub(super) async fn listeners_of(&self, arn: &str) -> Result<Vec<Listener>, AwsError> {
        let call = self.elb.describe_listeners().load_balancer_arn(arn);
        let pages = call.into_paginator().items().send();
        let mut listeners: Vec<Listener> = pages
            .collect::<Result<_, _>>()
            .await
            .named(LISTENERS, arn)?;
        listeners.sort_by_key(Listener::port);
        Ok(listeners)
    }

    async fn decisions_of(&self, infra: &EcsInfrastructure) -> Result<Decisions, AwsError> {
        let balancers = infra.load_balancers().into_iter();
        let listeners = balancers.map(|balancer| self.listeners_of(balancer));
        let listeners = try_join_all(listeners).await?.concat();
        let rules = join_all(listeners.iter().map(|listener| self.rules_of(listener))).await;
        let mut all = Decisions {
            listeners: Vec::new(),
            denied: None,
        };
        for (listener, rules) in listeners.into_iter().zip(rules) {
            let rules = match rules {
                Ok(rules) => rules,
                Err(error) if error.kind == AwsErrorKind::Denied => {
                    all.denied = Some(error);
                    Vec::new()
                }
                // The listener has been deleted meanwhile, and its rules with it.
                Err(error) if error.kind == AwsErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            };
            all.listeners.push((listener, rules));
        }
        Ok(all)
    }

    pub(super) async fn rules_of(&self, listener: &Listener) -> Result<Vec<Rule>, AwsError> {
        let arn = listener.listener_arn().unwrap_or_default();
        let call = self.elb.describe_rules().listener_arn(arn);
        let pages = call.into_paginator().items().send();
        let mut rules: Vec<Rule> = pages.collect::<Result<_, _>>().await.named(RULES, arn)?;
        // In the order in which they are tried; the default action has no number.
        let number = |rule: &Rule| rule.priority().and_then(|text| text.parse().ok());
        rules.sort_by_key(|rule| number(rule).unwrap_or(u32::MAX));
        Ok(rules)
    }
}

/// The ways that lead to the app.
fn ways(
    infra: &EcsInfrastructure,
    listeners: &[(Listener, Vec<Rule>)],
    denied: Option<&AwsError>,
) -> OtherWays {
    let all = listeners.iter().flat_map(|(listener, rules)| {
        let by_rules = rules
            .iter()
            .filter_map(|rule| by(infra, (listener, rules), rule));
        default_of(infra, listener).into_iter().chain(by_rules)
    });
    let is_way = |way: &WayIn| Color::BOTH.iter().any(|color| way.found.reaches(*color));
    OtherWays {
        seen: all.filter(is_way).collect(),
        hidden: denied.map(ToString::to_string),
        amiss: match denied {
            None => amiss(infra, listeners),
            Some(_) => None,
        },
    }
}

/// Whether any of the app's places is a rule.
fn is_by_rule(infra: &EcsInfrastructure) -> bool {
    let is_rule = |place: &Place| matches!(place, Place::Rule(_));
    !infra.header_rules().is_empty() || infra.all_moved().any(is_rule)
}

/// Whether that place is moved with a route.
fn is_place(infra: &EcsInfrastructure, arn: &str) -> bool {
    infra.all_moved().any(|place| place.arn() == arn)
}

/// What a listener does by default, if bgecs does not move that.
fn default_of(infra: &EcsInfrastructure, listener: &Listener) -> Option<WayIn> {
    let arn = listener.listener_arn()?;
    if is_place(infra, arn) {
        return None;
    }
    Some(WayIn {
        arn: arn.to_owned(),
        listener: name(listener),
        rule: None,
        found: found(infra, listener.default_actions()),
    })
}

fn by(
    infra: &EcsInfrastructure,
    (listener, rules): (&Listener, &[Rule]),
    rule: &Rule,
) -> Option<WayIn> {
    let arn = rule.rule_arn()?;
    let found = found(infra, rule.actions());
    let chooses_on_the_test_route = infra.places.moved(Route::Test).is_some_and(|test| {
        let chosen = chosen(rule).filter(|_| is_of_test(test, (listener, rules), rule));
        chosen.is_some() && chosen == found.only()
    });
    let is_ours = chooses_on_the_test_route || color_of_header_rule(infra, arn).is_some();
    // The default rule repeats the listener's default action.
    if is_ours || is_place(infra, arn) || rule.is_default() == Some(true) {
        return None;
    }
    let conditions: Vec<String> = rule.conditions().iter().map(in_words).collect();
    Some(WayIn {
        arn: arn.to_owned(),
        listener: name(listener),
        rule: Some(format!(
            "rule {} ({})",
            rule.priority().unwrap_or("of unknown priority"),
            match conditions.is_empty() {
                true => "every request".to_owned(),
                false => conditions.join(", "),
            }
        )),
        found,
    })
}

/// Whether the rule takes some of the requests of the test route's place, with exactly
/// one additional condition: then only testers come in by it.
fn is_of_test(test: &Place, (listener, rules): (&Listener, &[Rule]), rule: &Rule) -> bool {
    let of_testers = match test {
        Place::Listener(arn) if listener.listener_arn() == Some(arn.as_str()) => &[][..],
        Place::Listener(_) => return false,
        Place::Rule(arn) => {
            let is_it = |rule: &&Rule| rule.rule_arn() == Some(arn.as_str());
            match rules.iter().find(is_it) {
                Some(test) => test.conditions(),
                None => return false,
            }
        }
    };
    let is_own = |condition: &&RuleCondition| !of_testers.contains(*condition);
    let all = rule.conditions();
    all.len() == of_testers.len() + 1 && all.iter().filter(is_own).count() == 1
}

/// The colour that a request must name to match the rule.
fn chosen(rule: &Rule) -> Option<Color> {
    let mut headers = rule.conditions().iter().filter_map(|condition| {
        let header = condition.http_header_config()?;
        let name = header.http_header_name()?;
        name.eq_ignore_ascii_case(COLOR_HEADER)
            .then(|| header.values())
    });
    let values = headers.next()?;
    let is_named = |color: &Color| values == [color.as_str()];
    Color::BOTH.into_iter().find(is_named)
}

fn color_of_header_rule(infra: &EcsInfrastructure, arn: &str) -> Option<Color> {
    let pairs = infra.header_rules();
    let is_its = |color: &Color| {
        let mut rules = pairs.iter().map(|(rules, _)| rules.get(*color));
        rules.any(|rule| rule.as_str() == arn)
    };
    Color::BOTH.into_iter().find(is_its)
}

/// What is wrong with the rules by which requests name their colour.
fn amiss(infra: &EcsInfrastructure, listeners: &[(Listener, Vec<Rule>)]) -> Option<String> {
    let wrong = |(color, arn, place): (Color, &str, &Place)| -> Option<String> {
        let is_it = |rule: &Rule| rule.rule_arn() == Some(arn);
        let all = listeners.iter().map(|(_, rules)| rules);
        let mut all = all.filter_map(|rules| Some((rules, rules.iter().position(is_it)?)));
        let Some((rules, at)) = all.next() else {
            return Some("is gone".to_owned());
        };
        let found = found(infra, rules[at].actions());
        let is_production = |rule: &Rule| rule.rule_arn() == Some(place.arn());
        if found.only() != Some(color) {
            Some(found.deed())
        } else if chosen(&rules[at]) != Some(color) {
            Some("takes other requests".to_owned())
        } else if rules[..at].iter().any(is_production) {
            Some("comes after production's".to_owned())
        } else {
            None
        }
    };
    let pairs = infra.header_rules().into_iter();
    let rules = pairs.flat_map(|(rules, place)| {
        Color::BOTH.map(|color| (color, rules.get(color).as_str(), place))
    });
    let all = rules.filter_map(|(color, arn, place)| {
        let what = wrong((color, arn, place))?;
        Some(format!("the rule for {COLOR_HEADER}: {color} {what}"))
    });
    let mut all: Vec<String> = all.collect();
    all.dedup();
    (!all.is_empty()).then(|| all.join("; "))
}

fn name(listener: &Listener) -> String {
    let port = listener.port().unwrap_or_default();
    match listener.protocol().map(ProtocolEnum::as_str) {
        Some(protocol) => format!("port {port} ({protocol})"),
        None => format!("port {port}"),
    }
}

/// A condition in words.
pub(super) fn in_words(condition: &RuleCondition) -> String {
    let field = condition.field().unwrap_or("a condition");
    let what = match field {
        "path-pattern" => "path",
        "host-header" => "host",
        "http-request-method" => "method",
        "query-string" => "query",
        "source-ip" => "source",
        "http-header" => {
            let header = condition.http_header_config();
            let name = header.and_then(|header| header.http_header_name());
            return format!("header {}: {}", name.unwrap_or("?"), values(condition));
        }
        other => other,
    };
    format!("{what} {}", values(condition))
}

/// Any of the values matches. They are in the condition itself, or in the part for its
/// kind.
fn values(condition: &RuleCondition) -> String {
    let path = condition.path_pattern_config();
    let host = condition.host_header_config();
    let header = condition.http_header_config();
    let method = condition.http_request_method_config();
    let source = condition.source_ip_config();
    let query = condition.query_string_config();
    let plain = [
        path.map(Path::values),
        host.map(Host::values),
        header.map(Header::values),
        method.map(Method::values),
        source.map(Source::values),
    ];
    let regular = [
        path.map(Path::regex_values),
        host.map(Host::regex_values),
        header.map(Header::regex_values),
        Some(condition.regex_values()),
    ];
    let pairs = query.map(Query::values).unwrap_or_default();
    let mut all: Vec<String> = plain.into_iter().flatten().flatten().cloned().collect();
    if all.is_empty() {
        all.extend(condition.values().iter().cloned());
    }
    all.extend(pairs.iter().map(pair));
    let regular = regular.into_iter().flatten().flatten();
    all.extend(regular.map(|value| format!("matching {value}")));
    all.dedup();
    all.join(" or ")
}

fn pair(pair: &QueryStringKeyValuePair) -> String {
    let value = pair.value().unwrap_or_default();
    match pair.key() {
        Some(key) => format!("{key}={value}"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests;
