//! The gate's own paths, for one that runs as a process of its own:
//!
//! - `GET /_gate/balancers`: where load balancers listen, and what is amiss; with
//!   `?dns_name=NAME` that one alone. With `&port=NUMBER`, once or more often, the
//!   emulator is looked at first if it is not known to listen there: a stack that
//!   was just made is seen at the next look only.
//! - `GET /_gate/ca.pem`: the issuer of the certificates of HTTPS listeners.
//! - `GET /_gate/calls`, with `?since=NUMBER`: the record.
//! - `PUT /_gate/rates` holds calls to AWS's rates, with full buckets; `DELETE` lets them
//!   go, and `GET` says which it is.
//! - `GET /_gate/faults`; `POST` adds one, `DELETE` removes all,
//!   `DELETE /_gate/faults/ID` that one.

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode, Uri};
use serde_json::{Value, json};

use super::body::{self, Body};
use super::call::Pipeline;
use super::faults::{Fault, FaultId, Faults};
use super::front::Front;
use super::rates::Rates;
use super::record::{Call, Calls, Mark, Outcome, Staleness};
use super::services::Corrected;

/// More than any fault takes.
const LONGEST: usize = 64 * 1024;

/// Whether that is a path of the gate's own.
pub fn is_asked(uri: &Uri) -> bool {
    uri.path() == "/_gate" || uri.path().starts_with("/_gate/")
}

