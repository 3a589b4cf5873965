//! What others send is never a command to the terminal. An app's answer, a
//! reason of AWS's, a build's message or a file's name can hold anything; of what
//! is printed only bgecs's own colours act, and everything that a terminal would
//! obey or that hides itself is shown as what it is: `\u{1b}`.
//!
//! Every text passes here on its way out, at the one place that writes. Own
//! colours are told from foreign ones by a mark that nobody else can know.

use std::sync::LazyLock;

/// What a colour is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Warn,
    Dim,
    Strong,
    Blue,
    Green,
}

/// Each with the letter that stands for it behind a mark, and what the terminal
/// is told.
const INKS: [(Tone, char, &str); 7] = [
    (Tone::Good, 'g', "\u{1b}[32m"),
    (Tone::Bad, 'b', "\u{1b}[1;31m"),
    (Tone::Warn, 'w', "\u{1b}[33m"),
    (Tone::Dim, 'd', "\u{1b}[2m"),
    (Tone::Strong, 's', "\u{1b}[1m"),
    (Tone::Blue, 'B', "\u{1b}[1;34m"),
    (Tone::Green, 'G', "\u{1b}[1;32m"),
];
const END: char = '.';
const RESET: &str = "\u{1b}[0m";
const TAB: &str = "    ";

/// Another one in each process.
static MARK: LazyLock<String> = LazyLock::new(|| format!("\u{fdd0}{:032x}", fastrand::u128(..)));

/// In that colour, once it is written.
pub fn painted(ink: Tone, text: &str) -> String {
    let letter = INKS
        .iter()
        .find(|(other, ..)| *other == ink)
        .map_or(END, |(_, letter, _)| *letter);
    let mark = MARK.as_str();
    format!("{mark}{letter}{text}{mark}{END}")
}

/// For people: own colours act, lines end, and nothing else does anything.
pub fn text(text: &str) -> String {
    let mut parts = text.split(MARK.as_str());
    let mut out = String::with_capacity(text.len());
    show(parts.next().unwrap_or_default(), &mut out);
    for part in parts {
        let mut rest = part.chars();
        let letter = rest.next();
        let ink = INKS.iter().find(|(_, other, _)| Some(*other) == letter);
        out += ink.map_or(RESET, |(.., sgr)| sgr);
        show(rest.as_str(), &mut out);
    }
    out
}

/// For people who look at what an app writes: its colours act too, up to the
/// line's end.
pub fn with_colors(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_colored = false;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, command) = rest.split_at(at);
        show(before, &mut out);
        let length = color_length(command);
        is_colored |= length.is_some();
        let (command, after) = command.split_at(length.unwrap_or(1));
        match length {
            Some(_) => out += command,
            None => show(command, &mut out),
        }
        rest = after;
    }
    show(rest, &mut out);
    if is_colored {
        out += RESET;
    }
    out
}

/// How long the colour is with which the text begins, if it does: `ESC [`,
/// numbers, `m`. With a sign among them it is another command.
fn color_length(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
    numbers.get(end..)?.starts_with('m').then_some(end + 3)
}

/// For programs: the JSON says the same, in characters that do nothing.
pub fn json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_hidden(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out += &format!("\\u{unit:04x}");
        }
    }
    out
}

fn show(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            '\t' => *out += TAB,
            c if is_hidden(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
}

/// What is not seen: a terminal's commands, what turns the direction of writing
/// around, what takes no room.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
