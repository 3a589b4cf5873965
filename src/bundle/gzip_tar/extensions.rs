//! Fields that do not fit into a tar's header, and are in other headers before it: PAX
//! records (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>) and
//! GNU's long names. Each field may be given only once.

use tar::EntryType;

use super::super::error::EntryMistake;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    /// The target of a link.
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    has_records: bool,
}

impl Extensions {
    pub(super) fn is_one(kind: EntryType) -> bool {
        matches!(
            kind,
            EntryType::XHeader | EntryType::GNULongName | EntryType::GNULongLink
        )
    }

    /// Reads a header of that kind.
    pub(super) fn read(&mut self, kind: EntryType, text: &[u8]) -> Result<(), EntryMistake> {
        match kind {
            EntryType::GNULongName => once(&mut self.path, without_nul(text).to_owned()),
            EntryType::GNULongLink => once(&mut self.link, without_nul(text).to_owned()),
            _ if std::mem::replace(&mut self.has_records, true) => Err(EntryMistake::SaidTwice),
            _ => self.records(text),
        }
    }

    pub(super) fn says_nothing(&self) -> bool {
        self.path.is_none() && self.link.is_none() && self.size.is_none()
    }

    /// For a message, as far as it is known.
    pub(super) fn path(&self) -> &[u8] {
        self.path.as_deref().unwrap_or_default()
    }

    fn records(&mut self, mut text: &[u8]) -> Result<(), EntryMistake> {
        while !text.is_empty() {
            let (key, value, rest) = record(text).ok_or(EntryMistake::Header)?;
            match key {
                b"path" => once(&mut self.path, value.to_owned())?,
                b"linkpath" => once(&mut self.link, value.to_owned())?,
                b"size" => once(&mut self.size, number(value).ok_or(EntryMistake::Header)?)?,
                key if key.starts_with(b"GNU.sparse.") => return Err(EntryMistake::Sparse),
                // Times, owners and attributes are ignored.
                _ => {}
            }
            text = rest;
        }
        Ok(())
    }
}

/// `LENGTH KEY=VALUE` and a newline; the length counts all of it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&text[..space])?).ok()?;
    let (record, rest) = text.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], rest))
}

fn number(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_plain)?;
    text.parse().ok()
}

fn without_nul(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\0").unwrap_or(text)
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), EntryMistake> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(EntryMistake::SaidTwice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Extensions, EntryMistake> {
        let mut all = Extensions::default();
        all.read(EntryType::XHeader, text.as_bytes()).map(|()| all)
    }

    #[test]
    fn records_are_as_long_as_they_say() {
        let read = records("8 path=\n17 linkpath=abc/\n21 comment=path=../x\n10 size=7\n");
        // The value may contain anything, even a newline.
        let with_line = records("23 comment=a\n9 path=x\n\n").unwrap();
        let read = read.unwrap();
        assert_eq!(read.path.as_deref(), Some(&b""[..]));
        assert_eq!(read.link.as_deref(), Some(&b"abc/"[..]));
        assert_eq!(read.size, Some(7));
        assert!(with_line.says_nothing(), "{with_line:?}");
        for text in [
            "9 path=x",
            "8 path=x\n",
            "11 path=x\n",
            "path=x\n",
            " path=x\n",
            "0 path=x\n",
            "1 path=x\n",
            "+9 path=x\n",
            "7 path\n",
            "\n9 path=x\n",
            "99999999999999999999 path=x\n",
            "11 size=-7\n",
            "10 size=x\n",
        ] {
            assert_eq!(records(text), Err(EntryMistake::Header), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_said_twice() {
        assert_eq!(
            records("9 path=x\n9 path=x\n"),
            Err(EntryMistake::SaidTwice)
        );
        let mut both = Extensions::default();
        both.read(EntryType::GNULongName, b"a\0").unwrap();
        assert_eq!(both.path(), b"a");
        let again = both.read(EntryType::XHeader, b"9 path=x\n");
        assert_eq!(again, Err(EntryMistake::SaidTwice));
        let mut twice = Extensions::default();
        twice.read(EntryType::XHeader, b"").unwrap();
        let again = twice.read(EntryType::XHeader, b"");
        assert_eq!(again, Err(EntryMistake::SaidTwice));
    }

    #[test]
    fn sparse_files_are_told_by_their_records() {
        let text = "22 GNU.sparse.major=1\n";
        assert_eq!(records(text), Err(EntryMistake::Sparse));
    }
}
