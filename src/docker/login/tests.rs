use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::json;

use super::config::FoundLogin;
use super::*;

#[test]
fn the_header_is_url_safe_and_sensitive() {
    let login = Login::Password {
        username: "AWS".to_owned(),
        password: "???>>>~~~".to_owned(),
    };
    let (name, value) = login.header("1.dkr.ecr");
    assert_eq!(name, "x-registry-auth");
    assert!(value.is_sensitive());
    assert!(!format!("{value:?} {login:?}").contains('>'));
    let text = value.to_str().expect("it is ASCII");
    assert!(!text.contains(['+', '/']), "{text}");
    let json = URL_SAFE.decode(text).expect("it is base64");
    assert_eq!(
        String::from_utf8_lossy(&json),
        r#"{"username":"AWS","password":"???>>>~~~","serveraddress":"1.dkr.ecr"}"#
    );
}

#[test]
fn a_registry_that_repeats_a_login_is_not_repeated() {
    let login = Login::Password {
        username: "AWS".to_owned(),
        password: "hunter22".to_owned(),
    };
    let said = "unauthorized: Basic QVdTOmh1bnRlcjIy is AWS with hunter22";
    assert_eq!(
        login.mask().apply(said),
        "unauthorized: Basic *** is AWS with ***"
    );
    let token = Login::IdentityToken("hunter22".to_owned());
    assert_eq!(token.mask().apply("no hunter22 here"), "no *** here");
    assert_eq!(Login::Anonymous.mask().apply(said), said);
}

#[test]
fn a_token_and_nothing_are_headers_too() {
    let decode = |login: Login| {
        let (_, value) = login.header("r");
        String::from_utf8(URL_SAFE.decode(value).expect("base64")).expect("JSON")
    };
    assert_eq!(
        decode(Login::IdentityToken("t".to_owned())),
        r#"{"identitytoken":"t","serveraddress":"r"}"#
    );
    assert_eq!(decode(Login::Anonymous), r#"{"serveraddress":"r"}"#);
}

fn password(username: &str, password: &str) -> Login {
    Login::Password {
        username: username.to_owned(),
        password: password.to_owned(),
    }
}

fn auth(text: &str) -> String {
    STANDARD.encode(text)
}

/// A folder with this `config.json`.
fn configured(config: &Value) -> (tempfile::TempDir, LoginSettings) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    fs::write(&file, config.to_string()).unwrap();
    let settings = LoginSettings {
        file: Some(file),
        auths: None,
        helpers: Some(folder.path().to_owned()),
    };
    (folder, settings)
}

