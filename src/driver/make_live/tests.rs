use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::driver::look_ahead::testing::listeners as seen;
use crate::model::Found;
use crate::model::journal::Head;
use crate::model::testing::{nowhere, observed, to};

fn noted(wire: Wire) -> Wire {
    wire.on("UpdateItem", Reply::json(&json!({})))
}

/// Blue becomes live after port 80 was seen to lead nowhere; and whether the operation
/// may end then.
async fn made_live(wire: &Wire) -> (Result<()>, bool) {
    let session = Session::of_hello(wire.aws());
    let turn = Turn::for_tests(&session.aws, Head::default());
    let mut fresh = observed();
    fresh.traffic.production = nowhere();
    let made = make_live(&session, &turn, &fresh, Color::Blue).await;
    (made, turn.knows_listeners())
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_written_where_it_is_as_planned_or_already_there() {
    // The test port is already where it should be when it is its turn.
    let looks = |wire: Wire, production: Found| {
        wire.on("DescribeListeners", seen(&production, &to(Color::Green)))
    };
    let planned = looks(noted(Wire::new()), nowhere());
    let planned = planned.on("ModifyListener", Reply::xml("ModifyListener", ""));
    let planned = looks(planned, to(Color::Blue));
    let there = looks(noted(Wire::new()), to(Color::Blue));
    for wire in [planned, there] {
        let wire = looks(noted(wire), to(Color::Blue));
        let (made, _) = made_live(&wire).await;
        assert!(made.is_ok(), "{made:?}");
        // Each call has exactly one answer, and no other is made.
        wire.assert_used_up();
    }
}

#[tokio::test(start_paused = true)]
async fn what_something_else_did_meanwhile_is_told_and_ends_it() {
    let looks = (0..7).fold(noted(Wire::new()), |wire, _| {
        wire.on("DescribeListeners", seen(&to(Color::Green), &nowhere()))
    });
    let (made, may_end) = made_live(&looks).await;
    let error = made.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert_eq!(
        error.message,
        "port 80 forwards to green, and to nothing when this began: something else changed it"
    );
    assert_eq!(error.traffic.as_deref(), Some("port 80 -> green"));
    assert!(error.hint.unwrap().contains("`bgecs adopt`"));
    assert!(may_end, "nothing was moved");
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_is_named() {
    let denied = Reply::xml_error(403, "AccessDenied", "no");
    let wire = noted(Wire::new())
        .on("DescribeListeners", seen(&nowhere(), &nowhere()))
        .on("ModifyListener", denied)
        .on("DescribeListeners", seen(&nowhere(), &nowhere()));
    let (made, may_end) = made_live(&wire).await;
    let error = made.unwrap_err();
    assert_eq!(error.exit, Exit::Failed);
    assert_eq!(error.message, "port 80 cannot be pointed at blue");
    assert!(may_end, "nothing was moved");
}
