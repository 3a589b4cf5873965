//! Where the task definition comes from: the keys of `bgecs.toml`, or the file
//! that it names, which is read here and nowhere else.

use crate::config::{Config, Definition};
use crate::engine::task_definition::{Source, TaskDefinitionError, TaskFile};
use crate::error::{Error, Result};

/// The user's own task definition, where there is one.
#[derive(Debug)]
pub struct Loaded {
    file: Option<TaskFile>,
}

impl Loaded {
    /// # Errors
    /// A file that is missing or is no task definition (exit 2).
    pub fn from(config: &Config) -> Result<Self> {
        let Definition::File { path, .. } = &config.container.definition else {
            return Ok(Self { file: None });
        };
        let text = std::fs::read_to_string(path).map_err(|source| {
            usage(&TaskDefinitionError::Unreadable {
                path: path.clone(),
                source,
            })
        })?;
        let file = TaskFile::parse(&text, path).map_err(|error| usage(&error))?;
        Ok(Self { file: Some(file) })
    }

    pub fn source<'a>(&'a self, config: &'a Config) -> Source<'a> {
        let container = config.container.name.as_str();
        match (&config.container.definition, &self.file) {
            (Definition::Settings(settings), _) => Source::Settings {
                container,
                settings,
            },
            (Definition::File { port, .. }, Some(file)) => Source::File {
                container,
                port: *port,
                file,
            },
            (Definition::File { .. }, None) => {
                unreachable!("`from` reads the file that the configuration names")
            }
        }
    }

    /// The port on which the containers serve.
    ///
    /// # Errors
    /// A file whose app container has no such port (exit 2).
    pub fn port(&self, config: &Config) -> Result<u16> {
        self.source(config).port().map_err(|error| usage(&error))
    }
}

pub fn usage(error: &TaskDefinitionError) -> Error {
    let mut out = Error::usage(error.to_string());
    if let Some(source) = std::error::Error::source(error) {
        out = out.because(source);
    }
    out.hint = error.hint();
    out
}
