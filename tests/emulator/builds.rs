//! Images that cannot be had, and registries that will not take them.

use crate::support::Outcome;
use crate::world::{World, error, see};

#[test]
fn a_deploy_without_an_image_changes_nothing() -> Outcome {
    let world = World::new("noimage")?;
    world.done(&["init"])?;

    world.desk.write(
        "failing/Dockerfile",
        "FROM scratch\nCOPY hello /\nRUN [\"/hello\", \"--loud\"]\n",
    )?;
    world.desk.write("failing/hello", "this is no program\n")?;
    let failed = world.changes_nothing(1, &["deploy", "failing", "--tag", "1"])?;
    // Its own last lines, as BuildKit has them; their wording is the engine's.
    for part in ["the image build failed", "| ", "/hello", "hint:"] {
        assert!(error(&failed).contains(part), "{part}:\n{}", failed.shown());
    }
    world
        .desk
        .write("missing/Dockerfile", "FROM scratch\nCOPY nothing /\n")?;
    let failed = world.changes_nothing(1, &["deploy", "missing", "--tag", "1"])?;
    assert!(error(&failed).contains("nothing"), "{}", failed.shown());
    world
        .desk
        .write("garbled/Dockerfile", "FROM scratch\nKOPY a /\n")?;
    let failed = world.changes_nothing(1, &["deploy", "garbled", "--tag", "1"])?;
    assert!(error(&failed).contains("KOPY"), "{}", failed.shown());

    let app = &world.app;
    let hook =
        format!("app = \"{app}\"\n[build]\nbefore = \"echo compiling; echo oh no >&2; exit 3\"\n");
    world.desk.write("hook.toml", &hook)?;
    world
        .desk
        .write("good/Dockerfile", "FROM scratch\nCOPY hello /\n")?;
    world.desk.write("good/hello", "hello\n")?;
    let hooked = ["deploy", "good", "--tag", "1", "--config", "hook.toml"];
    see(
        "build-hook-fails",
        &error(&world.changes_nothing(1, &hooked)?),
    )?;

    // Port 9 discards, where anybody listens at all.
    let registry = format!("app = \"{app}\"\n[registry]\nurl = \"localhost:9\"\n");
    world.desk.write("registry.toml", &registry)?;
    let refused = ["deploy", "good", "--tag", "1", "--config", "registry.toml"];
    let refused = world.changes_nothing(1, &refused)?;
    for part in [
        "cannot push localhost:9/bgecs-noimage:1",
        "whether this machine reaches the registry",
    ] {
        assert!(
            error(&refused).contains(part),
            "{part}:\n{}",
            refused.shown()
        );
    }
    let none = ["deploy", "--image", "localhost:9/none:1", "--tag", "1"];
    let none = world.changes_nothing(1, &none)?;
    assert!(
        error(&none).contains("cannot pull localhost:9/none:1"),
        "{}",
        none.shown()
    );
    Ok(())
}

#[test]
fn a_machine_without_docker_is_told_to_start_it() -> Outcome {
    let world = World::new("nodocker")?;
    world.done(&["init"])?;
    world
        .desk
        .write("app/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")?;
    let before = world.status()?;
    let arguments = ["deploy", "app", "--tag", "1"];
    let output = world
        .desk
        .command(&arguments)
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .output()?;
    let ended = world.desk.ended(&arguments, &output);
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    see("docker-none", &error(&ended))?;
    assert_eq!(world.status()?, before);
    Ok(())
}
