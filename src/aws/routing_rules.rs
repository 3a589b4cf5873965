//! Routing rules of API Gateway's custom domains: reads them, and writes bgecs's own.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Aws;
use super::error::{AwsError, Named};
use super::plain::{encoded, path};
use crate::model::{COLOR_HEADER, Color, RoutingMode, RoutingRule, TestRule};

/// Unlike everything else in API Gateway, rules have IAM actions of their own
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html>).
const LIST: &str = "apigateway:ListRoutingRules";
const CREATE: &str = "apigateway:CreateRoutingRule";
const UPDATE: &str = "apigateway:UpdateRoutingRule";
const DELETE: &str = "apigateway:DeleteRoutingRule";
const READ: &str = "apigateway:GET";

impl Aws {
    /// # Errors
    /// AWS's own.
    pub(super) async fn api_domain(&self, domain: &str) -> Result<ApiDomain, AwsError> {
        let at = path(["v2", "domainnames", domain]);
        let asked = ("GET", at.as_str());
        let answer = self.apigatewayv2.rest("GetDomainName", asked, None).await;
        answer.named(READ, domain)
    }

    /// # Errors
    /// AWS's own.
    pub async fn routing_mode(&self, domain: &str) -> Result<RoutingMode, AwsError> {
        let mode = self.api_domain(domain).await?.routing_mode;
        Ok(match mode.as_deref() {
            Some("ROUTING_RULE_ONLY") => RoutingMode::Rules,
            Some("ROUTING_RULE_THEN_API_MAPPING") => RoutingMode::RulesThenMappings,
            // The mode of every domain that was not given one.
            _ => RoutingMode::Mappings,
        })
    }

