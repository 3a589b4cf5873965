//! What `bgecs report` takes.

use std::path::PathBuf;

use clap::{Args, ValueHint};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs promote --report release.html --report release.json
  bgecs report release.json >> \"$GITHUB_STEP_SUMMARY\"
  gh pr comment --body \"$(bgecs report --markdown release.json)\"

It needs no bgecs.toml and no AWS.")]
pub struct ReportArgs {
    /// A report that --report has written, in JSON
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// As Markdown, which is the only form so far
    #[arg(long)]
    pub markdown: bool,
    /// The URL of a picture to show, such as an .svg report that is published somewhere
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub image: Option<String>,
}
