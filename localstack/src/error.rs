//! What can go wrong here. Every message says what failed, on what, and what
//! to do next; no code decides by the text of one.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::process;

/// Why the local AWS could not be had, or not be stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "there is no {path}, and it can be installed only as root on Debian or Ubuntu; install the package {package}"
    )]
    NoTool {
        path: &'static str,
        package: &'static str,
    },

    #[error("cannot {action} {path}: {source}")]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },

    #[error(
        "another process has held {path} for {waited:?} while this one waited to {purpose}; \
         end that process, or try again when it is done"
    )]
    Locked {
        path: PathBuf,
        purpose: &'static str,
        waited: Duration,
    },

    #[error("cannot run {program}: {source}; {hint}")]
    Spawn {
        program: String,
        source: std::io::Error,
        hint: &'static str,
    },

    #[error("{doing} failed: {program} ended with {status}; {log}")]
    Command {
        doing: &'static str,
        program: String,
        status: ExitStatus,
        log: LogEnd,
    },

    #[error("no Docker Engine answers at {host} ({reason}); {hint}")]
    NoEngine {
        host: String,
        reason: String,
        hint: &'static str,
    },

    #[error(
        "a Docker Engine is running (process {pid}) but has not answered within {waited:?}; \
         look at its log, or end it and try again"
    )]
    EngineSilent { pid: u32, waited: Duration },

    #[error("the Docker Engine that was started did not come up; {log}")]
    EngineFailed { log: LogEnd },

    #[error("the Docker Engine (process {pid}) did not end within {waited:?}; end it by hand")]
    EngineStays { pid: u32, waited: Duration },

    #[error("cannot {doing}: {source}")]
    Docker {
        doing: String,
        source: Box<bollard::errors::Error>,
    },

    #[error(
        "cannot run the emulator's image {image}: {source}; \
         check that the name is right and that the engine has it or can pull it"
    )]
    Container {
        image: String,
        source: Box<testcontainers::TestcontainersError>,
    },

    #[error("Python 3.10 or later with venv and pip is needed, but {reason}; {hint}")]
    Python { reason: String, hint: &'static str },

    #[error("the emulator {what} ended before it answered; {log}")]
    EmulatorEnded { what: String, log: LogEnd },

    #[error("the emulator {what} has not answered within {waited:?} ({reason}); {log}")]
    EmulatorSilent {
        what: String,
        waited: Duration,
        reason: String,
        log: LogEnd,
    },

    #[error("no free port was left to the emulator in {tries} tries; try again")]
    NoPort { tries: u32 },

    #[error("the emulator's endpoint {endpoint:?} is not one: give it as http://HOST:PORT")]
    Endpoint { endpoint: String },

    #[error(
        "the emulator at {endpoint} was not started here, so nothing can be kept before it; \
         run `cargo xtask gate {endpoint}` in a terminal of its own"
    )]
    NotOurs { endpoint: String },

    #[error(
        "the gate cannot listen on {address}: {source}; {}", gate_port_hint(.source)
    )]
    GatePort {
        address: SocketAddr,
        source: std::io::Error,
    },

    #[error("the gate before the emulator has not said its endpoint; {log}")]
    GateSilent { log: LogEnd },

    #[error("the gate's threads cannot be started: {source}; end other programs and try again")]
    GateThreads { source: std::io::Error },

    #[error("no answer from {url}: {reason}")]
    Http { url: String, reason: String },

    #[error("ECS {operation} at {endpoint} answered {status}: {body}")]
    Ecs {
        operation: &'static str,
        endpoint: String,
        status: u16,
        body: String,
    },

    #[error(
        "{count} containers of {instance} could not be removed; remove them by hand: docker rm --force {ids}"
    )]
    Leftover {
        instance: String,
        count: usize,
        ids: String,
    },

    #[error("process {pid} of emulator {instance} did not end; end it by hand")]
    EmulatorStays { instance: String, pid: u32 },

    #[error("an image of the emulator cannot be made here: {reason}; {hint}")]
    Image { reason: String, hint: &'static str },
}

fn gate_port_hint(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::AddrNotAvailable => {
            "give this machine that address, which only Linux has by itself, \
             or have the gate answer at 127.0.0.1 alone"
        }
        _ => "end what listens there, or give the gate another port",
    }
}

impl Error {
    pub(crate) fn docker(doing: impl Into<String>, source: bollard::errors::Error) -> Self {
        Self::Docker {
            doing: doing.into(),
            source: Box::new(source),
        }
    }
}

/// The end of a log, which says more of a failure than we can.
#[derive(Debug)]
pub struct LogEnd {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl LogEnd {
    pub(crate) fn of_file(path: &Path) -> Self {
        Self {
            name: path.display().to_string(),
            text: process::tail(path, process::TAIL),
        }
    }
}

impl fmt::Display for LogEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end of its log ({}):\n{}", self.name, self.text)
    }
}
