//! `deploy`: what becomes an image, and where it goes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::{Unrepeated, not_empty, platform};
use super::{BuildArg, ChangeFlags};
use crate::model::{CacheFrom, CacheTo, Color, Secret, SshAgent, Tag};
use crate::spoken_time;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bgecs deploy ./sample-app/v2 --tag 2                     onto the idle one
  bgecs deploy ./sample-app/v2 --tag 2 --color blue
  bgecs deploy . --secret id=npm,src=$HOME/.npmrc          tagged as its commit
  git archive HEAD | bgecs deploy - --tag 2                what is committed
  bgecs deploy --image ghcr.io/acme/hello:2 --tag 2        an image that CI built")]
pub struct Deploy {
    /// The folder to build the image from; `-` for a tar on stdin. Colours with a
    /// `deploy` of their own get it as BGECS_CONTEXT, and need none
    #[arg(conflicts_with = "image")]
    pub context: Option<PathBuf>,
    /// The release's tag, in the registry and in every report [default: the
    /// commit's short hash, where the context's work tree is clean]
    // A tag that starts with a hyphen gets the answer that any bad tag gets.
    #[arg(long, allow_hyphen_values = true)]
    pub tag: Option<Tag>,
    /// Where to deploy [default: the idle one]
    #[arg(long)]
    pub color: Option<Color>,
    /// Use this image instead of building one
    #[arg(long, value_name = "REF", value_parser = not_empty)]
    pub image: Option<String>,
    /// Deploy even onto the live one: users see it at once, without a probe
    #[arg(long)]
    pub allow_live: bool,
    /// Restart the tasks even if nothing changed
    #[arg(long)]
    pub force: bool,
    /// Show how the task definition differs from the live one, and deploy
    #[arg(long)]
    pub diff: bool,
    /// Do not ask the release: its targets' health is enough, where this machine
    /// does not reach the test route
    #[arg(long)]
    pub blind: bool,
    /// How long the release may take to start serving
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = spoken_time::read)]
    pub timeout: Duration,
    #[command(flatten)]
    pub change: ChangeFlags,
    // Last, as its heading would be that of whatever follows.
    #[command(flatten)]
    pub build: BuildFlags,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Build options")]
pub struct BuildFlags {
    /// The Dockerfile; `-` for stdin [default: Dockerfile in the context]
    #[arg(short, long, value_name = "FILE", conflicts_with = "image")]
    pub file: Option<PathBuf>,
    /// A build argument; without a value it is taken from the environment
    #[arg(long, value_name = "K=V", conflicts_with = "image", value_parser = Unrepeated::<BuildArg>::new())]
    pub build_arg: Vec<BuildArg>,
    /// The stage to build
    #[arg(long, value_name = "STAGE", conflicts_with = "image", value_parser = not_empty)]
    pub target: Option<String>,
    /// The platform to build for, such as linux/arm64; of an --image that has
    /// several, the one to run [env: DOCKER_DEFAULT_PLATFORM]
    #[arg(long, value_parser = platform)]
    pub platform: Option<String>,
    /// Do not use the build cache
    #[arg(long, conflicts_with = "image")]
    pub no_cache: bool,
    /// Ask registries for base images even where the engine has them
    #[arg(long, conflicts_with = "image")]
    pub pull: bool,
    /// A secret for the build: id=NAME,src=FILE or id=NAME,env=VARIABLE; id=NAME
    /// alone is the variable or file of that name
    #[arg(long, value_name = "SECRET", conflicts_with = "image", value_parser = Unrepeated::<Secret>::new())]
    pub secret: Vec<Secret>,
    /// An SSH agent for the build: default for the one of SSH_AUTH_SOCK, or
    /// ID=SOCKET
    #[arg(long, value_name = "AGENT", conflicts_with = "image", value_parser = Unrepeated::<SshAgent>::new())]
    pub ssh: Vec<SshAgent>,
    /// Take steps from this image, or from what --cache-to kept there
    #[arg(long, value_name = "IMAGE", conflicts_with = "image", value_parser = Unrepeated::<CacheFrom>::new())]
    pub cache_from: Vec<CacheFrom>,
    /// Keep the steps: type=inline in the image, or
    /// type=registry,ref=IMAGE[,mode=max] (needs Docker's containerd image store)
    #[arg(long, value_name = "CACHE", conflicts_with = "image", value_parser = Unrepeated::<CacheTo>::new())]
    pub cache_to: Vec<CacheTo>,
}
