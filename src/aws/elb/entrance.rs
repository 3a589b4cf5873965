//! Every way by which requests come in at the load balancers of some target groups,
//! whoever made them.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, HostHeaderConditionConfig as Host, HttpHeaderConditionConfig as Header,
    Listener, LoadBalancer, LoadBalancerSchemeEnum, LoadBalancerTypeEnum,
    PathPatternConditionConfig as Path, ProtocolEnum, Rule, RuleCondition as Condition,
    TargetGroup,
};
use futures_util::future::try_join_all;

use super::ways::in_words;
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::aws::router::named_groups;
use crate::model::{
    Balancer, BalancerListener, ConditionPattern, ListenerRule, Protocol, RuleCondition,
    TargetGroupArn, TargetGroupSettings,
};

const GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";
const BALANCERS: &str = "elasticloadbalancing:DescribeLoadBalancers";

/// What an alias record needs to know about a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasedBalancer {
    /// The hosted zone in which Route 53 finds it.
    pub hosted_zone: String,
    /// The names of its target groups that have no target.
    pub empty_groups: Vec<String>,
}

impl Aws {
    /// The load balancer with that DNS name, among all in the region.
    ///
    /// # Errors
    /// ELB's own.
    pub async fn balancer_called(&self, name: &str) -> Result<Option<AliasedBalancer>, AwsError> {
        let pages = self.elb.describe_load_balancers().into_paginator();
        let all: Vec<LoadBalancer> = pages
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .named(BALANCERS, name)?;
        let is_it = |it: &&LoadBalancer| {
            it.dns_name()
                .is_some_and(|dns_name| dns_name.eq_ignore_ascii_case(name))
        };
        let Some(it) = all.iter().find(is_it) else {
            return Ok(None);
        };
        let arn = it.load_balancer_arn().unwrap_or_default();
        let groups = self.elb.describe_target_groups().load_balancer_arn(arn);
        let groups = groups.send().await.named(GROUPS, arn)?;
        let mut empty_groups = Vec::new();
        for group in groups.target_groups() {
            let arn = TargetGroupArn::new(group.target_group_arn().unwrap_or_default());
            if self.target_health(&arn).await?.registered() == 0 {
                empty_groups.push(group.target_group_name().unwrap_or_default().to_owned());
            }
        }
        Ok(Some(AliasedBalancer {
            hosted_zone: it.canonical_hosted_zone_id().unwrap_or_default().to_owned(),
            empty_groups,
        }))
    }

    pub async fn read_groups(
        &self,
        groups: &[TargetGroupArn],
    ) -> Result<Vec<TargetGroupSettings>, AwsError> {
        let Some(first) = groups.first() else {
            // Without names, AWS would return all.
            return Ok(Vec::new());
        };
        let named = groups.iter().map(|group| group.as_str().to_owned());
        let call = self.elb.describe_target_groups();
        let call = call.set_target_group_arns(Some(named.collect()));
        let pages = call.into_paginator().items().send();
        let found: Vec<TargetGroup> = pages
            .collect::<Result<_, _>>()
            .await
            .named(GROUPS, first.as_str())?;
        Ok(found.iter().map(group).collect())
    }

    /// Reads the load balancers that use any of these target groups, with all of
    /// their listeners and rules.
    pub async fn read_balancers(
        &self,
        groups: &[TargetGroupSettings],
    ) -> Result<Vec<Balancer>, AwsError> {
        let mut arns: Vec<String> = Vec::new();
        for arn in groups.iter().flat_map(|group| &group.balancers) {
            if !arns.contains(arn) {
                arns.push(arn.clone());
            }
        }
        let Some(first) = arns.first() else {
            return Ok(Vec::new());
        };
        let call = self.elb.describe_load_balancers();
        let call = call.set_load_balancer_arns(Some(arns.clone()));
        let pages = call.into_paginator().items().send();
        let found: Vec<LoadBalancer> = pages
            .collect::<Result<_, _>>()
            .await
            .named(BALANCERS, first.as_str())?;
        try_join_all(found.iter().map(|it| self.read_balancer(it))).await
    }

    async fn read_balancer(&self, balancer: &LoadBalancer) -> Result<Balancer, AwsError> {
        let arn = balancer.load_balancer_arn().unwrap_or_default();
        // Other kinds have no rules.
        let has_rules = balancer.r#type() == Some(&LoadBalancerTypeEnum::Application);
        let all = self.listeners_of(arn).await?;
        let listeners = all.iter().map(async |listener| {
            let rules = match has_rules {
                true => self.rules_of(listener).await?,
                false => Vec::new(),
            };
            Ok::<_, AwsError>(self::listener(listener, &rules))
        });
        Ok(Balancer {
            arn: arn.to_owned(),
            name: balancer.load_balancer_name().unwrap_or(arn).to_owned(),
            dns_name: balancer.dns_name().unwrap_or_default().to_owned(),
            is_internal: balancer.scheme() == Some(&LoadBalancerSchemeEnum::Internal),
            is_application: has_rules,
            security_groups: balancer.security_groups().to_vec(),
            listeners: try_join_all(listeners).await?,
        })
    }
}

