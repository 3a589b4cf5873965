use std::collections::BTreeSet;

use super::named::stack_failed;
use super::*;
use crate::aws::testing::{Reply, Wire, credentials};
use crate::config::{Config, DEFAULT_POLICY};
use crate::engine::plan::REDIRECT;
use crate::error::Exit;
use crate::model::GivenFound;

const NAME: &str = "bgecs-hello";

fn refused(code: &str) -> Reply {
    Reply::xml_error(400, code, "no")
}

/// The events of the stack; the newest has that token.
fn events(token: &str) -> Reply {
    Reply::xml(
        "DescribeStackEvents",
        &format!(
            "<StackEvents><member><StackId>1</StackId><EventId>e</EventId><StackName>{NAME}</StackName>\
             <Timestamp>2026-01-01T00:00:00Z</Timestamp><ClientRequestToken>{token}</ClientRequestToken></member></StackEvents>"
        ),
    )
}

fn lost(operation: &str, then: Reply) -> Wire {
    Wire::new().on(operation, Reply::Reset).on(operation, then)
}

fn session(wire: &Wire) -> Session {
    Session::of_hello(wire.aws_with(credentials(), 2))
}

/// With the token of the call, which is different each time.
async fn begun(wire: &Wire, update: bool, own: bool) -> Result<()> {
    let session = session(wire);
    let inputs = StackInputs::new();
    let named = NamedStack::of(&session);
    let token = named.token();
    let seen = events(if own { &token } else { "another-s" });
    let rounds = if own { 1 } else { 3 };
    let wire = (0..rounds).fold(wire.clone(), |wire, _| {
        wire.on("DescribeStackEvents", seen.clone())
    });
    let done = if update {
        let updated = session
            .aws
            .update_stack(NAME, "hello", (TEMPLATE, &inputs), &token)
            .await;
        named.or_begun(updated, &token).await.map(drop)?;
        Ok(())
    } else {
        named.create((TEMPLATE, &inputs), &token).await
    };
    wire.assert_used_up();
    done
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_was_lost_goes_on() {
    for then in [
        refused("AlreadyExistsException"),
        Reply::Reset,
        Reply::xml_error(500, "InternalFailure", "oh"),
    ] {
        let done = begun(&lost("CreateStack", then), false, true).await;
        assert!(done.is_ok(), "{done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_else_made_is_not_taken_for_ones_own() {
    let there = lost("CreateStack", refused("AlreadyExistsException"));
    let error = begun(&there, false, false).await.unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    assert_eq!(
        error.message,
        "something else has made the stack bgecs-hello meanwhile"
    );
    let never = lost("CreateStack", Reply::Reset);
    let error = begun(&never, false, false).await.unwrap_err();
    assert_eq!(error.exit, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_answer_was_lost_goes_on() {
    // The second attempt finds the first one.
    let busy = Reply::xml_error(
        400,
        "ValidationError",
        "Stack:1 is in UPDATE_IN_PROGRESS state and can not be updated.",
    );
    for then in [busy, Reply::Reset] {
        let done = begun(&lost("UpdateStack", then.clone()), true, true).await;
        assert!(done.is_ok(), "{done:?}");
        assert!(
            begun(&lost("UpdateStack", then), true, false)
                .await
                .is_err()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_another_reason_is_not_looked_into() {
    let wire = Wire::new().on("CreateStack", refused("AccessDenied"));
    let session = session(&wire);
    let made = (TEMPLATE, &StackInputs::new());
    let created = NamedStack::of(&session).create(made, "token").await;
    assert_eq!(created.unwrap_err().exit, Exit::Failed);
    assert_eq!(wire.requests().len(), 1);
}

fn stack(status: &str) -> Reply {
    Reply::xml(
        "DescribeStacks",
        &format!(
            "<Stacks><member><StackId>stack/1</StackId><StackName>{NAME}</StackName>\
             <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus></member></Stacks>"
        ),
    )
}

fn no_events() -> Reply {
    Reply::xml("DescribeStackEvents", "<StackEvents/>")
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_answer_was_lost_goes_on() {
    for (seen, is_done) in [
        (stack("DELETE_IN_PROGRESS"), true),
        (stack("DELETE_COMPLETE"), true),
        (stack("CREATE_COMPLETE"), false),
    ] {
        let wire = lost("DeleteStack", Reply::Reset)
            .on("DescribeStacks", stack("CREATE_COMPLETE"))
            .on("DescribeStackEvents", no_events())
            .on("DescribeStacks", seen.clone());
        let wire = match is_done {
            true => wire
                .on("DescribeStacks", stack("DELETE_COMPLETE"))
                .on("DescribeStackEvents", no_events()),
            false => wire
                .on("DescribeStacks", seen.clone())
                .on("DescribeStacks", seen),
        };
        let session = session(&wire);
        let before = session.aws.read_stack(NAME).await.unwrap().unwrap();
        assert_eq!(delete(&session, &before).await.is_ok(), is_done);
        wire.assert_used_up();
    }
}

/// The stack of the model's infrastructure.
fn made() -> StackSnapshot {
    let outputs = [
        ("ClusterName", "bgecs-hello"),
        ("RepositoryName", "bgecs-hello"),
        ("RepositoryUri", "registry/bgecs-hello"),
        ("LoadBalancerArn", "balancer/app"),
        ("LoadBalancerDnsName", "lb.example"),
        ("ProdListenerArn", "listener/prod"),
        ("TestListenerArn", "listener/test"),
        ("BlueTargetGroupArn", "tg/blue"),
        ("GreenTargetGroupArn", "tg/green"),
        ("SubnetIds", "subnet-1"),
        ("TaskSecurityGroupId", "sg-1"),
        ("ExecutionRoleArn", "role/execution"),
        ("TaskRoleArn", "role/task"),
        ("LogGroupName", "/bgecs/hello"),
        ("JournalTableName", "bgecs-hello"),
    ];
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    StackSnapshot {
        id: "stack/1".to_owned(),
        name: NAME.to_owned(),
        status: StackStatus::Ready,
        status_text: "CREATE_COMPLETE".to_owned(),
        reason: None,
        parameters: [].into(),
        outputs: outputs.into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_something_else_deleted_is_made_again_as_it_was() {
    use crate::engine::plan::Part;
    use crate::model::Route;
    use serde_json::json;

    let production = "<Listeners><member><ListenerArn>listener/prod</ListenerArn><DefaultActions><member>\
                <Type>forward</Type><TargetGroupArn>tg/green</TargetGroupArn></member></DefaultActions></member></Listeners>";
    let truth = json!({ "prod": "green", "test": "blue" }).to_string();
    let head = json!({ "Item": { "fence": { "N": "3" }, "truth": { "S": truth } } });
    let health = || Reply::xml("DescribeTargetHealth", "<TargetHealthDescriptions/>");
    // The listener of port 80 exists and shows who is live; or the journal does.
    for (listeners, gone) in [
        (
            production,
            vec![Part::Listener(Route::Test, "port 81".to_owned())],
        ),
        (
            "<Listeners/>",
            vec![
                Part::Listener(Route::Production, "port 80".to_owned()),
                Part::Listener(Route::Test, "port 81".to_owned()),
            ],
        ),
    ] {
        let wire = Wire::new()
            .on(
                "DescribeListeners",
                Reply::xml("DescribeListeners", listeners),
            )
            .on("DescribeTargetHealth", health())
            .on("DescribeTargetHealth", health())
            .on("DescribeServices", Reply::json(&json!({ "services": [] })))
            .on("GetItem", Reply::json(&head))
            .on("DescribeRepositories", Reply::json(&json!({})))
            .on("FilterLogEvents", Reply::json(&json!({})));
        let prepared = prepare(
            &session(&wire),
            (&Needs::default(), 80),
            Some(made()),
            false,
        )
        .await
        .unwrap();
        assert_eq!(prepared.plan, StackPlan::Mend { gone });
        assert_eq!(prepared.inputs[LIVE_COLOR], "green");
        wire.assert_used_up();
    }
}

#[tokio::test]
async fn a_stack_that_is_not_well_is_refused_before_anything_is_asked() {
    for (text, status) in [
        ("REVIEW_IN_PROGRESS", StackStatus::InReview),
        ("UPDATE_ROLLBACK_FAILED", StackStatus::Stuck),
        ("DELETE_FAILED", StackStatus::DeleteFailed),
    ] {
        let stack = StackSnapshot {
            status,
            status_text: text.to_owned(),
            ..made()
        };
        let sentence = stack.sentence();
        let error = prepare(
            &session(&Wire::new()),
            (&Needs::default(), 80),
            Some(stack),
            false,
        )
        .await;
        let error = error.map(drop).unwrap_err();
        assert_eq!((error.exit, error.message), (Exit::Refused, sentence));
        assert!(error.hint.is_some());
    }
}

#[test]
fn a_resource_that_may_not_be_made_says_what_to_allow() {
    let stack = StackSnapshot {
        status: StackStatus::Broken,
        status_text: "ROLLBACK_COMPLETE".to_owned(),
        ..made()
    };
    let why = "LoadBalancer (AWS::ElasticLoadBalancingV2::LoadBalancer): User: x is not authorized to perform: iam:CreateServiceLinkedRole on resource: arn:aws:iam::1:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing";
    let hint = stack_failed(NAME, Some(&stack), Some(why.to_owned())).hint;
    let hint = hint.unwrap();
    let (first, second) = hint.split_once('\n').unwrap();
    assert!(
        first.contains("--aws-service-name elasticloadbalancing.amazonaws.com`"),
        "{first}"
    );
    assert!(second.contains("`bgecs destroy` removes it"), "{second}");
}

#[test]
fn more_secrets_than_the_stack_can_be_told_of_are_refused() {
    let session = Session::of_hello(Wire::new().aws());
    let secret =
        |n: usize| format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s{n}-AbCdEf");
    let with = |count: usize| Needs {
        secrets: (0..count).map(secret).collect(),
        ..Needs::default()
    };
    let inputs = |needs: &Needs| inputs(&session.config, needs, &GivenFound::default(), "none");
    assert_eq!(
        inputs(&with(2))["SecretArns"],
        [secret(0), secret(1)].join(",")
    );
    assert!(refuse_too_long(&inputs(&with(50))).is_ok());
    let error = refuse_too_long(&inputs(&with(70))).unwrap_err();
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.message.contains("SecretArns of the stack"), "{error}");
}

#[test]
fn certificates_and_the_public_name_are_parameters_of_the_template() {
    let arn = |id: &str| format!("arn:aws:acm:eu-west-1:123456789012:certificate/{id}");
    let text = format!(
        "app = 'hello'\n[production]\nurl = 'https://shop.example.com'\n[tls]\n\
         certificate = ['{}', '{}']",
        arn("a"),
        arn("b")
    );
    let inputs = |text: &str| {
        let config = Config::parse(text, "/srv/hello/bgecs.toml".as_ref()).unwrap();
        inputs(&config, &Needs::default(), &GivenFound::default(), "none")
    };
    let secure = inputs(&text);
    for (name, value) in [
        ("CertificateArn", arn("a")),
        ("CertificateArn2", arn("b")),
        ("CertificateArn5", String::new()),
        ("PublicUrl", "https://shop.example.com".to_owned()),
        ("TlsPolicy", DEFAULT_POLICY.to_owned()),
        (PLAIN_PORT, REDIRECT.to_owned()),
    ] {
        assert_eq!(secure[name], value, "{name}");
    }
    let plain = inputs("app = 'hello'");
    assert_eq!(
        (
            plain["CertificateArn"].as_str(),
            plain["PublicUrl"].as_str()
        ),
        ("", "")
    );
    assert_eq!(plain[PLAIN_PORT], FORWARD);

    let (_, from) = TEMPLATE.split_once("\nParameters:\n").unwrap();
    let (parameters, _) = from.split_once("\nConditions:\n").unwrap();
    let parameters = parameters.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.strip_suffix(':')?;
        name.starts_with(|c: char| c.is_ascii_uppercase())
            .then_some(name)
    });
    assert_eq!(
        secure.keys().copied().collect::<BTreeSet<_>>(),
        parameters.collect()
    );
    assert!(secure.keys().eq(plain.keys()));
}
