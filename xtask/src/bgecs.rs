//! Running the bgecs binary of this workspace, as a person would.

use std::path::{Path, PathBuf};
use std::process::Stdio;

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
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // The whole workspace, so that features are resolved as in every other
    // build and nothing is compiled twice.
    let status = Command::new(cargo)
        .args(["build", "--workspace", "--quiet"])
        .current_dir(root())
        .status()
        .await?;
    if !status.success() {
        return Err("bgecs does not build".into());
    }
    let exe = std::env::current_exe()?;
    let folder = exe.parent().ok_or("this program has no folder")?;
    Ok(folder.join("bgecs"))
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
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
#[derive(Debug, Clone)]
pub struct Bgecs {
    exe: PathBuf,
    env: Vec<(String, String)>,
}

impl Bgecs {
    pub fn new(exe: PathBuf, env: Vec<(String, String)>) -> Self {
        Self { exe, env }
    }

    /// Runs a command from the workspace's root, its progress kept.
    pub async fn run(&self, arguments: &[&str]) -> Result<Ended> {
        say::line(&format!("  $ bgecs {}", arguments.join(" ")));
        let mut command = Command::new(&self.exe);
        for name in localstack::ENV_TO_REMOVE {
            command.env_remove(name);
        }
        let output = command
            .args(arguments)
            .envs(self.env.iter().cloned())
            .current_dir(root())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        let ended = Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        for line in ended.stderr.lines().chain(ended.stdout.lines()) {
            say::line(&format!("    {line}"));
        }
        Ok(ended)
    }
}
