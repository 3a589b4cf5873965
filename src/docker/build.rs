//! Builds an image on the engine's BuildKit.
//!
//! The request names a session; all that the build needs from here travels
//! over that one (see [`super::session`]), and the answer tells the progress.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::env;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::{BuildInfo, BuildInfoAux, ImageId};
use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use sha2::{Digest as _, Sha256};

use super::endpoint::Endpoint;
use super::engine::Engine;
use super::error::Error;
use super::filesync::{Folders, Outcome};
use super::login::Logins;
use super::secrets::{Secret, Values};
use super::session::Session;
use super::steps::Steps;
use super::wire::Lines;
use super::{Image, OnProgress, Progress};
use crate::hidden::Hidden;

/// How often the bytes sent are told.
const TICK: Duration = Duration::from_millis(100);
const DOING: &str = "build the image";

/// What to build, and how.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// The folder that `COPY` copies from.
    pub context: PathBuf,
    /// `Dockerfile` in the context, if not given. May be outside the context.
    pub dockerfile: Option<PathBuf>,
    /// A name without a value takes it from the environment, and is left out
    /// if it is not set there.
    pub build_args: Vec<(String, Option<Hidden>)>,
    pub target: Option<String>,
    /// As `linux/arm64`; the engine's own, if not given.
    pub platform: Option<String>,
    pub no_cache: bool,
    pub secrets: Vec<Secret>,
    pub labels: BTreeMap<String, String>,
}

