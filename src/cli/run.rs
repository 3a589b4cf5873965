//! What `bgecs run` takes.

use std::time::Duration;

use clap::Args;

use super::value::not_empty;
use crate::model::Color;
use crate::spoken_time;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs run -- migrate --all
  bgecs run --color blue --timeout 10m -- check
  bgecs run --once backfill-2026-11 -- backfill

The task is as the colour's own: its revision, network, roles and platform. CMD stands in
place of the image's CMD, and its ENTRYPOINT stays. Ctrl-C stops the task.

Ends with the command's own exit code; where it has none, with one of bgecs's.")]
pub struct RunArgs {
    /// The colour whose release runs it [default: the live one]
    #[arg(long, value_name = "COLOR")]
    pub color: Option<Color>,
    /// How long it may take, after which it is stopped
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = spoken_time::read)]
    pub timeout: Duration,
    /// Start it once, however often this is typed with the same NAME: for an hour after
    /// its end, a day at most
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub once: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}
