//! The template of what is made beside a service that ran before: it is written
//! for each app, since a rule's conditions and a group's settings are lists, of
//! which a parameter can hold none.
//!
//! Nothing in it takes a user's request. What is somebody else's is named in it
//! by its ARN, and never a resource of it.

use serde_json::{Map, Value, json};

use crate::model::marks::TAG_APP;
use crate::model::{Attachment, COLOR_HEADER, Color};

/// The colour of the service that ran already: what tells such a stack.
pub const ORIGINAL: &str = "Attached";

const JOURNAL: &str = "JournalTable";
const LOGS: &str = "LogGroup";
const REPOSITORY: &str = "Repository";

/// The template as text: the same for the same attachment.
pub fn template(it: &Attachment) -> String {
    let mut resources = Map::new();
    resources.insert(group_name(it.made()), target_group(it));
    for color in Color::BOTH {
        resources.insert(rule_name(color), header_rule(it, color));
    }
    resources.insert(JOURNAL.to_owned(), journal(it));
    if it.log_group.is_none() {
        resources.insert(LOGS.to_owned(), log_group(it));
    }
    if it.repository.is_none() {
        resources.insert(REPOSITORY.to_owned(), repository(it));
    }
    let outputs = outputs(it).into_iter();
    let outputs = outputs.map(|(name, value)| (name.to_owned(), json!({ "Value": value })));
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

fn group_name(color: Color) -> String {
    match color {
        Color::Blue => "BlueTargetGroup",
        Color::Green => "GreenTargetGroup",
    }
    .to_owned()
}

fn rule_name(color: Color) -> String {
    match color {
        Color::Blue => "TestBlueRule",
        Color::Green => "TestGreenRule",
    }
    .to_owned()
}

fn tags(it: &Attachment) -> Value {
    json!([{ "Key": TAG_APP, "Value": it.app.as_str() }])
}

fn reference(name: impl Into<String>) -> Value {
    json!({ "Ref": name.into() })
}

fn attribute(name: &str, attribute: &str) -> Value {
    json!({ "Fn::GetAtt": [name, attribute] })
}

/// The group of a colour: the running service's by its ARN.
fn group(it: &Attachment, color: Color) -> Value {
    match color == it.original {
        true => json!(it.target_group.as_str()),
        false => reference(group_name(color)),
    }
}

fn target_group(it: &Attachment) -> Value {
    let mut properties = it.group_settings.clone();
    let name = it.app.colored(it.made());
    properties.insert("Name".to_owned(), json!(name));
    properties.insert("Tags".to_owned(), tags(it));
    json!({ "Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": properties })
}

/// It takes what production's takes and asks for the colour, and keeps the group
/// attached to the load balancer: ECS refuses a service whose group is not, and
/// nothing checks such a group's health.
fn header_rule(it: &Attachment, color: Color) -> Value {
    let header = json!({
        "Field": "http-header",
        "HttpHeaderConfig": { "HttpHeaderName": COLOR_HEADER, "Values": [color.as_str()] },
    });
    let of_users = it.rule.iter().flat_map(|rule| rule.conditions.clone());
    json!({
        "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Properties": {
            "ListenerArn": it.listener.as_str(),
            "Priority": it.priorities.get(color),
            "Conditions": of_users.chain([header]).collect::<Vec<_>>(),
            "Actions": [{ "Type": "forward", "TargetGroupArn": group(it, color) }],
            "Tags": tags(it),
        },
    })
}

fn journal(it: &Attachment) -> Value {
    json!({
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "TableName": it.app.stack_name(),
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
            "Tags": tags(it),
        },
    })
}

fn log_group(it: &Attachment) -> Value {
    json!({
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": { "LogGroupName": it.app.log_group(), "Tags": tags(it) },
    })
}

/// It outlives the stack: the service that stays may run an image that is in it.
fn repository(it: &Attachment) -> Value {
    json!({
        "Type": "AWS::ECR::Repository",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "RepositoryName": it.app.stack_name(),
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": { "ScanOnPush": true },
            "Tags": tags(it),
        },
    })
}

/// By the names that [`super::StackSnapshot::infrastructure`] reads.
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
    vec![
        (ORIGINAL, json!(it.original.as_str())),
        ("ClusterName", json!(it.services.cluster)),
        ("BlueServiceName", json!(it.services.name(blue))),
        ("GreenServiceName", json!(it.services.name(green))),
        ("LoadBalancerArn", json!(it.load_balancer)),
        ("LoadBalancerDnsName", json!(it.load_balancer_dns_name)),
        production,
        ("ProductionUrl", json!(it.url)),
        ("TestBlueRuleArn", reference(rule_name(blue))),
        ("TestGreenRuleArn", reference(rule_name(green))),
        ("BlueTargetGroupArn", group(it, blue)),
        ("GreenTargetGroupArn", group(it, green)),
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
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::attachment;

    #[test]
    fn a_template_makes_what_is_missing_and_names_what_is_there() {
        insta::assert_snapshot!(template(&attachment()));
    }

    /// A second `attach` finds nothing to do.
    #[test]
    fn the_same_attachment_is_the_same_text() {
        assert_eq!(template(&attachment()), template(&attachment()));
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
