//! What a deploy had changed by the time it failed or was interrupted, according to the
//! journal.

use crate::model::Color;
use crate::model::journal::{Effect, Entry, Fate, Operation};

/// From nothing to all of it; each holds what stands before it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remains {
    Nothing,
    /// An image may be in the registry.
    Image,
    /// A revision may be registered that the service was not told of.
    Revision,
    /// It is not known whether the service was told of it.
    MaybeService,
    /// The service was told of it.
    Service,
}

pub fn left(operation: &Operation) -> Remains {
    let of = |entry: &Entry| match (&entry.effect, &entry.fate) {
        (_, Some(Fate::Failed(_))) => Remains::Nothing,
        (Effect::PushImage { .. }, _) => Remains::Image,
        (Effect::RegisterTaskDefinition { .. }, _) => Remains::Revision,
        (Effect::CreateService { .. } | Effect::UpdateService { .. }, fate) => match fate {
            None => Remains::MaybeService,
            Some(_) => Remains::Service,
        },
        _ => Remains::Nothing,
    };
    operation
        .entries
        .iter()
        .map(of)
        .max()
        .unwrap_or(Remains::Nothing)
}

impl Remains {
    /// Whether a revision may be there that nobody needs.
    pub fn has_revision(self) -> bool {
        matches!(self, Self::Revision | Self::MaybeService)
    }

    pub fn touches_service(self) -> bool {
        self >= Self::MaybeService
    }

    /// What stays, for one who stopped it or for whom it failed.
    pub fn sentence(self, color: Color) -> String {
        match self {
            Self::Nothing => "nothing was changed".to_owned(),
            Self::Image | Self::Revision => {
                "the image may be in the registry by now; nothing runs it".to_owned()
            }
            Self::MaybeService | Self::Service => {
                format!(
                    "ECS will finish what it has started on {color}: see `bgecs status`; another deploy onto {color} replaces it, and `bgecs retire` stops it"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Revision;
    use crate::model::testing::{moment, operation};

    fn effects() -> [Effect; 3] {
        [
            Effect::PushImage {
                name: "hello:2".to_owned(),
            },
            Effect::RegisterTaskDefinition {
                family: "bgecs-hello".to_owned(),
                digest: format!("sha256:{}", "2".repeat(64)).parse().unwrap(),
            },
            Effect::UpdateService {
                color: Color::Blue,
                task_definition: Some(Revision::new("bgecs-hello:2")),
                desired: None,
            },
        ]
    }

    /// After so many effects, of which the last one ended so.
    fn after(count: usize, last: Option<Fate>) -> Remains {
        let mut operation = operation();
        for effect in effects().into_iter().take(count) {
            operation.settle(Fate::Done);
            operation.intend(moment(), effect);
        }
        if let Some(fate) = last {
            operation.settle(fate);
        }
        left(&operation)
    }

    #[test]
    fn what_is_left_follows_from_what_was_done() {
        let failed = || Some(Fate::Failed("denied".to_owned()));
        for (count, last, expected) in [
            (0, None, Remains::Nothing),
            (1, failed(), Remains::Nothing),
            (1, None, Remains::Image),
            (1, Some(Fate::Done), Remains::Image),
            (2, failed(), Remains::Image),
            (2, None, Remains::Revision),
            (2, Some(Fate::Done), Remains::Revision),
            (3, failed(), Remains::Revision),
            (3, None, Remains::MaybeService),
            (3, Some(Fate::Done), Remains::Service),
        ] {
            assert_eq!(after(count, last.clone()), expected, "{count}, {last:?}");
        }
    }
}
