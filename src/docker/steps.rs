//! Turns BuildKit's report on a build (vertexes, logs, statuses) into the steps that a
//! person knows from the Dockerfile, and finds out which of them failed and why.

use std::collections::{HashMap, VecDeque};

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus};

use super::error::DockerError;
use super::{OnProgress, Progress};
use crate::hidden::Mask;
use crate::model::StepState;

/// How many of a failed step's last lines its error repeats.
const LAST_LINES: usize = 20;

/// What is known of the steps so far.
pub(super) struct BuildSteps<'a> {
    mask: &'a Mask,
    progress: OnProgress<'a>,
    seen: HashMap<String, BuildStep>,
    failed: Option<String>,
}

#[derive(Default)]
struct BuildStep {
    name: String,
    state: Option<StepState>,
    error: String,
    lines: VecDeque<String>,
    /// The start of a line that is not complete yet.
    partial: Vec<u8>,
}

impl<'a> BuildSteps<'a> {
    pub(super) fn new(mask: &'a Mask, progress: OnProgress<'a>) -> Self {
        Self {
            mask,
            progress,
            seen: HashMap::new(),
            failed: None,
        }
    }

    pub(super) fn take_in(&mut self, status: &StatusResponse) {
        // Logs first: a step's last lines belong before its end.
        for log in &status.logs {
            self.log(log);
        }
        for vertex in &status.vertexes {
            self.vertex(vertex);
        }
        for status in &status.statuses {
            self.layer(status);
        }
    }

    fn vertex(&mut self, vertex: &Vertex) {
        let state = if !vertex.error.is_empty() {
            StepState::Failed
        } else if vertex.cached {
            StepState::Cached
        } else if vertex.completed.is_some() {
            StepState::Done
        } else if vertex.started.is_some() {
            StepState::Started
        } else {
            return;
        };
        let step = self.seen.entry(vertex.digest.clone()).or_default();
        step.name = self.mask.apply(&vertex.name).into_owned();
        step.error = self.mask.apply(&vertex.error).into_owned();
        if state != StepState::Started && !step.partial.is_empty() {
            let rest = std::mem::take(&mut step.partial);
            write_line(step, &vertex.digest, &rest, self.mask, self.progress);
        }
        // When one step fails, the others are cancelled: the first counts.
        if state == StepState::Failed
            && self.failed.is_none()
            && !vertex.error.contains("context canceled")
        {
            self.failed = Some(vertex.digest.clone());
        }
        let ended = !matches!(step.state, None | Some(StepState::Started));
        if step.state == Some(state) || (ended && state != StepState::Failed) {
            return;
        }
        step.state = Some(state);
        (self.progress)(Progress::Step {
            id: vertex.digest.clone(),
            name: step.name.clone(),
            state,
        });
    }

    fn log(&mut self, log: &VertexLog) {
        let step = self.seen.entry(log.vertex.clone()).or_default();
        for part in log.msg.split_inclusive(|byte| *byte == b'\n') {
            step.partial.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut step.partial);
                write_line(step, &log.vertex, &line, self.mask, self.progress);
            }
        }
    }

    /// A layer of a base image: `sha256:…` while it is downloaded, then `extracting
    /// sha256:…`. All other statuses are about the context, which `Progress::ContextSent`
    /// reports, or the export, which takes no time.
    fn layer(&self, status: &VertexStatus) {
        let id = status.id.strip_prefix("extracting ").unwrap_or(&status.id);
        let Some(digest) = id.strip_prefix("sha256:") else {
            return;
        };
        (self.progress)(Progress::Layer {
            id: digest.get(..12).unwrap_or(digest).to_owned(),
            status: match (status.name.as_str(), &status.completed) {
                ("", _) | (_, Some(_)) => "done".to_owned(),
                (name, None) => name.to_owned(),
            },
            current: u64::try_from(status.current).unwrap_or(0),
            total: u64::try_from(status.total).unwrap_or(0),
        });
    }

    /// The error for a build that ended with `message`.
    pub(super) fn failure(mut self, message: &str) -> DockerError {
        let step = self.failed.and_then(|digest| self.seen.remove(&digest));
        let step = step.unwrap_or_default();
        let message = if step.error.is_empty() {
            self.mask.apply(plain(message)).into_owned()
        } else {
            plain(&step.error).to_owned()
        };
        let name = Some(step.name).filter(|name| !name.is_empty());
        DockerError::of_build(name, message, step.lines.into())
    }
}

fn write_line(step: &mut BuildStep, id: &str, bytes: &[u8], mask: &Mask, progress: OnProgress<'_>) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    // A progress bar overwrites itself: only what was written last is visible.
    let text = text.rsplit('\r').next().unwrap_or_default();
    let line = mask.apply(text).into_owned();
    if step.lines.len() == LAST_LINES {
        step.lines.pop_front();
    }
    step.lines.push_back(line.clone());
    progress(Progress::Log {
        step: id.to_owned(),
        line,
    });
}

/// The message without the prefixes that BuildKit's layers add.
fn plain(message: &str) -> &str {
    const WRAPPINGS: [&str; 6] = [
        "failed to solve with frontend dockerfile.v0: ",
        "failed to solve with frontend gateway.v0: ",
        "failed to solve: ",
        "rpc error: code = Unknown desc = ",
        "failed to build LLB: ",
        "failed to create LLB definition: ",
    ];
    let mut rest = message.trim();
    while let Some(inner) = WRAPPINGS.iter().find_map(|wrap| rest.strip_prefix(wrap)) {
        rest = inner;
    }
    rest
}

#[cfg(test)]
mod tests;
