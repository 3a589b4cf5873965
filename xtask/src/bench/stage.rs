//! Where the measures are taken: one local AWS with two apps alike in it, bgecs's
//! own and the one of its peers, so that neither finds what the other did.
//!
//! Everyone goes through the gate: its record says when each call came and went.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use localstack::Gate;
use localstack::gate::record::{Call, Mark};
use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};

use super::program::{Line, Ran};
use crate::bgecs::root;
use crate::json::text;
use crate::observer::Door;
use crate::{Result, peers, say};

/// The time between two requests of bgecs's probe, as these apps have it.
pub const PROBED_EVERY: Duration = Duration::from_millis(50);

/// For a load balancer that a stack has just made.
const APPEARING: Duration = Duration::from_secs(10);

pub struct Stage<'a> {
    pub gate: &'a Gate,
    /// A bare HTTP client, which keeps its connections.
    pub api: Upstream,
    exe: PathBuf,
    env: Vec<(String, String)>,
}

impl<'a> Stage<'a> {
    pub fn new(gate: &'a Gate, exe: PathBuf) -> Self {
        let endpoint = gate.endpoint().trim_start_matches("http://");
        Self {
            api: Upstream::new(endpoint, "test"),
            exe,
            env: gate.env(),
            gate,
        }
    }

    /// bgecs.
    pub fn exe(&self) -> &Path {
        &self.exe
    }

    /// That program of a peer, with the local AWS as its AWS.
    pub fn line<S: Into<String>>(&self, words: impl IntoIterator<Item = S>) -> Line {
        Line::new(words).envs(&self.env)
    }

    pub async fn aws(&self, words: &[&str]) -> Result<Line> {
        let python = peers::python().await?.display().to_string();
        Ok(self.line([python]).with(&["-m", "awscli"]).with(words))
    }

    pub fn calls_since(&self, mark: Mark) -> Vec<Call> {
        self.gate.calls().since(mark)
    }

    /// Where an image of that app is pushed to.
    fn registry(&self) -> String {
        let port = self.gate.endpoint().rsplit(':').next();
        format!("localhost:{}", port.unwrap_or_default())
    }
}

/// An app with a release on each colour.
pub struct App<'a> {
    pub stage: &'a Stage<'a>,
    pub stack: String,
    /// The folder that its image is built from.
    pub context: PathBuf,
    config: PathBuf,
    outputs: Value,
    tags: u32,
}

impl<'a> App<'a> {
    /// Makes it, in a folder of its own.
    pub async fn make(stage: &'a Stage<'a>, name: &str) -> Result<Self> {
        say::line(&format!("making the app {name}, with both colours"));
        let folder = root().join("target/bench").join(name);
        let context = folder.join("context");
        fs::create_dir_all(&context)?;
        fs::copy(greeter().await?, context.join("greeter"))?;
        fs::write(context.join("Dockerfile"), DOCKERFILE)?;
        let config = folder.join("bgecs.toml");
        fs::write(&config, configuration(name))?;
        let mut app = Self {
            stage,
            stack: format!("bgecs-{name}"),
            context,
            config,
            outputs: Value::Null,
            tags: 0,
        };
        app.bgecs(&["init"]).run().await?;
        for color in ["green", "blue"] {
            let (tag, context) = (app.new_release()?, app.folder());
            let deploy = app.bgecs(&["deploy", &context, "--tag", &tag]);
            deploy.with(&["--color", color]).run().await?;
        }
        app.outputs = app.read_outputs().await?;
        Ok(app)
    }

    pub fn bgecs(&self, words: &[&str]) -> Line {
        self.bgecs_with(&self.config, words)
    }

    pub fn bgecs_with(&self, config: &Path, words: &[&str]) -> Line {
        let program = self.stage.exe.display().to_string();
        let config = config.display().to_string();
        let line = self.stage.line([program]).with(words);
        line.with(&["--config", &config])
    }

    /// A configuration like its own, with something in the app's environment.
    pub fn config_with(&self, name: &str, environment: &str) -> Result<PathBuf> {
        let text = fs::read_to_string(&self.config)?;
        let text = format!("{text}\n[container]\nenvironment = {{ {environment} }}\n");
        let path = self.config.with_file_name(format!("{name}.toml"));
        fs::write(&path, text)?;
        Ok(path)
    }

    pub async fn json(&self, words: &[&str]) -> Result<(Ran, Value)> {
        let ran = self.bgecs(words).with(&["--json", "-q"]).run().await?;
        let said = ran.json()?;
        Ok((ran, said))
    }

    pub fn folder(&self) -> String {
        self.context.display().to_string()
    }

    /// A tag that no image has yet.
    pub fn new_tag(&mut self) -> String {
        self.tags += 1;
        format!("r{}", self.tags)
    }

