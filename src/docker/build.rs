//! Builds an image on the engine's BuildKit.
//!
//! The request names a session. Everything that the build needs from this machine goes
//! over that session (see [`super::session`]), and the answer reports the progress.

mod arguments;
mod files;
mod request;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::{BuildInfo, BuildInfoAux, ImageId};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::Semaphore;

pub use self::files::BuildContext;
use self::files::Dockerfile;
use self::request::BuildExtras;
pub use self::request::BuildRequest;
use super::agent::Agents;
use super::endpoint::EngineAddress;
use super::engine::Engine;
use super::error::DockerError;
use super::filesync::{Folders, TransferOutcome};
use super::login::Logins;
use super::secrets::Values;
use super::session::{BuildSession, Offer};
use super::settings::Settings;
use super::solve::{Solve, SolveError};
use super::steps::BuildSteps;
use super::upload::{Archive, UploadReader};
use super::wire::JsonLines;
use super::{LocalImage, OnProgress, Progress};
use crate::hex;

/// How often the number of bytes sent is reported.
const TICK: Duration = Duration::from_millis(100);
const DOING: &str = "build the image";

/// How many images are built at once; further builds wait, because BuildKit would divide
/// the machine among all of them.
static BUILDING: Semaphore = Semaphore::const_new(2);

impl Engine {
    /// Builds the image and returns what the engine now holds. Dropping the future stops
    /// the build.
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
    ) -> Result<LocalImage, DockerError> {
        let stdin = io::stdin().as_fd().try_clone_to_owned();
        let stdin = stdin.map_err(|error| DockerError::Stdin(error.to_string()))?;
        let stdin = tokio::fs::File::from_std(File::from(stdin));
        self.build_of(request, Box::pin(stdin), logins, progress)
            .await
    }

    /// The same, with the given reader as stdin.
    pub(super) async fn build_of(
        &self,
        request: &BuildRequest,
        stdin: UploadReader,
        logins: &Logins,
        progress: OnProgress<'_>,
    ) -> Result<LocalImage, DockerError> {
        request.check()?;
        // The semaphore is never closed.
        let _turn = BUILDING.acquire().await.ok();
        let settings = Settings::from_env();
        let proxies = settings
            .config_file()?
            .proxies(&self.wire.endpoint().host());
        let laid = Laid::out(request, stdin).await?;
        let secrets = laid.secrets.clone();
        let mask = secrets.mask().and(proxies.mask());
        let outcome = Arc::clone(&laid.outcome);
        let told = BuildExtras {
            name: laid.name.clone(),
            remote: laid.archive.as_ref().map(Archive::address),
            arguments: request.arguments(&proxies),
        };
        let shared_key = laid.context.as_deref().and_then(|at| self.shared_key(at));
        let _temporary = laid.temporary;
        let offer = Offer {
            folders: Folders {
                context: laid.context,
                dockerfile: laid.dockerfile,
                outcome: Arc::clone(&outcome),
            },
            secrets,
            agents: Agents::find(&request.ssh)?,
            logins: logins.clone(),
            archive: laid.archive,
        };
        let path = self.path("/session");
        let session = BuildSession::open(&self.wire, &path, shared_key.as_deref(), offer).await?;
        let steps = BuildSteps::new(&mask, progress);
        let built = match request.cache_exports() {
            exports if exports.is_empty() => {
                self.post_build(request, told, &session, steps, &outcome, progress)
                    .await
            }
            exports => {
                let solve = Solve {
                    session: session.id().to_owned(),
                    name: request.name.clone(),
                    attributes: request.attributes(told),
                    exports,
                };
                self.solve(solve, steps, &outcome, progress).await
            }
        };
        // Our own error says more than what BuildKit reports about it.
        let id = match outcome.take_failure() {
            Some(failure) => Err(failure),
            None => built.map_err(|error| error.explained_by(logins)),
        }?;
        self.inspect(&id)
            .await?
            .ok_or_else(|| DockerError::Unexpected {
                doing: DOING.to_owned(),
                why: format!("the image {id} that it built does not exist"),
            })
    }

    /// Over the engine's own API.
    async fn post_build(
        &self,
        request: &BuildRequest,
        told: BuildExtras,
        session: &BuildSession,
        steps: BuildSteps<'_>,
        outcome: &TransferOutcome,
        progress: OnProgress<'_>,
    ) -> Result<String, DockerError> {
        let query = serde_urlencoded::to_string(request.options(session.id(), told))
            .map_err(|error| DockerError::lost(DOING, error))?;
        let path = self.path(&format!("/build?{query}"));
        let mut lines = self.wire.post(DOING, &path, Vec::new()).await?;
        follow(&mut lines, steps, outcome, progress).await
    }

    /// Over BuildKit's API, whose path does not contain a version of the engine's.
    async fn solve(
        &self,
        solve: Solve,
        mut steps: BuildSteps<'_>,
        outcome: &TransferOutcome,
        progress: OnProgress<'_>,
    ) -> Result<String, DockerError> {
        let mut sent = BytesSent::default();
        let mut tick = tokio::time::interval(TICK);
        let solved = {
            let mut running = Box::pin(solve.run(&self.wire, "/grpc", &mut steps));
            loop {
                tokio::select! {
                    solved = &mut running => break solved,
                    _ = tick.tick() => sent.tell(outcome, progress),
                }
            }
        };
        sent.tell(outcome, progress);
        match solved {
            Ok(Some(id)) => Ok(id),
            Ok(None) => Err(steps.failure(NO_IMAGE)),
            Err(SolveError::Build(message)) => Err(steps.failure(&message)),
            Err(SolveError::Other(error)) => Err(error),
        }
    }

    /// The same for every build of a context from this machine. An engine that is reached
    /// over the network may see the same path from several machines, and must not confuse
    /// their files.
    fn shared_key(&self, context: &Path) -> Option<String> {
        let EngineAddress::Unix(_) = self.wire.endpoint() else {
            return None;
        };
        // Containers that share an engine's socket differ by their host name.
        let host = fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(b"bgecs\0");
        hash.update(&host);
        hash.update(b"\0");
        hash.update(context.as_os_str().as_encoded_bytes());
        Some(hex::hex(hash.finalize()))
    }
}

