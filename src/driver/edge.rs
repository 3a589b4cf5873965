//! `init` of an app whose colours somebody else runs: its journal, and the record
//! that becomes its router, which is taken over without a moment in which anybody
//! is answered otherwise; and the way back.

mod answers;

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::sleep;

use super::stack::WrittenStack;
use super::turn::Turn;
use super::{destroy, hosted, resolvers};
use crate::aws::{RecordForm, Router, StackSnapshot, edge_endpoints, edge_template};
use crate::config::{Edge, RecordKeys, RouterKeys};
use crate::engine::plan::Step;
use crate::engine::takeover::{self, Takeover};
use crate::error::{Error, Result};
use crate::model::journal::{Effect, Operation};
use crate::model::{
    Color, EdgeInfrastructure, EdgeRouter, Found, HostedRelease, Infrastructure, Observed,
    PerColor, Revision, RoutedRecord, Targets,
};
use crate::provenance::Provenance;
use crate::report::ReportEvent;
use crate::session::{Session, unusable};
use crate::spoken_time;

/// Ahead of each look whether a change is everywhere.
const SYNC_PAUSE: Duration = Duration::from_secs(2);
/// How long that may take.
const LONGEST_SYNC: Duration = Duration::from_secs(300);
/// How often a wait says how long it will be.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// So many operations are looked through for the last that shortened a record.
const RECENT: i32 = 20;

/// What `init` found and means to do.
#[derive(Debug)]
pub struct PreparedEdge {
    pub infrastructure: EdgeInfrastructure,
    pub stack: WrittenStack,
    pub takeover: Takeover,
}

/// Looks, and plans. Changes nothing.
///
/// # Errors
/// A record that is not to be taken over, or a stack that is not in order (exit 6).
pub async fn prepare(session: &Session, edge: &Edge) -> Result<PreparedEdge> {
    let before = session.aws.read_stack(&session.stack_name()).await?;
    if let Some(stack) = before.as_ref().filter(|stack| stack.is_unusable()) {
        return Err(unusable(stack));
    }
    let earlier = match &before {
        Some(stack) => earlier(session, stack)?,
        None => None,
    };
    let RouterKeys::Route53(keys) = &edge.router;
    let (record, takeover) = record(session, edge, keys, earlier.as_ref()).await?;
    let infrastructure = EdgeInfrastructure {
        endpoints: edge_endpoints(&record),
        router: EdgeRouter::Route53(record),
        backends: PerColor {
            blue: edge.colors.blue.url.clone(),
            green: edge.colors.green.url.clone(),
        },
        url: edge.url.clone(),
        journal_table: session.stack_name(),
    };
    let template = edge_template(&session.config.app, &infrastructure);
    Ok(PreparedEdge {
        infrastructure,
        stack: WrittenStack::of(session, before, template).await?,
        takeover,
    })
}

/// The record that an earlier `init` was told of.
///
/// # Errors
/// Another name's: users of that one would be left behind (exit 6).
fn earlier(session: &Session, stack: &StackSnapshot) -> Result<Option<RoutedRecord>> {
    let infrastructure = session.infrastructure_of(stack)?;
    Ok(infrastructure.edge().map(|edge| {
        let EdgeRouter::Route53(record) = &edge.router;
        record.clone()
    }))
}

async fn record(
    session: &Session,
    edge: &Edge,
    keys: &RecordKeys,
    earlier: Option<&RoutedRecord>,
) -> Result<(RoutedRecord, Takeover)> {
    if let Some(earlier) = earlier.filter(|earlier| earlier.name != keys.record) {
        return Err(Error::refused(format!(
            "{} was taken over as {}, and bgecs.toml says {}",
            session.stack_name(),
            earlier.name,
            keys.record
        ))
        .hint("`bgecs destroy` gives that record back; then `bgecs init`; or name it as it was"));
    }
    let zone = zone(session, keys).await?;
    let sets = session.aws.sets_named(&zone, &keys.record).await?;
    let answers = answers::of(session, edge, &sets).await?;
    let record = RoutedRecord {
        owner: session.stack_name(),
        zone,
        name: keys.record.clone(),
        ttl: keys.ttl,
        ttl_before: None,
        answers,
    };
    let takeover = takeover::takeover(&record, earlier, &sets)?;
    if takeover == Takeover::FromNothing {
        refuse_wildcard(session, &record).await?;
    }
    // An `init` that was cut short may have shortened it.
    let known = earlier.and_then(|earlier| earlier.ttl_before);
    let ttl_before = known.or(match takeover {
        Takeover::Take { ttl, .. } => Some(ttl.unwrap_or(record.ttl)),
        Takeover::FromNothing => None,
        // Another stack's weights, which this one did not make and will not delete.
        Takeover::Done(_) | Takeover::Renew { .. } => match earlier {
            Some(_) => None,
            None => Some(
                sets.iter()
                    .filter_map(|set| set.ttl)
                    .max()
                    .unwrap_or(record.ttl),
            ),
        },
    });
    if matches!(takeover, Takeover::Take { .. }) {
        answers::refuse_emptied(session, &record, takeover).await?;
        refuse_another_owner(session, &record.name).await?;
    }
    Ok((
        RoutedRecord {
            ttl_before,
            ..record
        },
        takeover,
    ))
}

