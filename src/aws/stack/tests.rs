use super::*;
use crate::aws::error::AwsErrorKind;
use crate::aws::testing::{Reply, Wire};
use crate::model::Route;
use crate::model::marks::TAG_APP;

const NAME: &str = "bgecs-hello";
const TOKEN: &str = "20231114T221320Z-0000002a";

fn stack(status: &str, rest: &str) -> Reply {
    Reply::xml(
        "DescribeStacks",
        &format!(
            "<Stacks><member><StackId>stack/{NAME}/1</StackId><StackName>{NAME}</StackName>\
             <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus>{rest}</member></Stacks>"
        ),
    )
}

async fn read(reply: Reply) -> Result<Option<StackSnapshot>, AwsError> {
    Wire::new()
        .on("DescribeStacks", reply)
        .aws()
        .read_stack(NAME)
        .await
}

#[tokio::test]
async fn a_stack_that_does_not_exist_is_none_and_any_other_bad_request_an_error() {
    let missing = Reply::xml_error(
        400,
        "ValidationError",
        "Stack with id bgecs-hello does not exist",
    );
    assert_eq!(read(missing).await.unwrap(), None);
    assert_eq!(read(stack("DELETE_COMPLETE", "")).await.unwrap(), None);
    assert_eq!(
        read(Reply::xml("DescribeStacks", "<Stacks/>"))
            .await
            .unwrap(),
        None
    );

    let mistake = Reply::xml_error(400, "ValidationError", "1 validation error detected");
    assert!(read(mistake).await.unwrap_err().has_code("ValidationError"));
    let denied = Reply::xml_error(403, "AccessDenied", "the role does not exist");
    assert_eq!(read(denied).await.unwrap_err().kind, AwsErrorKind::Denied);
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html>
const STATES: [&str; 23] = [
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "CREATE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
    "DELETE_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_COMPLETE",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
];

#[test]
fn every_state_of_a_stack_has_a_meaning_and_a_way_on() {
    let mut table = Vec::new();
    for text in STATES {
        let snapshot = StackSnapshot {
            id: "1".to_owned(),
            name: NAME.to_owned(),
            status: StackStatus::of(text),
            status_text: text.to_owned(),
            reason: None,
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
        };
        let way_on = snapshot.way_on();
        let is_ready = snapshot.status == StackStatus::Ready;
        assert_eq!(way_on.is_none(), is_ready, "{text}");
        assert!(!snapshot.sentence().contains("does not know"), "{text}");
        table.push(format!(
            "{text:<45}{:?}\n  {}\n  {}",
            snapshot.status,
            snapshot.sentence(),
            way_on.unwrap_or_default()
        ));
    }
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn a_state_of_tomorrow_is_not_taken_for_a_good_one() {
    assert_eq!(StackStatus::of("PAUSE_IN_PROGRESS"), StackStatus::Busy);
    assert_eq!(StackStatus::of("PAUSED"), StackStatus::Foreign);
    assert_eq!(StackStatus::of(""), StackStatus::Foreign);
}

/// Every output of the template except these.
fn outputs(without: &str) -> String {
    let members: String = [
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
    ]
    .into_iter()
    .filter(|name| *name != without)
    .map(|name| {
        let value = if name == "SubnetIds" {
            "subnet-1,subnet-2"
        } else {
            name
        };
        format!("<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>")
    })
    .collect();
    format!("<Outputs>{members}</Outputs>")
}

#[tokio::test]
async fn a_stack_is_read_with_parameters_and_outputs() {
    let rest = format!(
        "<StackStatusReason>because</StackStatusReason>\
         <Parameters><member><ParameterKey>LiveColor</ParameterKey><ParameterValue>blue</ParameterValue></member></Parameters>{}",
        outputs("")
    );
    let snapshot = read(stack("CREATE_COMPLETE", &rest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(snapshot.id, "stack/bgecs-hello/1");
    assert_eq!(snapshot.reason.as_deref(), Some("because"));
    assert_eq!(snapshot.parameters["LiveColor"], "blue");
    let infra = snapshot.ecs_infrastructure().unwrap();
    assert_eq!(infra.services, ColorServices::alone_in("ClusterName"));
    assert_eq!(infra.load_balancer, "LoadBalancerArn");
    assert_eq!(infra.places.named(Route::Production), "ProdListenerArn");
    assert_eq!(infra.places.named(Route::Test), "TestListenerArn");
    assert_eq!(infra.target_groups.blue.as_str(), "BlueTargetGroupArn");
    assert_eq!(infra.target_groups.green.as_str(), "GreenTargetGroupArn");
    let ServiceSettings::Made(network) = &infra.settings else {
        panic!("its services are bgecs's own");
    };
    assert_eq!(network.subnets, ["subnet-1", "subnet-2"]);
    assert_eq!(infra.endpoints, PerRoute::PORTS);
    let url = "http://LoadBalancerDnsName";
    assert_eq!(infra.urls().production, url);
    assert_eq!(infra.urls().test, format!("{url}:81"));
}

#[tokio::test]
async fn an_app_with_a_name_of_its_own_is_called_by_it() {
    let url = "https://shop.example.com";
    let named = outputs("").replace(
        "</Outputs>",
        &format!(
            "<member><OutputKey>ProductionUrl</OutputKey><OutputValue>{url}</OutputValue></member>\
             <member><OutputKey>TestUrl</OutputKey><OutputValue>{url}:8443</OutputValue></member></Outputs>"
        ),
    );
    let snapshot = read(stack("CREATE_COMPLETE", &named)).await.unwrap();
    let infra = snapshot.unwrap().ecs_infrastructure().unwrap();
    assert_eq!(infra.endpoints.production.to_string(), url);
    assert_eq!(infra.urls().production, url);
    assert_eq!(infra.url(Route::Test), format!("{url}:8443"));
}

/// Numbered from the second on; each must be complete, or the stack is not ours.
#[tokio::test]
async fn users_may_come_in_by_several_ways() {
    let output = |name: &str| {
        format!("<member><OutputKey>{name}</OutputKey><OutputValue>{name}</OutputValue></member>")
    };
    let read = async |names: &[&str]| {
        let further: String = names.iter().map(|name| output(name)).collect();
        let all = outputs("").replace("</Outputs>", &(further + "</Outputs>"));
        let snapshot = read(stack("CREATE_COMPLETE", &all)).await;
        snapshot.unwrap().unwrap().ecs_infrastructure()
    };
    let second = [
        "ProductionUrl",
        "ProductionUrl2",
        "ProductionRuleArn2",
        "LoadBalancerArn2",
        "LoadBalancerDnsName2",
        "TestBlueRuleArn2",
        "TestGreenRuleArn2",
        "ProductionUrl3",
        "ProdListenerArn3",
        "LoadBalancerArn3",
        "LoadBalancerDnsName3",
        "TestBlueRuleArn3",
        "TestGreenRuleArn3",
        "ProbePath3",
        "BlueTargetGroupArn2",
        "GreenTargetGroupArn2",
    ];
    let infra = read(&second).await.unwrap();
    assert_eq!(
        infra.endpoints.production.to_string(),
        "ProductionUrl and ProductionUrl2 and ProductionUrl3"
    );
    assert_eq!(infra.url(Route::Production), "ProductionUrl");
    let ways = infra.moved(Route::Production);
    let ways: Vec<(&str, &str)> = ways
        .iter()
        .map(|(name, place)| (name.as_str(), place.arn()))
        .collect();
    assert_eq!(
        ways,
        [
            ("ProductionUrl", "ProdListenerArn"),
            ("ProductionUrl2", "ProductionRuleArn2"),
            ("ProductionUrl3ProbePath3", "ProdListenerArn3"),
        ]
    );
    assert_eq!(
        infra.groups_named(Color::Green),
        "GreenTargetGroupArn and GreenTargetGroupArn2"
    );
    assert_eq!(infra.color_of("BlueTargetGroupArn2"), Some(Color::Blue));
    for missing in [
        "TestGreenRuleArn3",
        "ProdListenerArn3",
        "GreenTargetGroupArn2",
    ] {
        let rest: Vec<&str> = second.into_iter().filter(|it| *it != missing).collect();
        assert_eq!(read(&rest).await, Err(missing.to_owned()));
    }
}

#[tokio::test]
async fn an_output_that_is_missing_is_named() {
    let snapshot = read(stack("CREATE_COMPLETE", &outputs("TaskRoleArn")))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(snapshot.ecs_infrastructure(), Err("TaskRoleArn".to_owned()));
}

/// As in the stack of an app with a given service.
#[tokio::test]
async fn production_may_be_a_rule_and_the_test_route_two() {
    let output = |name: &str| {
        format!("<member><OutputKey>{name}</OutputKey><OutputValue>{name}</OutputValue></member>")
    };
    let read = async |without: &[&str], with: &[&str]| {
        let mut all = outputs(without[0]).replace("</Outputs>", "");
        for name in &without[1..] {
            all = all.replace(&output(name), "");
        }
        all.extend(with.iter().map(|name| output(name)));
        let snapshot = read(stack("CREATE_COMPLETE", &(all + "</Outputs>"))).await;
        let infra = snapshot.unwrap().unwrap().ecs_infrastructure();
        infra.map(|infra| infra.places)
    };
    let header = TestPlace::ByHeader(PerColor {
        blue: RuleArn::new("TestBlueRuleArn"),
        green: RuleArn::new("TestGreenRuleArn"),
    });
    let colors = ["TestBlueRuleArn", "TestGreenRuleArn"];
    let neither = ["ProdListenerArn", "TestListenerArn"];
    assert_eq!(
        read(&neither, &[&colors[..], &["ProductionRuleArn"]].concat()).await,
        Ok(Places {
            production: Place::Rule(RuleArn::new("ProductionRuleArn")),
            test: header.clone(),
        })
    );
    assert_eq!(
        read(&neither[1..], &colors).await,
        Ok(Places {
            production: Place::Listener(ListenerArn::new("ProdListenerArn")),
            test: header,
        })
    );
    // With a place of its own, the header still names a colour there.
    let with = |place| [&colors[..], &[place]].concat();
    assert_eq!(
        read(&neither[1..], &with("TestRuleArn"))
            .await
            .unwrap()
            .test,
        TestPlace::At(Place::Rule(RuleArn::new("TestRuleArn")))
    );
    assert_eq!(
        read(&neither[1..], &with("TestListenerArn"))
            .await
            .unwrap()
            .test,
        TestPlace::At(Place::Listener(ListenerArn::new("TestListenerArn")))
    );
    for (without, with, missing) in [
        (&neither[..], &colors[..], "ProdListenerArn"),
        (&neither[1..], &[], "TestListenerArn"),
        (&neither[1..], &colors[..1], "TestGreenRuleArn"),
        (&neither[1..], &colors[1..], "TestBlueRuleArn"),
    ] {
        assert_eq!(read(without, with).await, Err(missing.to_owned()));
    }
}

/// Every output that is read is one that the template has.
#[test]
fn the_template_has_every_output() {
    let (_, declared) = TEMPLATE.split_once("\nOutputs:").expect("outputs");
    for name in outputs("").split("<OutputKey>").skip(1) {
        let (name, _) = name.split_once('<').unwrap();
        assert!(declared.contains(&format!("\n  {name}:")), "{name}");
    }
}

fn inputs() -> StackInputs {
    StackInputs::from([
        ("App", "hello".to_owned()),
        ("LiveColor", "blue".to_owned()),
    ])
}

#[tokio::test]
async fn an_update_without_changes_is_nothing_to_do() {
    let started = || Reply::xml("UpdateStack", "<StackId>1</StackId>");
    let nothing = || Reply::xml_error(400, "ValidationError", "No updates are to be performed.");
    let mistake = || Reply::xml_error(400, "ValidationError", "Template format error");
    let wire = Wire::new()
        .on("UpdateStack", started())
        .on("UpdateStack", nothing())
        .on("UpdateStack", mistake())
        .on("UpdateStack", nothing());
    let aws = wire.aws();
    assert_eq!(
        aws.update_stack(NAME, "hello", (TEMPLATE, &inputs()), TOKEN)
            .await
            .unwrap(),
        StackChange::Started
    );
    assert_eq!(
        aws.update_stack(NAME, "hello", (TEMPLATE, &inputs()), TOKEN)
            .await
            .unwrap(),
        StackChange::NothingToDo
    );
    let error = aws
        .update_stack(NAME, "hello", (TEMPLATE, &inputs()), TOKEN)
        .await
        .unwrap_err();
    assert_eq!(error.message, "Template format error");
    let one = aws.update_one_parameter(
        NAME,
        "hello",
        ("LiveColor", "blue"),
        std::iter::empty(),
        TOKEN,
    );
    assert_eq!(one.await.unwrap(), StackChange::NothingToDo);
    wire.assert_used_up();
}

#[tokio::test]
async fn one_parameter_changes_and_all_else_stays() {
    let wire = Wire::new().on(
        "UpdateStack",
        Reply::xml("UpdateStack", "<StackId>1</StackId>"),
    );
    let others = ["App".to_owned(), "HealthPath".to_owned()];
    let started = wire
        .aws()
        .update_one_parameter(NAME, "hello", ("LiveColor", "green"), others.iter(), TOKEN)
        .await;
    assert_eq!(started.unwrap(), StackChange::Started);
    let sent = wire.request();
    let field = |name: &str| sent.field(name);
    assert_eq!(field("UsePreviousTemplate").as_deref(), Some("true"));
    assert_eq!(field("TemplateBody"), None);
    assert_eq!(field("ClientRequestToken").as_deref(), Some(TOKEN));
    for (n, name) in ["App", "HealthPath"].into_iter().enumerate() {
        let member = format!("Parameters.member.{}", n + 1);
        assert_eq!(
            field(&format!("{member}.ParameterKey")).as_deref(),
            Some(name)
        );
        assert_eq!(
            field(&format!("{member}.UsePreviousValue")).as_deref(),
            Some("true")
        );
        assert_eq!(field(&format!("{member}.ParameterValue")), None);
    }
    assert_eq!(
        field("Parameters.member.3.ParameterKey").as_deref(),
        Some("LiveColor")
    );
    assert_eq!(
        field("Parameters.member.3.ParameterValue").as_deref(),
        Some("green")
    );
}

#[tokio::test]
async fn a_stack_is_made_from_the_template_with_leave_to_make_roles() {
    let wire = Wire::new().on(
        "CreateStack",
        Reply::xml("CreateStack", "<StackId>1</StackId>"),
    );
    wire.aws()
        .create_stack(NAME, "hello", (TEMPLATE, &inputs()), TOKEN)
        .await
        .unwrap();
    let sent = wire.request();
    assert_eq!(sent.field("TemplateBody").as_deref(), Some(TEMPLATE));
    assert_eq!(sent.field("ClientRequestToken").as_deref(), Some(TOKEN));
    assert_eq!(
        sent.field("Capabilities.member.1").as_deref(),
        Some("CAPABILITY_IAM")
    );
    assert_eq!(
        sent.field("Parameters.member.1.ParameterKey").as_deref(),
        Some("App")
    );
    assert_eq!(sent.field("Tags.member.1.Key").as_deref(), Some(TAG_APP));
    assert_eq!(sent.field("Tags.member.1.Value").as_deref(), Some("hello"));
}

#[tokio::test]
async fn events_come_oldest_first_and_empty_reasons_are_none() {
    let event = |id: &str, reason: &str| {
        format!(
            "<member><StackId>1</StackId><EventId>{id}</EventId><StackName>{NAME}</StackName>\
             <LogicalResourceId>Cluster</LogicalResourceId><ResourceType>AWS::ECS::Cluster</ResourceType>\
             <Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatus>CREATE_FAILED</ResourceStatus>\
             <ResourceStatusReason>{reason}</ResourceStatusReason></member>"
        )
    };
    let answer = format!(
        "<StackEvents>{}{}</StackEvents>",
        event("new", "no quota"),
        event("old", "")
    );
    let wire = Wire::new().on(
        "DescribeStackEvents",
        Reply::xml("DescribeStackEvents", &answer),
    );
    let events = wire.aws().stack_events("stack/1").await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.id.as_str(), event.reason.as_deref()))
        .collect();
    assert_eq!(told, [("old", None), ("new", Some("no quota"))]);
    assert_eq!(events[0].status, "CREATE_FAILED");
    assert_eq!(events[0].resource_type, "AWS::ECS::Cluster");
}

#[tokio::test]
async fn what_a_call_has_begun_is_told_by_its_token() {
    let event = |token: &str| {
        format!(
            "<StackEvents><member><StackId>1</StackId><EventId>e</EventId><StackName>{NAME}</StackName>\
             <Timestamp>2026-01-01T00:00:00Z</Timestamp>{token}</member></StackEvents>"
        )
    };
    let own = format!("<ClientRequestToken>{TOKEN}</ClientRequestToken>");
    let another_s = "<ClientRequestToken>20231114T221320Z-0000002b</ClientRequestToken>";
    let events = |event: &str| Reply::xml("DescribeStackEvents", event);
    let refused = |code| Reply::xml_error(400, code, "no");
    for (reply, expected) in [
        (events(&event(&own)), Ok(true)),
        (events(&event(another_s)), Ok(false)),
        (events(&event("")), Ok(false)),
        (refused("ValidationError"), Ok(false)),
        (refused("AccessDenied"), Err(AwsErrorKind::Denied)),
    ] {
        let wire = Wire::new().on("DescribeStackEvents", reply);
        let begun = wire.aws().has_begun(NAME, TOKEN).await;
        assert_eq!(begun.map_err(|error| error.kind), expected);
    }
}
