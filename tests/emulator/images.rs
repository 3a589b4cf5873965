//! Where images come from: registries, the engine, and the app's own repository.

use serde_json::json;

use crate::support::Outcome;
use crate::world::{V1, World, error, string};

/// Where no engine answers.
const NO_ENGINE: (&str, &str) = ("DOCKER_HOST", "unix:///nonexistent/docker.sock");

#[test]
fn an_image_of_ci_is_deployed_again_by_a_runner_that_knows_nothing() -> Outcome {
    let world = World::with_v1_live("ci")?;
    let built = format!("{}/bgecs-ci:1", world.registry());
    let target = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";
    let repository = json!({ "repositoryName": "ci/app" });
    world.api.json("ecr", target, &repository)?;
    let cis = format!("{}/ci/app", world.registry());
    world.push(&built, &cis, "7")?;

    let image = format!("{cis}:7");
    let deploy = ["deploy", "--image", &image, "--tag", "2"];
    let deployed = world.done_json(&deploy)?;
    assert_eq!(deployed["outcome"], "deployed", "{deployed:#}");
    assert_eq!(
        deployed["image"],
        json!({ "from": "pulled", "reference": image })
    );
    world.forget_images()?;
    let again = world.done_json(&deploy)?;
    assert_eq!(again["outcome"], "unchanged", "{again:#}");
    assert_eq!(again["digest"], deployed["digest"]);
    Ok(())
}

#[test]
fn an_image_of_the_apps_repository_needs_no_engine() -> Outcome {
    let world = World::with_v1_live("own")?;
    let repository = format!("{}/bgecs-own", world.registry());
    let digest = string(&world.status()?, "/colors/green/digest")?;
    let deploy = |image: &str, tag: &str| {
        let arguments = ["deploy", "--image", image, "--tag", tag, "--json"];
        let (name, value) = NO_ENGINE;
        let output = world.desk.command(&arguments).env(name, value).output()?;
        let ended = world.desk.ended(&arguments, &output);
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        ended.json()
    };
    let by_tag = format!("{repository}:1");
    let retagged = deploy(&by_tag, "2")?;
    assert_eq!(retagged["outcome"], "deployed", "{retagged:#}");
    assert_eq!(retagged["digest"], *digest);
    assert_eq!(
        retagged["image"],
        json!({ "from": "registry", "reference": by_tag })
    );
    let by_digest = deploy(&format!("{repository}@{digest}"), "2")?;
    assert_eq!(by_digest["outcome"], "unchanged", "{by_digest:#}");
    let live = deploy(&by_tag, "1")?;
    assert_eq!(
        (&live["outcome"], &live["live"]),
        (&json!("unchanged"), &json!(true))
    );

    // What is not there needs one after all.
    let missing = [
        "deploy",
        "--image",
        &format!("{repository}:none"),
        "--tag",
        "3",
    ];
    let missing = world.changes_nothing(1, &missing)?;
    assert!(
        error(&missing).contains("cannot pull"),
        "{}",
        missing.shown()
    );
    Ok(())
}

#[test]
fn what_fargate_cannot_run_is_known_before_a_tag_is_spent() -> Outcome {
    let world = World::with_v1_live("odd")?;
    for platform in ["linux/arm/v7", "linux/386", "windows/amd64"] {
        let deploy = ["deploy", V1, "--tag", "2", "--platform", platform];
        let refused = world.changes_nothing(2, &deploy)?;
        let message = format!("these tasks cannot run an image for {platform} on Fargate");
        assert!(error(&refused).contains(&message), "{}", refused.shown());
        assert!(!refused.stderr.contains("building"), "{}", refused.shown());
    }
    world.done(&["deploy", V1, "--tag", "2"])?;
    Ok(())
}

/// Layers that are made by running something differ from build to build.
#[test]
fn a_tag_that_is_taken_names_the_way_to_what_it_names() -> Outcome {
    let world = World::with_v1_live("twice")?;
    let git = |arguments: &[&str]| -> Outcome {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"];
        let mut git = std::process::Command::new("git");
        git.arg("-C").arg(world.desk.path().join("app"));
        let output = git.args(identity).args(arguments).output()?;
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or(shown.into())
    };
    let base = format!("{}/bgecs-twice:1", world.registry());
    let dockerfile = |more: &str| format!("FROM {base}\nLABEL is=\"{more}\"\n");
    world.desk.write("app/Dockerfile", &dockerfile("one"))?;
    git(&["init", "--quiet"])?;
    git(&["add", "."])?;
    git(&["commit", "--quiet", "-m", "one"])?;
    world.done(&["deploy", "app", "--tag", "2"])?;
    // The same, and a label more, that no commit tells of.
    let labelled = ["deploy", "app", "--tag", "2", "--no-cache"];
    world.changes_nothing(0, &labelled)?;

    world.desk.write("app/Dockerfile", &dockerfile("two"))?;
    let taken = world.changes_nothing(6, &["deploy", "app", "--tag", "2"])?;
    let way = format!(
        "`bgecs deploy --image {}/bgecs-twice:2 --tag 2`",
        world.registry()
    );
    assert!(error(&taken).contains(&way), "{}", taken.shown());
    assert!(!error(&taken).contains("same commit"), "{}", taken.shown());

    // What differs is in no file: an argument.
    let argument = "ARG WHEN\nENV WHEN=$WHEN\n";
    world
        .desk
        .write("app/Dockerfile", &(dockerfile("one") + argument))?;
    git(&["commit", "--quiet", "-am", "two"])?;
    let built =
        |when: &str| ["deploy", "app", "--tag", "3", "--build-arg", when].map(str::to_owned);
    let line = built("WHEN=1");
    world.done(&line.each_ref().map(String::as_str))?;
    let line = built("WHEN=2");
    let taken = world.changes_nothing(6, &line.each_ref().map(String::as_str))?;
    let said = "that image was built from the same commit and context";
    assert!(error(&taken).contains(said), "{}", taken.shown());
    Ok(())
}
