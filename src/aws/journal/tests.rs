mod expressions;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{Reply, Request, Wire};
use crate::error::{Error, Exit};
use crate::model::Color;
use crate::model::Deployed;
use crate::model::testing::{NOT_HOSTED, holder, lease, moment, operation};

const TABLE: &str = "bgecs-hello";
/// `moment()`, and the end of `lease()`, in the table's form.
const MOMENT: &str = "1700000000000";
const UNTIL: &str = "1700000060000";
const ID: &str = "20231114T221320Z-0000002a";
const VERSIONED: &str =
    "#fence = :fence AND #id = :id AND (attribute_not_exists(#version) OR #version <= :version)";

const TRUTH: Truth = Truth {
    production: Some(Deployed::somewhere_on(Color::Green)),
    test: Some(Color::Blue),
    previous: None,
    hosted: NOT_HOSTED,
};

fn as_text(value: &impl serde::Serialize) -> Value {
    json!({ "S": serde_json::to_string(value).unwrap() })
}

/// A head with everything.
fn full() -> Value {
    json!({
        "pk": { "S": "app" }, "sk": { "S": "head" },
        "format": { "N": "1" },
        "fence": { "N": "7" },
        "holder": as_text(&holder()), "holder_id": { "S": ID }, "lease_until": { "N": UNTIL },
        "operation": as_text(&operation()),
        "truth": as_text(&TRUTH),
    })
}

fn with(mut item: Value, name: &str, value: Value) -> Value {
    item[name] = value;
    item
}

fn without(mut item: Value, name: &str) -> Value {
    item.as_object_mut().unwrap().remove(name);
    item
}

fn found(item: &Value) -> Wire {
    Wire::new().on("GetItem", Reply::json(&json!({ "Item": item })))
}

fn refused() -> Reply {
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    Reply::json_error(400, code, "The conditional request failed")
}

fn done() -> Reply {
    Reply::json(&json!({}))
}

/// What is sent apart from the table and the key of the shared item.
fn of_head(request: &Request) -> Value {
    let mut sent = request.json();
    let key = json!({ "pk": { "S": "app" }, "sk": { "S": "head" } });
    assert_eq!((&sent["TableName"], &sent["Key"]), (&json!(TABLE), &key));
    let fields = sent.as_object_mut().unwrap();
    fields.remove("TableName");
    fields.remove("Key");
    sent
}

#[tokio::test]
async fn the_head_is_read_back_whole_and_consistently() {
    let wire = found(&full());
    let head = wire.aws().read_head(TABLE).await.unwrap();
    let expected = Head {
        fence: 7,
        lease: Some(lease()),
        operation: Some(operation()),
        truth: Some(TRUTH),
    };
    assert_eq!(head, expected);
    assert_eq!(of_head(&wire.request()), json!({ "ConsistentRead": true }));
}

#[tokio::test]
async fn an_app_that_was_never_changed_has_an_empty_head() {
    let wire = Wire::new().on("GetItem", done());
    assert_eq!(wire.aws().read_head(TABLE).await.unwrap(), Head::default());
}

#[tokio::test]
async fn what_a_newer_bgecs_wrote_is_left_to_it() {
    // Nothing else in it can be read, so nothing else is tried.
    let newer = with(full(), "format", json!({ "N": (FORMAT + 1).to_string() }));
    let newer = with(newer, "holder", json!({ "BOOL": true }));
    let error = found(&newer).aws().read_head(TABLE).await.unwrap_err();
    let error = Error::from(error);
    assert_eq!(error.exit, Exit::Refused);
    assert_eq!(
        error.message,
        "the journal of this app was written by a newer bgecs"
    );
    assert_eq!(
        error.hint.as_deref(),
        Some("update bgecs to the version that your team uses")
    );
    let page = json!({ "Items": [newer] });
    let wire = Wire::new().on("Query", Reply::json(&page));
    let error = wire.aws().read_history(TABLE, 5).await.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::TooNew);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_never_a_free_lease() {
    for (item, named) in [
        (with(full(), "holder", json!({ "S": "ann" })), "holder"),
        (with(full(), "holder", json!({ "N": "1" })), "holder"),
        (without(full(), "holder"), "holder"),
        (without(full(), "lease_until"), "holder"),
        (without(without(full(), "holder"), "lease_until"), "holder"),
        (
            with(full(), "lease_until", json!({ "S": "noon" })),
            "lease_until",
        ),
        (with(full(), "fence", json!({ "N": "-1" })), "fence"),
        (with(full(), "operation", json!({ "S": "{}" })), "operation"),
        (with(full(), "truth", json!({ "S": "[" })), "truth"),
    ] {
        let error = found(&item).aws().read_head(TABLE).await.unwrap_err();
        let expected = format!("its `{named}` was not written by bgecs");
        assert_eq!(error.message, expected, "{item}");
    }
}

