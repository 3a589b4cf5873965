//! Worlds for tests to start from.

use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;

use super::journal::{Command, Head, Holder, Lease, Operation, OperationId, Truth, Who};
use super::{
    Attachment, Color, ColorServices, ColorState, Deployed, Deployment, EcsInfrastructure,
    Endpoint, Foreign, Found, FurtherWay, HostedRelease, ListenerArn, Move, NamedRepository,
    Network, Observed, OtherWays, Patience, PerColor, PerRoute, Place, Places, Release, Revision,
    Rollout, Route, RuleArn, ServiceDefinition, ServiceSettings, ServiceState, Split, Target,
    TargetGroupArn, TargetState, Targets, TaskRoles, TestPlace, TestWay, UsersRule, WayIn,
};

pub fn infrastructure() -> EcsInfrastructure {
    EcsInfrastructure {
        services: ColorServices::alone_in("bgecs-hello"),
        repository: "bgecs-hello".to_owned(),
        repository_uri: "1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello".to_owned(),
        load_balancer: "balancer/app".to_owned(),
        load_balancer_dns_name: "lb.example".to_owned(),
        places: Places {
            production: Place::Listener(ListenerArn::new("listener/prod")),
            test: TestPlace::At(Place::Listener(ListenerArn::new("listener/test"))),
        },
        endpoints: PORTS,
        further_ways: Vec::new(),
        redirect: None,
        target_groups: PerColor {
            blue: TargetGroupArn::new("tg/blue"),
            green: TargetGroupArn::new("tg/green"),
        },
        further_groups: Vec::new(),
        settings: ServiceSettings::Made(Network {
            subnets: vec!["subnet-1".to_owned(), "subnet-2".to_owned()],
            security_groups: vec!["sg-1".to_owned()],
            public_ip: true,
        }),
        roles: TaskRoles {
            execution: Some("role/execution".to_owned()),
            task: Some("role/task".to_owned()),
        },
        log_group: "/bgecs/hello".to_owned(),
        journal_table: "bgecs-hello".to_owned(),
    }
}

/// The same with production at a rule, and a test route by header.
pub fn by_rules() -> EcsInfrastructure {
    EcsInfrastructure {
        places: Places {
            production: Place::Rule(RuleArn::new("rule/prod")),
            test: TestPlace::ByHeader(PerColor {
                blue: RuleArn::new("rule/blue"),
                green: RuleArn::new("rule/green"),
            }),
        },
        endpoints: PerRoute {
            test: Endpoint::Header,
            ..PORTS
        },
        ..infrastructure()
    }
}

/// The same by rules, with a further way at an internal load balancer, where each
/// colour has a group of its own.
pub fn by_several_ways() -> EcsInfrastructure {
    EcsInfrastructure {
        endpoints: PerRoute {
            production: Endpoint::Several(vec![
                "https://shop.example.com".to_owned(),
                "https://shop.internal".to_owned(),
            ]),
            test: Endpoint::Header,
        },
        further_ways: vec![FurtherWay {
            place: Place::Listener(ListenerArn::new("listener/internal")),
            load_balancer: "balancer/internal".to_owned(),
            load_balancer_dns_name: "internal.example".to_owned(),
            url: "https://shop.internal".to_owned(),
            probe_path: None,
            header_rules: PerColor {
                blue: RuleArn::new("rule/internal-blue"),
                green: RuleArn::new("rule/internal-green"),
            },
        }],
        further_groups: vec![PerColor {
            blue: TargetGroupArn::new("tg/internal-blue"),
            green: TargetGroupArn::new("tg/internal-green"),
        }],
        ..by_rules()
    }
}

