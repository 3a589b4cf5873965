//! Which headers go on, which do not, and which are added or changed. Pure, but
//! for the identifier of a trace.
//!
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html>
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html>
//! - Host: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#host-header-preservation>,
//!   as it is unless an attribute says otherwise.
//! - Hop by hop: <https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The protocol that a message asks to change to, or confirms to.
pub fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    named_in_connection(headers)
        .any(|name| name.eq_ignore_ascii_case("upgrade"))
        .then(|| headers.get(UPGRADE).cloned())
        .flatten()
}

/// Makes a client's headers those of the request to the target.
pub fn to_target(headers: &mut HeaderMap, client: IpAddr, port: u16, is_secured: bool) {
    let upgrade = upgrade(headers);
    // hyper sends no body with a GET that says nothing of one.
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    remove_hop_by_hop(headers);
    if chunked {
        headers.remove(CONTENT_LENGTH);
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    add_upgrade(headers, upgrade);
    set_host(headers, port);
    append_forwarded_for(headers, client);
    let protocol = if is_secured { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(protocol));
    headers.insert(FORWARDED_PORT, HeaderValue::from(port));
    continue_trace(headers, &new_trace());
}

/// Makes a target's headers those of the answer to the client.
pub fn to_client(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
}

/// The same for an answer that changes the protocol.
pub fn to_client_upgrading(headers: &mut HeaderMap) {
    let upgrade = upgrade(headers);
    remove_hop_by_hop(headers);
    add_upgrade(headers, upgrade);
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = named_in_connection(headers)
            .filter_map(|name| name.parse().ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn named_in_connection(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

fn add_upgrade(headers: &mut HeaderMap, protocol: Option<HeaderValue>) {
    if let Some(protocol) = protocol {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol);
    }
}

/// Behind a default port the host has no port, behind any other it has one: the
/// listener's, unless the client named another.
fn set_host(headers: &mut HeaderMap, port: u16) {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return;
    };
    let (name, named) = split_port(host);
    let host = match (port, named) {
        (80 | 443, _) => name.to_owned(),
        (_, Some(_)) => return,
        (_, None) => format!("{name}:{port}"),
    };
    if let Ok(host) = HeaderValue::try_from(host) {
        headers.insert(HOST, host);
    }
}

/// A host's name, and its port if it has one.
pub fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => {
            (name, Some(port))
        }
        // What follows a colon can also be the end of an IPv6 address.
        _ => (host, None),
    }
}

fn append_forwarded_for(headers: &mut HeaderMap, client: IpAddr) {
    let mut chain: Vec<u8> = Vec::new();
    for line in headers.get_all(&FORWARDED_FOR) {
        chain.extend_from_slice(line.as_bytes());
        chain.extend_from_slice(b", ");
    }
    chain.extend_from_slice(client.to_string().as_bytes());
    if let Ok(chain) = HeaderValue::try_from(chain) {
        headers.insert(FORWARDED_FOR, chain);
    }
}

/// A trace begins with a `Root`; one that has begun elsewhere keeps its fields
/// and gets a new `Self`.
fn continue_trace(headers: &mut HeaderMap, id: &str) {
    let begun = headers.get(TRACE_ID).and_then(|trace| trace.to_str().ok());
    let trace = match begun {
        None => format!("Root={id}"),
        Some(begun) => begun
            .split(';')
            .filter(|field| !field.trim_start().starts_with("Self="))
            .fold(format!("Self={id}"), |trace, field| trace + ";" + field),
    };
    if let Ok(trace) = HeaderValue::try_from(trace) {
        headers.insert(TRACE_ID, trace);
    }
}

fn new_trace() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let chance = fastrand::u128(..) >> 32;
    format!("1-{now:08x}-{chance:024x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    fn sent(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = headers(pairs);
        to_target(&mut headers, CLIENT, 80, false);
        headers
    }

    #[test]
    fn the_target_learns_who_asked_and_where() {
        let sent = sent(&[("host", "shop.example.com")]);
        assert_eq!(sent["host"], "shop.example.com");
        assert_eq!(sent["x-forwarded-for"], "192.0.2.7");
        assert_eq!(sent["x-forwarded-proto"], "http");
        assert_eq!(sent["x-forwarded-port"], "80");
        let trace = sent["x-amzn-trace-id"].to_str().unwrap();
        let parts: Vec<usize> = trace.split('-').map(str::len).collect();
        assert!(trace.starts_with("Root=1-"), "{trace}");
        assert_eq!(parts, [6, 8, 24], "{trace}");
    }

    #[test]
    fn what_a_client_says_of_its_way_is_kept_and_continued() {
        let sent = sent(&[
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-proto", "https"),
        ]);
        assert_eq!(sent["x-forwarded-for"], "198.51.100.1, 192.0.2.7");
        assert_eq!(sent["x-forwarded-proto"], "http");
    }

    #[test]
    fn a_trace_that_has_begun_is_continued() {
        let continued = |trace: &'static str| {
            let mut headers = headers(&[("x-amzn-trace-id", trace)]);
            continue_trace(&mut headers, "1-new");
            headers["x-amzn-trace-id"].to_str().unwrap().to_owned()
        };
        assert_eq!(
            continued("Root=1-old;CalledFrom=app"),
            "Self=1-new;Root=1-old;CalledFrom=app"
        );
        assert_eq!(continued("Self=1-last;Root=1-old"), "Self=1-new;Root=1-old");
    }

    #[test]
    fn the_host_has_a_port_only_where_that_is_no_default() {
        let host = |host: &'static str, port| {
            let mut headers = headers(&[("host", host)]);
            to_target(&mut headers, CLIENT, port, false);
            headers["host"].to_str().unwrap().to_owned()
        };
        assert_eq!(host("shop.example.com:8080", 80), "shop.example.com");
        assert_eq!(host("shop.example.com", 81), "shop.example.com:81");
        assert_eq!(host("shop.example.com:8080", 81), "shop.example.com:8080");
        assert_eq!(host("[::1]", 80), "[::1]");
        assert_eq!(host("[::1]", 81), "[::1]:81");
    }

    #[test]
    fn headers_of_one_hop_do_not_go_on() {
        let pairs = [
            ("connection", "keep-alive, x-mine"),
            ("keep-alive", "timeout=5"),
            ("x-mine", "1"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("accept", "*/*"),
        ];
        let sent = sent(&pairs);
        for name in ["connection", "keep-alive", "x-mine", "te", "upgrade"] {
            assert!(!sent.contains_key(name), "{name}");
        }
        assert_eq!(sent["accept"], "*/*");
        let mut back = headers(&[("connection", "close"), ("transfer-encoding", "chunked")]);
        to_client(&mut back);
        assert!(back.is_empty());
    }

    #[test]
    fn a_change_of_protocol_goes_on() {
        let sent = sent(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
        ]);
        assert_eq!(sent["connection"], "Upgrade");
        assert_eq!(sent["upgrade"], "websocket");
        assert!(upgrade(&sent).is_some());
        assert!(upgrade(&headers(&[("upgrade", "websocket")])).is_none());
    }

    #[test]
    fn a_chunked_body_stays_chunked() {
        let sent = sent(&[("transfer-encoding", "chunked"), ("content-length", "3")]);
        assert_eq!(sent["transfer-encoding"], "chunked");
        assert!(!sent.contains_key("content-length"));
    }
}
