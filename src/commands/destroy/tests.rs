use std::collections::BTreeMap;

use super::*;
use crate::aws::testing::Wire;
use crate::aws::{StackSnapshot, StackStatus};
use crate::model::{Color, TaskDefinitionArn};

fn session() -> Session {
    Session::of_hello(Wire::new().aws())
}

#[test]
fn gone_or_never_there() {
    let session = session();
    let shown = |outcome| destroyed(&session, outcome).human(&Style::plain());
    insta::assert_snapshot!(shown("destroyed"), @"everything that bgecs made for hello is gone");
    insta::assert_snapshot!(shown("unchanged"), @"nothing to do: bgecs has made nothing for hello here");
}

fn planned(inventory: &Inventory) -> String {
    Plan::of("destroy", steps(&session(), inventory)).human(&Style::plain())
}

#[test]
fn what_will_go() {
    let outputs = [("RepositoryName".to_owned(), "bgecs-hello".to_owned())];
    let stack = StackSnapshot {
        id: "stack/1".to_owned(),
        status: StackStatus::Ready,
        status_text: "CREATE_COMPLETE".to_owned(),
        reason: None,
        parameters: BTreeMap::new(),
        outputs: BTreeMap::from(outputs),
    };
    let everything = Inventory {
        stack: Some(stack),
        services: vec![(Color::Blue, 2), (Color::Green, 0)],
        task_definitions: vec![TaskDefinitionArn::new("bgecs-hello:1")],
    };
    insta::assert_snapshot!(planned(&everything), @"
    destroy would:
       1. stop 2 task(s) and delete the service blue
       2. stop 0 task(s) and delete the service green
       3. delete 1 revision(s) of the task definition bgecs-hello
       4. delete every image in the repository bgecs-hello
       5. delete the CloudFormation stack bgecs-hello and all in it
    Nothing was changed.
    ");
}

/// Also where the stack is gone, or was never complete.
#[test]
fn what_is_left_of_a_destroy_that_stopped() {
    let left = Inventory {
        stack: None,
        services: Vec::new(),
        task_definitions: vec![TaskDefinitionArn::new("bgecs-hello:1")],
    };
    assert!(!left.is_empty());
    insta::assert_snapshot!(planned(&left), @"
    destroy would:
       1. delete 1 revision(s) of the task definition bgecs-hello
    Nothing was changed.
    ");
    let nothing = Inventory {
        task_definitions: Vec::new(),
        ..left
    };
    assert!(nothing.is_empty());
    insta::assert_snapshot!(planned(&nothing), @"destroy would do nothing");
}