/// Green beside a service `web` that ran before, at a rule of a shared load balancer.
pub fn attachment() -> Attachment {
    let settings =
        json!({ "VpcId": "vpc-1", "TargetType": "ip", "Protocol": "HTTP", "Port": 8080 });
    Attachment {
        app: "web".parse().unwrap(),
        services: ColorServices::new(
            "prod",
            PerColor {
                blue: "web".to_owned(),
                green: "bgecs-web-green".to_owned(),
            },
        ),
        original: Color::Blue,
        target_group: TargetGroupArn::new("tg/web"),
        group_settings: settings.as_object().unwrap().clone(),
        further_groups: Vec::new(),
        further_ways: Vec::new(),
        load_balancer: "loadbalancer/app/shared/1".to_owned(),
        load_balancer_dns_name: "shared.example".to_owned(),
        listener: ListenerArn::new("listener/443"),
        rule: Some(UsersRule {
            arn: "rule/10".to_owned(),
            conditions: vec![json!({
                "Field": "host-header",
                "HostHeaderConfig": { "Values": ["shop.example.com"] },
            })],
        }),
        priorities: PerColor { blue: 8, green: 9 },
        test: TestWay::Header,
        test_color: Color::Green,
        url: "https://shop.example.com".to_owned(),
        written: [("Test", "header x-bgecs-color".to_owned())].into(),
        repository: Some(NamedRepository {
            name: "web".to_owned(),
            uri: "1.dkr.ecr.eu-west-1.amazonaws.com/web".to_owned(),
        }),
        log_group: Some("/ecs/web".to_owned()),
    }
}

pub fn to(color: Color) -> Found {
    color.into()
}

/// Those of the listeners.
pub const PORTS: PerRoute<Endpoint> = PerRoute::PORTS;

/// Those of a router that goes by host names.
pub fn hosts() -> PerRoute<Endpoint> {
    PerRoute {
        production: Endpoint::Named("https://shop.example.com".to_owned()),
        test: Endpoint::Named("https://next.example.com".to_owned()),
    }
}

/// Such a text names no port of the listeners.
pub fn assert_names_hosts(text: &str) {
    let of_a_port = ["port 80", "port 81"]
        .iter()
        .any(|port| text.contains(port));
    assert!(text.contains(".example.com") && !of_a_port, "{text}");
}

/// That of a load balancer's listener.
pub fn patience() -> Patience {
    let ms = Duration::from_millis;
    Patience {
        confirm: ms(10_000),
        visible: ms(2000),
        spread: Duration::ZERO,
        resend: ms(2000),
        stale: ms(2000),
        stale_pause: ms(500),
        unreadable: ms(30_000),
        pause: ms(200),
        late: ms(2000),
        gap: Duration::ZERO,
    }
}

/// One whole route; from where, nobody says.
pub fn move_to(route: Route, color: Color) -> Move {
    Move {
        route,
        from: None,
        to: Split::all(color),
    }
}

/// As bgecs runs both colours.
pub const NOT_HOSTED: PerColor<Option<HostedRelease>> = PerColor {
    blue: None,
    green: None,
};

/// From 10.0.0.1 on.
pub fn targets(states: &[TargetState]) -> Targets {
    let target = |(n, state): (usize, &TargetState)| Target {
        id: format!("10.0.0.{}", n + 1),
        state: *state,
        reason: None,
        description: None,
    };
    Targets(states.iter().enumerate().map(target).collect())
}

pub fn nowhere() -> Found {
    Found::default()
}

/// Half of the requests for each colour.
pub fn to_both() -> Found {
    Found::Split(Split::by_weight(PerColor { blue: 1, green: 1 }).unwrap())
}

pub fn redirect() -> Found {
    Found::Foreign(Foreign {
        verb: "answers with",
        what: "a redirect to https://…:443".to_owned(),
        reaches: PerColor::default(),
    })
}

/// A target group that is not one of the app's two, with half of the requests
/// where that colour has the other half.
pub fn to_a_stranger(beside: Option<Color>) -> Found {
    let stranger = "a stranger's target group tg/someone-else-s";
    Found::Foreign(Foreign {
        verb: "forwards to",
        what: match beside {
            None => stranger.to_owned(),
            Some(color) => format!("{color} (1 of 2), {stranger} (1 of 2)"),
        },
        reaches: PerColor {
            blue: beside == Some(Color::Blue),
            green: beside == Some(Color::Green),
        },
    })
}

