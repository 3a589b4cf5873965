//! BuildKit's account of a build (vertexes, logs, statuses) as the steps that
//! a person knows from the Dockerfile; and which of them failed, saying what.

use std::collections::{HashMap, VecDeque};

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus};

use super::error::Error;
use super::secrets::Values;
use super::{OnProgress, Progress, StepState};

/// How many of a failed step's last lines its error repeats.
const LAST_LINES: usize = 20;

/// What is known of the steps so far.
pub(super) struct Steps<'a> {
    secrets: &'a Values,
    progress: OnProgress<'a>,
    seen: HashMap<String, Step>,
    failed: Option<String>,
}

#[derive(Default)]
struct Step {
    name: String,
    state: Option<StepState>,
    error: String,
    lines: VecDeque<String>,
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(secrets: &'a Values, progress: OnProgress<'a>) -> Self {
        Self {
            secrets,
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
        step.name = self.secrets.redact(&vertex.name).into_owned();
        step.error = self.secrets.redact(&vertex.error).into_owned();
        if state != StepState::Started && !step.partial.is_empty() {
            let rest = std::mem::take(&mut step.partial);
            write_line(step, &vertex.digest, &rest, self.secrets, self.progress);
        }
        // When one step fails the others are cancelled: the first counts.
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
                write_line(step, &log.vertex, &line, self.secrets, self.progress);
            }
        }
    }

    /// A layer of a base image: `sha256:…` on its way here, `extracting
    /// sha256:…` after that. All other statuses are the context's, of which
    /// `Progress::ContextSent` tells, and the export's, which takes no time.
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
    pub(super) fn failure(mut self, message: &str) -> Error {
        let step = self.failed.and_then(|digest| self.seen.remove(&digest));
        let step = step.unwrap_or_default();
        let message = if step.error.is_empty() {
            self.secrets.redact(plain(message)).into_owned()
        } else {
            plain(&step.error).to_owned()
        };
        Error::Build {
            step: Some(step.name).filter(|name| !name.is_empty()),
            message,
            log: step.lines.into(),
        }
    }
}

fn write_line(
    step: &mut Step,
    id: &str,
    bytes: &[u8],
    secrets: &Values,
    progress: OnProgress<'_>,
) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    // A progress bar writes over itself: what was written last is what shows.
    let text = text.rsplit('\r').next().unwrap_or_default();
    let line = secrets.redact(text).into_owned();
    if step.lines.len() == LAST_LINES {
        step.lines.pop_front();
    }
    step.lines.push_back(line.clone());
    progress(Progress::Log {
        step: id.to_owned(),
        line,
    });
}

/// The message without the layers of BuildKit that it came through.
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
mod tests {
    use std::sync::Mutex;

