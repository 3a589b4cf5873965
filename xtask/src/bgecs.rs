//! Running the bgecs binary of this workspace, as a person would.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use localstack::gate::record::{Call, Calls, Mark};
use serde_json::Value;
use tokio::process::Command;

use crate::{Result, say};

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds what cargo's own `run` has not built yet.
pub async fn build() -> Result<PathBuf> {
    say::line("building bgecs");
    // The whole workspace, so that features are resolved as in every other
    // build and nothing is compiled twice.
    run_cargo(&["build", "--workspace", "--quiet"]).await?;
    Ok(target()?.join("debug/bgecs"))
}

/// Builds it as `cargo install` does.
pub async fn build_release() -> Result<PathBuf> {
    say::line("building bgecs for release");
    run_cargo(&["build", "--release", "--package", "bgecs", "--quiet"]).await?;
    Ok(target()?.join("release/bgecs"))
}

/// Where cargo has built this program.
fn target() -> Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let folder = exe.ancestors().nth(2).ok_or("this program has no folder")?;
    Ok(folder.to_owned())
}

/// A cargo command without the variables that cargo set for this package.
pub fn cargo() -> std::process::Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = std::process::Command::new(cargo);
    // What cargo tells the package that it runs, which is this one. ring's
    // build script looks at it, and would have half of all compiled anew.
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_MANIFEST_", "CARGO_PKG_"];
        let text = name.to_string_lossy();
        if of_package.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

async fn run_cargo(arguments: &[&str]) -> Result<()> {
    let mut command = Command::from(cargo());
    let status = command.args(arguments).current_dir(root()).status().await?;
    if !status.success() {
        return Err("bgecs does not build".into());
    }
    Ok(())
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn show(&self) {
        for line in self.stderr.lines().chain(self.stdout.lines()) {
            say::line(&format!("    {line}"));
        }
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).map_err(|error| {
            format!("stdout is not one JSON document: {error}\n{}", self.stdout).into()
        })
    }

    pub fn expect_code(self, code: i32) -> Result<Self> {
        if self.code == code {
            return Ok(self);
        }
        Err(format!(
            "exit code {} where {code} was expected\nstdout:\n{}\nstderr:\n{}",
            self.code, self.stdout, self.stderr
        )
        .into())
    }

    pub fn expect_stderr(self, part: &str) -> Result<Self> {
        if self.stderr.contains(part) {
            return Ok(self);
        }
        Err(format!("stderr does not say `{part}`:\n{}", self.stderr).into())
    }
}

/// The binary, with the environment of a local AWS.
#[derive(Debug)]
pub struct Bgecs {
    exe: PathBuf,
    env: Vec<(String, String)>,
    /// The gate's record, where there is a gate.
    calls: Option<Calls>,
    /// The calls of each command that was run, by its name.
    ledger: Mutex<Vec<(String, Vec<Call>)>>,
}

impl Bgecs {
    pub fn new(exe: PathBuf, env: Vec<(String, String)>, calls: Option<Calls>) -> Self {
        Self {
            exe,
            env,
            calls,
            ledger: Mutex::default(),
        }
    }

    /// One whose commands are not in the ledger: what runs beside others cannot tell
    /// its calls from theirs.
    pub fn uncounted(&self) -> Self {
        Self::new(self.exe.clone(), self.env.clone(), None)
    }

    /// What each command that was run asked of AWS.
    pub fn ledger(&self) -> Vec<(String, Vec<Call>)> {
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn enter(&self, arguments: &[&str], mark: Option<Mark>) {
        if let (Some(calls), Some(mark), Some(command)) = (&self.calls, mark, arguments.first()) {
            self.ledger
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(((*command).to_owned(), calls.since(mark)));
        }
    }

    /// The local AWS's, for another program that is to find it.
    pub fn env(&self) -> &[(String, String)] {
        &self.env
    }

    /// From the workspace's root, its output piped: for who starts it alone.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(&self.exe);
        for name in localstack::ENV_TO_REMOVE {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .envs(self.env.iter().cloned())
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command, and says nothing of it.
    pub async fn run_quietly(&self, arguments: &[&str]) -> Result<Ended> {
        let mark = self.calls.as_ref().map(Calls::mark);
        let mut command = Command::from(self.command(arguments));
        let output = command.kill_on_drop(true).output().await?;
        self.enter(arguments, mark);
        Ok(Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command and shows it.
    pub async fn run(&self, arguments: &[&str]) -> Result<Ended> {
        say::line(&format!("  $ bgecs {}", arguments.join(" ")));
        let ended = self.run_quietly(arguments).await?;
        ended.show();
        Ok(ended)
    }
}
