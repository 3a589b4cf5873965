//! Installing Debian's engine and starting it. Only called by whoever holds the
//! gate, and only when no engine answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::pid_file::{self, Claim};
use super::{connect, guard, site::Site};
use crate::error::LogEnd;
use crate::layout::Layout;
use crate::{Error, Progress, Result, debian, process};

pub(super) const PROGRAM: &str = "dockerd";
/// What the engine needs to run containers, said in full: recommended packages
/// are left out.
const PACKAGES: &[&str] = &[
    "docker.io",
    "containerd",
    "runc",
    "iptables",
    "ca-certificates",
];

const PID_FILE: &str = "/var/run/docker.pid";
const CONTAINERD: &str = "containerd";
const CONTAINERD_PID_FILE: &str = "/var/run/docker/containerd/containerd.pid";

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Where the program is, also if the search path lacks the system's programs.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from))
        .map(|dir| dir.join(PROGRAM))
        .find(|path| path.is_file())
}

pub(super) fn is_installed() -> bool {
    program().is_some()
}

/// An engine in our network, whatever it has said of itself: beside that one no
/// other may be started. An engine inside some container has its own network.
fn running_here() -> Option<u32> {
    let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    let ours = network("self")?;
    let processes = fs::read_dir("/proc").ok()?;
    processes
        .filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid: &u32| {
            pid_file::is_program(*pid, PROGRAM) && network(&pid.to_string()).as_ref() == Some(&ours)
        })
}

pub(super) async fn install_and_start(
    site: &Site,
    layout: &Layout,
    progress: &Progress,
) -> Result<()> {
    progress("no Docker Engine answers and none is installed");
    if let Err(error) = debian::install(layout, PACKAGES, progress).await {
        // The package's script starts it as a service, and where it may not, as
        // in many containers, the installation fails at its very end.
        if !is_installed() {
            return Err(error);
        }
        progress("the package could not start it as a service");
    }
    if Path::new("/run/systemd/system").is_dir() {
        // The package has made it a service of the system, which the system
        // starts and owns.
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if connect().await.is_ok() {
                progress("the system has started the Docker Engine");
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    } else if let Some(pid) = running_here() {
        // Without a service manager the package's script has started it, and
        // nothing would ever end it: so it is started anew, under guard.
        process::end_one(pid, PROGRAM, PATIENCE).await;
    }
    start(site, layout, progress).await
}

pub(super) async fn start(site: &Site, layout: &Layout, progress: &Progress) -> Result<()> {
    if let Some(pid) = running_here() {
        progress("a Docker Engine runs but does not answer yet; waiting for it");
        return wait_for(pid).await;
    }
    pid_file::check(Path::new(PID_FILE), PROGRAM, progress)?;
    pid_file::check(Path::new(CONTAINERD_PID_FILE), CONTAINERD, progress)?;
    let program = program().ok_or_else(|| Error::Spawn {
        program: PROGRAM.to_owned(),
        source: std::io::ErrorKind::NotFound.into(),
        hint: "install Docker",
    })?;
    let log = layout.log(PROGRAM);
    progress(&format!("starting {PROGRAM}; its log is {}", log.display()));
    site.unkeep()?;
    let began = Instant::now();
    let mut child = guard::start(site, &log, guard::LINGER, &[program.as_os_str()])?;
    while connect().await.is_err() {
        let ended = !matches!(child.try_wait(), Ok(None));
        if ended || began.elapsed() > PATIENCE {
            guard::abandon(child);
            return Err(Error::EngineFailed {
                log: LogEnd::of_file(&log),
            });
        }
        tokio::time::sleep(POLL).await;
    }
    guard::leave(child);
    progress(&format!(
        "the Docker Engine answers after {:.1?}",
        began.elapsed()
    ));
    Ok(())
}

/// For an engine that someone else is starting.
async fn wait_for(pid: u32) -> Result<()> {
    let start = Instant::now();
    while connect().await.is_err() {
        if start.elapsed() > PATIENCE {
            return Err(Error::EngineSilent {
                pid,
                waited: PATIENCE,
            });
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Ends the `containerd` that an engine leaves behind when it has to be killed.
pub(super) async fn end_containerd() {
    let claim = pid_file::check(Path::new(CONTAINERD_PID_FILE), CONTAINERD, &|_| {});
    if let Ok(Claim::Runs(pid)) = claim {
        process::ask_to_end(pid, CONTAINERD);
        process::gone_within(pid, CONTAINERD, Duration::from_secs(10)).await;
    }
}
