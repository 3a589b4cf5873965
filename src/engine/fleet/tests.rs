use time::Duration;

use super::*;
use crate::model::journal::{Effect, Ending, OperationId, OperationOutcome};
use crate::model::testing::{moment, move_to, observed, operation, release, service, to_both};
use crate::model::{Route, SetMark};

/// Minutes after the moment at which everything happens.
fn at(minutes: i64) -> OffsetDateTime {
    moment() + Duration::minutes(minutes)
}

fn ended(name: &str, command: Command, moves: &[(Color, i64)]) -> Operation {
    let mut it = operation();
    it.id = OperationId::named(name);
    it.command = command;
    for (to, minutes) in moves {
        it.intend(at(*minutes), Effect::Move(move_to(Route::Production, *to)));
        it.settle(Fate::Done);
    }
    it.began = at(moves.first().map_or(0, |(_, minutes)| *minutes));
    it.ending = Some(Ending {
        at: at(60),
        outcome: OperationOutcome::Done,
        reason: None,
        watched: None,
    });
    it
}

fn since(head: &Head, ended: &[Operation]) -> Option<i64> {
    let since = Recent { head, ended }.live_since(&observed())?;
    Some((since - moment()).whole_minutes())
}

/// Green is live in all of these.
#[test]
fn users_are_where_they_are_since_they_were_brought_there_last() {
    use Color::{Blue, Green};
    let none = Head::default();
    let deploy = ended("4", Command::Deploy, &[]);
    let promote = |moves: &[(Color, i64)]| ended("3", Command::Promote, moves);
    for (history, expected) in [
        (vec![], None),
        (vec![deploy.clone()], None),
        (vec![deploy.clone(), promote(&[(Green, 5)])], Some(5)),
        // There and back again.
        (vec![promote(&[(Blue, 5), (Green, 6)])], Some(6)),
        // Somebody else has moved them, who did not say when.
        (vec![promote(&[(Blue, 5)]), promote(&[(Green, 1)])], None),
    ] {
        assert_eq!(since(&none, &history), expected, "{history:#?}");
    }
    let mut adopt = ended("5", Command::Adopt, &[]);
    adopt.began = at(9);
    let moved = promote(&[(Blue, 5)]);
    assert_eq!(since(&none, &[adopt.clone(), moved]), Some(9));
    let stayed = promote(&[(Green, 5)]);
    assert_eq!(since(&none, &[adopt, stayed]), Some(5));
}

#[test]
fn a_move_that_was_not_made_is_none() {
    let mut failed = ended("3", Command::Promote, &[]);
    failed.intend(at(7), Effect::Move(move_to(Route::Production, Color::Blue)));
    failed.settle(Fate::Failed("denied".to_owned()));
    let before = ended("2", Command::Promote, &[(Color::Green, 2)]);
    assert_eq!(since(&Head::default(), &[failed, before]), Some(2));
}

#[test]
fn an_unfinished_operation_counts_and_none_counts_twice() {
    let unfinished = ended("3", Command::Rollback, &[(Color::Green, 8)]);
    let head = Head {
        operation: Some(unfinished.clone()),
        ..Head::default()
    };
    let stale = ended("3", Command::Rollback, &[(Color::Blue, 9)]);
    assert_eq!(since(&head, &[stale]), Some(8));
    let mut both = observed();
    both.traffic.production = to_both();
    let ended = [unfinished];
    let recent = Recent {
        head: &head,
        ended: &ended,
    };
    assert_eq!(recent.live_since(&both), None);
}

#[test]
fn a_release_is_known_by_its_revision_on_its_colour() {
    let revision = service(1).task_definition;
    let mut deploy = ended("1", Command::Deploy, &[]);
    deploy.task_definition = Some(revision.clone());
    let (head, ended) = (Head::default(), [deploy]);
    let recent = Recent {
        head: &head,
        ended: &ended,
    };
    assert_eq!(recent.release(Color::Blue, &revision), Some(release("2")));
    assert_eq!(recent.release(Color::Green, &revision), None);
    let other = Revision::new("task-definition/bgecs-hello:9");
    assert_eq!(recent.release(Color::Blue, &other), None);
}

#[test]
fn an_app_is_of_the_set_with_which_it_was_released_last() {
    let mark = |set: &str| SetMark {
        set: set.parse().unwrap(),
        id: OperationId::named("set"),
        module: "web".parse().unwrap(),
        modules: Vec::new(),
        jobs: Vec::new(),
    };
    let mut old = ended("1", Command::Promote, &[]);
    old.set = Some(mark("before"));
    let mut new = ended("2", Command::Promote, &[]);
    new.set = Some(mark("shop"));
    let alone = ended("3", Command::Promote, &[]);
    let head = Head::default();
    let set = |ended: &[Operation]| {
        let recent = Recent { head: &head, ended };
        recent.set().map(ToString::to_string)
    };
    assert_eq!(set(&[alone.clone(), new, old]).as_deref(), Some("shop"));
    assert_eq!(set(&[alone]), None);
}