    use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus};

    use super::{Error, Progress, StepState, Steps, plain};
    use crate::docker::secrets::Values;

    fn vertex(digest: &str, name: &str) -> Vertex {
        Vertex {
            digest: digest.to_owned(),
            name: name.to_owned(),
            started: Some(Default::default()),
            ..Vertex::default()
        }
    }

    fn done(vertex: Vertex) -> Vertex {
        Vertex {
            completed: Some(Default::default()),
            ..vertex
        }
    }

    fn log(vertex: &str, text: &str) -> VertexLog {
        VertexLog {
            vertex: vertex.to_owned(),
            msg: text.as_bytes().to_vec(),
            ..VertexLog::default()
        }
    }

    fn told(statuses: &[StatusResponse], message: &str) -> (Vec<Progress>, Error) {
        let secrets = Values::read(&[]).expect("none to read");
        let seen = Mutex::new(Vec::new());
        let progress = |event| seen.lock().expect("not poisoned").push(event);
        let mut steps = Steps::new(&secrets, &progress);
        for status in statuses {
            steps.take_in(status);
        }
        let error = steps.failure(message);
        (seen.into_inner().expect("not poisoned"), error)
    }

    fn states(events: &[Progress]) -> Vec<(&str, StepState)> {
        let steps = events.iter().filter_map(|event| match event {
            Progress::Step { name, state, .. } => Some((name.as_str(), *state)),
            _ => None,
        });
        steps.collect()
    }

    #[test]
    fn each_state_is_told_once() {
        let cached = Vertex {
            cached: true,
            ..done(vertex("b", "[2/2] COPY"))
        };
        let unborn = Vertex {
            started: None,
            ..vertex("c", "[3/3] RUN")
        };
        let (events, _) = told(
            &[
                StatusResponse {
                    vertexes: vec![vertex("a", "[1/2] FROM"), unborn],
                    ..Default::default()
                },
                StatusResponse {
                    vertexes: vec![vertex("a", "[1/2] FROM"), cached.clone()],
                    ..Default::default()
                },
                StatusResponse {
                    vertexes: vec![done(vertex("a", "[1/2] FROM")), cached],
                    ..Default::default()
                },
            ],
            "",
        );
        assert_eq!(
            states(&events),
            [
                ("[1/2] FROM", StepState::Started),
                ("[2/2] COPY", StepState::Cached),
                ("[1/2] FROM", StepState::Done),
            ]
        );
    }

    #[test]
    fn a_failed_step_says_its_last_lines() {
        let lines: String = (1..=30).map(|n| format!("line {n}\r\n")).collect();
        let failed = Vertex {
            error: "exit code: 3".to_owned(),
            ..done(vertex("a", "[2/2] RUN false"))
        };
        let cancelled = Vertex {
            error: "context canceled".to_owned(),
            ..done(vertex("b", "[other 1/1] RUN sleep"))
        };
        let (events, error) = told(
            &[
                StatusResponse {
                    logs: vec![log("a", "10%\r50%\r99%\n"), log("a", &lines), log("a", "no end")],
                    ..Default::default()
                },
                StatusResponse {
                    vertexes: vec![cancelled, failed],
                    ..Default::default()
                },
            ],
            "failed to solve: something longer",
        );
        let shown: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Progress::Log { line, .. } => Some(line.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(shown.len(), 32);
        assert_eq!((shown[0], shown[31]), ("99%", "no end"));

        let Error::Build { step, message, log } = &error else {
            panic!("{error}");
        };
        assert_eq!(step.as_deref(), Some("[2/2] RUN false"));
        assert_eq!(message, "exit code: 3");
        assert_eq!(log.len(), 20);
        assert_eq!((log[0].as_str(), log[19].as_str()), ("line 12", "no end"));
        let text = error.to_string();
        assert!(text.starts_with("the image build failed at `[2/2] RUN false`: exit code: 3\n"));
        assert!(text.ends_with("\n  | line 30\n  | no end"), "{text}");
    }

    #[test]
    fn layers_of_base_images_are_told() {
        let status = |id: &str, name: &str| VertexStatus {
            id: id.to_owned(),
            name: name.to_owned(),
            current: 5,
            total: 10,
            ..VertexStatus::default()
        };
        let (events, _) = told(
            &[StatusResponse {
                statuses: vec![
                    status("sha256:0123456789abcdef", "downloading"),
                    status("extracting sha256:0123456789abcdef", "extract"),
                    status("transferring context:", "transferring"),
                    status("writing image sha256:0123456789abcdef", ""),
                ],
                ..Default::default()
            }],
            "",
        );
        let layer = |status: &str| Progress::Layer {
            id: "0123456789ab".to_owned(),
            status: status.to_owned(),
            current: 5,
            total: 10,
        };
        assert_eq!(events, [layer("downloading"), layer("extract")]);
    }

    #[test]
    fn wrappings_are_taken_off() {
        let wrapped = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: FOO";
        assert_eq!(plain(wrapped), "dockerfile parse error line 2: unknown instruction: FOO");
        let (_, error) = told(&[], wrapped);
        assert_eq!(
            error.to_string(),
            "the image build failed: dockerfile parse error line 2: unknown instruction: FOO"
        );
    }
}
