//! Users who come in by what bgecs does not move: another listener, a rule, or
//! a port 80 that somebody made a redirect.

use localstack::Options;

use crate::access::User;
use crate::api::text;
use crate::support::{Ended, Outcome};
use crate::world::{ENGLISH, FRENCH, V2, World, error, see};

impl World {
    fn load_balancer(&self) -> Outcome<String> {
        let name = self.stack();
        let names = [
            ("Action", "DescribeLoadBalancers"),
            ("Names.member.1", &name),
        ];
        Ok(text(&self.api.elb(&names)?, "LoadBalancerArn")?.to_owned())
    }

    /// A listener on port 8080 that forwards to that group, as somebody adds by
    /// hand.
    pub fn add_listener(&self, group: &str) -> Outcome<String> {
        let made = self.api.elb(&[
            ("Action", "CreateListener"),
            ("LoadBalancerArn", &self.load_balancer()?),
            ("Protocol", "HTTP"),
            ("Port", "8080"),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", group),
        ])?;
        Ok(text(&made, "ListenerArn")?.to_owned())
    }

    /// A rule for `/api/*` on that listener.
    fn add_rule(&self, listener: &str, group: &str) -> Outcome<String> {
        let made = self.api.elb(&[
            ("Action", "CreateRule"),
            ("ListenerArn", listener),
            ("Priority", "10"),
            ("Conditions.member.1.Field", "path-pattern"),
            (
                "Conditions.member.1.PathPatternConfig.Values.member.1",
                "/api/*",
            ),
            ("Actions.member.1.Type", "forward"),
            ("Actions.member.1.TargetGroupArn", group),
        ])?;
        Ok(text(&made, "RuleArn")?.to_owned())
    }

    /// What the load balancer does, as AWS tells it.
    fn whole_load_balancer(&self) -> Outcome<Vec<String>> {
        let arn = self.load_balancer()?;
        let of = [("Action", "DescribeListeners"), ("LoadBalancerArn", &arn)];
        let listeners = self.api.elb(&of)?;
        let mut all = vec![without_request(&listeners)];
        for arn in crate::api::texts(&listeners, "ListenerArn") {
            let rules = self
                .api
                .elb(&[("Action", "DescribeRules"), ("ListenerArn", arn)])?;
            all.push(without_request(&rules));
        }
        Ok(all)
    }

    /// Runs what must be refused and leave everything as it was.
    fn refuses(&self, arguments: &[&str], parts: &[&str]) -> Outcome<Ended> {
        let before = self.whole_load_balancer()?;
        let refused = self.changes_nothing(6, arguments)?;
        for part in parts {
            assert!(
                refused.stderr.contains(part),
                "{part}:\n{}",
                refused.shown()
            );
        }
        assert_eq!(self.whole_load_balancer()?, before, "{}", refused.shown());
        Ok(refused)
    }
}

fn without_request(answer: &str) -> String {
    let (body, _) = answer
        .split_once("<ResponseMetadata>")
        .unwrap_or((answer, ""));
    body.to_owned()
}

const PORT: &str = "port 8080 (HTTP)";
const RULE: &str = "port 80 (HTTP), rule 10 (path /api/*)";

#[test]
fn whoever_comes_in_by_another_listener_or_a_rule_is_told_of_and_not_cut_off() -> Outcome {
    let world = World::with_v2_idle("ways")?;
    let (blue, green) = (world.target_group("blue")?, world.target_group("green")?);
    let (prod, url) = (
        world.listener("prod")?,
        world.status()?["urls"]["prod"].clone(),
    );
    let url = url.as_str().ok_or("no URL")?;
    let listener = world.add_listener(&green)?;
    let rule = world.add_rule(&prod, &green)?;
    let status = world.status()?;
    assert_eq!(status["live"], "green");
    let ways = status["other_ways"].as_array().ok_or("no ways")?;
    let arns: Vec<_> = ways.iter().filter_map(|way| way["arn"].as_str()).collect();
    assert_eq!(arns, [&rule, &listener], "{status:#}");
    see("ways-status", &world.done(&["status"])?.stdout)?;

    // All on green: blue is idle in truth.
    world.done(&["deploy", V2, "--tag", "3", "--dry-run"])?;
    world.done(&["retire", "--dry-run"])?;
    for line in [&["destroy", "--yes"][..], &["destroy", "--dry-run"]] {
        world.refuses(line, &[PORT, RULE, &listener, &rule])?;
    }

    // Both stay on the old release, and this is said ahead.
    for line in [&["promote", "--dry-run"][..], &["promote", "blue"]] {
        let promoted = world.done(line)?;
        for way in [PORT, RULE] {
            let stays = format!("{way} stays on green: users there keep tag 1");
            assert!(promoted.stderr.contains(&stays), "{}", promoted.shown());
        }
    }
    assert!(world.api.visit(url, "/api")?.1.contains(FRENCH));
    let other = format!("{url}:8080");
    assert!(world.api.visit(&other, "/api")?.1.contains(ENGLISH));
    see("ways-status-astray", &world.done(&["status"])?.stdout)?;
    for line in [
        &["retire"][..],
        &["retire", "--dry-run"],
        &["deploy", V2, "--tag", "4"],
    ] {
        world.refuses(
            line,
            &[
                PORT,
                RULE,
                &listener,
                &rule,
                "port 80 -> blue (tag 2), unchanged",
            ],
        )?;
    }
    see("ways-retire", &error(&world.refuses(&["retire"], &[])?))?;
    see(
        "ways-destroy",
        &error(&world.refuses(&["destroy", "--yes"], &[])?),
    )?;

    // One of them is as good as both.
    world.api.point(&listener, &blue)?;
    let refused = world.refuses(&["retire"], &[RULE])?;
    assert!(!refused.stderr.contains(PORT), "{}", refused.shown());
    world
        .api
        .elb(&[("Action", "DeleteRule"), ("RuleArn", &rule)])?;
    world.done(&["retire"])?;
    world.refuses(&["destroy", "--yes"], &[PORT])?;
    world
        .api
        .elb(&[("Action", "DeleteListener"), ("ListenerArn", &listener)])?;
    world.done(&["destroy", "--yes"])?;
    Ok(())
}

