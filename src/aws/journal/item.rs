//! Converts the items of the table. If an item has a newer format, only its format is
//! read.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::{Duration, OffsetDateTime};

use super::Item;
use crate::aws::error::AwsError;
use crate::hex;
use crate::model::journal::{FORMAT, Head, Lease, Operation, OperationId};
use crate::model::{HookTask, HookTaskRecord, Upload, UploadRecord};

pub const FORMAT_NUMBER: &str = "format";
pub const FENCE: &str = "fence";
pub const HOLDER: &str = "holder";
pub const HOLDER_ID: &str = "holder_id";
/// Milliseconds since 1970. Not the attribute by which DynamoDB deletes items: the fence
/// must never start again.
pub const UNTIL: &str = "lease_until";
pub const OPERATION: &str = "operation";
/// The version of the operation, under one lease.
pub const VERSION: &str = "version";
pub const TRUTH: &str = "truth";
/// Seconds since 1970, by which DynamoDB deletes an item.
const EXPIRES: &str = "expires_at";

pub const HISTORY: &str = "history";
pub const LINE: &str = "line";
pub const UPLOADS: &str = "uploads";
const UPLOAD: &str = "upload";
const HOOK_TASKS: &str = "hook_tasks";
const HOOK_TASK: &str = "hook_task";
/// The attempt's number, for a task that runs once for a release.
pub const ATTEMPT: &str = "attempt";

/// How long ended operations are remembered.
const REMEMBERED: Duration = Duration::days(400);

pub fn head_key() -> Item {
    key("app", "head")
}

pub fn line_key(place: &OperationId) -> Item {
    key(LINE, place.as_str())
}