fn group(group: &TargetGroup) -> TargetGroupSettings {
    let text = |given: Option<&str>| given.unwrap_or_default().to_owned();
    TargetGroupSettings {
        arn: TargetGroupArn::new(group.target_group_arn().unwrap_or_default()),
        name: text(group.target_group_name()),
        protocol: text(group.protocol().map(ProtocolEnum::as_str)),
        health_path: group.health_check_path().map(str::to_owned),
        vpc: text(group.vpc_id()),
        balancers: group.load_balancer_arns().to_vec(),
    }
}

fn listener(listener: &Listener, rules: &[Rule]) -> BalancerListener {
    let arn = listener.listener_arn().unwrap_or_default();
    let mut rules: Vec<ListenerRule> = rules.iter().map(rule).collect();
    // An emulator may have no rule for the default action.
    if rules.iter().all(|rule| rule.priority.is_some()) {
        rules.push(ListenerRule {
            arn: arn.to_owned(),
            priority: None,
            conditions: Vec::new(),
            guards: guards(listener.default_actions()),
            forwards: forwards(listener.default_actions()),
        });
    }
    let port = listener.port().unwrap_or_default();
    BalancerListener {
        arn: arn.to_owned(),
        port: u16::try_from(port).unwrap_or_default(),
        protocol: match listener.protocol() {
            Some(ProtocolEnum::Http) | None => Protocol::Http,
            Some(ProtocolEnum::Https) => Protocol::Https,
            Some(other) => Protocol::Other(other.as_str().to_owned()),
        },
        rules,
    }
}

fn rule(rule: &Rule) -> ListenerRule {
    let is_default = rule.is_default() == Some(true);
    let priority = rule.priority().unwrap_or("of unknown priority");
    ListenerRule {
        arn: rule.rule_arn().unwrap_or_default().to_owned(),
        priority: (!is_default).then(|| priority.to_owned()),
        conditions: rule.conditions().iter().map(condition).collect(),
        guards: guards(rule.actions()),
        forwards: forwards(rule.actions()),
    }
}

/// All actions apart from those where requests end.
fn guards(actions: &[Action]) -> Vec<String> {
    let ends = [
        ActionTypeEnum::Forward,
        ActionTypeEnum::Redirect,
        ActionTypeEnum::FixedResponse,
    ];
    let kinds = actions.iter().filter_map(Action::r#type);
    let guards = kinds.filter(|kind| !ends.contains(kind));
    guards.map(|kind| kind.as_str().to_owned()).collect()
}

fn forwards(actions: &[Action]) -> Vec<(TargetGroupArn, u32)> {
    let named = actions.iter().flat_map(named_groups);
    named
        .map(|(arn, weight)| (TargetGroupArn::new(arn), weight))
        .collect()
}

fn condition(condition: &Condition) -> RuleCondition {
    let host = condition.host_header_config();
    let path = condition.path_pattern_config();
    match (condition.field(), condition.http_header_config()) {
        (Some("host-header"), _) => RuleCondition::Host(patterns(
            condition,
            host.map(Host::values),
            host.map(Host::regex_values),
        )),
        (Some("path-pattern"), _) => RuleCondition::Path(patterns(
            condition,
            path.map(Path::values),
            path.map(Path::regex_values),
        )),
        (Some("http-header"), Some(header)) => RuleCondition::Header(
            header.http_header_name().unwrap_or_default().to_owned(),
            patterns(
                condition,
                Some(Header::values(header)),
                Some(Header::regex_values(header)),
            ),
        ),
        _ => RuleCondition::Other(in_words(condition)),
    }
}

/// They are in the condition itself, or in the part for its kind.
fn patterns(
    condition: &Condition,
    values: Option<&[String]>,
    regular: Option<&[String]>,
) -> Vec<ConditionPattern> {
    let values = match values.unwrap_or_default() {
        [] => condition.values(),
        values => values,
    };
    let regular = match regular.unwrap_or_default() {
        [] => condition.regex_values(),
        regular => regular,
    };
    let globs = values.iter().cloned().map(ConditionPattern::Glob);
    globs
        .chain(regular.iter().cloned().map(ConditionPattern::Regex))
        .collect()
}

#[cfg(test)]
mod tests;
