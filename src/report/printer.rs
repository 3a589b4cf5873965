//! The one thread that writes, so that nothing else ever waits for a reader: a
//! terminal that is stopped with Ctrl-S, or a collector of logs that hangs, must
//! not hold up a swap between its two listeners, and the lease with it.
//!
//! Everything is written in the order in which it was given. At its end the
//! printer waits until all of it is.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::terminal::{Screen, Shown};

/// What only says how far things are is left out for a reader that is so far
/// behind.
const FAR_BEHIND: usize = 100;

#[derive(Debug)]
pub enum Job {
    Show(Shown),
    /// On stdout, after what moves was cleared away.
    Result(String),
    /// On stdout, in place of the last one where it is a terminal.
    Page(String),
    /// On stdout, one of many.
    Data(String),
    Error(String),
    /// Left open for the answer.
    Question(String),
    /// All that came before is written.
    Tell(SyncSender<()>),
}

#[derive(Debug)]
pub struct Printer {
    /// `None` only while it ends.
    jobs: Option<Sender<Job>>,
    behind: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Printer {
    pub fn start() -> Self {
        let (jobs, given) = channel();
        let behind = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&behind);
        let thread = std::thread::spawn(move || write_all(&given, &counted));
        Self {
            jobs: Some(jobs),
            behind,
            thread: Some(thread),
        }
    }

    /// Returns at once.
    pub fn print(&self, job: Job) {
        if let Job::Show(shown) = &job
            && shown.is_passing()
            && self.behind.load(Ordering::Relaxed) > FAR_BEHIND
        {
            return;
        }
        self.behind.fetch_add(1, Ordering::Relaxed);
        if let Some(jobs) = &self.jobs {
            // It ends only after this.
            let _ = jobs.send(job);
        }
    }

    /// Returns when it is written: for what comes faster than it may be read,
    /// and for what is answered.
    pub fn print_and_wait(&self, job: Job) {
        let (tell, written) = sync_channel(1);
        self.print(job);
        self.print(Job::Tell(tell));
        let _ = written.recv();
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(given: &Receiver<Job>, behind: &AtomicUsize) {
    let screen = Screen::new();
    for job in given {
        write(&screen, job);
        behind.fetch_sub(1, Ordering::Relaxed);
    }
    screen.clear();
}

/// A closed pipe is the reader's choice, not a failure of the command.
fn write(screen: &Screen, job: Job) {
    match job {
        Job::Show(shown) => screen.show(shown),
        Job::Result(text) => {
            screen.clear();
            let _ = writeln!(io::stdout(), "{text}");
        }
        Job::Page(text) => {
            let terminal = console::Term::stdout();
            if terminal.is_term() {
                // One that cannot be cleared shows the pages one below another.
                let _ = terminal.clear_screen();
            }
            let _ = writeln!(io::stdout(), "{text}");
        }
        Job::Data(line) => {
            let _ = writeln!(io::stdout(), "{line}");
        }
        Job::Error(text) => {
            screen.clear();
            let _ = writeln!(io::stderr(), "{text}");
        }
        Job::Question(text) => {
            screen.clear();
            let mut stderr = io::stderr();
            let _ = write!(stderr, "{text}");
            let _ = stderr.flush();
        }
        Job::Tell(written) => {
            let _ = written.send(());
        }
    }
}
