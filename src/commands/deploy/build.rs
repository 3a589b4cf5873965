//! The image build of a deploy: the flags, and `[build]` for what they leave open.

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::cli::{BuildArg, BuildFlags, platform};
use crate::config::{self, Config};
use crate::docker::{self, BuildContext, BuildRequest};
use crate::driver::deploy::{BuildHook, ImageSource};
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
use crate::hidden::Hidden;
use crate::model::{Platform, RunsOn, Secret, SshAgent};

/// Checked as far as it can be by now: a hook may yet make the context, the
/// Dockerfile and the secrets' files.
///
/// # Errors
/// A mistake in what was asked for, or something that is not there (exit 2).
pub(super) fn source(
    config: &Config,
    flags: &BuildFlags,
    context: &Path,
    here: &Path,
    wanted: RunsOn,
) -> Result<ImageSource> {
    let request = request(config, flags, context, here, wanted)?;
    if request.context == BuildContext::Stdin && io::stdin().is_terminal() {
        let terminal = docker::DockerError::Stdin("it is a terminal".to_owned());
        return Err(terminal.into());
    }
    request.check_secrets_named_once()?;
    let hook = config.build.before.as_ref().map(|command| BuildHook {
        command: command.clone(),
        folder: config.root().to_owned(),
        context: match request.context.folder() {
            Some(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
            None => PathBuf::from("-"),
        },
        platform: match &request.platform {
            Some(platform) => platform.clone(),
            None => Platform::of_this_machine().to_string(),
        },
    });
    if hook.is_none() {
        request.check().map_err(|error| Error {
            exit: Exit::Usage,
            ..error.into()
        })?;
    }
    Ok(ImageSource::Build {
        request: Box::new(request),
        hook,
    })
}

/// Flags win over `[build]`: of what has a name one by one, of caches all.
fn request(
    config: &Config,
    flags: &BuildFlags,
    context: &Path,
    here: &Path,
    wanted: RunsOn,
) -> Result<BuildRequest> {
    let defaults = &config.build;
    let context = BuildContext::typed(context, here)?;
    let own = |file: &PathBuf| dockerfile_of_config(file, config.root(), &context);
    let dockerfile = flags
        .file
        .clone()
        .or_else(|| defaults.file.as_ref().map(own));
    let mut build_args: Vec<(String, Option<Hidden>)> = defaults
        .args
        .iter()
        .map(|(name, value)| (name.clone(), Some(value.clone())))
        .collect();
    let given = flags.build_arg.iter().cloned();
    build_args.extend(given.map(|BuildArg { name, value }| (name, value)));
    // The flag's variant, such as v8, is the engine's to know.
    let asked = flags.platform.clone().or_else(|| defaults.platform.clone());
    Ok(BuildRequest {
        name: None,
        dockerfile,
        context,
        build_args,
        target: flags.target.clone().or_else(|| defaults.target.clone()),
        platform: asked.or_else(|| Some(wanted.platform()?.to_string())),
        no_cache: flags.no_cache,
        pull: flags.pull || defaults.pull,
        secrets: merged(&flags.secret, &defaults.secrets, |secret: &Secret| {
            &secret.id
        }),
        ssh: merged(&flags.ssh, &defaults.ssh, |agent: &SshAgent| &agent.id),
        labels: defaults.labels.clone(),
        cache_from: or(&flags.cache_from, &defaults.cache_from),
        cache_to: or(&flags.cache_to, &defaults.cache_to),
    })
}

/// A tar is of the project: a Dockerfile is there under the same name.
fn dockerfile_of_config(file: &Path, root: &Path, context: &BuildContext) -> PathBuf {
    let within = match context {
        BuildContext::Folder(_) => file,
        BuildContext::Stdin => file.strip_prefix(root).unwrap_or(file),
    };
    within.to_owned()
}

/// What the tasks are to run on: as the flag or `[build]` says, which must be
/// what the task definition says; else as Docker's own default does.
///
/// # Errors
/// A platform that they cannot have (exit 2).
pub(super) fn runs_on(
    flags: &BuildFlags,
    defaults: &config::Build,
    defined: RunsOn,
    ambient: Option<&str>,
) -> Result<RunsOn> {
    let ambient = ambient.map(str::trim).filter(|text| !text.is_empty());
    let named = flags.platform.as_deref().or(defaults.platform.as_deref());
    let (asked, blamed) = match (named, ambient) {
        (Some(named), _) => (named, None),
        (None, Some(ambient)) if defined == RunsOn::default() => (ambient, Some(PLATFORM)),
        (None, _) => return Ok(defined),
    };
    let blame = |mut error: Error| {
        error.exit = Exit::Usage;
        if let Some(name) = blamed {
            error.message = format!("{name} is {asked}: {}", error.message);
            error = error.hint("--platform and [build] platform win over it");
        }
        error
    };
    let read = platform(asked).and_then(|text| text.parse::<Platform>());
    let platform = read.map_err(|why| blame(Error::usage(why)))?;
    let fits = plan::fits(&platform, defined);
    let cpu = fits.map_err(|refusal| blame(Error::from(refusal)))?;
    Ok(RunsOn {
        architecture: Some(cpu),
        ..defined
    })
}

/// Docker's clients build and pull for it.
pub(super) const PLATFORM: &str = "DOCKER_DEFAULT_PLATFORM";

fn merged<T: Clone>(flags: &[T], defaults: &[T], id: impl Fn(&T) -> &String) -> Vec<T> {
    let is_new = |default: &&T| !flags.iter().any(|flag| id(flag) == id(default));
    let defaults = defaults.iter().filter(is_new);
    defaults.chain(flags).cloned().collect()
}

fn or<T: Clone>(flags: &[T], defaults: &[T]) -> Vec<T> {
    if flags.is_empty() { defaults } else { flags }.to_vec()
}
