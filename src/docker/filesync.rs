//! Gives BuildKit the files that it asks for: the server's side of its
//! `FileSync` service, which is how `docker build` sends a context, too.
//!
//! First every selected entry is told (name, size, mode, time), then the
//! contents of those that BuildKit does not have yet. So nothing is sent that
//! `.dockerignore` excludes, nothing that the Dockerfile does not copy, and
//! nothing twice. (A tar in the body of the build request would be simpler,
//! but BuildKit does not apply `.dockerignore` to one: an excluded Dockerfile,
//! which has to be in it, would end up in the image.)
//!
//! Memory: sixteen chunks of 64 KiB, and the path of each file to be asked for.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use bollard::moby::filesync::v1::file_sync_server::FileSync;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use super::context::{Entry, Kind, Selection, unreadable, walk};
use super::dockerignore::{BadPattern, Patterns};
use super::error::Error;
use super::follow::follow;

/// Bytes of content in a packet, and packets on their way at once.
const CHUNK: usize = 64 * 1024;
const IN_FLIGHT: usize = 16;

/// The folders that a build may read, and what became of reading them.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    pub(super) context: PathBuf,
    pub(super) dockerfile: PathBuf,
    pub(super) outcome: Arc<Outcome>,
}

/// What BuildKit cannot tell us itself.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    sent: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl Outcome {
    /// Bytes of content sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The first thing on our side that made the build fail.
    pub(super) fn take_failure(&self) -> Option<Error> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    fn fail(&self, error: Error) -> Status {
        let status = Status::unknown(error.to_string());
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        status
    }
}

type Packets = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;

#[tonic::async_trait]
impl FileSync for Folders {
    type DiffCopyStream = Packets;
    type TarStreamStream = Packets;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let root = match values(request.metadata(), "dir-name").first().map(String::as_str) {
            Some("context") => self.context.clone(),
            Some("dockerfile") => self.dockerfile.clone(),
            name => return Err(Status::not_found(format!("no folder {name:?} in this build"))),
        };
        let asked = Asked::from_metadata(request.metadata());
        let (requests, queue) = blocking::channel();
        let (packets, answer) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(receive(request.into_inner(), requests));
        let outcome = Arc::clone(&self.outcome);
        tokio::task::spawn_blocking(move || {
            let mut sender = Sender {
                root: &root,
                packets,
                outcome: &outcome,
                files: HashMap::new(),
            };
            sender.serve(&asked, &queue);
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

fn stream_of(mut answer: mpsc::Receiver<Result<Packet, Status>>) -> Packets {
    Box::pin(stream::poll_fn(move |context| answer.poll_recv(context)))
}

/// The files that BuildKit wants, by number; ends with it, or with an error.
///
/// Never waits for the sender: BuildKit reads no answers while its requests
/// are not taken.
async fn receive(mut incoming: Streaming<Packet>, requests: blocking::Sender<Wanted>) {
    while let Some(Ok(packet)) = incoming.next().await {
        let wanted = match packet.r#type() {
            PacketType::PacketReq => Wanted::File(packet.id),
            PacketType::PacketFin => Wanted::End,
            _ => return,
        };
        if requests.send(wanted).is_err() {
            return;
        }
    }
}

enum Wanted {
    File(u32),
    End,
}

/// The patterns of one request.
#[derive(Debug, Default)]
struct Asked {
    include: Vec<String>,
    exclude: Vec<String>,
    follow: Vec<String>,
}

impl Asked {
    fn from_metadata(metadata: &MetadataMap) -> Self {
        Self {
            include: values(metadata, "include-patterns"),
            exclude: values(metadata, "exclude-patterns"),
            follow: values(metadata, "followpaths"),
        }
    }

    fn selection(&self, root: &Path) -> Result<Selection, Error> {
        let mut include = self.include.clone();
        if !self.follow.is_empty() {
            include.extend(follow(root, &self.follow));
        }
        let patterns =
            |list| Patterns::new(list).map_err(|BadPattern(line)| Error::BadPattern(line));
        Ok(Selection {
            include: patterns(&include)?,
            exclude: patterns(&self.exclude)?,
        })
    }
}

/// All values under a key. BuildKit escapes those that are not ASCII, and says
/// so under the key with `-encoded`.
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

/// Undoes Go's `url.QueryEscape`.
fn unescape(text: &str) -> String {
    let pair = format!("v={}", text.replace('&', "%26"));
    let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(&pair);
    let value = pairs.ok().and_then(|pairs| pairs.into_iter().next());
    value.map_or_else(|| text.to_owned(), |(_, value)| value)
}

/// The blocking half: reads the folder, and the files one after the other.
struct Sender<'a> {
    root: &'a Path,
    packets: mpsc::Sender<Result<Packet, Status>>,
    outcome: &'a Outcome,
    files: HashMap<u32, Box<str>>,
}

impl Sender<'_> {
    fn serve(&mut self, asked: &Asked, queue: &blocking::Receiver<Wanted>) {
        let served = self
            .tell(asked)
            .and_then(|flow| if flow.is_continue() { self.answer(queue) } else { Ok(()) });
        if let Err(error) = served {
            let status = self.outcome.fail(error);
            // The packet makes BuildKit give up at once, the status says why.
            let _ = self.send(Packet {
                r#type: PacketType::PacketErr.into(),
                data: status.message().as_bytes().to_vec(),
                ..Packet::default()
            });
            let _ = self.packets.blocking_send(Err(status));
        }
    }

