//! Colours that bgecs does not run, behind a record of Route 53.

mod allowed;
mod crashes;
pub mod site;

use std::time::{Duration, Instant};

use crate::support::Outcome;
use site::Site;

/// From an empty zone to an empty zone.
#[test]
fn a_record_is_made_moved_and_deleted_with_what_its_colours_run() -> Outcome {
    let site = Site::new("site", &[])?;
    site.world.done(&["init"])?;
    assert_eq!(site.answers("A")?, Vec::<String>::new());
    let first = site.world.done_json(&["deploy", "--tag", "1"])?;
    assert_eq!(
        (&first["color"], &first["live"]),
        (&"blue".into(), &true.into())
    );
    assert_eq!(site.answers("A")?, ["blue"]);
    site.world.done(&["deploy", "--tag", "2"])?;
    assert_eq!(site.answers("A")?, ["blue"]);
    site.world
        .done(&["promote", "--tag", "2", "--window", "2s"])?;
    assert_eq!(site.answers("A")?, ["green"]);
    let status = site.world.status()?;
    assert_eq!(status["live"], "green");
    assert_eq!(status["hosted"]["blue"]["tag"], "1");
    site.world.done(&["rollback"])?;
    assert_eq!(site.answers("A")?, ["blue"]);
    site.world.done(&[
        "promote", "--tag", "2", "--window", "2s", "--canary", "20%:2s",
    ])?;
    site.retire()?;
    assert_eq!(site.tag("blue"), None);
    site.world.done(&["destroy", "--yes"])?;
    assert_eq!(site.answers("A")?, Vec::<String>::new());
    Ok(())
}

/// Nobody is answered otherwise, or not at all, while it is taken over and given back.
#[test]
fn a_record_that_is_there_is_taken_over_and_given_back() -> Outcome {
    let site = Site::new("taken", &[])?;
    site.record(&[site.address("green")], 3)?;
    site.put("green", "old")?;
    let plan = site.world.done(&["init", "--dry-run"])?.stdout;
    assert!(plan.contains("from 3 s to 1 s"), "{plan}");
    let begun = Instant::now();
    site.world.done(&["init"])?;
    assert!(
        begun.elapsed() >= Duration::from_secs(3),
        "it is forgotten first"
    );
    assert_eq!(site.answers("A")?, ["green"]);
    assert_eq!(site.sets()?, 2);
    assert!(site.world.done(&["init"])?.stdout.contains("nothing to do"));

    site.world.done(&["deploy", "--tag", "2"])?;
    // What was there before bgecs is the way back; one that never served is nothing.
    site.world.done(&["promote"])?;
    site.world.done(&["rollback"])?;
    assert_eq!(site.answers("A")?, ["green"]);
    let bad = ["deploy", "--tag", "bad", "--timeout", "1s"];
    let ended = site.world.ends(5, &bad)?;
    assert!(ended.stderr.contains("HTTP 500"), "{}", ended.stderr);
    let refused = site.world.ends(6, &["promote", "blue"])?.stderr;
    assert!(refused.contains("nothing is deployed on blue"), "{refused}");
    assert_eq!(site.answers("A")?, ["green"]);

    site.world.done(&["destroy", "--yes"])?;
    assert_eq!(
        (site.answers("A")?, site.sets()?),
        (vec!["green".to_owned()], 1)
    );
    assert_eq!(site.ttl()?, "3");
    Ok(())
}

