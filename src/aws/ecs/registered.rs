//! A task definition as it is registered, every field of it: also those that
//! this SDK does not know.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::model::Revision;

/// Keeps the answer's bytes, which its types drop in part.
#[derive(Debug, Clone, Default)]
struct AnswerBytes(Arc<Mutex<Vec<u8>>>);

impl Intercept for AnswerBytes {
    fn name(&self) -> &'static str {
        "Answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        Ok(())
    }
}

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
        let bytes = answer.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value: Option<Value> = serde_json::from_slice(&bytes).ok();
        value
            .and_then(|mut value| Some(value.get_mut("taskDefinition")?.take()))
            .ok_or_else(|| {
                AwsError::unusable(ACTION, arn.as_str(), "the answer is no task definition")
            })
    }
}
