//! `cargo xtask dist`: what a release is made of, in `target/dist/`: an archive and a
//! Debian package for each target, what a container image is built from, a formula
//! for Homebrew, and the checksums. The same sources make the same bytes, whichever
//! folder they are in.

mod archive;
mod build;
mod check;
mod contents;
mod debian;
mod formula;
mod image;
mod program;
mod roots;
mod sbom;
mod sources;
mod sums;
mod target;

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Result, bgecs, say};
use archive::Stamp;
use target::Target;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The target to build for (may be given several times)
    #[arg(long, default_values_t = Target::RELEASED)]
    target: Vec<Target>,
    /// Cargo's profile; `quick` is to try the packaging
    #[arg(long, default_value = "release")]
    profile: String,
    /// Where releases are published, for the formula, such as https://github.com/acme/bgecs
    #[arg(long, env = "BGECS_REPOSITORY", value_name = "URL")]
    repository: Option<String>,
    /// Then make it all again from a copy of the sources in another folder and compare;
    /// install each, and run it
    #[arg(long)]
    check: bool,
}

/// One making of a release.
#[derive(Debug)]
struct Making {
    /// The sources.
    root: PathBuf,
    version: String,
    /// The time that everything is of.
    stamp: Stamp,
    targets: Vec<Target>,
    profile: String,
    repository: Option<String>,
}

impl Making {
    fn of(args: &Args) -> Result<Self> {
        let root = fs::canonicalize(bgecs::root())?;
        let mut targets = Vec::new();
        for target in &args.target {
            if !targets.contains(target) {
                targets.push(*target);
            }
        }
        Ok(Self {
            version: sources::version(&root)?,
            stamp: sources::stamp(&root)?,
            targets,
            profile: args.profile.clone(),
            repository: args.repository.clone(),
            root,
        })
    }

    /// The same from other sources.
    fn from(&self, root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            version: self.version.clone(),
            stamp: self.stamp,
            targets: self.targets.clone(),
            profile: self.profile.clone(),
            repository: self.repository.clone(),
        }
    }

    /// Where what is made is put.
    fn folder(&self) -> PathBuf {
        self.root.join("target/dist")
    }

    /// What comes of it for a target, without what tells its kind.
    fn name(&self, target: Target) -> String {
        format!("bgecs-{}-{target}", self.version)
    }

    fn archive(&self, target: Target) -> PathBuf {
        self.folder().join(format!("{}.tar.gz", self.name(target)))
    }

    async fn make(&self) -> Result<()> {
        fs::create_dir_all(self.folder())?;
        let mut built = Vec::new();
        for target in &self.targets {
            say::line(&format!("building bgecs for {target} ({})", self.profile));
            built.push((*target, build::bgecs(self, *target)?));
        }
        let manual = contents::manual(&built).await?;
        image::clear(self)?;
        for (target, exe) in &built {
            let parts = contents::of(self, *target, exe, &manual)?;
            archive::write(
                &self.archive(*target),
                &self.name(*target),
                &parts,
                self.stamp,
            )?;
            if target.is_linux() {
                debian::package(self, *target, &parts)?;
                image::lay(self, *target, exe)?;
            }
        }
        let sums = sums::write(self)?;
        formula::write(self, &sums)
    }
}

pub async fn run(args: &Args) -> Result<()> {
    let making = Making::of(args)?;
    for target in &making.targets {
        build::can_build(&making.root, *target)?;
    }
    if making.targets.iter().any(Target::is_linux) {
        debian::can_package()?;
    }
    if args.check {
        check::can_check(&making.targets).await?;
    }
    making.make().await?;
    for line in sums::told(&making.folder())? {
        say::line(&line);
    }
    say::line(&format!("made in {}", making.folder().display()));
    if args.check {
        check::run(&making).await?;
    }
    Ok(())
}
