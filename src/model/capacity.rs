//! What the tasks of a service run on: a launch type, or capacity providers with their
//! shares.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capacity {
    /// By ECS's name of it.
    LaunchType(String),
    Providers(Vec<CapacityShare>),
}

impl Capacity {
    /// Each that is named.
    pub fn providers(&self) -> &[CapacityShare] {
        match self {
            Self::LaunchType(_) => &[],
            Self::Providers(all) => all,
        }
    }
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
const LATEST: &str = "LATEST";

impl Default for Capacity {
    fn default() -> Self {
        Self::LaunchType(FARGATE.to_owned())
    }
}

/// On what the tasks of a service run, and whether they can be entered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compute {
    pub capacity: Capacity,
    /// Of Fargate; none where it is not said, which is the latest.
    pub platform_version: Option<String>,
    /// Whether commands can be run in its tasks.
    pub exec: bool,
}

/// As much of it as somebody says, or as changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComputeKeys {
    pub capacity: Option<Capacity>,
    pub platform_version: Option<String>,
    pub exec: Option<bool>,
}

impl ComputeKeys {
    /// What is not said is as it is there.
    pub fn over(&self, compute: Compute) -> Compute {
        let Self {
            capacity,
            platform_version,
            exec,
        } = self.clone();
        Compute {
            capacity: capacity.unwrap_or(compute.capacity),
            platform_version: platform_version.or(compute.platform_version),
            exec: exec.unwrap_or(compute.exec),
        }
    }
}

impl ComputeKeys {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Compute {
    /// What of it is to change to be the other.
    pub fn change_to(&self, wanted: &Self) -> ComputeKeys {
        let is_same = self.capacity.is_like(&wanted.capacity);
        let version = wanted.platform_version();
        ComputeKeys {
            capacity: (!is_same).then(|| wanted.capacity.clone()),
            platform_version: (self.platform_version() != version).then(|| version.to_owned()),
            exec: (self.exec != wanted.exec).then_some(wanted.exec),
        }
    }

    /// What is not said is the latest.
    pub fn platform_version(&self) -> &str {
        self.platform_version.as_deref().unwrap_or(LATEST)
    }
}

impl Capacity {
    /// All by one provider.
    pub fn of(provider: &str) -> Self {
        match provider {
            FARGATE => Self::default(),
            _ => Self::Providers(vec![CapacityShare {
                provider: provider.to_owned(),
                weight: 1,
                base: 0,
            }]),
        }
    }

    /// Whether tasks run on the same: Fargate is a launch type and a provider.
    pub fn is_like(&self, other: &Self) -> bool {
        self.shares() == other.shares()
    }

    /// As a strategy; a service that has one cannot go back to a launch type.
    pub fn shares(&self) -> Vec<CapacityShare> {
        match self {
            Self::LaunchType(kind) => vec![CapacityShare {
                provider: kind.clone(),
                weight: 1,
                base: 0,
            }],
            Self::Providers(shares) => {
                let mut shares = shares.clone();
                shares.retain(|it| it.weight > 0 || it.base > 0);
                // Alone, it gets all, whatever its weight and base.
                if let [only] = shares.as_mut_slice() {
                    (only.weight, only.base) = (1, 0);
                }
                shares.sort_by(|one, other| one.provider.cmp(&other.provider));
                shares
            }
        }
    }

    pub fn is_fargate(&self) -> bool {
        let is_fargate = |name: &str| matches!(name, FARGATE | SPOT);
        match self {
            Self::LaunchType(kind) => is_fargate(kind),
            Self::Providers(shares) => shares.iter().all(|it| is_fargate(&it.provider)),
        }
    }

    /// Whether AWS may take all of its tasks away at two minutes' notice
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>).
    fn is_all_interruptible(&self) -> bool {
        let shares = self.shares();
        !shares.is_empty() && shares.iter().all(|it| it.provider == SPOT)
    }

    /// Whether AWS may take all tasks away, and none of the other's.
    pub fn is_weaker_than(&self, other: &Self) -> bool {
        self.is_all_interruptible() && !other.is_interruptible()
    }

    /// Whether it may take any.
    fn is_interruptible(&self) -> bool {
        self.shares().iter().any(|it| it.provider == SPOT)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn by(shares: &[(&str, i32, i32)]) -> Capacity {
        let share = |(provider, weight, base): &(&str, i32, i32)| CapacityShare {
            provider: (*provider).to_owned(),
            weight: *weight,
            base: *base,
        };
        Capacity::Providers(shares.iter().map(share).collect())
    }

    #[test]
    fn fargate_is_the_same_by_whatever_name() {
        let launched = Capacity::default();
        assert!(launched.is_like(&by(&[("FARGATE", 1, 0)])));
        assert!(launched.is_like(&by(&[("FARGATE", 5, 2), ("FARGATE_SPOT", 0, 0)])));
        assert!(!launched.is_like(&by(&[("FARGATE", 1, 0), ("FARGATE_SPOT", 1, 0)])));
        let (one, other) = (("FARGATE", 0, 1), ("FARGATE_SPOT", 3, 0));
        assert!(by(&[one, other]).is_like(&by(&[other, one])));
    }

    #[test]
    fn what_aws_may_take_away_is_told_from_what_stays() {
        let (base, spot) = (("FARGATE", 0, 1), ("FARGATE_SPOT", 3, 0));
        for (capacity, any, all) in [
            (Capacity::default(), false, false),
            (by(&[spot]), true, true),
            (by(&[base, spot]), true, false),
            (by(&[("FARGATE", 0, 0), spot]), true, true),
        ] {
            assert_eq!(capacity.is_interruptible(), any, "{capacity}");
            assert_eq!(capacity.is_all_interruptible(), all, "{capacity}");
        }
    }
}
