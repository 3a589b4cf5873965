//! The blocking half of a transfer: walks the folder, and reads the files that BuildKit
//! wants, one after the other.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc as blocking;

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use tokio::sync::mpsc;
use tonic::Status;

use super::super::context::{ContextEntry, EntryKind, unreadable, walk};
use super::super::error::DockerError;
use super::{PathPatterns, TransferOutcome};

/// Bytes of content in a packet.
pub(super) const CHUNK: usize = 64 * 1024;

/// What BuildKit requests once all entries have been announced.
pub(super) enum WantedFile {
    File(u32),
    End,
}

/// Serves one transfer.
pub(super) struct Sender<'a> {
    root: &'a Path,
    packets: mpsc::Sender<Result<Packet, Status>>,
    outcome: &'a TransferOutcome,
    /// The files that may be requested, by the number under which they were announced.
    files: HashMap<u32, Box<str>>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        root: &'a Path,
        packets: mpsc::Sender<Result<Packet, Status>>,
        outcome: &'a TransferOutcome,
    ) -> Self {
        Self {
            root,
            packets,
            outcome,
            files: HashMap::new(),
        }
    }

    /// Ends when everything is sent, when nobody listens any more, or with an error,
    /// which BuildKit and the outcome receive.
    pub(super) fn serve(&mut self, asked: &PathPatterns, queue: &blocking::Receiver<WantedFile>) {
        let served = self.tell(asked).and_then(|flow| {
            if flow.is_continue() {
                self.answer(queue)
            } else {
                Ok(())
            }
        });
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

    fn tell(&mut self, asked: &PathPatterns) -> Result<ControlFlow<()>, DockerError> {
        let selection = asked.selection(self.root)?;
        let mut number = 0;
        let mut flow = ControlFlow::Continue(());
        walk(self.root, &selection, &mut |entry| {
            if entry.kind == EntryKind::File {
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
            // A packet without an entry marks the end.
            flow = self.send(Packet::default());
        }
        Ok(flow)
    }

    fn answer(&mut self, queue: &blocking::Receiver<WantedFile>) -> Result<(), DockerError> {
        while let Ok(wanted) = queue.recv() {
            let flow = match wanted {
                WantedFile::File(number) => self.file(number)?,
                WantedFile::End => {
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

    fn file(&mut self, number: u32) -> Result<ControlFlow<()>, DockerError> {
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
            // The packet without data marks the end of the file.
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

    /// Breaks if nobody listens any more: the build is over.
    fn send(&self, packet: Packet) -> ControlFlow<()> {
        match self.packets.blocking_send(Ok(packet)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Mode bits as in Go's `os.FileMode`, which BuildKit reads.
fn stat(entry: ContextEntry) -> Stat {
    const BITS: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let (kind, linkname) = match entry.kind {
        EntryKind::File => (0, String::new()),
        // There is no bit for it: a file with a link's name is a hard link.
        EntryKind::Twin(first) => (0, first),
        EntryKind::Folder => (1 << 31, String::new()),
        EntryKind::Link(target) => (1 << 27, target),
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
        // Owner and group stay 0: the image must not depend on who builds it.
        ..Stat::default()
    }
}
