//! Fills in what a journal of format 1 did not record: which release was live before. It
//! recorded only the colour; the history says what was deployed there, and when.

use crate::model::journal::{Command, Operation, OperationOutcome, Previous, Truth};

/// Fills in what the colour ran when it was left; nothing is left of it where
/// the history does not tell. `history` is newest first.
#[must_use]
pub fn recall(truth: Truth, history: &[Operation]) -> Truth {
    let previous = match &truth.previous {
        Some(previous) if previous.release.revision.is_none() => before(&truth, previous, history),
        known => known.clone(),
    };
    Truth { previous, ..truth }
}

fn before(truth: &Truth, previous: &Previous, history: &[Operation]) -> Option<Previous> {
    let went_live = history.iter().position(|operation| {
        let is_swap = matches!(operation.command, Command::Promote | Command::Rollback);
        is_swap && has_effect(operation) && operation.color == truth.live()
    })?;
    let mut earlier = history.get(went_live + 1..)?.iter();
    let release = earlier.find_map(|operation| {
        let runs = operation.release()?;
        let is_it = runs.color == previous.release.color && has_effect(operation);
        (is_it && runs.revision.is_some()).then_some(runs)
    })?;
    Some(Previous {
        release,
        left: previous.left,
    })
}

fn has_effect(operation: &Operation) -> bool {
    let ending = operation.ending.as_ref();
    ending.is_some_and(|ending| {
        matches!(
            ending.outcome,
            OperationOutcome::Done | OperationOutcome::Finished | OperationOutcome::Left
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::journal::Ending;
    use crate::model::testing::{NOT_HOSTED, moment, operation};
    use crate::model::{Color, Deployed, Revision};

    fn ended(
        command: Command,
        color: Color,
        revision: u32,
        outcome: OperationOutcome,
    ) -> Operation {
        let mut ended = operation();
        ended.command = command;
        ended.color = Some(color);
        let arn = format!("task-definition/bgecs-hello:{revision}");
        ended.task_definition = Some(Revision::new(arn));
        ended.ending = Some(Ending {
            at: moment(),
            outcome,
            reason: None,
            watched: None,
        });
        ended
    }

    fn recalled(history: &[Operation]) -> Option<String> {
        let truth = Truth {
            production: Some(Deployed::somewhere_on(Color::Blue)),
            test: Some(Color::Green),
            previous: Some(Deployed::somewhere_on(Color::Green).into()),
            hosted: NOT_HOSTED,
        };
        let previous = recall(truth, history).previous?;
        let revision = previous.release.revision?;
        Some(revision.short().to_owned())
    }

    #[test]
    fn it_is_what_was_there_when_the_other_went_live() {
        use Color::{Blue, Green};
        use Command::{Deploy, Promote, Retire};
        use OperationOutcome::{Done, Failed};
        let mut history = vec![
            ended(Promote, Blue, 2, Done),
            ended(Deploy, Blue, 2, Done),
            ended(Deploy, Green, 9, Failed),
            ended(Deploy, Green, 1, Done),
        ];
        assert_eq!(recalled(&history).as_deref(), Some("bgecs-hello:1"));
        // What came after it is not what users were on.
        history.insert(0, ended(Deploy, Green, 3, Done));
        history.insert(0, ended(Retire, Green, 3, Done));
        assert_eq!(recalled(&history).as_deref(), Some("bgecs-hello:1"));
        assert_eq!(recalled(&history[..3]), None);
        assert_eq!(recalled(&[]), None);
    }

    #[test]
    fn what_is_known_stays() {
        let mut known: Previous = Deployed::somewhere_on(Color::Green).into();
        known.release.revision = Some(Revision::new("td:7"));
        let truth = Truth {
            previous: Some(known),
            ..Truth::default()
        };
        assert_eq!(recall(truth.clone(), &[]), truth);
    }
}
