//! Giving the router back: the state in which bgecs leaves a record.

use super::rules;
use super::spreading::reform;
use crate::aws::{RecordForm, Router};
use crate::driver::destroy;
use crate::driver::turn::Turn;
use crate::engine::plan::Step;
use crate::engine::takeover::{self, Takeover};
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{EdgeInfrastructure, EdgeRouter, Found, Infrastructure, RoutedRecord};
use crate::report::ReportEvent;
use crate::session::Session;

/// A router that is given back leads all users to one place.
///
/// # Errors
/// Users are on both colours (exit 6); AWS's own.
pub async fn refuse_on_both(session: &Session, edge: &EdgeInfrastructure) -> Result<()> {
    let infrastructure = Infrastructure::from(edge.clone());
    let found = session.aws.router(&infrastructure).read().await?.production;
    match found.is_on_both() {
        false => Ok(()),
        true => Err(on_both(edge, &found)),
    }
}

fn on_both(edge: &EdgeInfrastructure, found: &Found) -> Error {
    Error::refused(format!(
        "users of the {} are on both colours: {found}",
        edge.endpoints.production
    ))
    .hint(
        "`bgecs resume` or `bgecs rollback` first: once it is given back, it leads all users to one place",
    )
}

/// What `destroy` does to the router.
///
/// # Errors
/// AWS's own.
pub async fn steps_back(session: &Session, edge: &EdgeInfrastructure) -> Result<Vec<Step>> {
    if let Some(record) = edge.router.record() {
        return Ok(vec![Step::GiveRecordBack {
            record: record.name.clone(),
            is_made: record.ttl_before.is_none(),
        }]);
    }
    let changes = rules::of_end(session, edge).await?;
    Ok(changes.into_iter().map(Step::TestRule).collect())
}

/// Gives the record back in the form that it had: one answer for all, that of the colour
/// which users are on. A record that bgecs made is deleted; one that leads elsewhere by
/// now is left to its owner. A router with a single value stays as it is, and only loses
/// the rules that bgecs made.
///
/// # Errors
/// Users are on both colours (exit 6); AWS's own.
pub async fn give_back(
    session: &Session,
    turn: Option<&Turn>,
    edge: &EdgeInfrastructure,
) -> Result<()> {
    let record = match &edge.router {
        EdgeRouter::Route53(record) => record,
        EdgeRouter::Pointer(_) => {
            let changes = rules::of_end(session, edge).await?;
            return rules::carry_out(session, turn, &changes).await;
        }
    };
    let infrastructure = Infrastructure::from(edge.clone());
    let found = session.aws.router(&infrastructure).read().await?.production;
    let name = record.name.clone();
    let form = match (&found, found.only(), record.ttl_before) {
        (Found::Nowhere, ..) => return Ok(()),
        (Found::Foreign(_), _, before) => match shortened_only(session, record, before).await? {
            Some(form) => form,
            None => {
                session.report.tell(&ReportEvent::Warning(format!(
                    "the record {name} {}, which bgecs did not do: it is left as it is",
                    found.deed()
                )));
                return Ok(());
            }
        },
        (_, None, _) => return Err(on_both(edge, &found)),
        (_, Some(color), Some(ttl)) => RecordForm::Simple { color, ttl },
        (_, Some(_), None) => RecordForm::Gone,
    };
    destroy::about_to(turn, Effect::GiveRecordBack { record: name }).await?;
    reform(session, record, form).await
}

/// The original form, if an `init` got no further than shortening the TTL.
async fn shortened_only(
    session: &Session,
    record: &RoutedRecord,
    ttl_before: Option<u32>,
) -> Result<Option<RecordForm>> {
    let sets = session.aws.sets_named(&record.zone, &record.name).await?;
    let takeover = takeover::takeover(record, Some(record), &sets);
    Ok(match (takeover, ttl_before) {
        (Ok(Takeover::Take { live, ttl, .. }), Some(before)) if ttl == Some(record.ttl) => {
            Some(RecordForm::Simple {
                color: live,
                ttl: before,
            })
        }
        _ => None,
    })
}
