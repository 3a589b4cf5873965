//! Whether an existing record or pointer can become the app's router, and what that
//! takes: not for a moment may users be led elsewhere or nowhere.

use super::plan::Refusal;
use crate::model::{Color, Found, HostedZone, RecordSet, RoutedPointer, RoutedRecord};

/// What of the name there is to take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// Nothing: the first release makes the record.
    FromNothing,
    /// Nothing any more: it has a weight for each colour, of which that one has all,
    /// where one has.
    Done(Option<Color>),
    /// The same, and what it says of the other colour changes, or for how long it may
    /// be kept.
    Renew {
        live: Color,
        shorten_from: Option<u32>,
    },
    /// A record with one answer for all, which is that colour's.
    Take {
        live: Color,
        /// For how long resolvers may keep it, where that is to be shortened first.
        shorten_from: Option<u32>,
        /// As it was found, in seconds; an alias has none.
        ttl: Option<u32>,
    },
}

/// `sets` are all that the name has; `made` is the record as an earlier `init` was
/// told of it.
///
/// # Errors
/// What is not to be taken over, and why.
pub fn takeover(
    record: &RoutedRecord,
    made: Option<&RoutedRecord>,
    sets: &[RecordSet],
) -> Result<Takeover, Refusal> {
    let name = &record.name;
    let answers = |set: &&RecordSet| record.answer(Color::Blue, &set.kind).is_some();
    let (ours, others): (Vec<_>, Vec<_>) = sets.iter().partition(answers);
    if let Some(other) = others.into_iter().find(|set| leads_users(set)) {
        return Err(Refusal::new(
            format!("{name} has a record of another type, too: {other}"),
            "delete that one, or have `target` of both colours be of its type",
        ));
    }
    if let Some(set) = ours.iter().find(|set| set.chosen_by.is_some()) {
        let by = set.chosen_by.unwrap_or_default();
        return Err(Refusal::new(
            format!(
                "{name} is answered by {by}: {set}; bgecs moves a record that has one answer for all"
            ),
            "take that off the record, or move users by something else",
        ));
    }
    if ours.iter().any(|set| set.identifier.is_some()) {
        let made = made.unwrap_or(record);
        let stranger = ours.iter().find(|set| !is_of_a_color(made, set));
        return match stranger {
            None => renewed(record, made, &ours),
            Some(stranger) => Err(Refusal::new(
                format!("{name} has a weight that bgecs did not set for this app: {stranger}"),
                "make it one record with one answer, that of the colour that users are on",
            )),
        };
    }
    let Some(first) = ours.first() else {
        return Ok(Takeover::FromNothing);
    };
    let led_to = record.led_to(first);
    let is_whole = ours.len() == record.answers.blue.len();
    let Some(live) = led_to.filter(|_| ours.iter().all(|set| record.led_to(set) == led_to)) else {
        let all: Vec<String> = ours.iter().map(ToString::to_string).collect();
        let which = match led_to {
            None => "neither colour",
            Some(_) => "both colours",
        };
        return Err(Refusal::new(
            format!("{name} leads to {which}: {}", all.join(", ")),
            "users stay where they are: make what it leads to the `target` of one colour",
        ));
    };
    if !is_whole {
        return Err(Refusal::new(
            format!("{name} has {first}, and no record of the other type that both colours have"),
            "name a `target` of that one type for both colours",
        ));
    }
    let ttl = first.ttl;
    Ok(Takeover::Take {
        live,
        shorten_from: ttl.filter(|ttl| *ttl > record.ttl),
        ttl,
    })
}

/// Of what leads all users by one value, and does that now; `made` is the same as an
/// earlier `init` was told of it.
///
/// # Errors
/// It leads to neither colour, or to another one than it did by what was told; it is
/// another thing.
pub fn of_pointer(
    pointer: &RoutedPointer,
    made: Option<&RoutedPointer>,
    found: &Found,
) -> Result<Takeover, Refusal> {
    let it = &pointer.pointer;
    if let Some(made) = made.filter(|made| made.pointer.to_string() != it.to_string()) {
        return Err(Refusal::new(
            format!(
                "users are routed by the {}, and bgecs.toml says {it}",
                made.pointer
            ),
            "`bgecs destroy` leaves them where they are; then `bgecs init`; or name it as it was",
        ));
    }
    let live = match found {
        Found::Nowhere => return Ok(Takeover::FromNothing),
        Found::Foreign(_) => {
            return Err(Refusal::new(
                format!(
                    "the {it} {}, which is neither colour's `target`",
                    found.deed()
                ),
                "users stay where they are: make what it leads to the `target` of one colour",
            ));
        }
        Found::Split(_) | Found::Apart(_) | Found::ByRequest => found.only(),
    };
    let is_another =
        |live: Color| made.is_some_and(|made| made.targets.get(live) != pointer.targets.get(live));
    match live.filter(|live| is_another(*live)) {
        None => Ok(Takeover::Done(live)),
        Some(live) => Err(Refusal::new(
            format!("{live} is live by bgecs.toml, and another colour was when it was made"),
            "name the `target` of either colour as it was",
        )),
    }
}

