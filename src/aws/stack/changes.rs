//! Change sets that compare the template with what exists: an ordinary update only
//! compares it with the last template, and does not create anything again.

use super::form::StackForm;
use super::{StackInputs, TEMPLATE};
use crate::aws::Aws;
use crate::aws::error::AwsError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeSet {
    Making,
    /// It can be executed.
    Ready,
    /// It has no changes, or cannot be created; why.
    Failed(String),
}

impl Aws {
    /// Makes CloudFormation find out what differs from the template.
    pub async fn make_change_set(
        &self,
        name: &str,
        app: &str,
        inputs: &StackInputs,
        set: &str,
    ) -> Result<(), AwsError> {
        let form = StackForm::of(name)
            .with("ChangeSetName", set)
            // The same for every attempt: CloudFormation makes one set of them.
            .with("ClientToken", set)
            .with("ChangeSetType", "UPDATE")
            .with("DeploymentMode", "REVERT_DRIFT")
            .with("TemplateBody", TEMPLATE)
            .inputs(inputs)
            .of_app(app);
        self.tell_stack("cloudformation:CreateChangeSet", &form)
            .await
            .map(drop)
    }

    pub async fn read_change_set(&self, name: &str, set: &str) -> Result<ChangeSet, AwsError> {
        let form = StackForm::of(name).with("ChangeSetName", set);
        let answer = self.tell_stack("cloudformation:DescribeChangeSet", &form);
        let answer = answer.await?;
        Ok(match answer.text("Status") {
            Some("CREATE_COMPLETE") => ChangeSet::Ready,
            Some("CREATE_PENDING" | "CREATE_IN_PROGRESS") | None => ChangeSet::Making,
            Some(status) => {
                let reason = answer.text("StatusReason").unwrap_or(status);
                ChangeSet::Failed(reason.to_owned())
            }
        })
    }

    pub async fn execute_change_set(
        &self,
        name: &str,
        set: &str,
        token: &str,
    ) -> Result<(), AwsError> {
        let form = StackForm::of(name).with("ChangeSetName", set);
        let form = form.with("ClientRequestToken", token);
        self.tell_stack("cloudformation:ExecuteChangeSet", &form)
            .await
            .map(drop)
    }
}
