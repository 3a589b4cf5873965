//! Why a task definition cannot be composed.

use std::path::PathBuf;

use super::mistake::Mistake;
use crate::text::NotText;

#[derive(Debug, thiserror::Error)]
pub enum TaskDefinitionError {
    /// For whoever reads the file.
    #[error("cannot read the task definition {}", .path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: {what}", .path.display())]
    NotText { path: PathBuf, what: NotText },
    #[error("{}:{line}:{column}: not JSON: {message}", .path.display())]
    Json {
        path: PathBuf,
        line: usize,
        column: usize,
        message: String,
    },
    /// JSON, and not what ECS would run on Fargate: never an empty list.
    #[error("{}{}", .path.display(), told(.mistakes))]
    Mistakes {
        path: PathBuf,
        mistakes: Vec<Mistake>,
    },
    #[error(
        "the task definition has {bytes} bytes, and ECS takes at most 65536, including what bgecs adds"
    )]
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
            Self::Json { path, .. }
                if path
                    .extension()
                    .is_some_and(|it| it == "yaml" || it == "yml") =>
            {
                Some("bgecs reads JSON; `yq -o json` makes it of YAML".to_owned())
            }
            _ => None,
        }
    }

    /// The mistakes, where the message only counts them.
    pub fn causes(&self) -> Vec<String> {
        match self {
            Self::Mistakes { mistakes, .. } if mistakes.len() > 1 => {
                mistakes.iter().map(Mistake::to_string).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn told(mistakes: &[Mistake]) -> String {
    match mistakes {
        [only] => format!(": {only}"),
        all => format!(" has {} mistakes", all.len()),
    }
}
