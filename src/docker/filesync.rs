//! Gives BuildKit the files that it asks for: the server's side of its `FileSync`
//! service, by which `docker build` sends a context as well.
//!
//! First every selected entry is announced (name, size, mode, time), then the contents of
//! those that BuildKit does not have yet are sent. So nothing is sent that
//! `.dockerignore` excludes or that the Dockerfile does not copy, and nothing twice. (A
//! tar in the body of the build request would be simpler, but BuildKit does not apply
//! `.dockerignore` to it: an excluded Dockerfile, which has to be in it, would end up in
//! the image.)
//!
//! Memory: sixteen chunks of 64 KiB, and the path of each file that may be requested.

mod sender;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};

use bollard::fsutil::types::Packet;
use bollard::fsutil::types::packet::PacketType;
use bollard::moby::filesync::v1::file_sync_server::FileSync;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use self::sender::{Sender, WantedFile};
use super::context::Selection;
use super::dockerignore::{BadPattern, Patterns};
use super::error::DockerError;
use super::follow::follow;
use super::session::{MessageStream, stream_of};

/// How many packets may be in flight.
const IN_FLIGHT: usize = 16;

/// The folders that a build may read, and how reading them went.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// `None` if everything goes another way.
    pub(super) context: Option<PathBuf>,
    pub(super) dockerfile: Option<PathBuf>,
    pub(super) outcome: Arc<TransferOutcome>,
}

/// What BuildKit cannot report itself.
#[derive(Debug, Default)]
pub(super) struct TransferOutcome {
    sent: AtomicU64,
    failure: Mutex<Option<DockerError>>,
}

impl TransferOutcome {
    /// Bytes of content sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The first error on our side that made the build fail.
    pub(super) fn take_failure(&self) -> Option<DockerError> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    fn fail(&self, error: DockerError) -> Status {
        let status = Status::unknown(error.to_string());
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        status
    }
}

#[tonic::async_trait]
impl FileSync for Folders {
    type DiffCopyStream = MessageStream<Packet>;
    type TarStreamStream = MessageStream<Packet>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let names = values(request.metadata(), "dir-name");
        let name = names.first().map(String::as_str);
        let root = match name {
            Some("context") => self.context.clone(),
            Some("dockerfile") => self.dockerfile.clone(),
            _ => None,
        };
        let root =
            root.ok_or_else(|| Status::not_found(format!("no folder {name:?} in this build")))?;
        let asked = PathPatterns::from_metadata(request.metadata());
        let (requests, queue) = blocking::channel();
        let (packets, answer) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(receive(request.into_inner(), requests));
        let outcome = Arc::clone(&self.outcome);
        tokio::task::spawn_blocking(move || {
            Sender::new(&root, packets, &outcome).serve(&asked, &queue);
        });
        Ok(Response::new(stream_of(answer)))
    }

    /// A protocol of the first BuildKits, which none uses any more.
    async fn tar_stream(
        &self,
        _: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("use DiffCopy"))
    }
}

/// Receives the numbers of the files that BuildKit wants; the end is reported as well.
///
/// Never waits for the sender: BuildKit reads no answers while its requests are not read.
async fn receive(mut incoming: Streaming<Packet>, requests: blocking::Sender<WantedFile>) {
    while let Some(Ok(packet)) = incoming.next().await {
        let wanted = match packet.r#type() {
            PacketType::PacketReq => WantedFile::File(packet.id),
            PacketType::PacketFin => WantedFile::End,
            _ => return,
        };
        if requests.send(wanted).is_err() {
            return;
        }
    }
}

/// The patterns of one request.
#[derive(Debug, Default)]
struct PathPatterns {
    include: Vec<String>,
    exclude: Vec<String>,
    follow: Vec<String>,
}

impl PathPatterns {
    fn from_metadata(metadata: &MetadataMap) -> Self {
        Self {
            include: values(metadata, "include-patterns"),
            exclude: values(metadata, "exclude-patterns"),
            follow: values(metadata, "followpaths"),
        }
    }

    fn selection(&self, root: &Path) -> Result<Selection, DockerError> {
        let mut include = self.include.clone();
        if !self.follow.is_empty() {
            include.extend(follow(root, &self.follow));
        }
        let patterns =
            |list| Patterns::new(list).map_err(|BadPattern(line)| DockerError::BadPattern(line));
        Ok(Selection {
            include: patterns(&include)?,
            exclude: patterns(&self.exclude)?,
        })
    }
}

/// All values under a key. BuildKit escapes non-ASCII values, and marks that under the
/// key with `-encoded`.
fn values(metadata: &MetadataMap, key: &str) -> Vec<String> {
    let encoded = metadata
        .get(format!("{key}-encoded"))
        .is_some_and(|value| value == "1");
    metadata
        .get_all(key)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if encoded { unescape(&text) } else { text }
        })
        .collect()
}

/// Reverses Go's `url.QueryEscape`.
fn unescape(text: &str) -> String {
    let pair = format!("v={}", text.replace('&', "%26"));
    let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(&pair);
    let value = pairs.ok().and_then(|pairs| pairs.into_iter().next());
    value.map_or_else(|| text.to_owned(), |(_, value)| value)
}
