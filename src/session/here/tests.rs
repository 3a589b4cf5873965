use super::*;
use crate::model::testing::{hosts, observed};
use crate::probe::testing::{Reply, Server, with_status};

fn infra() -> EcsInfrastructure {
    observed().ecs().unwrap().clone()
}

fn balancer(name: &str, production: &str, test: &str) -> serde_json::Value {
    serde_json::json!({
        "name": "bgecs", "dns_name": name,
        "listeners": { "80": [production, "127.0.0.2:80"], "81": [test] },
    })
}

/// What a local AWS with those load balancers makes of it.
async fn on(status: u16, said: String) -> (String, PerRoute<Here>) {
    let server = Server::start(move |_| Reply::Send(with_status(status, &said))).await;
    let through = server.address().to_string();
    let here = here(&[through.clone(), "127.0.0.1:9".to_owned()], None, &infra()).await;
    (through, here.expect("it is redirected"))
}

#[tokio::test]
async fn each_app_opens_where_its_own_load_balancer_listens() {
    let name = infra().load_balancer_dns_name;
    let said = serde_json::json!({ "load_balancers": [
        balancer("another.example", "127.0.0.1:80", "127.0.0.1:81"),
        balancer(&name, "127.0.0.3:80", "127.0.0.3:40001"),
    ], "trouble": null });
    let (_, here) = on(200, said.to_string()).await;
    assert_eq!(here.production.to_string(), "here http://127.0.0.3/");
    assert_eq!(here.test.to_string(), "here http://127.0.0.3:40001/");
    assert_eq!(
        beside(&"http://lb", Some(&here.production)),
        "http://lb (here http://127.0.0.3/)"
    );
    let json = serde_json::to_value(&here).expect("it is JSON");
    assert_eq!(json["prod"], "http://127.0.0.3/");
}

#[tokio::test]
async fn what_says_nothing_is_reached_as_bgecs_reaches_it() {
    let name = infra().load_balancer_dns_name;
    for (status, said) in [
        (404, "{}".to_owned()),
        (200, "Hello, World!".to_owned()),
        (200, "{\"load_balancers\": []}".to_owned()),
        (
            200,
            format!(
                "{{\"load_balancers\": [{{\"dns_name\": \"{name}\", \"listeners\": {{\"80\": []}}}}]}}"
            ),
        ),
    ] {
        let (through, here) = on(status, said).await;
        assert_eq!(
            here.test.to_string(),
            format!("here `curl --connect-to ::{through} http://{name}:81/`")
        );
    }
}

#[tokio::test]
async fn an_app_with_a_name_of_its_own_is_asked_by_it() {
    let mut infra = infra();
    infra.endpoints = hosts();
    for (ca_file, trusting) in [(None, ""), (Some("ca.pem".as_ref()), " --cacert ca.pem")] {
        let there = here(&["127.0.0.1:9".to_owned()], ca_file, &infra).await;
        assert_eq!(
            there.unwrap().production.to_string(),
            format!("here `curl{trusting} --connect-to ::127.0.0.1:9 https://shop.example.com/`")
        );
    }
}

#[tokio::test]
async fn what_is_not_redirected_opens_by_its_name() {
    assert!(here(&[], None, &infra()).await.is_none());
    assert_eq!(beside(&"http://lb", None), "http://lb");
}

/// Pasted, it must not show what is live.
#[test]
fn a_colour_is_shown_by_name_whichever_way_it_is_reached() {
    let url = "https://shop.example.com";
    let redirected = Here::Curl {
        options: " --connect-to ::127.0.0.1:9".to_owned(),
        url: format!("{url}/"),
    };
    let door = Here::Url("http://127.0.0.3:40001/".to_owned());
    let asking = |ca_file: Option<&str>, here| {
        asking(
            Some(Color::Green),
            (url, "/api"),
            ca_file.map(Path::new),
            here,
        )
    };
    let all = [
        asking(None, Some(&redirected)),
        asking(None, Some(&door)),
        asking(None, None),
        asking(Some("ca.pem"), None),
    ];
    insta::assert_snapshot!(all.join("\n"), @"
    curl --connect-to ::127.0.0.1:9 -H 'x-bgecs-color: green' https://shop.example.com/api
    curl -H 'x-bgecs-color: green' http://127.0.0.3:40001/api
    curl -H 'x-bgecs-color: green' https://shop.example.com/api
    curl --cacert ca.pem -H 'x-bgecs-color: green' https://shop.example.com/api
    ");
}
