mod taking;

use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Request, Wire};
use crate::driver::make_live::make_live;
use crate::error::Exit;
use crate::model::Deployed;
use crate::model::testing::{NOT_HOSTED, holder, move_to, nowhere, observed, operation, to};
use crate::model::{Color, Route};
use crate::session::Session;

const TABLE: &str = "bgecs-hello";
const LENGTH: Duration = Duration::from_secs(60);

fn done() -> Reply {
    Reply::json(&json!({}))
}

fn refused() -> Reply {
    Reply::json_error(400, "ConditionalCheckFailedException", "no")
}

fn denied() -> Reply {
    Reply::json_error(400, "AccessDeniedException", "no")
}

/// A head whose lease is that holder's.
fn held(by: &Holder, until: time::OffsetDateTime) -> serde_json::Value {
    json!({
        "fence": { "N": "7" },
        "holder": { "S": serde_json::to_string(by).unwrap() },
        "holder_id": { "S": by.id.as_str() },
        "lease_until": { "N": (until.unix_timestamp_nanos() / 1_000_000).to_string() },
    })
}

fn bob() -> Holder {
    let mut bob = holder();
    bob.id = crate::model::journal::OperationId::named("bob-s");
    bob.who.name = "bob@ci".to_owned();
    bob
}

fn met(truth: Option<Truth>) -> Head {
    Head {
        fence: 7,
        truth,
        ..Head::default()
    }
}

const TRUTH: Truth = Truth {
    production: Some(Deployed::somewhere_on(Color::Green)),
    test: Some(Color::Blue),
    previous: None,
    hosted: NOT_HOSTED,
};

fn point(route: Route) -> Effect {
    Effect::Move(move_to(route, Color::Blue))
}

fn scale() -> Effect {
    Effect::UpdateService {
        color: Color::Blue,
        task_definition: None,
        desired: Some(0),
    }
}

/// The update, and the operation that it writes.
fn written(request: &Request) -> (String, Option<Operation>) {
    let sent = request.json();
    let update = sent["UpdateExpression"]
        .as_str()
        .unwrap_or("put")
        .to_owned();
    let text = sent["ExpressionAttributeValues"][":operation"]["S"]
        .as_str()
        .or_else(|| sent["Item"]["operation"]["S"].as_str());
    (update, text.map(|text| serde_json::from_str(text).unwrap()))
}

fn truth_in(request: &Request) -> Option<Truth> {
    let sent = request.json();
    let text = sent["ExpressionAttributeValues"][":truth"]["S"].as_str()?;
    serde_json::from_str(text).unwrap()
}

fn operations(wire: &Wire) -> Vec<String> {
    let sent = wire.requests().into_iter();
    sent.map(|request| request.operation).collect()
}

