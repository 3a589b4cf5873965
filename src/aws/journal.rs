//! The app's table: one item that all commands share (the lease, the unfinished
//! operation, where traffic was left), and one for each operation that ended.
//!
//! Each write to the shared item succeeds only for the lease's holder: it is conditional
//! on the fence, a number that grows each time the lease is taken
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>).
//! Whether a lease may be taken is not decided here.

mod clock;
mod heads;
mod hook_tasks;
mod item;
mod uploads;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use time::OffsetDateTime;

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};
use crate::model::journal::{FORMAT, Head, Holder, Lease, Operation, OperationId, Truth};
pub use clock::Clock;

/// What to do with the unfinished operation.
#[derive(Debug, Clone, Copy)]
pub enum OperationChange<'a> {
    Keep,
    Write(&'a Operation),
    /// It has ended, and is in the history.
    Clear,
}

/// What to do with the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseChange {
    Until(OffsetDateTime),
    Release,
}

#[derive(Debug)]
pub struct HeadChange<'a> {
    pub operation: OperationChange<'a>,
    /// `None` leaves it unchanged.
    pub truth: Option<Truth>,
    pub tenure: LeaseChange,
    /// Grows with each write of the operation under one lease, so that a write delayed by
    /// the network does not undo a later one.
    pub version: u64,
}

/// Why the holder's write did not happen, or may not have.
#[derive(Debug)]
pub enum Unwritten {
    /// This holder does not have the lease any more.
    Lost,
    /// A later write of the same holder arrived first.
    Overtaken,
    Aws(AwsError),
}

impl From<AwsError> for Unwritten {
    fn from(error: AwsError) -> Self {
        if error.has_code("ConditionalCheckFailedException") {
            return Self::Lost;
        }
        Self::Aws(error)
    }
}

impl Aws {
    /// The time according to the AWS that holds the journal: holders on machines whose
    /// clocks differ must agree on when a lease ends.
    pub fn journal_time(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// What all commands share. Empty if nothing has been written yet.
    pub async fn read_head(&self, table: &str) -> Result<Head, AwsError> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(table)
            .set_key(Some(item::head_key()))
            .consistent_read(true)
            .send()
            .await
            .named("dynamodb:GetItem", table)?;
        match answer.item() {
            Some(found) => item::head(table, found),
            None => Ok(Head::default()),
        }
    }