fn key(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

pub fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub fn number(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(format!("{number}"))
}

pub fn moment(at: OffsetDateTime) -> AttributeValue {
    number(millis(at))
}

/// Values written as JSON have strings for keys and no numbers that JSON lacks, so this
/// cannot fail.
pub fn json(value: &impl Serialize) -> AttributeValue {
    text(&serde_json::to_string(value).unwrap_or_default())
}

fn millis(at: OffsetDateTime) -> i128 {
    at.unix_timestamp_nanos() / 1_000_000
}

/// `fence` is that of the lease under which the operation ended.
pub fn of_history(fence: u64, operation: &Operation) -> Item {
    let mut item = key(HISTORY, operation.id.as_str());
    item.insert(FENCE.to_owned(), number(fence));
    keep(&mut item, (OPERATION, json(operation)), operation.began);
    item
}

/// Adds a value in the current format, and the time at which it expires.
fn keep(item: &mut Item, (name, value): (&str, AttributeValue), since: OffsetDateTime) {
    item.insert(FORMAT_NUMBER.to_owned(), number(FORMAT));
    item.insert(name.to_owned(), value);
    let expires = (since + REMEMBERED).unix_timestamp();
    item.insert(EXPIRES.to_owned(), number(expires));
}

pub fn of_line(place: &OperationId, until: OffsetDateTime) -> Item {
    let mut item = line_key(place);
    item.insert(UNTIL.to_owned(), moment(until));
    item.insert(EXPIRES.to_owned(), number(until.unix_timestamp() + 60));
    item
}

/// The place in the line, if its owner is still waiting.
pub fn place(item: &Item, now: OffsetDateTime) -> Option<OperationId> {
    let until: i128 = item.get(UNTIL)?.as_n().ok()?.parse().ok()?;
    let name = item.get("sk")?.as_s().ok()?;
    (until > millis(now)).then(|| OperationId::named(name))
}

/// The prefix of the keys of uploads in that second.
pub fn uploaded(at: OffsetDateTime) -> String {
    format!("{:012}", at.unix_timestamp())
}

/// The key has the time, and a hash of the object and its version, which may be long.
pub fn of_upload(record: &UploadRecord) -> Item {
    let Upload {
        bucket,
        key: name,
        version,
    } = &record.upload;
    let whole = hex::sha256(format!("{bucket}/{name}?{version}"));
    let mut item = key(UPLOADS, &format!("{}#{whole}", uploaded(record.uploaded)));
    keep(&mut item, (UPLOAD, json(record)), record.at);
    item
}

pub fn upload(table: &str, item: &Item) -> Result<UploadRecord, AwsError> {
    Read { table, item }.kept(UPLOAD)
}

pub fn hook_task_key(it: &HookTask) -> Item {
    key(HOOK_TASKS, &it.key())
}

pub fn of_hook_task(record: &HookTaskRecord) -> Item {
    let mut item = hook_task_key(&record.it);
    item.insert(ATTEMPT.to_owned(), number(record.attempt));
    keep(&mut item, (HOOK_TASK, json(record)), record.begun);
    item
}

pub fn hook_task(table: &str, item: &Item) -> Result<HookTaskRecord, AwsError> {
    Read { table, item }.kept(HOOK_TASK)
}

pub fn head(table: &str, item: &Item) -> Result<Head, AwsError> {
    let read = Read { table, item };
    read.format()?;
    let lease = match (read.optional_json(HOLDER)?, read.optional_number(UNTIL)?) {
        (Some(holder), Some(until)) => Some(Lease {
            holder,
            until: OffsetDateTime::from_unix_timestamp_nanos(i128::from(until) * 1_000_000)
                .map_err(|_| read.unreadable(UNTIL))?,
        }),
        (None, None) if !item.contains_key(HOLDER_ID) => None,
        // Neither held nor free: nobody could ever take it.
        _ => return Err(read.unreadable(HOLDER)),
    };
    Ok(Head {
        fence: read.optional_number(FENCE)?.unwrap_or_default(),
        lease,
        operation: read.optional_json(OPERATION)?,
        truth: read.optional_json(TRUTH)?,
    })
}

/// Whether that holder has the lease, under that fence.
pub fn is_held(item: &Item, fence: u64, holder: &OperationId) -> bool {
    let is = |name: &str, value| item.get(name) == Some(&value);
    is(FENCE, number(fence)) && is(HOLDER_ID, text(holder.as_str()))
}

/// An operation of the history, and the fence under which it ended.
pub fn ended(table: &str, item: &Item) -> Result<(u64, Operation), AwsError> {
    let read = Read { table, item };
    let operation = read.kept(OPERATION)?;
    Ok((read.optional_number(FENCE)?.unwrap_or_default(), operation))
}

struct Read<'a> {
    table: &'a str,
    item: &'a Item,
}

impl Read<'_> {
    fn format(&self) -> Result<(), AwsError> {
        match self.optional_number(FORMAT_NUMBER)? {
            Some(format) if format > u64::from(FORMAT) => {
                Err(AwsError::too_new(self.table, format, u64::from(FORMAT)))
            }
            _ => Ok(()),
        }
    }

    fn optional_number(&self, name: &str) -> Result<Option<u64>, AwsError> {
        let Some(value) = self.item.get(name) else {
            return Ok(None);
        };
        let number = value.as_n().ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| self.unreadable(name))
    }

    /// Reads what [`keep`] has written.
    fn kept<T: DeserializeOwned>(&self, name: &str) -> Result<T, AwsError> {
        self.format()?;
        let kept = self.optional_json(name)?;
        kept.ok_or_else(|| self.unreadable(name))
    }

    fn optional_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AwsError> {
        let Some(value) = self.item.get(name) else {
            return Ok(None);
        };
        let read = value
            .as_s()
            .ok()
            .and_then(|text| serde_json::from_str(text).ok());
        read.map(Some).ok_or_else(|| self.unreadable(name))
    }

    fn unreadable(&self, name: &str) -> AwsError {
        AwsError::unusable(
            "dynamodb:GetItem",
            self.table,
            format!("its `{name}` was not written by bgecs"),
        )
    }
}
