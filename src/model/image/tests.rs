use serde_json::json;

use super::*;

fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

#[test]
fn platforms_are_read_as_docker_reads_them() {
    for (text, read) in [
        ("linux/amd64", "linux/amd64"),
        ("LINUX/ARM64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("amd64", "linux/amd64"),
        ("x86_64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("linux/x86-64", "linux/amd64"),
        ("linux/armhf", "linux/arm/v7"),
        ("i386", "linux/386"),
        ("windows/amd64", "windows/amd64"),
    ] {
        assert_eq!(platform(text).to_string(), read, "{text}");
    }
    for text in [
        "",
        "/",
        "linux",
        "linux/",
        "linux/amd64,linux/arm64",
        "a/b/c/d",
        "linux/arm 64",
    ] {
        let error = text.parse::<Platform>().expect_err(text);
        assert!(error.contains("is not a platform"), "{error}");
    }
}

#[test]
fn fargate_runs_two_of_them() {
    let any = RunsOn::default();
    for (text, cpu) in [
        ("linux/amd64", Some(CpuArchitecture::X86_64)),
        ("linux/amd64/v2", Some(CpuArchitecture::X86_64)),
        ("linux/arm64", Some(CpuArchitecture::Arm64)),
        ("linux/arm64/v8", Some(CpuArchitecture::Arm64)),
        ("linux/arm/v7", None),
        ("linux/386", None),
        ("linux/s390x", None),
        ("linux/riscv64", None),
        ("darwin/arm64", None),
        ("windows/amd64", None),
        ("unknown/unknown", None),
    ] {
        assert_eq!(any.cpu_for(&platform(text)), cpu, "{text}");
    }
    let arm = RunsOn {
        architecture: Some(CpuArchitecture::Arm64),
        windows: false,
    };
    assert_eq!(arm.cpu_for(&platform("linux/amd64")), None);
    assert_eq!(arm.platform(), Some(platform("linux/arm64")));
    assert_eq!(any.platform(), None);
    let windows = RunsOn {
        windows: true,
        ..any
    };
    let cpu = windows.cpu_for(&platform("windows/amd64"));
    assert_eq!(cpu, Some(CpuArchitecture::X86_64));
    assert_eq!(windows.cpu_for(&platform("linux/amd64")), None);
}

fn config() -> Value {
    json!({
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
        "created": "2026-11-28T10:00:00Z",
        "config": {
            "Env": ["PATH=/bin"],
            "Cmd": ["/app"],
            "Labels": { "team": "a", LABEL_COMMIT: "c1" },
        },
        "rootfs": { "type": "layers", "diff_ids": ["sha256:1", "sha256:2"] },
        "history": [{ "created": "2026-11-28T10:00:00Z" }],
    })
}

#[test]
fn what_runs_the_same_is_told_by_what_runs() {
    let one = Contents::of_config(&config()).unwrap();
    assert_eq!(one.platform.to_string(), "linux/arm64/v8");
    type Change = (&'static str, fn(&mut Value), bool);
    let changes: [Change; 9] = [
        ("time", |it| it["created"] = json!("2027"), true),
        ("variant", |it| it["variant"] = Value::Null, true),
        (
            "commit",
            |it| it["config"]["Labels"][LABEL_COMMIT] = json!("c2"),
            true,
        ),
        (
            "nothing said",
            |it| it["config"]["Entrypoint"] = json!([]),
            true,
        ),
        (
            "label",
            |it| it["config"]["Labels"]["team"] = json!("b"),
            false,
        ),
        ("env", |it| it["config"]["Env"][0] = json!("PATH=/"), false),
        ("user", |it| it["config"]["User"] = json!("app"), false),
        (
            "layer",
            |it| it["rootfs"]["diff_ids"][1] = json!("sha256:3"),
            false,
        ),
        (
            "architecture",
            |it| it["architecture"] = json!("amd64"),
            false,
        ),
    ];
    for (name, change, is_same) in changes {
        let mut other = config();
        change(&mut other);
        let other = Contents::of_config(&other).unwrap();
        assert_eq!(one.runs_the_same(&other), is_same, "{name}");
    }
}

#[test]
fn what_is_no_image_is_no_image() {
    for other in [
        json!({}),
        json!({ "architecture": "amd64", "os": "linux" }),
        json!({ "architecture": "amd64", "os": "linux", "rootfs": { "diff_ids": [1] } }),
    ] {
        assert_eq!(Contents::of_config(&other), None, "{other}");
    }
}

#[test]
fn labels_tell_where_it_was_built_from() {
    let labelled = |labels: Value| {
        let mut config = config();
        config["config"]["Labels"] = labels;
        Contents::of_config(&config).unwrap()
    };
    let now = labelled(json!({ LABEL_COMMIT: "c2", LABEL_CONTEXT: "t1" }));
    for (labels, is_from) in [
        (json!({ LABEL_COMMIT: "c2", LABEL_CONTEXT: "t1" }), true),
        // CI's own image.
        (json!({ LABEL_COMMIT: "c2" }), true),
        // A commit that changed something else.
        (json!({ LABEL_COMMIT: "c1", LABEL_CONTEXT: "t1" }), true),
        (json!({ LABEL_COMMIT: "c2", LABEL_CONTEXT: "t2" }), false),
        (json!({ LABEL_COMMIT: "c1" }), false),
        (json!({}), false),
    ] {
        let other = labelled(labels.clone());
        assert_eq!(other.is_from_where(&now), is_from, "{labels}");
        assert_eq!(now.is_from_where(&other), is_from, "{labels}");
    }
    // What is not committed has no source to name.
    let bare = labelled(json!({}));
    assert!(!bare.is_from_where(&bare));
}
