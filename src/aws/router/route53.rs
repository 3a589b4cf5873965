//! A name in Route 53, whose record sets decide where requests go: one set for each
//! colour, by weight. A move is one batch that deletes exactly what was read and creates
//! the new sets: "Route 53 performs all of the changes in a batch or none", and a DELETE
//! of anything but what is there fails, so nothing that somebody else wrote is
//! overwritten
//! (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>).
//!
//! A change is listed at once, but is on every name server only when its status is
//! `INSYNC`. Until then the name is read as it was. What a resolver has cached by then it
//! keeps for the TTL that it was given, which no call can shorten.

mod sets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::weights::{no_more_than, weights_up_to};
use super::{Router, Unmoved};
use crate::aws::Aws;
use crate::aws::error::AwsError;
use crate::aws::route53::{RecordPlace, bare, place};
use crate::aws::xml::Element;
use crate::model::{
    Color, Found, Move, Patience, PerRoute, RecordSet, RoutedRecord, Split, Strategy, Urgency,
};
pub(in crate::aws) use sets::plain_name;

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
pub const HEAVIEST: u32 = 255;

pub(in crate::aws) const CHANGE: &str = "route53:ChangeResourceRecordSets";
pub(in crate::aws) const GET_CHANGE: &str = "route53:GetChange";

/// 1 of 256, in basis points.
const LEAST_SHARE: u16 = 39;

/// A change is usually everywhere within 60 s
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/Route53Introduction.html>);
/// this is for the days when it is not.
const LONGEST_SYNC: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy)]
pub struct Route53Router<'a> {
    aws: &'a Aws,
    record: &'a RoutedRecord,
}

/// What is known about the name from one call to the next.
#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct LastRecords(Arc<Mutex<LastSets>>);

#[derive(Debug, Default)]
struct LastSets {
    /// As they were last listed: a move deletes exactly these.
    sets: Option<Vec<Element>>,
    /// Our last change that was not seen in sync yet, and what the name did before it.
    pending: Option<(String, Found)>,
    /// The longest TTL that any of them had, in seconds.
    longest_ttl: u32,
}

impl LastRecords {
    fn locked(&self) -> MutexGuard<'_, LastSets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Route53Router<'a> {
    pub fn new(aws: &'a Aws, record: &'a RoutedRecord) -> Self {
        Self { aws, record }
    }

    /// What the name does; our last change is not counted until it is everywhere.
    async fn production(&self) -> Result<Found, AwsError> {
        let sets = self.list().await?;
        let found = self.understood(&sets);
        let pending = {
            let mut kept = self.aws.last_records.locked();
            let ttls = sets.iter().filter_map(|set| set.number("TTL"));
            let longest = ttls.filter_map(|ttl| u32::try_from(ttl).ok()).max();
            kept.longest_ttl = kept.longest_ttl.max(longest.unwrap_or(0));
            kept.sets = Some(sets);
            kept.pending.clone()
        };
        let Some((id, before)) = pending else {
            return Ok(found);
        };
        if !self.aws.is_in_sync(&id).await? {
            return Ok(before);
        }
        let mut kept = self.aws.last_records.locked();
        if kept.pending.as_ref().is_some_and(|(last, _)| *last == id) {
            kept.pending = None;
        }
        Ok(found)
    }

    /// The sets of the name that have one of the types that the app answers with.
    async fn list(&self) -> Result<Vec<Element>, AwsError> {
        let RoutedRecord { zone, name, .. } = self.record;
        let sets = self.aws.record_sets(zone, name).await?;
        Ok(of_its_types(self.record, sets))
    }

    fn understood(&self, sets: &[Element]) -> Found {
        let sets: Vec<RecordSet> = sets.iter().map(sets::read).collect();
        sets::understood(self.record, &sets)
    }
}

fn of_its_types(record: &RoutedRecord, sets: Vec<Element>) -> Vec<Element> {
    let is_its = |set: &Element| {
        let mut answers = record.answers.blue.iter();
        answers.any(|answer| Some(answer.kind.as_str()) == set.text("Type"))
    };
    sets.into_iter().filter(is_its).collect()
}

impl Router for Route53Router<'_> {
    fn patience(&self) -> Patience {
        // Somebody may have raised the TTL since; the longest one that resolvers were
        // given counts.
        let longest = self.aws.last_records.locked().longest_ttl;
        let kept = Duration::from_secs(u64::from(self.record.kept_for().max(longest)));
        Patience {
            confirm: LONGEST_SYNC,
            visible: kept,
            spread: kept,
            stale: Duration::from_secs(3),
            stale_pause: Duration::from_secs(1),
            resend: LONGEST_SYNC,
            unreadable: Duration::from_secs(60),
            // An account may make only five calls a second.
            pause: Duration::from_secs(1),
            late: Duration::from_secs(2),
            gap: Duration::ZERO,
        }
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        let to = strategy.to;
        strategy.with_shares(|share| {
            no_more_than(HEAVIEST, to, share).ok_or_else(|| {
                format!(
                    "record {} cannot give {to} {}% of its answers or less: its weights are whole numbers up to \
                     {HEAVIEST}, so the smallest share is {}%",
                    self.record.name,
                    f64::from(share) / 100.0,
                    f64::from(LEAST_SHARE) / 100.0,
                )
            })
        })
    }

