use std::path::Path;

use super::testing::{globs, group, listener, listener_arn, rule, rule_arn, target, web};
use super::*;
use crate::config::{Config, DefinitionSource, ListenerKeys, RuleKey};
use crate::engine::task_definition::TaskFile;
use crate::model::{
    Capacity, CapacityShare, ListenerArn, Protocol, ScalableTarget, ScalingPolicy, Suspended,
    UserMover,
};

fn imported(read: ReadService, wish: &ImportWish) -> Import {
    import(read, Ok(None), wish).unwrap_or_else(|it| panic!("{}\n{:?}", it.message, it.hint))
}

fn refusal(read: ReadService, wish: &ImportWish) -> String {
    let Err(it) = import(read, Ok(None), wish) else {
        panic!("it is not refused");
    };
    format!("{}\n{}", it.message, it.hint.unwrap_or_default())
}

/// Both files are read as other commands read them.
fn read_back(import: &Import) -> Config {
    let path = Path::new("/srv/web/bgecs.toml");
    let text = import.config("task-definition.json");
    let config = Config::parse(&text, path).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let DefinitionSource::File(own) = &config.container.definition else {
        panic!("{text}");
    };
    let json = format!("{:#}", import.task_definition);
    let file = TaskFile::parse(&json, &config.container.name, own, &|_| None).unwrap();
    assert_eq!(file.port(), import.port);
    config
}

#[test]
fn what_runs_becomes_a_file_that_says_where_each_value_was_found() {
    let import = imported(web(), &ImportWish::default());
    insta::assert_snapshot!(import.config("task-definition.json"), @r#"
    # Written by `bgecs import` from the service web of the cluster prod, which ran web:42.
    # Look it over; then `bgecs attach --dry-run` says what would be made.
    app = "web"                              # names what bgecs makes, such as the stack bgecs-web

    [aws]
    account = "123456789012"                 # any other is refused
    region = "eu-central-1"

    [service]
    cluster = "prod"                         # where it runs
    desired_count = 3                        # as many tasks as web has now

    [colors.blue]
    service = "web"                          # runs already; green will be a copy of it:
    # - subnets subnet-a, subnet-b
    # - security groups sg-1, no public IP
    # - launch type FARGATE, platform version LATEST
    # - ECS Exec on
    # - from 100 to 200 % of its tasks during a deployment, circuit breaker on
    # - 90 s for a new task to become healthy
    # Nothing scales it.

    [container]
    task_definition = "task-definition.json" # web:42, without its image
    container = "app"                        # gets the released image
    # it ran 123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:1.4
    app_containers = ["migrate"]             # ran the same image
    port = 8080                              # to which the load balancer sends requests
    health_path = "/up"                      # of the target group web-tg (HTTP, vpc-1)

    [production]
    # shared: port 443 (HTTPS), rule 10 (host shop.example.com)
    listener = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/50dc/443"
    rule = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/443/10"
    url = "https://shop.example.com"         # what users type

    [test]
    header = "x-bgecs-color"                 # two rules of bgecs's own, one for each colour
    # or port = 8443: a listener of bgecs's own; or host = "next.…": a name for testers
    "#);
    insta::assert_snapshot!(format!("{:#}", import.task_definition), @r#"
    {
      "containerDefinitions": [
        {
          "name": "app",
          "essential": true,
          "portMappings": [
            {
              "containerPort": 8080,
              "hostPort": 8080,
              "protocol": "tcp"
            }
          ],
          "environment": [
            {
              "name": "LEVEL",
              "value": "info"
            }
          ],
          "secrets": [
            {
              "name": "DB",
              "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/db"
            }
          ],
          "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
              "awslogs-group": "/shop/web",
              "awslogs-region": "eu-central-1",
              "awslogs-stream-prefix": "web"
            }
          }
        },
        {
          "name": "migrate",
          "essential": false
        },
        {
          "name": "proxy",
          "image": "envoyproxy/envoy:v1.31.0",
          "essential": true
        }
      ],
      "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
      "taskRoleArn": "arn:aws:iam::123456789012:role/web",
      "networkMode": "awsvpc",
      "requiresCompatibilities": [
        "FARGATE"
      ],
      "cpu": "256",
      "memory": "512"
    }
    "#);
    assert_eq!(import.warnings.len(), 1, "{:?}", import.warnings);
    let config = read_back(&import);
    let attached = config.attached.unwrap();
    assert_eq!((attached.color, &*attached.service), (Color::Blue, "web"));
    assert_eq!(attached.cluster, "prod");
    assert_eq!(attached.rule, RuleKey::Arn(rule_arn(443, "10")));
    assert_eq!(attached.url, "https://shop.example.com");
    assert_eq!(config.service.desired_count, 3);
    assert_eq!(config.container.health_path, "/up");
    assert_eq!(config.place.account.unwrap().as_str(), "123456789012");
}