pub async fn answer(front: &Front, request: hyper::Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    if let ("/_gate/balancers", Some(corrected)) = (head.uri.path(), &front.corrected) {
        make_known(corrected, head.uri.query().unwrap_or_default()).await;
    }
    if let ("/_gate/ca.pem", Some(corrected)) = (head.uri.path(), &front.corrected) {
        return certificate(corrected);
    }
    let (status, answer) = match Limited::new(body, LONGEST).collect().await {
        Ok(body) => decide(front, &head.method, &head.uri, &body.to_bytes()),
        // Longer, or cut off: then nobody is left to read this.
        Err(_) => wrong("a body is at most 64 KiB long"),
    };
    let mut response = Response::new(body::whole(answer.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// As a file has it, for `--ca-file` and the like.
fn certificate(corrected: &Corrected) -> Response<Body> {
    let (status, text) = match corrected.elb.authority() {
        Ok(pem) => (StatusCode::OK, pem),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error),
    };
    let mut response = Response::new(body::whole(text));
    *response.status_mut() = status;
    response
}

fn decide(front: &Front, method: &Method, uri: &Uri, body: &[u8]) -> (StatusCode, Value) {
    let Pipeline { calls, faults, .. } = &front.pipeline;
    match (method.as_str(), uri.path()) {
        ("GET", "/_gate/calls") => recorded(calls, uri.query().unwrap_or_default()),
        ("GET", "/_gate/balancers") => {
            let query = uri.query().unwrap_or_default();
            (StatusCode::OK, balancers(front.corrected.as_ref(), query))
        }
        ("GET", "/_gate/faults") => (StatusCode::OK, json!(faults.all())),
        ("POST", "/_gate/faults") => add(faults, body),
        ("DELETE", "/_gate/faults") => {
            faults.clear();
            (StatusCode::OK, json!([]))
        }
        ("GET" | "PUT" | "DELETE", "/_gate/rates") => hold(&front.pipeline.rates, method),
        ("DELETE", path) => remove(faults, path),
        _ => no_such_path(),
    }
}

fn hold(rates: &Rates, method: &Method) -> (StatusCode, Value) {
    match *method {
        Method::PUT => rates.hold(),
        Method::DELETE => rates.let_go(),
        _ => {}
    }
    (StatusCode::OK, json!({"held": rates.are_held()}))
}

fn recorded(calls: &Calls, query: &str) -> (StatusCode, Value) {
    let mut mark = Mark::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let ("since", Ok(number)) = (&*name, value.parse()) else {
            return wrong("the only parameter is since=NUMBER of a call");
        };
        mark = Mark::after(number);
    }
    let calls = calls.since(mark);
    (StatusCode::OK, calls.iter().map(described).collect())
}

/// Looks at the emulator where a port that is asked for is not known of. What
/// fails of it is the gate's `trouble`.
async fn make_known(corrected: &Corrected, query: &str) {
    let balancer = dns_name(query).and_then(|name| Some(corrected.elb.balancer_of(&name)?.0));
    let is_missing = |port| {
        let doors = balancer.as_ref().map(|balancer| balancer.doors(port));
        doors.is_none_or(|doors| doors.is_empty())
    };
    let mut ports = form_urlencoded::parse(query.as_bytes())
        .filter_map(|(key, value)| (key == "port").then(|| value.parse().ok())?);
    if ports.any(is_missing) {
        let _ = corrected.elb.look().await;
    }
}

fn dns_name(query: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find_map(|(key, value)| (key == "dns_name").then(|| value.into_owned()))
}

/// Each with the addresses of its listeners' ports, a list of its nodes'.
fn balancers(corrected: Option<&Corrected>, query: &str) -> Value {
    let Some(corrected) = corrected else {
        return json!({"load_balancers": [], "trouble": null});
    };
    let name = dns_name(query);
    let mut all = corrected.elb.balancers();
    all.retain(|(is, _)| {
        name.as_ref()
            .is_none_or(|name| is.dns.eq_ignore_ascii_case(name))
    });
    let all = all.into_iter().map(|(is, balancer)| {
        let config = balancer.config();
        let ports = config.listeners.iter().map(|listener| listener.port);
        let listeners: serde_json::Map<String, Value> = ports
            .map(|port| (port.to_string(), json!(balancer.doors(port))))
            .collect();
        json!({"name": is.name, "dns_name": is.dns, "listeners": listeners})
    });
    json!({"load_balancers": all.collect::<Vec<_>>(), "trouble": corrected.trouble()})
}

fn add(faults: &Faults, body: &[u8]) -> (StatusCode, Value) {
    match serde_json::from_slice::<Fault>(body) {
        Ok(fault) => (StatusCode::CREATED, json!({"id": faults.add(fault)})),
        Err(error) => wrong(&format!("that is not a fault: {error}")),
    }
}

fn remove(faults: &Faults, path: &str) -> (StatusCode, Value) {
    let id = path.strip_prefix("/_gate/faults/").and_then(FaultId::parse);
    match id.and_then(|id| faults.remove(id)) {
        Some(removed) => (StatusCode::OK, json!(removed)),
        None => no_such_path(),
    }
}

fn no_such_path() -> (StatusCode, Value) {
    let text = "nothing is here: see /_gate/balancers, /_gate/calls and /_gate/faults";
    (StatusCode::NOT_FOUND, json!({"error": text}))
}

fn wrong(text: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({"error": text}))
}

fn described(call: &Call) -> Value {
    let mut described = json!({
        "number": call.number,
        "service": call.service,
        "operation": call.operation,
        "resource": call.resource,
        "writes": call.writes,
        "access_key": call.access_key,
        "began_ms": call.began.as_secs_f64() * 1000.0,
        "faults": call.struck,
    });
    if let Some(end) = &call.end {
        described["took_ms"] = json!(end.took.as_secs_f64() * 1000.0);
        described["outcome"] = outcome(&end.outcome);
        if let Some(staleness) = end.staleness {
            described["stale"] = stale(staleness);
        }
    }
    described
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Answered { status } => json!({"status": status}),
        Outcome::Refused { status, code } => json!({"status": status, "code": code}),
        Outcome::NoAnswer { reason } => json!({"no_answer": reason}),
        Outcome::Dropped { forwarded } => json!({"dropped": {"forwarded": forwarded}}),
    }
}

fn stale(staleness: Staleness) -> Value {
    match staleness {
        Staleness::SeenBefore(age) => json!({"seen_before_ms": age.as_secs_f64() * 1000.0}),
        Staleness::NothingOlder => json!("nothing older known"),
    }
}
