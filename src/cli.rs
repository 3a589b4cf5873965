//! The command line: types and help texts, nothing that acts.

mod asking;
pub mod completions;
mod import;
mod value;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::aws::policy::Role;
use crate::config::{HostPort, SecretHeader};
use crate::model::{CacheFrom, CacheTo, Color, LatencyLimit, Secret, SshAgent, Steps, Tag};
use crate::probe::Address;
use crate::spoken_time;
pub use asking::AskingFlags;
pub use import::ImportArgs;
pub use value::BuildArg;
pub use value::platform;
use value::{Unrepeated, not_empty};
pub use watch::WatchArgs;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed, traffic unchanged
  2    usage or configuration
  3    failed and rolled back, confirmed
  4    traffic is not where it was asked to go: look now
  5    timed out, traffic unchanged
  6    refused: a check failed, or another operation is in progress
  130  interrupted, traffic unchanged";

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

#[derive(Debug, Args)]
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
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// AWS endpoint to use (such as a local emulator) [env: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Reach the load balancer's host names through this address; through
    /// several, separated by commas, as its nodes
    #[arg(long, global = true, value_name = "HOST:PORT", value_delimiter = ',')]
    pub connect_to: Vec<HostPort>,
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
    /// Remove everything that bgecs made
    Destroy(Destroy),
    /// Make a second colour beside an ECS service that runs already
    Attach(Attach),
    /// Remove what `attach` made, and leave the service to its users
    Detach(Detach),
    /// Print a completion script for a shell
    Completions { shell: Shell },
}

impl Verb {
    /// Whether it does more than look.
    pub fn changes_something(&self) -> bool {
        match self {
            Self::Init(args) => !args.dry_run.dry_run,
            Self::Deploy(args) => !args.dry_run.dry_run,
            Self::Promote(args) => !args.dry_run.dry_run,
            Self::Rollback(args) => !args.dry_run.dry_run,
            Self::Retire(args) => !args.dry_run.dry_run,
            Self::Resume(args) => !args.dry_run.dry_run,
            Self::Adopt(args) => !args.dry_run.dry_run,
            Self::Destroy(args) => !args.dry_run.dry_run,
            Self::Attach(args) => !args.dry_run.dry_run,
            Self::Detach(args) => !args.dry_run.dry_run,
            Self::Unlock(args) => args.force,
            Self::Status(_)
            | Self::Probe(_)
            | Self::Watch(_)
            | Self::Import(_)
            | Self::History(_)
            | Self::Logs(_)
            | Self::Completions { .. } => false,
        }
    }
}

