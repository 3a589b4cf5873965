//! How long a list takes, against what AWS's rates dictate.
//!
//! `BGECS_FLEET_APPS=1000` measures it with so many apps, and holds it to its target: alone
//! on a machine, since everything else there counts as well.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use localstack::Gate;
use localstack::gate::faults::Fault;
use localstack::gate::{Options, rates};

use super::{not_allowed, stand};
use crate::support::{Desk, Outcome};

const FEW: usize = 150;
const MANY: usize = 1000;
/// What ECS says then.
const THROTTLED: &str = "ThrottlingException";
/// What a call takes from here to AWS and back.
const LATENCY: Duration = Duration::from_millis(40);

fn apps() -> Outcome<usize> {
    match std::env::var("BGECS_FLEET_APPS") {
        Ok(number) => Ok(number.parse()?),
        Err(_) => Ok(FEW),
    }
}

/// At AWS's rates, with its latency.
fn gate(apps: usize) -> Outcome<Gate> {
    let options = Options {
        rates: true,
        ..Options::default()
    };
    let gate = Gate::before(&stand::serve(apps)?, &options)?;
    gate.faults().add(Fault::on_any().delay(LATENCY));
    Ok(gate)
}

fn desk(gate: &Gate) -> Outcome<Desk> {
    let desk = Desk::empty()?;
    let env = gate.env().into_iter();
    Ok(env.fold(desk, |desk, (name, value)| desk.env(&name, &value)))
}

/// Neither knows of the other, and AWS throttles both.
#[test]
fn two_lists_at_once_are_both_whole() -> Outcome {
    let gate = gate(FEW)?;
    let desk = desk(&gate)?;
    let list = || desk.command(&["fleet", "--json"]).spawn();
    let lists = [list()?, list()?];
    for list in lists {
        let output = list.wait_with_output()?;
        let ended = desk.ended(&["fleet", "--json"], &output);
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        assert_eq!(ended.json()?["apps"].as_array().map(Vec::len), Some(FEW));
    }
    let calls = gate.calls().all();
    let throttled = calls.iter().filter(|call| call.code() == Some(THROTTLED));
    assert!(throttled.count() > 0, "they have met");
    Ok(())
}

#[test]
fn a_list_is_never_throttled_and_takes_hardly_longer_than_the_rates_dictate() -> Outcome {
    let count = apps()?;
    let gate = gate(count)?;
    let begun = Instant::now();
    let ended = desk(&gate)?.bgecs(&["fleet", "--json"])?;
    let took = begun.elapsed();
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let fleet = ended.json()?;
    assert_eq!(fleet["apps"].as_array().map(Vec::len), Some(count));
    let tasks = fleet["warm"]["tasks"].as_u64();
    assert_eq!(tasks, Some(count as u64), "each has a task that is warm");

    let calls = gate.calls().all();
    assert_eq!(not_allowed(&calls), BTreeSet::new());
    let refused = calls.iter().filter(|call| call.code().is_some());
    assert_eq!(refused.count(), 0, "no call is throttled");
    let least = rates::least_time(&calls);
    let figures = format!(
        "{count} apps, {} calls: {took:.1?}, where the rates dictate {least:.1?}: {:.3} times that",
        calls.len(),
        took.as_secs_f64() / least.as_secs_f64(),
    );
    if count >= MANY {
        writeln!(std::io::stderr(), "{figures}")?;
        assert!(took <= least.mul_f64(1.1), "{figures}");
    }
    Ok(())
}
