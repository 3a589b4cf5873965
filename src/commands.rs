//! One file for each command: arguments in, one call to what acts, a result out.

mod adopt;
mod asking;
mod attach;
mod deploy;
mod destroy;
mod detach;
mod doctor;
mod ended;
mod exec;
mod fleet;
mod history;
mod import;
mod init;
mod lapse;
mod lease;
mod logs;
mod plan;
mod probe;
mod probing;
mod promote;
mod release;
mod report;
mod resume;
mod retire;
mod rollback;
mod routers;
mod run;
mod serve;
mod status;
mod submit;
mod swap;
mod unlock;
mod up;
mod uploads;
mod watch;

use std::future::ready;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use clap_complete::Shell;
use serde_json::{Value, json};

use crate::aws::policy::{self, Role};
use crate::aws::{Access, Aws};
use crate::cli::{self, Cli, Global, PolicyFor, ProbeFlags, Verb};
use crate::config::{Config, ConfigError, SecretHeader, SecretPlace};
use crate::error::{Error, Exit, Result};
use crate::model::AwsPlace;
use crate::probe::Address;
use crate::report::{Audience, Reporter};
use crate::session::Session;
use crate::session::secret_header::{self, Shown};

/// Runs the command that was asked for, and gives its exit code.
///
/// # Errors
/// The command's own, ready to be shown.
pub async fn run(cli: Cli, audience: Audience) -> Result<u8> {
    if let Verb::Watch(args) = &cli.command {
        in_one_region(&cli.global)?;
        return watch::run(&cli.global, audience, args).await;
    }
    if !matches!(cli.command, Verb::Run(_) | Verb::Exec(_)) {
        return run_own(cli, audience).await.map(Exit::code);
    }
    in_one_region(&cli.global)?;
    let session = open(cli.global, audience).await?;
    session.introduce();
    match &cli.command {
        Verb::Run(args) => run::run(&session, args).await,
        Verb::Exec(args) => exec::run(&session, args).await,
        // Has run by now.
        _ => Ok(Exit::Done.code()),
    }
}

/// A command under way. It is not a part of the state of who waits for it: all of them
/// side by side would be too much for one stack.
type Running<'a> = Pin<Box<dyn Future<Output = Result<Exit>> + 'a>>;

/// Those whose exit codes are bgecs's.
async fn run_own(cli: Cli, audience: Audience) -> Result<Exit> {
    let Cli { global, command } = cli;
    if !matches!(command, Verb::Fleet(_)) {
        in_one_region(&global)?;
    }
    if let Some(running) = without_app(&global, audience, &command) {
        return running.await;
    }
    let offline = match &command {
        Verb::Init(args) => init::offline(&global, audience, args),
        Verb::Attach(args) => attach::offline(&global, audience, args),
        Verb::Completions { shell } => {
            completions(*shell, audience);
            Some(Ok(Exit::Done))
        }
        Verb::Report(args) => Some(report::run(audience, args)),
        Verb::Man { dir } => Some(man(dir, audience)),
        Verb::Routers => Some(Ok(routers::run(audience))),
        _ => None,
    };
    if let Some(result) = offline {
        return result;
    }
    let session = open(global.clone(), audience).await?;
    if command.changes_something() {
        session.introduce();
    }
    let is_attached = session.config.attached.is_some();
    let is_edge = session.config.edge.is_some();
    let done = of_app(&session, (&global, audience), &command).await;
    done.map_err(|error| match (is_attached, is_edge) {
        (true, _) => of_attached(error),
        (_, true) => of_edge(error),
        (false, false) => error,
    })
}

