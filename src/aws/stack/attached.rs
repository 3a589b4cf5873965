//! The template of what is made beside a service that existed before. It is written for
//! each app, because a rule's conditions and a group's settings are lists, which
//! parameters cannot hold.
//!
//! Nothing in it receives users' requests. Resources of others are only named in it by
//! their ARNs, and are never resources of the stack.

use serde_json::{Map, Value, json};

use crate::model::marks::TAG_APP;
use crate::model::{
    AppName, AttachedWay, Attachment, COLOR_HEADER, Color, ListenerCopy, PerColor, TestWay,
};

/// The colour of the service that existed before; only such a stack has this output.
pub const ORIGINAL: &str = "Attached";

const JOURNAL: &str = "JournalTable";
const TEST_LISTENER: &str = "TestListener";
const TEST_RULE: &str = "TestRule";
const LOGS: &str = "LogGroup";
const REPOSITORY: &str = "Repository";

/// The template as text; the same attachment always gives the same text.
pub fn template(it: &Attachment) -> String {
    let mut resources = Map::new();
    for number in 0..=it.further_groups.len() {
        resources.insert(group_name(it.made(), number), target_group(it, number));
    }
    for color in Color::BOTH {
        resources.insert(rule_name(color, 0), color_rule(it, color));
        for (way, number) in it.further_ways.iter().zip(1..) {
            resources.insert(rule_name(color, number), further_color_rule(it, way, color));
        }
    }
    match &it.test {
        TestWay::Header => {}
        TestWay::Host { priority, .. } => {
            resources.insert(TEST_RULE.to_owned(), test_rule(it, *priority));
        }
        TestWay::Port { listener, .. } => {
            resources.insert(TEST_LISTENER.to_owned(), test_listener(it, listener));
            resources.extend(further_certificates(listener));
        }
    }
    resources.insert(JOURNAL.to_owned(), table(&it.app));
    if it.log_group.is_none() {
        resources.insert(LOGS.to_owned(), log_group(it));
    }
    if it.repository.is_none() {
        resources.insert(REPOSITORY.to_owned(), repository(it));
    }
    let outputs = outputs(it).into_iter();
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value));
    let outputs = outputs.chain(further_outputs(it));
    let outputs = outputs.map(|(name, value)| (name, json!({ "Value": value })));
    let all = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!(
            "What bgecs made for {} beside the service {}",
            it.app, it.services.name(it.original)
        ),
        "Resources": resources,
        "Outputs": outputs.collect::<Map<_, _>>(),
    });
    format!("{all:#}")
}

/// The first has no number, the others have one from 2 on; `number` counts from 0.
fn numbered(name: &str, number: usize) -> String {
    match number {
        0 => name.to_owned(),
        _ => format!("{name}{}", number + 1),
    }
}

fn group_name(color: Color, number: usize) -> String {
    let name = match color {
        Color::Blue => "BlueTargetGroup",
        Color::Green => "GreenTargetGroup",
    };
    numbered(name, number)
}

fn rule_name(color: Color, number: usize) -> String {
    let name = match color {
        Color::Blue => "TestBlueRule",
        Color::Green => "TestGreenRule",
    };
    numbered(name, number)
}

fn tags(app: &AppName) -> Value {
    json!([{ "Key": TAG_APP, "Value": app.as_str() }])
}

fn reference(name: impl Into<String>) -> Value {
    json!({ "Ref": name.into() })
}

fn attribute(name: &str, attribute: &str) -> Value {
    json!({ "Fn::GetAtt": [name, attribute] })
}

/// A group of a colour; the existing service's by its ARN.
fn group(it: &Attachment, color: Color, number: usize) -> Value {
    match color == it.original {
        true => json!(it.group(number).0.as_str()),
        false => reference(group_name(color, number)),
    }
}

fn target_group(it: &Attachment, number: usize) -> Value {
    let mut properties = it.group(number).1.clone();
    let name = it.app.group_name(it.made(), number);
    properties.insert("Name".to_owned(), json!(name));
    properties.insert("Tags".to_owned(), tags(&it.app));
    json!({ "Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": properties })
}

