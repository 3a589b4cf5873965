//! The shared items of many apps' tables, a hundred per call.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use tokio::time::sleep;

use super::item;
use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::aws::fleet::{InBatches, in_halves};
use crate::model::journal::Head;

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MOST: usize = 100;
const ACTION: &str = "dynamodb:BatchGetItem";
/// How often what DynamoDB left out is requested again; the pause doubles each time, as
/// AWS recommends.
const AGAIN: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

type Asked = HashMap<String, KeysAndAttributes>;

impl Aws {
    /// By table. For an app without any operation yet, the head is empty.
    pub async fn read_heads(&self, tables: Vec<String>) -> InBatches<Head> {
        in_halves(tables, MOST, is_of_one, async |batch| {
            self.head_batch(batch).await
        })
        .await
    }

    async fn head_batch(&self, tables: Vec<String>) -> Result<InBatches<Head>, AwsError> {
        let asked = tables
            .iter()
            .map(|table| Ok((table.clone(), head_of_it()?)));
        let mut asked: Asked = asked.collect::<Result<_, AwsError>>()?;
        let heads = tables.into_iter().map(|table| (table, Ok(Head::default())));
        let mut heads: InBatches<Head> = heads.collect();
        for tries in 0..=AGAIN {
            if tries > 0 {
                sleep(FIRST_PAUSE * 2_u32.pow(tries - 1)).await;
            }
            asked = self.ask_for_heads(asked, &mut heads).await?;
            if asked.is_empty() {
                return Ok(heads);
            }
        }
        let left_out = |table: String| {
            let message = "DynamoDB left it out of its answers, again and again";
            let error = AwsError {
                kind: AwsErrorKind::Throttled,
                ..AwsError::unusable(ACTION, &table, message)
            };
            (table, Err(error))
        };
        heads.extend(asked.into_keys().map(left_out));
        Ok(heads)
    }

    /// Returns what has to be requested again.
    async fn ask_for_heads(
        &self,
        asked: Asked,
        heads: &mut InBatches<Head>,
    ) -> Result<Asked, AwsError> {
        let named = match asked.len() {
            1 => asked.keys().next().cloned().unwrap_or_default(),
            count => format!("{count} tables"),
        };
        let call = self
            .dynamodb
            .batch_get_item()
            .set_request_items(Some(asked));
        let answer = call.send().await.named(ACTION, named)?;
        for (table, items) in answer.responses.unwrap_or_default() {
            if let Some(found) = items.first() {
                let head = item::head(&table, found);
                heads.insert(table, head);
            }
        }
        Ok(answer.unprocessed_keys.unwrap_or_default())
    }
}

fn head_of_it() -> Result<KeysAndAttributes, AwsError> {
    let keys = KeysAndAttributes::builder().keys(item::head_key());
    let keys = keys.consistent_read(true).build();
    keys.map_err(|error| AwsError::unusable(ACTION, "head", error.to_string()))
}

/// One table that is gone, or that has a policy which forbids reading it.
fn is_of_one(error: &AwsError) -> bool {
    matches!(error.kind, AwsErrorKind::NotFound | AwsErrorKind::Denied)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::testing::{Reply, Wire};

    fn names(tables: &[&str]) -> Vec<String> {
        tables.iter().map(|&it| it.to_owned()).collect()
    }

    fn answer(there: &[&str], left: &[&str]) -> Reply {
        let item = |table: &&str| ((*table).to_owned(), json!([{ "fence": { "N": "7" } }]));
        let key = json!({ "Keys": [{ "pk": { "S": "app" }, "sk": { "S": "head" } }] });
        let key = |table: &&str| ((*table).to_owned(), key.clone());
        Reply::json(&json!({
            "Responses": there.iter().map(item).collect::<serde_json::Map<_, _>>(),
            "UnprocessedKeys": left.iter().map(key).collect::<serde_json::Map<_, _>>(),
        }))
    }

    fn asked(wire: &Wire) -> Vec<Vec<String>> {
        let tables = |body: Value| {
            let asked = body["RequestItems"].as_object().unwrap().clone();
            let mut names: Vec<String> = asked.keys().cloned().collect();
            names.sort();
            names
        };
        let requests = wire.requests();
        requests.iter().map(|it| tables(it.json())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_dynamodb_leaves_out_is_asked_for_again() {
        let wire = Wire::new()
            .on("BatchGetItem", answer(&["a"], &["b", "c"]))
            .on("BatchGetItem", answer(&["b"], &[]));
        let heads = wire.aws().read_heads(names(&["a", "b", "c"])).await;
        let fence = |table: &str| heads[table].as_ref().unwrap().fence;
        // A table without an item belongs to an app without any operation yet.
        assert_eq!(["a", "b", "c"].map(fence), [7, 7, 0]);
        assert_eq!(asked(&wire), [&["a", "b", "c"][..], &["b", "c"]]);
        wire.assert_used_up();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_out_for_ever_is_an_error_of_its_own() {
        let again = |wire: Wire| wire.on("BatchGetItem", answer(&[], &["b"]));
        let wire = Wire::new().on("BatchGetItem", answer(&["a"], &["b"]));
        let wire = (0..AGAIN).fold(wire, |wire, _| again(wire));
        let heads = wire.aws().read_heads(names(&["a", "b"])).await;
        assert!(heads["a"].is_ok());
        let error = heads["b"].as_ref().unwrap_err();
        assert_eq!(error.kind, AwsErrorKind::Throttled, "{error}");
        wire.assert_used_up();
    }

    #[tokio::test]
    async fn a_table_that_is_gone_hides_no_others() {
        let gone = || Reply::json_error(400, "ResourceNotFoundException", "not found");
        let wire = Wire::new()
            // All, then d and c and b; a alone is complete.
            .on("BatchGetItem", gone())
            .on("BatchGetItem", answer(&["c", "d"], &[]))
            .on("BatchGetItem", gone())
            .on("BatchGetItem", gone())
            .on("BatchGetItem", answer(&["a"], &[]));
        let heads = wire.aws().read_heads(names(&["a", "b", "c", "d"])).await;
        let error = heads["b"].as_ref().unwrap_err();
        assert_eq!(error.kind, AwsErrorKind::NotFound);
        assert!(["a", "c", "d"].iter().all(|table| heads[*table].is_ok()));
        wire.assert_used_up();
    }

    #[tokio::test]
    async fn a_hundred_tables_are_read_at_once() {
        let wire = Wire::new()
            .on("BatchGetItem", answer(&[], &[]))
            .on("BatchGetItem", answer(&[], &[]));
        let tables: Vec<String> = (0..150).map(|n| format!("table-{n}")).collect();
        assert_eq!(wire.aws().read_heads(tables).await.len(), 150);
        let sizes: Vec<usize> = asked(&wire).iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 50]);
    }
}
