use std::path::Path;

use super::{EngineAddress, Settings};
use crate::docker::contexts::testing::{keep, meta};

fn addresses(settings: &Settings) -> Vec<String> {
    let endpoints = settings.endpoints().expect("the settings are right");
    endpoints.iter().map(EngineAddress::to_string).collect()
}

/// An authority's certificate.
fn certificate() -> String {
    let key = rcgen::generate_simple_self_signed(vec!["engine".to_owned()]).expect("a key");
    key.cert.pem()
}

#[test]
fn docker_host_stands_alone() {
    for (host, expected) in [
        ("unix:///x/docker.sock", "unix:///x/docker.sock"),
        ("tcp://10.0.0.1:2375", "tcp://10.0.0.1:2375"),
        ("tcp://dind", "tcp://dind:2375"),
        ("tcp://[::1]:4000/", "tcp://[::1]:4000"),
        ("tcp://[::1]", "tcp://[::1]:2375"),
        ("dind:99", "tcp://dind:99"),
        ("ssh://me@there", "ssh://me@there"),
    ] {
        let settings = Settings {
            host: Some(host.to_owned()),
            context: Some("gone".to_owned()),
            home: Some("/home/me".into()),
            ..Settings::default()
        };
        assert_eq!(addresses(&settings), [expected]);
    }
}

#[test]
fn hosts_that_cannot_be_used_are_refused() {
    for (host, tls_verify, expected) in [
        ("ssh://me:hunter22@there", false, "password"),
        ("unix://", false, "names no address"),
        ("tcp://x", true, "ca.pem"),
        ("npipe:////./pipe/docker_engine", false, "Windows"),
        ("fd://", false, "names no address"),
        ("gopher://x", false, "no scheme `gopher`"),
    ] {
        let settings = Settings {
            host: Some(host.to_owned()),
            tls_verify,
            cert_path: Some("/nowhere".into()),
            ..Settings::default()
        };
        let error = settings.endpoints().err().expect("it is refused");
        let text = error.to_string();
        assert!(
            text.contains(expected) && !text.contains("hunter"),
            "{text}"
        );
        assert!(error.hint().is_some());
    }
}

#[test]
fn the_default_sockets_are_tried_in_order() {
    let settings = Settings {
        runtime_dir: Some("/run/user/7".into()),
        home: Some("/home/me".into()),
        ..Settings::default()
    };
    assert_eq!(
        addresses(&settings),
        [
            "unix:///var/run/docker.sock",
            "unix:///run/user/7/docker.sock",
            "unix:///home/me/.docker/run/docker.sock",
            "unix:///home/me/.docker/desktop/docker.sock",
        ]
    );
}

fn settings(config: &Path, context: Option<&str>) -> Settings {
    Settings {
        context: context.map(str::to_owned),
        config: Some(config.to_owned()),
        ..Settings::default()
    }
}

#[test]
fn the_context_in_use_is_followed() {
    let config = tempfile::tempdir().expect("a folder");
    let at = config.path();
    keep(at, "colima", &meta("colima", "unix:///c.sock", false), &[]);
    assert_eq!(
        addresses(&settings(at, None)),
        ["unix:///var/run/docker.sock"]
    );
    assert_eq!(addresses(&settings(at, Some("colima"))), ["unix:///c.sock"]);
    assert!(settings(at, Some("gone")).endpoints().is_err());

    let current = r#"{"auths":{},"currentContext":"colima"}"#;
    std::fs::write(at.join("config.json"), current).expect("a file");
    assert_eq!(addresses(&settings(at, None)), ["unix:///c.sock"]);
    assert_eq!(
        addresses(&settings(at, Some("default"))),
        ["unix:///var/run/docker.sock"]
    );
}

#[test]
fn a_context_brings_its_own_certificates() {
    let config = tempfile::tempdir().expect("a folder");
    let at = config.path();
    let pem = certificate();
    keep(at, "plain", &meta("plain", "tcp://a:1", false), &[]);
    keep(at, "https", &meta("https", "https://a", false), &[]);
    keep(
        at,
        "tls",
        &meta("tls", "tcp://a", false),
        &[("ca.pem", &pem)],
    );
    keep(at, "skips", &meta("skips", "tcp://a:1", true), &[]);
    keep(at, "far", &meta("far", "ssh://me@there:2222", true), &[]);
    for tls_verify in [false, true] {
        for (name, expected) in [
            ("plain", "tcp://a:1"),
            ("https", "tcp://a:2376 (TLS)"),
            ("tls", "tcp://a:2376 (TLS)"),
            ("skips", "tcp://a:1 (TLS)"),
            ("far", "ssh://me@there:2222"),
        ] {
            let settings = Settings {
                tls_verify,
                ..settings(at, Some(name))
            };
            assert_eq!(addresses(&settings), [expected], "{tls_verify}");
        }
    }
    keep(
        at,
        "bad",
        &meta("bad", "tcp://a:1", false),
        &[("ca.pem", "no")],
    );
    let error = settings(at, Some("bad"))
        .endpoints()
        .err()
        .expect("corrupt");
    let text = error.to_string();
    assert!(
        text.contains("context bad") && text.contains("ca.pem"),
        "{text}"
    );
}

#[test]
fn the_variables_for_tls_are_those_of_the_default_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), certificate()).expect("a file");
    let verifying = Settings {
        tls_verify: true,
        cert_path: Some(folder.path().to_owned()),
        ..Settings::default()
    };
    assert_eq!(addresses(&verifying), ["tcp://localhost:2376 (TLS)"]);
    let trusting = Settings {
        tls: true,
        tls_verify: false,
        host: Some("tcp://dind".to_owned()),
        ..verifying
    };
    assert_eq!(addresses(&trusting), ["tcp://dind:2376 (TLS)"]);
}
