//! What `bgecs exec` takes.

use clap::Args;

use crate::model::Color;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs exec                      a shell in a task that users are on
  bgecs exec blue -- env

It needs AWS's session-manager-plugin on this machine, `exec = true` in [service], `bgecs init`
and a deploy since. It asks for ecs:ExecuteCommand, which no policy that bgecs prints has: a
shell in production is for people.

Ends with the plugin's exit code, which is not the command's.")]
pub struct ExecArgs {
    /// The colour in whose newest task it runs [default: the live one]
    pub color: Option<Color>,
    /// The command and its arguments [default: /bin/sh]
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<String>,
}