fn take(over: Option<Lease>) -> impl AsyncFn(Reply) -> (Request, Result<Option<Head>, AwsError>) {
    async move |reply| {
        let wire = Wire::new().on("UpdateItem", reply);
        let until = moment() + time::Duration::MINUTE;
        let taken = wire
            .aws()
            .take_lease(TABLE, &holder(), until, over.as_ref())
            .await;
        (wire.request(), taken)
    }
}

#[tokio::test]
async fn a_free_lease_is_taken_with_a_fence_of_its_own() {
    let answer = Reply::json(&json!({ "Attributes": full() }));
    let (sent, taken) = take(None)(answer).await;
    assert_eq!(taken.unwrap().unwrap().fence, 7);
    assert_eq!(
        of_head(&sent),
        json!({
            "ConditionExpression": "(attribute_not_exists(#format) OR #format <= :format) AND (#id = :id OR attribute_not_exists(#id))",
            "UpdateExpression": "SET #format = :format, #holder = :holder, #id = :id, #until = :until REMOVE #version ADD #fence :one",
            "ExpressionAttributeNames": {
                "#format": "format", "#fence": "fence", "#holder": "holder", "#id": "holder_id", "#until": "lease_until",
                "#version": "version",
            },
            "ExpressionAttributeValues": {
                ":format": { "N": FORMAT.to_string() }, ":one": { "N": "1" }, ":id": { "S": ID },
                ":holder": as_text(&holder()), ":until": { "N": UNTIL },
            },
            "ReturnValues": "ALL_NEW",
        })
    );
}

#[tokio::test]
async fn a_lease_is_taken_over_only_as_it_was_seen() {
    let other = Lease {
        holder: Holder {
            id: OperationId::named("other"),
            ..holder()
        },
        until: moment(),
    };
    let answer = Reply::json(&json!({ "Attributes": full() }));
    let (sent, _) = take(Some(other))(answer).await;
    let sent = of_head(&sent);
    assert_eq!(
        sent["ConditionExpression"],
        "(attribute_not_exists(#format) OR #format <= :format) AND (#id = :id OR (#id = :other AND #until = :seen))"
    );
    let values = &sent["ExpressionAttributeValues"];
    assert_eq!(values[":other"], json!({ "S": "other" }));
    assert_eq!(values[":seen"], json!({ "N": MOMENT }));
}

#[tokio::test]
async fn a_lease_that_is_another_s_is_not_taken() {
    let (_, taken) = take(None)(refused()).await;
    assert!(matches!(taken, Ok(None)), "{taken:?}");
    let (_, taken) = take(None)(Reply::Reset).await;
    assert!(taken.unwrap_err().is_ambiguous());
    let (_, taken) = take(None)(done()).await;
    assert_eq!(taken.unwrap_err().message, "the answer names no item");
}

async fn change(
    operation: OperationChange<'_>,
    truth: Option<Truth>,
    tenure: LeaseChange,
) -> Value {
    let wire = Wire::new().on("UpdateItem", done());
    let change = HeadChange {
        operation,
        truth,
        tenure,
        version: 3,
    };
    let id = OperationId::named(ID);
    wire.aws()
        .change_head(TABLE, 7, &id, &change)
        .await
        .unwrap();
    of_head(&wire.request())
}

