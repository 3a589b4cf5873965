//! stderr: a moving line and bars on a terminal, plain lines in a pipe.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::ReportEvent;
use super::harmless;
use super::human::{ShownLine, is_final, line, step};
use super::style::Style;
use super::wrap::{self, Columns};
use crate::model::{Progress, StepState};

/// A moving line is drawn anew this often.
const FRAME: Duration = Duration::from_millis(100);
/// Beside a moving line: the spinner, and for how long it has moved.
const BESIDE: u16 = 10;

/// An event, as far as it is shown.
#[derive(Debug)]
pub(super) struct Shown {
    what: What,
    /// What was under way is done.
    ends: bool,
}

#[derive(Debug)]
enum What {
    Line(ShownLine),
    /// A step of a build. On a terminal its end stays, in a pipe its start.
    Step {
        id: String,
        state: StepState,
        line: ShownLine,
        /// As it stays.
        name: String,
    },
    /// A bar on a terminal, a line elsewhere.
    Layer {
        id: String,
        status: String,
        current: u64,
        total: u64,
        line: ShownLine,
    },
    /// The probe's line as it is now.
    Probing(String),
    /// The probe's line goes; what stays of it.
    Probed(Option<String>),
}

/// Whether stderr is a terminal that can move its cursor.
pub(super) fn is_live() -> bool {
    !MultiProgress::new().is_hidden()
}

impl Shown {
    pub(super) fn of(event: &ReportEvent<'_>, style: Style) -> Self {
        let what = match event {
            ReportEvent::Docker(Progress::Layer {
                id,
                status,
                current,
                total,
            }) => What::Layer {
                id: id.clone(),
                status: status.clone(),
                current: *current,
                total: *total,
                line: line(event, style),
            },
            ReportEvent::Docker(Progress::Step { id, name, state }) => What::Step {
                id: id.clone(),
                state: *state,
                line: line(event, style),
                name: step(name, style),
            },
            _ => What::Line(line(event, style)),
        };
        Self {
            what,
            ends: matches!(event, ReportEvent::Done(_)),
        }
    }

    /// The same with that ahead of it.
    pub(super) fn under(self, label: &str) -> Self {
        self.map(|text| format!("{label} {text}"), |as_it_is| as_it_is)
    }

    pub(super) fn as_it_is(text: String) -> Self {
        Self {
            what: What::Line(ShownLine::Stays(text)),
            ends: false,
        }
    }

    /// The probe's row of blocks, and its counts.
    pub(super) fn probing(line: String) -> Self {
        Self {
            what: What::Probing(line),
            ends: false,
        }
    }

    pub(super) fn probed(last_row: Option<String>) -> Self {
        Self {
            what: What::Probed(last_row),
            ends: false,
        }
    }

    /// What a terminal may get of it.
    pub(super) fn harmless(self) -> Self {
        let harmless = |text: String| harmless::text(&text);
        self.map(harmless, harmless)
    }

    /// With other lines and names; and with another status of a layer, or row of blocks.
    fn map(self, name: impl Fn(String) -> String, drawn: impl Fn(String) -> String) -> Self {
        let what = match self.what {
            What::Line(line) => What::Line(line.map(&name)),
            What::Layer {
                id,
                status,
                current,
                total,
                line,
            } => What::Layer {
                id: name(id),
                status: drawn(status),
                current,
                total,
                line: line.map(&name),
            },
            What::Step {
                id,
                state,
                line,
                name: called,
            } => What::Step {
                id: name(id),
                state,
                line: line.map(&name),
                name: name(called),
            },
            What::Probing(row) => What::Probing(drawn(row)),
            What::Probed(row) => What::Probed(row.map(drawn)),
        };
        Self { what, ..self }
    }

    /// Whether it says only how far things are: the next one says more.
    pub(super) fn is_passing(&self) -> bool {
        match &self.what {
            What::Line(line) | What::Step { line, .. } => !matches!(line, ShownLine::Stays(_)),
            What::Layer { status, .. } => !is_final(status),
            What::Probing(_) => true,
            What::Probed(_) => false,
        }
    }
}

pub struct Screen {
    err: Box<dyn Write + Send>,
    /// `None` where stderr is no terminal, or a dumb one.
    live: Option<Live>,
    columns: Columns,
    pipe: Pipe,
}

/// What a pipe has got so far.
#[derive(Debug, Default)]
struct Pipe {
    last: String,
    /// The steps that have been named.
    steps: HashSet<String>,
}

#[derive(Debug)]
struct Live {
    all: MultiProgress,
    moving: Mutex<Option<ProgressBar>>,
    layers: Mutex<HashMap<String, ProgressBar>>,
    probe: Mutex<Option<ProgressBar>>,
}

impl Screen {
    pub(super) fn of_stderr() -> Self {
        Self {
            columns: Columns::of(Term::stderr()),
            ..Self::of(io::stderr(), MultiProgress::new())
        }
    }

