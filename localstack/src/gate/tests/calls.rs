//! What becomes of calls: recorded, spoilt, corrected.

use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::super::call::Correct;
use super::super::faults::{Fault, Faults, What};
use super::super::record::{Outcome, Staleness};
use super::super::request::{Answer, Operation, Request};
use super::super::services::Services;
use super::super::upstream::{Failed, Upstream};
use super::*;

const LIVE: &str = r#"{"cluster":"live","service":"web"}"#;

/// As a client of AWS would call.
struct Client(Upstream);

impl Client {
    fn of(gate: &Gate) -> Self {
        let authority = gate.endpoint().strip_prefix("http://").unwrap();
        Self(Upstream::new(authority, "test"))
    }

    /// The number of writes that the answer says.
    async fn ecs(&self, operation: &str) -> u64 {
        let input: Value = serde_json::from_str(LIVE).unwrap();
        let answer = soon(self.0.ecs(operation, &input)).await.unwrap();
        answer["writes"].as_u64().unwrap()
    }
}

fn outcomes(gate: &Gate) -> Vec<Outcome> {
    let calls = gate.calls().all().into_iter();
    calls.map(|call| call.end.unwrap().outcome).collect()
}

#[tokio::test]
async fn every_call_is_on_record_with_its_answer() {
    let stand = Stand::start(|request| async move {
        let text = match request.headers()["x-amz-target"].to_str().unwrap() {
            target if target.ends_with("UpdateService") => {
                r#"{"__type":"a#ServiceNotFoundException"}"#
            }
            _ => "{}",
        };
        let status = if text.len() > 2 { 400 } else { 200 };
        Response::builder()
            .status(status)
            .body(body::whole(text))
            .unwrap()
    })
    .await;
    let gate = stand.gate();
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("DescribeServices", LIVE)).await;
    raw.read_until("{}").await;
    let mark = gate.calls().mark();
    raw.send(ecs("UpdateService", LIVE)).await;
    raw.read_until("ServiceNotFoundException").await;

    let [read, write] = &gate.calls().all()[..] else {
        panic!("{:?}", gate.calls().all());
    };
    assert!(read.is("ecs", "DescribeServices") && read.resource == "live/web");
    assert_eq!(
        (read.number, read.status(), read.code()),
        (1, Some(200), None)
    );
    let wanted = (2, Some(400), Some("ServiceNotFoundException"));
    assert_eq!((write.number, write.status(), write.code()), wanted);
    assert!(write.began >= read.began + read.took());
    assert_eq!(&gate.calls().since(mark)[..], std::slice::from_ref(write));
    assert_eq!(gate.calls().of("ecs", "UpdateService").len(), 1);
}

#[tokio::test]
async fn a_throttled_call_has_no_effect() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let fault = gate
        .faults()
        .add(Fault::on("ecs", "UpdateService").first(1).throttle());
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    let answer = raw.read_until("Rate exceeded").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(counter.writes(), 0);
    raw.send(ecs("UpdateService", LIVE)).await;
    raw.read_until("{\"writes\":1}").await;
    assert_eq!(gate.faults().struck(fault), 1);
    let first = gate.calls().all().remove(0);
    assert_eq!(first.code(), Some("ThrottlingException"));
    assert_eq!(
        (first.struck[0].id, first.struck[0].what),
        (fault, What::Throttle)
    );
}

#[tokio::test]
async fn an_internal_error_has_no_effect() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    gate.faults().add(Fault::on_service("ecs").internal_error());
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    let answer = raw.read_until("ServerException\"").await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert_eq!(counter.writes(), 0);
}

#[tokio::test]
async fn a_call_dropped_before_has_no_effect_and_no_byte_of_an_answer() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    gate.faults()
        .add(Fault::on("ecs", "UpdateService").nth(2).drop_before());
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    raw.read_until("{\"writes\":1}").await;
    raw.send(ecs("UpdateService", LIVE)).await;
    assert_eq!(raw.read_to_end().await, "");
    assert_eq!(counter.seen(), ["UpdateService"]);
    assert_eq!(outcomes(&gate)[1], Outcome::Dropped { forwarded: false });
}

#[tokio::test]
async fn a_call_dropped_after_has_its_effect_and_no_byte_of_an_answer() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    gate.faults()
        .add(Fault::on("ecs", "UpdateService").drop_after());
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    assert_eq!(raw.read_to_end().await, "");
    assert_eq!(counter.writes(), 1);
    assert_eq!(outcomes(&gate), [Outcome::Dropped { forwarded: true }]);
}

