//! Where a load balancer decides about a route's requests, and what is written to move
//! the route, if it can be moved.

use std::fmt;

use super::{ListenerArn, PerColor, Route, RuleArn};

/// The way on where the rule that production is at is gone: whoever made it has to
/// make it again.
pub const RULE_AGAIN: &str = "a rule of users' has to be made again, and named under [production] in bgecs.toml; one of testers' goes with [test] out of it; then `bgecs attach`";

/// Both routes' places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub production: Place,
    pub test: TestPlace,
}

/// Its actions say where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The default action of a listener.
    Listener(ListenerArn),
    /// One rule of a listener, with whatever conditions it has.
    Rule(RuleArn),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestPlace {
    At(Place),
    /// The header [`super::COLOR_HEADER`] of a request to production: a rule for
    /// each colour, ahead of where production is decided on. Nothing moves it.
    ByHeader(PerColor<RuleArn>),
}

impl Places {
    /// What is written to move the route; none where nothing moves it.
    pub fn moved(&self, route: Route) -> Option<&Place> {
        match (route, &self.test) {
            (Route::Production, _) => Some(&self.production),
            (Route::Test, TestPlace::At(place)) => Some(place),
            (Route::Test, TestPlace::ByHeader(_)) => None,
        }
    }

    /// Of the test route by header.
    pub fn header_rules(&self) -> Option<&PerColor<RuleArn>> {
        match &self.test {
            TestPlace::At(_) => None,
            TestPlace::ByHeader(rules) => Some(rules),
        }
    }

    /// By its ARNs, as a person needs it to put the route right by hand.
    pub fn named(&self, route: Route) -> String {
        match (route, &self.test) {
            (Route::Production, _) => self.production.to_string(),
            (Route::Test, TestPlace::At(place)) => place.to_string(),
            (Route::Test, TestPlace::ByHeader(PerColor { blue, green })) => {
                format!("{blue} and {green}")
            }
        }
    }
}

impl Place {
    pub fn arn(&self) -> &str {
        match self {
            Self::Listener(arn) => arn.as_str(),
            Self::Rule(arn) => arn.as_str(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.arn())
    }
}
