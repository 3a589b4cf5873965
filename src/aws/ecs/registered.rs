//! A task definition as it is registered, every field of it: also those that
//! this SDK does not know.

use serde_json::Value;

use crate::aws::Aws;
use crate::aws::answer_bytes::AnswerBytes;
use crate::aws::error::{AwsError, Named};
use crate::model::Revision;

impl Aws {
    pub async fn read_task_definition(&self, arn: &Revision) -> Result<Value, AwsError> {
        const ACTION: &str = "ecs:DescribeTaskDefinition";
        let answer = AnswerBytes::default();
        self.ecs
            .describe_task_definition()
            .task_definition(arn.as_str())
            .customize()
            .interceptor(answer.clone())
            .send()
            .await
            .named(ACTION, arn.as_str())?;
        let value: Option<Value> = serde_json::from_slice(&answer.taken()).ok();
        value
            .and_then(|mut value| Some(value.get_mut("taskDefinition")?.take()))
            .ok_or_else(|| {
                AwsError::unusable(ACTION, arn.as_str(), "the answer is no task definition")
            })
    }
}
