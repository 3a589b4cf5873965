//! A file for each emulator that runs, locked while its owner lives. One that
//! is there and not locked tells what a dead owner has left, or what an owner
//! has kept on purpose.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::kept_gate::KeptGate;
use crate::layout::{Layout, write};
use crate::lock::{self, Lock};
use crate::{Error, Result};

/// All that is needed to find an emulator again and to stop it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) account: String,
    /// Empty until it is known.
    pub(super) endpoint: String,
    /// The child process, where the emulator is one.
    pub(super) pid: Option<u32>,
    pub(super) kept: bool,
    /// The gate before a kept one.
    #[serde(default)]
    pub(super) gate: Option<KeptGate>,
}

#[derive(Debug)]
pub(super) struct Record {
    layout: Layout,
    path: PathBuf,
    entry: Entry,
    _lock: Lock,
}

impl Record {
    pub(super) async fn create(layout: &Layout, entry: Entry) -> Result<Self> {
        let _gate = gate(layout).await?;
        let path = layout.instances().join(format!("{}.json", entry.id));
        let lock = lock::exclusive(&path, "start an emulator").await?;
        let record = Self {
            layout: layout.clone(),
            path,
            entry,
            _lock: lock,
        };
        record.save()?;
        Ok(record)
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn update(&mut self, change: impl FnOnce(&mut Entry)) -> Result<()> {
        change(&mut self.entry);
        self.save()
    }

    /// Nothing is left of the emulator.
    pub(super) fn close(self) {
        // If it stays, it tells of something that is gone: no harm.
        let _ = fs::remove_file(&self.path);
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_string(&self.entry).map_err(|error| Error::File {
            action: "write",
            path: self.path.clone(),
            source: error.into(),
        })?;
        write(&self.path, &text)
    }
}

/// The records that nobody holds; they are held by the caller now.
pub(super) async fn abandoned(layout: &Layout) -> Result<Vec<Record>> {
    let _gate = gate(layout).await?;
    let dir = layout.instances();
    let failed = |source| Error::File {
        action: "read",
        path: dir.clone(),
        source,
    };
    let mut records = Vec::new();
    for file in fs::read_dir(&dir).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        let Some(lock) = lock::try_exclusive(&path)? else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap_or_default();
        if let Ok(entry) = serde_json::from_str(&text) {
            records.push(Record {
                layout: layout.clone(),
                path,
                entry,
                _lock: lock,
            });
        } else {
            // Its owner ended before it had written anything, or just now.
            let _ = fs::remove_file(&path);
        }
    }
    Ok(records)
}

/// Held while records are made or looked through: a record that is made but
/// not locked yet would seem to be left over.
async fn gate(layout: &Layout) -> Result<Lock> {
    lock::exclusive(&layout.lock("instances"), "look through the emulators").await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> Entry {
        Entry {
            id: id.to_owned(),
            account: "test".to_owned(),
            endpoint: String::new(),
            pid: None,
            kept: false,
            gate: None,
        }
    }

    #[tokio::test]
    async fn a_record_is_abandoned_when_its_owner_is_gone_and_only_then() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let layout = Layout::at(dir.path()).expect("layout");
        let mut record = Record::create(&layout, entry("a")).await.expect("create");
        record.update(|entry| entry.pid = Some(7)).expect("update");
        assert!(abandoned(&layout).await.expect("look").is_empty());

        drop(record);
        let mut found = abandoned(&layout).await.expect("look");
        let record = found.pop().expect("one");
        assert_eq!(
            (record.entry().id.as_str(), record.entry().pid),
            ("a", Some(7))
        );
        assert!(
            abandoned(&layout).await.expect("look").is_empty(),
            "held by the finder"
        );

        record.close();
        assert!(abandoned(&layout).await.expect("look").is_empty());
    }

    #[tokio::test]
    async fn a_broken_record_is_removed() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let layout = Layout::at(dir.path()).expect("layout");
        let path = layout.instances().join("x.json");
        fs::write(&path, "").expect("write");
        assert!(abandoned(&layout).await.expect("look").is_empty());
        assert!(!path.exists());
    }
}
