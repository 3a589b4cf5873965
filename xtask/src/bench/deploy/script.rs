//! What people have in their pipelines: `docker`, and the AWS CLI or ecs-deploy.

use std::path::PathBuf;

use serde_json::Value;

use crate::Result;
use crate::bench::stage::App;
use crate::json::text;
use crate::peers;

/// The script, prepared as far as a pipeline has it prepared.
pub struct Script {
    docker: PathBuf,
    python: PathBuf,
    /// The colour that it releases onto.
    pub color: String,
    /// As it is in the pipeline's repository, the image to be filled in.
    task_definition: Value,
    container: String,
}

/// How long each step of a release took, in milliseconds.
pub struct Released {
    pub build: f64,
    pub push: f64,
    register: f64,
    update: f64,
    pub revision: String,
}

impl Released {
    pub fn without_wait(&self) -> f64 {
        self.build + self.push + self.register + self.update
    }
}

impl Script {
    pub async fn of(app: &App<'_>) -> Result<Self> {
        let (_, color) = app.colors().await?;
        let task_definition = app.task_definition(&color).await?;
        let container = text(&task_definition, &["containerDefinitions", "0", "name"])?;
        Ok(Self {
            docker: peers::docker().await?,
            python: peers::python().await?,
            container: container.to_owned(),
            color,
            task_definition,
        })
    }

    /// Builds, pushes, registers and updates, each by a program of its own.
    pub async fn release(&self, app: &mut App<'_>) -> Result<Released> {
        let tag = app.new_tag();
        let image = app.image(&tag);
        let folder = app.folder();
        let build = ["build", "--quiet", "-t", &image, &folder];
        let build = self.docker(app, &build).await?;
        let push = self.docker(app, &["push", "--quiet", &image]).await?;
        let mut body = self.task_definition.clone();
        body["containerDefinitions"][0]["image"] = Value::String(image);
        let body = body.to_string();
        let register = ["ecs", "register-task-definition", "--cli-input-json", &body];
        let register = app.stage.aws(&register).await?.with(&["--output", "json"]);
        let register = register.run().await?;
        let said = register.json()?;
        let revision = text(&said, &["taskDefinition", "taskDefinitionArn"])?;
        let cluster = app.output("ClusterName")?;
        let update = ["ecs", "update-service", "--cluster", cluster];
        let update = app.stage.aws(&update).await?;
        let update = update.with(&["--service", &self.color, "--task-definition", revision]);
        let update = update.run().await?;
        Ok(Released {
            build,
            push,
            register: register.milliseconds(),
            update: update.milliseconds(),
            revision: revision.to_owned(),
        })
    }

    async fn docker(&self, app: &App<'_>, words: &[&str]) -> Result<f64> {
        let docker = self.docker.display().to_string();
        let buildkit = ("DOCKER_BUILDKIT".to_owned(), "1".to_owned());
        let line = app.stage.line([docker]).with(words);
        Ok(line.envs(&[buildkit]).run().await?.milliseconds())
    }

    pub async fn wait(&self, app: &App<'_>) -> Result<f64> {
        let cluster = app.output("ClusterName")?;
        let wait = ["ecs", "wait", "services-stable", "--cluster", cluster];
        let wait = app.stage.aws(&wait).await?;
        let wait = wait.with(&["--services", &self.color]);
        Ok(wait.run().await?.milliseconds())
    }

    /// Registers another revision, updates the service and waits for it. What
    /// differs is a variable: the image is there already.
    pub async fn ecs_deploy(&self, app: &mut App<'_>) -> Result<f64> {
        let python = self.python.display().to_string();
        let cluster = app.output("ClusterName")?.to_owned();
        let value = app.new_tag();
        let words = [
            &python,
            "-m",
            "ecs_deploy.cli",
            "deploy",
            &cluster,
            &self.color,
            "--env",
            &self.container,
            "BENCH_RUN",
            &value,
            "--no-deregister",
        ];
        Ok(app.stage.line(words).run().await?.milliseconds())
    }
}
