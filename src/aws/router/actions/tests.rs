use aws_sdk_elasticloadbalancingv2::types::{
    AuthenticateOidcActionConfig, FixedResponseActionConfig,
};

use super::*;
use crate::aws::TEMPLATE;
use crate::model::Color;
use crate::model::testing::{infrastructure, to};

/// As an emulator answers: only the target group's ARN.
fn simple(group: &str) -> Action {
    let forward = Action::builder().r#type(ActionTypeEnum::Forward);
    forward.target_group_arn(group).build()
}

fn weighted(groups: &[(&str, Option<i32>)]) -> Action {
    let mut config = ForwardActionConfig::builder();
    for (arn, weight) in groups {
        let group = TargetGroupTuple::builder().target_group_arn(*arn);
        config = config.target_groups(group.set_weight(*weight).build());
    }
    Action::builder()
        .r#type(ActionTypeEnum::Forward)
        .forward_config(config.build())
        .build()
}

/// Both forms at once, as AWS answers a simple forward.
fn both(group: &str) -> Action {
    let mut action = weighted(&[(group, Some(1))]);
    action.target_group_arn = Some(group.to_owned());
    action
}

fn fixed(status: &str, body: Option<&str>) -> Action {
    let response = FixedResponseActionConfig::builder().status_code(status);
    Action::builder()
        .r#type(ActionTypeEnum::FixedResponse)
        .fixed_response_config(response.set_message_body(body.map(str::to_owned)).build())
        .build()
}

