//! What a person sees. The only module that prints: progress to stderr, the
//! result to stdout. Decides nothing, and holds nobody up.

mod blocks;
#[cfg(test)]
pub mod capture;
mod diagnosis;
mod drawing;
mod file;
mod harmless;
mod human;
mod introduction;
mod log;
mod markdown;
mod page;
mod parts;
mod printer;
mod probe_line;
mod style;
mod terminal;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod typed;
mod wrap;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::error::ErrorKind;
use console::Term;
use serde::Serialize;

use crate::engine::serving::Counts;
use crate::error::{Error, Exit};
use crate::model::Check;
use crate::model::Progress;
use crate::model::{Caller, StackEvent};
use crate::model::{Color, ServiceEvent};
pub use blocks::{Answered, AnsweringRelease};
pub use diagnosis::Diagnosis;
pub use file::{ReportFile, Reported};
use introduction::Introduction;
pub use markdown::markdown;
use parts::Parts;
use printer::{First, Job, Printer};
pub use probe_line::StageNow;
use probe_line::{Count, ProbeLine};
pub use style::Style;
use terminal::Shown;

/// What happens while a command runs.
#[derive(Debug)]
pub enum ReportEvent<'a> {
    /// A line that stays.
    Note(String),
    Warning(String),
    /// What is under way now, until the next one.
    Doing(String),
    /// The thing under way is done.
    Done(String),
    Hook(&'a str),
    /// A line of the command that is watched, as it is.
    Command(&'a str),
    Docker(&'a Progress),
    Stack(&'a StackEvent),
    Service(&'a ServiceEvent),
    Waiting {
        color: Color,
        counts: Counts,
        /// What keeps it from serving, where something says so.
        trouble: Option<String>,
        /// Whole ones, so far.
        minutes: u64,
    },
    Check(&'a Check),
    /// The probe's count so far, how much of its time has passed (0 to 1), and the
    /// stage that is watched, where users go over by shares.
    Probing {
        sent: u64,
        failed: u64,
        share: f64,
        stage: Option<StageNow>,
    },
    /// One more answer of the probe, for the row of blocks on a terminal. Costs
    /// next to nothing; `Probing` draws the row, ten times a second at most.
    Answered(Answered),
    /// The probe is over: on a terminal the row stays.
    Probed,
    /// An answer that was not seen before; ahead of the swap there is no time to
    /// count from.
    Body {
        at_ms: Option<i64>,
        status: u16,
        body: &'a str,
    },
}

/// A command's result: its text for people, its JSON for programs.
pub trait CommandResult: Serialize {
    fn human(&self, style: &Style) -> String;
}

/// How much, and to whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audience {
    pub json: bool,
    pub quiet: bool,
    /// What happens is a JSON object in each line, for whoever keeps logs.
    pub logs: bool,
    pub environment: Option<Environment>,
}

/// Which of the file's environments was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Environment {
    pub name: &'static str,
    /// And not by a variable, which the next command line has too.
    pub is_flag: bool,
}

impl Audience {
    /// Text of bgecs's own, in which command lines can be typed as they stand.
    fn typed(&self, text: String) -> String {
        match self.environment {
            Some(Environment {
                name,
                is_flag: true,
            }) => typed::in_environment(&text, name),
            _ => text,
        }
    }

    fn typed_event<'a>(&self, event: &ReportEvent<'a>) -> Option<ReportEvent<'a>> {
        Some(match event {
            ReportEvent::Note(text) => ReportEvent::Note(self.typed(text.clone())),
            ReportEvent::Warning(text) => ReportEvent::Warning(self.typed(text.clone())),
            ReportEvent::Doing(text) => ReportEvent::Doing(self.typed(text.clone())),
            ReportEvent::Done(text) => ReportEvent::Done(self.typed(text.clone())),
            _ => return None,
        })
    }

    /// For programs, with the environment.
    fn json(&self, value: serde_json::Value) -> String {
        json(&self.placed(value))
    }

    fn placed(&self, mut value: serde_json::Value) -> serde_json::Value {
        if let (Some(environment), Some(object)) = (self.environment, value.as_object_mut()) {
            object.insert("environment".to_owned(), environment.name.into());
        }
        value
    }
}

#[derive(Debug)]
pub struct Reporter {
    audience: Audience,
    style: Style,
    introduction: Introduction,
    printer: Arc<Printer>,
    parts: Parts,
    /// `None` where nobody would see it.
    probe: Option<Mutex<ProbeLine>>,
    /// Ahead of each line, where it is of one of several apps.
    module: Option<String>,
}

impl Reporter {
    pub fn new(audience: Audience) -> Self {
        let is_seen = !audience.quiet && terminal::is_live();
        Self {
            audience,
            style: Style::of_stderr(),
            introduction: Introduction::default(),
            printer: Arc::new(Printer::start()),
            parts: Parts::default(),
            probe: is_seen.then(|| Mutex::new(ProbeLine::new(columns()))),
            module: None,
        }
    }

    /// For one of several apps that are worked on at once: its lines begin with that,
    /// and what comes of it is told by whoever works on all.
    pub fn of_module(&self, label: String) -> Self {
        Self {
            audience: self.audience,
            style: self.style,
            introduction: Introduction::default(),
            printer: Arc::clone(&self.printer),
            parts: Parts::default(),
            probe: None,
            module: Some(label).filter(|label| !label.is_empty()),
        }
    }

    /// Into other streams than the process's own.
    #[cfg(test)]
    pub fn into(
        audience: Audience,
        style: Style,
        streams: impl FnOnce() -> printer::Streams + Send + 'static,
    ) -> Self {
        Self {
            audience,
            style,
            introduction: Introduction::default(),
            printer: Arc::new(Printer::to(streams)),
            parts: Parts::default(),
            probe: None,
            module: None,
        }
    }

    /// Has the first line say whose account this is, and the result's JSON too.
    /// What is told meanwhile is printed below it; whoever tells does not wait.
    pub fn introduce(&self, caller: impl Future<Output = Option<Caller>> + Send + 'static) {
        if self.audience.quiet && !self.audience.json {
            return;
        }
        self.printer.print(Job::First(First {
            line: self.introduction.begin(caller),
            is_shown: !self.audience.quiet,
        }));
    }

    pub fn tell(&self, event: &ReportEvent<'_>) {
        if self.audience.quiet && !matches!(event, ReportEvent::Warning(_)) {
            return;
        }
        if self.audience.logs {
            let line = log::line(event, self.module.as_deref());
            return line.into_iter().for_each(|line| {
                self.printer.print(Job::Show(Shown::as_it_is(line)));
            });
        }
        let typed = self.audience.typed_event(event);
        if let Some(shown) = self.shown(typed.as_ref().unwrap_or(event)) {
            self.printer.print(Job::Show(shown));
        }
    }

    /// Tells of what there is to warn of, if anything.
    pub fn warn(&self, warnings: impl IntoIterator<Item = String>) {
        for warning in warnings {
            self.tell(&ReportEvent::Warning(warning));
        }
    }

    /// What of it is printed now, if anything.
    fn shown(&self, event: &ReportEvent<'_>) -> Option<Shown> {
        let (ReportEvent::Answered(_) | ReportEvent::Probing { .. } | ReportEvent::Probed) = event
        else {
            let shown = Shown::of(event, self.style);
            return Some(match &self.module {
                Some(module) => shown.under(&self.style.dim(module).to_string()),
                None => shown,
            });
        };
        let mut line = self
            .probe
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match event {
            ReportEvent::Answered(answered) => {
                line.add(*answered);
                None
            }
            ReportEvent::Probing {
                sent,
                failed,
                share,
                stage,
            } => {
                let count = Count {
                    sent: *sent,
                    failed: *failed,
                    stage: *stage,
                };
                let text = line.due(Instant::now(), *share, count, self.style)?;
                Some(Shown::probing(text))
            }
            _ => Some(Shown::probed(line.end(columns(), self.style))),
        }
    }

    /// Prints the result on stdout: JSON or text, and nothing else ever there.
    /// Of one of several apps nothing: it is a part of theirs.
    pub fn result(&self, outcome: &impl CommandResult) {
        if self.module.is_some() {
            return;
        }
        if !self.audience.json {
            let text = outcome.human(&Style::of_stdout());
            return self.printer.print(Job::Result(self.audience.typed(text)));
        }
        let whole = self.parts.whole(serde_json::json!(outcome));
        self.outcome(whole);
    }

    /// The next result is a part of the command's, which for programs is one document.
    pub fn begin_part(&self) {
        self.parts.begin();
    }

    /// Nothing came after the part: it is the result.
    pub fn end_with_part(&self) {
        self.outcome(self.parts.left());
    }

    fn outcome(&self, value: Option<serde_json::Value>) {
        if let Some(value) = value {
            let value = self.audience.placed(value);
            self.printer
                .print(Job::Outcome(value, self.introduction.clone()));
        }
    }

    /// One JSON document on stdout, where no text says the same.
    pub fn document(&self, value: &serde_json::Value) {
        let json = self.audience.json(value.clone());
        self.printer.print(Job::Document(json));
    }

    /// The result so far, in place of the last one where stdout is a terminal.
    pub fn page(&self, outcome: &impl CommandResult) {
        let page = outcome.human(&Style::of_stdout());
        let page = Job::Page(self.audience.typed(page));
        self.printer.print_and_wait(page);
    }

    /// A line of data as it comes, such as a log line.
    pub fn data(&self, line: &str) {
        self.printer.print_and_wait(Job::Data(line.to_owned()));
    }

    /// A question, left open for the answer.
    pub fn ask(&self, question: &str) {
        let question = Job::Question(question.to_owned());
        self.printer.print_and_wait(question);
    }

    /// Prints an error beside a result that says the same to programs.
    pub fn complain(&self, error: &Error) {
        let text = self.audience.typed(text(error));
        self.printer.print(Job::Error(text));
    }

    /// Whether a line moves on the terminal, which nobody else may write to then.
    pub fn is_live(&self) -> bool {
        self.probe.is_some()
    }

    pub fn wants_json(&self) -> bool {
        self.audience.json
    }
}

/// Prints an error, the last thing that is said: on stderr for people, and on
/// stdout too for programs.
pub fn error(error: &Error, audience: Audience) {
    let reporter = Reporter::new(audience);
    reporter.complain(error);
    if audience.json {
        let hint = error.hint.clone().map(|hint| audience.typed(hint));
        let mut value = error.to_json();
        value["error"]["hint"] = hint.into();
        let json = audience.json(value);
        reporter.printer.print(Job::Document(json));
    }
}

/// Prints what the command line's reader says, help among it, and gives its exit
/// code: to people as it says it, to programs as one document.
pub fn usage(error: &clap::Error, plain: &clap::Error, audience: Audience) -> u8 {
    let text = plain.render().ansi().to_string();
    let reporter = Reporter::new(audience);
    if error.use_stderr() {
        let rest = text.strip_prefix("error:");
        let label = |rest| format!("{}{rest}", Style::of_stderr().bad("error:"));
        reporter.ask(&rest.map_or_else(|| text.clone(), label));
        if audience.json {
            let error = mistake(plain.kind(), &text);
            reporter
                .printer
                .print(Job::Document(json(&error.to_json())));
        }
    } else if audience.json {
        let document = serde_json::json!({ "operation": "help", "text": text.trim_end() });
        reporter.printer.print(Job::Document(json(&document)));
    } else if harmless::text(&text) == text {
        // A closed pipe is the reader's choice.
        let _ = error.print();
    } else {
        reporter.ask(&text);
    }
    u8::try_from(error.exit_code()).unwrap_or(Exit::Usage.code())
}

/// What is wrong with a command line: the first paragraph. What follows it says
/// what to type.
fn mistake(kind: ErrorKind, text: &str) -> Error {
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::usage("no command was given").hint("`bgecs --help` lists them");
    }
    let text = text.strip_prefix("error: ").unwrap_or(text).trim();
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut error = Error::usage(one_line(message));
    for paragraph in rest.split("\n\n").map(one_line) {
        error = error.hint_too(&paragraph);
    }
    error
}

/// How wide the terminal is.
fn columns() -> u16 {
    Term::stderr().size().1
}

fn text(error: &Error) -> String {
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
    out
}

fn json(value: &serde_json::Value) -> String {
    harmless::json(&format!("{value:#}"))
}
