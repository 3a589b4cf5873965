use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::testing::observed;
use crate::model::{LABEL_COMMIT, Tag};

const REPOSITORY: &str = "bgecs-hello";
const URI: &str = "1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello";
const URL: &str = "https://store.example/config";

fn digest_of(text: &str) -> Digest {
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}").parse().unwrap()
}

fn config(architecture: &str, commit: &str, layer: &str) -> Value {
    json!({
        "architecture": architecture,
        "os": "linux",
        "created": commit,
        "config": { "Cmd": ["/app"], "Labels": { LABEL_COMMIT: commit } },
        "rootfs": { "diff_ids": [layer] },
    })
}

fn manifest_of(config: &Value) -> Value {
    json!({
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest_of(&config.to_string()),
        },
        "layers": [],
    })
}

fn index_of(manifests: &[(&Value, Option<Value>)]) -> Value {
    let entry = |(manifest, platform): &(&Value, Option<Value>)| {
        let mut entry = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest_of(&manifest.to_string()),
        });
        if let Some(platform) = platform {
            entry["platform"] = platform.clone();
        }
        entry
    };
    let entries: Vec<Value> = manifests.iter().map(entry).collect();
    json!({ "schemaVersion": 2, "manifests": entries })
}

fn holds(wire: Wire, manifest: &Value) -> Wire {
    let text = manifest.to_string();
    wire.on(
        "BatchGetImage",
        Reply::json(&json!({ "images": [{
            "imageId": { "imageDigest": digest_of(&text) },
            "imageManifest": text,
        }] })),
    )
}

fn gives(wire: Wire, config: &Value) -> Wire {
    let body = config.to_string();
    wire.on(
        "GetDownloadUrlForLayer",
        Reply::json(&json!({ "downloadUrl": URL })),
    )
    .on(URL, Reply::Http { status: 200, body })
}

async fn found(session: &Session, name: &str) -> Option<Stored> {
    let reference = Reference::parse(name).unwrap();
    find(session, &observed(), &reference).await.unwrap()
}

async fn cpu(session: &Session, stored: &Stored, wanted: RunsOn) -> Result<CpuArchitecture> {
    architecture(session, REPOSITORY, "it", stored, wanted).await
}

#[tokio::test]
async fn only_names_of_the_apps_repository_are_asked_for_there() {
    let image = manifest_of(&config("amd64", "c", "l"));
    let wire = holds(holds(Wire::new(), &image), &image);
    let session = Session::of_hello(wire.aws());
    let digest = digest_of(&image.to_string());
    for name in [
        "ghcr.io/acme/hello:2".to_owned(),
        "bgecs-hello:2".to_owned(),
        format!("{URI}-2:2"),
        digest.to_string(),
    ] {
        assert_eq!(found(&session, &name).await, None, "{name}");
    }
    assert!(wire.requests().is_empty());
    for name in [format!("{URI}:2"), format!("{URI}@{digest}")] {
        let stored = found(&session, &name).await.expect("it is there");
        assert_eq!(stored.digest, digest);
    }
    let asked: Vec<Value> = wire
        .requests()
        .iter()
        .map(|request| request.json()["imageIds"][0].clone())
        .collect();
    assert_eq!(
        asked,
        [json!({ "imageTag": "2" }), json!({ "imageDigest": digest })]
    );
}

#[tokio::test]
async fn ecr_tells_what_an_image_runs_on() {
    let (arm, old) = (config("arm64", "c", "l"), config("386", "c", "l"));
    let wire = holds(Wire::new(), &manifest_of(&arm));
    let wire = gives(gives(gives(wire, &arm), &arm), &arm);
    let session = Session::of_hello(wire.aws());
    let stored = found(&session, URI).await.unwrap();
    let any = RunsOn::default();
    let wants = |cpu| RunsOn {
        architecture: Some(cpu),
        windows: false,
    };
    let arm64 = CpuArchitecture::Arm64;
    assert_eq!(cpu(&session, &stored, any).await.unwrap(), arm64);
    assert_eq!(cpu(&session, &stored, wants(arm64)).await.unwrap(), arm64);
    let x86 = wants(CpuArchitecture::X86_64);
    let refused = cpu(&session, &stored, x86).await.unwrap_err();
    assert_eq!(
        refused.message,
        "the image is for linux/arm64, and its tasks are to run on linux/amd64"
    );

    let wire = gives(holds(Wire::new(), &manifest_of(&old)), &old);
    let session = Session::of_hello(wire.aws());
    let stored = found(&session, URI).await.unwrap();
    let refused = cpu(&session, &stored, any).await.unwrap_err();
    assert_eq!(
        refused.message,
        "these tasks cannot run an image for linux/386 on Fargate"
    );
}