impl BuildRequest {
    /// That the context, the Dockerfile and the secrets are there. Reads none
    /// of them, and asks no engine.
    ///
    /// # Errors
    /// `NoContext`, `ContextIsNoFolder`, `NoDockerfile`, `Unreadable` or
    /// `Secret`, by what is wrong first.
    pub fn check(&self) -> Result<(), Error> {
        self.files()?;
        let mut ids = HashSet::new();
        for secret in &self.secrets {
            secret.check()?;
            if !ids.insert(&secret.id) {
                return Err(Error::Secret {
                    id: secret.id.clone(),
                    why: "it is given twice".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn files(&self) -> Result<Files, Error> {
        let context = match fs::canonicalize(&self.context) {
            Ok(context) if context.is_dir() => context,
            Ok(_) => return Err(Error::ContextIsNoFolder(self.context.clone())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::NoContext(self.context.clone()));
            }
            Err(source) => {
                return Err(Error::Unreadable {
                    path: self.context.clone(),
                    source,
                });
            }
        };
        let dockerfile = self.dockerfile.clone().unwrap_or_else(|| {
            let usual = self.context.join("Dockerfile");
            let lower = self.context.join("dockerfile");
            if !usual.exists() && lower.exists() {
                lower
            } else {
                usual
            }
        });
        let (folder, name) = locate(&dockerfile)?;
        Ok(Files {
            context,
            folder,
            name,
        })
    }

    fn options(&self, session: &str, dockerfile: &str) -> BuildImageOptions {
        let arguments = self.build_args.iter().filter_map(|(name, value)| {
            let given = value.as_ref().map(|value| value.reveal().to_owned());
            Some((name.clone(), given.or_else(|| env::var(name).ok())?))
        });
        BuildImageOptions {
            dockerfile: dockerfile.to_owned(),
            // The engine's word for "ask the session for all files".
            remote: Some("client-session".to_owned()),
            session: Some(session.to_owned()),
            version: BuilderVersion::BuilderBuildKit,
            nocache: self.no_cache,
            target: self.target.clone().unwrap_or_default(),
            platform: self.platform.clone().unwrap_or_default(),
            buildargs: Some(arguments.collect::<HashMap<_, _>>()),
            labels: Some(self.labels.clone().into_iter().collect()),
            ..BuildImageOptions::default()
        }
    }
}

/// Where a build finds its files, resolved.
struct Files {
    context: PathBuf,
    /// The folder of the Dockerfile, and its name there.
    folder: PathBuf,
    name: String,
}

/// The folder and name under which BuildKit finds the Dockerfile (and, beside
/// it, its own `.dockerignore`). BuildKit cannot follow a link out of the
/// folder, so the place where such a link leads is the one that counts.
fn locate(dockerfile: &Path) -> Result<(PathBuf, String), Error> {
    let missing = || Error::NoDockerfile(dockerfile.to_owned());
    let unreadable = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => missing(),
        _ => Error::Unreadable {
            path: dockerfile.to_owned(),
            source,
        },
    };
    let real = fs::canonicalize(dockerfile).map_err(unreadable)?;
    if !real.is_file() {
        return Err(missing());
    }
    File::open(&real).map_err(unreadable)?;
    let parent = match dockerfile.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(missing()),
    };
    let folder = fs::canonicalize(parent).map_err(unreadable)?;
    let given = dockerfile.file_name();
    let (folder, name) = match (given, real.parent(), real.file_name()) {
        (Some(name), _, _) if real.starts_with(&folder) => (folder, name),
        (_, Some(parent), Some(name)) => (parent.to_owned(), name),
        _ => return Err(missing()),
    };
    let name = name.to_str().ok_or_else(|| Error::NotUtf8(real.clone()))?;
    Ok((folder, name.to_owned()))
}

impl Engine {
    /// Builds the image and says what the engine now holds. It has no name
    /// until it is pushed. Dropping the future stops the build.
    ///
    /// # Errors
    /// Those of [`BuildRequest::check`] before the engine is asked; `Build`
    /// with the failed step and its last lines; `Unreadable`, `NotUtf8` or
    /// `BadPattern` for a context that cannot be sent; `Refused` and `Lost`.
    pub async fn build(
        &self,
        request: &BuildRequest,
        logins: &Logins,
        progress: OnProgress<'_>,
    ) -> Result<Image, Error> {
        request.check()?;
        let files = request.files()?;
        let secrets = Values::read(&request.secrets)?;
        let outcome = Arc::new(Outcome::default());
        let shared_key = self.shared_key(&files.context);
        let folders = Folders {
            context: files.context,
            dockerfile: files.folder,
            outcome: Arc::clone(&outcome),
        };
        let session = Session::open(
            &self.wire,
            &self.path("/session"),
            shared_key.as_deref(),
            folders,
            secrets.clone(),
            logins.clone(),
        )
        .await?;
        let options = request.options(session.id(), &files.name);
        let query =
            serde_urlencoded::to_string(options).map_err(|error| Error::lost(DOING, error))?;
        let path = self.path(&format!("/build?{query}"));
        let mut lines = self.wire.post(DOING, &path, Vec::new()).await?;
        let steps = Steps::new(&secrets, progress);
        let built = follow(&mut lines, steps, &outcome, progress).await;
        // What BuildKit says of our own failure is less than what we know.
        let id = match outcome.take_failure() {
            Some(failure) => Err(failure),
            None => built.map_err(|error| error.explained_by(logins)),
        }?;
        self.inspect(&id).await?.ok_or_else(|| Error::Unexpected {
            doing: DOING.to_owned(),
            why: format!("the image {id} that it built is not there"),
        })
    }

    /// The same for every build of a context from this machine. An engine that
    /// is reached over the network may see the same path from several
    /// machines, and must not take one's files for another's.
    fn shared_key(&self, context: &Path) -> Option<String> {
        let Endpoint::Unix(_) = self.wire.endpoint() else {
            return None;
        };
        // Containers that share an engine's socket differ by their host name.
        let host = fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(b"bgecs\0");
        hash.update(&host);
        hash.update(b"\0");
        hash.update(context.as_os_str().as_encoded_bytes());
        let digest = hash.finalize();
        Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Reads the account of the build to its end; the id of the image.
async fn follow(
    lines: &mut Lines,
    mut steps: Steps<'_>,
    outcome: &Outcome,
    progress: OnProgress<'_>,
) -> Result<String, Error> {
    let mut tick = tokio::time::interval(TICK);
    let (mut id, mut told) = (None, 0);
    let mut tell = || {
        let bytes = outcome.sent();
        if bytes > told {
            told = bytes;
            progress(Progress::ContextSent { bytes });
        }
    };
    loop {
        let line = tokio::select! {
            line = lines.next::<BuildInfo>() => line?,
            _ = tick.tick() => {
                tell();
                continue;
            }
        };
        let Some(line) = line else { break };
        match line.aux {
            Some(BuildInfoAux::BuildKit(status)) => steps.take_in(&status),
            Some(BuildInfoAux::Default(ImageId { id: Some(built) })) => id = Some(built),
            Some(BuildInfoAux::Default(_)) | None => {}
        }
        if let Some(error) = line.error_detail {
            tell();
            return Err(steps.failure(&error.message.unwrap_or_default()));
        }
    }
    tell();
    id.ok_or_else(|| steps.failure("the engine ended the build without an image"))
}

#[cfg(test)]
mod tests;
