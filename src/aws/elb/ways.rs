//! The ways in besides the two listeners' default actions: all other listeners
//! of the load balancer, and all rules of each.

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig as Host, HttpHeaderConditionConfig as Header,
    HttpRequestMethodConditionConfig as Method, Listener, PathPatternConditionConfig as Path,
    ProtocolEnum, QueryStringConditionConfig as Query, QueryStringKeyValuePair, Rule,
    RuleCondition, SourceIpConditionConfig as Source,
};
use futures_util::future::join_all;

use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::aws::router::found;
use crate::model::{COLOR_HEADER, Color, Found, Infrastructure, OtherWays, PerRoute, Route, WayIn};

const LISTENERS: &str = "elasticloadbalancing:DescribeListeners";
const RULES: &str = "elasticloadbalancing:DescribeRules";

impl Aws {
    /// Reads where both listeners forward, and which other ways lead to the app;
    /// but those not where they are known.
    pub async fn read_load_balancer(
        &self,
        infra: &Infrastructure,
        known: Option<OtherWays>,
    ) -> Result<(PerRoute<Found>, OtherWays), AwsError> {
        let listeners = self.listeners_of(&infra.load_balancer).await?;
        let traffic = self.router(infra).understand(&listeners)?;
        let ways = match known {
            Some(ways) => ways,
            None => self.ways_by(infra, &listeners).await?,
        };
        Ok((traffic, ways))
    }

    /// Only the other ways. Without a load balancer there is none.
    pub async fn read_other_ways(&self, infra: &Infrastructure) -> Result<OtherWays, AwsError> {
        match self.listeners_of(&infra.load_balancer).await {
            Ok(listeners) => self.ways_by(infra, &listeners).await,
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(OtherWays::default()),
            Err(error) => Err(error),
        }
    }

    /// The two listeners, as far as they are there; none where the load balancer
    /// is not.
    pub async fn listeners_there(
        &self,
        infra: &Infrastructure,
    ) -> Result<Option<PerRoute<Option<Found>>>, AwsError> {
        let listeners = match self.listeners_of(&infra.load_balancer).await {
            Ok(listeners) => listeners,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let of = |port| {
            let arn = Some(infra.listener(port).as_str());
            let listener = listeners
                .iter()
                .find(|listener| listener.listener_arn() == arn)?;
            Some(found(infra, listener.default_actions()))
        };
        Ok(Some(PerRoute {
            production: of(Route::Production),
            test: of(Route::Test),
        }))
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

    async fn ways_by(
        &self,
        infra: &Infrastructure,
        listeners: &[Listener],
    ) -> Result<OtherWays, AwsError> {
        let rules = join_all(listeners.iter().map(|listener| self.rules_of(listener))).await;
        let mut ways = OtherWays::default();
        for (listener, rules) in listeners.iter().zip(rules) {
            ways.seen.extend(default_of(infra, listener));
            match rules {
                Ok(rules) => {
                    let ways_by_rules = rules.iter().filter_map(|rule| by(infra, listener, rule));
                    ways.seen.extend(ways_by_rules);
                }
                Err(error) if error.kind == AwsErrorKind::Denied => {
                    ways.hidden = Some(error.to_string());
                }
                // The listener is gone by now, and its rules with it.
                Err(error) if error.kind == AwsErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let is_way = |way: &WayIn| Color::BOTH.iter().any(|color| way.found.reaches(*color));
        ways.seen.retain(is_way);
        Ok(ways)
    }

    pub(super) async fn rules_of(&self, listener: &Listener) -> Result<Vec<Rule>, AwsError> {
        let arn = listener.listener_arn().unwrap_or_default();
        let call = self.elb.describe_rules().listener_arn(arn);
        let pages = call.into_paginator().items().send();
        let mut rules: Vec<Rule> = pages.collect::<Result<_, _>>().await.named(RULES, arn)?;
        // As they are tried; the default action has no number.
        let number = |rule: &Rule| rule.priority().and_then(|text| text.parse().ok());
        rules.sort_by_key(|rule| number(rule).unwrap_or(u32::MAX));
        Ok(rules)
    }
}

/// What a listener does that bgecs does not move.
fn default_of(infra: &Infrastructure, listener: &Listener) -> Option<WayIn> {
    let arn = listener.listener_arn()?;
    let ours = [&infra.listeners.production, &infra.listeners.test];
    if ours.into_iter().any(|ours| ours.as_str() == arn) {
        return None;
    }
    Some(WayIn {
        arn: arn.to_owned(),
        listener: name(listener),
        rule: None,
        found: found(infra, listener.default_actions()),
    })
}

fn by(infra: &Infrastructure, listener: &Listener, rule: &Rule) -> Option<WayIn> {
    let found = found(infra, rule.actions());
    let of_test_port = listener.listener_arn() == Some(infra.listeners.test.as_str());
    let is_ours = of_test_port && is_template_s(rule, &found);
    // The default rule is the listener's default action once more.
    if is_ours || rule.is_default() == Some(true) {
        return None;
    }
    let conditions: Vec<String> = rule.conditions().iter().map(in_words).collect();
    Some(WayIn {
        arn: rule.rule_arn()?.to_owned(),
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

/// A rule by which a request to the test port chooses its colour.
fn is_template_s(rule: &Rule, found: &Found) -> bool {
    let ([condition], Some(color)) = (rule.conditions(), found.only()) else {
        return false;
    };
    condition.http_header_config().is_some_and(|header| {
        let name = header.http_header_name().unwrap_or_default();
        name.eq_ignore_ascii_case(COLOR_HEADER) && header.values() == [color.as_str()]
    })
}

fn name(listener: &Listener) -> String {
    let port = listener.port().unwrap_or_default();
    match listener.protocol().map(ProtocolEnum::as_str) {
        Some(protocol) => format!("port {port} ({protocol})"),
        None => format!("port {port}"),
    }
}

/// A condition as a person would say it.
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

/// Any of them will do. They are in the condition itself, or in the part of it
/// that its kind has.
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
