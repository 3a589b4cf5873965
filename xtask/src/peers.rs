//! Programs of others: what bgecs is measured beside and with, and what the story is told
//! by besides bgecs. Installed by their own names where they are not there yet.

use std::path::{Path, PathBuf};

use localstack::{Environment, Tool};
use tokio::process::Command;

use crate::bgecs::root;
use crate::{Result, say};

/// The AWS CLI and ecs-deploy, from PyPI.
const PYTHON: Environment = Environment {
    name: "peers",
    contents: "the AWS CLI and ecs-deploy",
    requirements: include_str!("../peers.txt"),
};

/// The newest when this was written: figures of another are other figures.
const OHA: &str = "1.16.0";

const fn debian(path: &'static str, package: &'static str) -> Tool {
    Tool { path, package }
}

/// The Python that has the AWS CLI and ecs-deploy.
pub async fn python() -> Result<PathBuf> {
    Ok(PYTHON.python(&say::line).await?)
}

/// Debian's command line of Docker: it has BuildKit's client in it, which a newer
/// one looks for in a plugin.
pub async fn docker() -> Result<PathBuf> {
    Ok(debian("/usr/bin/docker", "docker.io")
        .ensure(&say::line)
        .await?)
}

/// GNU time.
pub async fn time() -> Result<PathBuf> {
    Ok(debian("/usr/bin/time", "time").ensure(&say::line).await?)
}

pub async fn nginx() -> Result<PathBuf> {
    Ok(debian("/usr/sbin/nginx", "nginx-light")
        .ensure(&say::line)
        .await?)
}

pub async fn hey() -> Result<PathBuf> {
    Ok(debian("/usr/bin/hey", "hey").ensure(&say::line).await?)
}

pub async fn wrk() -> Result<PathBuf> {
    Ok(debian("/usr/bin/wrk", "wrk").ensure(&say::line).await?)
}

/// From crates.io, with the versions of its own lock file.
pub async fn oha() -> Result<PathBuf> {
    let folder = root().join(format!("target/bench/oha-{OHA}"));
    let program = folder.join("bin/oha");
    if !program.is_file() {
        say::line(&format!("installing oha {OHA}, which takes some minutes"));
        install_oha(&folder).await?;
    }
    Ok(program)
}

async fn install_oha(folder: &Path) -> Result<()> {
    let status = Command::new("cargo")
        .args(["install", "oha", "--locked", "--quiet", "--version", OHA])
        .arg("--root")
        .arg(folder)
        .kill_on_drop(true)
        .status()
        .await?;
    if status.success() {
        Ok(())
    } else {
        Err("oha cannot be installed".into())
    }
}
