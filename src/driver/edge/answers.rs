//! What the record answers for each colour: of the same kind as the record that exists,
//! else of the kind that fits the target.

use std::net::IpAddr;

use crate::config::{Edge, HostedColor, PointsAt};
use crate::engine::takeover::Takeover;
use crate::error::{Error, Result};
use crate::model::{
    Alias, Color, Leads, PerColor, RecordAnswer, RecordSet, RecordType, RoutedRecord,
    without_dualstack,
};
use crate::session::Session;

/// The hosted zone of all distributions
/// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>).
const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";
pub(super) const CLOUDFRONT: &str = ".cloudfront.net";
const ELB: &str = ".elb.amazonaws.com";

/// # Errors
/// The two colours cannot have records of the same types (exit 2); a load balancer that
/// does not exist (exit 6); AWS's own.
pub async fn of(
    session: &Session,
    edge: &Edge,
    sets: &[RecordSet],
) -> Result<PerColor<Vec<RecordAnswer>>> {
    let answers = PerColor {
        blue: of_color(session, &edge.colors.blue, sets).await?,
        green: of_color(session, &edge.colors.green, sets).await?,
    };
    let kinds = |answers: &[RecordAnswer]| -> Vec<RecordType> {
        answers.iter().map(|answer| answer.kind).collect()
    };
    let (blue, green) = (kinds(&answers.blue), kinds(&answers.green));
    if blue == green {
        return Ok(answers);
    }
    let told = |kinds: &[RecordType]| {
        let all: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        all.join(" and ")
    };
    Err(Error::usage(format!(
        "both colours need records of the same types: `target` of [colors.blue] makes {}, that of [colors.green] {}",
        told(&blue),
        told(&green)
    ))
    .hint("name two addresses of one family, or two names; `hosted_zone` makes a name an alias"))
}

async fn of_color(
    session: &Session,
    color: &HostedColor,
    sets: &[RecordSet],
) -> Result<Vec<RecordAnswer>> {
    let name = match &color.points_at {
        PointsAt::Addresses(addresses) => return Ok(by_family(addresses)),
        PointsAt::Name(name) | PointsAt::Thing(name) => name,
    };
    let is_cname = sets
        .iter()
        .any(|set| set.kind == RecordType::Cname.as_str());
    let alias = match is_cname {
        true => None,
        false => alias(session, color, name, sets).await?,
    };
    let Some(alias) = alias else {
        return Ok(vec![RecordAnswer {
            kind: RecordType::Cname,
            leads: Leads::Values(vec![name.clone()]),
        }]);
    };
    let is_there = |kind: &RecordType| sets.iter().any(|set| set.kind == kind.as_str());
    let mut kinds: Vec<RecordType> = [RecordType::A, RecordType::Aaaa].into();
    kinds.retain(is_there);
    if kinds.is_empty() {
        kinds.push(RecordType::A);
    }
    let answer = |kind| RecordAnswer {
        kind,
        leads: Leads::Alias(alias.clone()),
    };
    Ok(kinds.into_iter().map(answer).collect())
}

fn by_family(addresses: &[IpAddr]) -> Vec<RecordAnswer> {
    let of = |kind, is_of: fn(&IpAddr) -> bool| {
        let values: Vec<String> = addresses
            .iter()
            .filter(|address| is_of(address))
            .map(ToString::to_string)
            .collect();
        (!values.is_empty()).then_some(RecordAnswer {
            kind,
            leads: Leads::Values(values),
        })
    };
    [
        of(RecordType::A, IpAddr::is_ipv4),
        of(RecordType::Aaaa, IpAddr::is_ipv6),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// None if nothing shows that it is an AWS resource that an alias can lead to.
async fn alias(
    session: &Session,
    color: &HostedColor,
    name: &str,
    sets: &[RecordSet],
) -> Result<Option<Alias>> {
    let aliases = sets.iter().filter_map(|set| match &set.leads {
        Leads::Alias(alias) => Some(alias),
        Leads::Values(_) => None,
    });
    let aliases: Vec<&Alias> = aliases.collect();
    let evaluates_health = aliases.iter().any(|alias| alias.evaluates_health);
    if let Some(same) = aliases
        .iter()
        .find(|alias| without_dualstack(&alias.name) == without_dualstack(name))
    {
        return Ok(Some((*same).clone()));
    }
    let zone = match &color.hosted_zone {
        Some(zone) => Some(zone.clone()),
        None if name.ends_with(CLOUDFRONT) => Some(CLOUDFRONT_ZONE.to_owned()),
        None if name.ends_with(ELB) => Some(of_balancer(session, name).await?),
        None => None,
    };
    Ok(zone.map(|zone| Alias {
        zone,
        name: name.to_owned(),
        evaluates_health,
    }))
}

async fn of_balancer(session: &Session, name: &str) -> Result<String> {
    let found = session.aws.balancer_called(without_dualstack(name)).await?;
    let found = found.ok_or_else(|| {
        Error::refused(format!(
            "no load balancer in {} is called {name}",
            session.aws.region()
        ))
        .hint("see --region; or name the load balancer's hosted zone as `hosted_zone` of that colour: then it is not looked up")
    })?;
    Ok(found.hosted_zone)
}

/// A record that evaluates its target's health would leave a colour out as soon as users
/// should get there, if the colour's load balancer has a target group without targets.
///
/// # Errors
/// It would (exit 6); AWS's own.
pub async fn refuse_emptied(
    session: &Session,
    record: &RoutedRecord,
    takeover: Takeover,
) -> Result<()> {
    let Takeover::Take { live, .. } = takeover else {
        return Ok(());
    };
    let idle: Color = live.other();
    let aliases = record.answers.get(idle).iter();
    let evaluated = aliases.filter_map(|answer| match &answer.leads {
        Leads::Alias(alias) if alias.evaluates_health => Some(alias),
        Leads::Alias(_) | Leads::Values(_) => None,
    });
    for alias in evaluated.filter(|alias| alias.name.ends_with(ELB)) {
        let Some(balancer) = session
            .aws
            .balancer_called(without_dualstack(&alias.name))
            .await?
        else {
            continue;
        };
        if let Some(group) = balancer.empty_groups.first() {
            return Err(Error::refused(format!(
                "{} evaluates the health of {idle}'s load balancer, whose target group {group} has no targets: Route 53 would leave {idle} out",
                record.name
            ))
            .hint("give that group targets, take it off the load balancer, or have the record evaluate no health"));
        }
    }
    Ok(())
}
