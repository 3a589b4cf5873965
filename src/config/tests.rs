mod attached;
mod edge;
mod environments;
mod mistakes;
mod tls;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::model::Reserved;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/srv/hello/bgecs.toml"))
}

fn app() -> AppName {
    "hello".parse().unwrap()
}

fn defaults() -> Config {
    Config {
        environment: None,
        path: PathBuf::from("/srv/hello/bgecs.toml"),
        app: app(),
        live: None,
        container: Container {
            name: "app".to_owned(),
            health_path: "/health".to_owned(),
            architecture: None,
            definition: DefinitionSource::Settings(ContainerSection::default()),
        },
        service: Service::default(),
        production: ProductionSection::default(),
        attached: None,
        edge: None,
        tls: None,
        shift: ShiftSection::default(),
        network: NetworkSection::default(),
        probe: ProbeSection::default(),
        build: Build::default(),
        hooks: Hooks::default(),
        registry: Registry::default(),
        logs: Logs::default(),
        load_balancer: LoadBalancerSection::default(),
        lease: LeaseSection::default(),
        place: AwsPlace::default(),
        cost: None,
        serve: ServeSection::default(),
        notify: NotifySection::default(),
        given: Given::default(),
    }
}

#[test]
fn a_name_is_enough() {
    assert_eq!(parse("app = 'hello'").unwrap(), defaults());
}

#[test]
fn every_key_is_read() {
    let text = r#"
        app = "hello-2"
        [container]
        name = "web"
        port = 80
        cpu = 1_024
        memory = 0x800
        health_path = "/ready?deep=1"
        command = ["serve", ""]
        environment = { GREETING = "Hello" }
        secrets.DB = "arn:aws:ssm:eu-central-1:123456789012:parameter/db/password"
        [service]
        desired_count = 1000
        health_check_grace_period_seconds = 300
        [network]
        test_cidr = "203.0.113.7/32"
        cidr = "172.20.0.0/20"
        endpoints = true
        [probe]
        path = "/api"
        rate = 100
        window_seconds = 60
        timeout_ms = 500
        ca_file = "tls/ca.pem"
        method = "HEAD"
        headers = { X-Key = "hunter22", accept = "text/html" }
        http = "1.1"
        connections = "reused"
        release_header = "x-release"
        expect_status = "2xx,304"
        expect_body = "^ok"
        max_failures = 3
        max_failure_rate = "0.1%"
        [build]
        before = "make"
        file = "docker/Dockerfile"
        args = { VERSION = "1", EMPTY = "" }
        target = "release"
        platform = "linux/arm64"
        [hooks]
        before_shift = "make smoke"
        after_rollback = "page someone"
        timeout = "90s"
        [registry]
        url = "localhost:4566"
        immutable_tags = false
        [logs]
        retention_days = 3653
        [load_balancer]
        connect_to = "[::1]:4566"
        deregistration_delay_seconds = 0
        [cost]
        vcpu_hour = 0.04048
        gb_hour = 1
        currency = "CNY"
    "#;
    let config = parse(text).unwrap();
    assert_eq!(config.app.stack_name(), "bgecs-hello-2");
    let prices = config.cost.as_ref().unwrap();
    let task = Reserved {
        cpu: 1024,
        memory: 2048,
    };
    assert_eq!(prices.an_hour(task), 2.040_48);
    assert_eq!(prices.currency, "CNY");
    assert_eq!(config.container.name, "web");
    assert_eq!(config.container.health_path, "/ready?deep=1");
    let DefinitionSource::Settings(settings) = &config.container.definition else {
        panic!("{config:?}");
    };
    assert_eq!(settings.port, 80);
    assert_eq!((settings.size.cpu(), settings.size.memory()), (1024, 2048));
    assert_eq!(settings.command, ["serve", ""]);
    assert_eq!(settings.environment["GREETING"].reveal(), "Hello");
    assert_eq!(settings.secrets["DB"].kind(), SecretKind::Parameter);
    assert_eq!(config.service.desired_count, 1000);
    let grace_period = config.service.health_check_grace_period;
    assert_eq!(grace_period, Duration::from_secs(300));
    assert_eq!(config.network.test_cidr.to_string(), "203.0.113.7/32");
    assert!(config.network.endpoints);
    assert_eq!(
        config.network.cidr.subnets()[..4]
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [
            "172.20.0.0/24",
            "172.20.1.0/24",
            "172.20.2.0/24",
            "172.20.3.0/24"
        ]
    );
    assert_eq!(config.probe.path, "/api");
    assert_eq!(config.probe.rate.get(), 100);
    assert_eq!(config.probe.window, Duration::from_secs(60));
    assert_eq!(config.probe.timeout, Duration::from_millis(500));
    let ca_file = config.probe.ca_file.unwrap();
    assert!(ca_file.ends_with("tls/ca.pem") && ca_file.is_absolute());
    let question = &config.probe.question;
    assert_eq!(question.method.as_deref(), Some("HEAD"));
    assert_eq!(question.headers["x-key"].reveal(), "hunter22");
    assert_eq!(question.headers["accept"].reveal(), "text/html");
    assert_eq!(question.http.as_deref(), Some("1.1"));
    assert_eq!(question.connections.as_deref(), Some("reused"));
    assert_eq!(question.release_header.as_deref(), Some("x-release"));
    assert_eq!(question.expect_status.as_deref(), Some("2xx,304"));
    assert_eq!(question.expect_body.as_deref(), Some("^ok"));
    assert_eq!(question.max_failures, 3);
    assert_eq!(question.max_failure_rate.as_deref(), Some("0.1%"));
    assert_eq!(config.build.before.as_deref(), Some("make"));
    let file = Path::new("/srv/hello/docker/Dockerfile");
    assert_eq!(config.build.file.as_deref(), Some(file));
    assert_eq!(config.build.args["VERSION"].reveal(), "1");
    assert_eq!(config.build.args["EMPTY"].reveal(), "");
    assert_eq!(config.build.target.as_deref(), Some("release"));
    assert_eq!(config.build.platform.as_deref(), Some("linux/arm64"));
    let commands = [
        (Hook::BeforeShift, "make smoke"),
        (Hook::AfterRollback, "page someone"),
    ];
    let line = |(hook, line): (_, &str)| (hook, HookAction::Line(line.to_owned()));
    assert_eq!(config.hooks.actions, commands.map(line).into());
    assert_eq!(config.hooks.timeout, Duration::from_secs(90));
    assert_eq!(config.registry.url.as_deref(), Some("localhost:4566"));
    assert!(!config.registry.immutable_tags);
    assert_eq!(config.logs.retention_days, 3653);
    let connect_to = config.load_balancer.connect_to.unwrap();
    assert_eq!((connect_to.host.as_str(), connect_to.port), ("::1", 4566));
    assert_eq!(connect_to.to_string(), "[::1]:4566");
    assert_eq!(config.load_balancer.deregistration_delay, Duration::ZERO);
}

