//! Record sets: what they mean for the two colours, and those that are to be.

use aws_sdk_route53::types::{AliasTarget, ResourceRecord, ResourceRecordSet, RrType};

use crate::model::{
    Alias, Color, Foreign, Found, Leads, PerColor, RecordAnswer, RecordSet, RoutedRecord, Split,
};

/// In lower case, without the last dot, and a star as a star.
pub fn plain_name(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.replace("\\052", "*")
}

/// A set as far as it matters who is led where by it.
pub fn read(set: &ResourceRecordSet) -> RecordSet {
    let by = [
        (set.region().is_some(), "latency"),
        (set.failover().is_some(), "failover"),
        (set.geo_location().is_some(), "geolocation"),
        (set.geo_proximity_location().is_some(), "geoproximity"),
        (set.cidr_routing_config().is_some(), "IP address"),
        (set.multi_value_answer().is_some(), "multivalue answer"),
        (set.health_check_id().is_some(), "health check"),
    ];
    RecordSet {
        kind: set.r#type().as_str().to_owned(),
        identifier: set.set_identifier().map(str::to_owned),
        weight: set.weight().and_then(|weight| u32::try_from(weight).ok()),
        chosen_by: by.into_iter().find(|(is_so, _)| *is_so).map(|(_, by)| by),
        ttl: set.ttl().and_then(|ttl| u32::try_from(ttl).ok()),
        leads: leads(set),
    }
}

fn leads(set: &ResourceRecordSet) -> Leads {
    if let Some(alias) = set.alias_target() {
        return Leads::Alias(Alias {
            zone: alias.hosted_zone_id().to_owned(),
            name: plain_name(alias.dns_name()),
            evaluates_health: alias.evaluate_target_health(),
        });
    }
    let values = set.resource_records().iter();
    let values = values.map(|record| match set.r#type() {
        RrType::Cname => plain_name(record.value()),
        _ => record.value().to_owned(),
    });
    Leads::Values(values.collect())
}

/// What the name does, among all of its sets that are of the app's types. Those of
/// several types do the same, or are a stranger's.
pub fn understood(record: &RoutedRecord, sets: &[RecordSet]) -> Found {
    if sets.is_empty() {
        return Found::Nowhere;
    }
    let mut all = record.answers.blue.iter().map(|answer| {
        let of_kind = |set: &&RecordSet| set.kind == answer.kind.as_str();
        split(record, &sets.iter().filter(of_kind).collect::<Vec<_>>())
    });
    match all.next().flatten() {
        Some(split) if all.all(|other| other == Some(split)) => Found::Split(split),
        _ => Found::Foreign(foreign(record, sets)),
    }
}

/// None where it is anything but a weight for each colour: one answer for all was not
/// taken over yet, or is somebody else's doing since, with a TTL of theirs.
fn split(record: &RoutedRecord, sets: &[&RecordSet]) -> Option<Split> {
    let mut weights = PerColor::default();
    for set in sets {
        // One that carries more than a weight is not ours.
        let color = record.color_of(set).filter(|_| set.chosen_by.is_none())?;
        let answer = record.answer(color, &set.kind);
        answer.filter(|answer| answer.leads.is_to(&set.leads))?;
        *weights.get_mut(color) = set.weight?;
    }
    // "If you set Weight to 0 for all of the records in the group, traffic is routed
    // to all resources with equal probability."
    let each = PerColor { blue: 1, green: 1 };
    let is_even = sets.len() == 2 && weights == PerColor::default();
    Split::by_weight(if is_even { each } else { weights })
}

fn foreign(record: &RoutedRecord, sets: &[RecordSet]) -> Foreign {
    let told = sets.iter().map(ToString::to_string);
    let reaches = |color| {
        let is_its = |set: &RecordSet| {
            let answer = record.answer(color, &set.kind);
            answer.is_some_and(|answer| answer.leads.is_to(&set.leads))
        };
        sets.iter().any(is_its)
    };
    Foreign {
        verb: "leads to",
        what: told.collect::<Vec<_>>().join(", "),
        reaches: PerColor {
            blue: reaches(Color::Blue),
            green: reaches(Color::Green),
        },
    }
}

/// One set for each colour and type.
///
/// # Errors
/// In words, what the SDK will not build.
pub fn weighted(
    record: &RoutedRecord,
    weights: PerColor<u32>,
) -> Result<Vec<ResourceRecordSet>, String> {
    let of = |color| {
        let weight = *weights.get(color);
        let answers = record.answers.get(color).iter();
        answers.map(move |answer| set(record, answer, record.ttl, Some((color, weight))))
    };
    Color::BOTH.into_iter().flat_map(of).collect()
}

/// That colour's answers for everybody, as a record has them that nobody shares.
///
/// # Errors
/// As [`weighted`].
pub fn simple(
    record: &RoutedRecord,
    color: Color,
    ttl: u32,
) -> Result<Vec<ResourceRecordSet>, String> {
    let answers = record.answers.get(color).iter();
    answers.map(|it| set(record, it, ttl, None)).collect()
}

/// The same, but that it leads to the second of these if it led to the first.
#[cfg(feature = "edges")]
pub fn led_on(set: &ResourceRecordSet, from: &str, to: &str) -> ResourceRecordSet {
    let mut set = set.clone();
    if let Some(alias) = &mut set.alias_target
        && plain_name(&alias.dns_name) == from
    {
        alias.dns_name = format!("{to}.");
    }
    let is_name = set.r#type == RrType::Cname;
    let records = set.resource_records.iter_mut().flatten();
    for record in records.filter(|record| is_name && plain_name(&record.value) == from) {
        record.value = to.to_owned();
    }
    set
}

fn set(
    record: &RoutedRecord,
    answer: &RecordAnswer,
    ttl: u32,
    share: Option<(Color, u32)>,
) -> Result<ResourceRecordSet, String> {
    let set = ResourceRecordSet::builder()
        .name(format!("{}.", record.name.replace('*', "\\052")))
        .r#type(RrType::from(answer.kind.as_str()))
        .set_set_identifier(share.map(|(color, _)| record.identifier(color)))
        .set_weight(share.map(|(_, weight)| i64::from(weight)));
    let set = match &answer.leads {
        Leads::Alias(alias) => {
            let target = AliasTarget::builder()
                .hosted_zone_id(&alias.zone)
                .dns_name(format!("{}.", alias.name))
                .evaluate_target_health(alias.evaluates_health)
                .build();
            set.alias_target(target.map_err(|error| error.to_string())?)
        }
        Leads::Values(values) => {
            let mut set = set.ttl(i64::from(ttl));
            for value in values {
                let record = ResourceRecord::builder().value(value).build();
                set = set.resource_records(record.map_err(|error| error.to_string())?);
            }
            set
        }
    };
    set.build().map_err(|error| error.to_string())
}