#[tokio::test]
async fn a_holder_s_write_is_made_under_its_fence() {
    let operation = operation();
    let until = LeaseChange::Until(moment());
    assert_eq!(
        change(OperationChange::Write(&operation), None, until).await,
        json!({
            "ConditionExpression": VERSIONED,
            "UpdateExpression": "SET #operation = :operation, #version = :version, #until = :until",
            "ExpressionAttributeNames": {
                "#fence": "fence", "#id": "holder_id", "#operation": "operation", "#until": "lease_until",
                "#version": "version",
            },
            "ExpressionAttributeValues": {
                ":fence": { "N": "7" }, ":id": { "S": ID }, ":version": { "N": "3" },
                ":operation": as_text(&operation), ":until": { "N": MOMENT },
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        })
    );
    let updates = [
        (OperationChange::Keep, None, until, "SET #until = :until"),
        (
            OperationChange::Keep,
            Some(TRUTH),
            LeaseChange::Release,
            "SET #truth = :truth REMOVE #holder, #id, #until",
        ),
        (
            OperationChange::Clear,
            Some(TRUTH),
            until,
            "SET #version = :version, #truth = :truth, #until = :until REMOVE #operation",
        ),
        (
            OperationChange::Clear,
            None,
            LeaseChange::Release,
            "SET #version = :version REMOVE #operation, #holder, #id, #until",
        ),
    ];
    for (slot, truth, tenure, expected) in updates {
        let sent = change(slot, truth, tenure).await;
        assert_eq!(sent["UpdateExpression"], expected);
        let expected = match slot {
            OperationChange::Keep => "#fence = :fence AND #id = :id",
            OperationChange::Write(_) | OperationChange::Clear => VERSIONED,
        };
        assert_eq!(sent["ConditionExpression"], expected);
    }
}

#[tokio::test]
async fn a_holder_whose_fence_is_old_has_lost_the_lease() {
    for (reply, is_lost) in [
        (refused(), true),
        (Reply::json_error(400, "AccessDeniedException", "no"), false),
        (Reply::Reset, false),
    ] {
        let wire = Wire::new()
            .on("UpdateItem", reply.clone())
            .on("PutItem", reply.clone());
        let change = HeadChange {
            operation: OperationChange::Keep,
            truth: None,
            tenure: LeaseChange::Release,
            version: 0,
        };
        let id = OperationId::named(ID);
        let changed = wire.aws().change_head(TABLE, 7, &id, &change).await;
        assert_eq!(
            matches!(changed, Err(Unwritten::Lost)),
            is_lost,
            "{reply:?}: {changed:?}"
        );
        let kept = wire.aws().add_to_history(TABLE, 7, &operation()).await;
        assert_eq!(
            matches!(kept, Err(Unwritten::Lost)),
            is_lost,
            "{reply:?}: {kept:?}"
        );
    }
}

/// DynamoDB only says that a condition failed, and returns the item that was there.
#[tokio::test]
async fn a_write_that_a_later_one_of_its_holder_overtook_is_no_lost_lease() {
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let found = |fence: &str, id: &str| {
        let item = json!({
            "fence": { "N": fence }, "holder_id": { "S": id }, "version": { "N": "4" },
        });
        Reply::Http {
            status: 400,
            body: json!({ "__type": code, "message": "no", "Item": item }).to_string(),
        }
    };
    let operation = operation();
    for (reply, is_lost) in [
        (found("7", ID), false),
        (found("8", ID), true),
        (found("7", "another"), true),
        (refused(), true),
    ] {
        let wire = Wire::new().on("UpdateItem", reply.clone());
        let change = HeadChange {
            operation: OperationChange::Write(&operation),
            truth: None,
            tenure: LeaseChange::Until(moment()),
            version: 3,
        };
        let id = OperationId::named(ID);
        let changed = wire.aws().change_head(TABLE, 7, &id, &change).await;
        let is_as_expected = match is_lost {
            true => matches!(changed, Err(Unwritten::Lost)),
            false => matches!(changed, Err(Unwritten::Overtaken)),
        };
        assert!(is_as_expected, "{reply:?}: {changed:?}");
    }
}

#[tokio::test]
async fn a_lease_is_broken_only_for_the_holder_that_was_seen() {
    for (reply, expected) in [(done(), true), (refused(), false)] {
        let wire = Wire::new().on("UpdateItem", reply);
        let broken = wire
            .aws()
            .break_lease(TABLE, &OperationId::named(ID))
            .await
            .unwrap();
        assert_eq!(broken, expected);
        assert_eq!(
            of_head(&wire.request()),
            json!({
                "ConditionExpression": "#id = :id",
                "UpdateExpression": "REMOVE #holder, #id, #until ADD #fence :one",
                "ExpressionAttributeNames": {
                    "#fence": "fence", "#holder": "holder", "#id": "holder_id", "#until": "lease_until",
                },
                "ExpressionAttributeValues": { ":id": { "S": ID }, ":one": { "N": "1" } },
            })
        );
    }
}

#[tokio::test]
async fn an_ended_operation_is_kept_for_400_days_unless_a_later_holder_ended_it() {
    let wire = Wire::new().on("PutItem", done());
    wire.aws()
        .add_to_history(TABLE, 7, &operation())
        .await
        .unwrap();
    let expires = 1_700_000_000 + 400 * 24 * 3600;
    assert_eq!(
        wire.request().json(),
        json!({
            "TableName": TABLE,
            "Item": {
                "pk": { "S": "history" }, "sk": { "S": ID },
                "format": { "N": FORMAT.to_string() }, "fence": { "N": "7" },
                "operation": as_text(&operation()),
                "expires_at": { "N": expires.to_string() },
            },
            "ConditionExpression": "attribute_not_exists(#fence) OR #fence <= :fence",
            "ExpressionAttributeNames": { "#fence": "fence" },
            "ExpressionAttributeValues": { ":fence": { "N": "7" } },
        })
    );
}

#[tokio::test]
async fn the_history_is_read_newest_first_page_by_page_up_to_its_limit() {
    let item = |id: &str| {
        let mut operation = operation();
        operation.id = OperationId::named(id);
        json!({ "operation": as_text(&operation) })
    };
    let key = json!({ "pk": { "S": "history" }, "sk": { "S": "b" } });
    let first = json!({ "Items": [item("c"), item("b")], "LastEvaluatedKey": key });
    let second = json!({ "Items": [item("a"), item("0")], "LastEvaluatedKey": key });
    let wire = Wire::new()
        .on("Query", Reply::json(&first))
        .on("Query", Reply::json(&second));
    let read = wire.aws().read_history(TABLE, 3).await.unwrap();
    let ids: Vec<_> = read.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["c", "b", "a"]);
    let sent = wire.requests();
    let asked = json!({
        "TableName": TABLE,
        "KeyConditionExpression": "pk = :history",
        "ExpressionAttributeValues": { ":history": { "S": "history" } },
        "ScanIndexForward": false, "ConsistentRead": true, "Limit": 3,
    });
    assert_eq!(sent[0].json(), asked);
    assert_eq!(sent[1].json(), with(asked, "ExclusiveStartKey", key));
    let odd = json!({ "Items": [{ "pk": { "S": "history" } }] });
    let wire = Wire::new().on("Query", Reply::json(&odd));
    assert!(wire.aws().read_history(TABLE, 3).await.is_err());
}