    fn shares_requests(&self) -> bool {
        false
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        Ok(PerRoute {
            production: self.production().await?,
            test: Found::ByRequest,
        })
    }

    async fn apply(&self, it: Move, _: Urgency) -> Result<(), Unmoved> {
        let last = self.aws.last_records.locked().sets.clone();
        let sets = match last {
            Some(sets) => sets,
            None => self.list().await?,
        };
        let before = self.understood(&sets);
        let batch = self.batch(&sets, it.to)?;
        // Whatever the result, what was read may not be there any more.
        self.aws.last_records.locked().sets = None;
        let id = self.aws.change_records(&self.record.zone, batch).await?;
        self.aws.last_records.locked().pending = Some((id, before));
        Ok(())
    }
}

impl Route53Router<'_> {
    fn batch(&self, seen: &[Element], to: Split) -> Result<Vec<Element>, AwsError> {
        let weights = weights_up_to(HEAVIEST, to).ok_or_else(|| {
            let what = format!("no weights up to {HEAVIEST} give {to}");
            AwsError::unusable(CHANGE, &self.record.name, what)
        })?;
        Ok(batch(seen, &sets::weighted(self.record, weights)))
    }
}

/// The changes that replace `seen` with `wanted`, without the sets that stay.
fn batch(seen: &[Element], wanted: &[Element]) -> Vec<Element> {
    let gone = seen.iter().filter(|set| !wanted.contains(set));
    let new = wanted.iter().filter(|set| !seen.contains(set));
    let gone = gone.map(|set| ("DELETE", set));
    let all = gone.chain(new.map(|set| ("CREATE", set)));
    let change = |(action, set): (&str, &Element)| {
        Element::branch("Change", [Element::leaf("Action", action), set.clone()])
    };
    all.map(change).collect()
}

/// The forms of a record that is not being moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordForm {
    /// One answer for all, with that TTL in seconds.
    Simple { color: Color, ttl: u32 },
    /// A weight for each colour, where this colour has all.
    Weighted(Color),
    /// No record at all.
    Gone,
}

impl Aws {
    /// Every set of that name, of any type, as far as it decides who is led where.
    ///
    /// # Errors
    /// Route 53's own.
    pub async fn sets_named(&self, zone: &str, name: &str) -> Result<Vec<RecordSet>, AwsError> {
        let sets = self.record_sets(zone, name).await?;
        Ok(sets.iter().map(sets::read).collect())
    }