#[test]
fn an_account_is_twelve_digits_in_quotes() {
    let text =
        "app = 'hello'\n[aws]\naccount = '012345678901'\nregion = 'eu-west-1'\nprofile = 'prod'";
    let place = parse(text).unwrap().place;
    assert_eq!(place.account.unwrap().as_str(), "012345678901");
    assert_eq!(place.region.as_deref(), Some("eu-west-1"));
    assert_eq!(place.profile.as_deref(), Some("prod"));
    for wrong in [
        "account = 123456789012",
        "account = '12345678901'",
        "account = '1234-5678-9012'",
        "region = 'eu west 1'",
        "region = ''",
        "profile = ' '",
    ] {
        let error = parse(&format!("app = 'hello'\n[aws]\n{wrong}")).unwrap_err();
        assert_eq!(error.place().unwrap().line, 3, "{error}");
    }
}

#[test]
fn a_task_definition_file_takes_the_place_of_the_settings() {
    let read = |keys: &str| {
        let config = parse(&format!(
            "app = 'hello'\n[container]\ntask_definition = 'td.json'\n{keys}"
        ));
        config.unwrap().container
    };
    let container = read("container = 'web'\nport = 80\nhealth_path = '/up'");
    assert_eq!(container.name, "web");
    assert_eq!(container.health_path, "/up");
    assert_eq!(
        container.definition,
        DefinitionSource::File(OwnDefinition {
            path: PathBuf::from("/srv/hello/td.json"),
            port: Some(80),
            ..OwnDefinition::default()
        })
    );
    let all = read(
        "app_containers = ['migrate']\nexpand = true\nunchecked = ['new']\narchitecture = 'arm64'",
    );
    assert_eq!(all.architecture, Some(CpuArchitecture::Arm64));
    assert_eq!(
        all.definition,
        DefinitionSource::File(OwnDefinition {
            path: PathBuf::from("/srv/hello/td.json"),
            port: None,
            app_containers: vec!["migrate".to_owned()],
            expand: true,
            unchecked: vec!["new".to_owned()],
        })
    );
    // `name` says the same, and without either it is the usual name.
    assert_eq!(read("name = 'web'").name, "web");
    let plain = read("");
    assert_eq!(plain.name, "app");
    assert!(matches!(
        plain.definition,
        DefinitionSource::File(OwnDefinition { port: None, .. })
    ));
}

