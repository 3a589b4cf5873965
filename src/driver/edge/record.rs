//! The record named in the file, as it is and as it will be; nothing is changed here.

use super::answers;
use crate::config::{Edge, HostedColor, PointsAt, RecordKeys};
use crate::driver::resolvers;
use crate::engine::takeover::{self, Takeover};
use crate::error::{Error, Result};
use crate::model::RoutedRecord;
use crate::report::ReportEvent;
use crate::session::Session;

pub(super) async fn look(
    session: &Session,
    edge: &Edge,
    keys: &RecordKeys,
    earlier: Option<&RoutedRecord>,
) -> Result<(RoutedRecord, Takeover)> {
    if let Some(earlier) = earlier.filter(|earlier| earlier.name != keys.record) {
        return Err(Error::refused(format!(
            "{} was taken over as {}, but bgecs.toml says {}",
            session.stack_name(),
            earlier.name,
            keys.record
        ))
        .hint("`bgecs destroy` gives that record back; then `bgecs init`; or name it as it was"));
    }
    refuse_two_distributions(edge, keys)?;
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
    // An `init` that was cut short may have shortened the TTL.
    let known = earlier.and_then(|earlier| earlier.ttl_before);
    let ttl_before = known.or(match takeover {
        Takeover::Take { ttl, .. } => Some(ttl.unwrap_or(record.ttl)),
        Takeover::FromNothing => None,
        // The weights belong to another stack; this one did not make them and will not
        // delete them.
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

/// CloudFront chooses a distribution by the name that a user asks for, not by where DNS
/// led them: with the name on one distribution and `*.` of its parent on the other, the
/// first serves all users whatever the record says
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html>).
///
/// # Errors
/// Both colours are distributions (exit 2).
fn refuse_two_distributions(edge: &Edge, keys: &RecordKeys) -> Result<()> {
    let is_one = |color: &HostedColor| match &color.points_at {
        PointsAt::Name(name) => name.ends_with(answers::CLOUDFRONT),
        PointsAt::Addresses(_) | PointsAt::Thing(_) => false,
    };
    match is_one(&edge.colors.blue) && is_one(&edge.colors.green) {
        false => Ok(()),
        true => Err(Error::usage(format!(
            "both colours are distributions of CloudFront: the one whose alias is nearest to {} serves everybody whatever DNS says, so changing the record would move nobody",
            keys.record
        ))
        .hint(format!(
            "`kind = \"cloudfront-alias\"` with `alias = \"{}\"` moves that alias, and the record after it",
            keys.record
        ))),
    }
}

/// # Errors
/// No zone serves the name, or two do; a zone that nobody is sent to (exit 6).
async fn zone(session: &Session, keys: &RecordKeys) -> Result<String> {
    if let Some(zone) = &keys.zone {
        return Ok(zone.clone());
    }
    let zones = session.aws.hosted_zones().await?;
    let zone = takeover::zone_of(&keys.record, &zones)?;
    let id = zone.bare_id().to_owned();
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

/// A first release would take users from where a wildcard record has led them so far.
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
