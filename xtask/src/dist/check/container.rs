//! Checks the image: it builds, and runs if it is for this machine's architecture.

use std::path::Path;
use std::process::Command;

use localstack::Engine;

use super::{expect, passed};
use crate::dist::target::Target;
use crate::dist::{Release, image, program};
use crate::{Result, peers, say};

pub async fn check(release: &Release) -> Result<()> {
    let engine = Engine::ensure(&say::line).await?;
    let checked = check_on_engine(release).await;
    let released = engine.release(&say::line).await;
    checked?;
    Ok(released?)
}

async fn check_on_engine(release: &Release) -> Result<()> {
    let program = peers::docker().await?;
    for target in release.targets.iter().filter(|target| target.is_linux()) {
        check_image(release, *target, &program)?;
    }
    Ok(())
}

fn check_image(release: &Release, target: Target, program: &Path) -> Result<()> {
    let platform = format!("linux/{}", target.arch.debian());
    let mut build = docker(program, &["build", "--quiet", "--platform", &platform]);
    let id = program::said(build.arg(image::folder(release)))?;
    let id = id.trim();
    let held = match target.runs_here() {
        true => runs(release, program, id),
        false => Ok(()),
    };
    let size = program::said(&mut docker(
        program,
        &[
            "image",
            "inspect",
            "--format",
            "{{.Architecture}} {{.Size}}",
            id,
        ],
    ));
    program::said(&mut docker(program, &["image", "rm", "--force", id]))?;
    held?;
    let size = size?;
    let (architecture, bytes) = size.trim().split_once(' ').unwrap_or_default();
    expect(
        "the image's architecture",
        architecture,
        target.arch.debian(),
    )?;
    passed(&format!(
        "the image for {platform} builds{} ({bytes} bytes)",
        match target.runs_here() {
            true => ", runs and finds CA certificates",
            false => "; this machine cannot run it",
        }
    ));
    Ok(())
}

fn runs(release: &Release, program: &Path, id: &str) -> Result<()> {
    let run = |words: &[&str]| {
        let mut run = docker(program, &["run", "--rm", "--network", "none", id]);
        run.args(words);
        run
    };
    let said = program::said(&mut run(&["--version"]))?;
    expect(
        "bgecs --version",
        &said,
        &format!("bgecs {}\n", release.version),
    )?;
    // Nothing listens there, but bgecs loads the CA certificates before it connects.
    let arguments = [
        "--url",
        "https://127.0.0.1:9/",
        "--rate",
        "1",
        "--duration",
        "1s",
    ];
    let asked = run(&[&["probe"], &arguments[..]].concat()).output()?;
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    match said.contains("refused") {
        true => Ok(()),
        false => {
            let error = String::from_utf8_lossy(&asked.stderr);
            Err(format!("a probe in the image printed:\n{said}{error}").into())
        }
    }
}

fn docker(program: &Path, words: &[&str]) -> Command {
    let mut docker = Command::new(program);
    docker.args(words).env("DOCKER_BUILDKIT", "1");
    docker
}
