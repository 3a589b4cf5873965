//! On what the tasks of a service run.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capacity {
    /// By ECS's name of it.
    LaunchType(String),
    Providers(Vec<CapacityShare>),
}

/// A capacity provider's part of the tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapacityShare {
    pub provider: String,
    /// Of what comes after the bases.
    pub weight: i32,
    /// So many tasks first.
    pub base: i32,
}

const FARGATE: &str = "FARGATE";
const SPOT: &str = "FARGATE_SPOT";

impl Default for Capacity {
    fn default() -> Self {
        Self::LaunchType(FARGATE.to_owned())
    }
}

impl Capacity {
    pub fn is_fargate(&self) -> bool {
        let is_fargate = |name: &str| matches!(name, FARGATE | SPOT);
        match self {
            Self::LaunchType(kind) => is_fargate(kind),
            Self::Providers(shares) => shares.iter().all(|it| is_fargate(&it.provider)),
        }
    }

    /// Whether AWS may take all of its tasks away at two minutes' notice
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>).
    pub fn is_all_interruptible(&self) -> bool {
        match self {
            Self::LaunchType(_) => false,
            Self::Providers(shares) => {
                let mut used = shares.iter().filter(|it| it.weight > 0 || it.base > 0);
                used.all(|it| it.provider == SPOT) && !shares.is_empty()
            }
        }
    }

    /// Whether it may take any.
    pub fn is_interruptible(&self) -> bool {
        match self {
            Self::LaunchType(_) => false,
            Self::Providers(shares) => {
                let mut used = shares.iter().filter(|it| it.weight > 0 || it.base > 0);
                used.any(|it| it.provider == SPOT)
            }
        }
    }
}

/// `FARGATE`, or `FARGATE base 2, FARGATE_SPOT weight 3`
impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LaunchType(kind) => f.write_str(kind),
            Self::Providers(shares) => {
                let all: Vec<String> = shares.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(", "))
            }
        }
    }
}

impl fmt::Display for CapacityShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.provider)?;
        if self.base > 0 {
            write!(f, " base {}", self.base)?;
        }
        match self.weight {
            0 => Ok(()),
            weight => write!(f, " weight {weight}"),
        }
    }
}
