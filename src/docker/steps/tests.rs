use std::sync::Mutex;

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus};

use super::{BuildSteps, DockerError, Progress, StepState, plain};
use crate::hidden::Mask;

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

fn told(statuses: &[StatusResponse], message: &str) -> (Vec<Progress>, DockerError) {
    let mask = Mask::default();
    let seen = Mutex::new(Vec::new());
    let progress = |event| seen.lock().expect("not poisoned").push(event);
    let mut steps = BuildSteps::new(&mask, &progress);
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
                logs: vec![
                    log("a", "10%\r50%\r99%\n"),
                    log("a", &lines),
                    log("a", "no end"),
                ],
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

    let DockerError::Build { step, message, log } = &error else {
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
    assert_eq!(
        plain(wrapped),
        "dockerfile parse error line 2: unknown instruction: FOO"
    );
    let (_, error) = told(&[], wrapped);
    assert_eq!(
        error.to_string(),
        "the image build failed: dockerfile parse error line 2: unknown instruction: FOO"
    );
}