#[tokio::test]
async fn a_call_held_before_lies_until_it_is_let_go_and_never_has_an_effect() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let held = gate.faults().add(Fault::on_writes().nth(2).hold_before());
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    raw.read_until("{\"writes\":1}").await;
    raw.send(ecs("UpdateService", LIVE)).await;
    soon(gate.faults().until_held(held)).await;
    // What comes meanwhile is not held up.
    assert_eq!(Client::of(&gate).ecs("UpdateService").await, 2);
    assert_eq!(gate.calls().all()[1].end, None);
    let planned = gate.faults().remove(held).unwrap();
    assert_eq!((planned.struck, planned.held), (1, 1));
    assert_eq!(raw.read_to_end().await, "");
    assert_eq!(counter.writes(), 2);
    assert_eq!(outcomes(&gate)[1], Outcome::Dropped { forwarded: false });
}

#[tokio::test]
async fn a_call_held_after_has_its_effect_and_its_answer_is_never_given() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let held = gate.faults().add(Fault::on_writes().hold_after());
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    soon(gate.faults().until_held(held)).await;
    assert_eq!((counter.writes(), gate.faults().held(held)), (1, 1));
    assert_eq!(gate.calls().all()[0].end, None);
    gate.faults().clear();
    assert_eq!(raw.read_to_end().await, "");
    assert_eq!(outcomes(&gate), [Outcome::Dropped { forwarded: true }]);
}

#[tokio::test]
async fn a_held_call_ends_as_it_would_have_if_its_client_is_gone() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let held = gate.faults().add(Fault::on_writes().nth(1).hold_before());
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    soon(gate.faults().until_held(held)).await;
    drop(raw);
    assert_eq!(Client::of(&gate).ecs("UpdateService").await, 1);
    gate.faults().remove(held);
    soon(async {
        while gate.calls().all()[0].end.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(counter.writes(), 1);
    assert_eq!(outcomes(&gate)[0], Outcome::Dropped { forwarded: false });
}

#[tokio::test]
async fn who_waits_for_a_fault_that_is_removed_waits_no_longer() {
    let faults = Faults::default();
    let id = faults.add(Fault::on_any().hold_before());
    let waiting = {
        let faults = faults.clone();
        tokio::spawn(async move { faults.until_held(id).await })
    };
    faults.remove(id);
    soon(waiting).await.unwrap();
}

#[tokio::test]
async fn a_delayed_call_takes_so_long() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let delay = Duration::from_millis(150);
    gate.faults()
        .add(Fault::on("ecs", "UpdateService").delay(delay));
    let began = Instant::now();
    assert_eq!(Client::of(&gate).ecs("UpdateService").await, 1);
    assert!(began.elapsed() >= delay);
    assert!(gate.calls().all()[0].took() >= delay);
}

