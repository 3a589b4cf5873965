//! Taking the lease, at once and from a place in the line.

use tokio::time::Instant;

use super::*;
use crate::model::journal::OperationId;

fn attributes(item: &serde_json::Value) -> Reply {
    Reply::json(&json!({ "Attributes": item }))
}

fn shows(item: &serde_json::Value) -> Reply {
    Reply::json(&json!({ "Item": item }))
}

fn in_a_minute() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc() + time::Duration::MINUTE
}

fn taken() -> Reply {
    attributes(&held(&holder(), in_a_minute()))
}

fn line(of: &[&str]) -> Reply {
    let until = in_a_minute().unix_timestamp_nanos() / 1_000_000;
    let places: Vec<_> = of
        .iter()
        .map(|id| json!({ "sk": { "S": id }, "lease_until": { "N": until.to_string() } }))
        .collect();
    Reply::json(&json!({ "Items": places }))
}

async fn take_with(wire: &Wire, patience: Option<u64>) -> Result<Turn> {
    let session = Session::of_hello(wire.aws());
    take(&session, TABLE, holder(), patience.map(Duration::from_secs)).await
}

fn conditions(wire: &Wire) -> Vec<bool> {
    let updates = wire.requests().into_iter();
    updates
        .filter(|request| request.operation == "UpdateItem")
        .map(|request| {
            let condition = request.json()["ConditionExpression"].to_string();
            condition.contains(":other")
        })
        .collect()
}

#[tokio::test]
async fn a_free_lease_is_taken_at_once() {
    let wire = Wire::new().on("UpdateItem", taken());
    let turn = take_with(&wire, None).await.unwrap();
    assert_eq!(turn.met.fence, 7);
    assert_eq!(operations(&wire), ["UpdateItem"]);
}

#[tokio::test]
async fn a_held_lease_is_refused_with_its_holder_and_what_to_do() {
    let wire = Wire::new()
        .on("UpdateItem", refused())
        .on("GetItem", shows(&held(&bob(), in_a_minute())));
    let error = take_with(&wire, None).await.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert!(
        error.message.starts_with(
            "bob@ci, process 42 on laptop, has been running `promote` since 2023-11-14 22:13:20 UTC; the lease expires in "
        ),
        "{}",
        error.message
    );
    assert_eq!(
        error.hint.as_deref(),
        Some(
            "wait for it with --wait 5m; if you are sure that it is dead, `bgecs unlock --force` releases it"
        )
    );
}

#[tokio::test]
async fn an_expired_lease_is_taken_over() {
    let expired = crate::model::testing::moment();
    let wire = Wire::new()
        .on("UpdateItem", refused())
        .on("GetItem", shows(&held(&bob(), expired)))
        .on("UpdateItem", taken());
    take_with(&wire, None).await.unwrap();
    assert_eq!(conditions(&wire), [false, true]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_lease_of_a_process_that_is_gone_is_taken_over() {
    let mut dead = bob();
    // The same pid, but started at another time.
    dead.who.process = crate::process::this().map(|mut process| {
        process.started += 1;
        process
    });
    let wire = Wire::new()
        .on("UpdateItem", refused())
        .on("GetItem", shows(&held(&dead, in_a_minute())))
        .on("UpdateItem", taken());
    take_with(&wire, None).await.unwrap();
    assert_eq!(conditions(&wire), [false, true]);
}

#[tokio::test]
async fn what_changes_between_two_calls_is_looked_at_anew() {
    let expired = crate::model::testing::moment();
    let wire = Wire::new()
        .on("UpdateItem", refused())
        // Released meanwhile, and taken by the next one.
        .on("GetItem", shows(&json!({ "fence": { "N": "6" } })))
        .on("UpdateItem", refused())
        .on("GetItem", shows(&held(&bob(), expired)))
        // Someone else was faster.
        .on("UpdateItem", refused())
        .on("UpdateItem", refused())
        .on("GetItem", shows(&held(&bob(), in_a_minute())));
    let error = take_with(&wire, None).await.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    wire.assert_used_up();
}

#[tokio::test]
async fn an_app_without_a_table_is_told_of_init() {
    let missing = Reply::json_error(400, "ResourceNotFoundException", "no table");
    let wire = Wire::new().on("UpdateItem", missing);
    let error = take_with(&wire, None).await.unwrap_err();
    assert_eq!(
        error.hint.as_deref(),
        Some("`bgecs init` says what is gone, and the way on")
    );
}

#[tokio::test(start_paused = true)]
async fn who_waits_takes_it_after_those_who_came_before_and_leaves_the_line() {
    let own = holder();
    let own = own.id.as_str();
    let wire = Wire::new()
        .on("Query", line(&[]))
        .on("UpdateItem", refused())
        .on("GetItem", shows(&held(&bob(), in_a_minute())))
        .on("PutItem", done())
        .on("Query", line(&["earlier", own]))
        // Bob's turn is over, and the one before is next.
        .on("PutItem", done())
        .on("Query", line(&["earlier", own]))
        .on("PutItem", done())
        .on("Query", line(&[own, "later"]))
        .on("UpdateItem", refused())
        .on("GetItem", shows(&held(&bob(), in_a_minute())))
        .on("PutItem", done())
        .on("Query", line(&[own, "later"]))
        .on("UpdateItem", taken())
        // The lease is held, whatever happens to the place in the line.
        .on("DeleteItem", denied());
    let began = Instant::now();
    take_with(&wire, Some(60)).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 3, "one look a second");
    wire.assert_used_up();
    let left = wire.requests().pop().unwrap().json();
    assert_eq!(left["Key"]["sk"]["S"], own);
}

#[tokio::test(start_paused = true)]
async fn patience_ends_with_the_holder_s_name_and_a_free_place() {
    // Those who are already in the line are not overtaken even once.
    let mut wire = Wire::new()
        .on("Query", line(&["earlier"]))
        .on("DeleteItem", done());
    for _ in 0..5 {
        wire = wire
            .on("PutItem", done())
            .on("Query", line(&["earlier"]))
            .on("GetItem", shows(&held(&bob(), in_a_minute())));
    }
    let error = take_with(&wire, Some(2)).await.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert!(error.message.starts_with("bob@ci"), "{}", error.message);
    assert_eq!(error.causes, ["waited 2 s for it"]);
    let sent = operations(&wire);
    assert!(sent.contains(&"DeleteItem".to_owned()), "{sent:?}");
    let place = wire.requests()[1].json();
    assert_eq!(
        place["Item"]["sk"]["S"],
        OperationId::named("20231114T221320Z-0000002a").as_str()
    );
}
