//! The permissions of the task, as policies that fit into IAM's limits.

use serde_json::{Map, Value, json};

use super::Resource;
use crate::model::UploadWorker;

/// The longest managed policy, without white space
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
const LONGEST: usize = 6_144;
/// The length of what surrounds the statements.
const AROUND: usize = r#"{"Version":"2012-10-17","Statement":[]}"#.len();

/// As many as needed: one has room for only a few apps.
pub fn policies(it: &UploadWorker) -> Vec<Resource> {
    let numbered = shared_out(&it.policy).into_iter().zip(1..);
    let resource = |(statements, number): (Vec<Value>, usize)| {
        let policy = json!({
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Description": format!("bgecs {}: permissions of the worker", it.name),
                "PolicyDocument": { "Version": "2012-10-17", "Statement": statements },
            },
        });
        let name = match number {
            1 => "WorkerPolicy".to_owned(),
            _ => format!("WorkerPolicy{number}"),
        };
        (name, policy)
    };
    numbered.map(resource).collect()
}

/// The statements in the template's form, grouped by policy.
fn shared_out(policy: &Value) -> Vec<Vec<Value>> {
    let mut all: Vec<Vec<Value>> = Vec::new();
    let mut room = 0;
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        let statement = in_the_stack(statement.clone());
        // One for the comma between two statements.
        let length = length(&statement) + 1;
        if length > room {
            all.push(Vec::new());
            room = LONGEST - AROUND;
        }
        room = room.saturating_sub(length);
        if let Some(last) = all.last_mut() {
            last.push(statement);
        }
    }
    all
}

/// The greatest length of a statement once it is filled in: the placeholders for
/// partition, region and account are longer than their values.
fn length(statement: &Value) -> usize {
    const WRAP: &str = r#"{"Fn::Sub":}"#;
    const LONGEST_BUCKET: usize = 63;
    let text = statement.to_string();
    let count = |part: &str| text.matches(part).count();
    let buckets = count("${Bucket}") * LONGEST_BUCKET;
    text.len() + buckets - count(r#"{"Fn::Sub":"#) * WRAP.len()
}

/// A printed policy leaves the region and the account open; here they are those of the
/// stack.
fn in_the_stack(policy: Value) -> Value {
    match policy {
        Value::String(text) => match closed(&text) {
            filled if filled.contains("${") => json!({ "Fn::Sub": filled }),
            text => json!(text),
        },
        Value::Array(all) => all.into_iter().map(in_the_stack).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            let fields = fields.map(|(key, value)| (key, in_the_stack(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn closed(text: &str) -> String {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", partition, service, region, account, rest] = &parts[..] else {
        return text.to_owned();
    };
    let fill = |part: &str, open: &str| match part {
        "*" => open.to_owned(),
        part => part.to_owned(),
    };
    let partition = fill(partition, "${AWS::Partition}");
    let region = fill(region, "${AWS::Region}");
    let account = fill(account, "${AWS::AccountId}");
    format!("arn:{partition}:{service}:{region}:{account}:{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_never_longer_than_it_is_said_to_be() {
        let statement = json!({ "Resource": [
            "arn:*:s3:::${Bucket}/*", "arn:*:ecs:*:*:task/a/*", "*",
        ] });
        let filled = json!({ "Resource": [
            format!("arn:aws-us-gov:s3:::{}/*", "b".repeat(63)),
            "arn:aws-us-gov:ecs:ap-southeast-1:123456789012:task/a/*",
            "*",
        ] });
        let is = filled.to_string().len();
        let said = length(&in_the_stack(statement));
        assert!((is..is + 50).contains(&said), "{said}, {is}");
    }

    /// In order, and none is lost.
    #[test]
    fn statements_go_where_there_is_room() {
        let of = |length: usize| json!({ "Sid": "a".repeat(length) });
        let all = [4_000, 2_000, 1_000, 6_000, 10].map(of);
        let shared = shared_out(&json!({ "Statement": all }));
        let lengths: Vec<usize> = shared.iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 2]);
        assert_eq!(shared.concat(), all);
    }

    #[test]
    fn what_is_open_is_the_stacks_and_what_is_said_stays() {
        for (printed, filled) in [
            (
                "arn:*:ecs:*:*:task/a/*",
                "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/a/*",
            ),
            (
                "arn:*:ecs:eu-west-1:123456789012:task/a:*",
                "arn:${AWS::Partition}:ecs:eu-west-1:123456789012:task/a:*",
            ),
            (
                "arn:*:route53:::hostedzone/*",
                "arn:${AWS::Partition}:route53:::hostedzone/*",
            ),
            (
                "arn:aws:sns:eu-west-1:123456789012:t",
                "arn:aws:sns:eu-west-1:123456789012:t",
            ),
            ("*", "*"),
            ("s3:GetObject", "s3:GetObject"),
        ] {
            assert_eq!(closed(printed), filled);
        }
    }
}
