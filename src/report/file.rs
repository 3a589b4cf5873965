//! The file that `--report` names: a page, an image or data, by its ending.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;
use tempfile::NamedTempFile;

use super::{ReportEvent, Reporter, drawing, harmless, page};
use crate::engine::evidence::{Evidence, SetEvidence, SetMove};
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Html,
    Json,
    Svg,
}

/// A path, and the format that its ending says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    path: PathBuf,
    format: Format,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = PathBuf::from(text);
        let ending = path.extension().map(OsStr::to_ascii_lowercase);
        let format = match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("html" | "htm") => Format::Html,
            Some("json") => Format::Json,
            Some("svg") => Format::Svg,
            _ => return Err("a report ends in .html, .json or .svg".to_owned()),
        };
        Ok(Self { path, format })
    }
}

impl ReportFile {
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn render(&self, reported: Reported<'_>) -> String {
        match self.format {
            Format::Html => harmless::text(&reported.html()),
            Format::Json => reported.json(),
            Format::Svg => harmless::text(&reported.svg()),
        }
    }

    /// Whether a file can be made there: a mistyped folder is told ahead of the
    /// release, not after it.
    ///
    /// # Errors
    /// None can (exit 2).
    pub fn check(&self) -> Result<()> {
        let path = self.path.display();
        let made = self.beside().map(drop);
        made.map_err(|error| {
            Error::usage(format!("no report can be written to {path}")).because(&error)
        })
    }

    /// Writes it, and says so. One that cannot be written changes nothing of what
    /// happened: it is a warning.
    pub fn leave(&self, reporter: &Reporter, reported: Reported<'_>) {
        let path = self.path.display();
        reporter.tell(&match self.write(reported) {
            Ok(()) => ReportEvent::Note(format!("report: {path}")),
            Err(error) => ReportEvent::Warning(format!("no report was written to {path}: {error}")),
        });
    }

    /// Whole or not at all: an older one is as it was, if it cannot be written.
    fn write(&self, reported: Reported<'_>) -> io::Result<()> {
        let mut file = self.beside()?;
        file.write_all(self.render(reported).as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    /// A file that is gone again unless it takes its place.
    fn beside(&self) -> io::Result<NamedTempFile> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut beside = tempfile::Builder::new();
        beside.prefix(".bgecs-report-");
        // As wide as the umask lets it be: it is made to be shown.
        #[cfg(unix)]
        beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        beside.tempfile_in(folder)
    }
}

/// What a report is of.
#[derive(Debug, Clone, Copy)]
pub enum Reported<'a> {
    One(&'a Evidence),
    Set(&'a SetEvidence),
}

impl Reported<'_> {
    fn html(self) -> String {
        match self {
            Self::One(evidence) => page::html(evidence),
            Self::Set(set) => page::set_html(set),
        }
    }

    fn svg(self) -> String {
        match self {
            Self::One(evidence) => drawing::sheet(evidence),
            Self::Set(set) => drawing::set_sheet(set),
        }
    }

    /// One line: a long probe has many answers.
    fn json(self) -> String {
        let value = match self {
            Self::One(evidence) => serde_json::json!(evidence),
            Self::Set(set) => serde_json::json!(SetDocument {
                set,
                moves: set.moves()
            }),
        };
        let mut text = harmless::json(&value.to_string());
        text.push('\n');
        text
    }
}

/// With what programs would have to put together themselves.
#[derive(Serialize)]
struct SetDocument<'a> {
    #[serde(flatten)]
    set: &'a SetEvidence,
    moves: Vec<SetMove<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{promotion, shop};

    fn file(path: &Path) -> ReportFile {
        path.to_str().unwrap().parse().unwrap()
    }

    #[test]
    fn the_ending_says_the_format() {
        let format = |text: &str| text.parse::<ReportFile>().map(|file| file.format);
        assert_eq!(format("a.html"), Ok(Format::Html));
        assert_eq!(format("a/b.HTM"), Ok(Format::Html));
        assert_eq!(format("a.b.json"), Ok(Format::Json));
        assert_eq!(format("a.svg"), Ok(Format::Svg));
        for other in ["a.pdf", "a", "", ".html", "html"] {
            let error = format(other).unwrap_err();
            assert_eq!(error, "a report ends in .html, .json or .svg", "{other}");
        }
    }

    #[test]
    fn each_format_is_what_its_name_says() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str| {
            let path = folder.path().join(name);
            file(&path).write(Reported::One(&promotion())).unwrap();
            std::fs::read_to_string(path).unwrap()
        };
        assert!(written("a.html").starts_with("<!DOCTYPE html>"));
        assert!(written("a.svg").starts_with("<svg "));
        let json: serde_json::Value = serde_json::from_str(&written("a.json")).unwrap();
        assert_eq!(json["operation"], "promote");
    }

    #[test]
    fn a_set_s_report_has_what_each_module_s_would_have() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str| {
            let path = folder.path().join(name);
            file(&path).write(Reported::Set(&shop())).unwrap();
            std::fs::read_to_string(path).unwrap()
        };
        assert!(written("a.html").starts_with("<!DOCTYPE html>"));
        assert!(written("a.svg").starts_with("<svg "));
        let text = written("a.json");
        let alone = serde_json::json!(promotion()).to_string();
        assert_eq!(text.matches(&alone).count(), 2);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["operation"], "release");
        let names = |of: &serde_json::Value, what: &str| {
            let all = of.as_array().unwrap().iter();
            all.map(|it| it[what].clone()).collect::<Vec<_>>()
        };
        let in_order = ["backend", "frontend", "search"];
        assert_eq!(names(&json["modules"], "name"), in_order);
        assert_eq!(json["modules"][1]["zero_ms"], 340.0);
        assert!(json["modules"][2].get("report").is_none());
        let moved = ["backend", "backend", "frontend", "frontend"];
        assert_eq!(names(&json["moves"], "module"), moved);
        assert_eq!(names(&json["moves"], "sent_ms"), [0.0, 61.0, 340.0, 401.0]);
        assert_eq!(names(&json["moves"], "number"), [1, 2, 3, 4]);
    }

    #[test]
    fn no_report_turns_a_text_around() {
        let folder = tempfile::tempdir().unwrap();
        let mut evidence = promotion();
        evidence.sentence = "a\u{202e}\u{1b}b".to_owned();
        for name in ["a.html", "a.json", "a.svg"] {
            let path = folder.path().join(name);
            file(&path).write(Reported::One(&evidence)).unwrap();
            let written = std::fs::read_to_string(path).unwrap();
            assert!(!written.contains(['\u{202e}', '\u{1b}']), "{name}");
            assert!(written.contains("202e"), "{name}");
        }
    }

    #[test]
    fn a_report_that_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        // A folder stands where the file should.
        let taken = folder.path().join("taken.svg");
        std::fs::create_dir(&taken).unwrap();
        file(&taken).write(Reported::One(&promotion())).unwrap_err();
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "the folder alone");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_ahead() {
        let folder = tempfile::tempdir().unwrap();
        file(&folder.path().join("a.html")).check().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("missing/a.html");
        let error = file(&missing).check().unwrap_err();
        assert_eq!(error.exit, crate::error::Exit::Usage);
        assert!(error.message.contains("missing/a.html"), "{error:?}");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_a_report_where_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("a.json"), folder.path().join("usual"));
        file(&ours).write(Reported::One(&promotion())).unwrap();
        std::fs::write(&usual, "").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