#[test]
fn what_will_be_made_and_what_others_must_leave_alone_is_said() {
    let import = imported(web(), &ImportWish::default());
    let plan = import.plan();
    let after = [
        plan.deploy,
        plan.promote,
        plan.running_service,
        plan.untouched,
    ];
    insta::assert_snapshot!([plan.creates, after.to_vec()].concat().join("\n"), @"
    the target group bgecs-web-green, like web-tg
    2 rules for testers, one for each colour: requests with the header x-bgecs-color
    the DynamoDB table bgecs-web: the journal and the lease
    the service bgecs-web-green in the cluster prod, a copy of web
    what production's rule forwards to
    the task definition of web and how many tasks it has, and nothing else of it
    the cluster prod, its network, its roles and its other services, what scales web, and every other rule and listener
    ");
    insta::assert_snapshot!(import.drift().lines().join("\n"), @"
    under Terraform these keep `apply` from taking a release back:
      aws_ecs_service  lifecycle { ignore_changes = [task_definition, desired_count] }  # web
      aws_lb_listener_rule  lifecycle { ignore_changes = [action] }  # shared: port 443 (HTTPS), rule 10 (host shop.example.com)
    under CloudFormation a release shows as drift in these properties, and a stack update that changes one of them takes it back:
      AWS::ECS::Service  TaskDefinition, DesiredCount  # web
      AWS::ElasticLoadBalancingV2::ListenerRule  Actions  # shared: port 443 (HTTPS), rule 10 (host shop.example.com)
    ");

    // By a stack, on a default action, and without a log group.
    let mut read = web();
    read.settings.stack = Some("shop".to_owned());
    read.balancers[0].listeners = vec![listener(
        80,
        Protocol::Http,
        vec![rule(80, "default", vec![], &[("web-tg", 1)])],
    )];
    read.definition["containerDefinitions"][0]["logConfiguration"] = Value::Null;
    read.definition["containerDefinitions"][0]["image"] = "ghcr.io/acme/web:1".into();
    let import = imported(read, &ImportWish::default());
    insta::assert_snapshot!(import.drift().lines().join("\n"), @"
    CloudFormation's stack shop made it; a release shows as drift in these properties, and a stack update that changes one of them takes it back:
      AWS::ECS::Service  TaskDefinition, DesiredCount  # web
      AWS::ElasticLoadBalancingV2::Listener  DefaultActions  # shared: port 80 (HTTP), default action
    ");
    assert_eq!(
        import.plan().creates[3..],
        ["the ECR repository bgecs-web", "the log group /bgecs/web"]
    );
    let attached = read_back(&import).attached.unwrap();
    assert_eq!(attached.rule, RuleKey::DefaultAction);
    let arn = ListenerArn::new(listener_arn(80));
    assert_eq!(attached.listener, ListenerKeys::Arn(arn));
    assert_eq!(attached.url, "http://shared.elb.example");
}

#[test]
fn what_bgecs_cannot_take_over_is_told_with_the_way_there() {
    type Change = fn(&mut ReadService);
    let cases: [Change; 11] = [
        |it| it.settings.is_draining = true,
        |it| it.settings.mover = UserMover::CodeDeploy,
        |it| it.settings.mover = UserMover::External,
        |it| it.settings.mover = UserMover::Ecs("BLUE_GREEN".to_owned()),
        |it| it.settings.definition.compute.capacity = Capacity::LaunchType("EC2".to_owned()),
        |it| {
            it.settings.definition.compute.capacity = Capacity::Providers(vec![CapacityShare {
                provider: "own".to_owned(),
                weight: 0,
                base: 0,
            }]);
        },
        |it| it.settings.definition.load_balancers.clear(),
        |it| it.service.classic = vec!["old".to_owned()],
        |it| it.settings.definition.load_balancers = ["web-tg", "internal"].map(target).to_vec(),
        |it| it.balancers[0].is_application = false,
        |it| it.balancers.clear(),
    ];
    let said = cases.map(|change| {
        let mut read = web();
        change(&mut read);
        refusal(read, &ImportWish::default())
    });
    insta::assert_snapshot!(said.join("\n\n"), @"
    the service web is being deleted
    name one that stays with --service

    the service web is released by CodeDeploy, which moves its users itself
    give its users a service with ECS's own controller first, and import that: docs/from-codedeploy.md in bgecs's repository goes through it; `bgecs watch` works with this one as it is

    the service web is released by another tool, by task sets (its deployment controller is EXTERNAL)
    a service with ECS's own controller can take its users over, behind a target group of its own: import that one; `bgecs watch` works with this one as it is

    ECS moves the users of the service web itself, by its strategy BLUE_GREEN, and only one can
    `aws ecs update-service --cluster prod --service web --deployment-configuration strategy=ROLLING` leaves that to bgecs; then import it

    the service web has the launch type EC2, and bgecs releases to Fargate alone
    a service on Fargate can take its users over, behind a target group of its own: import that one

    the service web has the capacity provider own, and bgecs releases to Fargate alone
    a service on Fargate can take its users over, behind a target group of its own: import that one

    the service web is behind no load balancer
    users are moved by an Application Load Balancer before it: make a service behind a target group of one, and import that

    the service web is behind the Classic Load Balancer old, which sends users to one place alone
    users are moved by an Application Load Balancer before it: make a service behind a target group of one, and import that

    the target group arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/internal/1 of the service web is gone
    users are moved by an Application Load Balancer before it: make a service behind a target group of one, and import that

    the service web is behind shared, which is not an Application Load Balancer
    users are moved by an Application Load Balancer before it: make a service behind a target group of one, and import that

    no load balancer uses the target group web-tg of the service web
    users are moved by an Application Load Balancer before it: make a service behind a target group of one, and import that
    ");
}

#[test]
fn what_leads_nowhere_or_elsewhere_too_is_not_taken_over() {
    let mut nowhere = web();
    nowhere.balancers[0].listeners[0].rules.remove(0);
    let mut shared = web();
    shared.balancers[0].listeners[0].rules[0].forwards =
        vec![(group("web-tg"), 90), (group("other"), 10)];
    let said = [nowhere, shared].map(|read| refusal(read, &ImportWish::default()));
    insta::assert_snapshot!(said.join("\n\n"), @"
    no listener or rule of shared leads to the service web
    a rule that gives it its users is what bgecs moves: make it first

    shared: port 443 (HTTPS), rule 10 (host shop.example.com) gives 90 of 100 requests to the service web, and the rest elsewhere
    give web all of them first, or name another way with --production
    ");
}

/// With a second way by port 80.
fn two_ways() -> ReadService {
    let mut read = web();
    let api = RuleCondition::Path(globs(&["/api/*"]));
    // As bgecs makes it for tests: nobody's way.
    let tests = RuleCondition::Header("X-Bgecs-Color".to_owned(), globs(&["blue"]));
    let rules = vec![
        rule(80, "1", vec![tests], &[("web-tg", 1)]),
        rule(80, "5", vec![api], &[("web-tg", 1)]),
        rule(80, "default", vec![], &[("web-tg", 1)]),
    ];
    read.balancers[0]
        .listeners
        .push(listener(80, Protocol::Http, rules));
    read
}

#[test]
fn which_of_several_ways_is_production_is_asked_and_not_guessed() {
    let by = |arn: String| ImportWish {
        production: vec![arn],
        ..ImportWish::default()
    };
    insta::assert_snapshot!(refusal(two_ways(), &ImportWish::default()), @"
    3 ways lead to the service web, and only you know who comes there
    name each whose users get what is promoted, the one that production is called by first:
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/443/10  (shared: port 443 (HTTPS), rule 10 (host shop.example.com))
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/80/5  (shared: port 80 (HTTP), rule 5 (path /api/*))
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/50dc/80  (shared: port 80 (HTTP), default action)
    ");
    insta::assert_snapshot!(refusal(two_ways(), &by(rule_arn(443, "default"))), @"
    arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/443/default does not lead to the service web
    what does:
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/443/10  (shared: port 443 (HTTPS), rule 10 (host shop.example.com))
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/80/5  (shared: port 80 (HTTP), rule 5 (path /api/*))
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/50dc/80  (shared: port 80 (HTTP), default action)
    ");
    for (arn, url, path, rule) in [
        (
            rule_arn(443, "10"),
            "https://shop.example.com",
            "/",
            Some(rule_arn(443, "10")),
        ),
        (
            rule_arn(80, "5"),
            "http://shared.elb.example",
            "/api/",
            Some(rule_arn(80, "5")),
        ),
        (listener_arn(80), "http://shared.elb.example", "/", None),
        (
            rule_arn(80, "default"),
            "http://shared.elb.example",
            "/",
            None,
        ),
    ] {
        let import = imported(two_ways(), &by(arn.clone()));
        let [production] = import.production.as_slice() else {
            panic!("{:?}", import.production);
        };
        assert_eq!((&*production.url, &*production.path), (url, path), "{arn}");
        assert_eq!(production.rule, rule, "{arn}");
        let others = import
            .warnings
            .iter()
            .filter(|it| it.contains("leads to web too"));
        assert_eq!(others.count(), 2, "{:?}", import.warnings);
        assert_eq!(read_back(&import).probe.path, path);
    }
}

/// Public and internal, each with a group of its own, as no other tool but ECS has
/// it.
fn public_and_internal() -> ReadService {
    let mut read = two_ways();
    let internal = TargetGroupSettings {
        arn: group("internal-tg"),
        name: "internal-tg".to_owned(),
        balancers: vec!["lb/internal".to_owned()],
        ..read.groups[0].clone()
    };
    read.groups.push(internal);
    let mut listener = listener(
        8080,
        Protocol::Http,
        vec![rule(8080, "default", vec![], &[("internal-tg", 1)])],
    );
    listener.arn = listener.arn.replace("shared", "internal");
    read.balancers.push(Balancer {
        arn: "lb/internal".to_owned(),
        name: "internal".to_owned(),
        dns_name: "internal.elb.example".to_owned(),
        is_internal: true,
        listeners: vec![listener],
        ..read.balancers[0].clone()
    });
    read.service.groups.push(group("internal-tg"));
    let targets = ["web-tg", "internal-tg"].map(target);
    read.settings.definition.load_balancers = targets.to_vec();
    read
}

#[test]
fn all_ways_that_are_named_are_moved_together() {
    let internal = listener_arn(8080).replace("shared", "internal");
    let by = |arns: &[&String]| ImportWish {
        production: arns.iter().map(|arn| (*arn).clone()).collect(),
        ..ImportWish::default()
    };
    let (public, api) = (rule_arn(443, "10"), rule_arn(80, "5"));
    // Whose users come by a group that none of them leads to would stay behind.
    insta::assert_snapshot!(refusal(public_and_internal(), &by(&[&public, &api])), @"
    none of the ways that are named leads to internal-tg, one of the 2 target groups of the service web: its users would stay on what runs now
    name every way whose users are to be moved:
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/443/10  (shared: port 443 (HTTPS), rule 10 (host shop.example.com))
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/80/5  (shared: port 80 (HTTP), rule 5 (path /api/*))
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/50dc/80  (shared: port 80 (HTTP), default action)
    --production arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/internal/50dc/8080  (internal: port 8080 (HTTP), default action)
    ");
    let twice = refusal(public_and_internal(), &by(&[&public, &public]));
    assert!(twice.contains("twice"), "{twice}");

    let import = imported(public_and_internal(), &by(&[&public, &api, &internal]));
    let text = import.config("task-definition.json");
    let production = text.find("[[production]]").unwrap();
    insta::assert_snapshot!(text[production..], @r#"
    [[production]]
    # shared: port 443 (HTTPS), rule 10 (host shop.example.com)
    listener = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/50dc/443"
    rule = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/443/10"
    url = "https://shop.example.com"         # what users type

    [[production]]
    # shared: port 80 (HTTP), rule 5 (path /api/*)
    listener = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/50dc/80"
    rule = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/80/5"
    url = "http://shared.elb.example"        # what users type
    path = "/api/"                           # what is requested there during a promotion

    [[production]]
    # internal: port 8080 (HTTP), default action
    listener = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/internal/50dc/8080"
    url = "http://internal.elb.example:8080" # what users type
    path = "/"                               # what is requested there during a promotion

    [test]
    header = "x-bgecs-color"                 # two rules of bgecs's own, one for each colour
    # or port = 8443: a listener of bgecs's own; or host = "next.…": a name for testers
    "#);
    let plan = import.plan();
    insta::assert_snapshot!([plan.creates, vec![plan.promote]].concat().join("\n"), @"
    the target group bgecs-web-green, like web-tg
    the target group bgecs-web-g2, like internal-tg
    6 rules for testers, one for each colour at each way in: requests with the header x-bgecs-color
    the DynamoDB table bgecs-web: the journal and the lease
    what shared: port 443 (HTTPS), rule 10 (host shop.example.com); and shared: port 80 (HTTP), rule 5 (path /api/*); and internal: port 8080 (HTTP), default action forwards to
    ");
    assert_eq!(import.drift().terraform.len(), 4);
    let left: Vec<_> = import
        .warnings
        .iter()
        .filter(|it| it.contains("stays there"))
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    read_back(&import);
}

#[test]
fn a_name_that_nothing_tells_is_asked_for() {
    let of = |conditions: Vec<RuleCondition>| {
        let mut read = web();
        read.balancers[0].listeners[0].rules[0].conditions = conditions;
        read
    };
    let host = |names: &[&str]| RuleCondition::Host(globs(names));
    let secret = RuleCondition::Header("X-Origin".to_owned(), globs(&["hunter22"]));
    let said = [
        vec![],
        vec![host(&["*.example.com"])],
        vec![host(&["a.example"]), secret.clone()],
    ]
    .map(|conditions| refusal(of(conditions), &ImportWish::default()));
    insta::assert_snapshot!(said.join("\n"), @"
    shared: port 443 (HTTPS), rule 10 (every request) leads to the service web, and does not say what users type
    say what they type with --url, such as --url https://NAME/
    shared: port 443 (HTTPS), rule 10 (host *.example.com) leads to the service web, and does not say what users type
    say what they type with --url, such as --url https://NAME/
    shared: port 443 (HTTPS), rule 10 (host a.example, header X-Origin) leads to the service web, and wants header X-Origin beside what users type
    say what they type with --url, such as --url https://a.example/
    ");

    // Any of several will do, since all go over together.
    let two = imported(
        of(vec![host(&["a.example", "b.example"])]),
        &ImportWish::default(),
    );
    assert_eq!(two.production[0].url, "https://a.example");
    assert_eq!(two.production[0].other_urls, ["https://b.example"]);
    read_back(&two);

    let url = |host: &str, path: &str| ImportWish {
        urls: vec![GivenUrl {
            is_secured: true,
            host: host.to_owned(),
            port: 443,
            path: path.to_owned(),
        }],
        ..ImportWish::default()
    };
    let given = imported(
        of(vec![host(&["*.example.com"])]),
        &url("a.example.com", "/health"),
    );
    assert_eq!(given.production[0].url, "https://a.example.com");
    assert_eq!(read_back(&given).probe.path, "/health");
    assert_eq!(given.warnings.len(), 1, "{:?}", given.warnings);

    let mut twice = url("a.example.com", "/");
    twice.urls.push(twice.urls[0].clone());
    let refused = refusal(of(vec![host(&["*.example.com"])]), &twice);
    assert!(
        refused.starts_with("--url is given 2 times, for 1 way\n"),
        "{refused}"
    );

    // A CDN has the name, and the rule wants its header.
    let given = imported(of(vec![secret]), &url("shop.example.com", "/"));
    let text = given.config("task-definition.json");
    assert!(
        text.contains("# secret_header = { name = \"X-Origin\", env = \"X_ORIGIN\" }"),
        "{text}"
    );
    assert!(!text.contains("hunter22"), "{text}");
    insta::assert_snapshot!(given.warnings.join("\n"), @"
    shared: port 443 (HTTPS), rule 10 (header X-Origin) wants the header X-Origin: `secret_header` or `headers` in [probe] has to say it
    the task definition has the values of variables: look it over before you commit it
    ");
    read_back(&given);
}

#[test]
fn a_url_that_goes_by_another_way_is_refused() {
    let wish = ImportWish {
        production: vec![rule_arn(443, "10")],
        urls: vec![GivenUrl {
            is_secured: false,
            host: "shared.elb.example".to_owned(),
            port: 80,
            path: "/".to_owned(),
        }],
        ..ImportWish::default()
    };
    insta::assert_snapshot!(refusal(two_ways(), &wish), @"
    http://shared.elb.example/ is led to web by shared: port 80 (HTTP), default action
    --production is shared: port 443 (HTTPS), rule 10 (host shop.example.com): name the URL that goes there
    ");
}

#[test]
fn the_app_and_the_colour_follow_from_the_service_s_name() {
    let named = |name: &str, app: Option<&str>| {
        let mut read = web();
        read.service.name = name.to_owned();
        let wish = ImportWish {
            app: app.map(|app| app.parse().unwrap()),
            ..ImportWish::default()
        };
        import(read, Ok(None), &wish).map(|it| (it.app.to_string(), it.color))
    };
    for (name, app, expected, color) in [
        ("web", None, "web", Color::Blue),
        (
            "Shop_Web-Service-of-Production",
            None,
            "shop-web-service-of",
            Color::Blue,
        ),
        ("web-green", None, "web-green", Color::Green),
        ("web", Some("shop"), "shop", Color::Blue),
    ] {
        assert_eq!(named(name, app), Ok((expected.to_owned(), color)));
    }
    let refused = named("1", None).unwrap_err();
    assert_eq!(refused.hint.as_deref(), Some("--app NAME gives it a name"));
}

#[test]
fn what_is_under_way_and_who_finds_it_by_name_is_warned_of() {
    let mut read = web();
    read.settings.is_deploying = true;
    read.settings.definition.names = vec!["prod".to_owned()];
    read.definition["containerDefinitions"][0]["environment"] = Value::Null;
    insta::assert_snapshot!(imported(read, &ImportWish::default()).warnings.join("\n"), @r"
    a release of web is under way: what is written here is the release that it is going to
    others find web by Service Connect or service discovery: they stay with it, whichever colour is live
    ");
}

#[test]
fn what_scales_the_service_is_told() {
    let of = |found: FoundAutoscaling| {
        let import = import(web(), found, &ImportWish::default());
        let import = import.unwrap_or_else(|it| panic!("{}", it.message));
        let text = import.config("task-definition.json");
        let note = text.lines().find(|line| line.contains("scale"));
        let drift = import.drift().lines();
        let mut all: Vec<&str> = note.into_iter().collect();
        all.extend(
            drift
                .iter()
                .filter(|line| line.contains("apacity"))
                .map(String::as_str),
        );
        all.extend(
            import
                .warnings
                .iter()
                .filter(|it| it.contains("scales"))
                .map(String::as_str),
        );
        all.join("\n")
    };
    let scaled = Autoscaling {
        target: ScalableTarget {
            least: 2,
            most: 10,
            suspended: Suspended::default(),
        },
        policies: vec![ScalingPolicy {
            name: "cpu60".to_owned(),
            kind: "TargetTrackingScaling".to_owned(),
            counted_group: None,
        }],
    };
    insta::assert_snapshot!(of(Ok(Some(scaled))), @"
    # It is scaled from 2 to 10 tasks, by cpu60 (TargetTrackingScaling): whichever colour users are on, a promotion gives it that.
      aws_appautoscaling_target  lifecycle { ignore_changes = [min_capacity, max_capacity, suspended_state] }  # web
      AWS::ApplicationAutoScaling::ScalableTarget  MinCapacity, MaxCapacity, SuspendedState  # web
    ");
    insta::assert_snapshot!(of(Err("AccessDenied".to_owned())), @r"
    # Whether anything scales it could not be read.
    it is not known whether anything scales web: AccessDenied
    ");
}