#[tokio::test]
async fn each_intent_is_written_with_what_became_of_the_last() {
    let wire = Wire::new()
        .on("UpdateItem", done())
        .on("UpdateItem", done())
        .on("UpdateItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(None));
    turn.about_to(scale()).await.unwrap();
    turn.about_to(point(Route::Production)).await.unwrap();
    turn.about_to_undo(point(Route::Production)).await.unwrap();
    turn.did().await.unwrap();
    let fates = |n: usize| -> Vec<Option<Fate>> {
        let (update, operation) = written(&wire.requests()[n]);
        assert_eq!(
            update,
            "SET #operation = :operation, #version = :version, #until = :until"
        );
        let entries = operation.unwrap().entries.into_iter();
        entries.map(|entry| entry.fate).collect()
    };
    let done = || Some(Fate::Done);
    assert_eq!(fates(0), [None]);
    assert_eq!(fates(1), [done(), None]);
    assert_eq!(fates(2), [done(), None, None], "of that nothing is known");
    assert_eq!(fates(3), [done(), None, done()]);
}

#[tokio::test]
async fn no_listener_is_touched_without_its_intent() {
    for (reply, exit) in [(denied(), Exit::Failed), (refused(), Exit::Refused)] {
        let wire = Wire::new().on("UpdateItem", reply).on(
            "GetItem",
            Reply::json(&json!({ "Item": held(&bob(), crate::model::testing::moment()) })),
        );
        let session = Session::of_hello(wire.aws());
        let turn = Turn::for_tests(&session.aws, met(None));
        let error = make_live(&session, &turn, &observed(), Color::Blue)
            .await
            .unwrap_err();
        assert_eq!(error.exit, exit, "{error:?}");
        assert!(!operations(&wire).contains(&"ModifyListener".to_owned()));
        if exit == Exit::Refused {
            assert_eq!(
                error.message,
                "the lease was lost: bob@ci, process 42 on laptop (promote) holds it now"
            );
        }
    }
}

#[tokio::test]
async fn an_operation_that_ended_goes_into_the_history_ahead_of_the_head() {
    let wire = Wire::new()
        .on("UpdateItem", done())
        .on("PutItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    turn.about_to(scale()).await.unwrap();
    turn.end(Some(Conclusion::of(OperationOutcome::Done)))
        .await
        .unwrap();
    let sent = wire.requests();
    assert_eq!(operations(&wire), ["UpdateItem", "PutItem", "UpdateItem"]);
    let (_, operation) = written(&sent[1]);
    let operation = operation.unwrap();
    assert_eq!(operation.ending.unwrap().outcome, OperationOutcome::Done);
    assert_eq!(operation.entries[0].fate, Some(Fate::Done));
    assert_eq!(sent[1].json()["Item"]["fence"]["N"], "7");
    let (update, _) = written(&sent[2]);
    assert_eq!(
        update,
        "SET #version = :version, #truth = :truth REMOVE #operation, #holder, #id, #until"
    );
}

#[tokio::test]
async fn a_turn_that_did_nothing_leaves_no_record() {
    let wire = Wire::new().on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    turn.end(Some(Conclusion::of(OperationOutcome::Refused)))
        .await
        .unwrap();
    let (update, _) = written(&wire.request());
    assert_eq!(update, "REMOVE #holder, #id, #until");
}

#[tokio::test]
async fn what_was_seen_is_written_where_it_differs() {
    for (before, expected) in [(None, Some(TRUTH)), (Some(TRUTH), None)] {
        let wire = Wire::new().on("UpdateItem", done());
        let turn = Turn::for_tests(&wire.aws(), met(before));
        turn.saw(&observed());
        assert_eq!(turn.head().truth, Some(TRUTH));
        turn.end(None).await.unwrap();
        assert_eq!(truth_in(&wire.request()), expected);
    }
}

#[tokio::test]
async fn an_operation_left_open_stays_and_only_the_lease_is_free() {
    let wire = Wire::new()
        .on("UpdateItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    turn.about_to(point(Route::Production)).await.unwrap();
    let mut moved = observed();
    moved.traffic.production = to(Color::Blue);
    turn.saw(&moved);
    turn.leave_open();
    turn.end(Some(Conclusion::of(OperationOutcome::Done)))
        .await
        .unwrap();
    let (update, _) = written(&wire.requests()[1]);
    assert_eq!(update, "REMOVE #holder, #id, #until");
}

#[tokio::test]
async fn a_listener_that_may_have_moved_unseen_keeps_the_operation_open() {
    let wire = Wire::new()
        .on("UpdateItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    turn.saw(&observed());
    turn.about_to(point(Route::Production)).await.unwrap();
    assert!(!turn.knows_listeners());
    turn.end(Some(Conclusion::of(OperationOutcome::Interrupted)))
        .await
        .unwrap();
    let (update, _) = written(&wire.requests()[1]);
    assert_eq!(
        update, "REMOVE #holder, #id, #until",
        "neither truth nor end"
    );

    let wire = Wire::new().on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    turn.about_to(point(Route::Production)).await.unwrap();
    turn.did_not("AccessDenied");
    assert!(turn.knows_listeners(), "AWS said that it did not");
}

#[tokio::test]
async fn a_first_colour_that_got_one_port_stays_open_and_one_that_got_none_does_not() {
    let placeholder = "<member><Type>fixed-response</Type><FixedResponseConfig><StatusCode>503</StatusCode>\
        <MessageBody>bgecs: nothing is live yet</MessageBody></FixedResponseConfig></member>";
    let blue = "<member><Type>forward</Type><TargetGroupArn>tg/blue</TargetGroupArn></member>";
    let shows = |production: &str| {
        let listener = |name: &str, action: &str| {
            format!(
                "<member><ListenerArn>listener/{name}</ListenerArn>\
                 <DefaultActions>{action}</DefaultActions></member>"
            )
        };
        let members = listener("prod", production) + &listener("test", placeholder);
        let listeners = format!("<Listeners>{members}</Listeners>");
        Reply::xml("DescribeListeners", &listeners)
    };
    let no = || Reply::xml_error(403, "AccessDenied", "no");
    let yes = Reply::xml("ModifyListener", "");
    let mut fresh = observed();
    fresh.traffic.production = nowhere();
    fresh.traffic.test = nowhere();
    for (wire, exit, is_known) in [
        (
            Wire::new()
                .on("DescribeListeners", shows(placeholder))
                .on("ModifyListener", no())
                .on("DescribeListeners", shows(placeholder)),
            Exit::Failed,
            true,
        ),
        (
            Wire::new()
                .on("DescribeListeners", shows(placeholder))
                .on("ModifyListener", yes)
                .on("DescribeListeners", shows(blue))
                .on("DescribeListeners", shows(blue))
                .on("ModifyListener", no())
                .on("DescribeListeners", shows(blue)),
            Exit::LookNow,
            false,
        ),
    ] {
        let wire = wire.on("UpdateItem", done()).on("UpdateItem", done());
        let session = Session::of_hello(wire.aws());
        let turn = Turn::for_tests(&session.aws, met(None));
        let error = make_live(&session, &turn, &fresh, Color::Blue)
            .await
            .unwrap_err();
        assert_eq!((error.exit, turn.knows_listeners()), (exit, is_known));
    }
}

#[tokio::test]
async fn after_a_lost_lease_nothing_more_is_written() {
    let wire = Wire::new()
        .on("UpdateItem", refused())
        .on("GetItem", Reply::json(&json!({})));
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    let stop = turn.about_to(scale()).await.unwrap_err();
    assert_eq!(
        stop.to_string(),
        "the lease was lost: it was broken, or expired and was taken"
    );
    turn.end(Some(Conclusion::of(OperationOutcome::Failed)))
        .await
        .unwrap();
    assert_eq!(operations(&wire), ["UpdateItem", "GetItem"]);
}

#[tokio::test]
async fn one_that_lost_it_unnoticed_does_not_touch_the_head() {
    let wire = Wire::new()
        .on("UpdateItem", done())
        .on("PutItem", refused());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    turn.about_to(scale()).await.unwrap();
    turn.end(Some(Conclusion::of(OperationOutcome::Done)))
        .await
        .unwrap();
    assert_eq!(operations(&wire), ["UpdateItem", "PutItem"]);
}

#[tokio::test]
async fn what_is_taken_up_ends_under_its_own_name_and_one_s_own_begins_anew() {
    let wire = Wire::new()
        .on("PutItem", done())
        .on("UpdateItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    let mut unfinished = operation();
    unfinished.id = bob().id;
    unfinished.intend(crate::model::testing::moment(), point(Route::Production));
    turn.take_up(unfinished);
    assert!(
        !turn.knows_listeners(),
        "nobody looked since its last intent"
    );
    let mut moved = observed();
    moved.traffic.production = to(Color::Blue);
    moved.traffic.test = to(Color::Green);
    turn.saw(&moved);
    turn.close(Conclusion::of(OperationOutcome::Finished))
        .await
        .unwrap();
    let (_, ended) = written(&wire.requests()[0]);
    let ended = ended.unwrap();
    assert_eq!((&ended.id, ended.taken_up_by.len()), (&bob().id, 1));
    assert_eq!(turn.operation(), Operation::of(&holder()));
    // What its own work leaves counts from there: moving back again is a way back.
    turn.saw(&observed());
    let expected = Truth {
        previous: Some(Deployed::somewhere_on(Color::Blue).into()),
        ..TRUTH
    };
    assert_eq!(turn.head().truth, Some(expected));
    turn.end(None).await.unwrap();
    wire.assert_used_up();
}

#[tokio::test]
async fn an_end_that_could_not_be_written_is_tried_again_as_it_was() {
    let wire = Wire::new()
        .on("PutItem", denied())
        .on("PutItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(Some(TRUTH)));
    let mut unfinished = operation();
    unfinished.intend(crate::model::testing::moment(), scale());
    turn.take_up(unfinished);
    let stop = turn.close(Conclusion::of(OperationOutcome::Undone)).await;
    assert!(matches!(stop, Err(Stop::Unwritable(_))));
    turn.end(Some(Conclusion::of(OperationOutcome::Failed)))
        .await
        .unwrap();
    let (_, ended) = written(&wire.requests()[1]);
    assert_eq!(
        ended.unwrap().ending.unwrap().outcome,
        OperationOutcome::Undone
    );
}

#[tokio::test]
async fn reasons_are_cut_to_what_an_item_can_hold() {
    let wire = Wire::new()
        .on("UpdateItem", done())
        .on("PutItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), met(None));
    turn.about_to(scale()).await.unwrap();
    let endless = Some("ü".repeat(500_000));
    turn.end(Some(
        Conclusion::of(OperationOutcome::Failed).because(endless),
    ))
    .await
    .unwrap();
    let sent = wire.requests()[1].body.len();
    assert!(sent < 10_000, "{sent} bytes");
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_three_times_in_its_length_until_the_end() {
    let mut wire = Wire::new();
    for _ in 0..4 {
        wire = wire.on("UpdateItem", done());
    }
    let turn = Turn::begin(&wire.aws(), TABLE, holder(), met(None), LENGTH);
    let began = tokio::time::Instant::now();
    tokio::time::sleep(LENGTH + Duration::from_secs(1)).await;
    let sent = wire.requests();
    let at: Vec<_> = sent.iter().map(|one| (one.at - began).as_secs()).collect();
    assert_eq!(at, [20, 40, 60]);
    assert_eq!(written(&sent[0]).0, "SET #until = :until");
    turn.end(None).await.unwrap();
    tokio::time::sleep(LENGTH * 2).await;
    assert_eq!(wire.requests().len(), 4, "the fourth gave it back");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_outlasts_a_fault_and_notices_a_lost_lease() {
    let wire = Wire::new()
        .on("UpdateItem", denied())
        .on("UpdateItem", done())
        .on("UpdateItem", refused())
        .on("GetItem", Reply::json(&json!({})));
    let turn = Turn::begin(&wire.aws(), TABLE, holder(), met(None), LENGTH);
    tokio::time::sleep(Duration::from_secs(50)).await;
    turn.assure().await.unwrap();
    tokio::time::sleep(LENGTH * 2).await;
    assert_eq!(wire.requests().len(), 3, "there is nothing left to renew");
    assert!(matches!(turn.assure().await, Err(Stop::Lost(_))));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_may_have_run_out_is_asked_for_ahead_of_an_effect() {
    for (reply, is_lost) in [
        (done(), None),
        (refused(), Some(true)),
        (Reply::Never, Some(false)),
    ] {
        // If there is no answer, a second attempt is made.
        let wire = Wire::new()
            .on("UpdateItem", reply.clone())
            .on("UpdateItem", reply)
            .on("GetItem", Reply::json(&json!({})));
        let began = tokio::time::Instant::now();
        // Its length is zero, so it has run out at once; its renewal is stopped.
        let turn = Turn::begin(&wire.aws(), TABLE, holder(), met(None), Duration::ZERO);
        turn.renewal.stop();
        let assured = turn.assure().await;
        let lost = assured.err().map(|stop| matches!(stop, Stop::Lost(_)));
        assert_eq!(lost, is_lost);
        assert!(began.elapsed() < Duration::from_secs(10), "users may wait");
    }
}
