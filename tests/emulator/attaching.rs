//! `bgecs attach` and `bgecs detach`: beside a service that others made, through a
//! release, and away again.

use serde_json::{Value, json};

use crate::api::texts;
use crate::company::{ADMIN, Company, SHOP};
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V2, World, error, string};

pub const FILE: &str = r#"app = "shop"

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

/// With a target group at each: both are moved, by one promotion.
#[test]
fn a_service_behind_two_load_balancers_is_one_app_with_two_ways_in() -> Outcome {
    let world = World::with_v1_live("insider")?;
    let company = Company::public_and_internal(&world)?;
    let internal = company.internal.as_ref().ok_or("it has none")?;
    let inside = internal.dns_name.as_str();
    let answers = |headers: &str, expected: &str| -> Outcome {
        for host in [SHOP, inside, ADMIN] {
            let expected = if host == ADMIN { ENGLISH } else { expected };
            let headers = if host == ADMIN { "" } else { headers };
            let (status, body) = company.ask(host, headers)?;
            assert!(
                status == 200 && body.contains(expected),
                "{host} {headers:?}: {status} {body}"
            );
        }
        Ok(())
    };
    answers("", ENGLISH)?;
    let before = company.seen()?;
    // That of the app which the company's image comes from.
    std::fs::remove_file(world.desk.path().join("bgecs.toml"))?;
    let import = [
        "import",
        "--cluster",
        "prod",
        "--service",
        "web",
        "--app",
        "shop",
    ];
    let asked = world.ends(2, &import)?;
    assert!(asked.stderr.contains("2 ways lead to"), "{}", asked.shown());
    let both = [
        "--production",
        &company.way,
        "--production",
        &internal.listener,
    ];
    let apart = world.ends(2, &[&import[..], &both[..2]].concat())?;
    assert!(apart.stderr.contains("web-inside"), "{}", apart.shown());
    world.done(&[&import[..], &both].concat())?;
    let written = std::fs::read_to_string(world.desk.path().join("bgecs.toml"))?;
    let asked = "\n[probe]\npath = \"/api\"\nrate = 20\nwindow_seconds = 2\n";
    let written = written.replace("path = \"/\" ", "path = \"/api\" ");
    world.desk.write("bgecs.toml", &(written + asked))?;

    world.done(&["attach"])?;
    assert_eq!(world.done_json(&["attach"])?["outcome"], "unchanged");
    // Of what a stranger deleted CloudFormation knows nothing.
    let rules = world.api.elb(&[
        ("Action", "DescribeRules"),
        ("ListenerArn", &internal.listener),
    ])?;
    // The first one is the listener's default.
    let rule = *texts(&rules, "RuleArn").last().expect("it has rules");
    world
        .api
        .elb(&[("Action", "DeleteRule"), ("RuleArn", rule)])?;
    let gone = world.changes_nothing(6, &["attach"])?;
    assert!(
        gone.stderr.contains("which `bgecs attach` made"),
        "{}",
        gone.shown()
    );
    world.done(&["detach"])?;
    assert_eq!(company.seen()?, before);
    world.done(&["attach"])?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    answers("", ENGLISH)?;
    answers("x-bgecs-color: green\r\n", FRENCH)?;
    let copy = company.service("bgecs-shop-green")?;
    assert_eq!(
        copy["loadBalancers"].as_array().map(Vec::len),
        Some(2),
        "{copy:#}"
    );

    let promoted = world.done_json(&["promote", "--tag", "2", "--canary", "50%:2s"])?;
    assert_eq!(promoted["probe"]["failed"], 0, "{promoted:#}");
    answers("", FRENCH)?;
    let status = world.status()?;
    assert_eq!(status["other_ways"], json!([]), "{status:#}");

    // A stranger moves one of the two: nothing goes on before that is put right.
    let text = world.api.elb(&[
        ("Action", "DescribeTargetGroups"),
        ("Names.member.1", "web-inside"),
    ])?;
    let group = crate::api::text(&text, "TargetGroupArn")?.to_owned();
    let there = world.api.elb(&[
        ("Action", "DescribeTargetGroups"),
        ("Names.member.1", "bgecs-shop-g2"),
    ])?;
    let there = crate::api::text(&there, "TargetGroupArn")?.to_owned();
    world.api.point(&internal.listener, &group)?;
    let refused = world.changes_nothing(6, &["rollback"])?;
    let told = format!("green at http://{SHOP}, and blue at http://{inside}");
    assert!(
        refused.stdout.contains(&told) || refused.stderr.contains(&told),
        "{}",
        refused.shown()
    );
    world.api.point(&internal.listener, &there)?;

    world.done(&["rollback"])?;
    answers("", ENGLISH)?;
    world.done(&["detach"])?;
    assert_eq!(company.seen()?, before);
    answers("", ENGLISH)
}

