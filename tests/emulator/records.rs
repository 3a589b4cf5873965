//! Colours that bgecs does not run, behind a record of Route 53.

mod site;

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
    site.world.done(&["retire"])?;
    assert_eq!(site.tag("blue"), None);
    site.world.done(&["destroy", "--yes"])?;
    assert_eq!(site.answers("A")?, Vec::<String>::new());
    Ok(())
}
