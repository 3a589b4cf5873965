//! What only looks: `status`, `probe`, `history`, `logs`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::AskingFlags;
use crate::model::Color;
use crate::probe::Address;
use crate::spoken_time;

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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs fleet
  bgecs fleet --region eu-central-1,us-east-1
  bgecs fleet --json | jq -r '.apps[] | select(.unfinished) | .app'
  bgecs fleet --print-policy

--region takes several, separated by commas. It needs no bgecs.toml; where there is one, its
region, profile and [cost] are taken.

Ends with 1 if something could not be read: what could be is listed all the same.")]
pub struct FleetFlags {
    /// Print the IAM policy that this needs and do nothing else
    #[arg(long)]
    pub print_policy: bool,
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
