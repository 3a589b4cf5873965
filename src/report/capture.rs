//! A reporter for tests that keeps the bytes it wrote; and hostile text that others could
//! send.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};

use super::printer::Streams;
use super::terminal::Screen;
use super::{Audience, Reporter, Style};

/// A title, a colour, a cleared screen, a turned direction, a forged line.
pub const HOSTILE: &str =
    "a\u{1b}]0;owned\u{7}\u{1b}[31mb\u{9b}2J\u{202e}c\u{2066}\u{200f}\u{feff}\u{7f}\rd";
pub const SHOWN: &str =
    r"a\u{1b}]0;owned\u{7}\u{1b}[31mb\u{9b}2J\u{202e}c\u{2066}\u{200f}\u{feff}\u{7f}\rd";

#[derive(Debug, Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal that notes what it is told, its own moves left out.
impl TermLike for Sink {
    fn width(&self) -> u16 {
        500
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(&format!("{text}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.clone().write_all(text.as_bytes())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Pipe,
    Terminal,
}

pub struct Captured {
    pub out: Sink,
    pub err: Sink,
}

pub fn reporter(to: To, json: bool, style: Style) -> (Reporter, Captured) {
    reporter_of(to, json, style, None)
}

/// On a terminal of that many columns, if any.
pub fn reporter_of(to: To, json: bool, style: Style, wide: Option<u16>) -> (Reporter, Captured) {
    let (out, err) = (Sink::default(), Sink::default());
    let seen = Captured {
        out: out.clone(),
        err: err.clone(),
    };
    let streams = move || {
        let target = match to {
            To::Pipe => ProgressDrawTarget::hidden(),
            To::Terminal => ProgressDrawTarget::term_like_with_hz(Box::new(err.clone()), 255),
        };
        let screen = Screen::of(err, MultiProgress::with_draw_target(target));
        let streams = Streams::of(out, to == To::Terminal, screen);
        match wide {
            Some(columns) => streams.wide(columns),
            None => streams,
        }
    };
    let audience = Audience {
        json,
        ..Audience::default()
    };
    (Reporter::into(audience, style, streams), seen)
}

/// Nothing but lines, and colours where they are bgecs's own.
pub fn assert_harmless(text: &str, own: &[&str]) {
    let mut rest = text.to_owned();
    for color in own {
        rest = rest.replace(color, "");
    }
    for c in rest.chars().filter(|c| *c != '\n') {
        let is_bad = c.is_control() || "\u{202e}\u{2066}\u{200f}\u{feff}".contains(c);
        assert!(!is_bad, "{c:?} in {rest:?}");
    }
}
