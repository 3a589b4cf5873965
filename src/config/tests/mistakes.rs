//! What is refused, where, and in which words.

use proptest::prelude::*;

use super::*;

/// Text, the stretch that is marked, and a part of what is said of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "APP\nprot = 1",
        "prot",
        "prot`: there is no such key at the top of the file",
    ),
    (
        "APP\n[contaner]\nport = 1",
        "contaner",
        "contaner`: there is no such key at the top",
    ),
    (
        "APP\n[container]\nprt = 1",
        "prt",
        "prt`: there is no such key in [container]",
    ),
    (
        "APP\ncontainer = 1",
        "1",
        "`container`: it is a section: write [container]",
    ),
    (
        "APP\n[[service]]",
        "[[service]]",
        "`service`: it is a section",
    ),
    (
        "app = 'Hello'",
        "'Hello'",
        "`app`: `Hello` is not a valid app name: use 2 to 20 lower-case",
    ),
    ("app = 7", "7", "`app`: it takes text in quotes"),
    (
        "APP\n[container]\nport = 'a'",
        "'a'",
        "`container.port`: it takes a whole number from 1 to 65535",
    ),
    ("APP\n[container]\nport = 65536", "65536", "from 1 to 65535"),
    (
        "APP\n[container]\nport = 80.0",
        "80.0",
        "takes a whole number",
    ),
    (
        "APP\n[container]\nport = -80",
        "-80",
        "takes a whole number",
    ),
    (
        "APP\n[container]\nname = 'a b'",
        "'a b'",
        "letters, digits, `_` and `-`",
    ),
    (
        "APP\n[container]\ncpu = 300",
        "300",
        "`container.cpu`: it takes one of 256, 512, 1024",
    ),
    (
        "APP\n[container]\nmemory = 4096",
        "4096",
        "with cpu = 256, memory is one of 512, 1024, 2048",
    ),
    (
        "APP\n[container]\nmemory = 512\ncpu = 8192",
        "512",
        "memory is 16384 to 61440 in steps of 4096",
    ),
    (
        "APP\n[container]\nhealth_path = 'up'",
        "'up'",
        "a path starts with `/`",
    ),
    ("APP\n[container]\ncommand = []", "[]", "leave the key out"),
    (
        "APP\n[shift]\nsteps = ['25% for 5m', '5% pause']",
        "['25% for 5m', '5% pause']",
        "`shift.steps`: the steps do not grow: 5% comes after 25%",
    ),
    (
        "APP\n[shift]\nsteps = '5% for 5m'",
        "'5% for 5m'",
        "takes a list of texts in quotes",
    ),
    (
        "APP\n[shift]\nsteps = []",
        "[]",
        "it has no step: `5% for 5m` is one",
    ),
    (
        "APP\n[shift]\ncanary = '100% for 5m'",
        "'100% for 5m'",
        "above 0% and below 100%",
    ),
    (
        "APP\n[shift]\nlinear = '10% every 60'",
        "'10% every 60'",
        "`60` has no unit: it is ms, s, m or h",
    ),
    (
        "APP\n[shift]\nlinear = '10% every 1m'\nsteps = ['5% pause']",
        "linear",
        "`shift.linear`: `steps` says it already: keep one of them",
    ),
    (
        "APP\n[shift]\nmax_latency = { p98 = '400ms' }",
        "p98",
        "`p98` is not p50, p90, p95, p99 or p99.9",
    ),
    (
        "APP\n[shift]\nmax_latency = { p99 = '400' }",
        "'400'",
        "`400` has no unit",
    ),
    (
        "APP\n[shift]\nmax_latency = '400ms'",
        "'400ms'",
        "takes a table",
    ),
    (
        "APP\n[shift]\npause_limit = '1d'",
        "'1d'",
        "unknown unit `d`",
    ),
    ("APP\n[shift]\nbake = 900", "900", "takes text in quotes"),
    (
        "APP\n[shift]\nalarms = ['slow', ' ']",
        "['slow', ' ']",
        "`shift.alarms`: an alarm has a name",
    ),
    (
        "APP\n[shift]\nalarms = ['slow', 'slow']",
        "['slow', 'slow']",
        "`slow` is in it twice",
    ),
    (
        "APP\n[shift]\nalarms_without_data = 'go on'",
        "'go on'",
        "it is \"stop\" or \"ignore\"",
    ),
    (
        "APP\n[shift]\nstickiness = '169h'",
        "'169h'",
        "`shift.stickiness`: it is whole seconds, from 1s to 168h",
    ),
    (
        "APP\n[shift]\nstickiness = '1500ms'",
        "'1500ms'",
        "it is whole seconds",
    ),
    (
        "APP\n[shift]\nstickiness = '0s'",
        "'0s'",
        "it must be longer than 0s",
    ),
    (
        "APP\n[shift]\nbake = '0s'",
        "'0s'",
        "it must be longer than 0s",
    ),
    (
        "APP\n[container]\ncommand = 'serve'",
        "'serve'",
        "a list of texts in quotes",
    ),
    (
        "APP\n[container]\ncommand = ['serve', 1]",
        "1",
        "a list of texts in quotes",
    ),
    (
        "APP\n[container]\nenvironment = 'A=B'",
        "'A=B'",
        "takes a table",
    ),
    (
        "APP\n[container]\nenvironment = { A = 1 }",
        "1",
        "`container.environment.A`: it takes text in quotes",
    ),
    (
        "APP\n[container]\nenvironment = { 'A=B' = '' }",
        "'A=B'",
        "has no `=`",
    ),
    (
        "APP\n[container]\nsecrets = { A = 'hunter2' }",
        "'hunter2'",
        "a secret is named by its whole ARN",
    ),
    (
        "APP\n[container]\nenvironment = { AB = '' }\nsecrets = { AC = 'SECRET', AB = 'SECRET' }",
        "AB",
        "`container.secrets.AB`: it is in `environment` too",
    ),
    (
        "APP\n[container]\ncontainer = 'app'",
        "container",
        "without one, the key is `name`",
    ),
    (
        "APP\n[container]\ntask_definition = 'a'\nname = 'b'\ncontainer = 'c'",
        "container",
        "`name` says the same",
    ),
    (
        "APP\n[container]\ntask_definition = 'a'\nmemory = 512",
        "memory",
        "`container.memory`: not allowed beside `task_definition`",
    ),
    (
        "APP\n[container]\nexpand = true",
        "expand",
        "`container.expand`: it is about the file that `task_definition` names, and there is none",
    ),
    (
        "APP\n[container]\ntask_definition = 'a'\napp_containers = ['a b']",
        "['a b']",
        "`container.app_containers`: ECS takes 1 to 255 letters",
    ),
    (
        "APP\n[container]\narchitecture = 'riscv64'",
        "'riscv64'",
        "`container.architecture`: Fargate runs X86_64 and ARM64",
    ),
    (
        "APP\n[container]\ntask_definition = ' '",
        "' '",
        "it is empty",
    ),
    ("APP\n[service]\ndesired_count = 0", "0", "from 1 to 1000"),
    (
        "APP\n[network]\ntest_cidr = '::/0'",
        "'::/0'",
        "is not an IPv4 network",
    ),
    (
        "APP\n[network]\ntest_cidr = '10.1.2.3/8'",
        "'10.1.2.3/8'",
        "write 10.0.0.0/8 for all of them, or 10.1.2.3/32",
    ),
    (
        "APP\n[network]\ncidr = '10.0.0.0/8'",
        "'10.0.0.0/8'",
        "a network is from /16 to /23, since each of its subnets is a sixteenth of it, and this is /8",
    ),
    (
        "APP\n[network]\ncidr = '10.0.0.0/24'",
        "'10.0.0.0/24'",
        "and this is /24",
    ),
    (
        "APP\n[network]\ncidr = '127.0.0.0/16'",
        "'127.0.0.0/16'",
        "is set apart for something else",
    ),
    (
        "APP\n[network]\ncidr = '10.0.0.0/+16'",
        "'10.0.0.0/+16'",
        "is not an IPv4 network",
    ),
    (
        "APP\n[network]\nendpoints = 'yes'",
        "'yes'",
        "true or false",
    ),
    ("APP\n[probe]\npath = 'a'", "'a'", "a path starts with `/`"),
    ("APP\n[probe]\nrate = 0", "0", "from 1 to 1000"),
    ("APP\n[probe]\nwindow_seconds = 0", "0", "from 1 to 3600"),
    ("APP\n[probe]\ntimeout_ms = 0", "0", "from 1 to 60000"),
    (
        "APP\n[build]\nplatform = 'linux/386'",
        "'linux/386'",
        "linux/amd64 and linux/arm64",
    ),
    ("APP\n[build]\nargs = ['A=1']", "['A=1']", "takes a table"),
    (
        "APP\n[hooks]\nbefore_shift = ' '",
        "' '",
        "`hooks.before_shift`: it is empty; leave the key out",
    ),
    (
        "APP\n[hooks]\nafter_rollback = ['sh']",
        "['sh']",
        "`hooks.after_rollback`: it takes text in quotes",
    ),
    (
        "APP\n[hooks]\nbefore = 'make'",
        "before",
        "`hooks.before`: there is no such key in [hooks]",
    ),
    (
        "APP\n[hooks]\ntimeout = '10 apples'",
        "'10 apples'",
        "`hooks.timeout`: a time is a number and a unit",
    ),
    (
        "APP\n[hooks]\ntimeout = 600",
        "600",
        "`hooks.timeout`: it takes text in quotes",
    ),
    (
        "APP\n[hooks]\ntimeout = '0s'",
        "'0s'",
        "`hooks.timeout`: it must be longer than 0s",
    ),
    ("APP\n[hooks]\ntimeout = '600'", "'600'", "has no unit"),
    (
        "APP\n[registry]\nurl = 'https://a.b'",
        "'https://a.b'",
        "without https://",
    ),
    (
        "APP\n[registry]\nurl = 'proxy'",
        "'proxy'",
        "is not a registry",
    ),
    (
        "APP\n[registry]\nimmutable_tags = 'yes'",
        "'yes'",
        "true or false",
    ),
    (
        "APP\n[logs]\nretention_days = 31",
        "31",
        "one of 1, 3, 5, 7, 14, 30",
    ),
    (
        "APP\n[load_balancer]\nconnect_to = 'localhost'",
        "'localhost'",
        "is not HOST:PORT",
    ),
    (
        "APP\n[load_balancer]\nderegistration_delay_seconds = 3601",
        "3601",
        "from 0 to 3600",
    ),
    (
        "APP\n[probe]\nmethod = 'GET it'",
        "'GET it'",
        "`probe.method`: it is not an HTTP method",
    ),
    (
        "APP\n[probe]\nhttp = '3'",
        "'3'",
        "`probe.http`: it takes one of \"auto\", \"1.1\", \"2\"",
    ),
    (
        "APP\n[probe]\nconnections = 'kept'",
        "'kept'",
        "`probe.connections`: it takes one of \"fresh\", \"reused\", \"both\"",
    ),
    (
        "APP\n[probe]\nrelease_header = 'a b'",
        "'a b'",
        "`probe.release_header`: it is not a header name",
    ),
    (
        "APP\n[probe]\nexpect_status = '2xx,20'",
        "'2xx,20'",
        "`probe.expect_status`: `20` is not a status",
    ),
    (
        "APP\n[probe]\nexpect_body = '('",
        "'('",
        "`probe.expect_body`: it is not a regular expression",
    ),
    (
        "APP\n[probe]\nmax_failures = -1",
        "-1",
        "`probe.max_failures`: it takes a whole number from 0",
    ),
    (
        "APP\n[probe]\nmax_failure_rate = 0.1",
        "0.1",
        "`probe.max_failure_rate`: it takes text in quotes",
    ),
    (
        "APP\n[probe]\nmax_failure_rate = '101%'",
        "'101%'",
        "`probe.max_failure_rate`: a share is a number of percent",
    ),
    (
        "APP\n[probe]\nheaders = { 'a b' = 'c' }",
        "'a b'",
        "it is not a header name",
    ),
    (
        "APP\n[probe]\nheaders = { a = 'b', A = 'c' }",
        "a",
        "it is there twice",
    ),
    (
        "APP\n[service]\ncluster = 'prod'",
        "cluster",
        "`service.cluster`: it is for a service that bgecs did not make",
    ),
    (
        "APP\n[production]\nrule = { host = ['a.example'] }",
        "rule",
        "`production.rule`: it is for a service that bgecs did not make",
    ),
    (
        "APP\n[test]\nheader = { x-bgecs-color = 'blue' }",
        "header",
        "`test.header`: it is for a service that bgecs did not make",
    ),
    (
        "APP\n[test]\nport = 81",
        "port",
        "`test.port`: it is for a service that bgecs did not make",
    ),
    (
        "APP\n[test]\nhost = 'next.example.com'",
        "host",
        "`test.host`: it is for a service that bgecs did not make",
    ),
    (
        "APP\n[colors.red]\nservice = 'web'",
        "red",
        "`colors.red`: there is no such key in [colors]",
    ),
    (
        "APP\n[colors.blue]\nservice = 'a/b'",
        "'a/b'",
        "`colors.blue.service`: ECS takes 1 to 255 letters",
    ),
    (
        "APP\n[colors]\nblue.service = 'a'\ngreen.service = 'b'",
        "service",
        "[colors.blue] is the running service: bgecs makes the other",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\nport = 443",
        "port",
        "`listener` says it already",
    ),
    (
        "ATTACHED\nload_balancer = 'shared'",
        "load_balancer",
        "`port` says which listener",
    ),
    ("ATTACHED\nport = 443", "port", "`load_balancer` says whose"),
    (
        "ATTACHED\nload_balancer = 'shared'\nport = 0",
        "0",
        "from 1 to 65535",
    ),
    (
        "ATTACHED\nlistener = 'shared'",
        "'shared'",
        "it takes a listener's whole ARN",
    ),
    (
        "ATTACHED\nlistener = 'arn:aws:elasticloadbalancing:eu-west-1:1:listener/net/a/b/c'",
        "'arn:aws:elasticloadbalancing:eu-west-1:1:listener/net/a/b/c'",
        "it does not belong to an Application Load Balancer",
    ),
    (
        "ATTACHED\nlistener = 'arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/a/b/c/d'",
        "'arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/a/b/c/d'",
        "it is a rule's",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\nrule = 'arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/shared/a/bb/c'",
        "'arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/shared/a/bb/c'",
        "it is a rule of another listener",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\nrule = 10",
        "10",
        "`production.rule`: it takes a table",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\nrule = {}",
        "{}",
        "it says nothing: it takes `host`, `path` or both",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\nrule = { hosts = ['a'] }",
        "hosts",
        "a rule is told by its `host` and its `path`",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\nrule = { host = 'a' }",
        "'a'",
        "a list of texts in quotes",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nheader = { x-test = 'blue' }",
        "x-test",
        "tests are told by the header x-bgecs-color",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nheader = { x-bgecs-color = 'red' }",
        "'red'",
        "it is blue or green",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nheader = {}",
        "{}",
        "it takes \"x-bgecs-color\"",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nheader = 'x-test'",
        "'x-test'",
        "tests are told by the header x-bgecs-color",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nheader = 'x-bgecs-color'\nport = 81",
        "port",
        "`test.port`: `header` says it already: keep one of them",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nhost = 'next.example.com'\nport = 81",
        "host",
        "`test.host`: `port` says it already: keep one of them",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nport = 0",
        "0",
        "it takes a whole number from 1 to 65535",
    ),
    (
        "ATTACHED\nload_balancer = 'shared'\nport = 443\n[test]\nport = 443",
        "443",
        "`test.port`: users come in there: testers need another one",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nhost = 'A.example'",
        "'A.example'",
        "`test.host`: users come in by this name: testers need another one",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\nrule = { host = ['B.example'] }\n[test]\nhost = 'b.example'",
        "'b.example'",
        "users come in by this name",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nhost = '*.a.example'",
        "'*.a.example'",
        "is not a bare name, such as next.example.com",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nhost = 'https://next.a.example'",
        "'https://next.a.example'",
        "is not a bare name",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nhost = 'next.a.example:81'",
        "'next.a.example:81'",
        "is not a bare name",
    ),
    (
        "ATTACHED\nlistener = 'LISTENER'\n[test]\nhost = '10.0.0.1'",
        "'10.0.0.1'",
        "is not a bare name",
    ),
];