#[tokio::test]
async fn operations_of_the_same_second_are_read_in_the_order_of_their_leases() {
    let item = |id: &str, fence: u64| {
        let mut operation = operation();
        operation.id = OperationId::named(id);
        json!({ "operation": as_text(&operation), "fence": { "N": fence.to_string() } })
    };
    // In DynamoDB's order: by the second, and then by chance.
    let items = json!({ "Items": [
        item("20260102T000000Z-a", 4),
        item("20260101T000000Z-f", 1),
        item("20260101T000000Z-b", 3),
        item("20260101T000000Z-a", 2),
    ] });
    let wire = Wire::new().on("Query", Reply::json(&items));
    let read = wire.aws().read_history(TABLE, 9).await.unwrap();
    let ids: Vec<_> = read.iter().map(|one| one.id.as_str()).collect();
    let expected = [
        "20260102T000000Z-a",
        "20260101T000000Z-b",
        "20260101T000000Z-a",
        "20260101T000000Z-f",
    ];
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_place_in_the_line_counts_until_it_expires() {
    let wire = Wire::new().on("PutItem", done()).on("DeleteItem", done());
    let id = OperationId::named(ID);
    wire.aws()
        .stand_in_line(TABLE, &id, moment())
        .await
        .unwrap();
    wire.aws().leave_line(TABLE, &id).await.unwrap();
    let sent = wire.requests();
    let key = json!({ "pk": { "S": "line" }, "sk": { "S": ID } });
    let item = with(key.clone(), "lease_until", json!({ "N": MOMENT }));
    let item = with(item, "expires_at", json!({ "N": "1700000060" }));
    assert_eq!(sent[0].json(), json!({ "TableName": TABLE, "Item": item }));
    assert_eq!(sent[1].json(), json!({ "TableName": TABLE, "Key": key }));

    let place = |id: &str, until: i128| json!({ "sk": { "S": id }, "lease_until": { "N": until.to_string() } });
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    let line = json!({ "Items": [place("gone", now - 1), place("first", now + 60_000), place("second", now + 60_000)] });
    let wire = Wire::new().on("Query", Reply::json(&line));
    let waiting = wire.aws().read_line(TABLE).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(OperationId::as_str).collect();
    assert_eq!(waiting, ["first", "second"]);
    assert_eq!(
        wire.request().json(),
        json!({
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :line",
            "ExpressionAttributeValues": { ":line": { "S": "line" } },
            "ConsistentRead": true,
        })
    );
}

proptest! {
    #[test]
    fn a_moment_survives_to_the_millisecond(millis in 0i64..4_000_000_000_000) {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).unwrap();
        let item = Item::from([
            ("holder".to_owned(), item::json(&holder())),
            ("lease_until".to_owned(), item::moment(at)),
        ]);
        prop_assert_eq!(item::head(TABLE, &item).unwrap().lease.unwrap().until, at);
    }
}
