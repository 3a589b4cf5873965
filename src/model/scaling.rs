//! What changes a service's count beside who releases it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::PerColor;

/// Of either colour; none where nothing scales it.
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
    pub least: i32,
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

    /// `2 to 10 tasks`
    pub fn bounds(&self) -> String {
        format!("{} to {} tasks", self.least, self.most)
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
