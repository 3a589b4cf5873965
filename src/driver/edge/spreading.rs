//! How a changed record spreads: to every name server, and then out of every resolver
//! that may still have the old one.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::sleep;

use crate::aws::RecordForm;
use crate::driver::turn::Turn;
use crate::error::{Error, Result};
use crate::model::RoutedRecord;
use crate::model::journal::{Effect, Operation};
use crate::report::ReportEvent;
use crate::session::Session;
use crate::spoken_time;

/// Before each look whether a change has arrived everywhere.
const SYNC_PAUSE: Duration = Duration::from_secs(2);
/// How long that may take.
const LONGEST_SYNC: Duration = Duration::from_secs(300);
/// How often a wait says how long it will be.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How many operations are searched for the last one that shortened a record.
const RECENT: i32 = 20;

pub(super) async fn reform(
    session: &Session,
    record: &RoutedRecord,
    form: RecordForm,
) -> Result<()> {
    let Some(change) = session.aws.reform_record(record, form).await? else {
        return Ok(());
    };
    session.report.tell(&ReportEvent::Doing(format!(
        "waiting until every name server has the record {}",
        record.name
    )));
    let begun = tokio::time::Instant::now();
    while !session.aws.is_in_sync(&change).await? {
        if begun.elapsed() > LONGEST_SYNC {
            return Err(Error::failed(format!(
                "Route 53 has accepted the change of {}, but after {} s not all of its name servers have it",
                record.name,
                LONGEST_SYNC.as_secs()
            ))
            .hint("run the same command again: it continues from there"));
        }
        sleep(session.poll_pause(SYNC_PAUSE)).await;
    }
    Ok(())
}

/// Until when a resolver may keep an answer from before the record was shortened, by this
/// `init` or one that did not finish.
pub(super) async fn kept_until(
    session: &Session,
    turn: &Turn,
    record: &RoutedRecord,
) -> Result<Option<OffsetDateTime>> {
    let table = session.stack_name();
    let ended = session.aws.read_history(&table, RECENT).await?;
    let now = turn.operation();
    let all = ended.iter().chain(turn.unfinished()).chain([&now]);
    let until = all.flat_map(|operation| shortened(operation, &record.name));
    Ok(until.max())
}

/// When the answers from before each shortening have expired everywhere.
fn shortened<'a>(
    operation: &'a Operation,
    name: &'a str,
) -> impl Iterator<Item = OffsetDateTime> + 'a {
    operation
        .entries
        .iter()
        .filter_map(move |entry| match &entry.effect {
            Effect::ShortenTtl { record, from } if record == name => {
                Some(entry.at + Duration::from_secs(u64::from(*from)))
            }
            _ => None,
        })
}

pub(super) async fn forget(session: &Session, name: &str, until: Option<OffsetDateTime>) {
    let Some(until) = until else { return };
    loop {
        let left = until - session.aws.journal_time();
        let Ok(left) = Duration::try_from(left) else {
            return;
        };
        if left.is_zero() {
            return;
        }
        session.report.tell(&ReportEvent::Doing(format!(
            "resolvers may keep the old answer for {name} for another {}: waiting",
            spoken_time::in_words(spoken_time::of(left))
        )));
        sleep(left.min(TELL_EVERY)).await;
    }
}