/// The rule takes what the testers' place takes if the request also names the colour. It
/// also keeps the group attached to the load balancer: otherwise ECS would refuse the
/// service, and nothing would check the group's health.
fn color_rule(it: &Attachment, color: Color) -> Value {
    let conditions = of_testers(it);
    let listener = match &it.test {
        TestWay::Header | TestWay::Host { .. } => json!(it.listener.as_str()),
        TestWay::Port { .. } => reference(TEST_LISTENER),
    };
    choosing_rule(it, color, (listener, it.priorities), (conditions, 0))
}

/// The same before a further way, where testers come in as users do.
fn further_color_rule(it: &Attachment, way: &AttachedWay, color: Color) -> Value {
    let of_users = way.rule.iter().flat_map(|rule| rule.conditions.clone());
    let place = (json!(way.listener.as_str()), way.priorities);
    choosing_rule(it, color, place, (of_users.collect(), way.group))
}

/// Takes requests that meet these conditions and name the colour.
fn choosing_rule(
    it: &Attachment,
    color: Color,
    (listener, priorities): (Value, PerColor<u32>),
    (mut conditions, group_number): (Vec<Value>, usize),
) -> Value {
    conditions.push(json!({
        "Field": "http-header",
        "HttpHeaderConfig": { "HttpHeaderName": COLOR_HEADER, "Values": [color.as_str()] },
    }));
    let target = group(it, color, group_number);
    json!({
        "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Properties": {
            "ListenerArn": listener,
            "Priority": priorities.get(color),
            "Conditions": conditions,
            "Actions": [{ "Type": "forward", "TargetGroupArn": target }],
            "Tags": tags(&it.app),
        },
    })
}

/// The conditions for a tester's request, apart from the header: those for a user's,
/// except that the name may be the testers' own; none on a listener of their own.
fn of_testers(it: &Attachment) -> Vec<Value> {
    let of_users = it.rule.iter().flat_map(|rule| rule.conditions.clone());
    match &it.test {
        TestWay::Header => of_users.collect(),
        TestWay::Host { name, .. } => {
            let host = json!({ "Field": "host-header", "HostHeaderConfig": { "Values": [name] } });
            let others = of_users.filter(|condition| condition["Field"] != "host-header");
            [host].into_iter().chain(others).collect()
        }
        TestWay::Port { .. } => Vec::new(),
    }
}

/// Later it is moved between the colours. Whichever it names when the stack is deleted,
/// it must be deleted before the stack's own group.
fn test_place(it: &Attachment, kind: &str, mut properties: Value, actions: &str) -> Value {
    properties[actions] =
        json!([{ "Type": "forward", "TargetGroupArn": group(it, it.test_color, 0) }]);
    properties["Tags"] = tags(&it.app);
    json!({
        "Type": format!("AWS::ElasticLoadBalancingV2::{kind}"),
        "DependsOn": [group_name(it.made(), 0)],
        "Properties": properties,
    })
}

fn test_rule(it: &Attachment, priority: u32) -> Value {
    let properties = json!({
        "ListenerArn": it.listener.as_str(),
        "Priority": priority,
        "Conditions": of_testers(it),
    });
    test_place(it, "ListenerRule", properties, "Actions")
}

fn test_listener(it: &Attachment, listener: &ListenerCopy) -> Value {
    let mut properties = listener.settings.clone();
    properties.insert("LoadBalancerArn".to_owned(), json!(it.load_balancer));
    properties.insert("Port".to_owned(), json!(listener.port));
    test_place(it, "Listener", Value::Object(properties), "DefaultActions")
}

/// CloudFormation accepts only one certificate for such a resource.
fn further_certificates(listener: &ListenerCopy) -> Vec<(String, Value)> {
    let all = listener.further.iter().zip(2..);
    all.map(|(arn, number)| {
        let resource = json!({
            "Type": "AWS::ElasticLoadBalancingV2::ListenerCertificate",
            "Properties": {
                "ListenerArn": reference(TEST_LISTENER),
                "Certificates": [{ "CertificateArn": arn }],
            },
        });
        (format!("TestCertificate{number}"), resource)
    })
    .collect()
}

