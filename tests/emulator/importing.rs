//! `bgecs import`: a service that bgecs is told nothing of, as a `bgecs.toml`.

use std::fs;

use serde_json::Value;

use crate::permissions::table::IMPORTER;
use crate::support::Outcome;
use crate::watching::{Stranger, allowed_by};
use crate::world::World;

#[test]
fn a_stranger_s_service_is_written_down_and_nothing_is_changed() -> Outcome {
    let world = World::with_v1_live("shown")?;
    let stranger = Stranger::of(&world)?;
    let before = world.status()?;
    let file = |name: &str| fs::read_to_string(stranger.desk.path().join(name));

    let (ended, calls) = stranger.run("import", &["--app", "taken", "--json"])?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    assert_eq!(calls, allowed_by(IMPORTER));
    assert_eq!(world.status()?, before);
    let told = ended.json()?;
    assert_eq!(told["color"], "green");

    // It is what `watch` sees.
    let (watched, _) = stranger.watch(&["--duration", "200ms", "--json"])?;
    let watched = watched.json()?;
    let told = &told["production"][0];
    assert_eq!(watched["way"], told["way"]);
    let url = watched["url"].as_str().unwrap_or_default();
    assert_eq!(Some(url.trim_end_matches('/')), told["url"].as_str());

    // Other commands read what is written.
    let text = file("bgecs.toml")?;
    for line in [
        "app = \"taken\"".to_owned(),
        format!("cluster = \"{}\"", world.stack()),
        "[colors.green]".to_owned(),
        format!("listener = \"{}\"", world.listener("prod")?),
        format!("url = {}", told["url"]),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    let policy = ["init", "--print-policy", "deployer"];
    let read = stranger.desk.bgecs(&policy)?;
    assert_eq!(read.code, Some(0), "{}", read.shown());
    let definition: Value = serde_json::from_str(&file("task-definition.json")?)?;
    let container = &definition["containerDefinitions"][0];
    assert!(container["portMappings"].is_array(), "{definition:#}");
    assert!(container["image"].is_null(), "{definition:#}");
    assert!(definition["revision"].is_null(), "{definition:#}");

    // A second time nothing is overwritten, and a second way is asked about.
    let (again, calls) = stranger.run("import", &[])?;
    assert_eq!((again.code, calls.len()), (Some(2), 0), "{}", again.shown());
    assert_eq!(file("bgecs.toml")?, text);
    world.add_listener(&world.target_group("green")?)?;
    let second = ["--config", "second/bgecs.toml"];
    fs::create_dir(stranger.desk.path().join("second"))?;
    let (several, calls) = stranger.run("import", &second)?;
    assert_eq!(several.code, Some(2), "{}", several.shown());
    assert!(
        several.stderr.contains("2 ways lead to"),
        "{}",
        several.shown()
    );
    assert_eq!(calls, allowed_by(IMPORTER));
    let production = world.listener("prod")?;
    let chosen = [&second[..], &["--production", &production]].concat();
    let (ended, _) = stranger.run("import", &chosen)?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    assert!(ended.stderr.contains("stays there"), "{}", ended.shown());
    assert!(
        ended.stdout.contains("`bgecs attach` creates"),
        "{}",
        ended.shown()
    );
    assert!(file("second/task-definition.json")?.contains("containerDefinitions"));
    Ok(())
}
