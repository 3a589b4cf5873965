//! Reads a text file as editors and shells leave it: UTF-8, with or without the
//! mark that Windows puts first, or UTF-16, which PowerShell writes.

use std::fmt;

/// The bytes are no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    /// Of the first byte that is not, from 1.
    line: usize,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} is neither UTF-8 nor UTF-16: save the file as UTF-8",
            self.line
        )
    }
}

/// # Errors
/// Bytes that are neither, or half a character.
pub fn decode(bytes: &[u8]) -> Result<String, NotText> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest),
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        // Without a mark: what begins these files is in ASCII.
        [1..=255, 0, ..] => utf_16(bytes, u16::from_le_bytes),
        [0, 1..=255, ..] => utf_16(bytes, u16::from_be_bytes),
        _ => utf_8(bytes),
    }
}

fn utf_8(bytes: &[u8]) -> Result<String, NotText> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|error| NotText {
            line: 1 + count(&bytes[..error.valid_up_to()], b'\n'),
        })
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::with_capacity(pairs.len());
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => return Err(not_text(&text)),
        }
    }
    match rest {
        [] => Ok(text),
        _ => Err(not_text(&text)),
    }
}

fn not_text(before: &str) -> NotText {
    NotText {
        line: 1 + count(before.as_bytes(), b'\n'),
    }
}

fn count(bytes: &[u8], byte: u8) -> usize {
    bytes.iter().filter(|found| **found == byte).count()
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn with_a_mark_or_without() {
        let text = "{ \"ä\": \"🦀\" }\r\n";
        assert_eq!(decode(text.as_bytes()).as_deref(), Ok(text));
        for marked in ["\u{feff}", ""] {
            let marked = format!("{marked}{text}");
            for bytes in [
                marked.clone().into_bytes(),
                utf_16(&marked, u16::to_le_bytes),
                utf_16(&marked, u16::to_be_bytes),
            ] {
                assert_eq!(decode(&bytes).as_deref(), Ok(text));
            }
        }
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_text_is_said_with_its_line() {
        let line = |bytes: &[u8]| decode(bytes).unwrap_err().line;
        assert_eq!(line(b"{\n\n\xe4"), 3);
        let mut half = utf_16("\u{feff}{\n", u16::to_le_bytes);
        half.push(b'}');
        assert_eq!(line(&half), 2);
        // A lone half of a pair.
        let mut lone = utf_16("\u{feff}\n", u16::to_le_bytes);
        lone.extend([0x00, 0xd8]);
        assert_eq!(line(&lone), 2);
    }
}