/// # Errors
/// No zone serves the name, or two do; one that nobody is sent to (exit 6).
async fn zone(session: &Session, keys: &RecordKeys) -> Result<String> {
    if let Some(zone) = &keys.zone {
        return Ok(zone.clone());
    }
    let zones = session.aws.hosted_zones().await?;
    let zone = takeover::zone_of(&keys.record, &zones)?;
    let id = zone.id.trim_start_matches("/hostedzone/").to_owned();
    let its_own = session.aws.name_servers_of(&id).await?;
    let dns = match resolvers::first(&keys.resolvers) {
        Ok(dns) => dns,
        Err(why) => {
            unchecked(session, &zone.name, &why);
            return Ok(id);
        }
    };
    match dns.name_servers(&zone.name).await {
        Ok(told) => takeover::refuse_unserved(&zone.name, &its_own, &told)?,
        Err(why) => unchecked(session, &zone.name, &why),
    }
    Ok(id)
}

fn unchecked(session: &Session, zone: &str, why: &str) {
    let warning = format!("whether anybody is sent to the hosted zone {zone} is not known: {why}");
    session.report.tell(&ReportEvent::Warning(warning));
}

/// A first release would take its users from where a wildcard has led them so far.
///
/// # Errors
/// One covers the name (exit 6).
async fn refuse_wildcard(session: &Session, record: &RoutedRecord) -> Result<()> {
    let name = &record.name;
    for wildcard in takeover::wildcards(name) {
        let sets = session.aws.sets_named(&record.zone, &wildcard).await?;
        if let Some(set) = sets.iter().find(|set| takeover::leads_users(set)) {
            return Err(Error::refused(format!(
                "{name} is answered by the record {wildcard}: {set}"
            ))
            .hint(format!(
                "make a record of its own for {name} that leads to the same; then `bgecs init` takes it over"
            )));
        }
    }
    Ok(())
}

/// The next update of that stack would put the record back as it was.
///
/// # Errors
/// A stack has it (exit 6).
async fn refuse_another_owner(session: &Session, name: &str) -> Result<()> {
    match session.aws.stack_with_record(name).await? {
        None => Ok(()),
        Some(stack) => Err(Error::refused(format!(
            "the record {name} belongs to the CloudFormation stack {stack}, whose next update would put it back"
        ))
        .hint(
            "take it out of that stack's template with `DeletionPolicy: Retain` first; then `bgecs init`",
        )),
    }
}

impl PreparedEdge {
    pub fn record(&self) -> &RoutedRecord {
        let EdgeRouter::Route53(record) = &self.infrastructure.router;
        record
    }

    pub fn is_nothing(&self) -> bool {
        let is_as_it_is = matches!(self.takeover, Takeover::FromNothing | Takeover::Done(_));
        self.stack.is_up_to_date() && is_as_it_is
    }

    pub fn steps(&self, session: &Session) -> Vec<Step> {
        let mut steps = self.stack.steps(&session.stack_name());
        let record = self.record();
        let name = || record.name.clone();
        let (shorten_from, last) = match self.takeover {
            Takeover::FromNothing | Takeover::Done(_) => return steps,
            Takeover::Take {
                live, shorten_from, ..
            } => (
                shorten_from,
                Step::TakeRecordOver {
                    record: name(),
                    live,
                },
            ),
            Takeover::Renew { live, shorten_from } => (
                shorten_from,
                Step::RenewRecord {
                    record: name(),
                    live,
                },
            ),
        };
        steps.extend(shorten_from.map(|from| Step::ShortenTtl {
            record: name(),
            from,
            to: record.ttl,
        }));
        steps.push(last);
        steps
    }
}

/// Takes the record over, under the lease: what resolvers keep is made short first,
/// and forgotten, so that every later move is seen as soon as it is to be.
///
/// # Errors
/// A record that somebody changed meanwhile; AWS's own.
pub async fn take_over(
    session: &Session,
    turn: &Turn,
    prepared: &PreparedEdge,
    observed: &Observed,
) -> Result<()> {
    let record = prepared.record();
    let (live, shorten_from) = match prepared.takeover {
        Takeover::FromNothing | Takeover::Done(_) => return Ok(()),
        Takeover::Renew { live, shorten_from } => {
            return renew(session, turn, record, (live, shorten_from)).await;
        }
        Takeover::Take {
            live, shorten_from, ..
        } => (live, shorten_from),
    };
    let name = record.name.clone();
    if let Some(from) = shorten_from {
        turn.about_to(Effect::ShortenTtl {
            record: name.clone(),
            from,
        })
        .await?;
        let ttl = record.ttl;
        reform(session, record, RecordForm::Simple { color: live, ttl }).await?;
        turn.did().await?;
    }
    let kept_until = kept_until(session, turn, record).await?;
    forget(session, &name, kept_until).await;
    turn.about_to(Effect::TakeRecordOver {
        record: name.clone(),
    })
    .await?;
    reform(session, record, RecordForm::Weighted(live)).await?;
    turn.did().await?;
    turn.saw(&found_there(turn, observed, live));
    Ok(())
}

