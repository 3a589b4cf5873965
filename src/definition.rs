//! Where the task definition comes from: the keys of `bgecs.toml`, or the file
//! that it names, which is read here and nowhere else. What is found wrong is
//! found before anything is built, and before AWS is asked for anything.

use std::str::FromStr;

use crate::config::{Config, DefinitionSource};
use crate::engine::task_definition::{LogPlace, Needs, Source, TaskDefinitionError, TaskFile};
use crate::error::{Error, Result};
use crate::model::{Color, CpuArchitecture, Platform, RunsOn};
use crate::text;

/// The task definition as far as it is known ahead of an image.
#[derive(Debug)]
pub struct Loaded {
    file: Option<TaskFile>,
    architecture: Option<Claim>,
}

/// An architecture, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    is: CpuArchitecture,
    by: String,
}

impl Claim {
    fn agrees(&self, other: &Self) -> Result<()> {
        if self.is == other.is {
            return Ok(());
        }
        let message = format!(
            "{} is for {}, and {} for {}",
            self.by,
            self.is.as_ecs(),
            other.by,
            other.is.as_ecs()
        );
        Err(Error::usage(message).hint(
            "on the other architecture a task ends with \"exec format error\": change one of them",
        ))
    }
}

impl Loaded {
    /// # Errors
    /// A file that is missing, is no task definition, or contradicts
    /// `bgecs.toml` (exit 2).
    pub fn from(config: &Config) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        let file = match &config.container.definition {
            DefinitionSource::Settings(_) => None,
            DefinitionSource::File(own) => {
                let path = || own.path.clone();
                let bytes = std::fs::read(&own.path).map_err(|source| {
                    usage(&TaskDefinitionError::Unreadable {
                        path: path(),
                        source,
                    })
                })?;
                let text = text::decode(&bytes)
                    .map_err(|what| usage(&TaskDefinitionError::NotText { path: path(), what }))?;
                let file = TaskFile::parse(&text, &config.container.name, own, &variable);
                let file = file.map_err(|error| usage(&error))?;
                Some(match config.attached {
                    Some(_) => file,
                    None => file.without_roles_of_stacks(),
                })
            }
        };
        let loaded = Self {
            architecture: architecture(config, file.as_ref())?,
            file,
        };
        let size = loaded.source(config).check_size();
        size.map_err(|error| usage(&error))?;
        let platform = config.build.platform.as_deref();
        if let Some(Ok(platform)) = platform.map(Platform::from_str) {
            loaded.agrees(&platform, "`platform` in [build]")?;
        }
        Ok(loaded)
    }

    /// Where its owner keeps it in one.
    pub fn file(&self) -> Option<&TaskFile> {
        self.file.as_ref()
    }

    pub fn source<'a>(&'a self, config: &'a Config) -> Source<'a> {
        let container = config.container.name.as_str();
        match (&config.container.definition, &self.file) {
            (DefinitionSource::Settings(settings), _) => Source::Settings {
                container,
                settings,
            },
            (DefinitionSource::File(_), Some(file)) => Source::File { container, file },
            (DefinitionSource::File(_), None) => {
                unreachable!("`from` reads the file that the configuration names")
            }
        }
    }

    /// What the execution role must be allowed.
    pub fn needs(&self, config: &Config, region: &str) -> Needs {
        Needs::of(&self.source(config), region)
    }

    /// What its tasks run on, as far as it says so.
    pub fn runs_on(&self) -> RunsOn {
        RunsOn {
            architecture: self.architecture.as_ref().map(|claim| claim.is),
            windows: self.file.as_ref().is_some_and(TaskFile::is_for_windows),
        }
    }

    /// That a platform that was asked for is the definition's. `asked_by` names
    /// where. One that Fargate does not have is for others to say.
    ///
    /// # Errors
    /// Where it is not (exit 2).
    pub fn agrees(&self, asked: &Platform, asked_by: &str) -> Result<()> {
        match (&self.architecture, asked.cpu()) {
            (Some(needed), Some(is)) => needed.agrees(&Claim {
                is,
                by: format!("{asked_by} ({asked})"),
            }),
            _ => Ok(()),
        }
    }

    /// Which containers log elsewhere than to the app's group, and where, in a
    /// sentence each.
    pub fn logs_elsewhere(&self, here: LogPlace<'_>) -> Vec<String> {
        let Some(file) = &self.file else {
            return Vec::new();
        };
        let path = file.path().display();
        file.logs_elsewhere(here)
            .into_iter()
            .map(|(container, place)| {
                format!("by {path}, container `{container}` logs to {place}: look there")
            })
            .collect()
    }

    /// Where the lines are that `bgecs logs` does not have, as further lines of
    /// an error's hint.
    pub fn say_where_logs_are(&self, error: Error, color: Color, here: LogPlace<'_>) -> Error {
        let sentences = self.logs_elsewhere(here);
        sentences.into_iter().fold(error, |error, sentence| {
            error.hint_too(&format!("`bgecs logs {color}` has not all: {sentence}"))
        })
    }
}

/// What file and configuration say of it.
fn architecture(config: &Config, file: Option<&TaskFile>) -> Result<Option<Claim>> {
    let of_file = file.and_then(|file| {
        Some(Claim {
            is: file.architecture()?,
            by: format!(
                "`runtimePlatform.cpuArchitecture` of {}",
                file.path().display()
            ),
        })
    });
    let of_key = config.container.architecture.map(|is| Claim {
        is,
        by: "`architecture` in [container]".to_owned(),
    });
    if let (Some(file), Some(key)) = (&of_file, &of_key) {
        file.agrees(key)?;
    }
    Ok(of_file.or(of_key))
}

pub fn usage(error: &TaskDefinitionError) -> Error {
    let mut out = Error::usage(error.to_string());
    if let Some(source) = std::error::Error::source(error) {
        out = out.because(source);
    }
    out.causes.extend(error.causes());
    out.hint = error.hint();
    out
}

#[cfg(test)]
mod tests;