fn redirect(to: &[(&str, &str)]) -> Action {
    let part = |name: &str| {
        let found = to.iter().find(|(part, _)| *part == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let config = RedirectActionConfig::builder()
        .set_protocol(part("protocol"))
        .set_host(part("host"))
        .set_port(part("port"))
        .set_path(part("path"));
    Action::builder()
        .r#type(ActionTypeEnum::Redirect)
        .redirect_config(config.build())
        .build()
}

fn of(kind: &str) -> Action {
    Action::builder().r#type(kind.into()).build()
}

fn sign_in() -> Action {
    let config = AuthenticateOidcActionConfig::builder().client_id("shop");
    Action::builder()
        .r#type(ActionTypeEnum::AuthenticateOidc)
        .order(1)
        .authenticate_oidc_config(config.build())
        .build()
}

fn meant(actions: &[Action]) -> Found {
    found(&infrastructure(), actions)
}

#[test]
fn a_forward_is_understood_in_each_of_its_forms() {
    for action in [
        simple("tg/blue"),
        weighted(&[("tg/blue", None)]),
        both("tg/blue"),
    ] {
        assert_eq!(meant(&[action]), to(Color::Blue));
    }
}

#[test]
fn weights_are_kept_and_a_group_without_any_still_counts() {
    let split = meant(&[weighted(&[("tg/blue", Some(90)), ("tg/green", Some(10))])]);
    assert_eq!(split.only(), None);
    assert!(split.reaches(Color::Blue) && split.reaches(Color::Green));
    assert_eq!(split.to_string(), "90% blue, 10% green");

    let attached = meant(&[weighted(&[("tg/blue", Some(1)), ("tg/green", Some(0))])]);
    assert_eq!(attached.only(), Some(Color::Blue));
    assert!(!attached.reaches(Color::Green));
}

#[test]
fn what_comes_before_a_forward_does_not_hide_it() {
    for kind in ["authenticate-cognito", "jwt-validation", "a-kind-of-2030"] {
        let found = meant(&[of(kind), simple("tg/green")]);
        assert_eq!(found.only(), Some(Color::Green), "{kind}");
        assert_eq!(found.foreign(), None);
    }
}

/// Exactly as in the template: anybody else's 503 is foreign.
#[test]
fn only_the_template_s_own_placeholder_goes_nowhere() {
    let (status, body) = PLACEHOLDER;
    assert!(TEMPLATE.contains(&format!("StatusCode: \"{status}\"")));
    assert!(TEMPLATE.contains(&format!("MessageBody: \"{body}\"")));
    assert_eq!(meant(&[fixed(status, Some(body))]), Found::Nowhere);

    let to_https = redirect(&[
        ("protocol", "HTTPS"),
        ("host", "#{host}"),
        ("port", "443"),
        ("path", "/#{path}"),
    ]);
    let elsewhere = redirect(&[
        ("protocol", "#{protocol}"),
        ("host", "www.example.com"),
        ("port", "#{port}"),
        ("path", "/new/#{path}"),
    ]);
    let unavailable = fixed(status, Some("back at ten"));
    for (actions, words) in [
        (vec![unavailable], "a fixed response 503"),
        (vec![fixed("503", None)], "a fixed response 503"),
        (vec![fixed("200", Some(body))], "a fixed response 200"),
        (vec![to_https], "a redirect to https://…:443"),
        (vec![elsewhere], "a redirect to …://www.example.com/new/…"),
        (vec![sign_in()], "authenticate-oidc"),
        (
            vec![sign_in(), fixed(status, Some(body))],
            "a fixed response 503, after authenticate-oidc",
        ),
        (vec![of("a-kind-of-2030")], "a-kind-of-2030"),
        (Vec::new(), "no action at all"),
    ] {
        let found = meant(&actions);
        assert_eq!(found.deed(), format!("answers with {words}"));
        assert!(!found.is_nowhere());
        let refused = aimed(&actions).unwrap_err();
        assert_eq!(
            refused,
            format!("answers with {words}, which is not overwritten")
        );
    }
}

#[test]
fn a_stranger_s_group_is_no_colour_and_stays() {
    let strange = [simple("tg/someone-else-s")];
    assert!(!meant(&strange).is_nowhere(), "traffic does go there");
    assert_eq!(meant(&strange).only(), None);
    let shared = [weighted(&[("tg/green", Some(9)), ("tg/theirs", Some(1))])];
    let leads_to_green = [&strange[..], &shared[..]].map(|all| meant(all).reaches(Color::Green));
    assert_eq!(leads_to_green, [false, true]);
    for actions in [strange, shared] {
        assert!(aimed(&actions).unwrap_err().contains("not overwritten"));
    }
}

fn aimed(actions: &[Action]) -> Result<Vec<Action>, String> {
    aimed_at(&infrastructure(), actions, Split::all(Color::Blue), None)
}

const TEN_MINUTES: Option<Duration> = Some(Duration::from_secs(600));

fn sticky(mut action: Action, lasting: Option<Duration>) -> Action {
    if let Some(config) = action.forward_config.as_mut() {
        config.target_group_stickiness_config = Some(sticking(lasting));
    }
    action
}

#[test]
fn a_forward_is_aimed_at_another_group_in_the_form_that_it_has() {
    for (before, after) in [
        (fixed(PLACEHOLDER.0, Some(PLACEHOLDER.1)), simple("tg/blue")),
        (simple("tg/green"), simple("tg/blue")),
        (both("tg/green"), both("tg/blue")),
        (both("tg/blue"), both("tg/blue")),
        // As a person has set it.
        (
            sticky(both("tg/green"), TEN_MINUTES),
            sticky(both("tg/blue"), TEN_MINUTES),
        ),
        (
            weighted(&[("tg/blue", Some(0)), ("tg/green", Some(100))]),
            {
                let mut alone = weighted(&[("tg/blue", Some(100))]);
                alone.target_group_arn = Some("tg/blue".to_owned());
                alone
            },
        ),
        // Groups of others stay, without a share.
        (
            weighted(&[("tg/theirs", Some(0)), ("tg/green", Some(7))]),
            weighted(&[("tg/blue", Some(7)), ("tg/theirs", Some(0))]),
        ),
    ] {
        assert_eq!(
            aimed(std::slice::from_ref(&before)),
            Ok(vec![after]),
            "{before:?}"
        );
    }
}

#[test]
fn what_is_done_ahead_of_the_forward_is_sent_back() {
    let cognito = of("authenticate-cognito");
    let sent = aimed(&[sign_in(), cognito.clone(), both("tg/green")]).unwrap();
    let mut known = sign_in();
    let config = known.authenticate_oidc_config.as_mut().unwrap();
    config.use_existing_client_secret = Some(true);
    let forward = both("tg/blue");
    assert_eq!(sent, [known, cognito, forward]);
    assert_eq!(
        aimed(&[of("a-kind-of-2030"), both("tg/green")]).unwrap_err(),
        "does a-kind-of-2030 before it, which this bgecs does not know and would remove"
    );
}

#[test]
fn a_split_is_told_by_weights_and_read_back_as_it_is() {
    let infra = infrastructure();
    let split = |blue, green| Split::by_weight(PerColor { blue, green }).unwrap();
    let stranger = weighted(&[("tg/green", Some(1)), ("tg/theirs", Some(0))]);
    for before in [simple("tg/green"), both("tg/green"), stranger.clone()] {
        for stickiness in [None, TEN_MINUTES] {
            let aimed = |at: &[Action], to| aimed_at(&infra, at, to, stickiness);
            for (blue, green) in [(1, 9), (1, 1), (999, 1), (1, 2)] {
                let to = split(blue, green);
                let sent = aimed(std::slice::from_ref(&before), to).unwrap();
                assert_eq!(meant(&sent), Found::Split(to));
                let config = sent[0].forward_config().unwrap();
                let weights = config.target_groups()[..2]
                    .iter()
                    .map(TargetGroupTuple::weight);
                assert_eq!(
                    Vec::from_iter(weights),
                    [blue, green].map(|it| i32::try_from(it).ok())
                );
                // Nobody is left on the old colour, not even by a cookie.
                let is_sticky = |sent: &[Action], lasting: Option<Duration>| match stickiness {
                    None => true,
                    Some(_) => sent == [sticky(sent[0].clone(), lasting)],
                };
                assert!(is_sticky(&sent, stickiness));
                // And whole again, with the other's group where it was.
                let whole = aimed(&sent, Split::all(Color::Blue)).unwrap();
                assert_eq!(meant(&whole), Color::Blue.into());
                assert_eq!(whole[0].target_group_arn.is_some(), before != stranger);
                assert!(is_sticky(&whole, None));
            }
            let refused = aimed(std::slice::from_ref(&before), split(1, 1999)).unwrap_err();
            assert_eq!(refused, "cannot be split into 0.05% blue, 99.95% green");
        }
    }
}

#[test]
fn a_group_that_is_alone_again_weighs_what_it_did_ahead_of_a_shift() {
    let infra = infrastructure();
    let aimed = |at: &[Action], to| aimed_at(&infra, at, to, None).unwrap();
    let split = |blue, green| Split::by_weight(PerColor { blue, green }).unwrap();
    for (weight, kept) in [(1, 1), (100, 100), (300, 1)] {
        let before = vec![weighted(&[("tg/blue", Some(weight))])];
        let stages = [split(7, 3), split(1, 1), split(3, 7)];
        let mut now = before.clone();
        for to in stages {
            now = aimed(&now, to);
            assert_eq!(meant(&now), Found::Split(to));
        }
        for color in [Color::Green, Color::Blue] {
            now = aimed(&now, Split::all(color));
            let config = now[0].forward_config().unwrap();
            assert_eq!(config.target_groups()[0].weight(), Some(kept), "{weight}");
        }
    }
}

/// A group that no default action names is still attached to the load balancer and
/// health-checked.
#[test]
fn the_template_names_both_groups_whatever_the_default_actions_do() {
    for color in ["Blue", "Green"] {
        let (_, rule) = TEMPLATE.split_once(&format!("Test{color}Rule:\n")).unwrap();
        let forward = format!("Type: forward\n          TargetGroupArn: !Ref {color}TargetGroup\n");
        let (before, _) = rule.split_once(&forward).unwrap();
        assert!(!before.contains("\n\n"), "another resource's: {before}");
    }
}