    pub(super) fn of(err: impl Write + Send + 'static, all: MultiProgress) -> Self {
        Self {
            err: Box::new(err),
            // On a terminal that cannot move its cursor it would show nothing.
            live: (!all.is_hidden()).then(|| Live {
                all,
                moving: Mutex::default(),
                layers: Mutex::default(),
                probe: Mutex::default(),
            }),
            columns: Columns::default(),
            pipe: Pipe::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn wide(mut self, columns: u16) -> Self {
        self.columns = Columns::Fixed(columns);
        self
    }

    pub(super) fn show(&mut self, shown: Shown) {
        match &self.live {
            Some(live) => live.show(shown, self.columns.now()),
            None => {
                if let Some(text) = self.pipe.text(shown.what) {
                    let _ = writeln!(self.err, "{}", self.columns.wrapped(&text));
                }
            }
        }
    }

    /// After what moves was cleared away.
    pub(super) fn say(&mut self, text: &str) {
        self.clear();
        let _ = self.err.write_all(self.columns.wrapped(text).as_bytes());
        let _ = self.err.flush();
    }

    pub(super) fn clear(&self) {
        if let Some(live) = &self.live {
            live.clear();
        }
    }
}

impl Pipe {
    /// In a pipe a moving line is written when it says something new, and the
    /// probe's running count not at all: the result has it.
    fn text(&mut self, what: What) -> Option<String> {
        let line = match what {
            What::Step {
                id,
                state: StepState::Started,
                name,
                ..
            } => return self.steps.insert(id).then_some(name),
            What::Step {
                id,
                state: StepState::Cached | StepState::Done,
                ..
            } if self.steps.contains(&id) => return None,
            What::Line(line) | What::Step { line, .. } | What::Layer { line, .. } => line,
            What::Probing(_) | What::Probed(_) => return None,
        };
        let (ShownLine::Stays(text) | ShownLine::Moves(text)) = line else {
            return None;
        };
        if self.last == text {
            return None;
        }
        self.last.clone_from(&text);
        Some(text)
    }
}

impl Live {
    fn show(&self, shown: Shown, columns: Option<u16>) {
        // Where the width is not known, it is whatever there is.
        let columns = columns.unwrap_or(u16::MAX);
        match shown.what {
            What::Layer {
                id,
                status,
                current,
                total,
                ..
            } => self.layer(&id, &status, (current, total), columns),
            What::Probing(line) => self.probing(line),
            What::Probed(last_row) => self.probed(last_row.as_deref(), columns),
            What::Line(line) | What::Step { line, .. } => match line {
                ShownLine::Stays(text) => self.print(&text, columns),
                ShownLine::Moves(text) => self.moves(&text, columns),
                ShownLine::Nothing => {}
            },
        }
        if shown.ends {
            self.clear();
        }
    }

    fn print(&self, text: &str, columns: u16) {
        // A terminal that went away is no reason to stop.
        let _ = self.all.println(wrap::wrapped(text, columns));
    }

    fn moves(&self, text: &str, columns: u16) {
        let mut moving = locked(&self.moving);
        let bar = moving.get_or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new_spinner());
            bar.set_style(styled("{spinner:.cyan} {wide_msg} {elapsed:.dim}"));
            bar.enable_steady_tick(FRAME);
            bar
        });
        bar.set_message(wrap::cut(text, columns.saturating_sub(BESIDE)));
    }

    fn layer(&self, id: &str, status: &str, (current, total): (u64, u64), columns: u16) {
        let mut layers = locked(&self.layers);
        if is_final(status) {
            if let Some(bar) = layers.remove(id) {
                bar.finish_and_clear();
            }
            return;
        }
        if total == 0 {
            return;
        }
        let bar = layers.entry(id.to_owned()).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(total));
            bar.set_style(styled(match columns < 80 {
                true => "  {prefix} {bar:10.cyan/dim} {bytes:>10} of {total_bytes}",
                false => "  {prefix} {bar:30.cyan/dim} {bytes:>10} of {total_bytes} {msg:.dim}",
            }));
            bar.set_prefix(id.to_owned());
            bar
        });
        bar.set_length(total);
        bar.set_position(current.min(total));
        bar.set_message(status.to_owned());
    }

    fn probing(&self, line: String) {
        let mut probe = locked(&self.probe);
        let bar = probe.get_or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new_spinner());
            bar.set_style(styled("  {wide_msg}"));
            bar
        });
        bar.set_message(line);
    }

    fn probed(&self, last_row: Option<&str>, columns: u16) {
        if let Some(bar) = locked(&self.probe).take() {
            bar.finish_and_clear();
        }
        if let Some(row) = last_row {
            self.print(row, columns);
        }
    }

    fn clear(&self) {
        for bar in [locked(&self.moving).take(), locked(&self.probe).take()]
            .into_iter()
            .flatten()
        {
            bar.finish_and_clear();
        }
        for (_, bar) in locked(&self.layers).drain() {
            bar.finish_and_clear();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A template with a mistake in it shows as indicatif's default bar.
fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BuildKit tells of a step when it starts and when it ends, of one that is
    /// cached only then.
    #[test]
    fn a_pipe_gets_each_step_once() {
        let step = |id: &str, name: &str, state| Progress::Step {
            id: id.to_owned(),
            name: name.to_owned(),
            state,
        };
        let log = |line: &str| Progress::Log {
            step: "b".to_owned(),
            line: line.to_owned(),
        };
        let events = [
            step("a", "[1/3] FROM base", StepState::Cached),
            step("b", "[2/3] RUN make", StepState::Started),
            step("c", "[other 2/2] RUN make", StepState::Started),
            log("compiling"),
            step("b", "[2/3] RUN make", StepState::Done),
            step("d", "[3/3] COPY . .", StepState::Started),
            step("c", "[other 2/2] RUN make", StepState::Failed),
            step("d", "[3/3] COPY . .", StepState::Cached),
        ];
        let mut pipe = Pipe::default();
        let shown = events
            .iter()
            .map(|progress| Shown::of(&ReportEvent::Docker(progress), Style::plain()).what)
            .filter_map(|what| pipe.text(what));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "    [1/3] FROM base (cached)",
                "    [2/3] RUN make",
                "    [other 2/2] RUN make",
                "      compiling",
                "    [3/3] COPY . .",
                "    [other 2/2] RUN make (failed)",
            ]
        );
    }
}
