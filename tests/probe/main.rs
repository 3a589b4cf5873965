//! `bgecs probe --url` against servers of its own: any address, from an empty
//! folder, without AWS.

#[path = "../support/signal.rs"]
mod signal;
#[path = "../support/mod.rs"]
mod support;

mod certificate;
mod server;
mod standing_still;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use hyper::{Method, Version};
use serde_json::json;

use certificate::Authority;
use server::{Reply, Server};
use support::{Desk, Ended, Outcome};

const HOME: [IpAddr; 1] = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
const NODES: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3)),
];

/// Probes for half a second.
fn probe(desk: &Desk, url: &str, more: &[&str]) -> Outcome<Ended> {
    let line = ["probe", "--url", url, "--duration", "500ms", "--rate", "50"];
    desk.bgecs(&[&line[..], more, &["--json"]].concat())
}

/// Three failures come first, then it is well.
fn three_failures(n: usize) -> Reply {
    match n {
        0..3 => (503, "sorry"),
        _ => (200, "all well"),
    }
}

#[test]
fn what_is_tolerated_decides_the_exit_code() -> Outcome {
    // Neither a configuration nor a region nor credentials.
    let desk = Desk::empty()?;
    for (more, code, outcome, failed) in [
        ("", 1, "failed", 3),
        ("--max-failures 2", 1, "failed", 3),
        ("--max-failures 3", 0, "ok", 3),
        ("--max-failure-rate 0.1%", 1, "failed", 3),
        ("--max-failure-rate 80%", 0, "ok", 3),
        ("--expect-status 2xx,503", 0, "ok", 0),
        ("--expect-status 503 --max-failures 1", 1, "failed", -3),
        ("--expect-body well$ --max-failures 3", 0, "ok", 3),
        (
            "--expect-body sorry --expect-status 2xx,503",
            1,
            "failed",
            -3,
        ),
    ] {
        let server = Server::start(&HOME, None, three_failures)?;
        let more: Vec<&str> = more.split_whitespace().collect();
        let ended = probe(&desk, &format!("http://{}/", server.address()), &more)?;
        let seen = ended.json()?;
        let sent = seen["probe"]["sent"].as_i64().ok_or("a number")?;
        // Below zero: all but so many.
        let failed = if failed < 0 { sent + failed } else { failed };
        assert_eq!(ended.code, Some(code), "{}", ended.shown());
        assert_eq!(seen["outcome"], outcome, "{}", ended.shown());
        assert_eq!(seen["probe"]["failed"], failed, "{}", ended.shown());
        assert_eq!(seen["probe"]["ok"], sent - failed, "{}", ended.shown());
        assert_eq!(server.asked().len() as i64, sent, "{}", ended.shown());
    }
    Ok(())
}

/// By each request, over connections of both kinds; and shown to nobody else, though
/// the app repeats it.
#[test]
fn a_secret_header_goes_with_each_request_and_is_told_to_nobody() -> Outcome {
    let desk = Desk::empty()?.env("ORIGIN_VERIFY", "hunter22");
    let server = Server::start(&HOME, None, |_| (200, "you said hunter22"))?;
    let url = format!("http://{}/", server.address());
    let header = |from| ["--secret-header", from];
    let [flag, kept] = header("X-Origin-Verify=env:ORIGIN_VERIFY");
    let more = [flag, kept, "--report", "seen.html", "-vvv"];
    let ended = probe(&desk, &url, &more)?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let asked = server.asked();
    assert!(!asked.is_empty());
    assert!(
        asked
            .iter()
            .all(|it| it.headers["x-origin-verify"] == "hunter22")
    );
    let report = std::fs::read_to_string(desk.path().join("seen.html"))?;
    for text in [&ended.stdout, &ended.stderr, &report] {
        assert!(!text.contains("hunter"), "{text}");
    }

    // Said ahead of the first request.
    for (from, part) in [
        ("x-origin-verify=env:NOT_SET", "NOT_SET is empty or not set"),
        ("x-origin-verify=hunter22", "whole ARN"),
    ] {
        let ended = probe(&desk, &url, &header(from))?;
        assert_eq!(ended.code, Some(2), "{}", ended.shown());
        assert!(ended.stdout.contains(part), "{}", ended.shown());
        assert!(!ended.stdout.contains("hunter"), "{}", ended.shown());
    }
    assert_eq!(server.asked().len(), asked.len());
    Ok(())
}