#[tokio::test]
async fn out_of_an_index_the_wanted_image_is_chosen() {
    let (amd, arm) = (config("amd64", "c", "l"), config("arm64", "c", "l"));
    let (amd_image, arm_image) = (manifest_of(&amd), manifest_of(&arm));
    let platform = |architecture| Some(json!({ "os": "linux", "architecture": architecture }));
    let unknown = Some(json!({ "os": "unknown", "architecture": "unknown" }));
    let index = index_of(&[
        (&arm_image, platform("arm64")),
        (&amd_image, platform("amd64")),
        (&amd_image, unknown),
    ]);
    let wire = holds(Wire::new(), &index);
    let session = Session::of_hello(wire.aws());
    let stored = found(&session, URI).await.unwrap();
    assert_eq!(stored.digest, digest_of(&index.to_string()));
    for (wanted, expected) in [
        (None, CpuArchitecture::X86_64),
        (Some(CpuArchitecture::X86_64), CpuArchitecture::X86_64),
        (Some(CpuArchitecture::Arm64), CpuArchitecture::Arm64),
    ] {
        let wanted = RunsOn {
            architecture: wanted,
            windows: false,
        };
        assert_eq!(cpu(&session, &stored, wanted).await.unwrap(), expected);
    }

    // An index that leaves the platform to its images.
    let wire = holds(Wire::new(), &index_of(&[(&arm_image, None)]));
    let wire = gives(holds(wire, &arm_image), &arm);
    let session = Session::of_hello(wire.aws());
    let stored = found(&session, URI).await.unwrap();
    let chosen = cpu(&session, &stored, RunsOn::default()).await.unwrap();
    assert_eq!(chosen, CpuArchitecture::Arm64);
}

fn engines(id: &Digest, config: &Value) -> LocalImage {
    LocalImage {
        id: id.to_string(),
        contents: Contents::of_config(config).unwrap(),
        repo_digests: [].into(),
    }
}

async fn compared(wire: &Wire, image: &LocalImage) -> Beside {
    let session = Session::of_hello(wire.aws());
    let tag: Tag = "2".parse().unwrap();
    let key = Key::Tag(&tag);
    let stored = session.aws.stored_image(REPOSITORY, key).await.unwrap();
    let beside = compare(&session, REPOSITORY, &stored.unwrap(), image).await;
    wire.assert_used_up();
    beside.unwrap()
}

#[tokio::test]
async fn an_image_is_the_same_by_its_configuration_or_by_what_it_runs() {
    let theirs = config("amd64", "c1", "l1");
    let image = manifest_of(&theirs);
    let platform = |architecture| Some(json!({ "os": "linux", "architecture": architecture }));
    let index = index_of(&[(&image, platform("arm64")), (&image, platform("amd64"))]);
    let by_config = engines(&digest_of(&theirs.to_string()), &theirs);
    // The engine has pulled it from elsewhere, and no name shows it.
    let wire = holds(Wire::new(), &image);
    assert!(matches!(compared(&wire, &by_config).await, Beside::Same));
    let wire = holds(holds(Wire::new(), &index), &image);
    assert!(matches!(compared(&wire, &by_config).await, Beside::Same));
    // An engine that identifies images by their manifests.
    for (stored, id) in [(&image, &image), (&index, &index), (&index, &image)] {
        let own = engines(&digest_of(&id.to_string()), &theirs);
        let wire = holds(Wire::new(), stored);
        assert!(matches!(compared(&wire, &own).await, Beside::Same));
    }
    // Built again from another commit with the same files.
    for (ours, is_same, is_same_source) in [
        (config("amd64", "c2", "l1"), true, false),
        (config("amd64", "c1", "l2"), false, true),
        (config("amd64", "c2", "l2"), false, false),
    ] {
        let own = engines(&digest_of(&ours.to_string()), &ours);
        let wire = gives(holds(Wire::new(), &image), &theirs);
        match compared(&wire, &own).await {
            Beside::Same => assert!(is_same, "{ours}"),
            Beside::Another { same_source } => {
                assert!(!is_same, "{ours}");
                assert_eq!(same_source, is_same_source, "{ours}");
            }
        }
    }
}
