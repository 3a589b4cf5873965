//! `cargo xtask dist`: builds a release into `target/dist/`: an archive and a Debian
//! package for each target, the build context of a container image, a Homebrew formula
//! and checksums. The same sources give the same bytes, whichever folder they are in.

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
    /// Target to build for; repeat it for several
    #[arg(long, default_values_t = Target::RELEASED)]
    target: Vec<Target>,
    /// Cargo profile to build with; `quick` is for trying out the packaging
    #[arg(long, default_value = "release")]
    profile: String,
    /// Where releases are published, such as https://github.com/acme/bgecs; goes into the
    /// Homebrew formula
    #[arg(long, env = "BGECS_REPOSITORY", value_name = "URL")]
    repository: Option<String>,
    /// Install and run everything that was built, then build it again from a copy of the
    /// sources in another folder and compare
    #[arg(long)]
    check: bool,
}

/// Everything that determines one build of a release.
#[derive(Debug, Clone)]
struct Release {
    /// The root of the sources.
    root: PathBuf,
    version: String,
    /// The timestamp of every packaged file.
    stamp: Stamp,
    targets: Vec<Target>,
    profile: String,
    repository: Option<String>,
}

impl Release {
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
            repository: args.repository.clone().filter(|url| !url.is_empty()),
            root,
        })
    }

    /// The same build, from sources in another folder.
    fn in_folder(&self, root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            ..self.clone()
        }
    }

    /// The output folder.
    fn folder(&self) -> PathBuf {
        self.root.join("target/dist")
    }

    /// The name of the archive for a target, without its extension.
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
    let release = Release::of(args)?;
    for target in &release.targets {
        build::can_build(&release.root, *target)?;
    }
    if release.targets.iter().any(Target::is_linux) {
        debian::can_package()?;
    }
    if args.check {
        check::can_check(&release.targets).await?;
    }
    release.make().await?;
    for line in sums::told(&release.folder())? {
        say::line(&line);
    }
    say::line(&format!("the release is in {}", release.folder().display()));
    if args.check {
        check::run(&release).await?;
    }
    Ok(())
}
