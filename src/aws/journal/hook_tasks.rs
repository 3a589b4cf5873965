//! The state of tasks that run once for a release, stored apart from the operations that
//! started them.

use super::item;
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::model::{HookTask, HookTaskRecord};

impl Aws {
    /// None if it was never started.
    ///
    /// # Errors
    /// DynamoDB's own.
    pub async fn read_hook_task(
        &self,
        table: &str,
        it: &HookTask,
    ) -> Result<Option<HookTaskRecord>, AwsError> {
        let call = self.dynamodb.get_item().table_name(table);
        let call = call.set_key(Some(item::hook_task_key(it)));
        let answer = call.consistent_read(true).send().await;
        let answer = answer.named("dynamodb:GetItem", table)?;
        let found = answer.item().map(|found| item::hook_task(table, found));
        found.transpose()
    }

    /// Writes an attempt down before it is made. Returns whether this attempt was stored:
    /// of two at once, one is.
    ///
    /// # Errors
    /// DynamoDB's own.
    pub async fn begin_hook_task(
        &self,
        table: &str,
        record: &HookTaskRecord,
    ) -> Result<bool, AwsError> {
        let condition = "attribute_not_exists(#attempt) OR #attempt < :attempt";
        if self.put_hook_task(table, record, condition).await? {
            return Ok(true);
        }
        // The answer to an earlier attempt of this very write may have been lost.
        let there = self.read_hook_task(table, &record.it).await?;
        Ok(there.as_ref() == Some(record))
    }

    /// Writes down the result of an attempt, unless another has begun since.
    ///
    /// # Errors
    /// DynamoDB's own.
    pub async fn note_hook_task(
        &self,
        table: &str,
        record: &HookTaskRecord,
    ) -> Result<(), AwsError> {
        let condition = "#attempt = :attempt";
        self.put_hook_task(table, record, condition).await.map(drop)
    }

    /// Returns whether the condition held.
    async fn put_hook_task(
        &self,
        table: &str,
        record: &HookTaskRecord,
        condition: &str,
    ) -> Result<bool, AwsError> {
        let call = self.dynamodb.put_item().table_name(table);
        let call = call
            .set_item(Some(item::of_hook_task(record)))
            .condition_expression(condition)
            .expression_attribute_names("#attempt", item::ATTEMPT)
            .expression_attribute_values(":attempt", item::number(record.attempt));
        match call.send().await.named("dynamodb:PutItem", table) {
            Ok(_) => Ok(true),
            Err(error) if error.has_code("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(error),
        }
    }
}
