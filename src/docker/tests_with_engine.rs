//! Tests that need an engine; those that push need a registry, and those that run
//! something need a shell. The harness provides all three, and what it cannot provide
//! makes the tests fail; none is skipped.

mod builds;
mod inputs;
mod registries;

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use bollard::body_full;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, CreateImageOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};
use futures_util::TryStreamExt;

use localstack::{Emulator, Options};
use tokio::sync::OnceCell;

use super::{BuildContext, BuildRequest, DockerError, Engine, LocalImage, Logins, Progress};

/// What all tests of this process use. A static is never dropped: engine and emulator
/// notice by themselves that the process has ended.
struct Ground {
    _engine: localstack::Engine,
    emulator: Emulator,
}

static GROUND: OnceCell<Ground> = OnceCell::const_new();

async fn ground() -> &'static Ground {
    GROUND.get_or_init(prepare).await
}

async fn prepare() -> Ground {
    let engine = localstack::Engine::ensure(&|_| {})
        .await
        .expect("an engine");
    let emulator = Emulator::start(&engine, Options::default(), &|_| {})
        .await
        .expect("an emulator");
    // In case reqwest's own client needs a TLS implementation, even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let created = reqwest::Client::new()
        .post(emulator.endpoint())
        .header(
            "x-amz-target",
            "AmazonEC2ContainerRegistry_V20150921.CreateRepository",
        )
        .header("content-type", "application/x-amz-json-1.1")
        .body(r#"{"repositoryName":"demo"}"#)
        .send()
        .await
        .expect("the emulator answers");
    assert!(created.status().is_success(), "{created:?}");
    Ground {
        _engine: engine,
        emulator,
    }
}

/// A registry that accepts any password, with a repository `demo` but none called
/// `missing`.
async fn registry() -> String {
    let endpoint = ground().await.emulator.endpoint();
    let port = endpoint.rsplit(':').next().expect("a port");
    format!("localhost:{port}")
}

/// Collects the events of a test.
#[derive(Default)]
struct Events(Mutex<Vec<Progress>>);

impl Events {
    fn add(&self, event: Progress) {
        self.0.lock().expect("not poisoned").push(event);
    }

    fn all(&self) -> Vec<Progress> {
        self.0.lock().expect("not poisoned").clone()
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.all().into_iter().filter_map(|event| match event {
            Progress::Log { line, .. } => Some(line),
            _ => None,
        });
        lines.collect()
    }

    fn sent(&self) -> u64 {
        let sent = self.all().into_iter().filter_map(|event| match event {
            Progress::ContextSent { bytes } => Some(bytes),
            _ => None,
        });
        sent.max().unwrap_or(0)
    }
}

/// The user's logins, which the tests' registry does not need.
fn anonymous() -> Logins {
    Logins::of_user(|_| None)
}

async fn engine() -> Engine {
    ground().await;
    Engine::connect().await.expect("an engine answers")
}

/// A context of these files, labelled so that no two tests share an image.
fn context(name: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, BuildRequest) {
    let root = tempfile::tempdir().expect("a folder");
    for (file, content) in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    let request = BuildRequest {
        context: BuildContext::Folder(root.path().to_owned()),
        labels: [("bgecs.test".to_owned(), name.to_owned())].into(),
        ..BuildRequest::default()
    };
    (root, request)
}

async fn build(
    engine: &Engine,
    request: &BuildRequest,
) -> (Result<LocalImage, DockerError>, Events) {
    let events = Events::default();
    let built = engine
        .build(request, &anonymous(), &|event| events.add(event))
        .await;
    (built, events)
}

async fn remove(engine: &Engine, image: &str) {
    let options = RemoveImageOptionsBuilder::default().force(true).build();
    let removed = engine.docker.remove_image(image, Some(options), None).await;
    removed.expect("it was there");
}

/// The files and folders of an image, by way of a container's export.
async fn paths(engine: &Engine, image: &LocalImage) -> BTreeSet<String> {
    let config = ContainerCreateBody {
        image: Some(image.id.clone()),
        cmd: Some(vec!["never-run".to_owned()]),
        ..ContainerCreateBody::default()
    };
    let created = engine
        .docker
        .create_container(None::<CreateContainerOptions>, config);
    let id = created.await.expect("a container").id;
    let parts: Vec<_> = engine
        .docker
        .export_container(&id)
        .try_collect()
        .await
        .expect("it is exported");
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    let removed = engine.docker.remove_container(&id, Some(options));
    removed.await.expect("it was there");
    let tar = parts.concat();
    let mut paths = BTreeSet::new();
    let mut rest = tar.as_slice();
    while let Some(header) = rest.get(..512).filter(|header| header[0] != 0) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "");
        let size = u64::from_str_radix(text(&header[124..136]).trim(), 8).expect("octal");
        paths.insert(text(&header[..100]).trim_end_matches('/').to_owned());
        let end = 512 + usize::try_from(size.div_ceil(512) * 512).expect("small");
        rest = rest.get(end..).unwrap_or_default();
    }
    // What the engine mounts into every container.
    let engines = ["dev", "etc", "proc", "sys", ".dockerenv"];
    paths.retain(|path| {
        !engines
            .iter()
            .any(|name| path == name || path.starts_with(&format!("{name}/")))
    });
    paths
}

fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, content) in files {
        let mut header = [0_u8; 512];
        let fields = [
            (0, path.to_owned()),
            (100, "0000755\0".to_owned()),
            (108, "0000000\0".to_owned()),
            (116, "0000000\0".to_owned()),
            (124, format!("{:011o}\0", content.len())),
            (136, "00000000000\0".to_owned()),
            (148, "        ".to_owned()),
            (156, "0".to_owned()),
            (257, "ustar\x0000".to_owned()),
        ];
        for (at, text) in fields {
            header[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// An image that can run a shell, under the name `bgecs-test-shell:NAME`.
async fn shell(engine: &Engine, name: &str) -> String {
    let busybox = localstack::busybox(&|_| {}).await.expect("a busybox");
    let busybox = fs::read(busybox).expect("it can be read");
    let programs = ["sh", "cat", "sleep", "seq", "find"];
    let paths = programs.map(|program| format!("bin/{program}"));
    let tar = tar(paths
        .each_ref()
        .map(|path| (path.as_str(), busybox.as_slice())));
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo("bgecs-test-shell")
        .tag(name)
        .build();
    let imported = engine
        .docker
        .create_image(Some(options), Some(body_full(tar.into())), None);
    imported
        .try_collect::<Vec<_>>()
        .await
        .expect("it is imported");
    format!("bgecs-test-shell:{name}")
}
