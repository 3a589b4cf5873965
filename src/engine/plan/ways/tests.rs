use super::*;
use crate::engine::look_ahead::refuse_moved;
use crate::model::PerRoute;
use crate::model::testing::{
    api_rule, assert_names_hosts, hosts, observed, observed_by_header, port_8080, redirect,
    release, service, with_previous,
};

/// Green is live with tag 1; port 8080 and a rule lead to these colours.
fn world(route: Color, rule: Color) -> Observed {
    let mut world = observed();
    world.colors.green.release = Some(release("1"));
    world.colors.green.service = Some(service(2));
    world.colors.blue.release = Some(release("2"));
    world.colors.blue.service = Some(service(2));
    world.other_ways.seen = vec![port_8080(route), api_rule(rule)];
    with_previous(world, None)
}

fn whole(refusal: Refusal) -> String {
    format!("{}\n{}", refusal.message, refusal.hint.unwrap())
}

#[test]
fn whoever_stays_behind_is_named_ahead_of_a_promotion() {
    let world = world(Color::Green, Color::Blue);
    insta::assert_snapshot!(staying_behind(&world, Color::Blue).join("\n"), @"port 8080 (HTTP) stays on green: users there keep tag 1, as bgecs does not move it");
    insta::assert_snapshot!(staying_behind(&world, Color::Green).join("\n"), @"port 80 (HTTP), rule 10 (path /api/*) stays on blue: users there keep tag 2, as bgecs does not move it");
    insta::assert_snapshot!(astray(&world).join("\n"), @"port 80 (HTTP), rule 10 (path /api/*) leads to blue, which is not live: users there get tag 2, and bgecs does not move it (rule/api)");
    insta::assert_snapshot!(showing(&world, Color::Blue).join("\n"), @"port 80 (HTTP), rule 10 (path /api/*) leads to blue: users there see this deploy as it happens");
    let mut retired = world;
    retired.colors.blue.service = Some(service(0));
    assert!(astray(&retired)[0].contains("users there get no answer"));
}

#[test]
fn a_colour_that_somebody_comes_in_on_is_not_cut_off() {
    let both = [port_8080(Color::Green), api_rule(Color::Blue)];
    let ways = OtherWays {
        seen: both.to_vec(),
        ..OtherWays::default()
    };
    let refused =
        |colors: &[Color]| whole(refuse_cutting_off(&ways, colors, "bgecs retire").unwrap_err());
    insta::assert_snapshot!(refused(&[Color::Blue]), @"
    port 80 (HTTP), rule 10 (path /api/*) still leads to blue: whoever comes in there would be cut off
    bgecs moves only its own routes: remove or re-point rule/api, then `bgecs retire`
    ");
    insta::assert_snapshot!(refused(&Color::BOTH), @"
    port 80 (HTTP), rule 10 (path /api/*) still leads to blue; port 8080 (HTTP) still leads to green: whoever comes in there would be cut off
    bgecs moves only its own routes: remove or re-point rule/api and listener/8080, then `bgecs retire`
    ");
    let none = OtherWays::default();
    assert_eq!(
        refuse_cutting_off(&none, &Color::BOTH, "bgecs destroy"),
        Ok(())
    );
}

#[test]
fn what_may_not_be_looked_at_may_lead_there() {
    let hidden = OtherWays {
        hidden: Some("AccessDenied: no".to_owned()),
        ..OtherWays::default()
    };
    let refusal = refuse_cutting_off(&hidden, &[Color::Blue], "bgecs retire").unwrap_err();
    insta::assert_snapshot!(whole(refusal), @"
    a rule of the load balancer may lead there, and the rules cannot be read: AccessDenied: no
    allow elasticloadbalancing:DescribeRules, as the policy does that `bgecs init --print-policy deployer` prints
    ");
    let mut world = observed();
    world.other_ways = hidden;
    let once = "a rule that leads to a colour would go unnoticed, as the rules cannot be read: AccessDenied: no";
    assert_eq!(staying_behind(&world, Color::Blue), [once]);
    assert_eq!(showing(&world, Color::Blue), [once]);
    assert_eq!(astray(&world), [once]);
}

#[test]
fn testers_who_get_what_they_did_not_ask_for_are_told_of() {
    let mut world = observed_by_header();
    assert_eq!(astray(&world), [""; 0]);
    world.other_ways.amiss = Some("the rule for x-bgecs-color: blue is gone".to_owned());
    let told = "the rule for x-bgecs-color: blue is gone: a request that names a colour gets another one, or none";
    assert_eq!(astray(&world), [told]);
    assert_eq!(staying_behind(&world, Color::Blue), [""; 0]);
}

#[test]
fn the_way_out_names_the_rule_that_production_is_at() {
    let mut world = observed_by_header();
    assert_eq!(free_test_port(&world), Ok(()));
    world.traffic.production = redirect();
    insta::assert_snapshot!(whole(unclear(&world).unwrap()), @"
    port 80 answers with a redirect to https://…:443, which bgecs did not do
    point rule/prod by hand at tg/blue, which is blue's target group, or at green's, tg/green; then `bgecs adopt`
    ");
}

#[test]
fn a_foreign_port_80_has_a_way_out_that_names_what_was_live() {
    let mut world = world(Color::Green, Color::Green);
    assert_eq!(unclear(&world), None);
    world.traffic.production = redirect();
    insta::assert_snapshot!(whole(unclear(&world).unwrap()), @"
    port 80 answers with a redirect to https://…:443, which bgecs did not do
    point listener/prod by hand at tg/green, the target group of green (tag 1), which the journal says was live; then `bgecs adopt`
    ");
    world.journal.truth = None;
    insta::assert_snapshot!(whole(unclear(&world).unwrap()), @"
    port 80 answers with a redirect to https://…:443, which bgecs did not do
    point listener/prod by hand at tg/blue, which is blue's target group, or at green's, tg/green; then `bgecs adopt`
    ");
}

#[test]
fn a_refusal_calls_a_route_what_its_router_calls_it() {
    let mut world = world(Color::Green, Color::Green);
    world.ecs_mut().endpoints = hosts();
    world.traffic = PerRoute {
        production: redirect(),
        test: redirect(),
    };
    let found = PerRoute::default();
    for refusal in [
        unclear(&world),
        free_test_port(&world).err(),
        refuse_moved(&world, &found, Color::Blue).err(),
    ] {
        assert_names_hosts(&refusal.unwrap().message);
    }
}