/// For every command that changes something.
#[derive(Debug, Clone, Copy, Args)]
pub struct DryRun {
    /// Print the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// For every command that needs the lease.
#[derive(Debug, Clone, Copy, Args)]
pub struct LeaseFlags {
    /// How long to wait for another command to finish [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = spoken_time::read)]
    pub wait: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs init --write-config           write a commented bgecs.toml to start from
  bgecs init --dry-run                what would be created or changed
  bgecs init                          create or update the stack bgecs-<app>
  bgecs init --print-template         the CloudFormation template, for review
  bgecs init --print-policy deployer  the IAM policy that a pipeline needs")]
pub struct Init {
    /// Write a commented bgecs.toml into this folder and do nothing else
    #[arg(long, conflicts_with_all = ["print_template", "print_policy", "dry_run"])]
    pub write_config: bool,
    /// Print the CloudFormation template and do nothing else
    #[arg(long, conflicts_with_all = ["print_policy", "dry_run"])]
    pub print_template: bool,
    /// Print the IAM policy that a role needs for this app and do nothing else
    #[arg(long, value_name = "ROLE", conflicts_with = "dry_run")]
    pub print_policy: Option<Role>,
    /// Apply a changed health path to the live colour too
    #[arg(long)]
    pub allow_live: bool,
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs deploy ./sample-app/v2 --tag 2                     onto the idle one
  bgecs deploy ./sample-app/v2 --tag 2 --color blue
  bgecs deploy . --secret id=npm,src=$HOME/.npmrc          tagged as its commit
  git archive HEAD | bgecs deploy - --tag 2                what is committed
  bgecs deploy --image ghcr.io/acme/hello:2 --tag 2        an image that CI built")]
pub struct Deploy {
    /// The folder to build the image from; `-` for a tar on stdin
    #[arg(required_unless_present = "image", conflicts_with = "image")]
    pub context: Option<PathBuf>,
    /// The release's tag, in the registry and in every report [default: the
    /// commit's short hash, where the context's work tree is clean]
    // A tag that starts with a hyphen gets the answer that any bad tag gets.
    #[arg(long, allow_hyphen_values = true)]
    pub tag: Option<Tag>,
    /// Where to deploy [default: the idle one]
    #[arg(long)]
    pub color: Option<Color>,
    /// Use this image instead of building one
    #[arg(long, value_name = "REF", value_parser = not_empty)]
    pub image: Option<String>,
    /// Deploy even onto the live one: users see it at once, without a probe
    #[arg(long)]
    pub allow_live: bool,
    /// Restart the tasks even if nothing changed
    #[arg(long)]
    pub force: bool,
    /// Show how the task definition differs from the live one, and deploy
    #[arg(long)]
    pub diff: bool,
    /// Do not ask the release: its targets' health is enough, where this machine
    /// does not reach the test route
    #[arg(long)]
    pub blind: bool,
    /// How long the release may take to start serving
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = spoken_time::read)]
    pub timeout: Duration,
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
    // Last, as its heading would be that of whatever follows.
    #[command(flatten)]
    pub build: BuildFlags,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Build options")]
pub struct BuildFlags {
    /// The Dockerfile; `-` for stdin [default: Dockerfile in the context]
    #[arg(short, long, value_name = "FILE", conflicts_with = "image")]
    pub file: Option<PathBuf>,
    /// A build argument; without a value it is taken from the environment
    #[arg(long, value_name = "K=V", conflicts_with = "image", value_parser = Unrepeated::<BuildArg>::new())]
    pub build_arg: Vec<BuildArg>,
    /// The stage to build
    #[arg(long, value_name = "STAGE", conflicts_with = "image", value_parser = not_empty)]
    pub target: Option<String>,
    /// The platform to build for, such as linux/arm64; of an --image that has
    /// several, the one to run [env: DOCKER_DEFAULT_PLATFORM]
    #[arg(long, value_parser = platform)]
    pub platform: Option<String>,
    /// Do not use the build cache
    #[arg(long, conflicts_with = "image")]
    pub no_cache: bool,
    /// Ask registries for base images even where the engine has them
    #[arg(long, conflicts_with = "image")]
    pub pull: bool,
    /// A secret for the build: id=NAME,src=FILE or id=NAME,env=VARIABLE; id=NAME
    /// alone is the variable or file of that name
    #[arg(long, value_name = "SECRET", conflicts_with = "image", value_parser = Unrepeated::<Secret>::new())]
    pub secret: Vec<Secret>,
    /// An SSH agent for the build: default for the one of SSH_AUTH_SOCK, or
    /// ID=SOCKET
    #[arg(long, value_name = "AGENT", conflicts_with = "image", value_parser = Unrepeated::<SshAgent>::new())]
    pub ssh: Vec<SshAgent>,
    /// Take steps from this image, or from what --cache-to kept there
    #[arg(long, value_name = "IMAGE", conflicts_with = "image", value_parser = Unrepeated::<CacheFrom>::new())]
    pub cache_from: Vec<CacheFrom>,
    /// Keep the steps: type=inline in the image, or
    /// type=registry,ref=IMAGE[,mode=max] (needs Docker's containerd image store)
    #[arg(long, value_name = "CACHE", conflicts_with = "image", value_parser = Unrepeated::<CacheTo>::new())]
    pub cache_to: Vec<CacheTo>,
}

/// How production is watched while listeners change.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Probe options")]
pub struct WatchFlags {
    /// How long to watch the new release [default: 15s, or [probe] window_seconds]
    #[arg(long, value_name = "TIME", value_parser = spoken_time::read)]
    pub window: Option<Duration>,
    /// Leave a failed swap in place
    #[arg(long)]
    pub no_rollback: bool,
    /// Do not ask production: judge by target health and [shift] alarms alone,
    /// where this machine does not reach the load balancer
    #[arg(long, conflicts_with_all = ["rate", "connections", "path", "method", "header", "http", "release_header", "expect_status", "expect_body", "max_failures", "max_failure_rate"])]
    pub blind: bool,
    #[command(flatten)]
    pub asking: AskingFlags,
}

/// How users go over to the new release.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Shift options")]
pub struct ShiftFlags {
    /// Step by step, such as 5% for 5m,25% for 10m,50% pause; 100% follows
    /// [default: [shift] steps, or all at once]
    #[arg(long, value_name = "LIST", group = "layout")]
    pub steps: Option<Steps>,
    /// First so many, and after that time all, such as 10%:15m
    #[arg(long, value_name = "P%:TIME", group = "layout", value_parser = Steps::canary)]
    pub canary: Option<Steps>,
    /// So many more each time, such as 10%:1m
    #[arg(long, value_name = "P%:TIME", group = "layout", value_parser = Steps::linear)]
    pub linear: Option<Steps>,
    /// All users at once, whatever [shift] says
    #[arg(long, group = "layout")]
    pub all_at_once: bool,
    /// How slow it may be, such as p99=400ms; repeatable [default: [shift]
    /// max_latency]
    #[arg(long, value_name = "LIMIT", conflicts_with = "blind")]
    pub max_latency: Vec<LatencyLimit>,
    /// How long to watch it once all users are on it [default: [shift] bake, or
    /// as --window]
    #[arg(long, value_name = "TIME", value_parser = spoken_time::read, conflicts_with = "window")]
    pub bake: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs promote                   make live what was deployed last
  bgecs promote --tag 2           make tag 2 live, wherever it runs
  bgecs promote blue --window 60s
  bgecs promote --dry-run         the plan, nothing else
  bgecs promote --steps '5% for 5m,25% pause' --bake 15m
  bgecs promote --continue        go on after a pause
  bgecs promote --tag 2 --rate 1000 --report release.html")]
pub struct Promote {
    /// Make live what runs here [default: the release that was deployed last
    /// and has not been live]
    pub color: Option<Color>,
    /// The release to make live, wherever it runs
    #[arg(long, allow_hyphen_values = true)]
    pub tag: Option<Tag>,
    /// Promote even though production is failing now: the new release is the fix,
    /// and all users get it at once
    #[arg(long, conflicts_with_all = ["steps", "canary", "linear"])]
    pub fix_forward: bool,
    /// Go on with the promotion that waits for a person
    #[arg(long = "continue", conflicts_with_all = ["abort", "color", "tag", "fix_forward", "layout", "bake", "window", "max_latency", "dry_run"])]
    pub go_on: bool,
    /// Take back the promotion that waits for a person
    #[arg(long, conflicts_with_all = ["color", "tag", "fix_forward", "layout", "bake", "window", "max_latency", "dry_run"])]
    pub abort: bool,
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
    // Last, as its heading would be that of whatever follows.
    #[command(flatten)]
    pub shift: ShiftFlags,
    #[command(flatten)]
    pub watch: WatchFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs rollback
  bgecs rollback --now            do not wait until it has as many tasks
  bgecs rollback --window 5s")]
pub struct Rollback {
    /// Do not wait until the old colour has as many tasks as the live one
    #[arg(long)]
    pub now: bool,
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub watch: WatchFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs status
  bgecs status --watch
  bgecs status --json | jq -r .live")]
pub struct StatusFlags {
    /// Refresh every two seconds, until Ctrl-C
    #[arg(short, long, conflicts_with = "json")]
    pub watch: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListenerFlag {
    /// What users reach: port 80, or 443 with [tls]
    Prod,
    /// The test route: port 81, or 8443 with [tls]
    Test,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs probe                                  production, 10 times a second for 10 s
  bgecs probe --listener test --rate 50 --duration 1m
  bgecs probe --url http://localhost:8080/api --rate 1000
  bgecs probe --url https://example.com --method HEAD --expect-status 2xx,304")]
pub struct ProbeFlags {
    /// Which listener to probe
    #[arg(long, default_value = "prod", conflicts_with = "url")]
    pub listener: ListenerFlag,
    /// Probe this address instead; bgecs.toml and AWS are not used
    #[arg(long, conflicts_with = "path")]
    pub url: Option<Address>,
    /// How long to probe
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = spoken_time::read)]
    pub duration: Duration,
    #[command(flatten)]
    pub asking: AskingFlags,
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
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs resume
  bgecs resume --dry-run          what would be done, nothing else")]
pub struct Resume {
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
    // Last, as its heading would be that of whatever follows.
    #[command(flatten)]
    pub watch: WatchFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs history
  bgecs history --limit 3 --json | jq '.operations[].outcome'")]
pub struct History {
    /// How many operations to list
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs status                    shows what differs from the journal
  bgecs adopt --dry-run
  bgecs adopt                     accept what is there from now on")]
pub struct Adopt {
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs logs                      the live one's, from the last ten minutes
  bgecs logs blue -f
  bgecs logs green --since 2h")]
pub struct LogsFlags {
    /// Whose logs to show [default: the live one's]
    pub color: Option<Color>,
    /// Follow new lines
    #[arg(short, long)]
    pub follow: bool,
    /// How far to go back
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = spoken_time::read)]
    pub since: Duration,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs destroy --dry-run         what would go
  bgecs destroy                   shows it and asks
  bgecs destroy --yes")]
pub struct Destroy {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs attach --dry-run                what would be made
  bgecs attach
  bgecs attach --print-policy deployer  the IAM policy that a pipeline needs")]
pub struct Attach {
    #[command(flatten)]
    pub emptying: EmptyingFlags,
    /// Print the IAM policy that a role needs for this app and do nothing else
    #[arg(long, value_name = "ROLE", conflicts_with = "dry_run")]
    pub print_policy: Option<Role>,
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs detach --dry-run          what would go
  bgecs detach")]
pub struct Detach {
    #[command(flatten)]
    pub emptying: EmptyingFlags,
    #[command(flatten)]
    pub lease: LeaseFlags,
    #[command(flatten)]
    pub dry_run: DryRun,
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
