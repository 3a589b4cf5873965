//! Application Auto Scaling: what changes a service's count besides its releases.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Color, PerColor};

/// What scales each colour; None if nothing does.
pub type Scaling = PerColor<Option<Autoscaling>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoscaling {
    pub target: ScalableTarget,
    pub policies: Vec<ScalingPolicy>,
}

/// Between how many tasks a service is scaled. Each registration of one brings the
/// service's count into its bounds at once, whatever it was registered for
/// (<https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalableTarget {
    /// Tasks.
    #[serde(rename = "min_capacity")]
    pub least: i32,
    #[serde(rename = "max_capacity")]
    pub most: i32,
    #[serde(default, skip_serializing_if = "Suspended::is_nothing")]
    pub suspended: Suspended,
}

/// What does not scale it meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    pub scale_in: bool,
    pub scale_out: bool,
    pub scheduled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalingPolicy {
    pub name: String,
    /// By AWS's name of it.
    pub kind: String,
    /// The target group whose requests it counts: the end of its ARN, from `targetgroup/` on.
    pub counted_group: Option<String>,
}

impl Suspended {
    pub const ALL: Self = Self {
        scale_in: true,
        scale_out: true,
        scheduled: true,
    };

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl ScalableTarget {
    /// As that of a colour without users is to be: nothing wakes it, and nothing ends what
    /// keeps the way back open.
    #[must_use]
    pub fn at_rest(self) -> Self {
        Self {
            least: 0,
            suspended: Suspended::ALL,
            ..self
        }
    }

    pub fn is_at_rest(&self) -> bool {
        *self == self.at_rest()
    }

    /// The same, and no policy takes tasks away.
    #[must_use]
    pub fn held(self) -> Self {
        let suspended = Suspended {
            scale_in: true,
            ..self.suspended
        };
        Self { suspended, ..self }
    }

    /// The same, and registering it stops none of so many tasks.
    #[must_use]
    pub fn sparing(self, count: i32) -> Self {
        let most = self.most.max(count);
        Self { most, ..self }
    }

    /// For a sentence.
    pub fn given_to(&self, color: Color) -> String {
        match self.is_at_rest() {
            true => format!("suspend what scales {color}, with 0 tasks for its minimum"),
            false => format!("have {color} scaled {self}"),
        }
    }

    /// `2 to 10 tasks`
    pub fn bounds(&self) -> String {
        format!("{} to {} tasks", self.least, self.most)
    }
}

/// `from 2 to 10 tasks; suspended: in`
impl fmt::Display for ScalableTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_at_rest() {
            return f.write_str("not until users are there: all of it is suspended");
        }
        write!(f, "from {}", self.bounds())?;
        let suspended = [
            (self.suspended.scale_in, "in"),
            (self.suspended.scale_out, "out"),
            (self.suspended.scheduled, "by schedule"),
        ];
        let which: Vec<&str> = suspended
            .iter()
            .filter_map(|(is, which)| is.then_some(*which))
            .collect();
        match which.is_empty() {
            true => Ok(()),
            false => write!(f, "; suspended: {}", which.join(", ")),
        }
    }
}

/// `from 2 to 10 tasks, by cpu60 (TargetTrackingScaling)`
impl fmt::Display for Autoscaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}, by ", self.target.bounds())?;
        let policies: Vec<String> = self.policies.iter().map(ToString::to_string).collect();
        match policies.is_empty() {
            true => f.write_str("no policy as yet"),
            false => f.write_str(&policies.join(" and ")),
        }
    }
}

impl fmt::Display for ScalingPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_suspended_is_said() {
        let target = ScalableTarget {
            least: 2,
            most: 10,
            suspended: Suspended::default(),
        };
        assert_eq!(target.to_string(), "from 2 to 10 tasks");
        assert_eq!(
            target.held().to_string(),
            "from 2 to 10 tasks; suspended: in"
        );
        let rest = "not until users are there: all of it is suspended";
        assert_eq!(target.at_rest().to_string(), rest);
        // An owner may have all of it suspended where users are.
        let still = ScalableTarget {
            suspended: Suspended::ALL,
            ..target
        };
        let all = "from 2 to 10 tasks; suspended: in, out, by schedule";
        assert_eq!(still.to_string(), all);
    }
}
