//! What `bgecs watch` takes.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::AskingFlags;
use super::value::not_empty;
use crate::probe::Address;
use crate::spoken_time;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs watch --cluster prod --service web -- ./our-deploy.sh
  bgecs watch --cluster prod --service web --url https://shop.example.com/health \\
    --report release.html -- terraform apply
  bgecs watch --cluster prod --service web --duration 5m
  bgecs watch --cluster prod --service web --print-policy

Ends with the command's own exit code, or with 1 if --fail-on-failures is given and
users saw failures.")]
pub struct WatchArgs {
    /// The ECS cluster
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub cluster: String,
    /// The ECS service, however it is deployed
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub service: String,
    /// What users ask, where the load balancer does not say it
    #[arg(long, conflicts_with = "path")]
    pub url: Option<Address>,
    /// How long to watch; with a command, at least so long
    #[arg(long, value_name = "TIME", value_parser = spoken_time::read)]
    pub duration: Option<Duration>,
    /// End with 1 if users saw failures, more than --max-failures and
    /// --max-failure-rate tolerate
    #[arg(long)]
    pub fail_on_failures: bool,
    /// Print the IAM policy that this needs and do nothing else
    #[arg(long)]
    pub print_policy: bool,
    /// A command without the hyphens ahead of it, which would take its flags for
    /// bgecs's.
    #[arg(hide = true)]
    pub stray: Vec<OsString>,
    /// The command to watch, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    // Last, as its heading would be that of whatever follows.
    #[command(flatten)]
    pub asking: AskingFlags,
}
