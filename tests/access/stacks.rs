//! What the stack allows: a dry run is refused what the run would be. And what is
//! said where nothing is deployed, or where there is no stack at all.

use super::{Aws, Sts, answer};
use crate::support::{Desk, Ended, Outcome};

/// In which releases go on: users' requests go through such a stack as ever.
const USABLE: [&str; 9] = [
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "IMPORT_ROLLBACK_FAILED",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
    // There is none.
    "DELETE_COMPLETE",
];

/// All others that CloudFormation names.
const UNUSABLE: [&str; 14] = [
    "CREATE_FAILED",
    "CREATE_IN_PROGRESS",
    "DELETE_FAILED",
    "DELETE_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
];

const OUTPUTS: [&str; 15] = [
    "ClusterName",
    "RepositoryName",
    "RepositoryUri",
    "LoadBalancerDnsName",
    "LoadBalancerArn",
    "ProdListenerArn",
    "TestListenerArn",
    "BlueTargetGroupArn",
    "GreenTargetGroupArn",
    "SubnetIds",
    "TaskSecurityGroupId",
    "ExecutionRoleArn",
    "TaskRoleArn",
    "LogGroupName",
    "JournalTableName",
];

impl Aws {
    /// The app's stack in that state, and nothing was ever deployed.
    fn of_stack(status: &str) -> Outcome<Self> {
        let outputs = OUTPUTS.map(|name| {
            format!(
                "<member><OutputKey>{name}</OutputKey><OutputValue>{name}</OutputValue></member>"
            )
        });
        let stacks = xml(
            "DescribeStacks",
            &format!(
                "<Stacks><member><StackId>1</StackId><StackName>bgecs-hello</StackName>\
                 <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus>\
                 <Outputs>{}</Outputs></member></Stacks>",
                outputs.concat()
            ),
        );
        let listeners = ["ProdListenerArn", "TestListenerArn"].map(|arn| {
            format!(
                "<member><ListenerArn>{arn}</ListenerArn><DefaultActions><member>\
                 <Type>fixed-response</Type><FixedResponseConfig><StatusCode>503</StatusCode>\
                 <MessageBody>bgecs: nothing is live yet</MessageBody></FixedResponseConfig></member></DefaultActions></member>"
            )
        });
        let listeners = xml(
            "DescribeListeners",
            &format!("<Listeners>{}</Listeners>", listeners.concat()),
        );
        Self::answering(move |operation, head| {
            let text = match operation {
                "DescribeStacks" => stacks.clone(),
                "DescribeListeners" => listeners.clone(),
                "DescribeRules" => xml(operation, "<Rules/>"),
                "DescribeTargetHealth" => xml(operation, "<TargetHealthDescriptions/>"),
                "UpdateItem" => r#"{"Attributes":{"fence":{"N":"1"}}}"#.to_owned(),
                "GetItem" | "PutItem" | "DeleteItem" => "{}".to_owned(),
                "Query" => r#"{"Items":[]}"#.to_owned(),
                "FilterLogEvents" => r#"{"events":[]}"#.to_owned(),
                _ => return answer(operation, head, Sts::Role),
            };
            (200, text)
        })
    }
}

fn xml(operation: &str, inner: &str) -> String {
    format!(
        "<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
    )
}

/// Without whose account it is, which a dry run need not say.
fn refusal(ended: &Ended) -> (Option<i32>, String) {
    let lines = ended.stderr.lines();
    let lines = lines.filter(|line| !line.starts_with("account "));
    (ended.code, lines.collect::<Vec<_>>().join("\n"))
}

/// With a folder that could be built.
fn desk(aws: &Aws) -> Outcome<Desk> {
    let desk = aws.desk()?;
    desk.write("app/Dockerfile", "FROM scratch\n")?;
    Ok(desk)
}

#[test]
fn a_dry_run_is_refused_what_the_run_is_because_of_the_stack() -> Outcome {
    for status in UNUSABLE {
        let aws = Aws::of_stack(status)?;
        let desk = desk(&aws)?;
        for line in [
            &["deploy", "app", "--tag", "1"][..],
            &["promote"],
            &["promote", "blue"],
            &["promote", "--tag", "2"],
            &["retire"],
            &["init"],
        ] {
            let (run, dry) = (
                desk.bgecs(line)?,
                desk.bgecs(&[line, &["--dry-run"]].concat())?,
            );
            assert_eq!(refusal(&run), refusal(&dry), "{status}: {}", dry.shown());
            assert_eq!(dry.code, Some(6), "{}", dry.shown());
            let state = format!("the stack bgecs-hello is {status}: ");
            assert!(dry.stderr.contains(&state), "{}", dry.shown());
            assert!(dry.stderr.contains("hint:"), "{}", dry.shown());
        }
        let asked = aws.operations();
        let only = asked.iter().find(|operation| {
            !["DescribeStacks", "GetCallerIdentity"].contains(&operation.as_str())
        });
        assert_eq!(only, None, "{status}");
    }
    Ok(())
}