    /// Changes what the image is built from, as a new version does.
    pub fn new_release(&mut self) -> Result<String> {
        let tag = self.new_tag();
        // Not the same as in the runs before: the engine keeps what it built.
        let content = format!("{} {:?}\n", tag, std::time::SystemTime::now());
        fs::write(self.context.join("release"), content)?;
        Ok(tag)
    }

    pub fn image(&self, tag: &str) -> String {
        format!("{}/{}:{tag}", self.stage.registry(), self.stack)
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> Result<&str> {
        text(&self.outputs, &[name])
    }

    pub fn target_group(&self, color: &str) -> Result<&str> {
        match color {
            "blue" => self.output("BlueTargetGroupArn"),
            _ => self.output("GreenTargetGroupArn"),
        }
    }

    /// The live colour and the idle one.
    pub async fn colors(&self) -> Result<(String, String)> {
        let (_, status) = self.json(&["status"]).await?;
        let color = |role| text(&status, &[role]).map(str::to_owned);
        Ok((color("live")?, color("idle")?))
    }

    /// The way to production.
    pub async fn door(&self) -> Result<Door> {
        let (_, status) = self.json(&["status"]).await?;
        let host = text(&status, &["urls", "prod"])?.trim_start_matches("http://");
        let balancer = self.stage.gate.listening(host, 80, APPEARING).await;
        let nodes = balancer
            .ok_or("the load balancer does not listen")?
            .doors(80);
        let nodes = nodes.iter().map(|node| format!("http://{node}"));
        Door::new(nodes.collect(), host)
    }

    /// Puts a release with that in its environment on the idle colour; its tag.
    pub async fn put_on_idle(&mut self, name: &str, environment: &str) -> Result<String> {
        let config = self.config_with(name, environment)?;
        let image = self.image("r1");
        let tag = self.new_tag();
        let deploy = ["deploy", "--image", &image, "--tag", &tag];
        self.bgecs_with(&config, &deploy).run().await?;
        Ok(tag)
    }

    async fn read_outputs(&self) -> Result<Value> {
        let describe = [
            "cloudformation",
            "describe-stacks",
            "--stack-name",
            &self.stack,
            "--output",
            "json",
        ];
        let said = self.stage.aws(&describe).await?.run().await?.json()?;
        let outputs = said["Stacks"][0]["Outputs"].as_array();
        let outputs = outputs.ok_or("the stack has no outputs")?;
        let pair = |output: &Value| {
            let name = output["OutputKey"].as_str()?.to_owned();
            Some((name, output["OutputValue"].clone()))
        };
        Ok(Value::Object(outputs.iter().filter_map(pair).collect()))
    }

    /// What the idle colour's task definition says, as it can be registered anew.
    pub async fn task_definition(&self, color: &str) -> Result<Value> {
        let cluster = self.output("ClusterName")?;
        let api = &self.stage.api;
        let asked = json!({"cluster": cluster, "services": [color]});
        let services = api.ecs("DescribeServices", &asked).await?;
        let name = text(&services, &["services", "0", "taskDefinition"])?;
        let asked = json!({"taskDefinition": name});
        let said = api.ecs("DescribeTaskDefinition", &asked).await?;
        let mut body = said["taskDefinition"].clone();
        let fields = body.as_object_mut().ok_or("it is not a task definition")?;
        fields.retain(|name, value| !READ_ONLY.contains(&name.as_str()) && !value.is_null());
        Ok(body)
    }

    /// Leaves nothing behind that would run on.
    pub async fn destroy(&self) -> Result<()> {
        self.bgecs(&["destroy", "--yes"]).run().await?;
        Ok(())
    }
}

/// What AWS adds to a task definition that is registered.
const READ_ONLY: &[&str] = &[
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
];

const DOCKERFILE: &str = "FROM scratch\nCOPY greeter /greeter\nCOPY release /release\n\
                          USER 65532:65532\nEXPOSE 8080\nENTRYPOINT [\"/greeter\"]\n";

/// Nothing is drained: how long that takes is a setting, and no one's doing.
fn configuration(name: &str) -> String {
    let rate = 1000 / PROBED_EVERY.as_millis();
    format!(
        "app = \"{name}\"\n\n[probe]\npath = \"/api\"\nrate = {rate}\nwindow_seconds = 1\n\n\
         [load_balancer]\nderegistration_delay_seconds = 0\n"
    )
}

/// The sample app's binary.
async fn greeter() -> Result<PathBuf> {
    let folder = root().join("sample-app/v1");
    let build = root().join("sample-app/build").display().to_string();
    Line::new([build, folder.display().to_string()])
        .run()
        .await?;
    Ok(folder.join("dist/greeter"))
}
