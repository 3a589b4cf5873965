//! What leads users to a service, whoever made it: its target groups, their load
//! balancers, and every listener and rule of those, as read. `engine::entrance` decides
//! what to request there.

use std::fmt;

use super::TargetGroupArn;

/// A service as ECS has it, as far as users' way to it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningService {
    pub name: String,
    /// Where its tasks are registered, or are with its next release; those of
    /// its task sets too.
    pub groups: Vec<TargetGroupArn>,
    /// The Classic Load Balancers that it is behind: they know no target groups.
    pub classic: Vec<String>,
    /// The listeners or rules by which ECS itself moves users, where it does.
    pub production: Vec<String>,
}

/// A target group, as far as it is one of a service's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupSettings {
    pub arn: TargetGroupArn,
    pub name: String,
    pub protocol: String,
    /// Of its health checks; none where they ask for no path.
    pub health_path: Option<String>,
    pub vpc: String,
    /// The ARNs of the load balancers that use it.
    pub balancers: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    pub arn: String,
    pub name: String,
    pub dns_name: String,
    pub is_internal: bool,
    /// Whether it has rules: a Network Load Balancer has none.
    pub is_application: bool,
    pub security_groups: Vec<String>,
    pub listeners: Vec<BalancerListener>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerListener {
    pub arn: String,
    pub port: u16,
    pub protocol: Protocol,
    /// As they are tried; the default action comes last.
    pub rules: Vec<ListenerRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Https,
    /// Of a Network Load Balancer, such as TCP: what is spoken is not its concern.
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerRule {
    pub arn: String,
    /// None for the default action.
    pub priority: Option<String>,
    /// All of them have to hold.
    pub conditions: Vec<RuleCondition>,
    /// What a request has to pass ahead of that, such as `authenticate-oidc`.
    pub guards: Vec<String>,
    /// Where it forwards to, and with which weights.
    pub forwards: Vec<(TargetGroupArn, u32)>,
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleCondition {
    Host(Vec<ConditionPattern>),
    Path(Vec<ConditionPattern>),
    /// Its value may be a secret between a CDN and the load balancer.
    Header(String, Vec<ConditionPattern>),
    /// Of any other kind, in words.
    Other(String),
}

/// Any of a condition's patterns will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionPattern {
    /// `*` stands for any text, `?` for any one character.
    Glob(String),
    Regex(String),
}

impl RunningService {
    /// How much of its requests a rule gives to the service, of how much.
    pub fn share_of(&self, rule: &ListenerRule) -> (u32, u32) {
        let weight = |ours: bool| {
            let of = rule.forwards.iter();
            let of = of.filter(|(group, _)| !ours || self.groups.contains(group));
            of.map(|(_, weight)| weight).sum()
        };
        (weight(true), weight(false))
    }
}

impl Protocol {
    pub fn is_secured(&self) -> bool {
        match self {
            Self::Http => false,
            Self::Https => true,
            Self::Other(name) => name == "TLS",
        }
    }
}

impl ConditionPattern {
    /// The one text that it takes, if that is so.
    pub fn only(&self) -> Option<&str> {
        match self {
            Self::Glob(text) if !text.contains(['*', '?']) => Some(text),
            Self::Glob(_) | Self::Regex(_) => None,
        }
    }

    /// Whether it takes a text; none where that is not known here.
    pub fn takes(&self, text: &str) -> Option<bool> {
        match self {
            Self::Glob(glob) => Some(takes(glob.as_bytes(), text.as_bytes())),
            Self::Regex(_) => None,
        }
    }

    /// The same whatever the case, as hosts and headers are compared.
    pub fn takes_in_any_case(&self, text: &str) -> Option<bool> {
        match self {
            Self::Glob(glob) => {
                let [glob, text] = [glob.as_str(), text].map(str::to_ascii_lowercase);
                Some(takes(glob.as_bytes(), text.as_bytes()))
            }
            Self::Regex(_) => None,
        }
    }
}

/// Goes back to the last `*` where it does not fit, and has that take one more.
fn takes(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    while read < text.len() {
        match glob.get(at) {
            Some(b'*') => {
                last = Some((at, read));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match last {
                Some((star, from)) => {
                    last = Some((star, from + 1));
                    at = star + 1;
                    read = from + 1;
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
}

impl fmt::Display for ConditionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob(text) => f.write_str(text),
            Self::Regex(text) => write!(f, "matching {text}"),
        }
    }
}

/// Without a header's value.
impl fmt::Display for RuleCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, patterns) = match self {
            Self::Host(patterns) => ("host", patterns),
            Self::Path(patterns) => ("path", patterns),
            Self::Header(name, _) => return write!(f, "header {name}"),
            Self::Other(words) => return f.write_str(words),
        };
        let all: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        write!(f, "{name} {}", all.join(" or "))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Other(name) => name,
        })
    }
}

/// `port 443 (HTTPS)`
impl fmt::Display for BalancerListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {} ({})", self.port, self.protocol)
    }
}

/// `rule 10 (host shop.example.com)`, or `default action`.
impl fmt::Display for ListenerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(priority) = &self.priority else {
            return f.write_str("default action");
        };
        let conditions: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        match conditions.is_empty() {
            true => write!(f, "rule {priority} (every request)"),
            false => write!(f, "rule {priority} ({})", conditions.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_takes_what_the_load_balancer_does() {
        for (glob, text, expected) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/*", "/", true),
            ("/api/*", "/api/", true),
            ("/api/*", "/api", false),
            ("/api/*", "/API/a", false),
            ("/img/*.png", "/img/a/b.png", true),
            ("/img/*.png", "/img/a.pngs", false),
            ("*a*b", "aab", true),
            ("*a*b", "aba", false),
            ("?.example.com", "a.example.com", true),
            ("?.example.com", ".example.com", false),
            ("*", "", true),
            ("", "", true),
        ] {
            let pattern = ConditionPattern::Glob(glob.to_owned());
            assert_eq!(pattern.takes(text), Some(expected), "{glob} {text}");
        }
        let host = ConditionPattern::Glob("*.Example.com".to_owned());
        assert_eq!(host.takes_in_any_case("shop.EXAMPLE.com"), Some(true));
        assert_eq!(ConditionPattern::Regex("^/$".to_owned()).takes("/"), None);
    }

    #[test]
    fn a_secret_of_a_header_is_not_told() {
        let rule = ListenerRule {
            arn: "rule/5".to_owned(),
            priority: Some("5".to_owned()),
            conditions: vec![
                RuleCondition::Host(vec![
                    ConditionPattern::Glob("a.example.com".to_owned()),
                    ConditionPattern::Regex("^b".to_owned()),
                ]),
                RuleCondition::Header(
                    "x-origin".to_owned(),
                    vec![ConditionPattern::Glob("hunter22".to_owned())],
                ),
            ],
            guards: Vec::new(),
            forwards: Vec::new(),
        };
        let told = "rule 5 (host a.example.com or matching ^b, header x-origin)";
        assert_eq!(rule.to_string(), told);
    }
}
