//! The permissions of a worker of uploads: for its own queue, bucket and topic, and those
//! of each app's deployer.

use serde_json::Value;

use super::Names;
use super::table::WORKER;
use crate::model::{AccountId, AwsPlace, SetName, TopicArn};

/// Where the worker's stack is, and the names in it that are not known in advance.
#[derive(Debug, Clone)]
pub struct WorkerNames<'a> {
    pub name: &'a SetName,
    pub place: &'a AwsPlace,
    pub bucket: String,
    /// None: the stack's own.
    pub topic: Option<&'a TopicArn>,
}

/// The policy of a worker; `deployers` are the policies for the apps that it releases.
pub fn to_serve(it: &WorkerNames<'_>, deployers: &[Value]) -> Value {
    let worker = it.name.worker();
    let own_topic = format!("arn:*:sns:{{region}}:{{account}}:{worker}");
    let topic = it.topic.map_or(own_topic, ToString::to_string);
    let mut names = Names(vec![
        ("{worker}", vec![worker]),
        ("{bucket}", vec![it.bucket.clone()]),
        ("{topic}", vec![topic]),
    ]);
    let account = it.place.account.as_ref().map(AccountId::as_str);
    names.add_place(it.place.region.as_deref(), account);
    let mut policy = names.policy(&[WORKER]);
    for deployer in deployers {
        add(&mut policy, deployer);
    }
    policy
}

/// Merges statements that allow the same on different apps into one, because IAM counts
/// the characters.
fn add(policy: &mut Value, more: &Value) {
    let Some(all) = policy["Statement"].as_array_mut() else {
        return;
    };
    for statement in more["Statement"].as_array().into_iter().flatten() {
        match all.iter_mut().find_map(|it| joint(it, statement)) {
            Some((into, on)) => join(into, on),
            None => {
                let name = unused(all, &statement["Sid"]);
                let mut statement = statement.clone();
                statement["Sid"] = name;
                all.push(statement);
            }
        }
    }
}

/// The place where two statements differ, if they differ only in their resources or in
/// the values of a single condition.
fn joint<'a>(one: &'a mut Value, other: &'a Value) -> Option<(&'a mut Value, &'a Value)> {
    if one["Action"] != other["Action"] {
        return None;
    }
    if one["Condition"] == other["Condition"] {
        return Some((&mut one["Resource"], &other["Resource"]));
    }
    if one["Resource"] != other["Resource"] {
        return None;
    }
    let (operator, tests) = only(&other["Condition"])?;
    let (key, values) = only(tests)?;
    // Only a condition with a single test, and the same one.
    only(&one["Condition"]).and_then(|(_, tests)| only(tests))?;
    let values_of_one = one["Condition"].get_mut(operator)?.get_mut(key)?;
    Some((values_of_one, values))
}

fn only(value: &Value) -> Option<(&String, &Value)> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.iter().next()
}

fn join(into: &mut Value, more: &Value) {
    let more = more.as_array().into_iter().flatten();
    if let Some(into) = into.as_array_mut() {
        for value in more {
            if !into.contains(value) {
                into.push(value.clone());
            }
        }
    }
}

fn unused(all: &[Value], sid: &Value) -> Value {
    let name = sid.as_str().unwrap_or_default();
    let numbered = (2..).map(|n| Value::from(format!("{name}{n}")));
    let mut names = std::iter::once(sid.clone()).chain(numbered);
    let is_free = |name: &Value| !all.iter().any(|it| it["Sid"] == *name);
    names.find(is_free).unwrap_or_default()
}
