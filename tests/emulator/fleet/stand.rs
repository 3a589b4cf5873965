//! An AWS with many apps, all alike, which answers what a list asks: so many stacks, tables
//! and services take an emulator minutes to make.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::stub;
use crate::support::Outcome;

/// AWS ends a page at 1 MB, which is some dozens of stacks.
const PAGE: usize = 50;

/// Gives its endpoint.
pub fn serve(apps: usize) -> Outcome<String> {
    stub::serve(move |target, body| {
        let answer = match target.and_then(|target| target.rsplit('.').next()) {
            Some(operation) => in_json(operation, body).map(|it| it.to_string()),
            None => in_xml(apps, body),
        };
        let unknown = || (400, format!("the stand does not know {target:?} {body}"));
        answer.map_or_else(unknown, |text| (200, text))
    })
}

fn in_xml(apps: usize, body: &str) -> Option<String> {
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(body).ok()?;
    let field = |name: &str| {
        let mut fields = fields.iter().filter(|(key, _)| key == name);
        fields.next().map(|(_, value)| value.as_str())
    };
    let operation = field("Action")?;
    let result = match operation {
        "DescribeStacks" => stacks(apps, field("NextToken")),
        "DescribeListeners" => {
            let asked = fields
                .iter()
                .filter(|(key, _)| key.starts_with("ListenerArns"));
            let all: String = asked.map(|(_, arn)| listener(arn)).collect();
            format!("<Listeners>{all}</Listeners>")
        }
        "GetCallerIdentity" => {
            "<Account>000000000000</Account><Arn>arn:aws:iam::0:root</Arn>".to_owned()
        }
        // The gate's own: there is no load balancer that it should serve.
        _ => String::new(),
    };
    Some(format!(
        "<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
    ))
}

fn stacks(apps: usize, from: Option<&str>) -> String {
    let from: usize = from.and_then(|from| from.parse().ok()).unwrap_or(0);
    let until = (from + PAGE).min(apps);
    let all: String = (from..until).map(|n| stack(&name(n))).collect();
    let next = match until < apps {
        true => format!("<NextToken>{until}</NextToken>"),
        false => String::new(),
    };
    format!("<Stacks>{all}</Stacks>{next}")
}

fn name(number: usize) -> String {
    format!("app-{number}")
}

fn stack(app: &str) -> String {
    let mut outputs = String::new();
    for (key, value) in [
        ("ClusterName", "bgecs-APP"),
        ("RepositoryName", "bgecs-APP"),
        ("RepositoryUri", "registry/bgecs-APP"),
        ("LoadBalancerArn", "balancer/bgecs-APP"),
        ("LoadBalancerDnsName", "bgecs-APP.example.com"),
        ("ProdListenerArn", "listener/APP/green"),
        ("TestListenerArn", "listener/APP/blue"),
        ("BlueTargetGroupArn", "group/APP/blue"),
        ("GreenTargetGroupArn", "group/APP/green"),
        ("SubnetIds", "subnet-1,subnet-2"),
        ("TaskSecurityGroupId", "sg-1"),
        ("ExecutionRoleArn", "role/execution"),
        ("TaskRoleArn", "role/task"),
        ("LogGroupName", "/bgecs/APP"),
        ("JournalTableName", "bgecs-APP"),
    ] {
        let value = value.replace("APP", app);
        let _ = write!(
            outputs,
            "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        );
    }
    format!(
        "<member><StackName>bgecs-{app}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs>\
         <Tags><member><Key>bgecs:app</Key><Value>{app}</Value></member></Tags></member>"
    )
}

/// Its name says where it leads.
fn listener(arn: &str) -> String {
    let group = arn.replacen("listener", "group", 1);
    format!(
        "<member><ListenerArn>{arn}</ListenerArn><DefaultActions><member><Type>forward</Type>\
         <TargetGroupArn>{group}</TargetGroupArn></member></DefaultActions></member>"
    )
}

fn in_json(operation: &str, body: &str) -> Option<Value> {
    let asked: Value = serde_json::from_str(body).ok()?;
    Some(match operation {
        "BatchGetItem" => {
            let tables = asked["RequestItems"].as_object()?.keys();
            let heads = tables.map(|table| (table.clone(), json!([head(table)])));
            json!({ "Responses": heads.collect::<Map<_, _>>(), "UnprocessedKeys": {} })
        }
        "Query" => {
            let table = asked["TableName"].as_str()?;
            json!({ "Items": [promotion(table), deploy(table)] })
        }
        "DescribeServices" => {
            let cluster = asked["cluster"].as_str()?;
            let names = asked["services"].as_array()?.iter();
            let services = names.filter_map(|name| Some(service(cluster, name.as_str()?)));
            json!({ "services": services.collect::<Vec<_>>(), "failures": [] })
        }
        "DescribeTaskDefinition" => json!({
            "taskDefinition": { "cpu": "256", "memory": "512", "status": "ACTIVE" },
            "tags": [{ "key": "bgecs:release", "value": "2" }],
        }),
        // The gate's own.
        "ListClusters" => json!({ "clusterArns": [] }),
        _ => return None,
    })
}

fn service(cluster: &str, color: &str) -> Value {
    json!({
        "serviceArn": format!("service/{cluster}/{color}"),
        "clusterArn": format!("cluster/{cluster}"),
        "serviceName": color,
        "status": "ACTIVE",
        "taskDefinition": revision(cluster, color),
        "desiredCount": 1,
        "runningCount": 1,
        "pendingCount": 0,
    })
}

fn revision(stack: &str, color: &str) -> String {
    let number = if color == "green" { 1 } else { 2 };
    format!("task-definition/{stack}:{number}")
}

fn head(stack: &str) -> Value {
    let truth = json!({
        "prod": { "color": "green", "revision": revision(stack, "green"), "tag": "1" },
        "test": "blue",
    });
    json!({ "fence": { "N": "3" }, "format": { "N": "5" }, "truth": { "S": truth.to_string() } })
}

fn operation(stack: &str, second: u8, command: &str, color: &str, entries: &Value) -> Value {
    let at = format!("2026-11-01T10:00:{second:02}Z");
    let operation = json!({
        "id": format!("20261101T1000{second:02}Z-00000001"),
        "command": command,
        "who": { "name": "ann@laptop", "host": "laptop", "pid": 1 },
        "began": at,
        "color": color,
        "tag": if color == "green" { "1" } else { "2" },
        "task_definition": revision(stack, color),
        "entries": entries,
        "ending": { "at": at, "outcome": "done" },
    });
    json!({ "fence": { "N": second.to_string() }, "operation": { "S": operation.to_string() } })
}

fn promotion(stack: &str) -> Value {
    let users = json!([{
        "effect": "move", "route": "prod", "from": null, "to": { "blue": 0, "green": 10_000 },
        "at": "2026-11-01T10:00:02Z", "fate": "done",
    }]);
    operation(stack, 2, "promote", "green", &users)
}

fn deploy(stack: &str) -> Value {
    operation(stack, 1, "deploy", "blue", &json!([]))
}
