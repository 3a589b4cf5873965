//! Why a task definition cannot be composed.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum TaskDefinitionError {
    /// For whoever reads the file.
    #[error("cannot read the task definition {}", .path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}:{line}:{column}: not JSON: {message}", .path.display())]
    Json {
        path: PathBuf,
        line: usize,
        column: usize,
        message: String,
    },
    /// JSON, and no task definition.
    #[error("{}: {field} must be {expected}", .path.display())]
    Shape {
        path: PathBuf,
        field: String,
        expected: &'static str,
    },
    #[error("{} has no container `{container}`: {}", .path.display(), listed(.known))]
    UnknownContainer {
        path: PathBuf,
        container: String,
        known: Vec<String>,
    },
    #[error(
        "{}: container `{container}` does not map port {port}: {}",
        .path.display(), ports(.mapped)
    )]
    NoPortMapping {
        path: PathBuf,
        container: String,
        port: u16,
        mapped: Vec<u16>,
    },
    #[error("{}: `networkMode` is {found}, and Fargate's is awsvpc", .path.display())]
    NetworkMode { path: PathBuf, found: String },
    #[error("{}: {message}", .path.display())]
    Size { path: PathBuf, message: String },
    #[error("{}: {count} containers, and ECS takes at most 10", .path.display())]
    TooManyContainers { path: PathBuf, count: usize },
    #[error("the task definition has {count} tags with bgecs's own, and ECS takes at most 50")]
    TooManyTags { count: usize },
    #[error("the task definition has {bytes} bytes, and ECS takes at most 65536")]
    TooLarge { bytes: usize },
}

impl TaskDefinitionError {
    /// What to do next, where more than the message can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some(
                "`task_definition` in [container] of bgecs.toml is relative to that file's folder"
                    .to_owned(),
            ),
            Self::UnknownContainer { .. } => {
                Some("`container` in [container] of bgecs.toml names the app's".to_owned())
            }
            Self::NoPortMapping { mapped, port, .. } if mapped.is_empty() => Some(format!(
                "add `\"portMappings\": [{{ \"containerPort\": {port}, \"protocol\": \"tcp\" }}]` to that container"
            )),
            Self::NoPortMapping { .. } => Some(
                "`port` in [container] of bgecs.toml says which one the load balancer uses"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "it has none at all".to_owned(),
        names => format!("it has {}", names.join(", ")),
    }
}

fn ports(mapped: &[u16]) -> String {
    match mapped {
        [] => "it maps no TCP port".to_owned(),
        mapped => {
            let mapped: Vec<String> = mapped.iter().map(u16::to_string).collect();
            format!("it maps {}", mapped.join(", "))
        }
    }
}
