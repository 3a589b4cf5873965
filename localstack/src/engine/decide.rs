//! What to do about the Docker Engine, decided from facts alone.

use crate::debian;

/// What is known of the machine.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) answers: bool,
    /// `DOCKER_HOST` says which engine is meant: no other will do.
    pub(super) host_is_named: bool,
    pub(super) is_root: bool,
    pub(super) is_installed: bool,
    pub(super) os_release: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Use,
    Start,
    InstallAndStart,
    /// With what the person can do.
    Refuse(&'static str),
}

impl Decision {
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Refuse(hint) => hint,
            Self::Use | Self::Start | Self::InstallAndStart => "try again",
        }
    }
}

pub(super) fn what_to_do(facts: &Facts) -> Decision {
    if facts.answers {
        Decision::Use
    } else if facts.host_is_named {
        Decision::Refuse("start the engine that DOCKER_HOST names, or unset DOCKER_HOST")
    } else if !facts.is_root {
        Decision::Refuse(
            "install and start Docker, and see that you may use it (on Linux: be in the group docker)",
        )
    } else if facts.is_installed {
        Decision::Start
    } else if debian::is_debian(&facts.os_release) {
        Decision::InstallAndStart
    } else {
        Decision::Refuse(
            "install and start Docker; only on Debian and Ubuntu is that done by itself",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian_root() -> Facts {
        Facts {
            is_root: true,
            os_release: "ID=debian\n".to_owned(),
            ..Facts::default()
        }
    }

    #[test]
    fn an_engine_that_answers_is_used_whatever_else_holds() {
        for host_is_named in [false, true] {
            let facts = Facts {
                answers: true,
                host_is_named,
                ..Facts::default()
            };
            assert_eq!(what_to_do(&facts), Decision::Use);
        }
    }

    #[test]
    fn root_on_debian_installs_and_starts_one() {
        assert_eq!(what_to_do(&debian_root()), Decision::InstallAndStart);
    }

    #[test]
    fn an_installed_engine_is_only_started_on_any_linux() {
        for os_release in ["ID=debian\n", "ID=fedora\n"] {
            let facts = Facts {
                is_installed: true,
                os_release: os_release.to_owned(),
                ..debian_root()
            };
            assert_eq!(what_to_do(&facts), Decision::Start);
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_a_hint() {
        let named = Facts {
            host_is_named: true,
            ..debian_root()
        };
        let not_root = Facts {
            is_root: false,
            ..debian_root()
        };
        let elsewhere = Facts {
            os_release: "ID=fedora\n".to_owned(),
            ..debian_root()
        };
        for (facts, word) in [
            (named, "DOCKER_HOST"),
            (not_root, "group docker"),
            (elsewhere, "Debian"),
        ] {
            let decision = what_to_do(&facts);
            assert!(matches!(decision, Decision::Refuse(_)), "{facts:?}");
            assert!(decision.hint().contains(word), "{decision:?}");
        }
    }
}