/// Users see failures, and go back.
#[test]
fn a_release_that_fails_is_taken_back() -> Outcome {
    let site = Site::new("fails", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    site.world.configure_more(&site.servers.breaking("green"))?;
    let ended = site.world.ends(3, &["promote"])?;
    assert!(ended.stderr.contains("HTTP 500"), "{}", ended.stderr);
    assert_eq!(site.answers("A")?, ["blue"]);
    assert_eq!(site.world.status()?["live"], "blue");
    Ok(())
}

/// A stranger's word stands.
#[test]
fn what_somebody_else_did_to_the_record_is_not_overwritten() -> Outcome {
    let site = Site::new("meddled", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    site.clear()?;
    site.record(&["127.0.1.9".to_owned()], 1)?;
    for command in [&["promote"][..], &["deploy", "--tag", "3"], &["retire"]] {
        let refused = site.world.ends(6, command)?.stderr;
        assert!(refused.contains("127.0.1.9"), "{refused}");
    }
    assert_eq!(site.answers("A")?, ["127.0.1.9"]);
    // One answer for all is taken over again, with the time that it is kept for.
    site.clear()?;
    site.record(&[site.address("green")], 2)?;
    let refused = site.world.ends(6, &["promote"])?.stderr;
    assert!(refused.contains("`bgecs init` takes it over"), "{refused}");
    site.world.done(&["init"])?;
    assert_eq!(site.world.status()?["live"], "green");
    assert_eq!((site.ttl()?, site.sets()?), ("1".to_owned(), 2));
    site.world.done(&["rollback"])?;
    assert_eq!(site.answers("A")?, ["blue"]);
    Ok(())
}

/// A first release would take them from where they are.
#[test]
fn users_whom_a_wildcard_leads_are_not_taken_from_there() -> Outcome {
    let site = Site::new("wild", &[])?;
    site.record_at("*", &["127.0.1.9".to_owned()], 1)?;
    let refused = site.world.ends(6, &["init"])?.stderr;
    assert!(
        refused.contains("www.wild.test is answered by the record *.wild.test: A 127.0.1.9"),
        "{refused}"
    );
    site.record(&[site.address("green")], 1)?;
    site.world.done(&["init"])?;
    assert_eq!(site.world.status()?["live"], "green");
    Ok(())
}

/// A record has one answer for all once it is given back.
#[test]
fn users_on_both_colours_stop_a_destroy_and_the_promotion_goes_on() -> Outcome {
    let site = Site::new("both", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    let paused = ["promote", "--steps", "30% pause", "--window", "2s"];
    site.world.done(&paused)?;
    for command in [&["destroy", "--dry-run"][..], &["destroy", "--yes"]] {
        let refused = site.world.ends(6, command)?.stderr;
        assert!(refused.contains("are on both colours"), "{refused}");
    }
    site.world.done(&["promote", "--continue"])?;
    assert_eq!(site.answers("A")?, ["green"]);
    Ok(())
}

/// It is named, and the colour that it leads to is kept for it.
#[test]
fn a_resolver_that_overstays_keeps_the_old_colour_running() -> Outcome {
    let site = Site::new("stays", &[Duration::from_secs(8)])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    let ended = site.world.done(&["promote", "--window", "2s"])?;
    assert!(
        ended.stderr.contains("longer than the record's TTL"),
        "{}",
        ended.stderr
    );
    let refused = site.world.ends(6, &["retire"])?.stderr;
    assert!(refused.contains("users are still led to blue"), "{refused}");
    assert_eq!(site.tag("blue").as_deref(), Some("1"));
    // Users are led there by one resolver, until that forgets it.
    site.retire()?;
    assert_eq!(site.tag("blue"), None);
    Ok(())
}

/// What the file says becomes true, and then there is nothing to do.
#[test]
fn up_makes_the_file_true() -> Outcome {
    let site = Site::new("upped", &[])?;
    let plan = site.world.ends(7, &["up", "--dry-run"])?.stdout;
    assert!(plan.contains("create the CloudFormation stack"), "{plan}");
    let made = site.world.done_json(&["up"])?;
    assert_eq!(made["operation"], "init");
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    site.declare("{ tag = \"2\" }")?;
    let plan = site.world.ends(7, &["up", "--dry-run"])?.stdout;
    assert!(
        plan.contains("point record www.upped.test at green"),
        "{plan}"
    );
    // Both at once are one document.
    site.replace("ttl = 1", "ttl = 2")?;
    let both = site.world.done_json(&["up"])?;
    assert_eq!(
        (&both["operation"], &both["init"]["outcome"]),
        (&"promote".into(), &"updated".into())
    );
    assert_eq!(site.world.status()?["live"], "green");
    site.world.done(&["up", "--dry-run"])?;
    let begun = Instant::now();
    assert!(site.world.done(&["up"])?.stdout.contains("nothing to do"));
    assert!(begun.elapsed() < Duration::from_secs(5));
    site.declare("{ tag = \"9\" }")?;
    let refused = site.world.ends(6, &["up"])?.stderr;
    assert!(refused.contains("neither colour runs tag 9"), "{refused}");
    Ok(())
}

/// Where the idle colour is may change, and for how long the record is kept; where
/// users are may not.
#[test]
fn an_init_moves_no_user() -> Outcome {
    let site = Site::new("renewed", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    site.replace("target = \"127.0.1.2\"", "target = \"127.0.1.7\"")?;
    let told = site.world.done(&["status"])?.stdout;
    assert!(told.contains("differs from the stack (green)"), "{told}");
    site.replace("ttl = 1", "ttl = 2")?;
    site.world.done(&["init"])?;
    assert_eq!(
        (site.answers("A")?, site.ttl()?),
        (vec!["blue".to_owned()], "2".to_owned())
    );
    site.replace("target = \"127.0.1.7\"", "target = \"127.0.1.2\"")?;
    site.world.done(&["init"])?;
    site.replace("target = \"127.0.1.1\"", "target = \"127.0.1.9\"")?;
    let refused = site.world.ends(6, &["init"])?.stderr;
    assert!(refused.contains("blue is live"), "{refused}");
    site.replace("target = \"127.0.1.9\"", "target = \"127.0.1.1\"")?;
    site.replace("record = \"www.", "record = \"next.")?;
    let refused = site.world.ends(6, &["init"])?.stderr;
    assert!(
        refused.contains("was taken over as www.renewed.test"),
        "{refused}"
    );
    Ok(())
}
