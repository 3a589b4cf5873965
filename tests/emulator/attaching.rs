//! `bgecs attach` and `bgecs detach`: beside a service that others made, through a
//! release, and away again.

use serde_json::json;

use crate::company::{ADMIN, Company, SHOP};
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V2, World, error};

const FILE: &str = r#"app = "shop"

[service]
cluster = "prod"

[colors.blue]
service = "web"

[container]
task_definition = "task-definition.json"
container = "app"
port = 8080
health_path = "/health"

[production]
load_balancer = "shared"
port = 80
rule = { host = ["shop.test"] }
url = "http://shop.test"

[probe]
path = "/api"
rate = 20
window_seconds = 2
"#;

/// The app that the image comes from is another one in the same account.
pub fn company(world: &World) -> Outcome<Company<'_>> {
    let company = Company::beside(world)?;
    world.desk.write("bgecs.toml", FILE)?;
    let definition = format!("{:#}", company.definition("web")?);
    world.desk.write("task-definition.json", &definition)?;
    Ok(company)
}

#[test]
fn a_running_service_gets_a_second_colour_and_is_given_back_as_it_was() -> Outcome {
    let world = World::with_v1_live("builder")?;
    let company = company(&world)?;
    let answers = |host, headers: &str, expected: &str| -> Outcome {
        let (status, body) = company.ask(host, headers)?;
        assert!(
            status == 200 && body.contains(expected),
            "{host} {headers:?}: {status} {body}"
        );
        Ok(())
    };
    let before = company.seen()?;

    // What a plan says is made, and nothing but that.
    let planned = world.done(&["attach", "--dry-run"])?;
    assert!(
        planned.stdout.contains("and change nothing else"),
        "{}",
        planned.shown()
    );
    assert_eq!(company.seen()?, before);

    // On and off again: nothing at all differs.
    world.done(&["attach"])?;
    world.done(&["detach"])?;
    assert_eq!(company.seen()?, before);

    let attached = world.done_json(&["attach"])?;
    assert_eq!(attached["outcome"], "attached");
    assert_eq!(world.done_json(&["attach"])?["outcome"], "unchanged");
    let status = world.status()?;
    assert_eq!(status["live"], "blue", "{status:#}");
    let rule = &status["listeners"]["prod"]["arn"];
    assert_eq!(rule, &json!(company.way), "{status:#}");
    let ended = world.ends(6, &["destroy", "--yes"])?;
    assert!(ended.stderr.contains("bgecs detach"), "{}", ended.shown());

    // The second colour is a copy, seen by its header alone.
    world.done(&["deploy", V2, "--tag", "2"])?;
    let (original, copy) = (
        company.service("web")?,
        company.service("bgecs-shop-green")?,
    );
    for key in [
        "networkConfiguration",
        "launchType",
        "platformVersion",
        "enableExecuteCommand",
        "healthCheckGracePeriodSeconds",
        "propagateTags",
    ] {
        assert_eq!(copy[key], original[key], "{key}");
    }
    let percent = "/deploymentConfiguration/maximumPercent";
    assert_eq!(copy.pointer(percent), original.pointer(percent));
    answers(SHOP, "", ENGLISH)?;
    answers(SHOP, "x-bgecs-color: green\r\n", FRENCH)?;

    // Users go there and back, and nobody comes for the neighbours.
    world.done(&["promote", "--tag", "2"])?;
    answers(SHOP, "", FRENCH)?;
    answers(SHOP, "x-bgecs-color: blue\r\n", ENGLISH)?;
    answers(ADMIN, "", ENGLISH)?;
    let refused = world.changes_nothing(6, &["detach"])?;
    assert!(
        error(&refused).contains("--tag 2 --color blue"),
        "{}",
        refused.shown()
    );
    world.done(&["rollback"])?;
    answers(SHOP, "", ENGLISH)?;

    world.done(&["detach"])?;
    assert_eq!(company.seen()?, before);
    assert_eq!(world.done_json(&["detach"])?["outcome"], "unchanged");
    answers(SHOP, "", ENGLISH)?;
    answers(ADMIN, "", ENGLISH)
}

/// A release on both colours in turn: detached on the newest one.
#[test]
fn the_original_keeps_the_release_that_it_was_given() -> Outcome {
    let world = World::with_v1_live("giver")?;
    let company = company(&world)?;
    world.done(&["attach"])?;
    for (tag, color) in [("2", "green"), ("3", "blue")] {
        world.done(&[
            "deploy",
            V2,
            "--tag",
            tag,
            "--color",
            color,
            "--timeout",
            "60s",
        ])?;
        world.done(&["promote", "--tag", tag])?;
    }
    let before = company.service("web")?;
    world.done(&["detach"])?;
    let after = company.service("web")?;
    assert_eq!(after["taskDefinition"], before["taskDefinition"]);
    let (status, body) = company.ask(SHOP, "")?;
    assert!(status == 200 && body.contains(FRENCH), "{status} {body}");
    Ok(())
}

/// A load balancer of the shop's own, but for a neighbour's rule.
#[test]
fn users_of_a_default_action_are_moved_by_it() -> Outcome {
    let world = World::with_v1_live("neighbour")?;
    let company = Company::at_the_default_action(&world)?;
    let file = FILE.replace("rule = { host = [\"shop.test\"] }\n", "");
    let file = file.replace("shop.test", &company.dns_name);
    world.desk.write("bgecs.toml", &file)?;
    let definition = format!("{:#}", company.definition("web")?);
    world.desk.write("task-definition.json", &definition)?;
    let before = company.seen()?;

    world.done(&["attach"])?;
    let status = world.status()?;
    assert_eq!(status["listeners"]["prod"]["arn"], json!(company.listener));
    world.done(&["deploy", V2, "--tag", "2"])?;
    world.done(&["promote", "--tag", "2", "--canary", "50%:2s"])?;
    let (status, body) = company.ask(&company.dns_name, "")?;
    assert!(status == 200 && body.contains(FRENCH), "{status} {body}");
    let (status, body) = company.ask(ADMIN, "")?;
    assert!(status == 200 && body.contains(ENGLISH), "{status} {body}");
    world.done(&["rollback"])?;
    world.done(&["detach"])?;
    assert_eq!(company.seen()?, before);
    Ok(())
}
