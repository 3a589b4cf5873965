//! `bgecs init --worker`: what a worker of uploads needs, and the worker.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::{place, policy_of};
use crate::aws::policy::{self, Role, WorkerNames};
use crate::aws::{BUCKET_OF_TEMPLATE, WorkerStack, worker_template};
use crate::cli::{Global, Init, PolicyFor, WorkerFlags};
use crate::commands::attach;
use crate::commands::plan::PlanResult;
use crate::commands::release::SetContext;
use crate::commands::serve::served;
use crate::config::{Config, ModuleSection, Releasable, SecretPlace, SetFile};
use crate::driver::worker;
use crate::engine::task_definition::Needs;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::Command;
use crate::model::{AwsPlace, SetName, TopicArn, UploadWorker, WorkerReads, WorkerTask};
use crate::report::{Audience, CommandResult, ReportEvent, Reporter, Style};
use crate::session::introduce;

/// For the deaths of workers, beside the turns that an upload waits for.
const SPARE_RECEIVES: u32 = 10;
/// The longest template that CloudFormation takes in the request itself
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
const LONGEST_TEMPLATE: usize = 51_200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum WorkerOutcome {
    Created,
    Updated,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct WorkerReady {
    operation: Command,
    outcome: WorkerOutcome,
    name: String,
    region: String,
    stack: String,
    queue: String,
    bucket: String,
    topic: String,
    log_group: String,
    /// The file, and what is to be put into it.
    #[serde(skip)]
    keys: Option<(String, String)>,
}

impl CommandResult for WorkerReady {
    fn human(&self, style: &Style) -> String {
        let stack = &self.stack;
        let what = match self.outcome {
            WorkerOutcome::Unchanged => format!("nothing to do: the stack {stack} is up to date"),
            WorkerOutcome::Created => format!("the stack {stack} is created"),
            WorkerOutcome::Updated => format!("the stack {stack} is updated"),
        };
        let keys = self.keys.as_ref().map(|(file, keys)| {
            format!("\n  next        for `bgecs submit` and further workers, in {file}:\n\n{keys}")
        });
        format!(
            "{what}\n  bucket      {}\n  queue       {}\n  topic       {}\n  logs        {}{}",
            style.strong(&self.bucket),
            self.queue,
            self.topic,
            self.log_group,
            keys.unwrap_or_default(),
        )
    }
}

pub async fn run(global: &Global, audience: Audience, args: &Init) -> Result<Exit> {
    let flags = &args.worker;
    let all = served(global, flags.file.as_deref())?;
    let apps = apps(global, &all)?;
    match args.print_policy {
        Some(PolicyFor::Worker) => return Ok(print_policy(audience, &all[0].set, &apps)),
        Some(PolicyFor::App(_)) => {
            return Err(Error::usage(
                "--worker is not about an app: its policy is `--print-policy worker`",
            ));
        }
        None => {}
    }
    let worker = wanted(global, &all[0].set, &apps, flags)?;
    let template = worker_template(&worker);
    refuse_too_long(&template, apps.len())?;
    if args.print_template {
        return Ok(print_template(audience, &template));
    }
    let made = make(global, audience, args, (&all[0].set, &template)).await;
    made.map_err(of_worker)
}

async fn make(
    global: &Global,
    audience: Audience,
    args: &Init,
    (own, template): (&SetFile, &Value),
) -> Result<Exit> {
    let report = Reporter::new(audience);
    // Where what became of uploads is kept, the worker is, too.
    let home = SetContext::of_person(global, &report).ledger(own).await?;
    if !args.change.dry_run {
        introduce(&home.aws, &report);
    }
    let stack = worker::stack(&home.aws, &report, &own.name);
    let prepared = worker::prepare(&stack, template.to_string()).await?;
    let steps = prepared.steps(&stack.name);
    if args.change.dry_run {
        report.result(&PlanResult::of(Command::Init, steps));
        return Ok(Exit::Done);
    }
    for step in &steps {
        report.tell(&ReportEvent::Doing(step.to_string()));
    }
    Interrupts::listen()?
        .or_stop(
            &format!("CloudFormation works on {}", stack.name),
            "CloudFormation will finish what it has started; run `bgecs init --worker` again to see it through",
            prepared.carry_out(&stack, None),
        )
        .await?;
    let now = stack.aws.read_stack(&stack.name).await?;
    let made = now.and_then(|now| now.worker());
    let made = made.ok_or_else(|| {
        Error::failed(format!(
            "the stack {} does not say what it made",
            stack.name
        ))
    })?;
    report.result(&WorkerReady {
        operation: Command::Init,
        outcome: match (prepared.is_new(), prepared.is_up_to_date()) {
            (true, _) => WorkerOutcome::Created,
            (false, true) => WorkerOutcome::Unchanged,
            (false, false) => WorkerOutcome::Updated,
        },
        name: own.name.to_string(),
        region: home.aws.region().to_owned(),
        stack: stack.name.clone(),
        keys: missing_keys(own, &made),
        queue: made.queue,
        bucket: made.bucket,
        topic: made.topic,
        log_group: made.log_group,
    });
    Ok(Exit::Done)
}

/// What the file does not say by now, as it is to stand there.
fn missing_keys(own: &SetFile, made: &WorkerStack) -> Option<(String, String)> {
    let key = |name: &str, said: Option<&str>, value: &str| match said == Some(value) {
        true => String::new(),
        false => format!("{name} = \"{value}\"\n"),
    };
    let serve = key("queue", own.serve.queue.as_deref(), &made.queue)
        + &key("bucket", own.serve.bucket.as_deref(), &made.bucket);
    let topic = own.notify.sns.as_ref().map(TopicArn::as_str);
    let notify = key("sns", topic, &made.topic);
    let section = |name: &str, keys: String| match keys.is_empty() {
        true => String::new(),
        false => format!("[{name}]\n{keys}"),
    };
    let all = section("serve", serve) + &section("notify", notify);
    let file = own.path.file_name().unwrap_or_default().to_string_lossy();
    (!all.is_empty()).then(|| (file.into_owned(), all.trim_end().to_owned()))
}

/// An app that uploads may release.
struct ServedApp {
    config: Config,
    place: AwsPlace,
    deployer: Value,
}

fn apps(global: &Global, all: &[Releasable]) -> Result<Vec<ServedApp>> {
    let modules = all.iter().flat_map(|it| &it.set.modules);
    modules.map(|module| served_app(global, module)).collect()
}

fn served_app(global: &Global, module: &ModuleSection) -> Result<ServedApp> {
    let environment = global.environment().map(|(name, _)| name);
    let config = Config::load(&module.config, environment.as_deref())?;
    let mut place = place(global, &config);
    if let (None, Some(region)) = (global.region(), &module.region) {
        place.region = Some(region.clone());
    }
    let deployer = match &config.attached {
        Some(attached) => {
            let of = (&config, attached);
            attach::policy_of(Role::Deployer, global, of, &place)?.0
        }
        None => policy_of(Role::Deployer, global, &config, &place),
    };
    Ok(ServedApp {
        config,
        place,
        deployer,
    })
}

fn policy(own: &SetFile, apps: &[ServedApp], bucket: String, place: &AwsPlace) -> Value {
    let names = WorkerNames {
        name: &own.name,
        place,
        bucket,
        topic: own.notify.sns.as_ref(),
    };
    let deployers: Vec<Value> = apps.iter().map(|app| app.deployer.clone()).collect();
    policy::to_serve(&names, &deployers)
}

/// As far as that is known without AWS; CloudFormation makes up the bucket's name.
fn print_policy(audience: Audience, own: &SetFile, apps: &[ServedApp]) -> Exit {
    let bucket = format!("{}-bucket-*", own.name.worker());
    // The worker is where its apps are, if they are in one place.
    let first = apps.first().map(|app| &app.place);
    let is_one = apps.iter().all(|app| Some(&app.place) == first);
    let place = first.filter(|_| is_one).cloned().unwrap_or_default();
    let policy = policy(own, apps, bucket, &place);
    Reporter::new(audience).data(&format!("{policy:#}"));
    Exit::Done
}

fn print_template(audience: Audience, template: &Value) -> Exit {
    let reporter = Reporter::new(audience);
    match audience.json {
        true => reporter
            .document(&json!({ "operation": Command::Init, "template": template.to_string() })),
        false => reporter.data(&format!("{template:#}")),
    }
    Exit::Done
}

/// # Errors
/// A flag that is missing, a variable that nothing sets (exit 2).
fn wanted(
    global: &Global,
    own: &SetFile,
    apps: &[ServedApp],
    flags: &WorkerFlags,
) -> Result<UploadWorker> {
    let task = task(global, flags)?;
    refuse_unset_variables(own, apps, &task)?;
    let bucket = BUCKET_OF_TEMPLATE.to_owned();
    let policy = policy(own, apps, bucket, &AwsPlace::default());
    Ok(UploadWorker {
        name: own.name.clone(),
        receives: own.serve.tries + SPARE_RECEIVES,
        topic: own
            .notify
            .sns
            .clone()
            .filter(|topic| !is_own(topic, &own.name)),
        policy,
        task,
    })
}

/// # Errors
/// More apps than a template has room for (exit 2).
fn refuse_too_long(template: &Value, apps: usize) -> Result<()> {
    let bytes = template.to_string().len();
    match bytes <= LONGEST_TEMPLATE {
        true => Ok(()),
        false => Err(Error::usage(format!(
            "the template of a worker for {apps} apps has {bytes} bytes, and CloudFormation takes {LONGEST_TEMPLATE}"
        ))
        .hint("let several workers serve them, each with a file of its own")),
    }
}

/// Whether it is the one that the stack makes.
fn is_own(topic: &TopicArn, name: &SetName) -> bool {
    let of_topic = topic.as_str().rsplit(':').next();
    of_topic == Some(&name.worker())
}

fn task(global: &Global, flags: &WorkerFlags) -> Result<WorkerTask> {
    let missing = |flag: &str, what: &str| {
        Error::usage(format!("{flag} is missing: {what}"))
            .hint("docs/worker.md has an example, under \"Made for you\"")
    };
    let image = flags.worker_image.clone().ok_or_else(|| {
        missing(
            "--worker-image",
            "the worker runs from an image that has bgecs, and the files of its apps",
        )
    })?;
    if flags.subnets.is_empty() || flags.security_groups.is_empty() {
        return Err(missing(
            "--subnets or --security-groups",
            "the worker's task has to be somewhere in your network",
        ));
    }
    let file = flags.file.as_deref().or(global.config.as_deref());
    let needs = Needs::of_image(&image, flags.worker_secret.iter().map(|it| &it.from));
    let secrets = flags.worker_secret.iter();
    Ok(WorkerTask {
        image,
        arguments: file
            .map(Path::display)
            .map(|it| it.to_string())
            .into_iter()
            .collect(),
        environment: global.environment().map(|(name, _)| name),
        subnets: flags.subnets.clone(),
        security_groups: flags.security_groups.clone(),
        public_ip: flags.public_ip,
        secrets: secrets
            .map(|it| (it.name.clone(), it.from.value_from().to_owned()))
            .collect(),
        reads: WorkerReads {
            secrets: needs.secrets.into_iter().collect(),
            parameters: needs.parameters.into_iter().collect(),
            repositories: needs.repositories.into_iter().collect(),
        },
    })
}

/// A worker without them would end as soon as it begins.
fn refuse_unset_variables(own: &SetFile, apps: &[ServedApp], task: &WorkerTask) -> Result<()> {
    let webhook = own.notify.webhook.as_deref();
    let webhook = webhook.map(|name| ("[notify] webhook", name));
    let headers = apps.iter().filter_map(|app| {
        let header = app.config.probe.secret_header.as_ref()?;
        match &header.kept {
            SecretPlace::Variable(name) => Some(("[probe] secret_header", name.as_str())),
            SecretPlace::Manager { .. } => None,
        }
    });
    let mut all = webhook.into_iter().chain(headers);
    match all.find(|(_, name)| !task.secrets.contains_key(*name)) {
        None => Ok(()),
        Some((key, name)) => Err(Error::usage(format!(
            "{key} names the variable {name}, which the worker's task would not have"
        ))
        .hint(format!(
            "give it one: --worker-secret {name}=ARN, the secret or the parameter with its value"
        ))),
    }
}

/// The stack is made and removed by commands of other names than an app's.
pub fn of_worker(error: Error) -> Error {
    let named = |hint: String, command: &str| {
        hint.replace(
            &format!("`bgecs {command}`"),
            &format!("`bgecs {command} --worker`"),
        )
    };
    let hint = error.hint.map(|hint| named(named(hint, "init"), "destroy"));
    Error { hint, ..error }
}
