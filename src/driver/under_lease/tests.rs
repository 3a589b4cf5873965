use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::error::Error;
use crate::model::journal::OperationOutcome;
use crate::model::testing::holder;

#[test]
fn an_exit_code_says_how_an_operation_ended_where_it_did_not_itself() {
    for (exit, expected) in [
        (Exit::Done, Some(OperationOutcome::Done)),
        (Exit::Failed, Some(OperationOutcome::Failed)),
        (Exit::Usage, Some(OperationOutcome::Failed)),
        (Exit::RolledBack, Some(OperationOutcome::RolledBack)),
        (Exit::LookNow, None),
        (Exit::TimedOut, Some(OperationOutcome::TimedOut)),
        (Exit::Refused, Some(OperationOutcome::Refused)),
        (Exit::Interrupted, Some(OperationOutcome::Interrupted)),
    ] {
        let by_code = conclusion(&Ok(exit)).map(|it| (it.outcome, it.reason));
        assert_eq!(by_code, expected.map(|outcome| (outcome, None)));
        // Causes are not kept: they may be a program's own output.
        let error = Error::new(exit, "why").cause("TOKEN=1");
        let by_error = conclusion(&Err(error)).map(|it| (it.outcome, it.reason));
        let why = Some("why".to_owned());
        assert_eq!(by_error, expected.map(|outcome| (outcome, why)));
    }
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_neither_a_lease_nor_a_place() {
    let done = || Reply::json(&json!({}));
    for (broken, left) in [
        (done(), done()),
        (Reply::Never, done()),
        (Reply::Reset, Reply::Never),
    ] {
        // After waiting, the lease has another id than the place in the line.
        let taken = Holder {
            id: OperationId::named("taken"),
            ..holder()
        };
        let wire = Wire::new()
            .on("GetItem", held_by(&taken))
            .on("UpdateItem", broken)
            .on("DeleteItem", left);
        let session = Session::of_hello(wire.aws());
        give_up(&session, "bgecs-hello", &holder()).await;
        let sent = |operation: &str| {
            let mut all = wire.requests().into_iter();
            let one = all.find(|request| request.operation == operation);
            one.expect(operation).json()
        };
        let update = sent("UpdateItem");
        assert_eq!(update["ConditionExpression"], "#id = :id");
        assert_eq!(update["ExpressionAttributeValues"][":id"]["S"], "taken");
        assert_eq!(sent("DeleteItem")["Key"]["sk"]["S"], holder().id.as_str());
    }
}

#[tokio::test]
async fn who_gives_up_leaves_another_s_lease() {
    let mut bob = holder();
    bob.who.pid += 1;
    let wire = Wire::new()
        .on("GetItem", held_by(&bob))
        .on("DeleteItem", Reply::json(&json!({})));
    let session = Session::of_hello(wire.aws());
    give_up(&session, "bgecs-hello", &holder()).await;
    wire.assert_used_up();
}

fn held_by(holder: &Holder) -> Reply {
    Reply::json(&json!({ "Item": {
        "holder": { "S": serde_json::to_string(holder).unwrap() },
        "holder_id": { "S": holder.id.as_str() },
        "lease_until": { "N": "1700000060000" },
    }}))
}
