use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire, credentials};
use crate::driver::look_ahead::testing::listeners;
use crate::error::Exit;
use crate::model::Revision;
use crate::model::journal::{Fate, Head};
use crate::model::testing::{observed, service, to};

fn done() -> Reply {
    Reply::json(&json!({}))
}

/// The service as it is read then.
fn seen(revision: &str, desired: i32, deployment: &str) -> Reply {
    let service = json!({
        "serviceName": "blue", "status": "ACTIVE", "taskDefinition": revision,
        "desiredCount": desired,
        "deployments": [{ "id": deployment, "status": "PRIMARY", "taskDefinition": revision }],
    });
    Reply::json(&json!({ "services": [service] }))
}

/// The result of an update onto blue, idle with one task of `hello:1`, and what the
/// journal says about it.
async fn updates(wire: &Wire, change: &ServiceChange<'_>) -> (Result<()>, Option<Fate>) {
    let session = Session::of_hello(wire.aws_with(credentials(), 2));
    let turn = Turn::for_tests(&session.aws, Head::default());
    let mut observed = observed();
    observed.colors.blue.service = Some(service(1));
    let updated = update(&session, &turn, &observed, Color::Blue, change).await;
    let fate = turn.operation().entries[0].fate.clone();
    (updated.map(drop), fate)
}

fn as_planned() -> Wire {
    Wire::new().on("UpdateItem", done()).on(
        "DescribeListeners",
        listeners(&to(Color::Green), &to(Color::Blue)),
    )
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_answer_was_lost_is_looked_for() {
    let revision = Revision::new("hello:2");
    let deploy = ServiceChange {
        task_definition: Some(&revision),
        ..ServiceChange::default()
    };
    let scale = ServiceChange {
        desired: Some(3),
        ..ServiceChange::default()
    };
    let restart = ServiceChange {
        restart: true,
        ..ServiceChange::default()
    };
    let old = "task-definition/bgecs-hello:1";
    for (change, found, missing) in [
        (deploy, seen("hello:2", 1, "d2"), seen(old, 1, "d1")),
        (scale, seen(old, 3, "d1"), seen(old, 1, "d1")),
        (restart, seen(old, 1, "d2"), seen(old, 1, "d1")),
    ] {
        let lost = || {
            as_planned()
                .on("UpdateService", Reply::Reset)
                .on("UpdateService", Reply::Reset)
        };
        // It can take a while to become visible.
        let wire = lost()
            .on("DescribeServices", missing.clone())
            .on("DescribeServices", found);
        let (updated, fate) = updates(&wire, &change).await;
        assert!(updated.is_ok(), "{updated:?}");
        assert_eq!(fate, None, "whoever goes on says that it is done");
        wire.assert_used_up();

        let wire = (0..3).fold(lost(), |wire, _| {
            wire.on("DescribeServices", missing.clone())
        });
        let (updated, fate) = updates(&wire, &change).await;
        assert_eq!(updated.unwrap_err().exit, Exit::Failed);
        assert_eq!(fate, None, "it is not known");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_was_refused_did_not_happen() {
    let denied = Reply::json_error(400, "AccessDeniedException", "no");
    let wire = as_planned().on("UpdateService", denied);
    let (updated, fate) = updates(&wire, &ServiceChange::default()).await;
    assert_eq!(updated.unwrap_err().exit, Exit::Failed);
    assert!(matches!(fate, Some(Fate::Failed(_))), "{fate:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_users_were_moved() {
    let moved = || listeners(&to(Color::Blue), &to(Color::Blue));
    let wire = (0..8).fold(Wire::new().on("UpdateItem", done()), |wire, _| {
        wire.on("DescribeListeners", moved())
    });
    let (updated, fate) = updates(&wire, &ServiceChange::default()).await;
    let error = updated.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert_eq!(
        error.message,
        "port 80 forwards to blue, and to green when this began: something else changed it, \
         so blue is left as it is"
    );
    assert!(matches!(fate, Some(Fate::Failed(_))), "{fate:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_the_journal_cannot_be_written() {
    let denied = Reply::json_error(400, "AccessDeniedException", "no");
    let wire = Wire::new().on("UpdateItem", denied);
    let (updated, fate) = updates(&wire, &ServiceChange::default()).await;
    assert_eq!(updated.unwrap_err().exit, Exit::Failed);
    assert!(matches!(fate, Some(Fate::Failed(_))), "{fate:?}");
    assert_eq!(wire.requests().len(), 1);
}