fn spelled_out(text: &str) -> String {
    [
        ("ATTACHED", "APP\n[service]\ncluster = 'prod'\n[colors.blue]\nservice = 'web'\n[production]\nurl = 'https://a.example'"),
        ("LISTENER", "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/shared/a/b"),
        ("APP", "app = 'hello'"),
        ("SECRET", "arn:aws:ssm:eu-central-1:123456789012:parameter/a"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (short, long)| text.replace(short, long))
}

#[test]
fn mistakes_are_said_where_they_stand() {
    for (text, marked, message) in MISTAKES {
        let text = spelled_out(text);
        let error = parse(&text).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        let place = error.place().unwrap();
        let line = text.lines().nth(place.line - 1).unwrap();
        // Values may be starred out, and columns stay.
        assert_eq!(place.text.chars().count(), line.chars().count());
        assert!(!error.to_string().contains("hunter"), "{error}");
        let found: String = line
            .chars()
            .skip(place.column - 1)
            .take(place.width)
            .collect();
        assert_eq!(&found, marked, "{error}");
    }
}

#[test]
fn the_line_is_shown() {
    let text = "app = \"hello\"\n\n[container]\n\u{9}environment = { \"ÄÖÜ\" = \"\", B = 1 }\n";
    insta::assert_snapshot!(parse(text).unwrap_err(), @r#"
    /srv/hello/bgecs.toml:4:34: `container.environment.B`: it takes text in quotes
      4 |  environment = { "ÄÖÜ" = "", B = * }
        |                                  ^
    "#);
}

#[test]
fn a_line_is_shown_without_what_may_be_secret() {
    for text in [
        // Mistakes in the value itself, and beside it.
        "[container]\nsecrets = { TOKEN = 'hunter22' }",
        "[container]\nenvironment = 'PASSWORD=hunter22'",
        "[container]\nenvironment = { PASSWORD = ['hunter22'] }",
        "[container]\nenvironment = { 'A=B' = '', PASSWORD = 'hunter22' }",
        "[container]\nenviroment = { PASSWORD = 'hunter22' }",
        "[build]\nargs = ['TOKEN=hunter22']",
        "container.enviroment.PASSWORD = 'hunter22'",
        "environment = 'hunter22'",
        "container = 'hunter22'",
        // Not TOML.
        "[container.environment]\nPASSWORD = hunter22",
        "[container.environment]\nPASSWORD = 'hunter22",
        "[container.environment]\nPASSWORD = \"\"\"\nhunter22=\\q\"\"\"",
        "[container]\nenvironment = { PASSWORD = 'hunter22', A }",
    ] {
        let error = parse(&format!("app = 'hello'\n{text}")).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter"), "{text}:\n{shown}");
    }
}

#[test]
fn what_is_not_toml_is_shown() {
    insta::assert_snapshot!(parse("app = \"hello\"\r\n[container\r\nport = 1\r\n").unwrap_err(), @"
    /srv/hello/bgecs.toml:2:11: unclosed table, expected `]`
      2 | [container
        |           ^
    ");
    // What is wrong may be the CR itself, which is not part of what is shown.
    insta::assert_snapshot!(parse("app = \"\r\n").unwrap_err(), @r#"
    /srv/hello/bgecs.toml:1:8: invalid basic string, expected `"`
      1 | app = "
        |        ^
    "#);
    let error = parse("app = 'hello'\napp = 'again'").unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { .. }));
    assert_eq!(error.place().unwrap().line, 2);
}

#[test]
fn a_missing_name_is_said() {
    for text in ["", "[container]\nport = 80", "[container]\napp = 'hello'"] {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().contains("write `app = \"<name>\"`"));
        assert_eq!(error.place().unwrap().line, 1);
    }
}

#[test]
fn a_near_miss_is_recognised() {
    let hint = |text: &str| {
        let error = parse(&format!("app = 'hello'\n{text}")).unwrap_err();
        error.hint().unwrap().to_owned()
    };
    assert_eq!(hint("[contaner]"), "did you mean `container`?");
    assert_eq!(hint("[load-balancer]"), "did you mean `load_balancer`?");
    assert_eq!(
        hint("[probe]\nwindow_second = 1"),
        "did you mean `window_seconds`?"
    );
    assert_eq!(
        hint("[service]\ndesiredCount = 1"),
        "did you mean `desired_count`?"
    );
    assert_eq!(hint("[container]\nPort = 1"), "did you mean `port`?");
    assert_eq!(
        hint("[logs]\nlevel = 1"),
        "the keys in [logs]: group, retention_days"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the text, there is a configuration or an error with a place in
    /// the text, and never a panic.
    #[test]
    fn any_text_is_answered(text in "([a-z]{1,9}|[\\[\\]{}=.'\"#\\n\\r\\t ä-]|app = 'hello'\n|\\[container\\]\n|port|[0-9]{1,6}){0,40}") {
        if let Err(error) = parse(&text) {
            let place = error.place().unwrap();
            prop_assert!(place.line <= text.split('\n').count());
            prop_assert!(place.column <= place.text.chars().count() + 1);
            prop_assert!(!error.to_string().is_empty());
        }
    }

    /// A valid file cut short or with one character changed is answered too.
    #[test]
    fn a_broken_starter_is_answered(at in 0_usize..2000, with in any::<char>(), cut in any::<bool>()) {
        let mut text: Vec<char> = Config::starter(&app()).chars().collect();
        let at = at % text.len();
        if cut { text.truncate(at) } else { text[at] = with }
        let text: String = text.into_iter().collect();
        if let Err(error) = parse(&text) {
            let place = error.place().unwrap();
            prop_assert!(place.line <= text.split('\n').count());
            prop_assert!(place.column <= place.text.chars().count() + 1);
        }
    }
}
