use super::*;
use crate::aws::testing::Wire;
use crate::model::testing::{hosts, infrastructure};

#[test]
fn a_folder_gives_the_app_its_name() {
    let name = |folder| AppName::near(folder).map(|name| name.to_string());
    assert_eq!(name("Hello_World").as_deref(), Some("hello-world"));
    assert_eq!(name("2nd try"), Some("nd-try".to_owned()));
    assert_eq!(
        name("a-very-long-folder-name-indeed").as_deref(),
        Some("a-very-long-folder-n")
    );
    assert_eq!(name("…"), None);
}

#[test]
fn created_updated_or_left_as_it_is() {
    let session = Session::of_hello(Wire::new().aws());
    let changes = vec!["HealthPath from `/` to `/health`".to_owned()];
    let mut all = Vec::new();
    for prepared in [
        Prepared::of(StackPlan::Create, "none"),
        Prepared::of(StackPlan::Update { changes }, "green"),
        Prepared::of(StackPlan::NothingToDo, "blue"),
    ] {
        let result = result(&session, &prepared, &infrastructure(), None);
        all.push(result.human(&Style::plain()));
    }
    insta::assert_snapshot!(all.join("\n\n"), @"
    the stack bgecs-hello is created
      production  http://lb.example
      test        http://lb.example:81
      next        `bgecs deploy . --tag 1` makes the first release live

    the stack bgecs-hello is updated
      production  http://lb.example
      test        http://lb.example:81

    nothing to do: the stack bgecs-hello is up to date
      production  http://lb.example
      test        http://lb.example:81
    ");
}

#[test]
fn an_app_of_its_own_name_says_where_that_has_to_lead() {
    let session = Session::of_hello(Wire::new().aws());
    let mut infra = infrastructure();
    infra.endpoints = hosts();
    let prepared = Prepared::of(StackPlan::NothingToDo, "blue");
    let result = result(&session, &prepared, &infra, None);
    insta::assert_snapshot!(result.human(&Style::plain()), @"
    nothing to do: the stack bgecs-hello is up to date
      production  https://shop.example.com
      test        https://next.example.com
      name        DNS has to lead it to lb.example (CNAME or alias)
    ");
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!(json["load_balancer"], "lb.example");
}

#[test]
fn a_live_app_goes_over_to_https_in_two_steps() {
    let mut session = Session::of_hello(Wire::new().aws());
    session.config.production.url = Some("https://shop.example.com".to_owned());
    let changes = vec!["PlainPort from `forward` to `redirect`".to_owned()];
    let mut prepared = Prepared::of(StackPlan::Update { changes }, "green");
    assert_eq!(steps(&session, &prepared).len(), 1);
    prepared.redirects_last = true;
    assert_eq!(
        steps(&session, &prepared)[1].to_string(),
        "once https://shop.example.com answers, have port 80 redirect to it"
    );
}

#[test]
fn for_programs() {
    let session = Session::of_hello(Wire::new().aws());
    let prepared = Prepared::of(StackPlan::Create, "none");
    let result = result(&session, &prepared, &infrastructure(), None);
    insta::assert_snapshot!(serde_json::to_string_pretty(&result).unwrap(), @r#"
    {
      "operation": "init",
      "outcome": "created",
      "app": "hello",
      "region": "eu-west-1",
      "stack": "bgecs-hello",
      "urls": {
        "prod": "http://lb.example",
        "test": "http://lb.example:81"
      }
    }
    "#);
}

#[test]
fn a_stack_that_is_made_anew_says_what_it_costs() {
    let folder = tempfile::tempdir().unwrap();
    let of = |text: &str, made: Option<&BTreeMap<String, String>>| {
        let config = Config::parse(text, &folder.path().join("bgecs.toml")).unwrap();
        costs(&config, &Loaded::from(&config).unwrap(), made)
    };
    let keys =
        "app = 'hello'\n[container]\ncpu = 1024\nmemory = 3072\n[service]\ndesired_count = 3\n";
    let said = of(keys, None).unwrap();
    assert!(said.contains(" 3 tasks of 1 vCPU and 3 GB "), "{said}");
    assert_eq!(of(keys, Some(&BTreeMap::new())), None);
    // A definition of one's own has a size of its own.
    let own = r#"{ "cpu": ".5 vCPU", "memory": "1024", "containerDefinitions": [{ "name": "app", "image": "x", "portMappings": [{ "containerPort": 80 }] }] }"#;
    std::fs::write(folder.path().join("task.json"), own).unwrap();
    let file = "app = 'hello'\n[container]\ntask_definition = 'task.json'\ncontainer = 'app'\n";
    let said = of(file, None).unwrap();
    assert!(said.contains(" 2 tasks of 0.5 vCPU and 1 GB "), "{said}");
}
