//! Calls for many things at once, where a single one can make AWS reject the whole call.

use std::collections::HashMap;

use futures_util::future::join_all;

use super::unless_throttled;
use crate::aws::error::AwsError;

/// By key. What AWS leaves out is missing here too.
pub type InBatches<V> = HashMap<String, Result<V, AwsError>>;

/// Reads `most` at a time, each only once. If AWS rejects a call because one key may be
/// at fault, its halves are read separately, until that key is alone.
pub async fn in_halves<V>(
    mut keys: Vec<String>,
    most: usize,
    is_of_one: fn(&AwsError) -> bool,
    read: impl AsyncFn(Vec<String>) -> Result<InBatches<V>, AwsError>,
) -> InBatches<V> {
    keys.sort_unstable();
    keys.dedup();
    let batches = keys.chunks(most).map(<[_]>::to_vec);
    let read = join_all(batches.map(|batch| batch_in_halves(batch, is_of_one, &read)));
    read.await.into_iter().flatten().collect()
}

async fn batch_in_halves<V>(
    batch: Vec<String>,
    is_of_one: fn(&AwsError) -> bool,
    read: &impl AsyncFn(Vec<String>) -> Result<InBatches<V>, AwsError>,
) -> InBatches<V> {
    let (mut left, mut all) = (vec![batch], HashMap::new());
    while let Some(batch) = left.pop() {
        match unless_throttled(async || read(batch.clone()).await).await {
            Ok(found) => all.extend(found),
            Err(error) if batch.len() > 1 && is_of_one(&error) => {
                let (one, other) = batch.split_at(batch.len() / 2);
                left.extend([one.to_vec(), other.to_vec()]);
            }
            Err(error) => all.extend(batch.into_iter().map(|key| (key, Err(error.clone())))),
        }
    }
    all
}