#[tokio::test]
async fn a_call_has_its_effect_even_if_the_client_leaves() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    gate.faults()
        .add(Fault::on_any().delay(Duration::from_millis(50)));
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    soon(async {
        while gate.calls().all().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(raw);
    soon(async {
        while gate.calls().all()[0].end.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(counter.writes(), 1);
    assert_eq!(outcomes(&gate), [Outcome::Answered { status: 200 }]);
}

#[tokio::test]
async fn an_emulator_without_an_answer_is_on_record() {
    let gate = Gate::before("http://127.0.0.1:1", &Options::default()).unwrap();
    let mut raw = Raw::to(&gate).await;
    raw.send(ecs("UpdateService", LIVE)).await;
    let answer = raw.read_until("UpdateService").await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let [Outcome::NoAnswer { reason }] = &outcomes(&gate)[..] else {
        panic!("{:?}", outcomes(&gate));
    };
    assert!(reason.contains("127.0.0.1:1"), "{reason}");
}

const LONG_AGO: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_stale_read_is_answered_as_it_was() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let client = Client::of(&gate);
    assert_eq!(client.ecs("DescribeServices").await, 0);
    client.ecs("UpdateService").await;
    let fault = gate
        .faults()
        .add(Fault::on("ecs", "DescribeServices").stale_by(LONG_AGO));
    assert_eq!(client.ecs("DescribeServices").await, 0);
    gate.faults().remove(fault);
    assert_eq!(client.ecs("DescribeServices").await, 1);
    gate.faults()
        .add(Fault::on_service("ecs").stale_by(Duration::ZERO));
    assert_eq!(client.ecs("DescribeServices").await, 1);

    let stale = |call: usize| gate.calls().all()[call].end.clone().unwrap().staleness;
    assert!(
        matches!(stale(2), Some(Staleness::SeenBefore(_))),
        "{:?}",
        stale(2)
    );
    assert_eq!((stale(0), stale(1), stale(3)), (None, None, None));
}

#[tokio::test]
async fn a_stale_read_of_which_nothing_older_is_known_is_live() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let client = Client::of(&gate);
    gate.faults()
        .add(Fault::on("ecs", "DescribeServices").stale_by(LONG_AGO));
    client.ecs("UpdateService").await;
    assert_eq!(client.ecs("DescribeServices").await, 1);
    let end = gate.calls().all()[1].end.clone().unwrap();
    assert_eq!(end.staleness, Some(Staleness::NothingOlder));
}

#[tokio::test]
async fn what_a_write_ends_is_looked_at_first_if_it_may_be_wanted() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let client = Client::of(&gate);
    client.ecs("DescribeServices").await;
    client.ecs("ListServices").await;
    client.ecs("UpdateService").await;
    gate.faults().add(
        Fault::on("ecs", "DescribeServices")
            .nth(1)
            .stale_by(LONG_AGO),
    );
    client.ecs("UpdateService").await;
    client.ecs("DescribeServices").await;
    client.ecs("UpdateService").await;
    assert_eq!(
        counter.seen(),
        [
            "DescribeServices",
            "ListServices",
            "UpdateService",
            "DescribeServices",
            "UpdateService",
            "DescribeServices",
            "UpdateService",
        ]
    );
    assert_eq!(gate.calls().all().len(), 6, "the gate's own are not in it");
}

/// Says ten writes more than there were, after a call of its own.
struct Ten(Upstream);

impl Correct for Ten {
    fn corrects(&self, operation: &Operation) -> bool {
        operation.name == "DescribeServices"
    }

    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        async move {
            self.0.ecs("ListServices", &json!({})).await?;
            let answer = self.0.forward(request).await?;
            let said: Value = serde_json::from_slice(&answer.body).unwrap();
            let writes = said["writes"].as_u64().unwrap() + 10;
            Ok(answer.with_body(json!({"writes": writes}).to_string()))
        }
        .boxed()
    }
}

#[tokio::test]
async fn what_is_corrected_is_answered_and_remembered_as_corrected() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = Gate::with(&stand.endpoint, &Options::default(), |upstream| Services {
        correctors: vec![Arc::new(Ten(upstream.clone()))],
        ..Services::default()
    })
    .unwrap();
    let client = Client::of(&gate);
    assert_eq!(client.ecs("DescribeServices").await, 10);
    assert_eq!(client.ecs("UpdateService").await, 1);
    gate.faults().add(
        Fault::on("ecs", "DescribeServices")
            .nth(1)
            .stale_by(LONG_AGO),
    );
    assert_eq!(client.ecs("DescribeServices").await, 10);
    assert_eq!(client.ecs("DescribeServices").await, 11);
    assert!(gate.calls().of("ecs", "ListServices").is_empty());
}

/// Corrects nothing, and notes what was written.
#[derive(Default)]
struct Listener(Mutex<Vec<String>>);

impl Correct for Listener {
    fn corrects(&self, _: &Operation) -> bool {
        false
    }

    fn answer<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        unreachable!("it corrects nothing")
    }

    fn wrote(&self, operation: &Operation) {
        self.0.lock().unwrap().push(operation.name.clone());
    }
}

#[tokio::test]
async fn of_every_write_that_may_have_had_its_effect_the_correctors_hear() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let listener = Arc::new(Listener::default());
    let gate = Gate::with(&stand.endpoint, &Options::default(), |_| Services {
        correctors: vec![listener.clone()],
        ..Services::default()
    })
    .unwrap();
    let client = Client::of(&gate);
    client.ecs("DescribeServices").await;
    gate.faults()
        .add(Fault::on("ecs", "UpdateCluster").throttle());
    soon(client.0.ecs("UpdateCluster", &json!({})))
        .await
        .unwrap_err();
    client.ecs("UpdateService").await;
    assert_eq!(*listener.0.lock().unwrap(), ["UpdateService"]);
}
