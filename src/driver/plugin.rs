//! AWS's session-manager-plugin, which speaks the protocol of a session for bgecs. The
//! token is passed in the environment, because anyone who lists this machine's processes
//! can see arguments.

use std::io;
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::aws::ExecSession;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;

const PLUGIN: &str = "session-manager-plugin";
/// Later versions take the session from the variable whose name they are given.
const LAST_WITHOUT_VARIABLE: [u32; 4] = [1, 2, 497, 0];
const VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";
const WHERE: &str = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";

/// # Errors
/// It is not installed, or is too old (exit 6).
pub async fn require() -> Result<()> {
    let asked = Command::new(PLUGIN).arg("--version").output().await;
    let told = asked.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::refused(format!(
            "`exec` needs the {PLUGIN}, which is not on this machine"
        ))
        .hint(format!("how to install it: {WHERE}")),
        _ => Error::failed(format!("{PLUGIN} cannot be started")).because(&error),
    })?;
    let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    match parts(&version) {
        Some(parts) if parts > LAST_WITHOUT_VARIABLE => Ok(()),
        Some(_) => Err(Error::refused(format!(
            "the {PLUGIN} here is {version}, and shows a session's token to anyone who lists this machine's processes"
        ))
        .hint(format!("how to install a newer one: {WHERE}"))),
        None => Err(Error::refused(format!(
            "{PLUGIN} gives no version, but `{version}`"
        ))
        .hint(format!("how to install it: {WHERE}"))),
    }
}

fn parts(version: &str) -> Option<[u32; 4]> {
    let mut parts = [0; 4];
    let said: Vec<&str> = version.split('.').collect();
    for (part, said) in parts.iter_mut().zip(&said) {
        *part = said.parse().ok()?;
    }
    (said.len() <= 4).then_some(parts)
}

/// Runs the plugin for the session on this terminal until it ends; returns its exit code.
/// Interrupts are meant for the remote command.
///
/// # Errors
/// It cannot be started.
pub async fn take_part(session: &ExecSession, (region, endpoint): (&str, &str)) -> Result<u8> {
    let _unheard = Interrupts::listen()?;
    let status = Command::new(PLUGIN)
        .args([VARIABLE, region, "StartSession", ""])
        .arg(json!({ "Target": session.target }).to_string())
        .arg(endpoint)
        .env(VARIABLE, session.answer.reveal())
        .stdin(Stdio::inherit())
        .status()
        .await;
    let status = status
        .map_err(|error| Error::failed(format!("{PLUGIN} cannot be started")).because(&error))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.ok_or_else(|| Error::new(Exit::Failed, format!("{PLUGIN} was killed: {status}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, expected) in [
            ("1.2.553.0", Some([1, 2, 553, 0])),
            ("1.10", Some([1, 10, 0, 0])),
            ("1.2.3.4.5", None),
            ("The Session Manager plugin was installed", None),
            ("", None),
        ] {
            assert_eq!(parts(version), expected, "{version}");
        }
        assert!(parts("1.2.497.0").unwrap() <= LAST_WITHOUT_VARIABLE);
        assert!(parts("1.10.0.0").unwrap() > LAST_WITHOUT_VARIABLE);
    }
}
