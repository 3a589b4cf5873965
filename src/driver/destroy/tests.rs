use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{Reply, Wire, credentials};

fn both() -> ColorServices {
    ColorServices::alone_in("bgecs-hello")
}

fn arn(n: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:1:task-definition/bgecs-hello:{n}")
}

fn revisions(active: &[u32], inactive: &[u32]) -> Revisions {
    let named = |all: &[u32]| all.iter().map(|n| Revision::new(arn(*n))).collect();
    Revisions {
        active: named(active),
        inactive: named(inactive),
    }
}

fn session(wire: &Wire) -> Session {
    Session::of_hello(wire.aws_with(credentials(), 2))
}

fn done() -> Reply {
    Reply::json(&json!({}))
}

fn listed(revisions: &[u32]) -> Reply {
    let arns: Vec<_> = revisions.iter().map(|n| arn(*n)).collect();
    Reply::json(&json!({ "taskDefinitionArns": arns }))
}

fn services(status: &[&str]) -> Reply {
    let service = |(status, name): (&&str, &str)| json!({ "serviceName": name, "status": status });
    let all: Vec<Value> = status.iter().zip(["blue", "green"]).map(service).collect();
    Reply::json(&json!({ "services": all }))
}

fn tasks(arns: &[&str]) -> Reply {
    Reply::json(&json!({ "taskArns": arns }))
}

fn described(status: &str) -> Reply {
    Reply::json(&json!({ "tasks": [{ "taskArn": "task/1", "lastStatus": status }] }))
}

#[tokio::test(start_paused = true)]
async fn only_what_is_active_is_deregistered_and_all_of_it_deleted() {
    let wire = Wire::new()
        .on("DeregisterTaskDefinition", done())
        .on("DeleteTaskDefinitions", done());
    delete_task_definitions(&session(&wire), &revisions(&[3], &[1, 2]))
        .await
        .unwrap();
    let sent = wire.requests();
    assert_eq!(sent[0].json()["taskDefinition"], arn(3));
    assert_eq!(
        sent[1].json()["taskDefinitions"],
        json!([arn(1), arn(2), arn(3)])
    );
}

#[tokio::test(start_paused = true)]
async fn what_ecs_will_not_delete_is_told_with_its_reason() {
    let failures = json!({ "failures": [
        { "arn": arn(1), "reason": "ACCESS_DENIED", "detail": "a tag forbids it" },
        { "arn": arn(2), "reason": "TASK_DEFINITION_NOT_FOUND" },
    ]});
    let answered = |left: &[u32]| {
        Wire::new()
            .on("DeleteTaskDefinitions", Reply::json(&failures))
            .on("ListTaskDefinitions", listed(&[]))
            .on("ListTaskDefinitions", listed(left))
    };
    let session = session(&answered(&[1]));
    let error = delete_task_definitions(&session, &revisions(&[], &[1, 2]))
        .await
        .unwrap_err();
    assert_eq!(error.exit, Exit::Failed);
    assert_eq!(error.message, "1 task definition could not be deleted");
    assert_eq!(
        error.causes,
        ["bgecs-hello:1: ACCESS_DENIED: a tag forbids it"]
    );
    // After a lost answer, the second attempt fails because of what the first one did.
    let session = self::session(&answered(&[]));
    let deleted = delete_task_definitions(&session, &revisions(&[], &[1, 2])).await;
    assert!(deleted.is_ok(), "{deleted:?}");
}

#[tokio::test(start_paused = true)]
async fn services_that_drain_and_tasks_that_stop_are_waited_for() {
    let none = || tasks(&[]);
    let wire = Wire::new()
        .on("DescribeServices", services(&["DRAINING", "INACTIVE"]))
        .on("ListTasks", tasks(&["task/1"]))
        .on("ListTasks", none())
        // No running task is listed.
        .on("DescribeServices", services(&["INACTIVE", "INACTIVE"]))
        .on("ListTasks", none())
        .on("ListTasks", tasks(&["task/1"]))
        .on("DescribeTasks", described("DEPROVISIONING"))
        .on("DescribeServices", services(&["DRAINING"]))
        .on("ListTasks", none())
        .on("ListTasks", none())
        .on("DescribeServices", services(&[]))
        .on("ListTasks", none())
        .on("ListTasks", tasks(&["task/1"]))
        .on("DescribeTasks", described("STOPPED"));
    await_no_task(&session(&wire), &both(), true).await.unwrap();
    wire.assert_used_up();
}

#[tokio::test(start_paused = true)]
async fn a_task_of_no_service_is_waited_for_only_where_it_is_told_to_stop() {
    let wire = Wire::new()
        .on("DescribeServices", services(&[]))
        .on("ListTasks", tasks(&["task/2"]))
        .on("ListTasks", tasks(&["task/1"]))
        .on("DescribeTasks", described("STOPPING"))
        .on("DescribeServices", services(&[]))
        .on("ListTasks", tasks(&["task/2"]))
        .on("ListTasks", tasks(&[]));
    let waited = await_no_task(&session(&wire), &both(), false).await;
    assert!(waited.is_ok(), "{waited:?}");
    wire.assert_used_up();
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_gone_holds_nothing() {
    let gone = || Reply::json_error(400, "ClusterNotFoundException", "no cluster");
    let wire = Wire::new()
        .on("DescribeServices", gone())
        .on("ListTasks", gone());
    await_no_task(&session(&wire), &both(), true).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_a_service_whose_answer_was_lost_is_looked_for() {
    for (status, is_done) in [
        (&["DRAINING"][..], true),
        (&["INACTIVE"], true),
        (&[], true),
        (&["ACTIVE"], false),
    ] {
        let wire = Wire::new()
            .on("DeleteService", Reply::Reset)
            .on("DeleteService", Reply::Reset);
        let rounds = if is_done { 1 } else { 3 };
        let wire = (0..rounds).fold(wire, |wire, _| {
            wire.on("DescribeServices", services(status))
        });
        let deleted = delete_service(&session(&wire), &both(), Color::Blue).await;
        assert_eq!(deleted.is_ok(), is_done, "{status:?}");
        wire.assert_used_up();
    }
}

#[tokio::test]
async fn a_destroy_that_is_cut_short_says_that_users_are_cut_off() {
    let inventory = Inventory {
        names: ColorServices::alone_in("bgecs-hello"),
        stack: None,
        services: Vec::new(),
        task_definitions: revisions(&[], &[]),
    };
    let interrupted = || Error::new(Exit::Interrupted, "interrupted while destroying");
    let wire = Wire::new()
        .on("UpdateItem", done())
        .on("UpdateItem", done());
    let turn = Turn::for_tests(&wire.aws(), crate::model::journal::Head::default());
    let early = cut_short(Some(&turn), &inventory, interrupted());
    assert_eq!((early.exit, early.traffic), (Exit::Interrupted, None));
    let color = Color::Blue;
    turn.about_to(Effect::DeleteService { color })
        .await
        .unwrap();
    let late = cut_short(Some(&turn), &inventory, interrupted());
    assert_eq!(late.exit, Exit::LookNow);
    assert!(late.traffic.unwrap().contains("gone"));
}