/// Those that are about no app, or about several.
fn without_app<'a>(
    global: &'a Global,
    audience: Audience,
    command: &'a Verb,
) -> Option<Running<'a>> {
    Some(match command {
        Verb::Doctor => Box::pin(doctor::run(global, audience)),
        Verb::Fleet(args) => Box::pin(fleet::run(global, audience, args)),
        Verb::Release(args) => Box::pin(release::run(global, audience, args)),
        Verb::Serve(args) => Box::pin(serve::run(global, audience, args)),
        Verb::Submit(args) => Box::pin(submit::run(global, audience, args)),
        Verb::Import(args) => Box::pin(import::run(global, audience, args)),
        Verb::Init(args) if args.worker.worker || args.print_policy == Some(PolicyFor::Worker) => {
            Box::pin(init::worker::run(global, audience, args))
        }
        Verb::Destroy(args) if args.worker => {
            Box::pin(destroy::worker::run(global, audience, args))
        }
        Verb::Probe(args) => {
            let url = args.url.as_ref()?;
            Box::pin(probe_of(url, global, audience, args))
        }
        _ => return None,
    })
}

async fn probe_of(
    url: &Address,
    global: &Global,
    audience: Audience,
    args: &ProbeFlags,
) -> Result<Exit> {
    let through: Vec<String> = global.connect_to.iter().map(ToString::to_string).collect();
    let address = url.clone().through(&through);
    let address = address.trusting(global.ca_file.clone());
    let address = address.showing(secret_header(global).await?);
    probe::of_url(audience, args, address).await
}

fn of_app<'a>(
    session: &'a Session,
    (global, audience): (&'a Global, Audience),
    command: &'a Verb,
) -> Running<'a> {
    match command {
        Verb::Init(args) => Box::pin(init::run(session, args)),
        Verb::Deploy(args) => Box::pin(deploy::run(session, args)),
        Verb::Promote(args) => Box::pin(promote::run(session, args)),
        Verb::Rollback(args) => Box::pin(rollback::run(session, args)),
        Verb::Status(args) => Box::pin(status::run(session, args)),
        Verb::Probe(args) => Box::pin(probe::run(session, args)),
        Verb::Retire(args) => Box::pin(retire::run(session, args)),
        Verb::Resume(args) => Box::pin(resume::run(global, audience, session, args)),
        Verb::History(args) => Box::pin(history::run(session, args)),
        Verb::Adopt(args) => Box::pin(adopt::run(session, args)),
        Verb::Unlock(args) => Box::pin(unlock::run(session, args)),
        Verb::Logs(args) => Box::pin(logs::run(session, args)),
        Verb::Destroy(args) => Box::pin(destroy::run(session, args)),
        Verb::Attach(args) => Box::pin(attach::run(session, args)),
        Verb::Detach(args) => Box::pin(detach::run(session, args)),
        Verb::Up(args) => Box::pin(up::run(session, args)),
        // Have run by now.
        Verb::Completions { .. }
        | Verb::Doctor
        | Verb::Man { .. }
        | Verb::Fleet(_)
        | Verb::Watch(_)
        | Verb::Import(_)
        | Verb::Report(_)
        | Verb::Routers
        | Verb::Run(_)
        | Verb::Exec(_)
        | Verb::Serve(_)
        | Verb::Submit(_)
        | Verb::Release(_) => Box::pin(ready(Ok(Exit::Done))),
    }
}

/// The stack of an app that bgecs is attached to is made and removed by commands of
/// other names.
fn of_attached(error: Error) -> Error {
    let hint = error.hint.map(|hint| {
        let hint = hint.replace("`bgecs init", "`bgecs attach");
        hint.replace("`bgecs destroy", "`bgecs detach")
    });
    Error { hint, ..error }
}

/// Nothing is built for an app whose colours somebody else runs: its deploys name no
/// folder, and start no tasks.
fn of_edge(error: Error) -> Error {
    let hint = error.hint.map(|hint| {
        let hint = hint.replace("`bgecs deploy CONTEXT --", "`bgecs deploy --");
        let hint = hint.replace("`bgecs deploy . --", "`bgecs deploy --");
        hint.replace("` starts its tasks", "` puts it there")
    });
    Error { hint, ..error }
}

