use super::*;
use crate::model::testing::operation;

fn text(outcome: Option<Settled>) -> String {
    let mut ended = match outcome {
        None => Ended::nothing(Command::Resume, String::new()),
        _ => Ended::new(Command::Resume, &operation()),
    };
    ended.outcome = outcome;
    "port 80 -> blue".clone_into(&mut ended.traffic);
    ended.human(&Style::plain())
}

#[test]
fn what_became_of_the_unfinished_operation() {
    insta::assert_snapshot!(text(None), @"
    nothing to resume: no operation is unfinished
      port 80 -> blue
    ");
    insta::assert_snapshot!(text(Some(Settled::Finished)), @"
    the promote of tag 2 to blue is finished
      port 80 -> blue
    ");
    insta::assert_snapshot!(text(Some(Settled::Undone)), @"
    the promote of tag 2 to blue is undone
      port 80 -> blue
    ");
}
