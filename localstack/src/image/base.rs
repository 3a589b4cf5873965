//! The base of the image: a small Debian with Python, made by `debootstrap`
//! from the packages of Debian, and imported.

use std::fs;
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;

use super::stream;
use crate::layout::{Layout, make_dir, write};
use crate::process::Run;
use crate::{Error, Progress, Result, debian};

/// The name under which the engine has it, and the release that it is of.
pub(super) const NAME: &str = "bgecs-base:bookworm";
const RELEASE: &str = "bookworm";

const PACKAGES: &str = "--include=python3,python3-venv";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// What the making has left and running does not need.
const LEFTOVERS: &[&str] = &[
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/locale/*",
    "./proc/*",
    "./sys/*",
];

pub(super) async fn ensure(docker: &Docker, layout: &Layout, progress: &Progress) -> Result<()> {
    match docker.inspect_image(NAME).await {
        Ok(_) => return Ok(()),
        Err(bollard::errors::Error::DockerResponseServerError {
            status_code: 404, ..
        }) => {}
        Err(source) => return Err(Error::docker(format!("look for the image {NAME}"), source)),
    }
    let program = find_program(layout, progress).await?;
    let root = layout.root().join("image-base");
    remove(layout, &root).await?;
    let made = make(docker, layout, &program, &root, progress).await;
    // Also after a failure: it is some hundred megabytes.
    let removed = remove(layout, &root).await;
    made.and(removed)
}

async fn make(
    docker: &Docker,
    layout: &Layout,
    program: &Path,
    root: &Path,
    progress: &Progress,
) -> Result<()> {
    progress(&format!(
        "making {NAME} by debootstrap; that takes about a minute"
    ));
    make_dir(root)?;
    bootstrap(layout, program, root).await?;
    progress(&format!("importing {NAME}"));
    let (tar, packed) = stream::tar(root, LEFTOVERS)?;
    let (repo, tag) = NAME.split_once(':').unwrap_or((NAME, "latest"));
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(repo)
        .tag(tag)
        .build();
    let importing =
        docker.create_image(Some(options), Some(bollard::body_try_stream(packed)), None);
    stream::drain(importing, &format!("import {NAME}")).await?;
    let whole = tar.finish().await;
    if whole.is_err() {
        // Half of a base must not pass for one the next time.
        let _ = docker
            .remove_image(
                NAME,
                None::<bollard::query_parameters::RemoveImageOptions>,
                None,
            )
            .await;
    }
    whole
}

async fn bootstrap(layout: &Layout, program: &Path, root: &Path) -> Result<()> {
    let log = layout.log("debootstrap");
    write(&log, "")?;
    let keyring = format!("--keyring={KEYRING}");
    let root = root.to_string_lossy();
    let mut args = vec!["--variant=minbase", PACKAGES];
    if Path::new(KEYRING).exists() {
        args.push(&keyring);
    }
    args.extend([RELEASE, &root]);
    let mirror = mirror().await;
    args.extend(mirror.as_deref());
    Run {
        doing: "making the base of the emulator's image",
        program: &program.to_string_lossy(),
        args: &args,
        // In a plain locale, or its scripts complain for every package.
        env: &[("LC_ALL", "C"), ("DEBIAN_FRONTEND", "noninteractive")],
        log: &log,
        hint: "install debootstrap",
    }
    .to_end()
    .await
}

/// Where this machine itself gets that release from; if it is of another one,
/// debootstrap knows the usual place.
async fn mirror() -> Option<String> {
    let output = tokio::process::Command::new("apt-get")
        .args([
            "indextargets",
            "--format",
            "$(ORIGIN) $(RELEASE) $(COMPONENT) $(REPO_URI)",
        ])
        .output()
        .await
        .ok()?;
    mirror_of(&String::from_utf8_lossy(&output.stdout))
}

fn mirror_of(targets: &str) -> Option<String> {
    let wanted = format!("Debian {RELEASE} main ");
    let found = targets.lines().find_map(|line| line.strip_prefix(&wanted));
    found.map(str::to_owned)
}

async fn find_program(layout: &Layout, progress: &Progress) -> Result<PathBuf> {
    if !debian::is_root() {
        return Err(Error::Image {
            reason: "debootstrap needs root".to_owned(),
            hint: "set BGECS_EMULATOR_IMAGE to an image that you have",
        });
    }
    let program = PathBuf::from("/usr/sbin/debootstrap");
    if program.exists() {
        return Ok(program);
    }
    if debian::may_install() {
        let packages = ["debootstrap", "debian-archive-keyring"];
        debian::install(layout, &packages, progress).await?;
        return Ok(program);
    }
    Err(Error::Image {
        reason: "there is no debootstrap".to_owned(),
        hint: "install it, or set BGECS_EMULATOR_IMAGE to an image that you have",
    })
}

/// By `rm`, which can be told not to leave the file system: a debootstrap that
/// was interrupted leaves `/proc` mounted in the tree.
async fn remove(layout: &Layout, root: &Path) -> Result<()> {
    if !fs::exists(root).unwrap_or(true) {
        return Ok(());
    }
    Run {
        doing: "removing the files of the image's base",
        program: "rm",
        args: &[
            "--recursive",
            "--force",
            "--one-file-system",
            &root.to_string_lossy(),
        ],
        env: &[],
        log: &layout.log("image"),
        hint: "install coreutils",
    }
    .to_end()
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_that_of_the_same_release() {
        let targets =
            "Debian bookworm-security main a\nDebian bookworm main b\nDebian bookworm main b\n";
        assert_eq!(mirror_of(targets).as_deref(), Some("b"));
        assert_eq!(mirror_of("Ubuntu noble main c\n"), None);
    }
}
