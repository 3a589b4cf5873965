use std::collections::BTreeMap;

use super::*;
use crate::aws::testing::Wire;
use crate::aws::{Revisions, StackSnapshot, StackStatus};
use crate::model::{Color, ColorServices, Revision};

fn session() -> Session {
    Session::of_hello(Wire::new().aws())
}

#[test]
fn gone_or_never_there() {
    let session = session();
    let shown = |outcome| destroyed(&session, outcome).human(&Style::plain());
    insta::assert_snapshot!(shown(DestroyOutcome::Destroyed), @"everything that bgecs made for hello is gone");
    insta::assert_snapshot!(shown(DestroyOutcome::Unchanged), @"nothing to do: bgecs has made nothing for hello in eu-west-1");
}

/// One of them is deregistered.
fn revisions() -> Revisions {
    Revisions {
        active: vec![Revision::new("bgecs-hello:1")],
        inactive: vec![Revision::new("bgecs-hello:2")],
    }
}

fn planned(inventory: &Inventory) -> String {
    PlanResult::of(Command::Destroy, steps(&session(), inventory, Vec::new()))
        .human(&Style::plain())
}

#[test]
fn what_will_go() {
    let outputs = [("RepositoryName".to_owned(), "bgecs-hello".to_owned())];
    let stack = StackSnapshot {
        id: "stack/1".to_owned(),
        name: "bgecs-hello".to_owned(),
        status: StackStatus::Ready,
        status_text: "CREATE_COMPLETE".to_owned(),
        reason: None,
        parameters: BTreeMap::new(),
        outputs: BTreeMap::from(outputs),
    };
    let everything = Inventory {
        names: ColorServices::alone_in("bgecs-hello"),
        stack: Some(stack),
        services: vec![(Color::Blue, 2), (Color::Green, 0)],
        task_definitions: revisions(),
    };
    insta::assert_snapshot!(planned(&everything), @"
    destroy would:
       1. stop 2 tasks and delete the service blue
       2. stop 0 tasks and delete the service green
       3. delete 2 revisions of the task definition bgecs-hello
       4. delete every image in the repository bgecs-hello
       5. delete the CloudFormation stack bgecs-hello and all in it
    Nothing was changed.
    ");
}

/// Also where the stack is gone, or was never complete.
#[test]
fn what_is_left_of_a_destroy_that_stopped() {
    let left = Inventory {
        names: ColorServices::alone_in("bgecs-hello"),
        stack: None,
        services: Vec::new(),
        task_definitions: revisions(),
    };
    assert!(!left.is_empty());
    insta::assert_snapshot!(planned(&left), @"
    destroy would:
       1. delete 2 revisions of the task definition bgecs-hello
    Nothing was changed.
    ");
    let nothing = Inventory {
        names: ColorServices::alone_in("bgecs-hello"),
        task_definitions: Revisions::default(),
        ..left
    };
    assert!(nothing.is_empty());
    insta::assert_snapshot!(planned(&nothing), @"destroy would do nothing");
}

fn with_stack(text: &str, status: StackStatus) -> Inventory {
    let stack = StackSnapshot {
        id: "stack/1".to_owned(),
        name: "bgecs-hello".to_owned(),
        status,
        status_text: text.to_owned(),
        reason: None,
        parameters: BTreeMap::new(),
        outputs: BTreeMap::new(),
    };
    Inventory {
        names: ColorServices::alone_in("bgecs-hello"),
        stack: Some(stack),
        services: vec![(Color::Blue, 2)],
        task_definitions: Revisions::default(),
    }
}

#[test]
fn a_stack_that_something_else_is_at_work_on_is_left_alone() {
    for text in [
        "CREATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
        "IMPORT_IN_PROGRESS",
    ] {
        let error = with_stack(text, StackStatus::Busy)
            .refuse_busy()
            .unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
        assert_eq!(
            error.message,
            format!("the stack bgecs-hello is {text}: something else is changing it")
        );
    }
    for (text, status) in [
        ("DELETE_IN_PROGRESS", StackStatus::Busy),
        ("DELETE_FAILED", StackStatus::DeleteFailed),
        ("REVIEW_IN_PROGRESS", StackStatus::InReview),
        ("ROLLBACK_COMPLETE", StackStatus::Broken),
        ("CREATE_COMPLETE", StackStatus::Ready),
    ] {
        assert!(with_stack(text, status).refuse_busy().is_ok(), "{text}");
    }
}
