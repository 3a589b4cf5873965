//! What bgecs asks of AWS: how many calls, which, and whether any of them asks
//! again for what is known.

use std::collections::BTreeMap;

use localstack::gate::record::Call;

use super::figures::{Target, Unit};
use super::row::Row;
use super::stage::App;
use super::table::Found;
use crate::Result;

pub async fn measure(app: &App<'_>, runs: usize) -> Result<Found> {
    let mut found = Found::default();
    for command in ["promote", "status"] {
        let mut all = Vec::new();
        for _ in 0..runs {
            let mark = app.stage.gate.calls().mark();
            app.json(&[command]).await?;
            all.push(app.stage.calls_since(mark));
        }
        take(command, &all, &mut found)?;
    }
    Ok(found)
}

fn take(command: &str, all: &[Vec<Call>], found: &mut Found) -> Result<()> {
    let count = |of: &dyn Fn(&[Call]) -> usize| -> Vec<f64> {
        let counts = all.iter().map(|calls| of(calls));
        counts.map(|count| count as f64).collect()
    };
    let mut row = Row::alone(
        format!("AWS calls in a `bgecs {command}`"),
        Unit::Count,
        &count(&<[Call]>::len),
    )?;
    row.target = Target::Constant;
    row.wanted = "the same each time".to_owned();
    found.rows.push(row);
    let repeated = count(&|calls| repeats(calls).len());
    let what = format!("of them for what was known (`{command}`)");
    found
        .rows
        .push(Row::alone(what, Unit::Count, &repeated)?.at_most(0.0));
    if let Some(calls) = all.last() {
        found.notes.push(format!("{command}: {}", named(calls)));
        let repeats = repeats(calls);
        if !repeats.is_empty() {
            found
                .notes
                .push(format!("{command} asks again: {}", repeats.join(", ")));
        }
    }
    Ok(())
}

/// Each kind of call with how often it was made.
fn named(calls: &[Call]) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls {
        *kinds.entry(name(call)).or_default() += 1;
    }
    let kinds = kinds.iter().map(|(name, count)| format!("{count} {name}"));
    kinds.collect::<Vec<_>>().join(", ")
}

fn name(call: &Call) -> String {
    format!("{} {}", call.service, call.operation)
}

/// Reads of what cannot have changed: a revision of a task definition never
/// does; anything else not while this command wrote nothing. What others may have
/// changed meanwhile is what a listener is read for ahead of a write: there, a
/// write to the journal comes first.
fn repeats(calls: &[Call]) -> Vec<String> {
    let mut repeats = Vec::new();
    for (index, call) in calls.iter().enumerate().filter(|(_, call)| !call.writes) {
        let same = |other: &&Call| name(other) == name(call) && other.resource == call.resource;
        let is_for_good = call.operation == "DescribeTaskDefinition";
        let known = calls[..index]
            .iter()
            .rev()
            .take_while(|other| is_for_good || !other.writes)
            .any(|other| same(&other));
        if known {
            repeats.push(format!("{} {}", name(call), call.resource));
        }
    }
    repeats
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn call(operation: &str, resource: &str) -> Call {
        Call {
            number: 1,
            service: "ecs".to_owned(),
            operation: operation.to_owned(),
            resource: resource.to_owned(),
            writes: !operation.starts_with("Describe"),
            access_key: None,
            began: Duration::ZERO,
            at: Instant::now(),
            struck: Vec::new(),
            end: None,
        }
    }

    #[test]
    fn a_read_is_repeated_if_nothing_was_written_in_between() {
        let read = || call("DescribeServices", "web");
        let other = call("DescribeServices", "db");
        let write = call("UpdateService", "web");
        assert_eq!(repeats(&[read(), other.clone()]), [""; 0]);
        assert_eq!(repeats(&[read(), write.clone(), read()]), [""; 0]);
        let again = repeats(&[write.clone(), read(), other, read()]);
        assert_eq!(again, ["ecs DescribeServices web"]);
        assert_eq!(repeats(&[write.clone(), write]), [""; 0]);
    }

    #[test]
    fn a_revision_is_known_for_good() {
        let read = || call("DescribeTaskDefinition", "web:1");
        let write = call("UpdateService", "web");
        let again = repeats(&[read(), write, read()]);
        assert_eq!(again, ["ecs DescribeTaskDefinition web:1"]);
    }

    #[test]
    fn calls_are_counted_by_name() {
        let calls = [
            call("DescribeServices", "a"),
            call("UpdateService", "a"),
            call("DescribeServices", "b"),
        ];
        assert_eq!(named(&calls), "2 ecs DescribeServices, 1 ecs UpdateService");
    }
}
