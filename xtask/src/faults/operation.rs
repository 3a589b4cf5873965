//! The operations of the matrix: what each starts from, how it is typed, and
//! what is so once it was repeated.

use clap::ValueEnum;

use super::state::{Color, State};
use crate::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Operation {
    /// The first release: it creates a service and becomes live
    DeployFirst,
    /// Another release onto the idle colour
    Deploy,
    Promote,
    /// The idle colour has fewer tasks than the live one
    PromoteGrowing,
    Rollback,
    Retire,
    /// The stack is there already, and a setting of it is changed
    InitUpdate,
    Destroy,
}

/// What a deploy deploys.
#[derive(Debug)]
pub struct Release {
    pub image: String,
    pub tag: String,
}

impl Operation {
    /// Those that begin and end with both colours there.
    pub const RELEASES: [Self; 6] = [
        Self::Deploy,
        Self::Promote,
        Self::PromoteGrowing,
        Self::Rollback,
        Self::Retire,
        Self::InitUpdate,
    ];
    /// Those of which each ends where the other begins.
    pub const LIFE: [Self; 2] = [Self::DeployFirst, Self::Destroy];

    /// As the table calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::DeployFirst => "deploy (first)",
            Self::Deploy => "deploy",
            Self::Promote => "promote",
            Self::PromoteGrowing => "promote (grows)",
            Self::Rollback => "rollback",
            Self::Retire => "retire",
            Self::InitUpdate => "init (update)",
            Self::Destroy => "destroy",
        }
    }

    /// What bgecs calls it.
    pub fn command(self) -> &'static str {
        match self {
            Self::DeployFirst | Self::Deploy => "deploy",
            Self::Promote | Self::PromoteGrowing => "promote",
            Self::Rollback => "rollback",
            Self::Retire => "retire",
            Self::InitUpdate => "init",
            Self::Destroy => "destroy",
        }
    }

    /// Its command line in that state, without the configuration.
    pub fn typed(self, state: &State, release: &Release) -> Result<Vec<String>> {
        let Release { image, tag } = release;
        let words: Vec<&str> = match self {
            Self::DeployFirst => {
                // Without a colour, since the live one would be refused.
                vec!["deploy", "--image", image, "--tag", tag]
            }
            Self::Deploy => {
                let idle = state.idle()?.as_str();
                vec!["deploy", "--image", image, "--tag", tag, "--color", idle]
            }
            Self::Promote | Self::PromoteGrowing => {
                vec!["promote", state.idle()?.as_str(), "--window", "1s"]
            }
            Self::Rollback => vec!["rollback", "--window", "1s"],
            Self::Retire => vec!["retire"],
            Self::InitUpdate => vec!["init"],
            Self::Destroy => vec!["destroy", "--yes"],
        };
        Ok(words.into_iter().map(str::to_owned).collect())
    }

    /// What is not as it has to be after the repeat; `None` is no stack.
    pub fn amiss(self, before: &State, after: Option<&State>) -> Option<String> {
        let Some(after) = after else {
            let gone = "the stack is gone".to_owned();
            return Some(gone).filter(|_| self != Self::Destroy);
        };
        let idle = before.live.map(Color::other);
        let (is, wanted) = match self {
            Self::DeployFirst => (after.live, Some(Color::Blue)),
            Self::Promote | Self::PromoteGrowing => (after.live, idle),
            // Repeated after it was finished, it goes the other way.
            Self::Rollback => return after.live.is_none().then(|| "nothing is live".to_owned()),
            Self::Destroy => return Some("the stack is there".to_owned()),
            Self::Deploy | Self::Retire | Self::InitUpdate => (after.live, before.live),
        };
        if is != wanted {
            return Some(format!("live is {is:?}, not {wanted:?}"));
        }
        self.idle_amiss(before, after)
    }

    fn idle_amiss(self, before: &State, after: &State) -> Option<String> {
        let idle = before.live?.other();
        let service = after.service(idle)?;
        match self {
            Self::Deploy if Some(&service.tag) == before.service(idle).map(|was| &was.tag) => {
                Some(format!("{} has tag {} still", idle.as_str(), service.tag))
            }
            Self::Retire if service.running > 0 => {
                Some(format!("{} runs {}", idle.as_str(), service.running))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::state::tests::status;

    fn state(live: &str, tag_of_idle: &str) -> State {
        let mut status = status();
        status["live"] = live.into();
        let idle = if live == "green" { "blue" } else { "green" };
        status["colors"][idle]["tag"] = tag_of_idle.into();
        State::read(&status).unwrap()
    }

    #[test]
    fn a_promotion_has_to_end_on_the_other_colour_and_a_retirement_where_it_was() {
        let (before, after) = (state("green", "2"), state("blue", "1"));
        assert_eq!(Operation::Promote.amiss(&before, Some(&after)), None);
        assert!(Operation::Promote.amiss(&before, Some(&before)).is_some());
        assert!(Operation::Deploy.amiss(&before, Some(&after)).is_some());
    }

    #[test]
    fn a_deploy_has_to_change_the_idle_colour() {
        let before = state("green", "2");
        let deployed = state("green", "1");
        assert_eq!(Operation::Deploy.amiss(&before, Some(&deployed)), None);
        let amiss = Operation::Deploy.amiss(&before, Some(&before));
        assert_eq!(amiss.as_deref(), Some("blue has tag 2 still"));
    }

    #[test]
    fn a_retired_colour_runs_nothing() {
        let before = state("green", "2");
        let amiss = Operation::Retire.amiss(&before, Some(&before));
        assert_eq!(amiss.as_deref(), Some("blue runs 1"));
    }

    #[test]
    fn only_a_destroy_leaves_no_stack() {
        let state = state("green", "2");
        assert_eq!(Operation::Destroy.amiss(&state, None), None);
        assert!(Operation::Destroy.amiss(&state, Some(&state)).is_some());
        assert!(Operation::Retire.amiss(&state, None).is_some());
    }
}
