//! Where requests can go: what listeners and their rules do with them.

use std::fmt;

use serde::Serialize;

use super::{Color, TargetGroupArn};

/// The header by which a request to the test port asks for a colour, wherever
/// that port forwards.
pub const COLOR_HEADER: &str = "x-bgecs-color";

/// Where a share of the requests is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forward {
    /// `None` for a target group that is not one of the app's two.
    pub color: Option<Color>,
    #[serde(skip)]
    pub target_group: TargetGroupArn,
    pub weight: i32,
}

/// What a listener does with a request that no rule takes, or a rule with one
/// that it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Forwarding {
    /// A fresh stack's placeholder: nothing is live yet.
    #[default]
    Nowhere,
    /// To target groups, by weight.
    To {
        forwards: Vec<Forward>,
        /// What is done ahead of it, such as `authenticate-oidc`.
        after: Vec<String>,
    },
    /// What is no forward, in words. Whoever did it meant it.
    Foreign(String),
}

impl Forwarding {
    #[cfg(test)]
    pub fn to(forwards: Vec<Forward>) -> Self {
        Self::To {
            forwards,
            after: Vec::new(),
        }
    }

    pub fn forwards(&self) -> &[Forward] {
        match self {
            Self::To { forwards, .. } => forwards,
            Self::Nowhere | Self::Foreign(_) => &[],
        }
    }

    fn reached(&self) -> impl Iterator<Item = &Forward> {
        self.forwards().iter().filter(|forward| forward.weight > 0)
    }

    /// The one colour that gets every request, if it is so.
    pub fn only(&self) -> Option<Color> {
        let mut reached = self.reached();
        match (reached.next(), reached.next()) {
            (Some(forward), None) => forward.color,
            _ => None,
        }
    }

    pub fn reaches(&self, color: Color) -> bool {
        self.reached().any(|forward| forward.color == Some(color))
    }

    pub fn is_nowhere(&self) -> bool {
        *self == Self::Nowhere
    }

    /// What takes requests that is not the app's, in words: it is never taken
    /// for nothing, and never overwritten.
    pub fn foreign(&self) -> Option<String> {
        match self {
            Self::Foreign(what) => Some(what.clone()),
            Self::To { .. } if self.reached().next().is_none() => Some(self.to_string()),
            Self::To { .. } => self
                .reached()
                .any(|forward| forward.color.is_none())
                .then(|| self.to_string()),
            Self::Nowhere => None,
        }
    }

    /// `forwards to green`, or `answers with a redirect to https://…:443`.
    pub fn deed(&self) -> String {
        match self {
            Self::Foreign(what) => format!("answers with {what}"),
            Self::Nowhere | Self::To { .. } => format!("forwards to {self}"),
        }
    }
}

impl fmt::Display for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (forwards, after) = match self {
            Self::Nowhere => return f.write_str("nothing"),
            Self::Foreign(what) => return f.write_str(what),
            Self::To { forwards, after } => (forwards, after),
        };
        let total: i32 = forwards.iter().map(|forward| forward.weight).sum();
        for (n, forward) in forwards.iter().enumerate() {
            if n > 0 {
                f.write_str(", ")?;
            }
            match forward.color {
                Some(color) => write!(f, "{color}")?,
                None => write!(f, "a stranger's target group {}", forward.target_group)?,
            }
            if forward.weight != total || total == 0 {
                write!(f, " ({} of {total})", forward.weight)?;
            }
        }
        match after.is_empty() {
            true => Ok(()),
            false => write!(f, ", after {}", after.join(" and ")),
        }
    }
}

/// A way by which requests come to the app's target groups and that bgecs does
/// not move: another listener, or a rule of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayIn {
    /// The rule's, or that of the listener whose default action it is.
    pub arn: String,
    /// `port 443 (HTTPS)`
    pub listener: String,
    /// `rule 10 (path /api/*)`; none is the listener's default action.
    pub rule: Option<String>,
    pub forwarding: Forwarding,
}

impl fmt::Display for WayIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listener)?;
        match &self.rule {
            Some(rule) => write!(f, ", {rule}"),
            None => Ok(()),
        }
    }
}

/// All such ways, as far as AWS let one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherWays {
    pub seen: Vec<WayIn>,
    /// Why there may be others: what AWS said where rules were to be read.
    pub hidden: Option<String>,
}

impl OtherWays {
    pub fn reaching(&self, color: Color) -> impl Iterator<Item = &WayIn> {
        let seen = self.seen.iter();
        seen.filter(move |way| way.forwarding.reaches(color))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{nowhere, to};

    fn weighted(weights: &[(Option<Color>, i32)]) -> Forwarding {
        let forward = |(color, weight): &(Option<Color>, i32)| Forward {
            color: *color,
            target_group: TargetGroupArn::new("tg/any"),
            weight: *weight,
        };
        Forwarding::to(weights.iter().map(forward).collect())
    }

    #[test]
    fn only_the_placeholder_is_nowhere_and_what_is_not_the_app_s_is_foreign() {
        let (blue, green) = (Some(Color::Blue), Some(Color::Green));
        let signed_in = Forwarding::To {
            forwards: to(Color::Blue).forwards().to_vec(),
            after: vec!["authenticate-oidc".to_owned()],
        };
        let redirect = Forwarding::Foreign("a redirect to https://…:443".to_owned());
        // Who gets all, whether it is foreign, and how it reads.
        for (forwarding, only, is_foreign, deed) in [
            (nowhere(), None, false, "forwards to nothing"),
            (to(Color::Blue), blue, false, "forwards to blue"),
            (
                signed_in,
                blue,
                false,
                "forwards to blue, after authenticate-oidc",
            ),
            (
                weighted(&[(blue, 1), (green, 0)]),
                blue,
                false,
                "forwards to blue, green (0 of 1)",
            ),
            (
                weighted(&[(blue, 9), (green, 1)]),
                None,
                false,
                "forwards to blue (9 of 10), green (1 of 10)",
            ),
            (
                weighted(&[(None, 0), (green, 1)]),
                green,
                false,
                "forwards to a stranger's target group tg/any (0 of 1), green",
            ),
            (
                weighted(&[(None, 1), (green, 1)]),
                None,
                true,
                "forwards to a stranger's target group tg/any (1 of 2), green (1 of 2)",
            ),
            (
                weighted(&[(None, 1)]),
                None,
                true,
                "forwards to a stranger's target group tg/any",
            ),
            (
                weighted(&[(green, 0)]),
                None,
                true,
                "forwards to green (0 of 0)",
            ),
            (
                redirect,
                None,
                true,
                "answers with a redirect to https://…:443",
            ),
        ] {
            assert_eq!(forwarding.only(), only, "{forwarding:?}");
            assert_eq!(forwarding.foreign().is_some(), is_foreign, "{forwarding:?}");
            assert_eq!(forwarding.is_nowhere(), forwarding == nowhere());
            assert_eq!(forwarding.deed(), deed);
        }
    }
}
