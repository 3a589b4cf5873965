use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire, listeners};
use crate::model::Route;
use crate::model::testing::{by_rules, infrastructure};

const TOKEN: &str = "20231114T221320Z-0000002a";

/// Everything exists, except for these operations, whose part is gone.
fn wire(gone: &[(&str, &str)]) -> Wire {
    let health = || Reply::xml("DescribeTargetHealth", "<TargetHealthDescriptions/>");
    let all = [
        ("DescribeListeners", listeners()),
        ("DescribeTargetHealth", health()),
        ("DescribeServices", Reply::json(&json!({ "services": [] }))),
        ("GetItem", Reply::json(&json!({}))),
        (
            "DescribeRepositories",
            Reply::json(&json!({ "repositories": [] })),
        ),
        ("FilterLogEvents", Reply::json(&json!({ "events": [] }))),
    ];
    let wire = all
        .into_iter()
        .fold(Wire::new(), |wire, (operation, reply)| {
            let code = gone.iter().find(|(other, _)| *other == operation);
            wire.on(
                operation,
                match code {
                    Some((_, code)) if operation == "DescribeListeners" => {
                        Reply::xml_error(400, code, "no")
                    }
                    Some((_, code)) if operation == "DescribeTargetHealth" => {
                        Reply::xml_error(400, code, "no")
                    }
                    Some((_, code)) => Reply::json_error(400, code, "no"),
                    None => reply,
                },
            )
        });
    wire.on("DescribeTargetHealth", health())
}

async fn gone(wire: &Wire) -> Vec<Part> {
    let session = Session::of_hello(wire.aws());
    look(&session, &infrastructure()).await.unwrap().gone
}

#[tokio::test(start_paused = true)]
async fn each_part_that_is_gone_is_found() {
    assert_eq!(gone(&wire(&[])).await, []);
    for (operation, code, parts) in [
        (
            "DescribeTargetHealth",
            "TargetGroupNotFound",
            vec![Part::TargetGroup(Color::Blue)],
        ),
        (
            "DescribeServices",
            "ClusterNotFoundException",
            vec![Part::Cluster],
        ),
        (
            "GetItem",
            "ResourceNotFoundException",
            vec![Part::JournalTable],
        ),
        (
            "DescribeRepositories",
            "RepositoryNotFoundException",
            vec![Part::Repository],
        ),
        (
            "FilterLogEvents",
            "ResourceNotFoundException",
            vec![Part::LogGroup],
        ),
        (
            "DescribeListeners",
            "LoadBalancerNotFound",
            vec![
                Part::LoadBalancer,
                Part::Listener(Route::Production, "port 80".to_owned()),
                Part::Listener(Route::Test, "port 81".to_owned()),
            ],
        ),
    ] {
        assert_eq!(
            gone(&wire(&[(operation, code)])).await,
            parts,
            "{operation}"
        );
    }
}