#[test]
fn an_answer_with_another_body_is_told_from_one_with_another_status() -> Outcome {
    let server = Server::start(&HOME, None, three_failures)?;
    let url = format!("http://{}/", server.address());
    let seen = probe(&Desk::empty()?, &url, &["--expect-body", "nowhere"])?.json()?;
    let failures = seen["probe"]["failures"].as_array().ok_or("a list")?;
    let whys: BTreeSet<String> = failures
        .iter()
        .map(|failure| {
            json!([failure["status"], failure["unexpected"], failure["why"]]).to_string()
        })
        .collect();
    let expected = [r#"[200,"body",null]"#, r#"[503,"status",null]"#];
    let expected = expected.map(str::to_owned).into();
    assert_eq!(whys, expected, "{seen:#}");
    Ok(())
}

#[test]
fn a_person_says_what_is_sent() -> Outcome {
    let server = Server::start(&HOME, None, |_| (200, ""))?;
    let url = format!("http://{}/a?b=c", server.address());
    let more = [
        "--method",
        "PUT",
        "--header",
        "x-team: shop",
        "--header",
        "Host: shop.example",
    ];
    let ended = probe(&Desk::empty()?, &url, &more)?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let asked = server.asked();
    assert!(asked.len() > 1, "{}", ended.shown());
    for asked in asked {
        assert_eq!((&asked.method, &*asked.path), (&Method::PUT, "/a?b=c"));
        assert_eq!(asked.headers["x-team"], "shop");
        let hosts = asked.headers.get_all("host").iter();
        assert_eq!(hosts.collect::<Vec<_>>(), ["shop.example"]);
    }
    Ok(())
}

#[test]
fn every_node_that_is_named_is_asked_over_both_kinds_of_connection() -> Outcome {
    let server = Server::start(&NODES, None, |_| (200, ""))?;
    let through: Vec<String> = NODES
        .iter()
        .map(|node| format!("{node}:{}", server.port()))
        .collect();
    // Nobody looks the host up.
    let more = ["--connect-to", &through.join(",")];
    let ended = probe(&Desk::empty()?, "http://shop.invalid/", &more)?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let seen = ended.json()?;
    let nodes = seen["probe"]["nodes"].as_array().ok_or("a list")?;
    let names: Vec<_> = nodes.iter().map(|node| node["node"].clone()).collect();
    assert_eq!(names, NODES.map(|node| json!(node)), "{seen:#}");
    for (node, told) in NODES.iter().zip(nodes) {
        let sent = ["fresh", "reused"].map(|kind| told["connections"][kind]["sent"].as_u64());
        assert!(sent.iter().all(|sent| *sent > Some(1)), "{told:#}");
        let came = server
            .asked()
            .iter()
            .filter(|asked| asked.node == *node)
            .count() as u64;
        assert_eq!(sent.iter().flatten().sum::<u64>(), came, "{told:#}");
    }
    let hosts = server.asked().into_iter();
    assert!(
        hosts
            .map(|asked| asked.headers["host"].clone())
            .all(|host| host == "shop.invalid")
    );
    Ok(())
}

#[test]
fn https_is_spoken_in_both_versions_to_whom_a_root_vouches_for() -> Outcome {
    let authority = Authority::new()?;
    let server = Server::start(&HOME, Some(&authority.vouch_for("localhost")?), |_| {
        (200, "")
    })?;
    let desk = Desk::empty()?;
    let ours = desk.write("ours.pem", &authority.root())?;
    let other = desk.write("other.pem", &Authority::new()?.root())?;
    let desk = desk.env("SSL_CERT_FILE", &ours.display().to_string());
    let url = format!("https://localhost:{}/", server.port());
    for (more, version) in [
        (&[][..], Version::HTTP_2),
        (&["--http", "2"], Version::HTTP_2),
        (&["--http", "1.1"], Version::HTTP_11),
    ] {
        let before = server.asked().len();
        let ended = probe(&desk, &url, more)?;
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        let asked = server.asked().split_off(before);
        assert!(asked.len() > 1, "{}", ended.shown());
        assert!(
            asked.iter().all(|asked| asked.version == version),
            "{asked:?}"
        );
    }

    // A name that the certificate does not have, and a root that vouched for none.
    let before = server.asked().len();
    let by_address = format!("https://{}/", server.address());
    let misnamed = probe(&desk, &by_address, &[])?;
    let stranger = desk.env("SSL_CERT_FILE", &other.display().to_string());
    for ended in [misnamed, probe(&stranger, &url, &[])?] {
        assert_eq!(ended.code, Some(1), "{}", ended.shown());
        let seen = ended.json()?;
        let failures = seen["probe"]["failures"].as_array().ok_or("a list")?;
        assert_eq!(seen["probe"]["failed"], seen["probe"]["sent"], "{seen:#}");
        assert!(failures.len() > 1, "{seen:#}");
        let mut whys = failures.iter().map(|failure| &failure["why"]);
        assert!(whys.all(|why| why == "tls"), "{seen:#}");
    }
    assert_eq!(server.asked().len(), before);
    let ours = ours.display().to_string();
    let told = probe(&stranger, &url, &["--ca-file", &ours])?;
    assert_eq!(told.code, Some(0), "{}", told.shown());
    Ok(())
}
