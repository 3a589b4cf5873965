//! The gate's own paths.

use serde_json::{Value, json};

use super::*;

async fn control(gate: &Gate, method: &str, path: &str, body: &str) -> (u16, Value) {
    let length = body.len();
    let head = format!("{method} /_gate/{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}");
    let (status, headers, text) = ask(gate, &head, body).await;
    assert_eq!(headers["content-type"], "application/json");
    (status, serde_json::from_str(&text).unwrap())
}

/// However long they take: what comes back meanwhile is one a second.
#[tokio::test]
async fn calls_are_held_to_the_rates_over_http() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let (_, before) = control(&gate, "GET", "rates", "").await;
    assert_eq!(before, json!({"held": false}));
    let held = control(&gate, "PUT", "rates", "").await;
    assert_eq!(held, (200, json!({"held": true})));
    let mut raw = Raw::to(&gate).await;
    let write = ecs("RegisterTaskDefinition", "{}");
    for _ in 0..20 {
        raw.send(&write).await;
        raw.read_until("{\"writes\":").await;
    }
    let throttled = loop {
        raw.send(&write).await;
        let answer = raw.read_until("}").await;
        if !answer.contains("\"writes\"") {
            break answer;
        }
    };
    assert!(throttled.contains("ThrottlingException"), "{throttled}");
    let (_, after) = control(&gate, "DELETE", "rates", "").await;
    assert_eq!(after, json!({"held": false}));
    raw.send(&write).await;
    raw.read_until("{\"writes\":").await;
}

#[tokio::test]
async fn faults_are_planned_and_calls_are_read_over_http() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let fault = json!({
        "on": {"service": "ecs", "operation": "UpdateService"},
        "when": {"nth": 1},
        "what": "throttle",
    });
    let (status, added) = control(&gate, "POST", "faults", &fault.to_string()).await;
    assert_eq!((status, added), (201, json!({"id": 1})));

    let mut raw = Raw::to(&gate).await;
    for wanted in ["ThrottlingException", "{\"writes\":1}"] {
        raw.send(ecs(
            "UpdateService",
            r#"{"cluster":"live","service":"web"}"#,
        ))
        .await;
        raw.read_until(wanted).await;
    }

    let (_, planned) = control(&gate, "GET", "faults", "").await;
    assert_eq!(
        planned[0]["on"],
        json!({"service": "ecs", "operation": "UpdateService", "resource": null, "writes": false})
    );
    assert_eq!(
        (&planned[0]["seen"], &planned[0]["struck"]),
        (&json!(2), &json!(1))
    );

    let (_, calls) = control(&gate, "GET", "calls", "").await;
    assert_eq!(
        calls[0]["outcome"],
        json!({"status": 400, "code": "ThrottlingException"})
    );
    assert_eq!(calls[0]["faults"], json!([{"id": 1, "what": "throttle"}]));
    assert_eq!(calls[0]["resource"], "live/web");
    assert_eq!(calls[0]["writes"], true);
    assert_eq!(calls[1]["outcome"], json!({"status": 200}));
    let (_, since) = control(&gate, "GET", "calls?since=1", "").await;
    assert_eq!(
        (since.as_array().unwrap().len(), &since[0]["number"]),
        (1, &json!(2))
    );

    assert_eq!(control(&gate, "DELETE", "faults/1", "").await.0, 200);
    assert_eq!(control(&gate, "DELETE", "faults/1", "").await.0, 404);
    assert!(gate.faults().all().is_empty());
    control(&gate, "POST", "faults", &fault.to_string()).await;
    assert_eq!(
        control(&gate, "DELETE", "faults", "").await,
        (200, json!([]))
    );
    assert!(gate.faults().all().is_empty());
}

#[tokio::test]
async fn a_call_that_is_held_is_seen_and_let_go_over_http() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let fault = json!({"on": {"writes": true}, "when": {"nth": 1}, "what": "hold_after"});
    control(&gate, "POST", "faults", &fault.to_string()).await;
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", "{}")).await;
    soon(async {
        while control(&gate, "GET", "faults", "").await.1[0]["held"] != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(counter.writes(), 1);
    let (_, calls) = control(&gate, "GET", "calls", "").await;
    assert_eq!(calls[0].get("outcome"), None);
    control(&gate, "DELETE", "faults", "").await;
    assert_eq!(raw.read_to_end().await, "");
    let (_, calls) = control(&gate, "GET", "calls", "").await;
    assert_eq!(calls[0]["outcome"], json!({"dropped": {"forwarded": true}}));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let gate = Gate::before("http://127.0.0.1:1", &Options::default()).unwrap();
    let (status, answer) = control(&gate, "POST", "faults", r#"{"what":"explode"}"#).await;
    assert_eq!(status, 400);
    assert!(
        answer["error"].as_str().unwrap().contains("explode"),
        "{answer}"
    );
    assert_eq!(control(&gate, "GET", "calls?since=x", "").await.0, 400);
    assert_eq!(control(&gate, "GET", "other", "").await.0, 404);
    let (status, answer) = control(&gate, "POST", "faults", &" ".repeat(65 * 1024)).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"], "a body is at most 64 KiB long");
    assert!(gate.faults().all().is_empty() && gate.calls().all().is_empty());
}

#[tokio::test]
async fn a_gate_that_balances_no_load_has_no_load_balancers_to_show() {
    let stand = mirror().await;
    let (status, answer) = control(&stand.gate(), "GET", "balancers", "").await;
    assert_eq!(status, 200);
    assert_eq!(answer, json!({"load_balancers": [], "trouble": null}));
}