/// The journal's table.
pub fn table(app: &AppName) -> Value {
    json!({
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "TableName": app.stack_name(),
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "sk", "AttributeType": "S" },
            ],
            "KeySchema": [
                { "AttributeName": "pk", "KeyType": "HASH" },
                { "AttributeName": "sk", "KeyType": "RANGE" },
            ],
            "TimeToLiveSpecification": { "AttributeName": "expires_at", "Enabled": true },
            "SSESpecification": { "SSEEnabled": true },
            "Tags": tags(app),
        },
    })
}

fn log_group(it: &Attachment) -> Value {
    json!({
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": { "LogGroupName": it.app.log_group(), "Tags": tags(&it.app) },
    })
}

/// It outlives the stack: the remaining service may run an image that is in it.
fn repository(it: &Attachment) -> Value {
    json!({
        "Type": "AWS::ECR::Repository",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "RepositoryName": it.app.stack_name(),
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": { "ScanOnPush": true },
            "Tags": tags(&it.app),
        },
    })
}

/// With the names that [`super::StackSnapshot::infrastructure`] reads.
fn outputs(it: &Attachment) -> Vec<(&'static str, Value)> {
    let production = match &it.rule {
        Some(rule) => ("ProductionRuleArn", json!(rule.arn)),
        None => ("ProdListenerArn", json!(it.listener.as_str())),
    };
    let [blue, green] = Color::BOTH;
    let (name, uri) = match &it.repository {
        Some(named) => (json!(named.name), json!(named.uri)),
        None => (
            reference(REPOSITORY),
            attribute(REPOSITORY, "RepositoryUri"),
        ),
    };
    let test_place = match &it.test {
        TestWay::Header => None,
        TestWay::Host { .. } => Some(("TestRuleArn", reference(TEST_RULE))),
        TestWay::Port { .. } => Some(("TestListenerArn", reference(TEST_LISTENER))),
    };
    let test_url = it.test_url().map(|url| ("TestUrl", json!(url)));
    let written = it.written.iter().map(|(name, words)| (*name, json!(words)));
    let mut all = vec![
        (ORIGINAL, json!(it.original.as_str())),
        ("ClusterName", json!(it.services.cluster)),
        ("BlueServiceName", json!(it.services.name(blue))),
        ("GreenServiceName", json!(it.services.name(green))),
        ("LoadBalancerArn", json!(it.load_balancer)),
        ("LoadBalancerDnsName", json!(it.load_balancer_dns_name)),
        production,
        ("ProductionUrl", json!(it.url)),
        ("TestBlueRuleArn", reference(rule_name(blue, 0))),
        ("TestGreenRuleArn", reference(rule_name(green, 0))),
        ("BlueTargetGroupArn", group(it, blue, 0)),
        ("GreenTargetGroupArn", group(it, green, 0)),
        ("RepositoryName", name),
        ("RepositoryUri", uri),
        (
            "LogGroupName",
            match &it.log_group {
                Some(name) => json!(name),
                None => reference(LOGS),
            },
        ),
        ("JournalTableName", reference(JOURNAL)),
    ];
    all.extend(test_place.into_iter().chain(test_url).chain(written));
    all
}

