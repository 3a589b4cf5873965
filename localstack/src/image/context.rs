//! The context of the image's build: the Dockerfile, the requirements, and the
//! wheels that they name, for the Python and the processor of the image.

use std::path::Path;

use bollard::Docker;
use tempfile::TempDir;

use super::DOCKERFILE;
use crate::emulator::ministack::SERVE;
use crate::layout::{Layout, write};
use crate::process::Run;
use crate::venv::{PIP, REQUIREMENTS};
use crate::{Error, Progress, Result};

/// The base's Python: Debian bookworm's. Its version as pip names it.
const PYTHON: &str = "3.11";
const ABIS: &[&str] = &["cp311", "abi3", "none"];

/// Fetches the wheels and puts all together; the directory is removed with the
/// value.
pub(super) async fn prepare(
    docker: &Docker,
    layout: &Layout,
    python: &Path,
    progress: &Progress,
) -> Result<TempDir> {
    let dir = tempfile::Builder::new()
        .prefix("image-context-")
        .tempdir_in(layout.root())
        .map_err(|source| Error::File {
            action: "make a directory in",
            path: layout.root().to_path_buf(),
            source,
        })?;
    write(&dir.path().join("Dockerfile"), DOCKERFILE)?;
    write(&dir.path().join("requirements.txt"), REQUIREMENTS)?;
    write(&dir.path().join("serve.py"), SERVE)?;
    progress("fetching the emulator's wheels");
    let machine = machine(docker).await?;
    download(layout, python, dir.path(), machine).await?;
    Ok(dir)
}

async fn download(layout: &Layout, python: &Path, dir: &Path, machine: &str) -> Result<()> {
    let requirements = dir.join("requirements.txt").display().to_string();
    let wheels = dir.join("wheels").display().to_string();
    // The image's, not this machine's: this Python may be another, and so may
    // be the system.
    let platforms = [
        "manylinux_2_17",
        "manylinux2014",
        "manylinux_2_28",
        "manylinux_2_34",
        "linux",
    ]
    .map(|system| format!("{system}_{machine}"));
    let mut args = vec!["-m", "pip", "download", "--quiet"];
    args.extend(PIP);
    args.extend(["--python-version", PYTHON, "--implementation", "cp"]);
    args.extend(ABIS.iter().flat_map(|abi| ["--abi", *abi]));
    args.extend(
        platforms
            .iter()
            .flat_map(|platform| ["--platform", platform.as_str()]),
    );
    args.extend(["--dest", &wheels, "--requirement", &requirements]);
    Run {
        doing: "fetching the emulator's wheels",
        program: &python.to_string_lossy(),
        args: &args,
        env: &[],
        log: &layout.log("image"),
        hint: "remove target/localstack/venv and try again",
    }
    .to_end()
    .await
}

/// The engine's processor, as Python names it.
async fn machine(docker: &Docker) -> Result<&'static str> {
    let version = docker
        .version()
        .await
        .map_err(|source| Error::docker("ask the engine for its processor", source))?;
    match version.arch.as_deref() {
        Some("amd64") => Ok("x86_64"),
        Some("arm64") => Ok("aarch64"),
        other => Err(Error::Image {
            reason: format!(
                "the engine runs on {}",
                other.unwrap_or("an unknown processor")
            ),
            hint: "it takes one on amd64 or arm64",
        }),
    }
}
