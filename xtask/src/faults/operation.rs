//! The operations of the matrix, and how each is typed: as the README does it,
//! without a colour.

use clap::ValueEnum;

use super::mode::Next;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Operation {
    /// The first release: it creates a service and becomes live
    DeployFirst,
    /// Another release onto the idle colour
    Deploy,
    Promote,
    /// The idle colour has fewer tasks than the live one
    PromoteGrowing,
    /// Users go over step by step
    PromoteGradual,
    /// A migration runs ahead of it, once
    PromoteMigrating,
    /// Something scales the live colour, and is to scale the other one
    PromoteScaled,
    Rollback,
    Retire,
    /// The stack is there already, and a setting of it is changed
    InitUpdate,
    Destroy,
    /// To a service of somebody else's
    Attach,
    /// With a release on the colour that is bgecs's own
    Detach,
    /// Users of somebody else's service come by two load balancers
    PromoteWays,
    /// Users are led by a record of Route 53
    PromoteRecord,
    /// Users are led by the origin of a distribution
    PromoteOrigin,
    /// The file has another setting, and another release to be live
    Up,
    /// Two apps as one
    ReleaseSet,
}

/// What is promoted there, again and again.
pub const OF_BOTH_WAYS: &str = "ways";

/// What a deploy deploys.
#[derive(Debug)]
pub struct Release {
    pub image: String,
    pub tag: String,
}

/// A command line without the configuration, and the tag on it if it has one.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub words: Vec<String>,
    pub tag: String,
}

impl Operation {
    /// Those that take turns, since each ends where the next one may begin.
    pub const TURNS: [&[Self]; 12] = [
        // As long as the image is there that the company runs.
        &[Self::Attach, Self::Detach],
        &[Self::PromoteWays],
        &[Self::PromoteRecord, Self::PromoteOrigin, Self::Up],
        &[Self::ReleaseSet],
        &[Self::Deploy, Self::Promote, Self::Rollback],
        &[Self::PromoteGrowing],
        &[Self::PromoteGradual],
        &[Self::PromoteMigrating],
        &[Self::PromoteScaled],
        &[Self::Retire],
        &[Self::InitUpdate],
        &[Self::DeployFirst, Self::Destroy],
    ];

    /// As the table calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::DeployFirst => "deploy (first)",
            Self::Deploy => "deploy",
            Self::Promote => "promote",
            Self::PromoteGrowing => "promote (grows)",
            Self::PromoteGradual => "promote (gradual)",
            Self::PromoteMigrating => "promote (migrates)",
            Self::PromoteScaled => "promote (scaled)",
            Self::Rollback => "rollback",
            Self::Retire => "retire",
            Self::InitUpdate => "init (update)",
            Self::Destroy => "destroy",
            Self::Attach => "attach",
            Self::Detach => "detach",
            Self::PromoteWays => "promote (two ways)",
            Self::PromoteRecord => "promote (record)",
            Self::PromoteOrigin => "promote (origin)",
            Self::Up => "up",
            Self::ReleaseSet => "release (set of two)",
        }
    }

    /// Whether it is about a service that somebody else made.
    pub fn is_beside(self) -> bool {
        matches!(self, Self::Attach | Self::Detach | Self::PromoteWays)
    }

    /// Whether it is about colours that bgecs does not run.
    pub fn is_of_edges(self) -> bool {
        matches!(self, Self::PromoteRecord | Self::PromoteOrigin | Self::Up)
    }

    /// Whether it is about the app that all others are about.
    pub fn is_of_the_app(self) -> bool {
        !self.is_beside() && !self.is_of_edges() && self != Self::ReleaseSet
    }

    /// What bgecs calls it.
    pub fn command(self) -> &'static str {
        match self {
            Self::DeployFirst | Self::Deploy => "deploy",
            Self::Promote
            | Self::PromoteGrowing
            | Self::PromoteGradual
            | Self::PromoteMigrating
            | Self::PromoteScaled
            | Self::PromoteWays
            | Self::PromoteRecord
            | Self::PromoteOrigin => "promote",
            Self::Up => "up",
            Self::ReleaseSet => "release",
            Self::Rollback => "rollback",
            Self::Retire => "retire",
            Self::InitUpdate => "init",
            Self::Destroy => "destroy",
            Self::Attach => "attach",
            Self::Detach => "detach",
        }
    }

    pub fn typed(self, release: &Release) -> Typed {
        match self {
            Self::DeployFirst | Self::Deploy => deploy(release),
            Self::Promote | Self::PromoteGrowing | Self::PromoteMigrating | Self::PromoteScaled => {
                line(&["promote", "--window", "1s"])
            }
            Self::PromoteGradual => {
                let steps = "10% for 1s,50% for 1s";
                line(&["promote", "--steps", steps, "--bake", "1s"])
            }
            Self::Rollback => line(&["rollback", "--window", "1s"]),
            Self::Retire => line(&["retire"]),
            Self::InitUpdate => line(&["init"]),
            Self::Destroy => line(&["destroy", "--yes"]),
            Self::Attach => line(&["attach"]),
            Self::Detach => line(&["detach"]),
            Self::PromoteWays => line(&["promote", "--tag", OF_BOTH_WAYS, "--window", "1s"]),
            Self::PromoteRecord | Self::PromoteOrigin => {
                line(&["promote", "--tag", &release.tag, "--window", "1s"])
            }
            Self::Up => line(&["up"]),
            Self::ReleaseSet => line(&["release", "--tag", &release.tag, "--window", "1s"]),
        }
    }
}

impl Next {
    pub fn typed(self, release: &Release) -> Typed {
        match self {
            Self::Promote => Operation::Promote.typed(release),
            Self::Rollback => Operation::Rollback.typed(release),
            Self::Deploy => Operation::Deploy.typed(release),
            Self::Destroy => Operation::Destroy.typed(release),
            Self::Attach => Operation::Attach.typed(release),
        }
    }
}

fn deploy(release: &Release) -> Typed {
    let Release { image, tag } = release;
    Typed {
        tag: tag.clone(),
        ..line(&["deploy", "--image", image, "--tag", tag])
    }
}

fn line(words: &[&str]) -> Typed {
    Typed {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        tag: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_names_a_colour() {
        let release = Release {
            image: "image".to_owned(),
            tag: "7".to_owned(),
        };
        for operation in Operation::value_variants() {
            let typed = operation.typed(&release).words.join(" ");
            assert!(typed.starts_with(operation.command()), "{typed}");
            assert!(
                !typed.contains("blue") && !typed.contains("green"),
                "{typed}"
            );
        }
        assert_eq!(Operation::Deploy.typed(&release).tag, "7");
    }

    #[test]
    fn every_operation_has_its_turn() {
        let mut turns: Vec<Operation> = Operation::TURNS.concat();
        turns.sort();
        assert_eq!(turns, Operation::value_variants());
    }
}