    /// Gives the record that form in one batch, based on exactly what was just read: no
    /// resolver gets an empty answer meanwhile. Returns the id of the change; None if
    /// nothing had to be changed.
    ///
    /// # Errors
    /// Route 53's own; then nothing is changed.
    pub async fn reform_record(
        &self,
        record: &RoutedRecord,
        form: RecordForm,
    ) -> Result<Option<String>, AwsError> {
        let seen = of_its_types(record, self.record_sets(&record.zone, &record.name).await?);
        let wanted = match form {
            RecordForm::Simple { color, ttl } => sets::simple(record, color, ttl),
            RecordForm::Weighted(color) => {
                let whole = weights_up_to(HEAVIEST, Split::all(color));
                sets::weighted(record, whole.unwrap_or_default())
            }
            RecordForm::Gone => Vec::new(),
        };
        let batch = batch(&seen, &wanted);
        match batch.is_empty() {
            true => Ok(None),
            false => self.change_records(&record.zone, batch).await.map(Some),
        }
    }

    /// Makes those records of a name that lead to `from` lead to `to`, in one batch based
    /// on exactly what was there. Returns whether there were any.
    ///
    /// # Errors
    /// Route 53's own; then nothing is changed.
    #[cfg(feature = "edges")]
    pub(super) async fn repoint(
        &self,
        zone: &str,
        name: &str,
        (from, to): (&str, &str),
    ) -> Result<bool, AwsError> {
        let seen = self.record_sets(zone, name).await?;
        let wanted = seen.iter().map(|set| sets::led_on(set, from, to));
        let wanted: Vec<_> = wanted.collect();
        // An empty batch would be rejected.
        if wanted == seen {
            return Ok(false);
        }
        let batch = batch(&seen, &wanted);
        self.change_records(zone, batch).await.map(|_| true)
    }

    /// Every set of that name, of whichever type.
    ///
    /// # Errors
    /// Route 53's own.
    async fn record_sets(&self, zone: &str, name: &str) -> Result<Vec<Element>, AwsError> {
        let mut all = Vec::new();
        let mut from = RecordPlace {
            name: Some(name.to_owned()),
            ..RecordPlace::default()
        };
        loop {
            let page = self.records_from(zone, name, &from).await?;
            let sets = page.sets();
            let is_of_name = |set: &&&Element| sets::name_of(set) == name;
            let of_name = sets.iter().take_while(is_of_name);
            let before = all.len();
            all.extend(of_name.copied().cloned());
            let is_whole = all.len() - before == sets.len();
            let next = page.next().filter(|next| {
                let next = next.name.as_deref().map(plain_name);
                is_whole && next.as_deref() == Some(name)
            });
            match next {
                Some(next) => from = next,
                None => return Ok(all),
            }
        }
    }

    /// Returns the id of the change.
    ///
    /// # Errors
    /// Route 53's own; then nothing is changed.
    async fn change_records(&self, zone: &str, batch: Vec<Element>) -> Result<String, AwsError> {
        let set = batch.first().and_then(|it| it.at("ResourceRecordSet"));
        let name = set.map(sets::name_of).unwrap_or_default();
        let batch = [
            Element::leaf("Comment", "bgecs"),
            Element::branch("Changes", batch),
        ];
        let request = Element::branch(
            "ChangeResourceRecordSetsRequest",
            [Element::branch("ChangeBatch", batch)],
        );
        let at = place(&["hostedzone", bare(zone), "rrset"]);
        let answer = self.tell_route53(CHANGE, &at, &name, &request).await?;
        Ok(answer.text("ChangeInfo/Id").unwrap_or_default().to_owned())
    }

    /// Whether every name server of the zone has that change.
    ///
    /// # Errors
    /// Route 53's own.
    pub async fn is_in_sync(&self, change: &str) -> Result<bool, AwsError> {
        let id = bare(change);
        let at = place(&["change", id]);
        let answer = self.of_route53(GET_CHANGE, &at, id).await?;
        Ok(answer.text("ChangeInfo/Status") == Some("INSYNC"))
    }
}

#[cfg(test)]
mod tests;
