use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::error::Error;
use crate::model::testing::holder;

#[test]
fn an_exit_code_says_how_an_operation_ended_where_it_did_not_itself() {
    for (exit, expected) in [
        (Exit::Done, Some(Outcome::Done)),
        (Exit::Failed, Some(Outcome::Failed)),
        (Exit::Usage, Some(Outcome::Failed)),
        (Exit::RolledBack, Some(Outcome::RolledBack)),
        (Exit::LookNow, None),
        (Exit::TimedOut, Some(Outcome::TimedOut)),
        (Exit::Refused, Some(Outcome::Refused)),
        (Exit::Interrupted, Some(Outcome::Interrupted)),
    ] {
        let by_code = conclusion(&Ok(exit)).map(|it| (it.outcome, it.reason));
        assert_eq!(by_code, expected.map(|outcome| (outcome, None)));
        // The causes, which may be a program's own lines, are not kept.
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
        let wire = Wire::new().on("UpdateItem", broken).on("DeleteItem", left);
        let session = Session::of_hello(wire.aws());
        let id = holder().id;
        give_up(&session, "bgecs-hello", &id).await;
        let sent = wire.requests();
        assert_eq!(sent.len(), 2, "{sent:?}");
        let update = sent[0].json();
        assert_eq!(update["ConditionExpression"], "#id = :id");
        assert_eq!(update["ExpressionAttributeValues"][":id"]["S"], id.as_str());
        assert_eq!(sent[1].json()["Key"]["sk"]["S"], id.as_str());
    }
}
