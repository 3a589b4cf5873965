//! A directory as a stream to the engine, and the engine's stream of answers.

use std::path::Path;
use std::process::Stdio;

use bollard::errors::Error as DockerError;
use futures_util::{Stream, StreamExt};
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::io::ReaderStream;

use crate::{Error, Result};

const PROGRAM: &str = "tar";

/// The program that packs a directory; it is to be [finished](Tar::finish)
/// when the engine has taken all: it may have failed half-way.
#[derive(Debug)]
pub(super) struct Tar(Child);

/// Packs a directory, without what matches the patterns, as it is being sent.
pub(super) fn tar(dir: &Path, excluded: &[&str]) -> Result<(Tar, ReaderStream<ChildStdout>)> {
    let spawn = |source| Error::Spawn {
        program: PROGRAM.to_owned(),
        source,
        hint: "install it",
    };
    let mut child = Command::new(PROGRAM)
        .arg("--numeric-owner")
        .args(
            excluded
                .iter()
                .map(|pattern| format!("--exclude={pattern}")),
        )
        .arg("-C")
        .arg(dir)
        .args(["-cf", "-", "."])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(spawn)?;
    let output = child
        .stdout
        .take()
        .ok_or_else(|| spawn(std::io::ErrorKind::BrokenPipe.into()))?;
    let stream = ReaderStream::with_capacity(output, 256 * 1024);
    Ok((Tar(child), stream))
}

impl Tar {
    pub(super) async fn finish(mut self) -> Result<()> {
        let status = self.0.wait().await.map_err(|source| Error::Spawn {
            program: PROGRAM.to_owned(),
            source,
            hint: "try again",
        })?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Image {
            reason: format!("{PROGRAM} ended with {status} before all was packed"),
            hint: "see that the disk is not full, and try again",
        })
    }
}

/// Reads the answers to their end; one of them may be an error.
pub(super) async fn drain<T>(
    answers: impl Stream<Item = std::result::Result<T, DockerError>>,
    doing: &str,
) -> Result<()> {
    let mut answers = std::pin::pin!(answers);
    while let Some(answer) = answers.next().await {
        answer.map_err(|source| Error::docker(doing, source))?;
    }
    Ok(())
}