    /// All rules, whether the domain's mode uses them or not.
    ///
    /// # Errors
    /// AWS's own.
    pub async fn routing_rules(&self, domain: &str) -> Result<Vec<RoutingRule>, AwsError> {
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let at = rules_of(domain) + &next;
            let asked = ("GET", at.as_str());
            let page = self.apigatewayv2.rest("ListRoutingRules", asked, None);
            let page: ApiRulePage = page.await.named(LIST, domain)?;
            all.extend(page.routing_rules.iter().map(read));
            match page.next_token {
                Some(token) => next = format!("?nextToken={}", encoded(&token)),
                None => return Ok(all),
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
        let at = rules_of(domain);
        let asked = ("POST", at.as_str());
        let it = written(rule, priority);
        let made = self
            .apigatewayv2
            .rest("CreateRoutingRule", asked, Some(&it));
        made.await.map(|IgnoredAny| ()).named(CREATE, domain)
    }

    /// # Errors
    /// AWS's own.
    pub async fn change_test_rule(
        &self,
        domain: &str,
        rule: &TestRule,
        (id, priority): (&str, i32),
    ) -> Result<(), AwsError> {
        let at = rules_of(domain) + &path([id]);
        let asked = ("PUT", at.as_str());
        let it = written(rule, priority);
        let changed = self.apigatewayv2.rest("PutRoutingRule", asked, Some(&it));
        changed.await.map(|IgnoredAny| ()).named(UPDATE, domain)
    }

    /// # Errors
    /// AWS's own.
    pub async fn delete_routing_rule(&self, domain: &str, id: &str) -> Result<(), AwsError> {
        let at = rules_of(domain) + &path([id]);
        let asked = ("DELETE", at.as_str());
        let gone = self.apigatewayv2.rest("DeleteRoutingRule", asked, None);
        gone.await.map(|IgnoredAny| ()).named(DELETE, domain)
    }
}

fn rules_of(domain: &str) -> String {
    path(["v2", "domainnames", domain, "routingrules"])
}

/// The known properties of a custom domain.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiDomain {
    routing_mode: Option<String>,
    #[serde(default)]
    pub domain_name_configurations: Vec<DomainConfiguration>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DomainConfiguration {
    pub endpoint_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiRulePage {
    #[serde(default)]
    routing_rules: Vec<ApiRule>,
    next_token: Option<String>,
}

/// A rule in API Gateway's form.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApiRule {
    routing_rule_id: String,
    priority: i32,
    conditions: Vec<ApiRuleCondition>,
    actions: Vec<ApiRuleAction>,
}

/// Has one of the two.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApiRuleCondition {
    #[serde(skip_serializing_if = "Option::is_none")]
    match_headers: Option<AnyOf<HeaderGlob>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    match_base_paths: Option<AnyOf<String>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyOf<T> {
    any_of: Vec<T>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderGlob {
    header: String,
    value_glob: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApiRuleAction {
    #[serde(skip_serializing_if = "Option::is_none")]
    invoke_api: Option<InvokeApi>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InvokeApi {
    api_id: String,
    stage: String,
    strip_base_path: bool,
}

fn written(rule: &TestRule, priority: i32) -> Value {
    json!({
        "priority": priority,
        "conditions": conditions(rule),
        "actions": [action(rule)],
    })
}

fn conditions(rule: &TestRule) -> Vec<ApiRuleCondition> {
    let header = HeaderGlob {
        header: COLOR_HEADER.to_owned(),
        value_glob: rule.color.to_string(),
    };
    let header = ApiRuleCondition {
        match_headers: Some(AnyOf {
            any_of: vec![header],
        }),
        match_base_paths: None,
    };
    let path = ApiRuleCondition {
        match_headers: None,
        match_base_paths: Some(AnyOf {
            any_of: vec![rule.path.clone()],
        }),
    };
    match rule.path.is_empty() {
        true => vec![header],
        false => vec![header, path],
    }
}

/// The API gets the request without the base path, as with a mapping.
fn action(rule: &TestRule) -> ApiRuleAction {
    let (api, stage) = rule.target.split_once('/').unwrap_or((&rule.target, ""));
    ApiRuleAction {
        invoke_api: Some(InvokeApi {
            api_id: api.to_owned(),
            stage: stage.to_owned(),
            strip_base_path: !rule.path.is_empty(),
        }),
    }
}

fn read(rule: &ApiRule) -> RoutingRule {
    RoutingRule {
        id: rule.routing_rule_id.clone(),
        priority: rule.priority,
        is: test_rule(rule),
    }
}

/// None if it is not of the form that bgecs makes.
fn test_rule(rule: &ApiRule) -> Option<TestRule> {
    let (mut header, mut path) = (None, None);
    for condition in &rule.conditions {
        let is_twice = match (&condition.match_headers, &condition.match_base_paths) {
            (Some(headers), None) => header.replace(&*headers.any_of).is_some(),
            (None, Some(paths)) => path.replace(&*paths.any_of).is_some(),
            _ => true,
        };
        if is_twice {
            return None;
        }
    }
    let [header] = header? else { return None };
    let color = header.value_glob.parse::<Color>().ok()?;
    let path = match path {
        None => "",
        Some([path]) => path,
        Some(_) => return None,
    };
    let [action] = &*rule.actions else {
        return None;
    };
    let invoke = action.invoke_api.as_ref()?;
    let is_of_color = header.header.eq_ignore_ascii_case(COLOR_HEADER);
    let is_one = is_of_color && invoke.strip_base_path != path.is_empty();
    is_one.then(|| TestRule {
        color,
        path: path.to_owned(),
        target: format!("{}/{}", invoke.api_id, invoke.stage),
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

    /// As API Gateway returns it.
    fn made(rule: &TestRule) -> ApiRule {
        let made = serde_json::from_value(written(rule, 3));
        ApiRule {
            routing_rule_id: "r1".to_owned(),
            ..made.unwrap()
        }
    }

    #[test]
    fn what_bgecs_makes_it_knows_again() {
        for path in ["", "orders"] {
            let rule = rule(path);
            let found = read(&made(&rule));
            assert_eq!((found.id.as_str(), found.priority), ("r1", 3));
            assert_eq!(found.is, Some(rule));
        }
    }

    #[test]
    fn anything_more_or_less_is_somebody_elses() {
        let of = |change: &dyn Fn(&mut ApiRule)| {
            let mut rule = made(&rule("orders"));
            change(&mut rule);
            test_rule(&rule)
        };
        assert_eq!(of(&|_| ()), Some(rule("orders")));
        let changes: [&dyn Fn(&mut ApiRule); 5] = [
            &|it| it.conditions.clear(),
            &|it| it.actions.clear(),
            &|it| it.conditions.extend(made(&rule("")).conditions),
            &|it| it.actions = made(&rule("")).actions,
            &|it| {
                let headers = it.conditions[0].match_headers.as_mut().unwrap();
                headers.any_of[0].header = "x-version".to_owned();
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_eq!(of(change), None, "change {number}");
        }
    }
}
