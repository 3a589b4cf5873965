//! The blocking half of a transfer: looks through the folder, and meanwhile reads
//! the files that BuildKit wants, one after the other. It wants the first ones long
//! before it was told of the last.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc as blocking};
use std::thread;

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use tokio::sync::mpsc;
use tonic::Status;

use super::super::context::{Entry, Kind, unreadable, walk};
use super::super::error::Error;
use super::{Asked, Outcome};

/// Bytes of content in a packet.
pub(super) const CHUNK: usize = 64 * 1024;

/// What BuildKit asks for as it is told of the entries.
pub(super) enum Wanted {
    File(u32),
    End,
    /// Nothing more: the transfer is over before its end.
    Nothing,
}

/// Serves one transfer.
pub(super) struct Sender<'a> {
    root: &'a Path,
    packets: mpsc::Sender<Result<Packet, Status>>,
    outcome: &'a Outcome,
    /// Those that may be asked for, by the number they were told under.
    files: Mutex<HashMap<u32, Box<str>>>,
    /// Whether something failed, of which BuildKit was told.
    has_failed: AtomicBool,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        root: &'a Path,
        packets: mpsc::Sender<Result<Packet, Status>>,
        outcome: &'a Outcome,
    ) -> Self {
        Self {
            root,
            packets,
            outcome,
            files: Mutex::default(),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Ends when all is sent, when nobody listens any more, or with an error,
    /// of which BuildKit and the outcome are told. `requests` leads to the queue.
    pub(super) fn serve(
        &self,
        asked: &Asked,
        requests: blocking::Sender<Wanted>,
        queue: blocking::Receiver<Wanted>,
    ) {
        thread::scope(|scope| {
            scope.spawn(move || {
                if let Err(error) = self.answer(&queue) {
                    self.fail(error);
                }
            });
            match self.tell(asked) {
                // From now on the queue ends with BuildKit's requests.
                Ok(ControlFlow::Continue(())) => return drop(requests),
                Ok(ControlFlow::Break(())) => {}
                Err(error) => self.fail(error),
            }
            let _ = requests.send(Wanted::Nothing);
        });
    }

    fn fail(&self, error: Error) {
        let status = self.outcome.fail(error);
        // The packet makes BuildKit give up at once, the status says why.
        let _ = self.send(Packet {
            r#type: PacketType::PacketErr.into(),
            data: status.message().as_bytes().to_vec(),
            ..Packet::default()
        });
        let _ = self.packets.blocking_send(Err(status));
        self.has_failed.store(true, Ordering::Relaxed);
    }

    fn files(&self) -> MutexGuard<'_, HashMap<u32, Box<str>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, asked: &Asked) -> Result<ControlFlow<()>, Error> {
        let selection = asked.selection(self.root)?;
        let mut number = 0;
        let mut flow = ControlFlow::Continue(());
        walk(self.root, &selection, &mut |entry| {
            if entry.kind == Kind::File {
                self.files().insert(number, entry.path.as_str().into());
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

    fn answer(&self, queue: &blocking::Receiver<Wanted>) -> Result<(), Error> {
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
                Wanted::Nothing => return Ok(()),
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn file(&self, number: u32) -> Result<ControlFlow<()>, Error> {
        let path = self.files().remove(&number);
        let Some(path) = path else {
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
        if self.has_failed.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
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
