//! `bgecs fleet`: all apps of an account, each as it is.

pub mod plot;
mod rates;
mod stand;

use std::collections::BTreeSet;

use localstack::gate::crash::Side;
use localstack::gate::record::Call;
use serde_json::{Value, json};

use crate::crashes::around_the_move;
use crate::permissions::called;
use crate::permissions::table::LOOKER;
use crate::support::Outcome;
use crate::world::World;
use plot::Plot;

/// What was called of which the policy knows nothing.
fn not_allowed(calls: &[Call]) -> BTreeSet<String> {
    let needs = LOOKER.iter().flat_map(|grant| grant.needs);
    let allowed: BTreeSet<&str> = needs.map(|need| need.action).collect();
    let calls = calls.iter();
    // Whoever has credentials may ask whose they are.
    let calls = calls.filter(|call| !call.is("sts", "GetCallerIdentity"));
    let actions = calls.map(|call| format!("{}:{}", call.service, called(&call.operation)));
    actions
        .filter(|it| !allowed.contains(it.as_str()))
        .collect()
}

/// One app of the list.
fn app<'a>(fleet: &'a Value, name: &str) -> Outcome<&'a Value> {
    let apps = fleet["apps"].as_array().into_iter().flatten();
    let mut named = apps.filter(|it| it["app"] == name);
    let found = named.next();
    Ok(found.ok_or_else(|| format!("no {name} in {fleet:#}"))?)
}

/// Apps whose colours bgecs does not run, one that is bare, and one without a journal.
#[test]
fn every_app_of_an_account_is_listed_as_it_is() -> Outcome {
    let plot = Plot::new("fleet")?;
    let world = &plot.world;
    for name in ["idle", "cut", "moved", "gone"] {
        plot.app(name)?;
        plot.done(name, &["init"])?;
    }
    world.done(&["init"])?;
    for name in ["idle", "cut", "moved"] {
        plot.done(name, &["deploy", "--tag", "1"])?;
        plot.done(name, &["deploy", "--tag", "2"])?;
    }
    plot.done("idle", &["promote", "--tag", "2", "--window", "1s"])?;
    plot.retire("idle")?;
    plot.killed_promote("cut", |writes| {
        let moves = around_the_move(writes, "POST")?;
        Ok((moves[0], Side::After))
    })?;
    plot.lead_astray("moved")?;
    let table = json!({ "TableName": "bgecs-gone" });
    world
        .api
        .json("dynamodb", "DynamoDB_20120810.DeleteTable", &table)?;

    let before = world.gate.calls().mark();
    let ended = world.ends(1, &["fleet", "--json"])?;
    assert_eq!(
        not_allowed(&world.gate.calls().since(before)),
        BTreeSet::new()
    );
    let fleet = ended.json()?;
    let names: Vec<_> = fleet["apps"].as_array().into_iter().flatten().collect();
    assert_eq!(names.len(), 5, "{fleet:#}");
    let idle = app(&fleet, "idle")?;
    assert_eq!(idle["live"], "green", "{idle:#}");
    assert_eq!(idle["colors"]["green"]["tag"], "2", "{idle:#}");
    assert_eq!(idle["colors"]["blue"]["retired"], true, "{idle:#}");
    assert!(idle["since"].is_string(), "{idle:#}");
    assert_eq!(idle["drift"], json!([]), "{idle:#}");
    let cut = app(&fleet, "cut")?;
    assert_eq!(cut["unfinished"]["command"], "promote", "{cut:#}");
    let moved = app(&fleet, "moved")?;
    assert_eq!(moved["drift"][0]["expected"], "blue", "{moved:#}");
    assert_eq!(moved["live"], json!(null), "{moved:#}");
    let bare = app(&fleet, "fleet")?;
    assert_eq!(
        (&bare["live"], &bare["error"]),
        (&json!(null), &json!(null))
    );
    let gone = app(&fleet, "gone")?;
    let why = "the journal's table bgecs-gone is gone";
    assert_eq!(gone["error"]["message"], why, "{gone:#}");
    let regions = "us-east-1,eu-west-1,us-east-1";
    let told = world.ends(1, &["fleet", "--region", regions])?.stdout;
    let sum = "5 apps: 1 unfinished, 1 drifted, 1 unreadable";
    assert!(told.contains(sum), "{told}");
    let nothing = "eu-west-1, account 000000000000\nno app of bgecs is here\n";
    assert!(told.contains(nothing), "{told}");
    Ok(())
}

/// An app that bgecs runs: what is idle is paid for, and the journal knows the rest.
#[test]
fn what_is_warm_is_told_with_its_price() -> Outcome {
    let world = World::with_v2_idle("fleet-warm")?;
    world.configure_more("[cost]\nvcpu_hour = 0.04\ngb_hour = 0.004\n")?;
    let fleet = world.done_json(&["fleet"])?;
    let it = app(&fleet, "fleet-warm")?;
    assert_eq!(
        (&it["live"], &it["idle"]),
        (&json!("green"), &json!("blue"))
    );
    assert_eq!(it["colors"]["green"]["tag"], "1", "{it:#}");
    assert_eq!(it["colors"]["blue"]["tag"], "2", "{it:#}");
    let warm = &it["colors"]["blue"]["warm"];
    assert_eq!((&warm["tasks"], &warm["vcpu"]), (&json!(1), &json!(0.25)));
    assert_eq!(fleet["warm"]["an_hour"]["amount"], 0.012, "{fleet:#}");
    Ok(())
}
