//! What a person sees. The only module that prints: progress to stderr, the
//! result to stdout. Decides nothing.

mod human;
mod style;
mod terminal;

use std::io::{self, Write};

use serde::Serialize;

use crate::aws::StackEvent;
use crate::docker::Progress;
use crate::engine::preflight::Check;
use crate::engine::serving::Counts;
use crate::error::Error;
use crate::model::{Color, ServiceEvent};
pub use style::Style;
use terminal::Screen;

/// What happens while a command runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A line that stays.
    Note(String),
    Warning(String),
    /// What is under way now, until the next one.
    Doing(String),
    /// The thing under way is done.
    Done(String),
    Hook(&'a str),
    Docker(&'a Progress),
    Stack(&'a StackEvent),
    Service(&'a ServiceEvent),
    Waiting {
        color: Color,
        counts: Counts,
    },
    Check(&'a Check),
    /// The probe's count so far, and how much of its time has passed (0 to 1).
    Probing {
        sent: u64,
        failed: u64,
        share: f64,
    },
    /// The answer's body changed; before the swap there is no time to count from.
    Body {
        at_ms: Option<i64>,
        status: u16,
        body: &'a str,
    },
}

/// A command's result: its text for people, its JSON for programs.
pub trait Outcome: Serialize {
    fn human(&self, style: &Style) -> String;
}

/// How much, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    pub json: bool,
    pub quiet: bool,
}

#[derive(Debug)]
pub struct Reporter {
    audience: Audience,
    screen: Screen,
}

impl Reporter {
    pub fn new(audience: Audience) -> Self {
        Self {
            audience,
            screen: Screen::new(),
        }
    }

    pub fn tell(&self, event: &Event<'_>) {
        if self.audience.quiet && !matches!(event, Event::Warning(_)) {
            return;
        }
        self.screen.show(event);
    }

    /// Prints the result on stdout: JSON or text, and nothing else ever there.
    pub fn result(&self, outcome: &impl Outcome) {
        self.screen.clear();
        if self.audience.json {
            print_json(&serde_json::json!(outcome));
        } else {
            print_line(&outcome.human(&Style::of_stdout()));
        }
    }

    /// The result so far, in place of the last one where stdout is a terminal.
    pub fn page(&self, outcome: &impl Outcome) {
        let terminal = console::Term::stdout();
        if terminal.is_term() {
            // A terminal that cannot be cleared shows the pages one below another.
            let _ = terminal.clear_screen();
        }
        print_line(&outcome.human(&Style::of_stdout()));
    }

    /// A line of data as it comes, such as a log line.
    pub fn data(&self, line: &str) {
        print_line(line);
    }

    /// A question, left open for the answer.
    pub fn ask(&self, question: &str) {
        self.screen.clear();
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{question}");
        let _ = stderr.flush();
    }

    pub fn wants_json(&self) -> bool {
        self.audience.json
    }
}

/// Prints an error: on stderr for people, and on stdout too for programs.
pub fn error(error: &Error, audience: Audience) {
    complain(error);
    if audience.json {
        print_json(&error.to_json());
    }
}

/// Prints an error beside a result that says the same to programs.
pub fn complain(error: &Error) {
    let style = Style::of_stderr();
    let text = error.to_string();
    let (first, rest) = text
        .split_once('\n')
        .map_or((text.as_str(), ""), |parts| parts);
    let mut out = format!("{} {first}", style.bad("error:"));
    if !rest.is_empty() {
        out.push('\n');
        out.push_str(rest);
    }
    let _ = writeln!(io::stderr(), "{out}");
}

/// A closed pipe is the reader's choice, not a failure of the command.
fn print_line(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn print_json(value: &serde_json::Value) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print_line(&text),
        Err(error) => print_line(&format!("{{\"error\":{{\"message\":\"{error}\"}}}}")),
    }
}
