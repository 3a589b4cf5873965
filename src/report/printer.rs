//! The one thread that writes, so that nothing else ever waits for a reader: a
//! terminal that is stopped with Ctrl-S, or a collector of logs that hangs, must
//! not hold up a swap between its two listeners, and the lease with it.
//!
//! Everything is written in the order in which it was given. At its end the
//! printer waits until all of it is. Nothing is written that is not made harmless
//! here first, whoever gave it.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use console::Term;
use serde_json::Value;

use super::harmless;
use super::introduction::Introduction;
use super::terminal::{Screen, Shown};
use super::wrap::Columns;

/// What only says how far things are is left out for a reader that is so far
/// behind.
const FAR_BEHIND: usize = 100;

/// How long the others wait for the first line.
const FIRST_LINE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub enum Job {
    Show(Shown),
    /// A line that is still to come, and goes ahead of what follows.
    First(First),
    /// On stdout, after what moves was cleared away.
    Result(String),
    /// The same for programs.
    Document(String),
    /// The result for programs, with what is known by then.
    Outcome(Value, Introduction),
    /// On stdout, in place of the last one where it is a terminal.
    Page(String),
    /// On stdout, one of many; as it is, unless people see it.
    Data(String),
    Error(String),
    /// Left open for the answer.
    Question(String),
    /// All that came before is written.
    Tell(SyncSender<()>),
}

/// A line that may not have come yet. Programs that want none wait for it, too:
/// their document has it.
#[derive(Debug)]
pub struct First {
    pub line: Receiver<String>,
    pub is_shown: bool,
}

/// Where it goes.
pub struct Streams {
    out: Box<dyn Write + Send>,
    /// Whether people see it at once.
    is_terminal: bool,
    columns: Columns,
    screen: Screen,
}

impl Streams {
    fn of_process() -> Self {
        Self {
            out: Box::new(io::stdout()),
            is_terminal: io::stdout().is_terminal(),
            columns: Columns::of(Term::stdout()),
            screen: Screen::of_stderr(),
        }
    }

    #[cfg(test)]
    pub fn of(out: impl Write + Send + 'static, is_terminal: bool, screen: Screen) -> Self {
        Self {
            out: Box::new(out),
            is_terminal,
            columns: Columns::default(),
            screen,
        }
    }

    /// On terminals of that width.
    #[cfg(test)]
    pub fn wide(mut self, columns: u16) -> Self {
        self.columns = Columns::Fixed(columns);
        self.screen = self.screen.wide(columns);
        self
    }

    /// Prints the line; gives it back if it has not come in that time.
    fn first(&mut self, first: First, patience: Duration) -> Option<First> {
        match first.line.recv_timeout(patience) {
            Ok(text) if first.is_shown => self.screen.show(Shown::as_it_is(text).harmless()),
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => return Some(first),
        }
        None
    }

    /// A closed pipe is the reader's choice, not a failure of the command.
    fn write(&mut self, job: Job) {
        match job {
            Job::Show(shown) => self.screen.show(shown.harmless()),
            Job::Result(text) => {
                self.screen.clear();
                self.people(&text);
            }
            Job::Document(json) => {
                self.screen.clear();
                let _ = writeln!(self.out, "{json}");
            }
            Job::Outcome(value, introduction) => {
                let json = super::json(&introduction.within(value));
                self.write(Job::Document(json));
            }
            Job::Page(text) => {
                // One that cannot be cleared shows the pages one below another.
                let _ = match self.is_terminal {
                    true => Term::stdout().clear_screen(),
                    false => Ok(()),
                };
                self.people(&text);
            }
            Job::Data(line) if self.is_terminal => {
                let _ = writeln!(self.out, "{}", harmless::with_colors(&line));
            }
            Job::Data(line) => {
                let _ = writeln!(self.out, "{line}");
            }
            Job::Error(text) => self.screen.say(&format!("{}\n", harmless::text(&text))),
            Job::Question(text) => self.screen.say(&harmless::text(&text)),
            // Waited for where it came.
            Job::First(_) => {}
            Job::Tell(written) => {
                let _ = written.send(());
            }
        }
    }
}

impl Streams {
    fn people(&mut self, text: &str) {
        let text = self.columns.wrapped(&harmless::text(text));
        let _ = writeln!(self.out, "{text}");
    }
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
        Self::to(Streams::of_process)
    }

    /// What is written to is made where it is written.
    pub fn to(streams: impl FnOnce() -> Streams + Send + 'static) -> Self {
        let (jobs, given) = channel();
        let behind = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&behind);
        let thread = std::thread::spawn(move || write_all(streams(), &given, &counted));
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

fn write_all(mut streams: Streams, given: &Receiver<Job>, behind: &AtomicUsize) {
    let mut late = None;
    for job in given {
        match job {
            Job::First(first) => late = streams.first(first, FIRST_LINE),
            job => {
                late = late.and_then(|first| streams.first(first, Duration::ZERO));
                streams.write(job);
            }
        }
        behind.fetch_sub(1, Ordering::Relaxed);
    }
    if let Some(first) = late {
        streams.first(first, Duration::ZERO);
    }
    streams.screen.clear();
}
