use super::*;
use crate::balancer::config::{Forward, HealthCheck, Matcher, WeightedGroup};

fn group(name: &str) -> Group {
    Group {
        arn: Arn::new(name),
        port: 80,
        health_check: HealthCheck {
            enabled: true,
            path: "/".into(),
            port: None,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: Matcher::parse("200").unwrap(),
        },
    }
}

fn load_balancer(name: &str) -> LoadBalancer {
    LoadBalancer {
        arn: Arn::new(name),
        name: name.into(),
        dns: format!("{name}.elb"),
    }
}

fn to(group: &str) -> Vec<Action> {
    vec![Action::Forward(Forward::to(Arn::new(group)))]
}

fn listener(arn: &str, port: u16, actions: Vec<Action>) -> Listener {
    Listener {
        arn: Arn::new(arn),
        port,
        tls: None,
        rules: Vec::new(),
        default_actions: actions,
    }
}

fn known() -> Known {
    let mut known = Known::default();
    known.set_load_balancers(vec![load_balancer("lb")]);
    known.set_groups(vec![group("blue"), group("green"), group("idle")]);
    let mut prod = listener("prod", 80, to("blue"));
    prod.rules.push(Rule {
        arn: Arn::new("rule"),
        priority: 1,
        conditions: Vec::new(),
        actions: to("green"),
    });
    known.set_listeners(&Arn::new("lb"), vec![prod]);
    known
}

fn only_config(known: &Known) -> Config {
    let [(_, config)] = known.configs().try_into().unwrap();
    config
}

#[test]
fn a_load_balancer_is_told_of_the_groups_that_its_listeners_and_rules_name() {
    let known = known();
    let config = only_config(&known);
    let named: Vec<&str> = config
        .target_groups
        .iter()
        .map(|group| group.arn.as_str())
        .collect();
    assert_eq!(named, ["blue", "green"]);
    let attached = ["blue", "green", "idle"].map(|group| known.is_attached(&Arn::new(group)));
    assert_eq!(attached, [true, true, false]);
    assert!(!known.names_unread_group());
}

#[test]
fn a_group_of_weight_0_is_attached() {
    let mut known = known();
    let weighted = |name: &str, weight| WeightedGroup {
        arn: Arn::new(name),
        weight,
    };
    let split = vec![Action::Forward(Forward {
        groups: vec![weighted("blue", 1), weighted("idle", 0)],
        stickiness: None,
    })];
    known
        .overlay
        .keep(Arn::new("prod"), split.clone(), to("blue"));
    assert!(known.is_attached(&Arn::new("idle")));
    assert_eq!(only_config(&known).listeners[0].default_actions, split);
    assert_eq!(known.said(&Arn::new("prod")), Some(to("blue").as_slice()));
}

#[test]
fn anothers_change_of_a_listener_shows_and_ends_what_was_kept() {
    let mut known = known();
    known.overlay.keep(Arn::new("prod"), to("idle"), to("blue"));
    let now = |actions| vec![listener("prod", 80, actions)];
    known.set_listeners(&Arn::new("lb"), now(to("green")));
    assert_eq!(
        only_config(&known).listeners[0].default_actions,
        to("green")
    );
    known.set_listeners(&Arn::new("lb"), now(to("blue")));
    assert_eq!(only_config(&known).listeners[0].default_actions, to("blue"));
}

#[test]
fn attributes_are_obeyed_and_have_awss_defaults() {
    let mut known = known();
    let set = |pairs: &[(&str, &str)]| -> Attributes {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let blue = |known: &Known| only_config(known).target_groups[0].clone();
    assert_eq!(blue(&known).deregistration_delay, Duration::from_secs(300));
    assert_eq!(only_config(&known).idle_timeout, Duration::from_secs(60));
    assert_eq!(known.without_attributes().len(), 4);

    let on = ("stickiness.enabled", "true");
    let delay = ("deregistration_delay.timeout_seconds", "7");
    known.set_attributes(&Arn::new("blue"), set(&[on, delay]));
    known.set_attributes(
        &Arn::new("lb"),
        set(&[("idle_timeout.timeout_seconds", "4")]),
    );
    assert_eq!(blue(&known).deregistration_delay, Duration::from_secs(7));
    assert_eq!(blue(&known).stickiness, Some(Duration::from_secs(86_400)));
    assert_eq!(only_config(&known).idle_timeout, Duration::from_secs(4));
    assert_eq!(known.without_attributes().len(), 2);

    let by = |kind| ("stickiness.type", kind);
    known.set_attributes(&Arn::new("blue"), set(&[on, by("app_cookie")]));
    assert_eq!(blue(&known).stickiness, None);
    let lasting = ("stickiness.lb_cookie.duration_seconds", "9");
    known.set_attributes(&Arn::new("blue"), set(&[on, by("lb_cookie"), lasting]));
    assert_eq!(blue(&known).stickiness, Some(Duration::from_secs(9)));
}

#[test]
fn what_is_gone_is_forgotten() {
    let mut known = known();
    known.set_registered(&Arn::new("blue"), Registered::default());
    known
        .overlay
        .keep(Arn::new("rule"), to("idle"), to("green"));
    known.set_groups(vec![group("green")]);
    assert!(known.registered(&Arn::new("blue")).is_none());
    assert!(known.names_unread_group());
    known.set_load_balancers(Vec::new());
    assert!(!known.is_attached(&Arn::new("green")));
    known.set_load_balancers(vec![load_balancer("lb")]);
    let mut back = listener("prod", 80, to("green"));
    back.rules.push(Rule {
        arn: Arn::new("rule"),
        priority: 1,
        conditions: Vec::new(),
        actions: to("green"),
    });
    known.set_listeners(&Arn::new("lb"), vec![back]);
    assert_eq!(
        only_config(&known).listeners[0].rules[0].actions,
        to("green")
    );
}
