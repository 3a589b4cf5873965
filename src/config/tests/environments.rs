//! What an environment changes, and how its mistakes are told.

use super::*;

const TEXT: &str = r#"
app = "hello"
[container]
port = 8081
environment = { GREETING = "Hello", LEVEL = "1" }
command = ["serve", "--verbose"]
[probe]
rate = 100
[env.staging]
service.desired_count = 1
[env.staging.container]
environment = { GREETING = "Hi", MORE = "" }
command = ["serve"]
[env.production]
app = "shop"
probe.rate = 7
"#;

fn parse_in(text: &str, environment: &str) -> Result<Config, ConfigError> {
    let path = Path::new("/srv/hello/bgecs.toml");
    Config::parse_in(text, path, Some(environment))
}

fn settings(config: &Config) -> &ContainerSection {
    match &config.container.definition {
        DefinitionSource::Settings(settings) => settings,
        DefinitionSource::File(_) => panic!("{config:?}"),
    }
}

#[test]
fn tables_merge_and_all_else_is_replaced() {
    let staging = parse_in(TEXT, "staging").unwrap();
    assert_eq!(staging.app.as_str(), "hello-staging");
    assert_eq!(staging.environment.as_deref(), Some("staging"));
    assert_eq!(
        (staging.service.desired_count, staging.probe.rate.get()),
        (1, 100)
    );
    let container = settings(&staging);
    assert_eq!(container.port, 8081);
    assert_eq!(container.command, ["serve"]);
    let of = |name: &str| container.environment[name].reveal();
    assert_eq!([of("GREETING"), of("LEVEL"), of("MORE")], ["Hi", "1", ""]);

    // One that names its app is called so.
    let production = parse_in(TEXT, "production").unwrap();
    assert_eq!(
        (production.app.as_str(), production.probe.rate.get()),
        ("shop", 7)
    );
    assert_eq!(settings(&production).command, ["serve", "--verbose"]);

    let none = parse(TEXT).unwrap();
    assert_eq!(
        (none.app.as_str(), none.environment.as_deref()),
        ("hello", None)
    );
    assert_eq!(none.service.desired_count, defaults().service.desired_count);
}

#[test]
fn one_that_is_not_there_is_told_by_those_that_are() {
    let told = |text: &str, name: &str| {
        let error = parse_in(text, name).unwrap_err();
        format!("{error}\n{}", error.hint().unwrap())
    };
    insta::assert_snapshot!(
        [told(TEXT, "stagin"), told(TEXT, "eu"), told("app = 'hello'", "eu")].join("\n"),
        @r"
    there is no environment `stagin` in /srv/hello/bgecs.toml: it has production, staging
    did you mean `--env staging`?
    there is no environment `eu` in /srv/hello/bgecs.toml: it has production, staging
    a section [env.eu] with the keys that differ makes one
    there is no environment `eu` in /srv/hello/bgecs.toml: it has none
    a section [env.eu] with the keys that differ makes one
    "
    );
}

/// Also in an environment that was not chosen.
#[test]
fn mistakes_are_told_where_they_stand() {
    let mistakes = [
        "[env.eu]\nprot = 1",
        "[env.eu.container]\nprot = 1",
        "[env.eu]\ncontaner.port = 1",
        "[env.eu.container]\nport = 'x'",
        "[container]\ncpu = 256\n[env.eu]\ncontainer.memory = 4096",
        "[env.eu.container]\nenvironment = { A = 1, B = 'hunter22' }",
        "[container.environment]\nA = ''\n[env.eu.container.environment]\nB = 2",
        "[env.eu]\nenv = 1",
        "[env]\neu = 1",
        "env = 1",
        "[env.EU]",
        "[env.eu-north-1-production]",
        "[container]\nprot = 1\n[env.eu]",
    ];
    let told = |mistake: &str| {
        let text = format!("app = 'hello'\n{mistake}");
        let error = parse(&text).unwrap_err();
        let same = parse_in(&text, "eu").unwrap_err();
        if !matches!(same, ConfigError::NoEnvironment { .. }) {
            assert_eq!(error.to_string(), same.to_string());
        }
        error.to_string()
    };
    insta::assert_snapshot!(mistakes.map(told).join("\n"), @r#"
    /srv/hello/bgecs.toml:3:1: `env.eu.prot`: there is no such key in [env.eu]
      3 | prot = *
        | ^^^^
    /srv/hello/bgecs.toml:3:1: `env.eu.container.prot`: there is no such key in [env.eu.container]
      3 | prot = *
        | ^^^^
    /srv/hello/bgecs.toml:3:1: `env.eu.contaner`: there is no such key in [env.eu]
      3 | contaner.port = *
        | ^^^^^^^^
    /srv/hello/bgecs.toml:3:8: `env.eu.container.port`: it takes a whole number from 1 to 65535
      3 | port = 'x'
        |        ^^^
    /srv/hello/bgecs.toml:5:20: `env.eu.container.memory`: Fargate has no task of 256 CPU units with 4096 MiB: with cpu = 256, memory is one of 512, 1024, 2048
      5 | container.memory = 4096
        |                    ^^^^
    /srv/hello/bgecs.toml:3:21: `env.eu.container.environment.A`: it takes text in quotes
      3 | environment = { A = *, B = '********' }
        |                     ^
    /srv/hello/bgecs.toml:5:5: `env.eu.container.environment.B`: it takes text in quotes
      5 | B = *
        |     ^
    /srv/hello/bgecs.toml:3:1: `env.eu.env`: there is no such key in [env.eu]
      3 | env = *
        | ^^^
    /srv/hello/bgecs.toml:3:6: `env.eu`: it is a section: write [env.eu]
      3 | eu = *
        |      ^
    /srv/hello/bgecs.toml:2:7: `env`: it is a section: write [env.<name>]
      2 | env = *
        |       ^
    /srv/hello/bgecs.toml:2:6: `env.EU`: the name of an environment has lower-case letters, digits and single hyphens between them
      2 | [env.EU]
        |      ^^
    /srv/hello/bgecs.toml:2:6: `env.eu-north-1-production`: the app's name would be `hello-eu-north-1-production`, and has 20 characters at most: write `app = "…"` below [env.eu-north-1-production]
      2 | [env.eu-north-1-production]
        |      ^^^^^^^^^^^^^^^^^^^^^
    /srv/hello/bgecs.toml:3:1: `container.prot`: there is no such key in [container]
      3 | prot = *
        | ^^^^
    "#);
}