#[test]
fn the_file_is_the_nearest_one_upwards() {
    let temporary = tempfile::tempdir().unwrap();
    let top = temporary.path();
    let deep = top.join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    // A folder of that name is no configuration.
    fs::create_dir(deep.join(FILE_NAME)).unwrap();
    fs::write(top.join(FILE_NAME), "app = 'top'").unwrap();
    assert_eq!(Config::find(None, &deep).unwrap(), top.join(FILE_NAME));
    let nearer = top.join("a/b").join(FILE_NAME);
    fs::write(&nearer, "app = 'nearer'").unwrap();
    assert_eq!(Config::find(None, &deep).unwrap(), nearer);

    let config = Config::load(&nearer, None).unwrap();
    assert_eq!(config.app.as_str(), "nearer");
    assert_eq!(config.root(), top.join("a/b"));

    let asked_for = Path::new("../other.toml");
    let found = Config::find(Some(asked_for), &deep).unwrap();
    assert_eq!(found, deep.join(asked_for));
    let error = Config::load(&found, None).unwrap_err();
    assert!(matches!(error, ConfigError::NotFound { .. }), "{error}");
    let error = Config::load(&deep, None).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
}

#[test]
fn no_file_at_all() {
    let error = Config::find(None, Path::new("/nowhere/at/all")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no bgecs.toml in /nowhere/at/all or in a folder above it"
    );
    assert!(error.hint().unwrap().contains("bgecs init --write-config"));
}

#[test]
fn a_bare_file_name_has_the_current_folder_as_its_root() {
    let config = Config::parse("app = 'hello'", Path::new(FILE_NAME)).unwrap();
    assert_eq!(config.root(), Path::new("."));
}

#[test]
fn the_starter_says_the_defaults() {
    let text = Config::starter(&app());
    assert_eq!(parse(&text).unwrap(), defaults());
}

#[test]
fn the_examples_in_the_starter_are_valid() {
    let uncommented = |line: &str| {
        let bare = line.strip_prefix("# ").filter(|bare| {
            let is_section = bare.starts_with('[') && bare.ends_with(']');
            is_section || bare.contains(" = ")
        });
        bare.unwrap_or(line).to_owned()
    };
    let text = Config::starter(&app());
    let lines: Vec<String> = text.lines().map(uncommented).collect();
    let is_of_file = |line: &String| {
        ["task_definition", "container", "app_containers", "expand"]
            .iter()
            .any(|key| line.starts_with(&format!("{key} =")))
    };
    assert_eq!(lines.iter().filter(|line| is_of_file(line)).count(), 4);
    let keys = lines.iter().filter(|line| !line.starts_with('#')).count();
    assert!(keys > 25, "{lines:#?}");

    // What is given, `init` does not make.
    let begins_with = |line: &String, keys: &[&str]| {
        let mut keys = keys.iter();
        keys.any(|key| line.starts_with(&format!("{key} =")))
    };
    let is_of_given = |line: &String| {
        let keys = [
            "vpc",
            "subnets",
            "security_groups",
            "assign_public_ip",
            "group",
            "repository",
        ];
        begins_with(line, &keys)
    };
    let is_of_made = |line: &String| {
        begins_with(
            line,
            &[
                "cidr",
                "zones",
                "nat",
                "endpoints",
                "retention_days",
                "immutable_tags",
            ],
        )
    };
    let giving = lines.iter().filter(|it| !is_of_file(it) && !is_of_made(it));
    let giving: Vec<String> = giving.cloned().collect();
    let given = parse(&giving.join("\n")).unwrap().given;
    assert!(given.network.is_some() && given.log_group.is_some() && given.repository.is_some());
    let lines: Vec<String> = lines.into_iter().filter(|it| !is_of_given(it)).collect();

    let settings: Vec<String> = lines.iter().filter(|it| !is_of_file(it)).cloned().collect();
    let config = parse(&settings.join("\n")).unwrap();
    assert_ne!(config, defaults());
    assert_eq!(config.logs, defaults().logs);
    let path = Path::new("/srv/hello/bgecs.toml");
    let staging = Config::parse_in(&settings.join("\n"), path, Some("staging")).unwrap();
    assert_eq!(staging.service.desired_count, 1);

    let is_of_settings = |line: &String| {
        ["name", "cpu", "memory", "command", "environment", "secrets"]
            .iter()
            .any(|key| line.starts_with(&format!("{key} =")))
    };
    let file: Vec<String> = lines.into_iter().filter(|it| !is_of_settings(it)).collect();
    let config = parse(&file.join("\n")).unwrap();
    assert!(matches!(
        config.container.definition,
        DefinitionSource::File(_)
    ));
}

#[test]
fn the_first_unknown_key_is_named() {
    let error = parse("app = 'hello'\n[logs]\nz = 1\na = 1").unwrap_err();
    assert_eq!(error.place().unwrap().line, 3);
}
