use serde_json::json;

use super::testing::listeners as seen;
use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::journal::{Effect, Fate, Head};
use crate::model::testing::{nowhere, observed, to};

fn as_planned() -> Reply {
    seen(&to(Color::Green), &to(Color::Blue))
}

fn moved() -> Reply {
    seen(&to(Color::Blue), &to(Color::Blue))
}

fn reads(replies: impl IntoIterator<Item = Reply>) -> Wire {
    let wire = Wire::new().on("UpdateItem", Reply::json(&json!({})));
    replies
        .into_iter()
        .fold(wire, |wire, reply| wire.on("DescribeListeners", reply))
}

/// The result of looking ahead of an effect on that colour, with green live.
async fn looks(wire: &Wire, color: Color) -> (Result<()>, Option<Fate>) {
    let session = Session::of_hello(wire.aws());
    let turn = Turn::for_tests(&session.aws, Head::default());
    turn.about_to(Effect::DeleteService { color })
        .await
        .unwrap();
    let looked = look_ahead(&session, &turn, &observed(), color).await;
    (looked, turn.operation().entries[0].fate.clone())
}

#[tokio::test(start_paused = true)]
async fn as_planned_it_may_happen_at_once_also_on_the_live_colour() {
    for color in Color::BOTH {
        let wire = reads([as_planned()]);
        let (looked, fate) = looks(&wire, color).await;
        assert!(looked.is_ok(), "{looked:?}");
        assert_eq!(fate, None);
        wire.assert_used_up();
    }
}

#[tokio::test(start_paused = true)]
async fn one_stale_reading_is_looked_at_again() {
    let wire = reads([moved(), seen(&nowhere(), &nowhere()), as_planned()]);
    let (looked, fate) = looks(&wire, Color::Blue).await;
    assert!(looked.is_ok(), "{looked:?}");
    assert_eq!(fate, None);
}

#[tokio::test(start_paused = true)]
async fn what_stays_moved_is_refused_and_the_journal_says_that_it_did_not_happen() {
    let wire = reads((0..7).map(|_| moved()));
    let (looked, fate) = looks(&wire, Color::Blue).await;
    let error = looked.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert_eq!(error.traffic.as_deref(), Some("port 80 -> blue"));
    assert_eq!(fate, Some(Fate::Failed(error.message)));
    wire.assert_used_up();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_no_leave_to_go_on() {
    let denied = Reply::xml_error(403, "AccessDenied", "no");
    let (looked, fate) = looks(&reads([denied]), Color::Blue).await;
    assert_eq!(looked.unwrap_err().exit, Exit::Failed);
    assert!(matches!(fate, Some(Fate::Failed(_))), "{fate:?}");
}

/// What is said about a failure on that colour after this was read.
async fn said(wire: Wire, color: Color, touched: bool, exit: Exit) -> (Exit, String, Vec<String>) {
    let session = Session::of_hello(wire.aws());
    let error = Error::new(exit, "it failed");
    let told = tell_users(&session, &observed(), color, touched, error).await;
    (told.exit, told.traffic.unwrap_or_default(), told.causes)
}

fn running() -> Reply {
    let deployment = |revision: &str, status: &str, running: i32| json!({ "status": status, "taskDefinition": revision, "runningCount": running });
    Reply::json(&json!({ "services": [{ "status": "ACTIVE", "deployments": [
        deployment("hello:3", "PRIMARY", 1), deployment("hello:2", "ACTIVE", 2),
    ]}]}))
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_an_idle_colour_leaves_users_alone() {
    for exit in [
        Exit::Failed,
        Exit::TimedOut,
        Exit::Refused,
        Exit::Interrupted,
    ] {
        let (code, traffic, causes) = said(reads([as_planned()]), Color::Blue, true, exit).await;
        assert_eq!(code, exit);
        assert_eq!(traffic, "port 80 -> green, unchanged");
        assert!(causes.is_empty(), "{causes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_the_live_colour_does_not() {
    let on_it = || reads([as_planned()]).on("DescribeServices", running());
    for (exit, expected) in [
        (Exit::Failed, Exit::LookNow),
        (Exit::TimedOut, Exit::LookNow),
        (Exit::Interrupted, Exit::Interrupted),
    ] {
        let (code, traffic, _) = said(on_it(), Color::Green, true, exit).await;
        assert_eq!(code, expected);
        assert_eq!(
            traffic,
            "port 80 -> green, so users may see it: green runs 1 of hello:3 and 2 of hello:2"
        );
    }
    // A failure before the service was changed.
    let (code, traffic, _) = said(on_it(), Color::Green, false, Exit::Failed).await;
    assert_eq!(
        (code, traffic.as_str()),
        (Exit::Failed, "port 80 -> green, unchanged")
    );
}

#[tokio::test(start_paused = true)]
async fn users_who_were_moved_meanwhile_are_told_of() {
    let all = |reply: Reply| reads((0..7).map(|_| reply.clone()));
    let brought = all(moved()).on("DescribeServices", running());
    let (code, traffic, causes) = said(brought, Color::Blue, true, Exit::Interrupted).await;
    assert_eq!(code, Exit::LookNow);
    assert!(
        traffic.starts_with("port 80 -> blue, so users may see it"),
        "{traffic}"
    );
    assert_eq!(
        causes,
        ["port 80 was moved onto blue meanwhile: something else did it"]
    );
    let (code, traffic, causes) = said(
        all(seen(&nowhere(), &nowhere())),
        Color::Blue,
        true,
        Exit::Failed,
    )
    .await;
    assert_eq!(
        (code, traffic.as_str()),
        (Exit::Failed, "port 80 -> nothing")
    );
    assert!(causes[0].contains("to green when this began"), "{causes:?}");
    let unread = reads([Reply::xml_error(403, "AccessDenied", "no")]);
    let (_, traffic, _) = said(unread, Color::Blue, true, Exit::Failed).await;
    assert_eq!(
        traffic,
        "port 80 -> green when this began; now it cannot be read"
    );
}