/// Rules are looked for if the routes are rules.
#[tokio::test(start_paused = true)]
async fn a_rule_of_a_route_that_is_gone_is_found() {
    let rule = |arn: &str, color: &str| {
        format!(
            "<member><RuleArn>{arn}</RuleArn><Actions><member><Type>forward</Type>\
             <TargetGroupArn>tg/{color}</TargetGroupArn></member></Actions></member>"
        )
    };
    let all = [
        ("rule/prod", "green"),
        ("rule/blue", "blue"),
        ("rule/green", "green"),
    ];
    let parts = [
        Part::Rule(Route::Production, "port 80".to_owned()),
        Part::HeaderRule(Color::Blue, "port 80".to_owned()),
        Part::HeaderRule(Color::Green, "port 80".to_owned()),
    ];
    for (left_out, part) in all.iter().zip(parts) {
        let left = all.iter().filter(|rule| *rule != left_out);
        let left: String = left.map(|(arn, color)| rule(arn, color)).collect();
        let wire = wire(&[]).on(
            "DescribeRules",
            Reply::xml("DescribeRules", &format!("<Rules>{left}</Rules>")),
        );
        let session = Session::of_hello(wire.aws());
        let remains = look(&session, &by_rules()).await.unwrap();
        assert_eq!(remains.gone, std::slice::from_ref(&part));
        let live = remains.live().ok();
        let expected = (!matches!(part, Part::Rule(..))).then_some(Color::Green);
        assert_eq!(live.flatten(), expected, "{part}");
    }
    let denied = wire(&[]).on("DescribeRules", Reply::xml_error(403, "AccessDenied", "no"));
    let session = Session::of_hello(denied.aws());
    let error = look(&session, &by_rules()).await.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_to_https_is_a_part_too() {
    for (redirect, expected) in [
        // It is one of the two that exist.
        ("listener/test", vec![]),
        (
            "listener/gone",
            vec![Part::Listener(Route::Production, "port 80".to_owned())],
        ),
    ] {
        let wire = wire(&[]).on("DescribeListeners", listeners());
        let mut infra = infrastructure();
        infra.redirect = Some(crate::model::ListenerArn::new(redirect));
        let left = look(&Session::of_hello(wire.aws()), &infra).await.unwrap();
        assert_eq!(left.gone, expected, "{redirect}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_not_taken_for_gone() {
    let denied = wire(&[("DescribeServices", "AccessDeniedException")]);
    let session = Session::of_hello(denied.aws());
    let error = look(&session, &infrastructure()).await.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::Denied);
}

fn change_set(status: &str) -> Reply {
    let reason = "<StatusReason>The submitted information didn't contain changes.</StatusReason>";
    Reply::xml(
        "DescribeChangeSet",
        &format!("<Status>{status}</Status>{reason}"),
    )
}

fn making() -> Wire {
    Wire::new()
        .on(
            "CreateChangeSet",
            Reply::xml("CreateChangeSet", "<Id>1</Id>"),
        )
        .on("DescribeChangeSet", change_set("CREATE_IN_PROGRESS"))
}

async fn begun(wire: &Wire) -> Result<()> {
    let session = Session::of_hello(wire.aws());
    let inputs = StackInputs::from([("LiveColor", "green".to_owned())]);
    begin(
        &session,
        &inputs,
        TOKEN,
        &[Part::Listener(Route::Test, "port 81".to_owned())],
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn cloudformation_is_told_to_look_at_what_is_there() {
    let begins = format!(
        "<StackEvents><member><StackId>1</StackId><EventId>e</EventId><StackName>bgecs-hello</StackName>\
         <Timestamp>2026-01-01T00:00:00Z</Timestamp><ClientRequestToken>{TOKEN}</ClientRequestToken></member></StackEvents>"
    );
    let wire = making()
        .on("DescribeChangeSet", change_set("CREATE_COMPLETE"))
        .on("ExecuteChangeSet", Reply::xml("ExecuteChangeSet", ""))
        .on(
            "DescribeStackEvents",
            Reply::xml("DescribeStackEvents", "<StackEvents/>"),
        )
        .on(
            "DescribeStackEvents",
            Reply::xml("DescribeStackEvents", &begins),
        );
    begun(&wire).await.unwrap();
    wire.assert_used_up();
    let sent = &wire.requests()[0];
    for (field, value) in [
        ("DeploymentMode", "REVERT_DRIFT"),
        ("ChangeSetType", "UPDATE"),
        ("StackName", "bgecs-hello"),
        ("Parameters.member.1.ParameterValue", "green"),
        ("TemplateBody", crate::aws::TEMPLATE),
    ] {
        assert_eq!(sent.field(field).as_deref(), Some(value));
    }
    let executed = wire.requests();
    let executed = executed
        .iter()
        .find(|sent| sent.operation == "ExecuteChangeSet");
    assert_eq!(
        executed.unwrap().field("ClientRequestToken").as_deref(),
        Some(TOKEN)
    );
}

#[tokio::test(start_paused = true)]
async fn where_cloudformation_finds_nothing_the_way_on_is_told() {
    let wire = making().on("DescribeChangeSet", change_set("FAILED"));
    let error = begun(&wire).await.unwrap_err();
    assert_eq!(
        error.message,
        "something else deleted the listener of port 81, and CloudFormation did not make it again"
    );
    assert_eq!(
        error.causes,
        ["The submitted information didn't contain changes."]
    );
    assert_eq!(error.hint.as_deref(), Some(ALL_AGAIN));
}
