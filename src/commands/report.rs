//! `bgecs report`: makes Markdown of a report that was written earlier.

use std::fs;

use serde_json::json;

use crate::cli::ReportArgs;
use crate::error::{Error, Exit, Result};
use crate::report::{Audience, Reporter, markdown};

/// # Errors
/// No such file, or one that is not a report in JSON (exit 2).
pub fn run(audience: Audience, args: &ReportArgs) -> Result<Exit> {
    let path = args.file.display();
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Error::usage(format!("{path} cannot be read")).because(&error))?;
    let markdown = markdown(&text, args.image.as_deref()).map_err(|error| {
        Error::usage(format!("{path} is not a report in JSON"))
            .because(&error)
            .hint("`--report release.json` of promote, rollback, resume, watch, probe or release writes one")
    })?;
    let reporter = Reporter::new(audience);
    match audience.json {
        true => reporter.document(&json!({ "operation": "report", "markdown": markdown })),
        false => reporter.data(&markdown),
    }
    Ok(Exit::Done)
}