const NO_IMAGE: &str = "the engine ended the build without an image";

/// Everything that a build needs from this machine; pipes have been read.
struct Laid {
    context: Option<PathBuf>,
    /// The folder of the Dockerfile, and its name there or in the archive.
    dockerfile: Option<PathBuf>,
    name: String,
    archive: Option<Archive>,
    secrets: Values,
    outcome: Arc<TransferOutcome>,
    temporary: Option<TempDir>,
}

impl Laid {
    async fn out(request: &BuildRequest, stdin: UploadReader) -> Result<Self, DockerError> {
        let files = request.files()?;
        // Reading a pipe may block, and must not delay Ctrl-C.
        let wanted = request.secrets.clone();
        let secrets = blocking(move || Values::read(&wanted)).await?;
        let archive = match request.context {
            BuildContext::Folder(_) => None,
            BuildContext::Stdin => Some(Archive::open(stdin).await?),
        };
        let mut temporary = None;
        let (dockerfile, name) = match files.dockerfile {
            Dockerfile::At(folder, name) => (Some(folder), name),
            Dockerfile::Within(name) => (None, name),
            Dockerfile::Piped(path) => {
                let folder = blocking(move || keep_pipe(&path)).await?;
                let at = folder.path().to_owned();
                temporary = Some(folder);
                (Some(at), KEPT.to_owned())
            }
        };
        Ok(Self {
            context: files.context,
            dockerfile,
            name,
            archive,
            secrets,
            outcome: Arc::default(),
            temporary,
        })
    }
}

const KEPT: &str = "Dockerfile";

/// Keeps it in a folder, which BuildKit may read more than once.
fn keep_pipe(path: &Path) -> Result<TempDir, DockerError> {
    let text = files::read_pipe(path)?;
    let kept = tempfile::tempdir().and_then(|folder| {
        fs::write(folder.path().join(KEPT), text)?;
        Ok(folder)
    });
    kept.map_err(|source| DockerError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DockerError> + Send + 'static,
) -> Result<T, DockerError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| DockerError::lost(DOING, error))?
}

/// The number of bytes sent that was reported last.
#[derive(Default)]
struct BytesSent(u64);

impl BytesSent {
    fn tell(&mut self, outcome: &TransferOutcome, progress: OnProgress<'_>) {
        let bytes = outcome.sent();
        if bytes > self.0 {
            self.0 = bytes;
            progress(Progress::ContextSent { bytes });
        }
    }
}

/// Follows the build to its end, and returns the image's id.
async fn follow(
    lines: &mut JsonLines,
    mut steps: BuildSteps<'_>,
    outcome: &TransferOutcome,
    progress: OnProgress<'_>,
) -> Result<String, DockerError> {
    let mut tick = tokio::time::interval(TICK);
    let (mut id, mut sent) = (None, BytesSent::default());
    loop {
        let line = tokio::select! {
            line = lines.next::<BuildInfo>() => line?,
            _ = tick.tick() => {
                sent.tell(outcome, progress);
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
            sent.tell(outcome, progress);
            return Err(steps.failure(&error.message.unwrap_or_default()));
        }
    }
    sent.tell(outcome, progress);
    id.ok_or_else(|| steps.failure(NO_IMAGE))
}
