//! `release`: several apps as one.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{ChangeFlags, Promote, WatchFlags};
use crate::model::{SetName, Steps, Tag};
use crate::report::ReportFile;
use crate::spoken_time;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  bgecs release set.toml --tag 7 --dry-run        the plan, and what users can meet
  bgecs release set.toml --tag 7
  bgecs release --tag 7 --only backend
  bgecs release --tag 7 --image backend=ghcr.io/acme/backend:7
  bgecs release --tag 7 --report release.html     what users of each module saw
  bgecs release --rollback                        all that the last one made live
  bgecs release status"
)]
pub struct ReleaseArgs {
    #[command(subcommand)]
    pub action: Option<ReleaseAction>,
    /// The set
    #[arg(value_name = "SET", default_value = "set.toml", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// The release's tag, in every module
    #[arg(long, allow_hyphen_values = true, required_unless_present = "rollback")]
    pub tag: Option<Tag>,
    /// Go back, in every module that the last release of the set made live
    #[arg(long, conflicts_with_all = ["tag", "only", "image", "steps"])]
    pub rollback: bool,
    /// Release this module alone; repeatable
    #[arg(long, value_name = "MODULE")]
    pub only: Vec<SetName>,
    /// Use this image for a module instead of building one; repeatable
    #[arg(long, value_name = "MODULE=REF")]
    pub image: Vec<ModuleImage>,
    /// Step by step, every module before any takes the next step, such as 5% for 5m;
    /// 100% follows [default: all at once, whatever [shift] says]
    #[arg(long, value_name = "LIST", value_parser = Steps::unattended)]
    pub steps: Option<Steps>,
    /// How long to watch the new releases [default: [probe] window_seconds of each]
    #[arg(long, value_name = "TIME", value_parser = spoken_time::read)]
    pub window: Option<Duration>,
    /// Write one report of all modules to this file: .html, .json or .svg; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub report: Vec<ReportFile>,
    #[command(flatten)]
    pub change: ChangeFlags,
}

#[derive(Debug, Subcommand)]
pub enum ReleaseAction {
    /// Show what each module runs, and what the last release of the set was
    Status {
        /// The set
        #[arg(value_name = "SET", default_value = "set.toml", value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
}

impl ReleaseArgs {
    /// Whether nothing but looking is asked for.
    pub fn only_looks(&self) -> bool {
        self.action.is_some() || self.change.dry_run
    }

    /// As it would be typed for one module.
    pub fn promotion(&self) -> Promote {
        let mut promote = Promote {
            tag: self.tag.clone(),
            change: self.change,
            watch: WatchFlags {
                window: self.window,
                ..WatchFlags::default()
            },
            ..Promote::default()
        };
        promote.shift.all_at_once = self.steps.is_none();
        promote.shift.steps.clone_from(&self.steps);
        promote
    }
}

/// `MODULE=REF`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleImage {
    pub module: SetName,
    pub image: String,
}

impl FromStr for ModuleImage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((module, image)) if !image.trim().is_empty() => Ok(Self {
                module: module.parse()?,
                image: image.to_owned(),
            }),
            _ => Err("write MODULE=REF, such as backend=ghcr.io/acme/backend:7".to_owned()),
        }
    }
}
