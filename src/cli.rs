//! The command line: types and help texts, nothing that acts.

mod asking;
pub mod completions;
mod deploy;
mod exec;
mod import;
mod looking;
pub mod man;
#[cfg(test)]
mod pages;
mod release;
mod report;
mod run;
mod serve;
mod shift;
mod stack;
mod value;
mod watch;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{HostPort, Resolver, SecretHeader, resolver};
use crate::spoken_time;
pub use asking::AskingFlags;
pub use deploy::{BuildFlags, Deploy};
pub use exec::ExecArgs;
pub use import::ImportArgs;
pub use looking::{FleetFlags, History, ListenerFlag, LogsFlags, ProbeFlags, StatusFlags};
pub use release::{ModuleImage, ReleaseAction, ReleaseArgs};
pub use report::ReportArgs;
pub use run::RunArgs;
pub use serve::{LogForm, ServeArgs, SubmitArgs};
pub use shift::{Promote, Resume, Rollback, WatchFlags};
pub use stack::{Attach, Destroy, Detach, Init, Up};
pub use value::BuildArg;
use value::Unrepeated;
pub use value::platform;
pub use watch::WatchArgs;
pub use worker::{PolicyFor, WorkerFlags};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed, traffic unchanged
  2    usage or configuration
  3    failed and rolled back, confirmed
  4    traffic is not where it was asked to go: look now
  5    timed out, traffic unchanged
  6    refused: a check failed, or another operation is in progress
  7    `up --dry-run` has something to do
  130  interrupted, traffic unchanged";

const DOCTOR: &str = "\
Examples:
  bgecs doctor
  bgecs doctor --env prod --json | jq '.findings[] | select(.grade != \"ok\")'

It looks at the configuration, the Docker Engine, credentials, the clock, the stack and what it
stands on, the certificate, permissions (simulated by IAM, where it may be asked), quotas, and
both routes. It changes nothing.

Ends with 6 where a release would fail.";