/// The same for the further ways, numbered.
fn further_outputs(it: &Attachment) -> Vec<(String, Value)> {
    let groups = (1..=it.further_groups.len()).flat_map(|number| {
        Color::BOTH.map(|color| {
            let name = format!("{}Arn", group_name(color, 0));
            (numbered(&name, number), group(it, color, number))
        })
    });
    let ways = it.further_ways.iter().zip(1..).flat_map(|(way, number)| {
        let place = match &way.rule {
            Some(rule) => ("ProductionRuleArn", json!(rule.arn)),
            None => ("ProdListenerArn", json!(way.listener.as_str())),
        };
        let path = way.probe_path.as_ref();
        let path = path.map(|path| ("ProbePath", json!(path)));
        let [blue, green] = Color::BOTH.map(|color| reference(rule_name(color, number)));
        let all = [
            ("LoadBalancerArn", json!(way.load_balancer)),
            ("LoadBalancerDnsName", json!(way.load_balancer_dns_name)),
            place,
            ("ProductionUrl", json!(way.url)),
            ("TestBlueRuleArn", blue),
            ("TestGreenRuleArn", green),
        ];
        let all = all.into_iter().chain(path);
        let all = all.map(move |(name, value)| (numbered(name, number), value));
        all.collect::<Vec<_>>()
    });
    groups.chain(ways).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::{StackSnapshot, StackStatus};
    use crate::model::testing::attachment;
    use crate::model::{CopiedGroup, ListenerArn, Route, TargetGroupArn};

    #[test]
    fn a_template_makes_what_is_missing_and_names_what_is_there() {
        insta::assert_snapshot!(template(&attachment()));
    }

    /// A second `attach` finds nothing to do.
    #[test]
    fn the_same_attachment_is_the_same_text() {
        assert_eq!(template(&attachment()), template(&attachment()));
    }

    fn of(test: TestWay) -> Value {
        let attachment = Attachment {
            test,
            ..attachment()
        };
        serde_json::from_str(&template(&attachment)).unwrap()
    }

    /// Users' conditions apply to testers as well, except that the name is their own.
    #[test]
    fn testers_by_host_have_a_rule_that_is_moved_behind_those_by_header() {
        let mut with_path = attachment();
        let rule = with_path.rule.as_mut().unwrap();
        let path = json!({ "Field": "path-pattern", "Values": ["/api/*"] });
        rule.conditions.push(path.clone());
        with_path.test = TestWay::Host {
            name: "next.example.com".to_owned(),
            priority: 10,
            url: "https://next.example.com".to_owned(),
        };
        let template: Value = serde_json::from_str(&template(&with_path)).unwrap();
        let host = json!({ "Field": "host-header", "HostHeaderConfig": { "Values": ["next.example.com"] } });
        let rule = &template["Resources"]["TestRule"]["Properties"];
        assert_eq!(rule["Conditions"], json!([host, path]));
        assert_eq!(rule["Priority"], 10);
        assert_eq!(rule["ListenerArn"], "listener/443");
        let green = json!([{ "Type": "forward", "TargetGroupArn": { "Ref": "GreenTargetGroup" } }]);
        assert_eq!(rule["Actions"], green);
        let blue = &template["Resources"]["TestBlueRule"]["Properties"];
        assert_eq!(blue["Priority"], 8);
        let conditions = blue["Conditions"].as_array().unwrap();
        assert_eq!(conditions[..2], [host, path]);
        assert_eq!(conditions[2]["Field"], "http-header");
        let outputs = &template["Outputs"];
        assert_eq!(outputs["TestRuleArn"]["Value"]["Ref"], "TestRule");
        assert_eq!(outputs["TestUrl"]["Value"], "https://next.example.com");
    }

    #[test]
    fn testers_by_port_have_a_listener_as_users_is() {
        let settings = json!({
            "Protocol": "HTTPS",
            "Certificates": [{ "CertificateArn": "certificate/1" }],
            "SslPolicy": "ELBSecurityPolicy-1",
        });
        let template = of(TestWay::Port {
            listener: ListenerCopy {
                port: 8443,
                settings: settings.as_object().unwrap().clone(),
                further: vec!["certificate/2".to_owned(), "certificate/3".to_owned()],
            },
            url: "https://shop.example.com:8443".to_owned(),
        });
        let resources = &template["Resources"];
        let listener = &resources["TestListener"]["Properties"];
        assert_eq!(listener["LoadBalancerArn"], "loadbalancer/app/shared/1");
        assert_eq!(listener["Port"], 8443);
        for key in ["Protocol", "Certificates", "SslPolicy"] {
            assert_eq!(listener[key], settings[key], "{key}");
        }
        assert_eq!(
            listener["DefaultActions"][0]["TargetGroupArn"]["Ref"],
            "GreenTargetGroup"
        );
        let own = json!({ "Ref": "TestListener" });
        for (number, arn) in [(2, "certificate/2"), (3, "certificate/3")] {
            let further = &resources[format!("TestCertificate{number}")]["Properties"];
            assert_eq!(further["ListenerArn"], own);
            assert_eq!(further["Certificates"], json!([{ "CertificateArn": arn }]));
        }
        // Everybody who comes in there is a tester.
        let blue = &resources["TestBlueRule"]["Properties"];
        assert_eq!(blue["ListenerArn"], own);
        assert_eq!(blue["Conditions"].as_array().unwrap().len(), 1);
        assert_eq!(template["Outputs"]["TestListenerArn"]["Value"], own);
        assert_eq!(template["Outputs"]["TestRuleArn"], Value::Null);
    }

    /// The ways that are read from such a stack are the ones that it was made for.
    #[test]
    fn further_ways_and_groups_are_made_and_told_by_their_numbers() {
        let further = AttachedWay {
            load_balancer: "loadbalancer/app/internal/2".to_owned(),
            load_balancer_dns_name: "internal.example".to_owned(),
            listener: ListenerArn::new("listener/8080"),
            rule: None,
            priorities: PerColor { blue: 1, green: 2 },
            url: "http://shop.internal".to_owned(),
            probe_path: Some("/up".to_owned()),
            group: 1,
        };
        let several = Attachment {
            further_groups: vec![CopiedGroup {
                arn: TargetGroupArn::new("tg/internal"),
                settings: attachment().group_settings,
            }],
            further_ways: vec![further],
            ..attachment()
        };
        let template: Value = serde_json::from_str(&template(&several)).unwrap();
        let resources = &template["Resources"];
        let group = &resources["GreenTargetGroup2"]["Properties"];
        assert_eq!(group["Name"], "bgecs-web-g2");
        for (color, target) in [
            ("Blue", json!("tg/internal")),
            ("Green", json!({ "Ref": "GreenTargetGroup2" })),
        ] {
            let rule = &resources[format!("Test{color}Rule2")]["Properties"];
            assert_eq!(rule["ListenerArn"], "listener/8080");
            assert_eq!(rule["Actions"][0]["TargetGroupArn"], target);
            assert_eq!(rule["Conditions"].as_array().unwrap().len(), 1);
        }
        let outputs = template["Outputs"].as_object().unwrap();
        let value = |(name, output): (&String, &Value)| {
            let value = output["Value"].as_str().unwrap_or(name);
            (name.clone(), value.to_owned())
        };
        let outputs = outputs.iter().map(value).collect();
        let snapshot = StackSnapshot {
            id: String::new(),
            name: String::new(),
            status: StackStatus::Ready,
            status_text: String::new(),
            reason: None,
            parameters: BTreeMap::new(),
            outputs,
        };
        let infra = snapshot.ecs_infrastructure().unwrap();
        let ways = infra.moved(Route::Production);
        let ways: Vec<(&str, &str)> = ways
            .iter()
            .map(|(name, place)| (name.as_str(), place.arn()))
            .collect();
        assert_eq!(
            ways,
            [
                ("https://shop.example.com", "rule/10"),
                ("http://shop.internal/up", "listener/8080")
            ]
        );
        assert_eq!(infra.groups_named(Color::Blue), "tg/web and tg/internal");
        assert_eq!(infra.load_balancers().len(), 2);
    }

    #[test]
    fn a_service_without_a_repository_and_logs_gets_both() {
        let without = Attachment {
            repository: None,
            log_group: None,
            rule: None,
            original: Color::Green,
            ..attachment()
        };
        let template: Value = serde_json::from_str(&template(&without)).unwrap();
        let resources = template["Resources"].as_object().unwrap();
        let names: Vec<&String> = resources.keys().collect();
        assert_eq!(
            names,
            [
                "BlueTargetGroup",
                "TestBlueRule",
                "TestGreenRule",
                "JournalTable",
                "LogGroup",
                "Repository"
            ]
        );
        assert_eq!(resources["Repository"]["DeletionPolicy"], "Retain");
        let outputs = &template["Outputs"];
        assert_eq!(outputs["ProdListenerArn"]["Value"], "listener/443");
        assert_eq!(outputs["GreenTargetGroupArn"]["Value"], "tg/web");
        assert_eq!(outputs["ProductionRuleArn"], Value::Null);
    }
}
