//! How a gate begins and ends.

use super::*;
use crate::Error;

/// At a port that nobody else is given: those of clients and of other tests
/// begin higher.
fn alone(stand: &Stand, at: impl Fn(u16) -> Options) -> (u16, Gate) {
    let ports = std::iter::repeat_with(|| fastrand::u16(20_000..30_000));
    ports
        .take(100)
        .find_map(|port| Some((port, Gate::before(&stand.endpoint, &at(port)).ok()?)))
        .expect("a free port")
}

fn at(port: u16) -> Options {
    Options {
        port: Some(port),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_gate_answers_while_the_thread_that_made_it_is_busy() {
    // Its runtime is this test's, whose only thread is blocked below.
    let gate = Gate::before("http://127.0.0.1:1", &Options::default()).unwrap();
    let address = gate.endpoint().strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = "GET /_gate/faults HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.ends_with("[]"), "{answer}");
}

#[tokio::test]
async fn a_stopped_gate_leaves_its_port_and_its_connections() {
    let stand = mirror().await;
    let (port, gate) = alone(&stand, at);
    let mut raw = Raw::to(&gate).await;
    raw.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.read_until("/x").await;
    soon(gate.stop()).await;
    raw.read_to_end().await;
    let again = Gate::before(&stand.endpoint, &at(port)).unwrap();
    assert_eq!(again.endpoint(), format!("http://127.0.0.1:{port}"));
}

/// Only Linux has more than one address of its own by itself.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_stopped_gate_leaves_all_its_addresses() {
    let stand = mirror().await;
    let each_node = |port| Options {
        addresses: crate::gate::Addresses::EachNode,
        nodes: 3,
        ..at(port)
    };
    let (port, gate) = alone(&stand, each_node);
    let addresses = gate.addresses().to_vec();
    assert_eq!(addresses.len(), 3);
    soon(gate.stop()).await;
    let again = Gate::before(&stand.endpoint, &each_node(port)).unwrap();
    assert_eq!(again.addresses(), addresses);
}

/// Dropping a runtime here would panic.
#[tokio::test]
async fn a_gate_may_be_dropped_in_an_async_context() {
    let stand = mirror().await;
    let gate = stand.gate();
    let mut raw = Raw::to(&gate).await;
    raw.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.read_until("/x").await;
    drop(gate);
    raw.read_to_end().await;
}

#[test]
fn a_gate_may_be_made_and_dropped_without_a_runtime() {
    drop(Gate::before("http://127.0.0.1:1", &Options::default()).unwrap());
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_what_to_do() {
    let stand = mirror().await;
    let (port, _gate) = alone(&stand, at);
    let error = Gate::before(&stand.endpoint, &at(port)).unwrap_err();
    assert!(matches!(error, Error::GatePort { .. }));
    let text = error.to_string();
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    assert!(text.contains("give the gate another port"), "{text}");
}

#[test]
fn what_is_no_endpoint_is_refused() {
    let error = Gate::before("localhost", &Options::default()).unwrap_err();
    assert!(matches!(error, Error::Endpoint { .. }), "{error}");
}
