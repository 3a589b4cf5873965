//! Several workers on one queue, in which each app has a group of its own: apps side by
//! side, each of them in the order of its uploads. `cargo xtask bench --only worker` is the
//! same with many more.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{BUCKET, another_second, make_queues, tell_of_uploads};
use crate::fleet::plot::Plot;
use crate::support::Outcome;
use crate::world::string;

const APPS: [&str; 4] = ["ant", "bee", "cat", "dog"];
const TAGS: [&str; 3] = ["2", "3", "4"];
const FILE: &str = "served.toml";

/// The worker's own file is the first app's.
fn serve(plot: &Plot, queue: &str) -> Outcome {
    let [first, others @ ..] = APPS;
    let own = std::fs::read_to_string(plot.world.desk.path().join(first).join("bgecs.toml"))?;
    let others = others.map(|app| format!("'{app}/bgecs.toml'")).join(", ");
    let serve = format!("[serve]\nqueue = '{queue}'\nbucket = '{BUCKET}'\nallow = [{others}]\n");
    plot.world.desk.write(FILE, &format!("{own}\n{serve}"))?;
    Ok(())
}

fn submit(plot: &Plot, app: &str, tag: &str) -> Outcome {
    let desk = &plot.world.desk;
    let release = format!("app = '{app}'\ntag = '{tag}'\n");
    desk.write(&format!("{app}/bundle/release.toml"), &release)?;
    let bundle = format!("{app}/{tag}.tar.gz");
    let mut pack = Command::new("tar");
    pack.arg("czf").arg(desk.path().join(&bundle)).arg("-C");
    pack.arg(desk.path().join(app).join("bundle"));
    assert!(pack.arg("release.toml").status()?.success());
    let line = ["submit", &bundle, "--key", &bundle, "--file", FILE];
    plot.world.done(&[&line[..], &["--no-wait"]].concat())?;
    Ok(())
}

/// The one of that tag.
fn only<'h>(history: &'h Value, list: &str, command: &Value, tag: &str) -> Outcome<&'h Value> {
    let all = history[list].as_array().into_iter().flatten();
    let found: Vec<&Value> = all
        .filter(|it| it["tag"] == tag && it["command"] == *command)
        .collect();
    match found[..] {
        [one] => Ok(one),
        _ => Err(format!(
            "{} of the {list} are of tag {tag}: {history:#}",
            found.len()
        )
        .into()),
    }
}

fn time(it: &Value, key: &str) -> Outcome<OffsetDateTime> {
    Ok(OffsetDateTime::parse(&string(it, key)?, &Rfc3339)?)
}

/// Whose releases an app's were: each upload has one, and had it once the one before had
/// ended.
fn workers_of(history: &Value) -> Outcome<Vec<u64>> {
    let mut workers = Vec::new();
    let mut ended = None;
    for tag in TAGS {
        let upload = only(history, "uploads", &json!(null), tag)?;
        assert_eq!(upload["end"]["outcome"], "complete", "{upload:#}");
        let deploy = only(history, "operations", &json!("deploy"), tag)?;
        let promote = only(history, "operations", &json!("promote"), tag)?;
        for it in [deploy, promote] {
            assert_eq!(it["outcome"], "done", "{it:#}");
        }
        let began = time(deploy, "/began")?;
        assert!(ended.is_none_or(|it| it <= began), "{tag}: {history:#}");
        ended = Some(time(upload, "/at")?);
        workers.push(deploy["who"]["pid"].as_u64().ok_or("by nobody")?);
    }
    Ok(workers)
}

#[test]
fn workers_release_apps_side_by_side_and_each_in_its_order() -> Outcome {
    let plot = Plot::new("several")?;
    let world = &plot.world;
    let [queue, dead] = make_queues(world)?;
    for app in APPS {
        plot.app(app)?;
        plot.done(app, &["init"])?;
        plot.done(app, &["deploy", "--tag", "1"])?;
        tell_of_uploads(world, (&format!("{app}/"), app))?;
    }
    serve(&plot, &queue)?;
    for tag in TAGS {
        another_second(world)?;
        for app in APPS {
            submit(&plot, app, tag)?;
        }
    }
    let workers = [
        world.start(&["serve", FILE])?,
        world.start(&["serve", FILE])?,
    ];
    let history = |app| -> Outcome<Value> {
        let ended = plot.done(app, &["history", "--limit", "100", "--json"])?;
        ended.json()
    };
    for app in APPS {
        world.until("the last upload has ended", || {
            let history = history(app)?;
            let last = &history["uploads"][0];
            Ok(last["tag"] == TAGS[TAGS.len() - 1] && !last["end"].is_null())
        })?;
    }
    for worker in workers {
        worker.signal("TERM")?;
        worker.ends(0)?;
    }
    let mut all = BTreeSet::new();
    for app in APPS {
        all.extend(workers_of(&history(app)?)?);
    }
    assert_eq!(all.len(), 2, "one of them did nothing");
    for queue in [queue, dead] {
        let asked = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 1 });
        let left = world.api.json("sqs", "AmazonSQS.ReceiveMessage", &asked)?;
        assert_eq!(
            left["Messages"].as_array().map_or(0, Vec::len),
            0,
            "{left:#}"
        );
    }
    Ok(())
}
