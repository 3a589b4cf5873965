//! What a load balancer is told to do: the values of the API's Describe calls,
//! typed. No behaviour beyond reading them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// An Amazon Resource Name, of a listener, a rule or a target group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(Arc<str>);

impl Arn {
    pub fn new(arn: impl Into<Arc<str>>) -> Self {
        Self(arn.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One load balancer, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub listeners: Vec<Listener>,
    /// All that a listener or a rule of this load balancer names.
    pub target_groups: Vec<TargetGroup>,
    /// How long a connection may be without a byte: 60 s unless set.
    pub idle_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            target_groups: Vec::new(),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

impl Config {
    pub fn target_group(&self, arn: &Arn) -> Option<&TargetGroup> {
        self.target_groups.iter().find(|group| group.arn == *arn)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Listener {
    pub arn: Arn,
    /// The port that clients mean, whichever it is mapped to here.
    pub port: u16,
    /// Of an HTTPS listener; none speaks plain HTTP.
    pub tls: Option<Tls>,
    /// In any order: the lowest priority that matches is taken.
    pub rules: Vec<Rule>,
    pub default_actions: Vec<Action>,
}

/// How a listener is secured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The default one first.
    pub certificates: Vec<Certificate>,
    /// `SslPolicy`
    pub policy: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Certificate {
    pub arn: Arn,
    /// For which it was issued; a first label can be `*`.
    pub names: Vec<String>,
}

impl Certificate {
    /// Before it is known for which names it is.
    pub fn unnamed(arn: Arn) -> Self {
        Self {
            arn,
            names: Vec::new(),
        }
    }

    /// Whether it is for that host.
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(rest) => host
                .split_once('.')
                .is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest)),
            None => name.eq_ignore_ascii_case(host),
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub arn: Arn,
    pub priority: u32,
    /// All must hold.
    pub conditions: Vec<Condition>,
    pub actions: Vec<Action>,
}

/// One of the values must match. Patterns know `*` and `?`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    PathPattern(Vec<String>),
    HostHeader(Vec<String>),
    HttpHeader {
        name: String,
        values: Vec<String>,
    },
    HttpRequestMethod(Vec<String>),
    /// Key, if one is asked for, and value.
    QueryString(Vec<(Option<String>, String)>),
    /// What is not imitated (`source-ip`): it never matches.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Forward(Forward),
    FixedResponse {
        status: u16,
        content_type: Option<String>,
        body: Option<String>,
    },
    /// Parts with AWS's placeholders: `#{host}`, `#{path}` and so on.
    Redirect {
        status: u16,
        protocol: String,
        host: String,
        port: String,
        path: String,
        query: String,
    },
    /// What is not imitated (`authenticate-oidc` and others); answered as 502.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    pub groups: Vec<WeightedGroup>,
    /// `TargetGroupStickinessConfig`, where it is enabled: how long.
    pub stickiness: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WeightedGroup {
    pub arn: Arn,
    /// 0 to 999.
    pub weight: u32,
}

impl Forward {
    /// All traffic to one target group.
    pub fn to(arn: Arn) -> Self {
        Self {
            groups: vec![WeightedGroup { arn, weight: 1 }],
            stickiness: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct TargetGroup {
    pub arn: Arn,
    pub health_check: HealthCheck,
    /// `deregistration_delay.timeout_seconds`.
    pub deregistration_delay: Duration,
    /// `stickiness.*` of type `lb_cookie`, where it is enabled: how long.
    pub stickiness: Option<Duration>,
    /// Those that are registered now.
    pub targets: BTreeSet<Target>,
}

/// A registered address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    pub ip: IpAddr,
    pub port: u16,
}

impl Target {
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    pub enabled: bool,
    pub path: String,
    /// `None` is `traffic-port`: the target's own.
    pub port: Option<u16>,
    pub interval: Duration,
    pub timeout: Duration,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
    pub matcher: Matcher,
}

/// Status codes, as `200`, `200,202` or `200-299`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher(Vec<(u16, u16)>);

impl Matcher {
    /// None if it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let range = |part: &str| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
        };
        text.split(',')
            .map(range)
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    pub fn admits(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_covers_its_names_and_a_star_is_one_label() {
        let certificate = Certificate {
            arn: Arn::new("certificate"),
            names: ["shop.test", "*.shop.test"].map(str::to_owned).to_vec(),
        };
        for (host, covers) in [
            ("Shop.test", true),
            ("www.shop.test", true),
            ("a.www.shop.test", false),
            ("test", false),
        ] {
            assert_eq!(certificate.covers(host), covers, "{host}");
        }
    }

    #[test]
    fn a_matcher_takes_codes_lists_and_ranges() {
        let matcher = Matcher::parse("200-299, 302").unwrap();
        assert!(matcher.admits(204) && matcher.admits(302));
        assert!(!matcher.admits(300) && !matcher.admits(500));
        assert_eq!(Matcher::parse("2xx"), None);
        assert_eq!(Matcher::parse(""), None);
    }
}
