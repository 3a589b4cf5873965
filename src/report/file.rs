//! The file that `--report` names: a page, an image or data, by its ending.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::NamedTempFile;

use super::{drawing, harmless, page};
use crate::engine::evidence::Evidence;

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

    fn render(&self, evidence: &Evidence) -> String {
        match self.format {
            Format::Html => harmless::text(&page::html(evidence)),
            Format::Json => json(evidence),
            Format::Svg => harmless::text(&drawing::sheet(evidence)),
        }
    }

    /// Whether a file can be made there: a mistyped folder is told ahead of the
    /// release, not after it.
    ///
    /// # Errors
    /// If none can.
    pub fn check(&self) -> io::Result<()> {
        self.beside().map(drop)
    }

    /// Writes it whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written there; an older one is as it was.
    pub fn write(&self, evidence: &Evidence) -> io::Result<()> {
        let mut file = self.beside()?;
        file.write_all(self.render(evidence).as_bytes())?;
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

/// One line: a long probe has many answers.
fn json(evidence: &Evidence) -> String {
    let mut text = harmless::json(&serde_json::json!(evidence).to_string());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::promotion;

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
            file(&path).write(&promotion()).unwrap();
            std::fs::read_to_string(path).unwrap()
        };
        assert!(written("a.html").starts_with("<!DOCTYPE html>"));
        assert!(written("a.svg").starts_with("<svg "));
        let json: serde_json::Value = serde_json::from_str(&written("a.json")).unwrap();
        assert_eq!(json["operation"], "promote");
    }

    #[test]
    fn no_report_turns_a_text_around() {
        let folder = tempfile::tempdir().unwrap();
        let mut evidence = promotion();
        evidence.sentence = "a\u{202e}\u{1b}b".to_owned();
        for name in ["a.html", "a.json", "a.svg"] {
            let path = folder.path().join(name);
            file(&path).write(&evidence).unwrap();
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
        file(&taken).write(&promotion()).unwrap_err();
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "the folder alone");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_ahead() {
        let folder = tempfile::tempdir().unwrap();
        file(&folder.path().join("a.html")).check().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("missing/a.html");
        assert_eq!(
            file(&missing).check().unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_a_report_where_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("a.json"), folder.path().join("usual"));
        file(&ours).write(&promotion()).unwrap();
        std::fs::write(&usual, "").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
