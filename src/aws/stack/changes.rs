//! Change sets that compare the template with what is there: an update alone
//! compares it with the last template, and makes nothing again.

use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, DeploymentMode};

use super::{StackInputs, TEMPLATE, app_tag, parameters};
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeSet {
    Making,
    /// It can be executed.
    Ready,
    /// It has no changes, or cannot be made; why.
    Failed(String),
}

impl Aws {
    /// Has CloudFormation find out what is not as the template says.
    pub async fn make_change_set(
        &self,
        name: &str,
        app: &str,
        inputs: &StackInputs,
        set: &str,
    ) -> Result<(), AwsError> {
        self.cloudformation
            .create_change_set()
            .stack_name(name)
            .change_set_name(set)
            // The same for every try: CloudFormation makes one set of them.
            .client_token(set)
            .change_set_type(ChangeSetType::Update)
            .deployment_mode(DeploymentMode::RevertDrift)
            .template_body(TEMPLATE)
            .set_parameters(Some(parameters(inputs)))
            .capabilities(Capability::CapabilityIam)
            .tags(app_tag(app))
            .send()
            .await
            .named("cloudformation:CreateChangeSet", name)?;
        Ok(())
    }

    pub async fn read_change_set(&self, name: &str, set: &str) -> Result<ChangeSet, AwsError> {
        let answer = self
            .cloudformation
            .describe_change_set()
            .stack_name(name)
            .change_set_name(set)
            .send()
            .await
            .named("cloudformation:DescribeChangeSet", name)?;
        Ok(match answer.status() {
            Some(ChangeSetStatus::CreateComplete) => ChangeSet::Ready,
            Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) | None => {
                ChangeSet::Making
            }
            Some(status) => {
                let reason = answer.status_reason().unwrap_or(status.as_str());
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
        self.cloudformation
            .execute_change_set()
            .stack_name(name)
            .change_set_name(set)
            .client_request_token(token)
            .send()
            .await
            .named("cloudformation:ExecuteChangeSet", name)?;
        Ok(())
    }
}