/// # Errors
/// Several were said (exit 2).
fn in_one_region(global: &Global) -> Result<()> {
    match global.region.len() {
        0 | 1 => Ok(()),
        _ => Err(Error::usage("--region names several regions")
            .hint("only `bgecs fleet` looks at several: say one")),
    }
}

fn completions(shell: Shell, audience: Audience) {
    let script = cli::completions::script(shell);
    let reporter = Reporter::new(audience);
    match audience.json {
        true => reporter.document(&json!({
            "operation": "completions",
            "shell": shell.to_string(),
            "script": script,
        })),
        false => reporter.data(script.trim_end()),
    }
}

/// # Errors
/// A page cannot be written (exit 1).
fn man(dir: &Path, audience: Audience) -> Result<Exit> {
    cli::man::write(dir).map_err(|error| {
        let folder = dir.display();
        Error::failed(format!("cannot write the man pages to {folder}")).because(&error)
    })?;
    if audience.json {
        Reporter::new(audience).document(&json!({ "operation": "man", "dir": dir }));
    }
    Ok(Exit::Done)
}

async fn open(global: Global, audience: Audience) -> Result<Session> {
    let config = configuration(&global)?;
    let access = access(&global, config.place.clone());
    let connect_to = global.connect_to.iter().map(ToString::to_string).collect();
    let mut session = Session::open(config, &access, connect_to, Reporter::new(audience)).await?;
    session.resolvers = global.resolver;
    session.trust(global.ca_file);
    session.show(global.secret_header);
    Ok(session)
}

/// For whoever asks production, and reads the header for it.
fn with_secret(policy: Value, header: Option<&SecretHeader>) -> Value {
    match header.map(|header| &header.kept) {
        Some(SecretPlace::Manager { arn, kms_key, .. }) => {
            policy::reading_secret(policy, arn, kms_key.as_deref())
        }
        Some(SecretPlace::Variable(_)) | None => policy,
    }
}

/// The same for an app, where the flag wins over the file.
fn for_role(role: Role, policy: Value, global: &Global, config: &Config) -> Value {
    let header = global.secret_header.as_ref();
    match role {
        Role::Deployer => with_secret(policy, header.or(config.probe.secret_header.as_ref())),
        Role::Operator => policy,
    }
}

/// The one that the flag names, where there is no file.
async fn secret_header(global: &Global) -> Result<Option<Shown>> {
    let Some(header) = &global.secret_header else {
        return Ok(None);
    };
    let aws = async || Aws::connect(&access(global, AwsPlace::default())).await;
    let shown = secret_header::read(header, |name| std::env::var_os(name), aws);
    shown.await.map(Some)
}

/// As the flags say, and what they leave open as the place does.
fn access(global: &Global, place: AwsPlace) -> Access {
    Access::new(
        global.profile.as_deref(),
        global.region(),
        global.endpoint_url.as_deref(),
        place,
    )
}

fn configuration(global: &Global) -> Result<Config> {
    let path = Config::find(global.config.as_deref(), &working_folder()?)?;
    let environment = global.environment().map(|(name, _)| name);
    Ok(Config::load(&path, environment.as_deref())?)
}

fn working_folder() -> Result<PathBuf> {
    std::env::current_dir()
        .map_err(|error| Error::usage("the working folder cannot be read").because(&error))
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint().map(str::to_owned);
        let mut out = Self::usage(error.to_string());
        if let Some(source) = std::error::Error::source(&error) {
            out = out.because(source);
        }
        out.hint = hint;
        out
    }
}

impl From<crate::docker::DockerError> for Error {
    fn from(error: crate::docker::DockerError) -> Self {
        let hint = error.hint();
        let exit = match error.is_usage() {
            true => Exit::Usage,
            false => Exit::Failed,
        };
        let mut out = Self::new(exit, error.to_string());
        if let Some(source) = std::error::Error::source(&error) {
            out = out.because(source);
        }
        out.hint = hint;
        out
    }
}
