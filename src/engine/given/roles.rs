//! Roles: whether ECS can assume them for a task
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>).

use serde_json::Value;

use crate::engine::plan::Refusal;
use crate::model::GivenRole;

const TASKS: &str = "ecs-tasks.amazonaws.com";

pub(super) fn refuse_unfit(
    key: &str,
    arn: &str,
    found: Option<&GivenRole>,
    account: &str,
) -> Result<(), Refusal> {
    let Some(role) = found else {
        return Err(Refusal::new(
            format!("there is no role {arn}"),
            format!(
                "`aws iam list-roles` lists them; correct `{key}` in [roles], or leave it out, and `bgecs init` makes one"
            ),
        ));
    };
    if role.arn != arn {
        return Err(Refusal::new(
            format!(
                "there is no role {arn}: the one of that name is {}",
                role.arn
            ),
            format!("correct `{key}` in [roles]; a task can only have roles of its own account"),
        ));
    }
    match trusts_tasks(&role.trust, account) {
        true => Ok(()),
        false => Err(Refusal::new(
            format!("ECS cannot assume the role {arn} for a task"),
            format!(
                "have its trust policy allow sts:AssumeRole to {TASKS} (`aws iam update-assume-role-policy`), or name another one as `{key}` in [roles]"
            ),
        )),
    }
}

fn trusts_tasks(policy: &Value, account: &str) -> bool {
    let statements = each(&policy["Statement"]);
    let of = |effect: &str| {
        let statements = statements.iter();
        statements
            .filter(|it| it["Effect"] == effect && is_about_tasks(it))
            .any(|it| holds(&it["Condition"], account))
    };
    of("Allow") && !of("Deny")
}

fn is_about_tasks(statement: &Value) -> bool {
    let is_assuming = |action: &&Value| {
        let action = action.as_str().unwrap_or_default().to_lowercase();
        ["sts:assumerole", "sts:*", "*", "sts:assume*"].contains(&action.as_str())
    };
    let principal = &statement["Principal"];
    let services = each(&principal["Service"]);
    let is_for_tasks = *principal == "*" || services.iter().any(|it| **it == TASKS);
    is_for_tasks && each(&statement["Action"]).iter().any(is_assuming)
}

/// As far as they are about the account of the task; what else there is to know of them
/// only AWS does.
fn holds(conditions: &Value, account: &str) -> bool {
    let tests = conditions.as_object().into_iter().flatten();
    let mut tests = tests.filter(|(operator, _)| operator.starts_with("StringEquals"));
    tests.all(|(_, test)| {
        let keys = test.as_object().into_iter().flatten();
        let mut keys = keys.filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceAccount"));
        keys.all(|(_, values)| each(values).iter().any(|it| **it == account))
    })
}

/// The values of a policy element that may be one value or a list.
fn each(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}
