//! The results of an app's uploads, stored apart from its operations, in the order in
//! which they were uploaded.

use time::OffsetDateTime;

use super::item;
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::model::UploadRecord;

impl Aws {
    /// Writes the result of an upload, and replaces what was stored before.
    ///
    /// # Errors
    /// DynamoDB's own.
    pub async fn write_upload(&self, table: &str, record: &UploadRecord) -> Result<(), AwsError> {
        let call = self.dynamodb.put_item().table_name(table);
        let call = call.set_item(Some(item::of_upload(record)));
        call.send().await.named("dynamodb:PutItem", table).map(drop)
    }

    /// The uploads from that moment on, oldest first.
    ///
    /// # Errors
    /// DynamoDB's own.
    pub async fn uploads_since(
        &self,
        table: &str,
        since: OffsetDateTime,
    ) -> Result<Vec<UploadRecord>, AwsError> {
        let call = self.dynamodb.query().table_name(table);
        let call = call
            .key_condition_expression("pk = :uploads AND sk >= :since")
            .expression_attribute_values(":uploads", item::text(item::UPLOADS))
            .expression_attribute_values(":since", item::text(&item::uploaded(since)))
            .consistent_read(true);
        let mut pages = call.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(found) = pages.next().await {
            let found = found.named("dynamodb:Query", table)?;
            all.push(item::upload(table, &found)?);
        }
        Ok(all)
    }

    /// The newest uploads, newest first.
    ///
    /// # Errors
    /// DynamoDB's own.
    pub async fn last_uploads(
        &self,
        table: &str,
        most: i32,
    ) -> Result<Vec<UploadRecord>, AwsError> {
        let call = self.dynamodb.query().table_name(table);
        let call = call
            .key_condition_expression("pk = :uploads")
            .expression_attribute_values(":uploads", item::text(item::UPLOADS))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(most);
        let page = call.send().await.named("dynamodb:Query", table)?;
        let found = page.items().iter();
        found.map(|found| item::upload(table, found)).collect()
    }
}
