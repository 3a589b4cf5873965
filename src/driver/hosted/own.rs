//! The owner's commands for a colour that bgecs does not run.

use std::ffi::OsString;
use std::time::Duration;

use crate::driver::hook::HookCommand;
use crate::error::{Error, Exit, Result};
use crate::model::journal::OwnCommand;
use crate::model::{Color, Tag};
use crate::session::Session;

/// One of the commands, and what it is given.
#[derive(Debug)]
pub struct Own<'a> {
    pub command: OwnCommand,
    /// A line for `sh`.
    pub line: &'a str,
    pub color: Color,
    /// None if it is not known what runs there.
    pub tag: Option<&'a Tag>,
    /// The context named on the command line.
    pub context: Option<&'a str>,
    pub timeout: Duration,
}

impl Own<'_> {
    /// # Errors
    /// It takes too long (exit 5); as [`HookCommand::run`].
    pub async fn run(&self, session: &Session) -> Result<()> {
        let command = HookCommand {
            what: "command",
            name: format!("`{}` of {}", self.command, self.color),
            line: self.line,
            folder: session.config.root(),
            environment: self.environment(),
            limit: Some(self.timeout),
        };
        command.run(session).await.map_err(|failure| {
            let exit = match failure.is_late {
                true => Exit::TimedOut,
                false => Exit::Failed,
            };
            Error {
                exit,
                ..failure.into()
            }
        })
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("BGECS_COLOR", self.color.as_str().into()),
            ("BGECS_TAG", self.tag.map_or("", Tag::as_str).into()),
            ("BGECS_CONTEXT", self.context.unwrap_or_default().into()),
        ]
    }
}