#[test]
fn a_redirect_on_port_80_is_not_nothing_and_stays() -> Outcome {
    let world = World::with_v2_idle("redirect")?;
    let (prod, green) = (world.listener("prod")?, world.target_group("green")?);
    let listener = world.add_listener(&green)?;
    for (action, does) in [
        (
            &[
                ("Type", "redirect"),
                ("RedirectConfig.Protocol", "HTTPS"),
                ("RedirectConfig.Port", "443"),
                ("RedirectConfig.StatusCode", "HTTP_301"),
            ][..],
            "port 80 answers with a redirect to https://…:443",
        ),
        (
            &[
                ("Type", "fixed-response"),
                ("FixedResponseConfig.StatusCode", "503"),
                ("FixedResponseConfig.MessageBody", "back at ten"),
            ],
            "port 80 answers with a fixed response 503",
        ),
    ] {
        let named: Vec<(String, &str)> = action
            .iter()
            .map(|(name, value)| (format!("DefaultActions.member.1.{name}"), *value))
            .collect();
        let mut modify = vec![("Action", "ModifyListener"), ("ListenerArn", &prod)];
        modify.extend(named.iter().map(|(name, value)| (name.as_str(), *value)));
        world.api.elb(&modify)?;

        let shown = world.done(&["status"])?;
        assert!(
            !shown.stdout.contains("Nothing is live"),
            "{}",
            shown.shown()
        );
        for part in [
            does,
            PORT,
            &green,
            "green (tag 1), which the journal says was live",
        ] {
            assert!(shown.stdout.contains(part), "{part}:\n{}", shown.shown());
        }
        assert!(world.status()?["live"].is_null());
        for line in [
            &["adopt"][..],
            &["deploy", V2, "--tag", "3"],
            &["deploy", V2, "--tag", "3", "--color", "blue"],
            &[
                "deploy",
                V2,
                "--tag",
                "3",
                "--color",
                "green",
                "--allow-live",
            ],
            &["promote"],
            &["promote", "green"],
            &["rollback"],
            &["retire"],
        ] {
            world.refuses(line, &[does, &prod, &green, "`bgecs adopt`"])?;
        }
    }
    see(
        "ways-redirect-adopt",
        &error(&world.refuses(&["adopt"], &[])?),
    )?;

    // Along the hint, all goes on.
    world.api.point(&prod, &green)?;
    world.done(&["adopt"])?;
    world
        .api
        .elb(&[("Action", "DeleteListener"), ("ListenerArn", &listener)])?;
    world.done(&["promote", "blue"])?;
    world.expect_answers(FRENCH, ENGLISH)
}

#[test]
fn a_swap_leaves_the_stickiness_of_a_listener_as_it_is() -> Outcome {
    let world = World::with_v2_idle("sticky")?;
    let (prod, green) = (world.listener("prod")?, world.target_group("green")?);
    let config = "DefaultActions.member.1.ForwardConfig";
    let groups = format!("{config}.TargetGroups.member.1");
    let stickiness = format!("{config}.TargetGroupStickinessConfig");
    world.api.elb(&[
        ("Action", "ModifyListener"),
        ("ListenerArn", &prod),
        ("DefaultActions.member.1.Type", "forward"),
        (&format!("{groups}.TargetGroupArn"), &green),
        (&format!("{groups}.Weight"), "100"),
        (&format!("{stickiness}.Enabled"), "true"),
        (&format!("{stickiness}.DurationSeconds"), "77"),
    ])?;
    world.done(&["promote", "blue"])?;
    world.expect_answers(FRENCH, ENGLISH)?;
    let of = [
        ("Action", "DescribeListeners"),
        ("ListenerArns.member.1", &prod),
    ];
    let listener = world.api.elb(&of)?;
    assert_eq!(text(&listener, "DurationSeconds")?, "77", "{listener}");
    assert_eq!(text(&listener, "Weight")?, "100", "{listener}");
    assert!(!listener.contains(&green), "{listener}");
    Ok(())
}

/// With a policy that an older bgecs printed.
#[test]
fn who_may_not_read_rules_is_told_so_and_takes_nothing_away() -> Outcome {
    let world = World::with("unseen", Options::default().auth(true))?;
    world.init_and_v1()?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"elasticloadbalancing:DescribeRules","Resource":"*"}]}"#;
    let ci = User::with(&world, "ci", policy)?;
    let action = "elasticloadbalancing:DescribeRules";
    for (code, line) in [
        (0, &["promote", "blue"][..]),
        (6, &["retire"]),
        (6, &["retire", "--dry-run"]),
        (6, &["destroy", "--yes"]),
        (0, &["status"]),
    ] {
        let ended = ci.bgecs(line)?;
        assert_eq!(ended.code, Some(code), "{}", ended.shown());
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(action), "{}", ended.shown());
        let warnings = said.matches("warning:").count();
        assert_eq!(warnings, usize::from(code == 0), "{}", ended.shown());
    }
    world.expect_answers(FRENCH, ENGLISH)?;
    world.done(&["retire"])?;
    Ok(())
}
