//! Routing rules, and which way a request goes by them. Pure.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html>

use hyper::HeaderMap;
use serde::{Deserialize, Serialize};

/// "You can set the priority from 1-1,000,000."
const PRIORITIES: std::ops::RangeInclusive<u32> = 1..=1_000_000;

/// "API Gateway supports up to two header conditions and one path condition."
const HEADER_CONDITIONS: usize = 2;
const PATH_CONDITIONS: usize = 1;

/// A rule as a client wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub priority: u32,
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// "Each rule can have one action."
    pub actions: [Action; 1],
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub routing_rule_id: String,
    pub routing_rule_arn: String,
    #[serde(flatten)]
    pub wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_headers: Option<AnyOf<Header>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_base_paths: Option<AnyOf<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnyOf<T> {
    pub any_of: Vec<T>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    pub header: String,
    pub value_glob: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    pub invoke_api: InvokeApi,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvokeApi {
    pub api_id: String,
    pub stage: String,
    #[serde(default)]
    pub strip_base_path: bool,
}

/// What a domain does with requests: its `routingMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    ApiMappingOnly,
    RoutingRuleOnly,
    RoutingRuleThenApiMapping,
}

/// Which way a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// As the domain's API mappings say.
    Mapping,
    /// To that stage, with that path there.
    Invoke {
        api: String,
        stage: String,
        path: String,
    },
    Forbidden,
}

impl Mode {
    /// As version 2 of the API calls it, or version 1.
    pub fn named(name: &str) -> Self {
        match name {
            "ROUTING_RULE_ONLY" => Self::RoutingRuleOnly,
            "ROUTING_RULE_THEN_API_MAPPING" | "ROUTING_RULE_THEN_BASE_PATH_MAPPING" => {
                Self::RoutingRuleThenApiMapping
            }
            _ => Self::ApiMappingOnly,
        }
    }
}

impl Wanted {
    /// What is wrong with it, if anything is.
    pub fn fault(&self) -> Option<&'static str> {
        let headers = self
            .conditions
            .iter()
            .filter(|it| it.match_headers.is_some());
        let paths = self
            .conditions
            .iter()
            .filter(|it| it.match_base_paths.is_some());
        if !PRIORITIES.contains(&self.priority) {
            return Some("The priority must be from 1 to 1,000,000");
        }
        if headers.count() > HEADER_CONDITIONS || paths.count() > PATH_CONDITIONS {
            return Some("A rule has up to two header conditions and one base path condition");
        }
        None
    }

    /// The base path that it matched by, empty if by none. None if it does not match,
    /// which all conditions have to.
    fn matched<'a>(&'a self, path: &str, headers: &HeaderMap) -> Option<&'a str> {
        let mut base = "";
        for condition in &self.conditions {
            if let Some(wanted) = &condition.match_headers
                && !wanted.any_of.iter().any(|one| one.is_in(headers))
            {
                return None;
            }
            if let Some(wanted) = &condition.match_base_paths {
                base = wanted
                    .any_of
                    .iter()
                    .find(|base| below(base, path).is_some())?;
            }
        }
        Some(base)
    }
}

impl Header {
    /// "The case insensitive header name", "the case sensitive header glob value to be
    /// matched against entire header value"
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-routingrule-matchheadervalue.html>).
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(&self.header).into_iter();
        let mut values = values.filter_map(|value| value.to_str().ok());
        values.any(|value| globs(&self.value_glob, value))
    }
}

/// "Wildcard matching is supported for header glob values but must be for
/// `*prefix-match`, `suffix-match*`, or `*infix*-match`."
fn globs(glob: &str, value: &str) -> bool {
    let (open_before, glob) = match glob.strip_prefix('*') {
        Some(rest) => (true, rest),
        None => (false, glob),
    };
    let (open_after, glob) = match glob.strip_suffix('*') {
        Some(rest) => (true, rest),
        None => (false, glob),
    };
    match (open_before, open_after) {
        (true, true) => value.contains(glob),
        (true, false) => value.ends_with(glob),
        (false, true) => value.starts_with(glob),
        (false, false) => value == glob,
    }
}

/// What of a path is below a base path, "the case sensitive base path to be matched".
fn below<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    let rest = path
        .strip_prefix('/')?
        .strip_prefix(base.trim_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// "Rules are evaluated in priority order", "from the lowest value to the highest
/// value", and "API Gateway always evaluates all routing rules before evaluating any
/// API mappings".
pub fn way(mode: Mode, rules: &[Rule], path: &str, headers: &HeaderMap) -> Way {
    let wanted = rules.iter().map(|rule| &rule.wanted);
    let matching = wanted.filter_map(|wanted| Some((wanted, wanted.matched(path, headers)?)));
    let first = matching.min_by_key(|(wanted, _)| wanted.priority);
    match (mode, first) {
        (Mode::ApiMappingOnly, _) | (Mode::RoutingRuleThenApiMapping, None) => Way::Mapping,
        (Mode::RoutingRuleOnly, None) => Way::Forbidden,
        (_, Some((wanted, base))) => {
            let [Action { invoke_api: to }] = &wanted.actions;
            let path = match to.strip_base_path {
                true => below(base, path).unwrap_or(path),
                false => path,
            };
            Way::Invoke {
                api: to.api_id.clone(),
                stage: to.stage.clone(),
                path: if path.is_empty() { "/" } else { path }.to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
