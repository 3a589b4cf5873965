//! Running other programs.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::Result;

/// Whether a command can be run and exits with 0.
pub fn answers(words: &[&str]) -> bool {
    let mut command = of(words);
    let answered = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    answered.is_ok_and(|status| status.success())
}

/// The path of a program that is in `PATH`.
pub fn in_path(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(name));
    found.find(|path| path.is_file())
}

pub fn of(words: &[&str]) -> Command {
    let (program, arguments) = words
        .split_first()
        .map_or(("", words), |(it, rest)| (*it, rest));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command and returns its stdout.
///
/// # Errors
/// It cannot be started, or it fails; the error includes its stderr.
pub fn said(command: &mut Command) -> Result<String> {
    let output = ended(command)?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command and returns everything it printed.
///
/// # Errors
/// As above.
pub fn ended(command: &mut Command) -> Result<Output> {
    let output = command
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} failed:\n{}", shown(command), stderr.trim_end()).into());
    }
    Ok(output)
}

/// Runs a command and lets its output through.
///
/// # Errors
/// It cannot be started, or it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .map_err(|error| cannot_start(command, &error))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{} failed", shown(command)).into()),
    }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    let program = command.get_program().to_string_lossy();
    format!("{program} cannot be started: {error}")
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// A path as text.
pub fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .ok_or_else(|| format!("{} is not UTF-8", path.display()).into())
}
