//! What is made for an app and removed again: `init`, `destroy`, `attach`, `detach`.

use std::path::PathBuf;

use clap::Args;

use super::worker::WorkerFlags;
use super::{ChangeFlags, EmptyingFlags, PolicyFor, Promote};
use crate::aws::policy::Role;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs init --write-config           write a commented bgecs.toml to start from
  bgecs init --dry-run                what would be created or changed
  bgecs init                          create or update the stack bgecs-<app>
  bgecs init --print-template         the CloudFormation template, for review
  bgecs init --print-policy deployer  the IAM policy that a pipeline needs
  bgecs init --worker --worker-image REF --subnets ID,ID --security-groups ID
                                      a worker that releases what is uploaded")]
pub struct Init {
    /// Write a commented bgecs.toml into this folder and do nothing else
    #[arg(long, conflicts_with_all = ["print_template", "print_policy", "dry_run"])]
    pub write_config: bool,
    /// Print the CloudFormation template and do nothing else
    #[arg(long, conflicts_with_all = ["print_policy", "dry_run"])]
    pub print_template: bool,
    /// Print the IAM policy that a role needs for this app and do nothing else
    #[arg(long, value_name = "ROLE", conflicts_with = "dry_run")]
    pub print_policy: Option<PolicyFor>,
    /// Apply a changed health path to the live colour too
    #[arg(long)]
    pub allow_live: bool,
    #[command(flatten)]
    pub worker: WorkerFlags,
    #[command(flatten)]
    pub change: ChangeFlags,
}

#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  bgecs up --dry-run              exit code 7 if there is something to do, else 0
  bgecs up                        make it so")]
pub struct Up {
    #[command(flatten)]
    pub change: ChangeFlags,
}

impl Up {
    /// The `init` that it stands for.
    pub fn init(&self) -> Init {
        Init {
            write_config: false,
            print_template: false,
            print_policy: None,
            allow_live: false,
            worker: WorkerFlags::default(),
            change: self.change,
        }
    }

    /// The `promote` that it stands for, of nothing yet.
    pub fn promotion(&self) -> Promote {
        Promote {
            change: self.change,
            ..Promote::default()
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs destroy --dry-run         what would go
  bgecs destroy                   shows it and asks
  bgecs destroy --yes
  bgecs destroy --worker          what `init --worker` made; the apps stay")]
pub struct Destroy {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Remove the worker of uploads that `init --worker` made, and no app
    #[arg(long)]
    pub worker: bool,
    /// The set or the app whose worker it is [default: set.toml, or else bgecs.toml]
    #[arg(value_name = "FILE", requires = "worker", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Remove all uploads, too, in all their versions
    #[arg(long, requires = "worker")]
    pub empty_bucket: bool,
    #[command(flatten)]
    pub change: ChangeFlags,
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
    pub change: ChangeFlags,
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
    pub change: ChangeFlags,
}
