use std::path::Path;

use serde_json::json;

use super::*;
use crate::aws::{StackSnapshot, StackStatus};
use crate::driver::fleet::SeenApp;
use crate::model::journal::{Command, Effect, Fate, Operation};
use crate::model::testing::{
    lease, moment, move_to, nowhere, observed, operation, release, service, to_both, with_previous,
};
use crate::model::{Color, Observed, Reserved, Route, SetMark};
use crate::report::{CommandResult, Style};

fn stack(status: &str) -> StackSnapshot {
    StackSnapshot {
        id: "1".to_owned(),
        name: "bgecs-hello".to_owned(),
        status: StackStatus::of(status),
        status_text: status.to_owned(),
        reason: None,
        parameters: [].into(),
        outputs: [].into(),
    }
}

/// Green is live with tag 1, blue is warm with tag 2.
fn world() -> Observed {
    let mut world = observed();
    for (color, tag) in [(Color::Green, "1"), (Color::Blue, "2")] {
        let state = world.colors.get_mut(color);
        state.service = Some(service(2));
        let mut release = release(tag);
        release.reserves = Some(Reserved {
            cpu: 256,
            memory: 512,
        });
        state.release = Some(release);
    }
    with_previous(world, Some(Color::Blue))
}

fn promoted() -> Operation {
    let mut it = operation();
    it.intend(
        moment(),
        Effect::Move(move_to(Route::Production, Color::Green)),
    );
    it.settle(Fate::Done);
    it.set = Some(SetMark {
        set: "shop".parse().unwrap(),
        id: it.id.clone(),
        module: "web".parse().unwrap(),
        modules: Vec::new(),
        jobs: Vec::new(),
    });
    it
}

fn seen(observed: Observed) -> SeenApp {
    SeenApp {
        stack: stack("UPDATE_COMPLETE"),
        observed,
        ended: Vec::new(),
        held: None,
    }
}

fn prices() -> Option<Prices> {
    let text = "app = 'hello'\n[cost]\nvcpu_hour = 0.04048\ngb_hour = 0.004445";
    Config::parse(text, Path::new("/srv/bgecs.toml"))
        .unwrap()
        .cost
}

fn line(app: &str, seen: Result<SeenApp>) -> FleetLine {
    let it = FleetApp {
        app: app.parse().unwrap(),
        seen: seen.map(Box::new),
    };
    let later = moment() + time::Duration::hours(3);
    FleetLine::of(it, "eu-west-1", prices().as_ref(), later)
}

/// One app of each kind.
fn lines() -> Vec<FleetLine> {
    let mut fine = seen(world());
    fine.ended = vec![promoted()];
    let mut canary = world();
    canary.traffic.production = to_both();
    canary.journal.operation = Some(operation());
    let mut drifted = world();
    drifted.traffic.production = Color::Blue.into();
    let mut busy = seen(world());
    busy.held = Some(lease());
    busy.observed.journal.operation = Some(operation());
    let mut retired = world();
    retired.colors.blue.service = Some(service(0));
    let mut hash = retired.clone();
    let tag = "0123456789abcdef0123456789abcdef01234567";
    hash.colors.green.release = Some(release(tag));
    let mut unknown = world();
    unknown.colors.blue.release = None;
    let mut bare = observed();
    bare.traffic.production = nowhere();
    bare.traffic.test = nowhere();
    let mut stuck = seen(retired.clone());
    stuck.stack = stack("UPDATE_ROLLBACK_FAILED");
    let denied = Error::failed("no permission for dynamodb:Query").hint("allow it");
    [
        ("admin", Ok(fine)),
        ("bare", Ok(seen(bare))),
        ("busy", Ok(busy)),
        ("canary", Ok(seen(canary))),
        ("denied", Err(denied)),
        ("drifted", Ok(seen(drifted))),
        ("hash", Ok(seen(hash))),
        ("retired", Ok(seen(retired))),
        ("stuck", Ok(stuck)),
        ("unknown", Ok(seen(unknown))),
    ]
    .into_iter()
    .map(|(app, seen)| line(app, seen))
    .collect()
}

fn region(name: &str, lines: Result<Vec<FleetLine>>) -> SeenRegion {
    SeenRegion {
        region: name.to_owned(),
        account: Some("123456789012".to_owned()),
        lines,
    }
}

#[test]
fn every_kind_of_app_is_told() {
    let denied = Error::failed("no permission for cloudformation:DescribeStacks");
    let seen = vec![
        region("eu-west-1", Ok(lines())),
        region("us-east-1", Ok(Vec::new())),
        region("us-west-2", Err(denied)),
    ];
    let fleet = Fleet::of(seen, prices().as_ref());
    assert!(!fleet.is_whole());
    insta::assert_snapshot!(fleet.human(&Style::plain()));
}

#[test]
fn programs_read_the_same() {
    let fleet = Fleet::of(vec![region("eu-west-1", Ok(lines()))], prices().as_ref());
    let json = json!(fleet);
    let app = |name: &str| {
        let mut apps = json["apps"].as_array().unwrap().iter();
        apps.find(|it| it["app"] == name).unwrap()
    };
    let admin = app("admin");
    assert_eq!(admin["live"], "green");
    assert_eq!(admin["since"], "2023-11-14T22:13:20Z");
    assert_eq!(admin["set"], "shop");
    assert_eq!(admin["colors"]["blue"]["tag"], "2");
    assert_eq!(
        admin["colors"]["blue"]["warm"]["an_hour"]["amount"],
        0.024_685
    );
    assert_eq!(admin["colors"]["green"]["warm"], json!(null));
    assert_eq!(
        (&admin["error"], &admin["drift"]),
        (&json!(null), &json!([]))
    );
    assert_eq!(app("canary")["live"], json!(null));
    assert_eq!(app("canary")["unfinished"]["under_way"], false);
    assert_eq!(app("busy")["lease"]["who"], "ann@laptop");
    assert_eq!(app("drifted")["drift"][0]["expected"], "green");
    assert_eq!(app("retired")["colors"]["blue"]["retired"], true);
    assert_eq!(app("unknown")["colors"]["blue"]["warm_unknown"], true);
    let denied = app("denied");
    assert_eq!(denied["error"]["hint"], "allow it");
    assert_eq!(denied.get("live"), None, "nobody knows");
    assert_eq!(json["warm"]["tasks"], 6);
    assert_eq!(json["regions"][0]["account"], "123456789012");
}

#[test]
fn it_fails_where_no_region_could_be_listed() {
    let failed = |why: &str| Err(Error::failed(why));
    let all = vec![region("a", failed("one")), region("b", failed("two"))];
    assert_eq!(unless_all_failed(all).err().unwrap().message, "one");
    let some = vec![region("a", failed("one")), region("b", Ok(Vec::new()))];
    assert_eq!(unless_all_failed(some).unwrap().len(), 2);
}

#[test]
fn who_is_at_work_is_named() {
    let told = Fleet::of(vec![region("eu-west-1", Ok(lines()))], None);
    let told = told.human(&Style::plain());
    let words = format!(
        "ann@laptop, process 42 on laptop, has been running `{}`",
        Command::Promote
    );
    assert_eq!(told.matches(&words).count(), 1, "{told}");
}
