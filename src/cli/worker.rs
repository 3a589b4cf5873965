//! `init --worker`: a worker of uploads.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::value::Unrepeated;
use crate::aws::policy::Role;
use crate::config::{SecretRef, variable_name};

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "A worker of uploads")]
pub struct WorkerFlags {
    /// Make a bucket, a queue and a task that runs `bgecs serve`, and nothing of an app
    #[arg(long, conflicts_with_all = ["write_config", "allow_live"])]
    pub worker: bool,
    /// The set or the app that has [serve] [default: set.toml, or else bgecs.toml]
    #[arg(value_name = "FILE", requires = "worker", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The image of the task: bgecs, and in its working folder the files of the apps
    #[arg(long, value_name = "REF", requires = "worker")]
    pub worker_image: Option<String>,
    /// A variable of the task's, and the ARN of the secret or parameter that has its value
    #[arg(long, value_name = "NAME=ARN", requires = "worker", value_parser = Unrepeated::<WorkerSecret>::new())]
    pub worker_secret: Vec<WorkerSecret>,
    /// The subnets of the task, separated by commas
    #[arg(long, value_name = "ID", value_delimiter = ',', requires = "worker")]
    pub subnets: Vec<String>,
    /// Its security groups, separated by commas; nothing has to be let in
    #[arg(long, value_name = "ID", value_delimiter = ',', requires = "worker")]
    pub security_groups: Vec<String>,
    /// Give it a public address, as in subnets that have no other way to AWS
    #[arg(long, requires = "worker")]
    pub public_ip: bool,
}

/// Whose policy is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyFor {
    /// For an app, of whoever has that role.
    App(Role),
    /// Of a worker of uploads.
    Worker,
}

impl PolicyFor {
    pub const ALL: [Self; 3] = [
        Self::App(Role::Deployer),
        Self::App(Role::Operator),
        Self::Worker,
    ];
}

/// A variable that ECS sets from where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSecret {
    pub name: String,
    pub from: SecretRef,
}

impl FromStr for WorkerSecret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, arn) = text
            .split_once('=')
            .ok_or("it takes a variable and an ARN, such as RELEASE_WEBHOOK=arn:aws:ssm:…")?;
        Ok(Self {
            name: variable_name(name)?,
            from: arn.parse()?,
        })
    }
}
