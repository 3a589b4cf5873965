//! MiniStack as a child process, on a port that is free.

use std::future::ready;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::health::{self, Outcome};
use super::record::{Entry, Record};
use super::{Emulator, Log, Options, Owned, new_id, stop};
use crate::error::LogEnd;
use crate::layout::{Layout, make_dir, write};
use crate::{Error, Progress, Result, process};

pub(crate) const SERVE: &str = include_str!("serve.py");
/// It takes less than a second, unless the machine is busy compiling.
const PATIENCE: Duration = Duration::from_secs(90);
const TRIES: u32 = 5;

/// What of our environment MiniStack gets: the engine, and what Python and its
/// TLS need. Nobody's AWS settings: it would take them for its own.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "DOCKER_HOST",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CONFIG",
];

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// While this is open, the child knows that its owner lives.
    tie: Option<ChildStdin>,
}

impl Process {
    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Takes notice of the end of a child that was made to end.
    pub(super) fn reap(mut self) {
        drop(self.tie.take());
        let _ = self.child.try_wait();
    }
}

pub(super) async fn start(
    layout: &Layout,
    python: &Path,
    options: Options,
    progress: &Progress,
) -> Result<Emulator> {
    layout.prune_logs(super::ID_PREFIX);
    for _ in 0..TRIES {
        if let Some(emulator) = try_start(layout, python, &options, progress).await? {
            return Ok(emulator);
        }
        progress("another process has taken the port; trying the next");
    }
    Err(Error::NoPort { tries: TRIES })
}

/// None if the port was taken by someone else in the meantime.
async fn try_start(
    layout: &Layout,
    python: &Path,
    options: &Options,
    progress: &Progress,
) -> Result<Option<Emulator>> {
    let begin = Instant::now();
    let id = new_id();
    let port = options.port.map_or_else(free_port, Ok)?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let log = layout.log(&id);
    let mut record = Record::create(layout, entry(&id, &endpoint, options)).await?;
    let mut process = spawn(layout, python, &id, port, options, &log)?;
    record.update(|entry| entry.pid = Some(process.child.id()))?;
    let outcome = health::wait(&endpoint, &id, PATIENCE, || ready(!process.has_ended())).await;
    let mut owned = Owned {
        record,
        process: Some(process),
    };
    let error = match outcome {
        Outcome::Answers => {
            progress(&format!(
                "MiniStack answers at {endpoint} after {:.1?}",
                begin.elapsed()
            ));
            return Ok(Some(Emulator {
                endpoint,
                account: options.account.clone(),
                log: Log::File(log),
                owned: Some(owned),
            }));
        }
        Outcome::Ended if options.port.is_none() && is_taken(port) => None,
        Outcome::Ended => Some(Error::EmulatorEnded {
            what: "MiniStack".to_owned(),
            log: LogEnd::of_file(&log),
        }),
        Outcome::Silent(reason) => Some(Error::EmulatorSilent {
            what: "MiniStack".to_owned(),
            waited: PATIENCE,
            reason,
            log: LogEnd::of_file(&log),
        }),
    };
    // It never answered: there are no services to delete, and on a port that
    // was taken they would be somebody else's.
    owned.record.update(|entry| entry.endpoint.clear())?;
    stop::end(owned).await?;
    error.map_or(Ok(None), Err)
}

fn entry(id: &str, endpoint: &str, options: &Options) -> Entry {
    Entry {
        id: id.to_owned(),
        account: options.account.clone(),
        endpoint: endpoint.to_owned(),
        pid: None,
        kept: options.keep,
        gate: None,
    }
}

fn spawn(
    layout: &Layout,
    python: &Path,
    id: &str,
    port: u16,
    options: &Options,
    log: &Path,
) -> Result<Process> {
    let scratch = layout.scratch(id);
    make_dir(&scratch)?;
    write(log, "")?;
    let script = scratch.join("serve.py");
    write(&script, SERVE)?;
    let mut command = Command::new(python);
    command.arg("-I").arg(script).arg(id);
    if !options.keep {
        command.arg("--tied");
    }
    command
        .env_clear()
        .envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .envs(environment(id, port, options))
        .env("TMPDIR", &scratch)
        .current_dir(&scratch)
        // Of its own: a Ctrl-C is for the owner, who then stops it in order.
        .process_group(0)
        .stdin(if options.keep {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(process::append(log)?)
        .stderr(process::append(log)?);
    let mut child = command.spawn().map_err(|source| Error::Spawn {
        program: python.display().to_string(),
        source,
        hint: "remove target/localstack/venv and try again",
    })?;
    let tie = child.stdin.take();
    Ok(Process { child, tie })
}

/// MiniStack's settings for this instance.
fn environment(id: &str, port: u16, options: &Options) -> Vec<(String, String)> {
    let bind = if options.reachable_from_tasks {
        "0.0.0.0"
    } else {
        "127.0.0.1"
    };
    let mut all: Vec<(String, String)> = settings(id, options)
        .into_iter()
        .chain([
            ("GATEWAY_PORT", port.to_string()),
            ("BIND_HOST", bind.to_owned()),
        ])
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    all.extend(options.env.iter().cloned());
    all
}

/// The settings that MiniStack needs as a process and in a container alike.
pub(super) fn settings(id: &str, options: &Options) -> Vec<(&'static str, String)> {
    vec![
        // With the port, this is the value of the label on its containers.
        ("MINISTACK_HOSTNAME", id.to_owned()),
        // The health page repeats it, and so tells instances apart.
        ("MINISTACK_EDITION", id.to_owned()),
        ("AUTH", options.auth.to_string()),
        // Servers on ports that only one instance could have.
        ("IOT_MTLS_ENABLED", "0".to_owned()),
        ("SFTP_ENABLED", "0".to_owned()),
    ]
}

fn free_port() -> Result<u16> {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port())
        .map_err(|source| Error::File {
            action: "find a free port of",
            path: PathBuf::from("127.0.0.1"),
            source,
        })
}

fn is_taken(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port))
        .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}
