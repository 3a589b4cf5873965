//! What `bgecs import` takes.

use clap::Args;

use super::value::not_empty;
use crate::model::AppName;
use crate::probe::Address;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs import --cluster prod --service web
  bgecs import --cluster prod --service web --url https://shop.example.com
  bgecs import --cluster prod --service web --config web/bgecs.toml
  bgecs import --cluster prod --service web --print-policy

Reads, and changes nothing in AWS. What it cannot know it lists, with exit code 2 and the
flag that says it. No file that is there is overwritten.")]
pub struct ImportArgs {
    /// The ECS cluster
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub cluster: String,
    /// The ECS service that runs already
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub service: String,
    /// What the app is called [default: as the service]
    #[arg(long, value_name = "NAME")]
    pub app: Option<AppName>,
    /// By which rule users come in, or by which listener's default action, where
    /// several lead to the service; again for each that is to be moved
    #[arg(long, value_name = "ARN", value_parser = not_empty)]
    pub production: Vec<String>,
    /// What users type, where the load balancer does not say it; again for each
    /// --production, in the same order
    #[arg(long)]
    pub url: Vec<Address>,
    /// Print the IAM policy that this needs and do nothing else
    #[arg(long)]
    pub print_policy: bool,
}