#[test]
fn a_stack_that_is_not_well_but_serves_stops_no_dry_run() -> Outcome {
    for status in USABLE
        .into_iter()
        .filter(|status| !status.starts_with("DELETE"))
    {
        let aws = Aws::of_stack(status)?;
        let ended = desk(&aws)?.bgecs(&["deploy", "app", "--tag", "1", "--dry-run"])?;
        assert_eq!(ended.code, Some(0), "{status}: {}", ended.shown());
        assert!(
            ended.stdout.contains("create the service blue"),
            "{}",
            ended.shown()
        );
    }
    Ok(())
}

#[test]
fn where_nothing_is_deployed_each_command_says_what_to_type() -> Outcome {
    let aws = Aws::of_stack("CREATE_COMPLETE")?;
    let desk = desk(&aws)?;
    let first = "`bgecs deploy . --tag 1` makes the first release live";
    for line in [
        &["promote"][..],
        &["promote", "blue"],
        &["promote", "green"],
        &["promote", "--tag", "2"],
        &["promote", "blue", "--tag", "2"],
        &["rollback"],
        &["rollback", "--now"],
        &["retire"],
    ] {
        let (run, dry) = (
            desk.bgecs(line)?,
            desk.bgecs(&[line, &["--dry-run"]].concat())?,
        );
        for ended in [run, dry] {
            assert_eq!(ended.code, Some(6), "{}", ended.shown());
            for part in ["nothing is deployed yet\n", first] {
                assert!(ended.stderr.contains(part), "{part}: {}", ended.shown());
            }
        }
    }
    for line in [&["logs"][..], &["logs", "blue"], &["logs", "green"]] {
        let ended = desk.bgecs(line)?;
        assert_eq!(ended.code, Some(2), "{}", ended.shown());
        assert!(ended.stderr.contains(first), "{}", ended.shown());
    }
    let ended = desk.bgecs(&["status"])?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let sentence = format!("Nothing is deployed yet: {first}.");
    assert!(ended.stdout.contains(&sentence), "{}", ended.shown());
    Ok(())
}

#[test]
fn ahead_of_init_it_is_said_what_will_be_paid_for() -> Outcome {
    let aws = Aws::start(Sts::Role)?;
    let desk = desk(&aws)?;
    let sentence = "1 Application Load Balancer, and for each colour that is deployed, until \
                    `bgecs retire`, 2 tasks of 0.25 vCPU and 0.5 GB";
    let ended = desk.bgecs(&["init", "--dry-run"])?;
    assert!(ended.stdout.contains(sentence), "{}", ended.shown());
    let json = desk.bgecs(&["init", "--dry-run", "--json"])?.json()?;
    let costs = json["costs"].as_str().unwrap_or_default();
    assert!(costs.contains(sentence), "{json:#}");
    Ok(())
}

#[test]
fn ahead_of_init_each_each_command_says_that_there_is_no_stack() -> Outcome {
    for aws in [Aws::start(Sts::Role)?, Aws::of_stack("DELETE_COMPLETE")?] {
        let desk = desk(&aws)?;
        for line in [
            &["deploy", "app", "--tag", "1"][..],
            &["deploy", "app", "--tag", "1", "--dry-run"],
            &["promote"],
            &["promote", "blue"],
            &["promote", "--tag", "2"],
            &["promote", "--dry-run"],
            &["rollback"],
            &["retire"],
            &["retire", "--dry-run"],
            &["status"],
            &["logs"],
            &["logs", "blue"],
            &["history"],
            &["resume"],
            &["adopt"],
            &["unlock"],
            &["probe"],
        ] {
            let ended = desk.bgecs(line)?;
            assert_eq!(ended.code, Some(1), "{}", ended.shown());
            for part in [
                "there is no stack bgecs-hello in eu-west-1",
                "`bgecs init` creates it",
            ] {
                assert!(ended.stderr.contains(part), "{part}: {}", ended.shown());
            }
        }
    }
    Ok(())
}
