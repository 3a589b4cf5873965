//! What changes a service's count beside who releases it.

use std::fmt;

use super::PerColor;

/// Of either colour; none where nothing scales it.
pub type Scaling = PerColor<Option<Autoscaling>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoscaling {
    /// Tasks.
    pub least: i32,
    pub most: i32,
    pub policies: Vec<ScalingPolicy>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalingPolicy {
    pub name: String,
    /// By AWS's name of it.
    pub kind: String,
    /// The target group whose requests it counts: the end of its ARN, from `targetgroup/` on.
    pub counted_group: Option<String>,
}

impl Autoscaling {
    /// `2 to 10 tasks`
    pub fn bounds(&self) -> String {
        format!("{} to {} tasks", self.least, self.most)
    }
}

/// `from 2 to 10 tasks, by cpu60 (TargetTrackingScaling)`
impl fmt::Display for Autoscaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}, by ", self.bounds())?;
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