    /// Takes the lease if nobody holds it, or from exactly the holder that was seen.
    /// Returns what the journal says, or None if someone else holds the lease.
    pub async fn take_lease(
        &self,
        table: &str,
        holder: &Holder,
        until: OffsetDateTime,
        over: Option<&Lease>,
    ) -> Result<Option<Head>, AwsError> {
        // An attempt whose answer was lost may have taken it: then it is ours.
        let mut condition =
            "(attribute_not_exists(#format) OR #format <= :format) AND (#id = :id OR ".to_owned();
        let mut update = self
            .update_head(table)
            .update_expression(
                "SET #format = :format, #holder = :holder, #id = :id, #until = :until REMOVE #version ADD #fence :one",
            )
            .expression_attribute_names("#format", item::FORMAT_NUMBER)
            .expression_attribute_names("#holder", item::HOLDER)
            .expression_attribute_names("#version", item::VERSION)
            .expression_attribute_values(":format", item::number(FORMAT))
            .expression_attribute_values(":holder", item::json(holder))
            .expression_attribute_values(":until", item::moment(until))
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":id", item::text(holder.id.as_str()))
            .return_values(ReturnValue::AllNew);
        match over {
            None => condition += "attribute_not_exists(#id))",
            Some(lease) => {
                condition += "(#id = :other AND #until = :seen))";
                update = update
                    .expression_attribute_values(":other", item::text(lease.holder.id.as_str()))
                    .expression_attribute_values(":seen", item::moment(lease.until));
            }
        }
        let answer = update
            .expression_attribute_names("#until", item::UNTIL)
            .condition_expression(condition)
            .send()
            .await
            .named("dynamodb:UpdateItem", table);
        match answer {
            Ok(answer) => match answer.attributes() {
                Some(attributes) => item::head(table, attributes).map(Some),
                None => Err(AwsError::unusable(
                    "dynamodb:UpdateItem",
                    table,
                    "the answer names no item",
                )),
            },
            Err(error) if error.has_code("ConditionalCheckFailedException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A write of the lease's holder.
    pub async fn change_head(
        &self,
        table: &str,
        fence: u64,
        holder: &OperationId,
        change: &HeadChange<'_>,
    ) -> Result<(), Unwritten> {
        let mut set = Vec::new();
        let mut remove = Vec::new();
        let mut update = self.update_head(table);
        match change.operation {
            OperationChange::Keep => {}
            OperationChange::Write(operation) => {
                set.push("#operation = :operation");
                update = update.expression_attribute_values(":operation", item::json(operation));
            }
            OperationChange::Clear => remove.push("#operation"),
        }
        let mut condition = "#fence = :fence AND #id = :id".to_owned();
        if !matches!(change.operation, OperationChange::Keep) {
            // A retry of the same write must not count as overtaken.
            condition += " AND (attribute_not_exists(#version) OR #version <= :version)";
            set.push("#version = :version");
            update = update
                .expression_attribute_names("#operation", item::OPERATION)
                .expression_attribute_names("#version", item::VERSION)
                .expression_attribute_values(":version", item::number(change.version));
        }
        if let Some(truth) = &change.truth {
            set.push("#truth = :truth");
            update = update
                .expression_attribute_names("#truth", item::TRUTH)
                .expression_attribute_values(":truth", item::json(truth));
        }
        update = update.expression_attribute_names("#until", item::UNTIL);
        match change.tenure {
            LeaseChange::Until(until) => {
                set.push("#until = :until");
                update = update.expression_attribute_values(":until", item::moment(until));
            }
            LeaseChange::Release => {
                remove.extend(["#holder", "#id", "#until"]);
                update = update.expression_attribute_names("#holder", item::HOLDER);
            }
        }
        let sent = update
            .update_expression(expression(&set, &remove))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .expression_attribute_values(":fence", item::number(fence))
            .expression_attribute_values(":id", item::text(holder.as_str()))
            .send()
            .await;
        if let Some(found) = sent.as_ref().err().and_then(refused_for)
            && item::is_held(found, fence, holder)
        {
            return Err(Unwritten::Overtaken);
        }
        sent.named("dynamodb:UpdateItem", table)?;
        Ok(())
    }

    /// Takes the lease from that holder without giving it to anyone: the holder's next
    /// write fails. Returns whether it still held the lease.
    pub async fn break_lease(&self, table: &str, holder: &OperationId) -> Result<bool, AwsError> {
        let answer = self
            .update_head(table)
            .update_expression("REMOVE #holder, #id, #until ADD #fence :one")
            .condition_expression("#id = :id")
            .expression_attribute_names("#holder", item::HOLDER)
            .expression_attribute_names("#until", item::UNTIL)
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":id", item::text(holder.as_str()))
            .send()
            .await
            .named("dynamodb:UpdateItem", table);
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.has_code("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn update_head(&self, table: &str) -> UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(table)
            .set_key(Some(item::head_key()))
            .expression_attribute_names("#fence", item::FENCE)
            .expression_attribute_names("#id", item::HOLDER_ID)
    }

    /// Stores an operation that has ended, unless a later holder has ended it: a process
    /// that slept while it lost its lease does not have the last word.
    pub async fn add_to_history(
        &self,
        table: &str,
        fence: u64,
        operation: &Operation,
    ) -> Result<(), Unwritten> {
        self.dynamodb
            .put_item()
            .table_name(table)
            .set_item(Some(item::of_history(fence, operation)))
            .condition_expression("attribute_not_exists(#fence) OR #fence <= :fence")
            .expression_attribute_names("#fence", item::FENCE)
            .expression_attribute_values(":fence", item::number(fence))
            .send()
            .await
            .named("dynamodb:PutItem", table)?;
        Ok(())
    }

    /// The operations that ended last, newest first.
    pub async fn read_history(&self, table: &str, most: i32) -> Result<Vec<Operation>, AwsError> {
        let mut ended = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .dynamodb
                .query()
                .table_name(table)
                .key_condition_expression("pk = :history")
                .expression_attribute_values(":history", item::text(item::HISTORY))
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(most)
                .set_exclusive_start_key(from)
                .send()
                .await
                .named("dynamodb:Query", table)?;
            for found in page.items() {
                ended.push(item::ended(table, found)?);
            }
            ended.truncate(usize::try_from(most).unwrap_or_default());
            from = page.last_evaluated_key().cloned();
            if from.is_none() || ended.len() >= usize::try_from(most).unwrap_or_default() {
                break;
            }
        }
        // The key is accurate to the second; within a second the lease's fence decides.
        ended.sort_by(|(fence, one), (other_fence, other)| {
            let (second, other_second) = (one.id.second(), other.id.second());
            (other_second, other_fence).cmp(&(second, fence))
        });
        Ok(ended.into_iter().map(|(_, operation)| operation).collect())
    }

    /// Takes a place in the line for the lease until then; called again, it extends it.
    pub async fn stand_in_line(
        &self,
        table: &str,
        place: &OperationId,
        until: OffsetDateTime,
    ) -> Result<(), AwsError> {
        self.dynamodb
            .put_item()
            .table_name(table)
            .set_item(Some(item::of_line(place, until)))
            .send()
            .await
            .named("dynamodb:PutItem", table)?;
        Ok(())
    }

    /// The places in the line, first come first.
    pub async fn read_line(&self, table: &str) -> Result<Vec<OperationId>, AwsError> {
        let answer = self
            .dynamodb
            .query()
            .table_name(table)
            .key_condition_expression("pk = :line")
            .expression_attribute_values(":line", item::text(item::LINE))
            .consistent_read(true)
            .send()
            .await
            .named("dynamodb:Query", table)?;
        let now = self.journal_time();
        let places = answer.items().iter();
        Ok(places.filter_map(|found| item::place(found, now)).collect())
    }

    /// Leaves the line.
    pub async fn leave_line(&self, table: &str, place: &OperationId) -> Result<(), AwsError> {
        self.dynamodb
            .delete_item()
            .table_name(table)
            .set_key(Some(item::line_key(place)))
            .send()
            .await
            .named("dynamodb:DeleteItem", table)?;
        Ok(())
    }
}

/// The item that was found instead of the expected one.
fn refused_for<R>(error: &SdkError<UpdateItemError, R>) -> Option<&Item> {
    match error.as_service_error()? {
        UpdateItemError::ConditionalCheckFailedException(failed) => failed.item(),
        _ => None,
    }
}

fn expression(set: &[&str], remove: &[&str]) -> String {
    let mut parts = Vec::new();
    if !set.is_empty() {
        parts.push(format!("SET {}", set.join(", ")));
    }
    if !remove.is_empty() {
        parts.push(format!("REMOVE {}", remove.join(", ")));
    }
    parts.join(" ")
}

/// Whether the app has no table: it was never made, or is gone with its stack.
pub fn has_no_journal(error: &AwsError) -> bool {
    error.kind == AwsErrorKind::NotFound
}

type Item = std::collections::HashMap<String, AttributeValue>;

#[cfg(test)]
mod tests;
