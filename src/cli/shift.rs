//! What moves users, and how they are watched meanwhile: `promote`, `rollback`, `resume`.

use std::time::Duration;

use clap::Args;

use super::{AskingFlags, ChangeFlags};
use crate::engine::hook_task::HookTaskOrder;
use crate::model::{Color, LatencyLimit, Steps, Tag};
use crate::spoken_time;

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

/// What somebody says of a `before_shift` that is a task.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct HookFlags {
    /// Of a before_shift that runs once for a release, after you have looked: run it
    /// again, or take it as done
    #[arg(long, value_name = "WORD", conflicts_with = "dry_run")]
    pub before_shift: Option<HookTaskOrder>,
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

#[derive(Debug, Default, Args)]
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
    #[arg(long = "continue", conflicts_with_all = ["abort", "color", "tag", "fix_forward", "before_shift", "layout", "bake", "window", "max_latency", "dry_run"])]
    pub go_on: bool,
    /// Take back the promotion that waits for a person
    #[arg(long, conflicts_with_all = ["color", "tag", "fix_forward", "before_shift", "layout", "bake", "window", "max_latency", "dry_run"])]
    pub abort: bool,
    #[command(flatten)]
    pub hook: HookFlags,
    #[command(flatten)]
    pub change: ChangeFlags,
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
    pub change: ChangeFlags,
    #[command(flatten)]
    pub watch: WatchFlags,
}

#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  bgecs resume
  bgecs resume --dry-run          what would be done, nothing else")]
pub struct Resume {
    #[command(flatten)]
    pub hook: HookFlags,
    #[command(flatten)]
    pub change: ChangeFlags,
    // Last, as its heading would be that of whatever follows.
    #[command(flatten)]
    pub watch: WatchFlags,
}
