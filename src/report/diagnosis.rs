//! Diagnosis on stderr, written by a thread of its own: like all that is printed,
//! it must hold nothing up where nobody reads. Only the end waits for it.

use std::io::{self, Write};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::harmless;

#[derive(Debug)]
pub struct Diagnosis {
    teller: Teller,
    thread: Option<JoinHandle<()>>,
}

/// Takes a line at a time, and never waits. None is its end: whoever listens to
/// the program's events has one for as long as it runs.
#[derive(Debug, Clone)]
pub struct Teller(Sender<Option<String>>);

impl Diagnosis {
    pub fn start() -> Self {
        let (lines, given) = channel::<Option<String>>();
        let thread = std::thread::spawn(move || {
            while let Ok(Some(line)) = given.recv() {
                // A closed stream is the reader's choice.
                let _ = io::stderr().write_all(harmless::text(&line).as_bytes());
            }
        });
        Self {
            teller: Teller(lines),
            thread: Some(thread),
        }
    }

    pub fn teller(&self) -> Teller {
        self.teller.clone()
    }
}

impl Drop for Diagnosis {
    fn drop(&mut self) {
        let _ = self.teller.0.send(None);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Write for Teller {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self
            .0
            .send(Some(String::from_utf8_lossy(bytes).into_owned()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