/// First a name, then a port, and each follows users' place about.
#[test]
fn testers_may_come_by_a_name_or_a_port_of_their_own() -> Outcome {
    let world = World::with_v1_live("tester")?;
    let company = company(&world)?;
    let next = "next.test";
    let at_port = format!("{}:8082", company.dns_name);
    let answers = |host: &str, headers: &str, expected: &str| -> Outcome {
        let (status, body) = company.ask(host, headers)?;
        assert!(
            status == 200 && body.contains(expected),
            "{host} {headers:?}: {status} {body}"
        );
        Ok(())
    };
    // By which load balancers a group is used, the emulator learns of listeners alone,
    // and does not forget.
    let seen = || -> Outcome<Vec<String>> {
        let mut all = company.seen()?;
        all.retain(|it| !it.contains("<DescribeTargetGroupsResponse"));
        Ok(all)
    };
    let before = seen()?;
    let ways = |status: &Value| status["other_ways"].as_array().map(Vec::len);

    world
        .desk
        .write("bgecs.toml", &format!("{FILE}\n[test]\nport = 80\n"))?;
    let taken = world.ends(2, &["attach"])?;
    assert!(
        error(&taken).contains("users come in there"),
        "{}",
        taken.shown()
    );
    world.desk.write(
        "bgecs.toml",
        &format!("{FILE}\n[test]\nhost = \"{next}\"\n"),
    )?;
    let attached = world.done_json(&["attach"])?;
    assert_eq!(
        attached["test"], "http://next.test -> green",
        "{attached:#}"
    );
    // Nobody is there yet, and users do not notice.
    // What a stack makes, the gate knows after its next look.
    world.until(next, || Ok(company.ask(next, "")?.0 == 503))?;
    answers(SHOP, "", ENGLISH)?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    answers(next, "", FRENCH)?;
    world.done(&["promote", "--tag", "2", "--canary", "50%:2s"])?;
    answers(SHOP, "", FRENCH)?;
    answers(next, "", ENGLISH)?;
    answers(next, "x-bgecs-color: green\r\n", FRENCH)?;
    answers(ADMIN, "", ENGLISH)?;
    let status = world.status()?;
    assert_eq!(ways(&status), Some(0), "{status:#}");
    assert_eq!(status["drift"], json!([]));
    // Where it has gone meanwhile is nothing to be undone.
    assert_eq!(world.done_json(&["attach"])?["outcome"], "unchanged");
    answers(next, "", ENGLISH)?;
    // With it deleted nothing can be moved, until it is not asked for any more.
    let place = string(&world.status()?, "/listeners/test/arn")?;
    world
        .api
        .elb(&[("Action", "DeleteRule"), ("RuleArn", &place)])?;
    let refused = world.ends(6, &["attach"])?;
    assert!(
        refused.stderr.contains("take [test] out"),
        "{}",
        refused.shown()
    );
    answers(SHOP, "", FRENCH)?;
    world.desk.write("bgecs.toml", FILE)?;
    assert_eq!(world.done_json(&["attach"])?["outcome"], "updated");
    answers(SHOP, "", FRENCH)?;

    world
        .desk
        .write("bgecs.toml", &format!("{FILE}\n[test]\nport = 8082\n"))?;
    let status = world.status()?;
    let differs = status["differs_from_stack"].as_str().unwrap_or_default();
    assert!(differs.contains("(test): run `bgecs attach`"), "{status:#}");
    let attached = world.done_json(&["attach"])?;
    assert_eq!(attached["outcome"], "updated", "{attached:#}");
    assert_eq!(
        attached["test"], "http://shop.test:8082 -> blue",
        "{attached:#}"
    );
    let status = world.status()?;
    assert_eq!(status["differs_from_stack"], Value::Null, "{status:#}");
    assert_eq!(ways(&status), Some(0), "{status:#}");
    assert_eq!(status["drift"], json!([]), "{status:#}");
    world.until(next, || Ok(company.ask(next, "")?.0 == 404))?;
    world.until(&at_port, || Ok(company.ask(&at_port, "")?.0 == 200))?;
    answers(&at_port, "", ENGLISH)?;
    world.done(&["rollback"])?;
    answers(SHOP, "", ENGLISH)?;
    answers(&at_port, "", FRENCH)?;
    world.done(&["promote", "--tag", "2"])?;
    answers(&at_port, "", ENGLISH)?;

    // Users are on the second service: nothing takes it from under them.
    let other = FILE.replace("[colors.blue]", "[colors.green]");
    world.desk.write("bgecs.toml", &other)?;
    let refused = world.ends(6, &["attach"])?;
    let told = "attached to prod/web as blue, and bgecs.toml names prod/web as green";
    assert!(refused.stderr.contains(told), "{}", refused.shown());
    world.desk.write("bgecs.toml", FILE)?;
    world.done(&["rollback"])?;

    world.done(&["detach"])?;
    assert_eq!(seen()?, before);
    answers(SHOP, "", ENGLISH)
}

/// Users come home with the release that they have, by the very lines that `detach`
/// names, and the original keeps it.
#[test]
fn the_original_keeps_the_release_that_it_was_given() -> Outcome {
    let world = World::with_v1_live("giver")?;
    let company = company(&world)?;
    world.done(&["attach"])?;
    world.done(&["deploy", V2, "--tag", "2", "--timeout", "60s"])?;
    world.done(&["promote", "--tag", "2"])?;
    let refused = world.changes_nothing(6, &["detach"])?;
    let said = &refused.stderr;
    let lines = said.split('`').filter(|part| part.starts_with("bgecs "));
    let lines: Vec<Vec<&str>> = lines
        .map(|line| line.split(' ').skip(1).collect())
        .collect();
    let verbs: Vec<&str> = lines.iter().map(|line| line[0]).collect();
    assert_eq!(verbs, ["deploy", "promote", "rollback", "detach"], "{said}");
    // Its owner makes users' rule again: that is the same way in, by another ARN.
    let made = world.api.elb(&[
        ("Action", "DescribeTargetGroups"),
        ("Names.member.1", "bgecs-shop-green"),
    ])?;
    let group = texts(&made, "TargetGroupArn");
    world
        .api
        .elb(&[("Action", "DeleteRule"), ("RuleArn", &company.way)])?;
    company.lead(Some((SHOP, "100")), group.first().expect("it is there"))?;
    assert_eq!(world.done_json(&["attach"])?["outcome"], "updated");
    world.done(&lines[0])?;
    world.done(&lines[1])?;
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
