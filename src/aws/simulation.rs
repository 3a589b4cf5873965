//! What a caller may do, by IAM's own word: it evaluates a principal's policies without
//! anything being called
//! (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>).

use std::collections::BTreeSet;

use serde_json::Value;

use super::Aws;
use super::error::{AwsError, Named};

const ACTION: &str = "iam:SimulatePrincipalPolicy";
const ALLOWED: &str = "allowed";

impl Aws {
    /// Which actions of that policy the principal may not do on all that the policy
    /// names, in alphabetical order. Statements with a condition are left out, since only a
    /// real request meets it; and so is what a service control policy or a session's own
    /// policy denies.
    ///
    /// # Errors
    /// IAM's own, such as that the caller may not ask this.
    pub async fn denied(
        &self,
        principal: &str,
        policy: &Value,
    ) -> Result<BTreeSet<String>, AwsError> {
        let mut denied = BTreeSet::new();
        let statements = policy["Statement"].as_array().into_iter().flatten();
        for statement in statements.filter(|it| it["Condition"].is_null()) {
            denied.extend(self.denied_of(principal, statement).await?);
        }
        Ok(denied)
    }

    async fn denied_of(&self, principal: &str, statement: &Value) -> Result<Vec<String>, AwsError> {
        let mut denied = Vec::new();
        let mut fields = fields(principal, statement);
        loop {
            let page = self.iam.form("SimulatePrincipalPolicy", &fields).await;
            let page = page.named(ACTION, principal)?;
            for result in page.all("EvaluationResults/member") {
                if result.text("EvalDecision") != Some(ALLOWED) {
                    denied.extend(result.text("EvalActionName").map(str::to_owned));
                }
            }
            let marker = page.text("Marker").filter(|it| !it.is_empty());
            let Some(marker) = marker.map(str::to_owned) else {
                return Ok(denied);
            };
            fields.retain(|(name, _)| name != "Marker");
            fields.push(("Marker".to_owned(), marker));
        }
    }

    /// The principal whose policies decide; None for one that has none of its own: the
    /// account's root user, and a federated user.
    pub async fn principal(&self) -> Result<Option<String>, AwsError> {
        let Some(named) = self.caller().await?.principal() else {
            return Ok(None);
        };
        // An assumed role is told without its path, by which alone IAM knows it.
        if named.contains(":role/")
            && let Ok(Some(role)) = self.role(&named).await
        {
            return Ok(Some(role.arn));
        }
        Ok(Some(named))
    }
}

fn fields(principal: &str, statement: &Value) -> Vec<(String, String)> {
    let mut fields = vec![("PolicySourceArn".to_owned(), principal.to_owned())];
    let partition = principal.split(':').nth(1).unwrap_or("aws");
    let mut list = |name: &str, values: &Value| {
        let values = values.as_array().into_iter().flatten();
        for (n, value) in (1..).zip(values.filter_map(Value::as_str)) {
            // A policy may leave the partition open, and IAM wants to know it.
            let value = match value.strip_prefix("arn:*:") {
                Some(rest) => format!("arn:{partition}:{rest}"),
                None => value.to_owned(),
            };
            fields.push((format!("{name}.member.{n}"), value));
        }
    };
    list("ActionNames", &statement["Action"]);
    list("ResourceArns", &statement["Resource"]);
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::testing::{Reply, Wire};

    const ROLE: &str = "arn:aws-cn:iam::123456789012:role/ci/deployer";

    #[test]
    fn a_statement_is_asked_for_as_it_is_meant() {
        let statement = json!({
            "Action": ["iam:PassRole", "ecs:RunTask"],
            "Resource": ["arn:*:iam::123456789012:role/x", "*"],
        });
        let fields = fields(ROLE, &statement);
        let of = |name: &str| {
            let mut all = fields.iter();
            all.find(|it| it.0 == name).map(|it| it.1.as_str())
        };
        assert_eq!(of("PolicySourceArn"), Some(ROLE));
        assert_eq!(of("ActionNames.member.2"), Some("ecs:RunTask"));
        let role = "arn:aws-cn:iam::123456789012:role/x";
        assert_eq!(of("ResourceArns.member.1"), Some(role));
        assert_eq!(of("ResourceArns.member.2"), Some("*"));
    }

    #[tokio::test]
    async fn what_is_denied_is_told_page_by_page() {
        let result = |action: &str, decision: &str| {
            format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision></member>"
            )
        };
        let page = |all: &[String], rest: &str| {
            let all = all.concat();
            let told = format!("<EvaluationResults>{all}</EvaluationResults>{rest}");
            Reply::xml("SimulatePrincipalPolicy", &told)
        };
        let first = page(
            &[
                result("ecs:RunTask", "implicitDeny"),
                result("ecs:StopTask", "allowed"),
            ],
            "<IsTruncated>true</IsTruncated><Marker>more</Marker>",
        );
        let second = page(&[result("ecs:DescribeTasks", "explicitDeny")], "");
        let wire = Wire::new()
            .on("SimulatePrincipalPolicy", first)
            .on("SimulatePrincipalPolicy", second);
        let statement = |condition: Value| json!({ "Action": ["ecs:RunTask"], "Resource": ["*"], "Condition": condition });
        let policy =
            json!({ "Statement": [statement(json!({ "a": {} })), statement(Value::Null)] });
        let denied = wire.aws().denied(ROLE, &policy).await.unwrap();
        let denied: Vec<_> = denied.iter().map(String::as_str).collect();
        assert_eq!(denied, ["ecs:DescribeTasks", "ecs:RunTask"]);
        assert!(wire.requests()[1].body.contains("Marker=more"));
    }
}
