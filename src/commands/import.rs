//! `bgecs import`: writes a `bgecs.toml` for a service that bgecs did not make. Reads
//! AWS, and changes nothing there.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::init::{exists, write_new};
use super::watch::{given, usage};
use super::{access, working_folder};
use crate::aws::{Aws, policy};
use crate::cli::{Global, ImportArgs};
use crate::config::{Config, DefinitionSource, FILE_NAME};
use crate::definition;
use crate::driver::running;
use crate::engine::import::{ForeignDrift, Import, ImportPlan, ImportWish, ProductionWay, import};
use crate::engine::task_definition::TaskFile;
use crate::error::{Exit, Result};
use crate::model::{AwsPlace, Color};
use crate::report::{Audience, CommandResult, ReportEvent, Reporter, Style};

const DEFINITION: &str = "task-definition.json";

#[derive(Debug, Serialize)]
struct ImportResult {
    operation: &'static str,
    outcome: &'static str,
    app: String,
    cluster: String,
    service: String,
    color: Color,
    /// What the service runs.
    revision: String,
    production: Vec<ImportedWay>,
    config: PathBuf,
    task_definition: PathBuf,
    plan: ImportPlan,
    drift: ForeignDrift,
    warnings: Vec<String>,
}

/// A way by which users come in.
#[derive(Debug, Serialize)]
struct ImportedWay {
    url: String,
    way: String,
    listener: String,
    rule: Option<String>,
    target_group: String,
}

impl ImportedWay {
    fn of(way: ProductionWay) -> Self {
        Self {
            url: way.url,
            way: way.way,
            listener: way.listener,
            rule: way.rule,
            target_group: way.group,
        }
    }
}

pub async fn run(global: &Global, audience: Audience, args: &ImportArgs) -> Result<Exit> {
    let report = Reporter::new(audience);
    if args.print_policy {
        let region = global.region();
        let policy = policy::to_import(&args.cluster, &args.service, region);
        report.data(&format!("{policy:#}"));
        return Ok(Exit::Done);
    }
    let config = working_folder()?.join(global.config.as_deref().unwrap_or(FILE_NAME.as_ref()));
    let task_definition = config.with_file_name(DEFINITION);
    // Ahead of all questions: nothing of theirs is overwritten.
    if let Some(there) = [&config, &task_definition]
        .into_iter()
        .find(|it| it.exists())
    {
        return Err(
            exists(there).hint("move it away, or name a file in another folder with --config")
        );
    }
    let aws = Aws::connect(&access(global, AwsPlace::default())).await?;
    let read = running::read(&aws, &args.cluster, &args.service).await?;
    let wish = ImportWish {
        app: args.app.clone(),
        production: args.production.clone(),
        urls: args.url.iter().filter_map(given).collect(),
        local_registry: aws.local_registry(),
    };
    let autoscaling = aws.autoscaling_of(&args.cluster, &args.service).await;
    let autoscaling = autoscaling.map_err(|error| error.to_string());
    let import = import(read, autoscaling, &wish).map_err(usage)?;
    write(&import, &config, &task_definition)?;
    for warning in &import.warnings {
        report.tell(&ReportEvent::Warning(warning.clone()));
    }
    report.result(&ImportResult::of(import, config, task_definition));
    Ok(Exit::Done)
}

impl ImportResult {
    fn of(import: Import, config: PathBuf, task_definition: PathBuf) -> Self {
        Self {
            operation: "import",
            outcome: "written",
            app: import.app.to_string(),
            cluster: import.cluster().to_owned(),
            service: import.service().to_owned(),
            color: import.color,
            revision: import.revision().to_owned(),
            plan: import.plan(),
            drift: import.drift(),
            production: import.production.into_iter().map(ImportedWay::of).collect(),
            config,
            task_definition,
            warnings: import.warnings,
        }
    }
}

/// What other commands could not read is not written.
fn write(import: &Import, config: &Path, task_definition: &Path) -> Result<()> {
    let text = import.config(DEFINITION);
    let json = format!("{:#}\n", import.task_definition);
    let parsed = Config::parse_in(&text, config, None)?;
    if let DefinitionSource::File(own) = &parsed.container.definition {
        let file = TaskFile::parse(&json, &parsed.container.name, own, &|_| None);
        file.map_err(|error| definition::usage(&error))?;
    }
    write_new(task_definition, &json)?;
    write_new(config, &text).inspect_err(|_| {
        // So that a second try is not refused for what is half of the first.
        let _ = std::fs::remove_file(task_definition);
    })
}

impl CommandResult for ImportResult {
    fn human(&self, style: &Style) -> String {
        let Self {
            plan, color, drift, ..
        } = self;
        let mut text = format!(
            "wrote {} and {}: the app {}\n  {:<11} {} in {} ({})",
            name(&self.config),
            name(&self.task_definition),
            style.strong(&self.app),
            color.as_str(),
            self.service,
            self.cluster,
            self.revision,
        );
        for (number, way) in self.production.iter().enumerate() {
            let title = if number == 0 { "production" } else { "" };
            text += &format!(
                "\n  {title:<11} {}\n  {:<11} {}",
                style.strong(&way.url),
                "",
                way.way
            );
        }
        text += "\n\n`bgecs attach` creates, in a stack of its own:";
        for what in &plan.creates {
            text += &format!("\n  {what}");
        }
        text += &format!(
            "\nand nothing else. After that\n  the first deploy creates {}\n  a promotion changes {}\n  a deploy onto {color} changes {}\nUntouched: {}\n",
            plan.deploy, plan.promote, plan.running_service, plan.untouched
        );
        for line in drift.lines() {
            text += &format!("\n{line}");
        }
        text
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::import::testing::web;

    #[test]
    fn what_was_written_and_what_comes_next_is_said() {
        let import = import(web(), Ok(None), &ImportWish::default());
        let import = import.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let folder = Path::new("/srv/web");
        let result = ImportResult::of(import, folder.join(FILE_NAME), folder.join(DEFINITION));
        insta::assert_snapshot!(result.human(&Style::plain()), @"
        wrote bgecs.toml and task-definition.json: the app web
          blue        web in prod (web:42)
          production  https://shop.example.com
                      shared: port 443 (HTTPS), rule 10 (host shop.example.com)

        `bgecs attach` creates, in a stack of its own:
          the target group bgecs-web-green, like web-tg
          2 rules for testers, one for each colour: requests with the header x-bgecs-color
          the DynamoDB table bgecs-web: the journal and the lease
        and nothing else. After that
          the first deploy creates the service bgecs-web-green in the cluster prod, a copy of web
          a promotion changes what production's rule forwards to
          a deploy onto blue changes the task definition of web and how many tasks it has, and nothing else of it
        Untouched: the cluster prod, its network, its roles and its other services, what scales web, and every other rule and listener

        under Terraform these keep `apply` from taking a release back:
          aws_ecs_service  lifecycle { ignore_changes = [task_definition, desired_count] }  # web
          aws_lb_listener_rule  lifecycle { ignore_changes = [action] }  # shared: port 443 (HTTPS), rule 10 (host shop.example.com)
        under CloudFormation a release shows as drift in these properties, and a stack update that changes one of them takes it back:
          AWS::ECS::Service  TaskDefinition, DesiredCount  # web
          AWS::ElasticLoadBalancingV2::ListenerRule  Actions  # shared: port 443 (HTTPS), rule 10 (host shop.example.com)
        ");
    }
}
