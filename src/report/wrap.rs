//! Text on a terminal of a given width: lines end between words, and what goes on
//! below begins where the text above it does. Into a pipe nothing passes here.
//!
//! Digests are shortened first. What is too long even for a line of its own, such
//! as a host, loses its middle: a terminal would break it anywhere.

use console::{Term, measure_text_width, strip_ansi_codes};

/// Up to where a label may reach, such as `  way back    `.
const LABEL: usize = 26;
/// At least so much is left beside a label.
const BESIDE: usize = 24;
/// A terminal says 0 where it does not know.
const NARROWEST: usize = 20;
/// A command that is no longer is not broken.
const COMMAND: usize = 44;

/// How wide a stream is, looked up each time: windows are resized.
#[derive(Debug, Clone, Default)]
pub enum Columns {
    /// A pipe, a file.
    #[default]
    Endless,
    Of(Term),
    #[cfg(test)]
    Fixed(u16),
}

impl Columns {
    pub fn of(term: Term) -> Self {
        match term.is_term() {
            true => Self::Of(term),
            false => Self::Endless,
        }
    }

    pub fn now(&self) -> Option<u16> {
        match self {
            Self::Endless => None,
            Self::Of(term) => term.size_checked().map(|(_, columns)| columns),
            #[cfg(test)]
            Self::Fixed(columns) => Some(*columns),
        }
    }

    pub fn wrapped(&self, text: &str) -> String {
        self.now()
            .map_or_else(|| text.to_owned(), |columns| wrapped(text, columns))
    }
}

/// The whole text, as many lines as it takes.
pub fn wrapped(text: &str, columns: u16) -> String {
    let width = usize::from(columns);
    if width < NARROWEST {
        return text.to_owned();
    }
    let lines = text.split('\n').map(|line| match fits(line, width) {
        true => line.to_owned(),
        false => folded(line, width),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// As much of one line as there is room for, cut after a word.
pub fn cut(line: &str, columns: u16) -> String {
    let width = usize::from(columns);
    if width < NARROWEST || fits(line, width) {
        return line.to_owned();
    }
    let wrapped = folded(line, width.saturating_sub(2));
    let first = wrapped.lines().next().unwrap_or_default();
    format!("{first} …")
}

fn fits(line: &str, width: usize) -> bool {
    measure_text_width(line) <= width
}

fn folded(line: &str, width: usize) -> String {
    let line = with_short_digests(line);
    if fits(&line, width) {
        return line;
    }
    let hang = hanging(&strip_ansi_codes(&line), width);
    let mut out = String::new();
    let mut column = 0;
    for (spaces, word) in words(&line, width - hang) {
        let long = measure_text_width(&word);
        let left = width.saturating_sub(column + spaces);
        // A line of its own would not help it.
        let is_too_long = long > width - hang && left >= BESIDE;
        if column == 0 || long <= left || is_too_long {
            out.extend(std::iter::repeat_n(' ', spaces));
            column += spaces;
        } else {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hang));
            column = hang;
        }
        let room = width.saturating_sub(column);
        let word = if long <= room {
            word
        } else {
            shortened(&word, room)
        };
        column += measure_text_width(&word);
        out += &word;
    }
    out
}

/// A digest is known by its beginning.
fn with_short_digests(line: &str) -> String {
    const DIGEST: &str = "sha256:";
    let mut parts = line.split(DIGEST);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hex = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (digest, rest) = part.split_at(hex);
        out += DIGEST;
        match digest.get(..12) {
            Some(short) if hex > 13 => out.extend([short, "…"]),
            _ => out += digest,
        }
        out += rest;
    }
    out
}

/// Where the text of a line begins: behind its label, if two spaces end one, or
/// behind its mark.
fn hanging(plain: &str, width: usize) -> usize {
    let indent = plain.chars().take_while(|c| *c == ' ').count();
    let chars: Vec<char> = plain.chars().collect();
    let label = (indent + 1..chars.len().min(LABEL))
        .find(|at| chars[*at - 1] == ' ' && chars[*at] == ' ')
        .map(|gap| gap + chars[gap..].iter().take_while(|c| **c == ' ').count());
    let short = plain.find(": ").map(|at| at + 2).filter(|at| *at <= 16);
    match label {
        Some(at) if at + BESIDE <= width && at <= LABEL => at,
        // `  caused by: what it is`
        _ if indent > 0 && short.is_some_and(|at| at + BESIDE <= width) => short.unwrap_or(indent),
        _ if indent + 2 + BESIDE <= width => indent + 2,
        _ => 0,
    }
}

/// Each with the spaces ahead of it. What stands in backticks is to be typed, and
/// is one word while it is short.
fn words(line: &str, room: usize) -> Vec<(usize, String)> {
    let longest = room.min(COMMAND);
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut spaces = 0;
    for part in line.split(' ') {
        if part.is_empty() {
            spaces += 1;
            continue;
        }
        match words.last_mut() {
            Some((_, open))
                if spaces == 0
                    && open.matches('`').count() % 2 == 1
                    && measure_text_width(open) + measure_text_width(part) < longest =>
            {
                open.push(' ');
                open.push_str(part);
            }
            Some(_) => words.push((spaces + 1, part.to_owned())),
            None => words.push((spaces, part.to_owned())),
        }
        spaces = 0;
    }
    words
}

/// A word without its middle: a host or an ARN is known by both its ends. A
/// colour around it stays.
fn shortened(word: &str, room: usize) -> String {
    let plain = strip_ansi_codes(word);
    let Some(at) = word.find(&*plain).filter(|_| room >= 12) else {
        return word.to_owned();
    };
    let chars: Vec<char> = plain.chars().collect();
    let tail = room / 3;
    let head: String = chars.iter().take(room - tail - 1).collect();
    let tail: String = chars.iter().skip(chars.len() - tail).collect();
    let (before, after) = (&word[..at], &word[at + plain.len()..]);
    format!("{before}{head}…{tail}{after}")
}

#[cfg(test)]
mod tests;
