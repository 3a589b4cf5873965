//! An emulator for one test, a gate before it, and an app in it: started, used, and gone at the
//! end of the test, with the containers and the names of images that it left.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{
    ListImagesOptionsBuilder, PushImageOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptions,
};
use futures_util::TryStreamExt;
use localstack::{Emulator, Engine, Gate, Options, Source, gate};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::api::Api;
use crate::support::{Desk, Ended, Outcome};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The greeter's two versions, as build contexts.
pub const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-app/v1");
pub const V2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-app/v2");
pub const ENGLISH: &str = "Hello, World!";
pub const FRENCH: &str = "Bonjour, le monde";

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

pub struct World {
    pub app: String,
    pub desk: Desk,
    pub api: Api,
    pub gate: Gate,
    emulator: Option<Emulator>,
    engine: Engine,
    runtime: Runtime,
}

impl World {
    /// An emulator, and a configuration for an app of one task.
    pub fn new(app: &str) -> Outcome<Self> {
        Self::with(app, Options::default())
    }

    pub fn with(app: &str, options: Options) -> Outcome<Self> {
        Self::behind(app, options, &gate::Options::default())
    }

    /// Behind a gate like that.
    pub fn behind(app: &str, options: Options, gate: &gate::Options) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (engine, emulator) = runtime.block_on(async {
            let engine = Engine::ensure(&|_| ()).await?;
            let options = options.source(Source::MiniStack);
            let emulator = Emulator::start(&engine, options, &|_| ()).await?;
            Ok::<_, localstack::Error>((engine, emulator))
        })?;
        let gate = Gate::before(emulator.endpoint(), gate)?;
        let mut desk = Desk::empty()?;
        for (name, value) in gate.env() {
            desk = desk.env(&name, &value);
        }
        let world = Self {
            app: app.to_owned(),
            desk,
            api: Api {
                address: gate.endpoint().trim_start_matches("http://").to_owned(),
                key: "test".to_owned(),
                region: "us-east-1".to_owned(),
            },
            emulator: Some(emulator),
            gate,
            engine,
            runtime,
        };
        world.configure("")?;
        Ok(world)
    }

    /// One with the infrastructure, and version 1 live on green.
    pub fn with_v1_live(app: &str) -> Outcome<Self> {
        let world = Self::new(app)?;
        world.init_and_v1()?;
        Ok(world)
    }

    /// And with version 2 on blue, ready to be promoted.
    pub fn with_v2_idle(app: &str) -> Outcome<Self> {
        let world = Self::with_v1_live(app)?;
        world.done(&["deploy", V2, "--tag", "2"])?;
        Ok(world)
    }

    pub fn init_and_v1(&self) -> Outcome {
        greeter()?;
        self.done(&["init"])?;
        self.done(&["deploy", V1, "--tag", "1", "--color", "green"])?;
        Ok(())
    }

    /// Writes `bgecs.toml`; the keys go into `[container]`.
    pub fn configure(&self, container: &str) -> Outcome {
        let app = &self.app;
        let text = format!(
            "app = \"{app}\"\n\n[container]\n{container}\n\n[service]\ndesired_count = 1\n\n\
             [probe]\npath = \"/api\"\nrate = 20\nwindow_seconds = 2\n\n\
             [load_balancer]\nderegistration_delay_seconds = 0\n"
        );
        self.desk.write("bgecs.toml", &text)?;
        Ok(())
    }

    /// What `bgecs.toml` says.
    pub fn file(&self) -> Outcome<String> {
        Ok(std::fs::read_to_string(
            self.desk.path().join("bgecs.toml"),
        )?)
    }

    /// Adds sections to `bgecs.toml`.
    pub fn configure_more(&self, more: &str) -> Outcome {
        let text = self.file()?;
        self.desk.write("bgecs.toml", &format!("{text}\n{more}"))?;
        Ok(())
    }

    pub fn bgecs(&self, arguments: &[&str]) -> Outcome<Ended> {
        self.desk.bgecs(arguments)
    }

    /// Runs what must end with that code.
    pub fn ends(&self, code: i32, arguments: &[&str]) -> Outcome<Ended> {
        let ended = self.bgecs(arguments)?;
        if ended.code == Some(code) {
            return Ok(ended);
        }
        Err(format!("not exit code {code}:\n{}", ended.shown()).into())
    }

    pub fn done(&self, arguments: &[&str]) -> Outcome<Ended> {
        self.ends(0, arguments)
    }

    pub fn done_json(&self, arguments: &[&str]) -> Outcome<Value> {
        self.done(&[arguments, &["--json"]].concat())?.json()
    }

    pub fn status(&self) -> Outcome<Value> {
        self.done_json(&["status"])
    }

    /// Runs what must not change anything, and compares what there is.
    pub fn changes_nothing(&self, code: i32, arguments: &[&str]) -> Outcome<Ended> {
        let before = self.status()?;
        let ended = self.ends(code, arguments)?;
        assert_eq!(self.status()?, before, "{}", ended.shown());
        Ok(ended)
    }

    /// Production and the test port answer so.
    pub fn expect_answers(&self, prod: &str, test: &str) -> Outcome {
        let status = self.status()?;
        for (port, expected) in [("prod", prod), ("test", test)] {
            let url = string(&status, &format!("/urls/{port}"))?;
            let (code, body) = self.api.visit(&url, "/api")?;
            if code != 200 || !body.contains(expected) {
                return Err(format!("{port} answers {code} {body}, not {expected}").into());
            }
        }
        Ok(())
    }

    /// Looks until it is so.
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> Outcome<bool>) -> Outcome {
        let start = Instant::now();
        while !is_so()? {
            if start.elapsed() > PATIENCE {
                return Err(format!("not within {PATIENCE:?}: {what}").into());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The stack's, the cluster's and the task definitions' name.
    pub fn stack(&self) -> String {
        format!("bgecs-{}", self.app)
    }

    /// The registry's address, as Docker takes it.
    pub fn registry(&self) -> String {
        let port = self.api.address.rsplit(':').next().unwrap_or_default();
        format!("localhost:{port}")
    }

    /// ECS's own description of a colour's service.
    pub fn service(&self, color: &str) -> Outcome<Value> {
        let request = json!({ "cluster": self.stack(), "services": [color] });
        let answer = self.api.ecs("DescribeServices", &request)?;
        Ok(answer["services"][0].clone())
    }

    /// A colour's target group, by the name that the template gives it.
    pub fn target_group(&self, color: &str) -> Outcome<String> {
        let name = format!("{}-{color}", self.stack());
        let answer = self.api.elb(&[
            ("Action", "DescribeTargetGroups"),
            ("Names.member.1", &name),
        ])?;
        Ok(crate::api::text(&answer, "TargetGroupArn")?.to_owned())
    }

    /// What the engine says of an image, as Docker has it.
    pub fn image(&self, name: &str) -> Outcome<Value> {
        let inspect = self.engine.docker().inspect_image(name);
        Ok(serde_json::to_value(self.runtime.block_on(inspect)?)?)
    }

    /// Tags an image of the engine's and pushes it, as CI would.
    pub fn push(&self, image: &str, name: &str, tag: &str) -> Outcome {
        let docker = self.engine.docker();
        let (name, tag) = (name.to_owned(), tag.to_owned());
        let to = TagImageOptions {
            repo: Some(name.clone()),
            tag: Some(tag.clone()),
        };
        self.runtime.block_on(docker.tag_image(image, Some(to)))?;
        let to = PushImageOptionsBuilder::default().tag(&tag).build();
        let login = DockerCredentials {
            username: Some("ci".to_owned()),
            password: Some("ci".to_owned()),
            ..DockerCredentials::default()
        };
        let pushing = docker.push_image(&name, Some(to), Some(login));
        self.runtime.block_on(pushing.try_collect::<Vec<_>>())?;
        Ok(())
    }

    /// Takes the names of all images of this registry from the engine.
    pub fn forget_images(&self) -> Outcome {
        let registry = self.registry();
        let forgetting = Self::remove_images(&self.engine, &registry);
        Ok(self.runtime.block_on(forgetting)?)
    }

    /// Where something has to be awaited.
    pub fn wait_for<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    pub fn listener(&self, port: &str) -> Outcome<String> {
        string(&self.status()?, &format!("/listeners/{port}/arn"))
    }

    /// Stops only the emulator: what comes after finds no AWS.
    fn stop(&mut self) {
        drop(self.emulator.take());
    }

    async fn remove_images(engine: &Engine, registry: &str) -> Result<(), bollard::errors::Error> {
        let options = ListImagesOptionsBuilder::default().all(true).build();
        for image in engine.docker().list_images(Some(options)).await? {
            for name in image.repo_tags {
                if name.starts_with(&format!("{registry}/")) {
                    // Containers may run it still: then only the name goes.
                    let options = RemoveImageOptionsBuilder::default().force(true).build();
                    let removing = engine.docker().remove_image(&name, Some(options), None);
                    removing.await?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
        let registry = self.registry();
        let removing = Self::remove_images(&self.engine, &registry);
        // Names of images that are left are no reason to fail.
        let _ = self.runtime.block_on(removing);
    }
}

/// A text in a JSON document.
pub fn string(value: &Value, pointer: &str) -> Outcome<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .ok_or_else(|| format!("no text at {pointer} in {value:#}"))?
        .to_owned())
}

/// Builds both greeters, once for all tests of this process.
pub fn greeter() -> Outcome {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        for context in [V1, V2] {
            let output = Command::new(Path::new(ROOT).join("sample-app/build"))
                .arg(context)
                .output()
                .map_err(|error| error.to_string())?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
        Ok(())
    });
    Ok(built.clone()?)
}

/// The error, without the progress before it: in a pipe, that varies.
pub fn error(ended: &Ended) -> String {
    let start = ended.stderr.find("error:").unwrap_or(0);
    let code = ended
        .code
        .map_or("none".to_owned(), |code| code.to_string());
    format!(
        "$ {}\nexit code {code}\n{}",
        ended.command,
        &ended.stderr[start..]
    )
}

/// Compares with `tests/snapshots/emulator`, but for what no two runs share.
pub fn see(name: &str, seen: &str) -> Outcome {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots/emulator");
    for (pattern, instead) in [
        (r"\S*/sample-app/", "[ROOT]/sample-app/"),
        (r"(localhost|127\.0\.0\.1):\d+", "$1:[PORT]"),
        (
            r"arn:aws:elasticloadbalancing:[\w-]*:\d*:(listener-rule|listener|targetgroup)/[\w/-]+",
            "[ARN of a $1]",
        ),
        (r"http://[a-z0-9.-]+(:81)?", "http://[LOAD BALANCER]$1"),
        (r"sha256:[0-9a-f]{12,64}", "sha256:[DIGEST]"),
        (r" \(request [^)]+\)", ""),
        (r"deployed .* ago by .*", "deployed [WHEN AND BY WHOM]"),
        (r"\d+ of \d+ requests", "[N] of [N] requests"),
        (r"\d+ sent", "[N] sent"),
        (r"[1-9]\d* failed", "[N] failed"),
        (r"after \d+ ms|\d+ ms before the swap", "[MOMENT]"),
        (r"-?\d+(\.\d+)? ms", "[N] ms"),
        (r"first \d+\.\d s", "first [N] s"),
    ] {
        settings.add_filter(pattern, instead);
    }
    settings.bind(|| insta::assert_snapshot!(name, seen));
    Ok(())
}