/// Blue/green releases on Amazon ECS Fargate, verified from the client's side.
#[derive(Debug, Parser)]
#[command(
    name = "bgecs",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = EXIT_CODES
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Verb,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration [default: bgecs.toml in this folder or a parent]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The environment in bgecs.toml, such as staging for [env.staging] [env: BGECS_ENV]
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// The AWS profile to use [env: AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// The AWS region to use [env: AWS_REGION]
    #[arg(long, global = true, value_name = "REGION", value_delimiter = ',')]
    pub region: Vec<String>,
    /// AWS endpoint to use (such as a local emulator) [env: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Reach the name that users type through this address; through
    /// several, separated by commas, as its nodes
    #[arg(long, global = true, value_name = "HOST:PORT", value_delimiter = ',')]
    pub connect_to: Vec<HostPort>,
    /// Find users' name by the word of this resolver; of each of several, separated
    /// by commas [default: this machine's and the zone's own, or [router] resolvers]
    #[arg(long, global = true, value_name = "IP[:PORT]", value_delimiter = ',', value_parser = resolver)]
    pub resolver: Vec<Resolver>,
    /// Trust the certificates that the issuers in this PEM file made, where the load
    /// balancer is asked over HTTPS [default: none, or [probe] ca_file]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
    /// A header without which the load balancer answers nobody, as behind a CDN:
    /// NAME=env:VARIABLE, or NAME=ARN of a secret in Secrets Manager (ARN:KEY:: for
    /// a key of it) [default: none, or [probe] secret_header]
    #[arg(long, global = true, value_name = "HEADER", value_parser = Unrepeated::<SecretHeader>::new())]
    pub secret_header: Option<SecretHeader>,
    /// Print the result as one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Show no progress, only warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show diagnostics on stderr; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// The region that was said, where it is one.
    pub fn region(&self) -> Option<&str> {
        self.region.first().map(String::as_str)
    }

    /// The environment that was chosen, and whether by the flag. An empty
    /// variable counts as none.
    pub fn environment(&self) -> Option<(String, bool)> {
        let flag = self.env.clone().map(|name| (name, true));
        flag.or_else(|| {
            let variable = std::env::var_os("BGECS_ENV")?;
            let name = variable.to_string_lossy().trim().to_owned();
            (!name.is_empty()).then_some((name, false))
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create or update the infrastructure, and print both URLs
    Init(Init),
    /// Build an image, deploy it, and wait until it serves
    Deploy(Deploy),
    /// Make a release live, under a probe that takes it back on any failure
    Promote(Promote),
    /// Go back to the release that was live before
    Rollback(Rollback),
    /// Show both colours and what each port forwards to
    Status(StatusFlags),
    /// List all apps of an account and region: what is live, idle, unfinished and paid for
    Fleet(FleetFlags),
    /// Probe a listener repeatedly, and say what users would see
    Probe(ProbeFlags),
    /// Watch any ECS service while a command runs, and say what users saw
    Watch(WatchArgs),
    /// Write a bgecs.toml for an ECS service that runs already, and change nothing
    Import(ImportArgs),
    /// Scale the idle colour to zero
    Retire(Retire),
    /// Finish or undo what a killed command left unfinished
    Resume(Resume),
    /// List what was done, newest first
    History(History),
    /// Accept the listeners' current state
    Adopt(Adopt),
    /// Show who holds the lease, and break it with --force
    Unlock(Unlock),
    /// Show the app's logs
    Logs(LogsFlags),
    /// Run one command in a task of its own, by what a colour runs
    Run(RunArgs),
    /// Run a command, or a shell, in a task of a colour that runs already
    Exec(ExecArgs),
    /// Remove everything that bgecs made
    Destroy(Destroy),
    /// Make a second colour beside an ECS service that runs already
    Attach(Attach),
    /// Remove what `attach` made, and leave the service to its users
    Detach(Detach),
    /// Make what bgecs.toml says true: what it is made of, and what is live
    Up(Up),
    /// Release several apps as one: all of them go live, or none does
    Release(ReleaseArgs),
    /// Release what is uploaded, one release at a time, as a worker
    Serve(ServeArgs),
    /// Upload a release to a worker's bucket, and follow it to its end
    Submit(SubmitArgs),
    /// Check everything that a first release needs, and say what to do
    #[command(after_help = DOCTOR)]
    Doctor,
    /// Make Markdown of a report, for a pull request or a pipeline's summary
    Report(ReportArgs),
    /// List what can route users, and what each kind can do
    Routers,
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Write the man pages into a folder, for packaging
    #[command(hide = true)]
    Man {
        #[arg(long, value_hint = clap::ValueHint::DirPath)]
        dir: PathBuf,
    },
}

impl Verb {
    /// Whether what happens is for whoever keeps logs.
    pub fn logs(&self) -> bool {
        matches!(self, Self::Serve(args) if args.log == LogForm::Json)
    }

    /// Whether it does more than look.
    pub fn changes_something(&self) -> bool {
        match self {
            Self::Init(args) => !args.change.dry_run,
            Self::Deploy(args) => !args.change.dry_run,
            Self::Promote(args) => !args.change.dry_run,
            Self::Rollback(args) => !args.change.dry_run,
            Self::Retire(args) => !args.change.dry_run,
            Self::Resume(args) => !args.change.dry_run,
            Self::Adopt(args) => !args.change.dry_run,
            Self::Destroy(args) => !args.change.dry_run,
            Self::Attach(args) => !args.change.dry_run,
            Self::Detach(args) => !args.change.dry_run,
            Self::Up(args) => !args.change.dry_run,
            Self::Release(args) => !args.only_looks(),
            Self::Unlock(args) => args.force,
            Self::Run(_) | Self::Exec(_) | Self::Serve(_) | Self::Submit(_) => true,
            Self::Status(_)
            | Self::Fleet(_)
            | Self::Probe(_)
            | Self::Watch(_)
            | Self::Import(_)
            | Self::History(_)
            | Self::Logs(_)
            | Self::Doctor
            | Self::Report(_)
            | Self::Routers
            | Self::Completions { .. }
            | Self::Man { .. } => false,
        }
    }
}

/// For every command that changes something, for which it needs the lease.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ChangeFlags {
    /// How long to wait for another command to finish [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = spoken_time::read)]
    pub wait: Option<Duration>,
    /// Print the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Of what leaves the load balancer a target group without targets.
#[derive(Debug, Args)]
pub struct EmptyingFlags {
    /// Go on although a record of Route 53 evaluates the load balancer's health, and fails over
    #[arg(long)]
    pub allow_failover: bool,
}

#[derive(Debug, Args)]
pub struct Retire {
    #[command(flatten)]
    pub emptying: EmptyingFlags,
    /// How long the tasks may take to stop
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = spoken_time::read)]
    pub timeout: Duration,
    #[command(flatten)]
    pub change: ChangeFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs status                    shows what differs from the journal
  bgecs adopt --dry-run
  bgecs adopt                     accept what is there from now on")]
pub struct Adopt {
    #[command(flatten)]
    pub change: ChangeFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs unlock                    who is running what, and since when
  bgecs unlock --force            only if you are sure that it is dead")]
pub struct Unlock {
    /// Break the lease: its holder stops ahead of its next change
    #[arg(long)]
    pub force: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_asked_of_a_probe_is_not_asked_of_none() {
        for (command, flag) in [
            ("promote", "--rate=5"),
            ("promote", "--max-latency=p99=1s"),
            ("rollback", "--path=/api"),
            ("resume", "--max-failures=1"),
        ] {
            let error = Cli::try_parse_from(["bgecs", command, "--blind", flag]);
            let error = error.expect_err("it is refused").to_string();
            assert!(error.contains("cannot be used with"), "{flag}: {error}");
        }
        for line in [
            &[
                "bgecs", "promote", "--blind", "--window", "5s", "--report", "a.html",
            ][..],
            &["bgecs", "promote", "--continue", "--blind"],
            &["bgecs", "rollback", "--blind", "--no-rollback"],
        ] {
            assert!(Cli::try_parse_from(line).is_ok(), "{line:?}");
        }
    }

    #[test]
    fn what_is_empty_or_several_is_refused() {
        for (flag, text, expected) in [
            ("--build-arg", "=x", "it has no name"),
            ("--build-arg", "", "it has no name"),
            ("--build-arg", " =x", "it has no name"),
            ("--secret", "id=,src=x", "needs an id"),
            ("--ssh", "=/x", "needs an id"),
            ("--target", "", "it is empty"),
            ("--file", "", "a value is required"),
            ("--cache-from", "", "it is empty"),
            ("--cache-to", "", "it is empty"),
            ("--platform", "", "it is empty"),
            ("--platform", "linux/amd64,linux/arm64", "one platform"),
        ] {
            let line = ["bgecs", "deploy", ".", "--tag", "1", flag, text];
            let error = Cli::try_parse_from(line).expect_err("it is refused");
            let shown = error.to_string();
            assert!(shown.contains(expected), "{flag}: {shown}");
        }
        let line = ["bgecs", "deploy", "--tag", "1", "--image", " "];
        let error = Cli::try_parse_from(line).expect_err("it is refused");
        assert!(error.to_string().contains("it is empty"), "{error}");
    }

    #[test]
    fn the_command_line_shows_no_value_of_a_build() {
        let line = [
            "bgecs",
            "deploy",
            ".",
            "--tag",
            "1",
            "--build-arg",
            "A=hunter22",
        ];
        let cli = Cli::try_parse_from(line).expect("it is a command line");
        let shown = format!("{cli:?}");
        assert!(
            shown.contains("\"A\"") && !shown.contains("hunter"),
            "{shown}"
        );

        for (flag, text) in [
            ("--build-arg", "=hunter22"),
            ("--cache-to", "type=s3,secret_access_key=hunter22"),
            ("--cache-from", "type=gha,token=hunter22"),
            ("--ssh", "=hunter22"),
        ] {
            let line = ["bgecs", "deploy", ".", "--tag", "1", flag, text];
            let error = Cli::try_parse_from(line).expect_err("it is refused");
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(flag) && !shown.contains("hunter"), "{shown}");
        }
        for secret in ["hunter22", "hunter22==", "id=npm,value=hunter22"] {
            let line = ["bgecs", "deploy", ".", "--tag", "1", "--secret", secret];
            let error = Cli::try_parse_from(line).expect_err("it is no secret");
            let shown = format!("{error} {error:?}");
            assert!(
                shown.contains("--secret") && !shown.contains("hunter"),
                "{shown}"
            );
        }
    }
}