/// Another listener that forwards to that colour.
pub fn port_8080(color: Color) -> WayIn {
    WayIn {
        arn: "listener/8080".to_owned(),
        listener: "port 8080 (HTTP)".to_owned(),
        rule: None,
        found: to(color),
    }
}

/// A rule of port 80 that forwards to that colour.
pub fn api_rule(color: Color) -> WayIn {
    WayIn {
        arn: "rule/api".to_owned(),
        listener: "port 80 (HTTP)".to_owned(),
        rule: Some("rule 10 (path /api/*)".to_owned()),
        found: to(color),
    }
}

/// A service that has rolled out to `desired` tasks.
pub fn service(desired: i32) -> ServiceState {
    let task_definition = Revision::new("task-definition/bgecs-hello:1");
    ServiceState {
        is_draining: false,
        definition: ServiceDefinition::default(),
        task_definition: task_definition.clone(),
        desired,
        running: desired,
        pending: 0,
        deployments: vec![Deployment {
            id: "d1".to_owned(),
            is_primary: true,
            task_definition,
            rollout: Some(Rollout::Completed),
            rollout_reason: None,
            desired,
            running: desired,
            pending: 0,
            failed_tasks: 0,
            created_at: None,
        }],
        events: Vec::new(),
    }
}

/// A release of which nothing is known but its tag.
pub fn release(tag: &str) -> Release {
    Release {
        tag: tag.parse().ok(),
        ..Release::default()
    }
}

/// Green live, blue on the test port, no service yet.
pub fn observed() -> Observed {
    Observed {
        infrastructure: infrastructure().into(),
        traffic: PerRoute {
            production: to(Color::Green),
            test: to(Color::Blue),
        },
        other_ways: OtherWays::default(),
        colors: PerColor {
            blue: ColorState::default(),
            green: ColorState::default(),
        },
        journal: Head::default(),
    }
}

/// Green live, and a test route by header.
pub fn observed_by_header() -> Observed {
    let mut observed = observed();
    observed.infrastructure = by_rules().into();
    observed.traffic.test = Found::ByRequest;
    observed
}

/// What the journal says of a world whose last operation left it as it is.
pub fn with_previous(mut observed: Observed, previous: Option<Color>) -> Observed {
    let found = observed.traffic.map(Found::only);
    observed.journal.truth = Some(Truth {
        production: observed
            .live_release()
            .or(found.production.map(Deployed::somewhere_on)),
        test: found.test,
        previous: previous.map(|color| {
            let release = observed.deployed(color);
            release
                .unwrap_or_else(|| Deployed::somewhere_on(color))
                .into()
        }),
        hosted: NOT_HOSTED,
    });
    observed
}

/// When everything in these worlds happens: 2023-11-14 22:13:20 UTC.
pub fn moment() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
}

/// Ann, who promotes on her laptop.
pub fn holder() -> Holder {
    Holder {
        id: OperationId::named("20231114T221320Z-0000002a"),
        who: Who {
            name: "ann@laptop".to_owned(),
            host: "laptop".to_owned(),
            pid: 42,
            url: None,
            process: None,
        },
        command: Command::Promote,
        since: moment(),
    }
}

/// Hers, for another minute.
pub fn lease() -> Lease {
    Lease {
        holder: holder(),
        until: moment() + time::Duration::MINUTE,
    }
}

/// Her promotion of blue, of which nothing is done.
pub fn operation() -> Operation {
    let mut operation = Operation::of(&holder());
    operation.from = Some(Deployed::somewhere_on(Color::Green));
    operation.color = Some(Color::Blue);
    operation.tag = "2".parse().ok();
    operation
}
