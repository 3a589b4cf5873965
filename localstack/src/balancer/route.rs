//! Which actions a request gets: those of the rule with the lowest priority
//! whose conditions all hold, or the listener's default ones. Pure.
//!
//! Conditions are compared as the API's reference says of each:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html>.

use hyper::Request;
use hyper::header::HOST;

use super::config::{Action, Condition, Listener, Rule};
use super::headers::split_port;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Kept,
    Ignored,
}

/// The actions for a request, of which only the head is looked at.
pub fn actions<'a, B>(listener: &'a Listener, request: &Request<B>) -> &'a [Action] {
    listener
        .rules
        .iter()
        .filter(|rule| matches(rule, request))
        .min_by_key(|rule| rule.priority)
        .map_or(&listener.default_actions, |rule| &rule.actions)
}

fn matches<B>(rule: &Rule, request: &Request<B>) -> bool {
    rule.conditions
        .iter()
        .all(|condition| holds(condition, request))
}

fn holds<B>(condition: &Condition, request: &Request<B>) -> bool {
    match condition {
        Condition::PathPattern(patterns) => any(patterns, request.uri().path(), Case::Kept),
        Condition::HostHeader(patterns) => {
            host(request).is_some_and(|host| any(patterns, host, Case::Ignored))
        }
        Condition::HttpHeader { name, values } => request
            .headers()
            .get_all(name.as_str())
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| any(values, value, Case::Ignored)),
        Condition::HttpRequestMethod(methods) => methods
            .iter()
            .any(|method| method == request.method().as_str()),
        Condition::QueryString(wanted) => query_holds(wanted, request.uri().query().unwrap_or("")),
        Condition::Unknown(_) => false,
    }
}

/// The name that the client means, without a port.
pub fn host<B>(request: &Request<B>) -> Option<&str> {
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(HOST)?.to_str().ok()?,
    };
    Some(split_port(host).0)
}

fn query_holds(wanted: &[(Option<String>, String)], query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(key, value)| {
        wanted.iter().any(|(wanted_key, wanted_value)| {
            let same_key = wanted_key
                .as_ref()
                .is_none_or(|wanted_key| fits(wanted_key, &key, Case::Ignored));
            same_key && fits(wanted_value, &value, Case::Ignored)
        })
    })
}

fn any(patterns: &[String], text: &str, case: Case) -> bool {
    patterns.iter().any(|pattern| fits(pattern, text, case))
}

/// Whether a path is of a pattern, its case regarded.
pub(crate) fn is_of_pattern(path: &str, pattern: &str) -> bool {
    fits(pattern, path, Case::Kept)
}

/// Whether a text is of a pattern: `*` is any characters, `?` is one, and `\`
/// takes its meaning from the next.
fn fits(pattern: &str, text: &str, case: Case) -> bool {
    let pattern = tokens(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
    // The latest `*`, and where the text stood when it was met: on a mismatch
    // it takes one character more.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(Token::Any) => {
                star = Some((at, seen));
                at += 1;
            }
            Some(token) if token.admits(text[seen], case) => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|token| *token == Token::Any)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Just(char),
}

impl Token {
    fn admits(self, character: char, case: Case) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Just(wanted) => match case {
                Case::Kept => wanted == character,
                Case::Ignored => wanted.eq_ignore_ascii_case(&character),
            },
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut characters = pattern.chars();
    let mut tokens = Vec::with_capacity(pattern.len());
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Just(characters.next().unwrap_or('\\')),
            other => Token::Just(other),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::config::Arn;

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn get(uri: &str) -> Request<()> {
        request("GET", uri, &[("host", "Shop.Example.com:8080")])
    }

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn says(body: &str) -> Vec<Action> {
        vec![Action::FixedResponse {
            status: 200,
            content_type: None,
            body: Some(body.to_owned()),
        }]
    }

    fn rule(priority: u32, conditions: Vec<Condition>) -> Rule {
        Rule {
            arn: Arn::new(format!("rule/{priority}")),
            priority,
            conditions,
            actions: says(&priority.to_string()),
        }
    }

    #[test]
    fn the_lowest_priority_that_matches_is_taken_and_else_the_default() {
        let all = Condition::PathPattern(texts(&["/*"]));
        let listener = Listener {
            arn: Arn::new("listener"),
            port: 80,
            tls: None,
            rules: vec![
                rule(20, vec![all.clone()]),
                rule(10, vec![Condition::PathPattern(texts(&["/api/*"]))]),
                rule(5, vec![all, Condition::HttpRequestMethod(texts(&["POST"]))]),
            ],
            default_actions: says("default"),
        };
        assert_eq!(actions(&listener, &get("/api/x")), says("10"));
        assert_eq!(actions(&listener, &get("/other")), says("20"));
        assert_eq!(
            actions(&listener, &request("POST", "/api/x", &[])),
            says("5")
        );
        assert_eq!(
            actions(&listener, &request("OPTIONS", "*", &[])),
            says("default")
        );
    }

    #[test]
    fn paths_are_compared_with_case_and_without_the_query() {
        let condition = Condition::PathPattern(texts(&["/img/*.png", "/a?c"]));
        for (uri, expected) in [
            ("/img/one/two.png", true),
            ("/img/one.png?v=2", true),
            ("/img/one.jpg", false),
            ("/IMG/one.png", false),
            ("/abc", true),
            ("/ac", false),
        ] {
            assert_eq!(holds(&condition, &get(uri)), expected, "{uri}");
        }
    }

    #[test]
    fn hosts_are_compared_without_case_and_port() {
        let holds = |pattern: &str| holds(&Condition::HostHeader(texts(&[pattern])), &get("/"));
        assert!(holds("shop.example.com"));
        assert!(holds("*.EXAMPLE.com"));
        assert!(!holds("example.com"));
    }

    #[test]
    fn header_values_are_compared_without_case_in_each_line() {
        let condition = Condition::HttpHeader {
            name: "X-Tester".to_owned(),
            values: texts(&["blue*"]),
        };
        let with = |value: &str| request("GET", "/", &[("x-tester", "no"), ("x-tester", value)]);
        assert!(holds(&condition, &with("BLUE-1")));
        assert!(!holds(&condition, &with("green")));
        assert!(!holds(&condition, &get("/")));
    }

    #[test]
    fn a_query_is_asked_for_a_pair_or_a_value() {
        let pair = |key: Option<&str>, value: &str| {
            Condition::QueryString(vec![(key.map(str::to_owned), value.to_owned())])
        };
        let request = get("/?version=V1&text=a%2Ab");
        assert!(holds(&pair(Some("Version"), "v1"), &request));
        assert!(!holds(&pair(Some("text"), "v1"), &request));
        assert!(holds(&pair(None, "v?"), &request));
        assert!(holds(&pair(Some("text"), r"a\*b"), &request));
        assert!(!holds(&pair(None, r"\*"), &request));
        assert!(!holds(&pair(None, "*"), &get("/")));
    }

    #[test]
    fn what_is_not_imitated_never_matches() {
        assert!(!holds(&Condition::Unknown("source-ip".into()), &get("/")));
    }

    #[test]
    fn stars_take_as_much_as_is_needed() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("**a", "bba", true),
            ("?*", "", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                fits(pattern, text, Case::Kept),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
