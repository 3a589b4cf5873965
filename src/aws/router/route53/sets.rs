//! Record sets: what they mean for the two colours, and the sets to be written.

use crate::aws::xml::Element;
use crate::model::{
    Alias, Color, Foreign, Found, Leads, PerColor, RecordAnswer, RecordSet, RoutedRecord, Split,
};

const CNAME: &str = "CNAME";
const VALUES: &str = "ResourceRecords/ResourceRecord/Value";

/// In lower case, without the final dot, and with `*` unescaped.
pub fn plain_name(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.replace("\\052", "*")
}

pub fn name_of(set: &Element) -> String {
    plain_name(set.text("Name").unwrap_or_default())
}

/// A set, as far as it decides who is led where.
pub fn read(set: &Element) -> RecordSet {
    const BY: [(&str, &str); 7] = [
        ("Region", "latency"),
        ("Failover", "failover"),
        ("GeoLocation", "geolocation"),
        ("GeoProximityLocation", "geoproximity"),
        ("CidrRoutingConfig", "IP address"),
        ("MultiValueAnswer", "multivalue answer"),
        ("HealthCheckId", "health check"),
    ];
    let number = |name: &str| set.number(name).and_then(|it| u32::try_from(it).ok());
    let by = BY.into_iter().find(|(field, _)| set.at(field).is_some());
    RecordSet {
        kind: set.text("Type").unwrap_or_default().to_owned(),
        identifier: set.text("SetIdentifier").map(str::to_owned),
        weight: number("Weight"),
        chosen_by: by.map(|(_, by)| by),
        ttl: number("TTL"),
        leads: leads(set),
    }
}

fn leads(set: &Element) -> Leads {
    if let Some(alias) = set.at("AliasTarget") {
        return Leads::Alias(Alias {
            zone: alias.text("HostedZoneId").unwrap_or_default().to_owned(),
            name: plain_name(alias.text("DNSName").unwrap_or_default()),
            evaluates_health: alias.is("EvaluateTargetHealth"),
        });
    }
    let values = set.texts(VALUES).into_iter();
    let values = values.map(|value| match set.text("Type") {
        Some(CNAME) => plain_name(value),
        _ => value.to_owned(),
    });
    Leads::Values(values.collect())
}

/// What the name does, according to its sets that have the app's types. Sets of several
/// types must do the same; otherwise they count as somebody else's.
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

/// None if it is anything but a weight for each colour: a single answer for all has not
/// been taken over yet, or somebody else has written it since, with another TTL.
fn split(record: &RoutedRecord, sets: &[&RecordSet]) -> Option<Split> {
    let mut weights = PerColor::default();
    for set in sets {
        // A set with more than a weight is not ours.
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
pub fn weighted(record: &RoutedRecord, weights: PerColor<u32>) -> Vec<Element> {
    let of = |color| {
        let weight = *weights.get(color);
        let answers = record.answers.get(color).iter();
        answers.map(move |answer| set(record, answer, record.ttl, Some((color, weight))))
    };
    Color::BOTH.into_iter().flat_map(of).collect()
}

/// That colour's answers for everybody, as in a record without weights.
pub fn simple(record: &RoutedRecord, color: Color, ttl: u32) -> Vec<Element> {
    let answers = record.answers.get(color).iter();
    answers.map(|it| set(record, it, ttl, None)).collect()
}

/// The same set, but leading to `to` if it led to `from`.
#[cfg(feature = "edges")]
pub fn led_on(set: &Element, from: &str, to: &str) -> Element {
    let moved = |there: &str, to: &str| match plain_name(there) == from {
        true => to.to_owned(),
        false => there.to_owned(),
    };
    let mut set = set.clone();
    set.rewrite("AliasTarget/DNSName", &|there| {
        moved(there, &format!("{to}."))
    });
    if set.text("Type") == Some(CNAME) {
        set.rewrite(VALUES, &|there| moved(there, to));
    }
    set
}

/// In the order of Route 53's schema.
fn set(
    record: &RoutedRecord,
    answer: &RecordAnswer,
    ttl: u32,
    share: Option<(Color, u32)>,
) -> Element {
    let mut fields = vec![
        Element::leaf("Name", format!("{}.", record.name.replace('*', "\\052"))),
        Element::leaf("Type", answer.kind.as_str()),
    ];
    if let Some((color, weight)) = share {
        fields.push(Element::leaf("SetIdentifier", record.identifier(color)));
        fields.push(Element::leaf("Weight", weight));
    }
    match &answer.leads {
        Leads::Alias(alias) => fields.push(Element::branch(
            "AliasTarget",
            [
                Element::leaf("HostedZoneId", &alias.zone),
                Element::leaf("DNSName", format!("{}.", alias.name)),
                Element::leaf("EvaluateTargetHealth", alias.evaluates_health),
            ],
        )),
        Leads::Values(values) => {
            let value = |it| Element::branch("ResourceRecord", [Element::leaf("Value", it)]);
            fields.push(Element::leaf("TTL", ttl));
            let values = values.iter().map(value);
            fields.push(Element::branch("ResourceRecords", values));
        }
    }
    Element::branch("ResourceRecordSet", fields)
}
