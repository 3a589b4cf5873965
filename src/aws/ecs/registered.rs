//! A task definition as it is registered, with every field, including those that this SDK
//! does not know.

use aws_sdk_ecs::types::TaskDefinitionField;
use serde_json::Value;

use crate::aws::Aws;
use crate::aws::answer_bytes::AnswerBytes;
use crate::aws::error::{AwsError, Named};
use crate::model::Revision;

const ACTION: &str = "ecs:DescribeTaskDefinition";

impl Aws {
    pub async fn read_task_definition(&self, arn: &Revision) -> Result<Value, AwsError> {
        let mut answer = self.described(arn, None).await?;
        definition_in(&mut answer, arn)
    }

    /// The same including its tags, in the form of a request.
    pub async fn read_tagged_definition(&self, arn: &Revision) -> Result<Value, AwsError> {
        let tags = Some(vec![TaskDefinitionField::Tags]);
        let mut answer = self.described(arn, tags).await?;
        let mut definition = definition_in(&mut answer, arn)?;
        if let Some(tags) = answer.get_mut("tags") {
            definition["tags"] = tags.take();
        }
        Ok(definition)
    }

    async fn described(
        &self,
        arn: &Revision,
        with: Option<Vec<TaskDefinitionField>>,
    ) -> Result<Value, AwsError> {
        let answer = AnswerBytes::default();
        self.ecs
            .describe_task_definition()
            .task_definition(arn.as_str())
            .set_include(with)
            .customize()
            .interceptor(answer.clone())
            .send()
            .await
            .named(ACTION, arn.as_str())?;
        Ok(serde_json::from_slice(&answer.taken()).unwrap_or_default())
    }
}

fn definition_in(answer: &mut Value, arn: &Revision) -> Result<Value, AwsError> {
    let found = answer.get_mut("taskDefinition").map(Value::take);
    found.ok_or_else(|| {
        AwsError::unusable(ACTION, arn.as_str(), "the answer is not a task definition")
    })
}
