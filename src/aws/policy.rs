//! IAM policies for those who run bgecs: printed for whoever grants them, no
//! call is made.
//!
//! Which action is needed for what is in `table`; here it becomes a document.

mod table;

use serde_json::{Map, Value, json};

use crate::model::{AppName, CertificateArn};
use table::{DEPLOYER, Grant, IMPORTER, OPERATOR_TOO, PolicyCondition, WATCHER};

/// Who the policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// For a pipeline.
    Deployer,
    /// For init and destroy.
    Operator,
}

impl Role {
    /// Both in one were longer than a managed policy may be, so they are made to
    /// be attached side by side.
    fn grants(self) -> &'static [Grant] {
        match self {
            Self::Operator => OPERATOR_TOO,
            Self::Deployer => DEPLOYER,
        }
    }
}

/// The policy for one app with these certificates; without a region it holds in
/// all of them.
pub fn document(
    role: Role,
    app: &AppName,
    region: Option<&str>,
    certificates: &[CertificateArn],
) -> Value {
    let names = Names(&[
        ("{stack}", &app.stack_name()),
        ("{app}", app.as_str()),
        ("{region}", region.unwrap_or("*")),
    ]);
    let mut policy = names.policy(role.grants());
    if let (Role::Operator, false, Some(statements)) = (
        role,
        certificates.is_empty(),
        policy["Statement"].as_array_mut(),
    ) {
        let arns: Vec<&str> = certificates.iter().map(CertificateArn::as_str).collect();
        statements.push(json!({
            "Sid": "Certificates",
            "Effect": "Allow",
            "Action": ["acm:DescribeCertificate"],
            "Resource": arns,
        }));
    }
    policy
}

/// The policy for looking on at a service, which may be given by its ARN.
pub fn to_watch(cluster: &str, service: &str, region: Option<&str>) -> Value {
    of_service(WATCHER, cluster, service, region)
}

/// The policy for reading all that there is to know of a service.
pub fn to_import(cluster: &str, service: &str, region: Option<&str>) -> Value {
    of_service(IMPORTER, cluster, service, region)
}

fn of_service(grants: &[Grant], cluster: &str, service: &str, region: Option<&str>) -> Value {
    let name = |given: &str| given.rsplit('/').next().unwrap_or(given).to_owned();
    Names(&[
        ("{cluster}", &name(cluster)),
        ("{service}", &name(service)),
        ("{region}", region.unwrap_or("*")),
    ])
    .policy(grants)
}

/// What the table leaves open.
struct Names<'a>(&'a [(&'static str, &'a str)]);

impl Names<'_> {
    fn policy(&self, grants: &[Grant]) -> Value {
        let statements: Vec<Value> = grants.iter().map(|grant| self.statement(grant)).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    fn statement(&self, grant: &Grant) -> Value {
        let actions: Vec<&str> = grant.needs.iter().map(|need| need.action).collect();
        let on: Vec<String> = grant.on.iter().map(|on| self.filled(on)).collect();
        let mut statement = json!({
            "Sid": grant.sid,
            "Effect": "Allow",
            "Action": actions,
            "Resource": on,
        });
        if let Some(condition) = &grant.condition {
            statement["Condition"] = self.condition(condition);
        }
        statement
    }

    fn condition(&self, condition: &PolicyCondition) -> Value {
        let values: Vec<String> = condition.values.iter().map(|v| self.filled(v)).collect();
        let test = Map::from_iter([(condition.key.to_owned(), json!(values))]);
        Value::Object(Map::from_iter([(
            condition.operator.to_owned(),
            Value::Object(test),
        )]))
    }

    fn filled(&self, text: &str) -> String {
        let names = self.0.iter();
        names.fold(text.to_owned(), |text, (open, name)| {
            text.replace(open, name)
        })
    }
}

#[cfg(test)]
mod tests;
