//! The image: an engine builds it, and runs what this machine can run of it.

use std::path::Path;
use std::process::Command;

use localstack::Engine;

use super::{expect, holds};
use crate::dist::target::Target;
use crate::dist::{Making, image, program};
use crate::{Result, peers, say};

pub async fn check(making: &Making) -> Result<()> {
    let engine = Engine::ensure(&say::line).await?;
    let checked = check_on_engine(making).await;
    let released = engine.release(&say::line).await;
    checked?;
    Ok(released?)
}

async fn check_on_engine(making: &Making) -> Result<()> {
    let program = peers::docker().await?;
    for target in making.targets.iter().filter(|target| target.is_linux()) {
        check_image(making, *target, &program)?;
    }
    Ok(())
}

fn check_image(making: &Making, target: Target, program: &Path) -> Result<()> {
    let platform = format!("linux/{}", target.arch.debian());
    let mut build = docker(program, &["build", "--quiet", "--platform", &platform]);
    let id = program::said(build.arg(image::folder(making)))?;
    let id = id.trim();
    let held = match target.runs_here() {
        true => runs(making, program, id),
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
    holds(&format!(
        "the image for {platform} is built{} ({bytes} bytes)",
        match target.runs_here() {
            true => ", runs, and has certificates to trust",
            false => ", and is not run on this machine",
        }
    ));
    Ok(())
}

fn runs(making: &Making, program: &Path, id: &str) -> Result<()> {
    let run = |words: &[&str]| {
        let mut run = docker(program, &["run", "--rm", "--network", "none", id]);
        run.args(words);
        run
    };
    let said = program::said(&mut run(&["--version"]))?;
    expect(
        "bgecs --version",
        &said,
        &format!("bgecs {}\n", making.version),
    )?;
    // Nobody answers there, but before it asks it has to have something to trust.
    let nobody = [
        "--url",
        "https://127.0.0.1:9/",
        "--rate",
        "1",
        "--duration",
        "1s",
    ];
    let asked = run(&[&["probe"], &nobody[..]].concat()).output()?;
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    match said.contains("refused") {
        true => Ok(()),
        false => {
            let error = String::from_utf8_lossy(&asked.stderr);
            Err(format!("in the image a probe of nobody says:\n{said}{error}").into())
        }
    }
}

fn docker(program: &Path, words: &[&str]) -> Command {
    let mut docker = Command::new(program);
    docker.args(words).env("DOCKER_BUILDKIT", "1");
    docker
}
