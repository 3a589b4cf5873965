use super::*;
use crate::aws::error::AwsErrorKind;
use crate::aws::testing::{Reply, Wire};

const OLD: &str = "arn:aws:ecs:eu-west-1:1:task-definition/nightly:7";
const NEW: &str = "arn:aws:ecs:eu-west-1:1:task-definition/nightly:8";

fn schedule() -> JobTarget {
    JobTarget::Schedule {
        group: "shop/x".to_owned(),
        schedule: "nightly".to_owned(),
    }
}

fn rule(target: Option<&str>) -> JobTarget {
    JobTarget::Rule {
        bus: "default".to_owned(),
        rule: "nightly".to_owned(),
        target: target.map(str::to_owned),
    }
}

async fn aimed(aws: &Aws, target: &JobTarget) -> Result<(), AwsError> {
    let seen = aws.read_job(target).await?;
    aws.aim_job(target, seen, &Revision::new(NEW)).await
}

fn task(id: &str) -> Value {
    json!({
        "Id": id,
        "Arn": "arn:aws:ecs:eu-west-1:1:cluster/shop",
        "Input": "{}",
        "EcsParameters": { "TaskDefinitionArn": OLD, "TaskCount": 1 },
    })
}

const AT: &str = "https://scheduler.eu-west-1.amazonaws.com/schedules/nightly";

#[tokio::test]
async fn a_schedule_is_written_back_with_nothing_else_changed() {
    let seen = json!({
        "Arn": "arn:aws:scheduler:eu-west-1:1:schedule/shop/nightly",
        "Name": "nightly",
        "GroupName": "shop/x",
        "CreationDate": 1.7e9,
        "LastModificationDate": 1.7e9,
        "StartDate": 1_700_000_000.5,
        "State": "DISABLED",
        "Something": "newer",
        "Target": {
            "Arn": "arn:aws:ecs:eu-west-1:1:cluster/shop",
            "EcsParameters": { "TaskDefinitionArn": OLD, "TaskCount": 2 },
        },
    });
    let wire = Wire::new()
        .on(&format!("{AT}?groupName=shop%2Fx"), Reply::json(&seen))
        .on(&format!("PUT {AT}"), Reply::json(&json!({})));
    let aws = wire.aws();
    aimed(&aws, &schedule()).await.unwrap();
    let [_, write] = &wire.requests()[..] else {
        panic!("{:?}", wire.requests());
    };
    assert_eq!(
        write.json(),
        json!({
            "GroupName": "shop/x",
            "StartDate": 1_700_000_000.5,
            "State": "DISABLED",
            "Something": "newer",
            "Target": {
                "Arn": "arn:aws:ecs:eu-west-1:1:cluster/shop",
                "EcsParameters": { "TaskDefinitionArn": NEW, "TaskCount": 2 },
            },
        })
    );
}

#[tokio::test]
async fn the_one_target_of_a_rule_that_runs_a_task_is_written_back() {
    let queue = json!({ "Id": "queue", "Arn": "arn:aws:sqs:eu-west-1:1:q" });
    for _ in 0..2 {
        let wire = Wire::new()
            .on(
                "ListTargetsByRule",
                Reply::json(&json!({ "Targets": [queue], "NextToken": "more" })),
            )
            .on(
                "ListTargetsByRule",
                Reply::json(&json!({ "Targets": [task("a")] })),
            )
            .on("PutTargets", Reply::json(&json!({ "FailedEntryCount": 0 })));
        let aws = wire.aws();
        aimed(&aws, &rule(None)).await.unwrap();
        let requests = wire.requests();
        assert_eq!(requests[1].json()["NextToken"], "more");
        let mut expected = task("a");
        expected["EcsParameters"]["TaskDefinitionArn"] = json!(NEW);
        assert_eq!(requests[2].json()["Targets"], json!([expected]));
    }
}

#[tokio::test]
async fn which_target_is_meant_has_to_be_clear() {
    for (targets, id, expected) in [
        (json!([task("a"), task("b")]), Some("b"), Ok(OLD)),
        (
            json!([task("a"), task("b")]),
            None,
            Err("several of its targets run ECS tasks, a, b"),
        ),
        (json!([task("a")]), Some("c"), Err("it has no target `c`")),
        (json!([]), None, Err("or there is no such rule")),
        (
            json!([{ "Id": "a" }]),
            Some("a"),
            Err("it starts no ECS task"),
        ),
    ] {
        let found = Reply::json(&json!({ "Targets": targets }));
        let wire = Wire::new().on("ListTargetsByRule", found);
        let read = wire.aws().read_job(&rule(id)).await;
        match (read, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.runs_by.as_str(), expected),
            (Err(error), Err(part)) => assert!(error.message.contains(part), "{error}"),
            (read, _) => panic!("{read:?} for {targets}"),
        }
    }
}

#[tokio::test]
async fn a_target_that_is_not_taken_is_an_error() {
    let refused = json!({
        "FailedEntryCount": 1,
        "FailedEntries": [{ "TargetId": "a", "ErrorMessage": "no such role" }],
    });
    let wire = Wire::new()
        .on(
            "ListTargetsByRule",
            Reply::json(&json!({ "Targets": [task("a")] })),
        )
        .on("PutTargets", Reply::json(&refused));
    let aimed = aimed(&wire.aws(), &rule(None)).await;
    assert_eq!(aimed.unwrap_err().message, "no such role");
}

#[tokio::test]
async fn what_is_not_there_is_told_so() {
    let gone = Reply::json_error(404, "ResourceNotFoundException", "gone");
    let wire = Wire::new().on(&format!("{AT}?groupName=shop%2Fx"), gone);
    let error = wire.aws().read_job(&schedule()).await.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::NotFound);
    assert_eq!(error.action, "scheduler:GetSchedule");
    assert_eq!(error.resource, "shop/x/nightly");
}
