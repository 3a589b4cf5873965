//! What is right after a kill. Pure.

use localstack::gate::crash::{Side, Write};

/// The service that keeps the lease, the journal and the history.
const JOURNAL: &str = "dynamodb";

/// Whether the next `status` has to name the operation as unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Nothing but its own books was written: it may be named or not.
    Free,
    Due,
    /// All of it was written.
    Wrong,
}

/// From ahead of the first write that has an effect on anything but the
/// journal, until after the last write of all.
pub fn naming(writes: &[Write], write: &Write, side: Side) -> Naming {
    let is_last = writes.last() == Some(write);
    let is_effect = |write: &&Write| write.service != JOURNAL;
    let first = writes.iter().find(is_effect).map(|write| write.number);
    match (first, side) {
        (_, Side::After) if is_last => Naming::Wrong,
        (Some(first), _) if write.number >= first => Naming::Due,
        _ => Naming::Free,
    }
}

/// What became of an operation, in a word or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It died before it changed anything, and left nothing to do.
    NothingBegun,
    Finished,
    Undone,
    /// All was done when it died.
    Done,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::NothingBegun, Self::Finished, Self::Undone, Self::Done];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingBegun => "nothing begun",
            Self::Finished => "finished",
            Self::Undone => "undone",
            Self::Done => "done already",
        }
    }

    /// By what `resume` says of itself.
    pub fn of(resumed: &str, naming: Naming) -> Option<Self> {
        match (resumed, naming) {
            ("finished", _) => Some(Self::Finished),
            ("undone", _) => Some(Self::Undone),
            ("nothing", Naming::Free) => Some(Self::NothingBegun),
            ("nothing", Naming::Wrong) => Some(Self::Done),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(services: &[&str]) -> Vec<Write> {
        let numbered = (1..).zip(services);
        numbered
            .map(|(number, service)| Write {
                number,
                service: (*service).to_owned(),
                operation: "Any".to_owned(),
                resource: String::new(),
            })
            .collect()
    }

    /// Before and after each.
    fn namings(services: &[&str]) -> Vec<Naming> {
        let writes = writes(services);
        let sides = writes
            .iter()
            .flat_map(|write| Side::BOTH.map(|side| (write, side)));
        sides
            .map(|(write, side)| naming(&writes, write, side))
            .collect()
    }

    #[test]
    fn what_had_an_effect_is_named_until_the_last_write() {
        use Naming::{Due, Free, Wrong};
        assert_eq!(
            namings(&["dynamodb", "dynamodb", "ecs", "dynamodb"]),
            [Free, Free, Free, Free, Due, Due, Due, Wrong]
        );
        assert_eq!(namings(&["dynamodb", "ecs"]), [Free, Free, Due, Wrong]);
        assert_eq!(
            namings(&["dynamodb", "dynamodb"]),
            [Free, Free, Free, Wrong]
        );
    }

    #[test]
    fn to_do_nothing_is_right_only_where_nothing_is_due() {
        assert_eq!(
            Outcome::of("nothing", Naming::Free),
            Some(Outcome::NothingBegun)
        );
        assert_eq!(Outcome::of("nothing", Naming::Wrong), Some(Outcome::Done));
        assert_eq!(Outcome::of("nothing", Naming::Due), None);
        assert_eq!(Outcome::of("undone", Naming::Due), Some(Outcome::Undone));
        assert_eq!(Outcome::of("half", Naming::Due), None);
    }
}
