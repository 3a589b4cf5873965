//! Listeners that are not as bgecs left them.

use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V2, World, error, see};

const STRANGER: &[(&str, &str)] = &[
    ("Action", "CreateTargetGroup"),
    ("Name", "stranger"),
    ("Protocol", "HTTP"),
    ("Port", "80"),
    ("TargetType", "ip"),
    ("VpcId", "vpc-00000001"),
];

#[test]
fn from_both_ports_on_one_colour_every_way_is_open() -> Outcome {
    let world = World::with_v2_idle("half")?;
    let (prod, test) = (world.listener("prod")?, world.listener("test")?);
    let blue = world.target_group("blue")?;
    // As somebody does by hand, who forgets the other half.
    world.api.point(&prod, &blue)?;
    see(
        "half-swapped-drift",
        &error(&world.changes_nothing(6, &["promote"])?),
    )?;
    see("half-swapped-adopt", &world.done(&["adopt"])?.stdout)?;

    let status = world.status()?;
    let on_test = &status["listeners"]["test"]["forwards"];
    assert_eq!(
        (&status["live"], &on_test[0]["color"]),
        (&"blue".into(), &"blue".into())
    );
    see("half-swapped-status", &world.done(&["status"])?.stdout)?;
    world.changes_nothing(0, &["promote", "blue"])?;
    world.changes_nothing(0, &["deploy", V2, "--tag", "2"])?;

    let back = world.done_json(&["rollback"])?;
    assert_eq!(
        (&back["to"], &back["outcome"]),
        (&"green".into(), &"committed".into())
    );
    world.expect_answers(ENGLISH, FRENCH)?;

    world.api.point(&prod, &blue)?;
    world.api.point(&test, &blue)?;
    world.done(&["adopt"])?;
    world.done(&["deploy", V2, "--tag", "3"])?;
    let promoted = world.done_json(&["promote"])?;
    assert_eq!(
        (&promoted["to"], &promoted["outcome"]),
        (&"green".into(), &"committed".into())
    );
    world.expect_answers(FRENCH, FRENCH)
}

#[test]
fn a_listener_that_somebody_else_pointed_elsewhere_is_left_alone() -> Outcome {
    let world = World::with_v1_live("drift")?;
    let prod = world.listener("prod")?;
    let made = world.api.elb(STRANGER)?;
    let stranger = crate::api::text(&made, "TargetGroupArn")?;
    world.api.point(&prod, stranger)?;

    let status = world.status()?;
    assert!(status["live"].is_null(), "{status:#}");
    see("drift-status", &world.done(&["status"])?.stdout)?;
    for (name, line) in [
        ("deploy", &["deploy", V2, "--tag", "2"][..]),
        ("promote", &["promote", "green"]),
        ("rollback", &["rollback"]),
        ("retire", &["retire"]),
    ] {
        let refused = world.changes_nothing(6, line)?;
        assert!(
            refused.stderr.contains("which bgecs did not do"),
            "{}",
            refused.shown()
        );
        see(&format!("drift-{name}"), &error(&refused))?;
    }
    let app = world.app.clone();
    let changed = format!("app = \"{app}\"\n[logs]\nretention_days = 7\n");
    world.desk.write("bgecs.toml", &changed)?;
    see("drift-init", &error(&world.changes_nothing(6, &["init"])?))
}

#[test]
fn the_test_port_elsewhere_forbids_a_promotion() -> Outcome {
    let world = World::with_v2_idle("testport")?;
    let test = world.listener("test")?;
    let made = world.api.elb(STRANGER)?;
    world
        .api
        .point(&test, crate::api::text(&made, "TargetGroupArn")?)?;
    see(
        "test-port-drift",
        &error(&world.changes_nothing(6, &["promote"])?),
    )?;
    // What is taken for right need not be fit for a promotion.
    world.done(&["adopt"])?;
    see(
        "test-port-elsewhere",
        &error(&world.changes_nothing(6, &["promote"])?),
    )?;
    let json = world.changes_nothing(6, &["promote", "--json"])?.json()?;
    assert_eq!(json["outcome"], "refused");
    let checks = json["checks"].as_array().ok_or("no checks")?;
    assert!(
        checks
            .iter()
            .any(|check| check["name"] == "test listener" && check["ok"] == false)
    );
    Ok(())
}