    fn tell(&mut self, asked: &Asked) -> Result<ControlFlow<()>, Error> {
        let selection = asked.selection(self.root)?;
        let mut number = 0;
        let mut flow = ControlFlow::Continue(());
        walk(self.root, &selection, &mut |entry| {
            if entry.kind == Kind::File {
                self.files.insert(number, entry.path.as_str().into());
            }
            number += 1;
            flow = self.send(Packet {
                r#type: PacketType::PacketStat.into(),
                stat: Some(stat(entry)),
                ..Packet::default()
            });
            flow
        })?;
        if flow.is_continue() {
            // A packet without an entry: that was all.
            flow = self.send(Packet::default());
        }
        Ok(flow)
    }

    fn answer(&mut self, queue: &blocking::Receiver<Wanted>) -> Result<(), Error> {
        while let Ok(wanted) = queue.recv() {
            let flow = match wanted {
                Wanted::File(number) => self.file(number)?,
                Wanted::End => {
                    let _ = self.send(Packet {
                        r#type: PacketType::PacketFin.into(),
                        ..Packet::default()
                    });
                    return Ok(());
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn file(&mut self, number: u32) -> Result<ControlFlow<()>, Error> {
        let Some(path) = self.files.remove(&number) else {
            return Ok(ControlFlow::Continue(()));
        };
        let full = self.root.join(&*path);
        let mut file = File::open(&full).map_err(|error| unreadable(full.clone(), error))?;
        loop {
            let mut data = Vec::with_capacity(CHUNK);
            let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut data);
            let read = read.map_err(|error| unreadable(full.clone(), error))?;
            self.outcome.sent.fetch_add(read as u64, Ordering::Relaxed);
            // The packet without data says that the file is complete.
            let flow = self.send(Packet {
                r#type: PacketType::PacketData.into(),
                id: number,
                data,
                stat: None,
            });
            if read == 0 || flow.is_break() {
                return Ok(flow);
            }
        }
    }

    /// Breaks when nobody listens any more: the build is over.
    fn send(&self, packet: Packet) -> ControlFlow<()> {
        match self.packets.blocking_send(Ok(packet)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Mode bits as Go's `os.FileMode` has them, which is what BuildKit reads.
fn stat(entry: Entry) -> Stat {
    const BITS: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let (kind, linkname) = match entry.kind {
        Kind::File => (0, String::new()),
        Kind::Folder => (1 << 31, String::new()),
        Kind::Link(target) => (1 << 27, target),
    };
    let special = BITS
        .iter()
        .filter(|(unix, _)| entry.mode & unix != 0)
        .fold(0, |bits, (_, go)| bits | go);
    Stat {
        path: entry.path,
        mode: kind | special | (entry.mode & 0o777),
        size: i64::try_from(entry.size).unwrap_or(i64::MAX),
        mod_time: entry.modified,
        linkname,
        // Owner and group stay 0: who builds must not matter to the image.
        ..Stat::default()
    }
}

#[cfg(test)]
mod tests;
