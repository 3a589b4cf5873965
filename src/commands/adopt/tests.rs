use super::*;
use crate::model::testing::{nowhere, observed, operation, redirect, to_both, with_previous};

#[test]
fn what_was_adopted() {
    let text = |outcome| {
        let adopted = Adopted {
            operation: Command::Adopt,
            outcome,
            drift: Vec::new(),
            traffic: "port 80 -> blue".to_owned(),
        };
        adopted.human(&Style::plain())
    };
    insta::assert_snapshot!(text(AdoptOutcome::Adopted), @"
    accepted: what is there now is what is expected from now on
      port 80 -> blue
    ");
    insta::assert_snapshot!(text(AdoptOutcome::Unchanged), @"
    nothing to adopt: both routes are where the journal says
      port 80 -> blue
    ");
}

#[test]
fn there_is_something_to_adopt_where_a_listener_moved_or_an_operation_is_unfinished() {
    let mut world = with_previous(observed(), None);
    assert!(!is_new(&world.drift(), None));
    assert!(is_new(&world.drift(), Some(&operation())));
    world.traffic.test = nowhere();
    assert!(is_new(&world.drift(), None));
}

#[test]
fn only_the_two_colours_can_be_adopted() {
    let mut world = observed();
    assert!(acceptable(&world, None).is_ok());
    world.traffic.production = nowhere();
    assert!(acceptable(&world, None).is_ok());
    for foreign in [to_both(), redirect()] {
        world.traffic.production = foreign;
        let error = acceptable(&world, None).unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
    }
}
