//! Routing rules of a custom domain of API Gateway: by one for each colour, a request
//! that names a colour gets there, wherever users are
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html>).

use std::fmt;

use crate::model::{COLOR_HEADER, Color};

/// One of bgecs's own. It is known again by what it is: no id of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRule {
    pub color: Color,
    /// As the mapping's: empty is the whole domain.
    pub path: String,
    /// `API/STAGE`
    pub target: String,
}

/// One that a domain has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingRule {
    pub id: String,
    /// The lowest comes first.
    pub priority: i32,
    /// None where it can be none of bgecs's.
    pub is: Option<TestRule>,
}

/// What a domain uses to decide where a request goes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-mode.html>).
#[cfg_attr(
    not(feature = "edges"),
    expect(dead_code, reason = "nobody here asks for it then")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutingMode {
    Mappings,
    Rules,
    RulesThenMappings,
}

impl RoutingMode {
    /// Why users of that domain cannot be moved so, and what would help. `by_header`:
    /// whether colours are looked at by rules.
    pub fn unfit(self, domain: &str, by_header: bool) -> Option<(String, &'static str)> {
        match self {
            Self::Rules => Some((
                format!(
                    "the routing mode of {domain} is ROUTING_RULE_ONLY: it never consults the mappings that bgecs moves"
                ),
                "set its mode to ROUTING_RULE_THEN_API_MAPPING, or to API_MAPPING_ONLY where it needs no rules",
            )),
            Self::Mappings if by_header => Some((
                format!(
                    "no colour has a `url`, and the routing mode of {domain} is API_MAPPING_ONLY: it consults no rule by which a colour could be looked at there"
                ),
                "give both colours a `url`, or set the mode to ROUTING_RULE_THEN_API_MAPPING",
            )),
            Self::Mappings | Self::RulesThenMappings => None,
        }
    }
}

/// What it does.
impl fmt::Display for TestRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("requests ")?;
        if !self.path.is_empty() {
            write!(f, "below /{} ", self.path)?;
        }
        let Self { color, target, .. } = self;
        write!(f, "with {COLOR_HEADER}: {color} go to {target}")
    }
}