/// The names that answer for that one while it has no record, from the nearest.
pub fn wildcards(name: &str) -> impl Iterator<Item = String> {
    let dots = name.match_indices('.').map(|(at, _)| &name[at..]);
    // Nobody has a whole top-level domain.
    dots.filter(|parent| parent[1..].contains('.'))
        .map(|parent| format!("*{parent}"))
}

/// Names of mail, keys and owners may stand beside an address.
pub fn leads_users(set: &RecordSet) -> bool {
    matches!(set.kind.as_str(), "A" | "AAAA" | "CNAME")
}

fn live(record: &RoutedRecord, sets: &[&RecordSet]) -> Option<Color> {
    let mut with_weight = sets.iter().filter(|set| set.weight > Some(0));
    let first = with_weight.next()?.identifier.as_ref()?;
    let is_it = |color: &Color| *first == record.identifier(*color);
    let color = Color::BOTH.into_iter().find(is_it)?;
    with_weight
        .all(|set| set.identifier.as_ref() == Some(first))
        .then_some(color)
}

fn is_of_a_color(record: &RoutedRecord, set: &RecordSet) -> bool {
    record.color_of(set).is_some_and(|color| {
        let answer = record.answer(color, &set.kind);
        answer.is_some_and(|answer| answer.leads.is_to(&set.leads))
    })
}

/// Users stay where they are, whatever the file says of where that is.
///
/// # Errors
/// They would not, or are on both colours.
fn renewed(
    record: &RoutedRecord,
    made: &RoutedRecord,
    sets: &[&RecordSet],
) -> Result<Takeover, Refusal> {
    let live = live(record, sets);
    let ttls = sets.iter().filter_map(|set| set.ttl);
    let is_kept_as_long = ttls.clone().all(|ttl| ttl == record.ttl);
    let is_whole = sets.len() == record.answers.blue.len() + record.answers.green.len();
    if record.answers == made.answers && is_kept_as_long && is_whole {
        return Ok(Takeover::Done(live));
    }
    let name = &record.name;
    let Some(live) = live else {
        return Err(Refusal::new(
            format!("users of {name} are on both colours: what it answers is not changed now"),
            "`bgecs resume` or `bgecs rollback` first",
        ));
    };
    if record.answers.get(live) != made.answers.get(live) {
        return Err(Refusal::new(
            format!(
                "{live} is live, and bgecs.toml has another `target` for it: users would be moved without a probe"
            ),
            format!(
                "name it as it was; promote {}, and then change what is idle",
                live.other()
            ),
        ));
    }
    let longest = ttls.max();
    Ok(Takeover::Renew {
        live,
        shorten_from: longest.filter(|ttl| *ttl > record.ttl),
    })
}

/// The zone that serves a name: of all that hold it the nearest, where there is
/// one.
///
/// # Errors
/// There is none, or there are two.
pub fn zone_of<'a>(name: &str, zones: &'a [HostedZone]) -> Result<&'a HostedZone, Refusal> {
    let holds = |zone: &&HostedZone| !zone.is_private && zone.holds(name);
    let holding: Vec<_> = zones.iter().filter(holds).collect();
    let Some(longest) = holding.iter().map(|zone| zone.name.len()).max() else {
        return Err(Refusal::new(
            format!("no public hosted zone of this account serves {name}"),
            "name the account that has it ([aws] profile), or a private zone as `zone` in [router]",
        ));
    };
    let nearest: Vec<_> = holding
        .into_iter()
        .filter(|zone| zone.name.len() == longest)
        .collect();
    match nearest.as_slice() {
        [one] => Ok(one),
        several => {
            let ids: Vec<&str> = several.iter().map(|zone| zone.id.as_str()).collect();
            Err(Refusal::new(
                format!(
                    "{} hosted zones are called {}: {}",
                    several.len(),
                    several[0].name,
                    ids.join(", ")
                ),
                "name the one that the domain is delegated to as `zone` in [router]",
            ))
        }
    }
}

/// That a zone holds a name does not say that anybody is sent to it: its owner's
/// name servers have to be among those that the world is told.
///
/// # Errors
/// They are not.
pub fn refuse_unserved(zone: &str, its_own: &[String], told: &[String]) -> Result<(), Refusal> {
    match its_own.is_empty() || told.iter().any(|name| its_own.contains(name)) {
        true => Ok(()),
        false => Err(Refusal::new(
            format!(
                "the hosted zone {zone} does not serve its name: resolvers are sent to {}, and its own name servers are {}",
                match told.is_empty() {
                    true => "nobody".to_owned(),
                    false => told.join(", "),
                },
                its_own.join(", ")
            ),
            "delegate the domain to the zone's name servers, or name the zone that serves it as `zone` in [router]",
        )),
    }
}

#[cfg(test)]
mod tests;
