//! `serve` and `submit`: releases that are uploaded.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::queue_url;
use crate::model::TopicArn;
use crate::spoken_time;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs serve                                     as [serve] in set.toml or bgecs.toml says
  bgecs serve shop/set.toml --queue https://sqs.eu-west-1.amazonaws.com/123456789012/releases.fifo
  bgecs serve --until-empty                       release what is waiting, and end

An upload is a .zip or .tar.gz with a release.toml at its root. SIGTERM has a release
that is under way end, or another worker take it over.")]
pub struct ServeArgs {
    /// The set or the app that has [serve] [default: set.toml, or else bgecs.toml]
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The queue that tells of uploads [default: [serve] queue]
    #[arg(long, value_name = "URL", value_parser = queue_url)]
    pub queue: Option<String>,
    /// The topic that is told how releases go [default: [notify] sns]
    #[arg(long, value_name = "ARN")]
    pub topic: Option<TopicArn>,
    /// End once the queue is empty
    #[arg(long)]
    pub until_empty: bool,
    /// How long a release may go on after SIGTERM, before it is left to another worker;
    /// less than the task's stopTimeout
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = spoken_time::read)]
    pub grace: Duration,
    /// Answer GET /health here, for the worker's own task
    #[arg(long, value_name = "IP:PORT")]
    pub health: Option<SocketAddr>,
    /// How what happens is logged on stderr
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub log: LogForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// For people
    Text,
    /// A JSON object in each line
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs submit shop-7.zip                         to the bucket of [serve], and wait for its end
  bgecs submit shop-7.tar.gz --bucket acme-releases --no-wait

Its exit code is that of the release. What it needs of AWS is s3:PutObject, and
dynamodb:Query on the app's journal.")]
pub struct SubmitArgs {
    /// The bundle: a .zip or .tar.gz with a release.toml at its root
    #[arg(value_name = "BUNDLE", value_hint = clap::ValueHint::FilePath)]
    pub bundle: PathBuf,
    /// The set or the app that has [serve] [default: set.toml, or else bgecs.toml]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The bucket [default: [serve] bucket]
    #[arg(long, value_name = "NAME")]
    pub bucket: Option<String>,
    /// What it is called there [default: its file name]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Upload it, and do not wait for its end
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait for its end
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = spoken_time::read)]
    pub timeout: Duration,
}