/// What it says of the idle colour, and for how long it may be kept: users stay where
/// they are.
async fn renew(
    session: &Session,
    turn: &Turn,
    record: &RoutedRecord,
    (live, shorten_from): (Color, Option<u32>),
) -> Result<()> {
    let name = record.name.clone();
    turn.about_to(match shorten_from {
        Some(from) => Effect::ShortenTtl { record: name, from },
        None => Effect::TakeRecordOver { record: name },
    })
    .await?;
    reform(session, record, RecordForm::Weighted(live)).await?;
    turn.did().await?;
    let until = kept_until(session, turn, record).await?;
    forget(session, &record.name, until).await;
    Ok(())
}

/// What an `init` was about that was cut short, brought to its end.
///
/// # Errors
/// As [`prepare`] and [`take_over`].
pub async fn finish(
    session: &Session,
    turn: &Turn,
    edge: &Edge,
    observed: &Observed,
) -> Result<()> {
    let prepared = prepare(session, edge).await?;
    prepared.stack.carry_out(session, Some(turn)).await?;
    take_over(session, turn, &prepared, observed).await?;
    // It may have been taken over, and nobody lived to say what was live.
    let begun = |effect: &Effect| matches!(effect, Effect::TakeRecordOver { .. });
    if let Takeover::Done(Some(live)) = prepared.takeover
        && turn.operation().intended(begun)
        && observed.color(live).hosted.is_none()
    {
        turn.saw(&found_there(turn, observed, live));
    }
    Ok(())
}

/// What was live before bgecs came is the release to go back to.
fn found_there(turn: &Turn, observed: &Observed, live: Color) -> Observed {
    let operation = turn.operation();
    let mut now = observed.clone();
    now.traffic.production = live.into();
    if now.color(live).hosted.is_some() {
        return now;
    }
    let hosted = HostedRelease {
        revision: Revision::new(operation.id.as_str()),
        tag: None,
        deployed_at: Provenance::gather(None).when,
        deployed_by: "whoever had it before bgecs".to_owned(),
        is_retired: false,
    };
    let targets: Targets = now.color(live).targets.clone();
    *now.colors.get_mut(live) = hosted::state(Some(hosted), targets);
    now
}

/// A record that is given back has one answer for all.
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
    let EdgeRouter::Route53(record) = &edge.router;
    Error::refused(format!(
        "users of {} are on both colours: {found}",
        record.name
    ))
    .hint("`bgecs resume` or `bgecs rollback` first: a record has one answer for all")
}

/// Gives the record back as it was taken: one answer for all, that of the colour
/// which users are on. One that bgecs made goes; one that leads elsewhere by now is
/// its owner's.
///
/// # Errors
/// Users are on both colours (exit 6); AWS's own.
pub async fn give_back(
    session: &Session,
    turn: Option<&Turn>,
    edge: &EdgeInfrastructure,
) -> Result<()> {
    let infrastructure = Infrastructure::from(edge.clone());
    let found = session.aws.router(&infrastructure).read().await?.production;
    let EdgeRouter::Route53(record) = &edge.router;
    let name = record.name.clone();
    let form = match (&found, found.only(), record.ttl_before) {
        (Found::Nowhere, ..) => return Ok(()),
        (Found::Foreign(_), _, before) => {
            if let Some(form) = shortened_only(session, record, before).await? {
                return reform(session, record, form).await;
            }
            session.report.tell(&ReportEvent::Warning(format!(
                "the record {name} {}, which bgecs did not do: it is left as it is",
                found.deed()
            )));
            return Ok(());
        }
        (_, None, _) => return Err(on_both(edge, &found)),
        (_, Some(color), Some(ttl)) => RecordForm::Simple { color, ttl },
        (_, Some(_), None) => RecordForm::Gone,
    };
    destroy::about_to(turn, Effect::GiveRecordBack { record: name }).await?;
    reform(session, record, form).await
}

/// As it was before an `init` that got no further than making it short.
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

async fn reform(session: &Session, record: &RoutedRecord, form: RecordForm) -> Result<()> {
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
                "Route 53 has taken the change of {}, and after {} s not all of its name servers have it",
                record.name,
                LONGEST_SYNC.as_secs()
            ))
            .hint("run the same command again: it goes on from there"));
        }
        sleep(session.poll_pause(SYNC_PAUSE)).await;
    }
    Ok(())
}

/// Until when a resolver may keep an answer from before the record was shortened,
/// by this `init` or one that did not come to its end.
async fn kept_until(
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

/// When what it shortened is forgotten everywhere.
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

async fn forget(session: &Session, name: &str, until: Option<OffsetDateTime>) {
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
