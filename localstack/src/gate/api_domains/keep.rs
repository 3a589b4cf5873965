//! `CreateRoutingRule` and so on: the gate's own, since the emulator has no rules.
//!
//! <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-routingrules.html>

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::asked::{Asked, asked};
use super::rules::{Rule, Wanted};
use super::{ApiDomains, JSON, Refusal, key, refused};
use crate::gate::refusal::request_id;
use crate::gate::request::{Answer, Request};
use crate::gate::upstream::Failed;

impl ApiDomains {
    pub(super) async fn about_rules(&self, request: &Request) -> Result<Answer, Failed> {
        let (domain, rule) = match asked(request.head.uri.path()) {
            Some(Asked::Rules(domain)) => (domain, None),
            Some(Asked::Rule(domain, rule)) => (domain, Some(rule)),
            _ => return self.upstream.forward(request).await,
        };
        let name = key(domain);
        if self.mode(domain).await?.is_none() {
            self.known().remove(&name);
            return Ok(refused(request, no_such("domain name")));
        }
        let mut known = self.known();
        let rules = known.entry(name.clone()).or_default();
        let done = match (request.head.method.clone(), rule) {
            (Method::POST, None) => create(rules, &name, &request.body),
            (Method::GET, None) => Ok((StatusCode::OK, json!({ "routingRules": rules }))),
            (Method::GET, Some(id)) => {
                found(rules, id).map(|at| (StatusCode::OK, json!(rules[at])))
            }
            (Method::PUT, Some(id)) => put(rules, id, &request.body),
            (Method::DELETE, Some(id)) => found(rules, id).map(|at| {
                rules.remove(at);
                (StatusCode::NO_CONTENT, Value::Null)
            }),
            _ => Err(no_such("method")),
        };
        Ok(match done {
            Ok((StatusCode::NO_CONTENT, _)) => {
                Answer::json(StatusCode::NO_CONTENT, JSON, &Value::Null).with_body("")
            }
            Ok((status, output)) => Answer::json(status, JSON, &output),
            Err(refusal) => refused(request, refusal),
        })
    }
}

type Done = Result<(StatusCode, Value), Refusal>;

fn create(rules: &mut Vec<Rule>, domain: &str, body: &[u8]) -> Done {
    let wanted = wanted(body)?;
    free(rules, wanted.priority, None)?;
    let id: String = request_id()
        .chars()
        .filter(|it| *it != '-')
        .take(12)
        .collect();
    let rule = Rule {
        routing_rule_arn: format!(
            "arn:aws:apigateway:us-east-1:000000000000:/domainnames/{domain}/routingrules/{id}"
        ),
        routing_rule_id: id,
        wanted,
    };
    rules.push(rule.clone());
    Ok((StatusCode::CREATED, json!(rule)))
}

fn put(rules: &mut [Rule], id: &str, body: &[u8]) -> Done {
    let at = found(rules, id)?;
    let wanted = wanted(body)?;
    free(rules, wanted.priority, Some(id))?;
    rules[at].wanted = wanted;
    Ok((StatusCode::OK, json!(rules[at])))
}

fn wanted(body: &[u8]) -> Result<Wanted, Refusal> {
    let wrong = |message| (StatusCode::BAD_REQUEST, "BadRequestException", message);
    let wanted: Wanted =
        serde_json::from_slice(body).map_err(|error| wrong(format!("Invalid request: {error}")))?;
    match wanted.fault() {
        Some(fault) => Err(wrong(fault.to_owned())),
        None => Ok(wanted),
    }
}

/// "Rules can't have the same priority."
fn free(rules: &[Rule], priority: u32, but: Option<&str>) -> Result<(), Refusal> {
    let has_it = |rule: &Rule| {
        rule.wanted.priority == priority && but != Some(rule.routing_rule_id.as_str())
    };
    if !rules.iter().any(has_it) {
        return Ok(());
    }
    let message = format!("A routing rule with the priority {priority} exists already");
    Err((StatusCode::CONFLICT, "ConflictException", message))
}

fn found(rules: &[Rule], id: &str) -> Result<usize, Refusal> {
    let at = rules.iter().position(|rule| rule.routing_rule_id == id);
    at.ok_or_else(|| no_such("routing rule"))
}

fn no_such(what: &str) -> Refusal {
    let message = format!("Invalid {what} identifier specified");
    (StatusCode::NOT_FOUND, "NotFoundException", message)
}
