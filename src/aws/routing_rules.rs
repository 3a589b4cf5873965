//! Routing rules of custom domains of API Gateway: read, and bgecs's own written.

use aws_sdk_apigatewayv2::types::{
    RoutingMode as Mode, RoutingRule as Rule, RoutingRuleAction, RoutingRuleActionInvokeApi,
    RoutingRuleCondition, RoutingRuleMatchBasePaths, RoutingRuleMatchHeaderValue,
    RoutingRuleMatchHeaders,
};

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::{COLOR_HEADER, Color, RoutingMode, RoutingRule, TestRule};

/// Rules have actions of their own, unlike all else of API Gateway
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html>).
const LIST: &str = "apigateway:ListRoutingRules";
const CREATE: &str = "apigateway:CreateRoutingRule";
const UPDATE: &str = "apigateway:UpdateRoutingRule";
const DELETE: &str = "apigateway:DeleteRoutingRule";
const READ: &str = "apigateway:GET";

impl Aws {
    /// # Errors
    /// AWS's own.
    pub async fn routing_mode(&self, domain: &str) -> Result<RoutingMode, AwsError> {
        let call = self.apigatewayv2.get_domain_name().domain_name(domain);
        let answer = call.send().await.named(READ, domain)?;
        Ok(match answer.routing_mode() {
            Some(Mode::RoutingRuleOnly) => RoutingMode::Rules,
            Some(Mode::RoutingRuleThenApiMapping) => RoutingMode::RulesThenMappings,
            // That of every domain that was not given one.
            _ => RoutingMode::Mappings,
        })
    }

    /// All of them, whether the domain's mode consults them or not.
    ///
    /// # Errors
    /// AWS's own.
    pub async fn routing_rules(&self, domain: &str) -> Result<Vec<RoutingRule>, AwsError> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let call = self.apigatewayv2.list_routing_rules();
            let call = call.domain_name(domain).set_next_token(next);
            let page = call.send().await.named(LIST, domain)?;
            all.extend(page.routing_rules().iter().map(read));
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// # Errors
    /// AWS's own.
    pub async fn make_test_rule(
        &self,
        domain: &str,
        rule: &TestRule,
        priority: i32,
    ) -> Result<(), AwsError> {
        let call = self.apigatewayv2.create_routing_rule();
        let call = call.domain_name(domain).priority(priority);
        let call = call.actions(action(rule));
        let call = call.set_conditions(Some(conditions(rule)));
        call.send().await.named(CREATE, domain).map(drop)
    }

    /// # Errors
    /// AWS's own.
    pub async fn change_test_rule(
        &self,
        domain: &str,
        rule: &TestRule,
        (id, priority): (&str, i32),
    ) -> Result<(), AwsError> {
        let call = self.apigatewayv2.put_routing_rule();
        let call = call.domain_name(domain).routing_rule_id(id);
        let call = call.priority(priority).actions(action(rule));
        let call = call.set_conditions(Some(conditions(rule)));
        call.send().await.named(UPDATE, domain).map(drop)
    }

    /// # Errors
    /// AWS's own.
    pub async fn delete_routing_rule(&self, domain: &str, id: &str) -> Result<(), AwsError> {
        let call = self.apigatewayv2.delete_routing_rule();
        let call = call.domain_name(domain).routing_rule_id(id);
        call.send().await.named(DELETE, domain).map(drop)
    }
}

fn conditions(rule: &TestRule) -> Vec<RoutingRuleCondition> {
    let header = RoutingRuleMatchHeaderValue::builder()
        .header(COLOR_HEADER)
        .value_glob(rule.color.as_str());
    let headers = RoutingRuleMatchHeaders::builder().any_of(header.build());
    let header = RoutingRuleCondition::builder().match_headers(headers.build());
    let paths = RoutingRuleMatchBasePaths::builder().any_of(&rule.path);
    let path = RoutingRuleCondition::builder().match_base_paths(paths.build());
    match rule.path.is_empty() {
        true => vec![header.build()],
        false => vec![header.build(), path.build()],
    }
}

/// The API is asked without the base path, as by a mapping.
fn action(rule: &TestRule) -> RoutingRuleAction {
    let (api, stage) = rule.target.split_once('/').unwrap_or((&rule.target, ""));
    let invoke = RoutingRuleActionInvokeApi::builder()
        .api_id(api)
        .stage(stage)
        .strip_base_path(!rule.path.is_empty());
    let action = RoutingRuleAction::builder().invoke_api(invoke.build());
    action.build()
}

fn read(rule: &Rule) -> RoutingRule {
    RoutingRule {
        id: rule.routing_rule_id().unwrap_or_default().to_owned(),
        priority: rule.priority().unwrap_or_default(),
        is: test_rule(rule),
    }
}

/// None where bgecs does not make such.
fn test_rule(rule: &Rule) -> Option<TestRule> {
    let (mut header, mut path) = (None, None);
    for condition in rule.conditions() {
        let is_twice = match (condition.match_headers(), condition.match_base_paths()) {
            (Some(headers), None) => header.replace(headers.any_of()).is_some(),
            (None, Some(paths)) => path.replace(paths.any_of()).is_some(),
            _ => true,
        };
        if is_twice {
            return None;
        }
    }
    let [header] = header? else { return None };
    let name = header.header()?;
    let color = header.value_glob()?.parse::<Color>().ok()?;
    let path = match path {
        None => "",
        Some([path]) => path,
        Some(_) => return None,
    };
    let [action] = rule.actions() else {
        return None;
    };
    let invoke = action.invoke_api()?;
    let strips = invoke.strip_base_path().unwrap_or_default();
    let is_one = name.eq_ignore_ascii_case(COLOR_HEADER) && strips != path.is_empty();
    is_one.then(|| TestRule {
        color,
        path: path.to_owned(),
        target: format!(
            "{}/{}",
            invoke.api_id().unwrap_or_default(),
            invoke.stage().unwrap_or_default()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str) -> TestRule {
        TestRule {
            color: Color::Green,
            path: path.to_owned(),
            target: "a1/prod".to_owned(),
        }
    }

    fn written(rule: &TestRule) -> Rule {
        Rule::builder()
            .routing_rule_id("r1")
            .priority(3)
            .set_conditions(Some(conditions(rule)))
            .actions(action(rule))
            .build()
    }

    #[test]
    fn what_bgecs_makes_it_knows_again() {
        for path in ["", "orders"] {
            let made = rule(path);
            let found = read(&written(&made));
            assert_eq!((found.id.as_str(), found.priority), ("r1", 3));
            assert_eq!(found.is, Some(made));
        }
    }

    #[test]
    fn anything_more_or_less_is_somebody_elses() {
        let of = |change: &dyn Fn(&mut Rule)| {
            let mut rule = written(&rule("orders"));
            change(&mut rule);
            test_rule(&rule)
        };
        assert_eq!(of(&|_| ()), Some(rule("orders")));
        let changes: [&dyn Fn(&mut Rule); 5] = [
            &|it| it.conditions = None,
            &|it| it.actions = None,
            &|it| {
                let other = written(&rule(""));
                it.conditions
                    .get_or_insert_default()
                    .extend(other.conditions.unwrap());
            },
            &|it| it.actions = written(&rule("")).actions,
            &|it| {
                let header = RoutingRuleMatchHeaderValue::builder().header("x-version");
                let headers = RoutingRuleMatchHeaders::builder();
                let headers = headers.any_of(header.value_glob("green").build()).build();
                it.conditions.get_or_insert_default()[0].match_headers = Some(headers);
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_eq!(of(change), None, "change {number}");
        }
    }
}