fn helper(folder: &Path, name: &str, script: &str) {
    let path = folder.join(format!("docker-credential-{name}"));
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_stands_in_the_file_is_read_as_docker_reads_it() {
    let (a, t) = (password("a", "b:c"), Login::IdentityToken("t".to_owned()));
    for (entry, login) in [
        (json!({ "auth": auth("a:b:c") }), &a),
        (json!({ "auth": auth("a:b:c").trim_end_matches('=') }), &a),
        (json!({ "auth": auth("a:b:c"), "identitytoken": "" }), &a),
        (json!({ "auth": auth("a:b:c"), "identitytoken": null }), &a),
        (
            json!({ "auth": auth("a:b:c"), "username": "x", "password": "y" }),
            &a,
        ),
        (
            json!({ "auth": "", "username": "a", "password": "b:c" }),
            &a,
        ),
        (json!({ "username": "a", "password": "b:c" }), &a),
        (
            json!({ "auth": null, "username": "a", "password": "b:c", "email": "e" }),
            &a,
        ),
        (json!({ "auth": auth("a:b:c"), "identitytoken": "t" }), &t),
        (json!({ "identitytoken": "t" }), &t),
        (json!({}), &Login::Anonymous),
        (json!({ "auth": "" }), &Login::Anonymous),
        (json!({ "identitytoken": "" }), &Login::Anonymous),
        (Value::Null, &Login::Anonymous),
    ] {
        let config = json!({ "auths": { "other.io": null, "r.io": entry, "third.io": 7 } });
        let (_folder, settings) = configured(&config);
        let found = settings.login_for("r.io");
        assert!(
            found.login == *login && found.why.is_none(),
            "{config}: {found:?}"
        );
        assert_eq!(settings.login_for("other.io").login, Login::Anonymous);
    }
}

#[test]
fn keys_of_older_versions_and_of_docker_hub_are_found() {
    let config = json!({ "auths": {
        "https://r.io:5000/v1/": { "auth": auth("a:1") },
        "https://index.docker.io/v1/": { "auth": auth("hub:1") },
    } });
    let (_folder, settings) = configured(&config);
    for (registry, login) in [
        ("r.io:5000", password("a", "1")),
        ("docker.io", password("hub", "1")),
        ("registry-1.docker.io", password("hub", "1")),
        ("r.io", Login::Anonymous),
    ] {
        assert_eq!(settings.login_for(registry).login, login, "{registry}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_costs_one_registry() {
    let config = json!({ "auths": { "r.io": { "auth": "???" }, "s.io": { "auth": auth("a:1") } } });
    let (folder, settings) = configured(&config);
    let found = settings.login_for("r.io");
    assert_eq!(found.login, Login::Anonymous);
    let why = found.why.unwrap();
    assert!(why.contains("r.io") && why.contains("config.json"), "{why}");
    assert_eq!(settings.login_for("s.io").login, password("a", "1"));

    fs::write(folder.path().join("config.json"), "{\"auths\": hunter22").unwrap();
    let why = settings.login_for("s.io").why.unwrap();
    assert!(
        why.contains("is not JSON (line 1") && !why.contains("hunter22"),
        "{why}"
    );
    for nothing in ["", " \n"] {
        fs::write(folder.path().join("config.json"), nothing).unwrap();
        assert_eq!(settings.login_for("s.io").why, None);
    }
    fs::remove_file(folder.path().join("config.json")).unwrap();
    assert_eq!(settings.login_for("s.io").why, None);
}

#[test]
fn helpers_are_asked_for_their_registry() {
    let (folder, settings) = configured(&json!({
        "auths": { "plain.io": { "auth": auth("a:1") }, "lost.io": { "auth": auth("a:2") } },
        "credsStore": "store",
        "credHelpers": { "token.io": "token", "plain.io": "", "lost.io": "lost", "bad.io": "bad" },
    }));
    let folder = folder.path();
    helper(
        folder,
        "store",
        r#"read host; [ "$host" = none.io ] && echo "credentials not found in native keychain" && exit 1; echo "{\"Username\":\"store\",\"Secret\":\"$host\"}""#,
    );
    helper(
        folder,
        "token",
        r#"echo '{"Username":"<token>","Secret":"t"}'"#,
    );
    helper(
        folder,
        "bad",
        r#"echo '{"Secret":"hunter22"'; echo "no agent is running"; exit 3"#,
    );
    for (registry, login) in [
        ("r.io", password("store", "r.io")),
        (
            "docker.io",
            password("store", "https://index.docker.io/v1/"),
        ),
        ("token.io", Login::IdentityToken("t".to_owned())),
        ("plain.io", password("a", "1")),
        ("none.io", Login::Anonymous),
    ] {
        let found = settings.login_for(registry);
        assert_eq!(found, FoundLogin { login, why: None }, "{registry}");
    }
    // As with Docker, the file counts then.
    let lost = settings.login_for("lost.io");
    assert_eq!(lost.login, password("a", "2"));
    let why = lost.why.unwrap();
    assert!(
        why.starts_with("the credential helper docker-credential-lost (credHelpers in "),
        "{why}"
    );
    assert!(why.ends_with("config.json) is not in PATH"), "{why}");
    let bad = settings.login_for("bad.io");
    assert_eq!(bad.login, Login::Anonymous);
    let why = bad.why.unwrap();
    assert!(
        why.ends_with("failed (exit status: 3): no agent is running"),
        "{why}"
    );
}

#[test]
fn the_variable_counts_for_more_than_the_file() {
    let config =
        json!({ "auths": { "r.io": { "auth": auth("a:1") }, "s.io": { "auth": auth("a:1") } } });
    let (_folder, mut settings) = configured(&config);
    let auths = json!({ "auths": { "r.io": { "auth": auth("b:2") } } });
    settings.auths = Some(auths.to_string().into());
    assert_eq!(settings.login_for("r.io").login, password("b", "2"));
    assert_eq!(settings.login_for("s.io").login, password("a", "1"));
    settings.auths = Some("{".into());
    let found = settings.login_for("r.io");
    assert_eq!(found.login, password("a", "1"));
    assert_eq!(
        found.why.as_deref(),
        Some("DOCKER_AUTH_CONFIG cannot be read")
    );
}

#[tokio::test]
async fn a_login_that_was_issued_serves_where_the_user_has_none() {
    let (_folder, settings) = configured(&json!({
        "auths": { "own.io": { "auth": auth("a:1") } },
        "credHelpers": { "app.io": "lost", "other.io": "lost" },
    }));
    let logins = Logins::new(settings, |registry| {
        let is_for = ["own.io", "app.io"].contains(&registry);
        is_for.then(|| Credentials::new("AWS", "token"))
    });
    assert_eq!(logins.of("own.io").await, password("a", "1"));
    assert_eq!(logins.of("app.io").await, password("AWS", "token"));
    assert_eq!(logins.doubts(), []);
    assert_eq!(logins.of("other.io").await, Login::Anonymous);
    assert_eq!(logins.of("public.io").await, Login::Anonymous);
    assert_eq!(logins.doubt_of("public.io"), None);
    let doubt = logins.doubt_of("other.io").unwrap().to_string();
    assert!(
        doubt.starts_with(
            "no login was sent to other.io: the credential helper docker-credential-lost"
        ),
        "{doubt}"
    );
}

#[tokio::test]
async fn a_login_of_ecr_s_that_has_expired_is_none() {
    let token = |expiration: i64| {
        let token = json!({ "payload": "p", "version": "2", "expiration": expiration });
        auth(&format!("AWS:{}", STANDARD.encode(token.to_string())))
    };
    let (_folder, settings) = configured(&json!({ "auths": {
        "old.io": { "auth": token(1_700_000_000) },
        "older.io": { "auth": token(1_600_000_000) },
        "good.io": { "auth": token(9_900_000_000) },
    } }));
    let fresh = password("AWS", "fresh");
    let issued = |registry: &str| registry != "older.io";
    let logins = Logins::new(settings, move |registry| {
        issued(registry).then(|| Credentials::new("AWS", "fresh"))
    });
    assert_eq!(logins.of("old.io").await, fresh);
    assert_ne!(logins.of("good.io").await, fresh);
    assert_eq!(logins.of("older.io").await, Login::Anonymous);
    let doubt = logins.doubt_of("older.io").unwrap().to_string();
    assert_eq!(
        doubt,
        "no login was sent to older.io: the one that Docker keeps for it has expired"
    );
}
