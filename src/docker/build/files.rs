//! Finds a build's context and Dockerfile, and checks that they exist. Looks at names and
//! metadata, and reads a Dockerfile only to check that it can be one.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::super::error::{DockerError, without_login};

/// Larger than any Dockerfile, in bytes.
const MOST: u64 = 1024 * 1024;

/// What `COPY` copies from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildContext {
    Folder(PathBuf),
    /// A tar on stdin, maybe compressed, with the Dockerfile in it.
    Stdin,
}

impl BuildContext {
    /// From the command line: `-`, or a folder, relative to `base`.
    ///
    /// # Errors
    /// `Remote` for an address, of which Docker knows several kinds.
    pub fn typed(text: &Path, base: &Path) -> Result<Self, DockerError> {
        if text == Path::new("-") {
            return Ok(Self::Stdin);
        }
        let folder = base.join(text);
        match text.to_str() {
            Some(address) if is_remote(address) && !folder.exists() => {
                Err(DockerError::Remote(without_login(address)))
            }
            _ => Ok(Self::Folder(folder)),
        }
    }

    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Stdin => None,
        }
    }
}

impl Default for BuildContext {
    fn default() -> Self {
        Self::Folder(PathBuf::new())
    }
}

impl fmt::Display for BuildContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Stdin => f.write_str("the tar on stdin"),
        }
    }
}

/// `https://…`, `git@host:path`, `github.com/…`, as Docker accepts them.
fn is_remote(text: &str) -> bool {
    let is_scp = text.split_once(':').is_some_and(|(before, _)| {
        before.contains('@') && !before.contains('/') && !text.contains("://")
    });
    text.contains("://") || is_scp || text.starts_with("github.com/")
}

/// Where a build finds its files, resolved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files {
    /// `None` if it comes over stdin.
    pub(super) context: Option<PathBuf>,
    pub(super) dockerfile: Dockerfile,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dockerfile {
    /// The folder, and the name there.
    At(PathBuf, String),
    /// A pipe, which can be read only once.
    Piped(PathBuf),
    /// Its name within the context.
    Within(String),
}

impl Files {
    pub(super) fn find(
        context: &BuildContext,
        dockerfile: Option<&Path>,
    ) -> Result<Self, DockerError> {
        let is_stdin = dockerfile == Some(Path::new("-"));
        let BuildContext::Folder(given) = context else {
            let name = dockerfile.unwrap_or(Path::new("Dockerfile"));
            return match name.to_str() {
                _ if is_stdin => Err(wrong(name, "stdin has the context already")),
                Some(name) => Ok(Self {
                    context: None,
                    dockerfile: Dockerfile::Within(name.to_owned()),
                }),
                None => Err(wrong(name, "its name is not UTF-8")),
            };
        };
        Ok(Self {
            context: Some(folder(given)?),
            dockerfile: match dockerfile {
                _ if is_stdin => Dockerfile::Piped("/dev/stdin".into()),
                Some(path) => locate(path)?,
                None => locate(&usual(given))?,
            },
        })
    }
}

fn folder(given: &Path) -> Result<PathBuf, DockerError> {
    match fs::canonicalize(given) {
        Ok(context) if context.is_dir() => Ok(context),
        Ok(_) => Err(DockerError::ContextIsNoFolder(given.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(DockerError::NoContext(given.to_owned()))
        }
        Err(source) => Err(DockerError::Unreadable {
            path: given.to_owned(),
            source,
        }),
    }
}

fn usual(context: &Path) -> PathBuf {
    let usual = context.join("Dockerfile");
    let lower = context.join("dockerfile");
    if !usual.exists() && lower.exists() {
        lower
    } else {
        usual
    }
}

/// The folder and name under which BuildKit finds the Dockerfile (and, beside it, its own
/// `.dockerignore`). BuildKit cannot follow a link out of the folder, so links are
/// resolved here.
fn locate(dockerfile: &Path) -> Result<Dockerfile, DockerError> {
    let missing = || DockerError::NoDockerfile(dockerfile.to_owned());
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => missing(),
        _ => wrong(dockerfile, error.to_string()),
    };
    let found = fs::metadata(dockerfile).map_err(unreadable)?;
    if found.is_dir() {
        return Err(wrong(dockerfile, "it is a folder"));
    }
    if !found.is_file() {
        return Ok(Dockerfile::Piped(dockerfile.to_owned()));
    }
    let real = fs::canonicalize(dockerfile).map_err(unreadable)?;
    let mut text = Vec::new();
    let file = File::open(&real).map_err(unreadable)?;
    file.take(MOST).read_to_end(&mut text).map_err(unreadable)?;
    check(dockerfile, &text)?;
    let parent = match dockerfile.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(missing()),
    };
    let folder = fs::canonicalize(parent).map_err(unreadable)?;
    let given = dockerfile.file_name();
    let (folder, name) = match (given, real.parent(), real.file_name()) {
        (Some(name), _, _) if real.starts_with(&folder) => (folder, name),
        (_, Some(parent), Some(name)) => (parent.to_owned(), name),
        _ => return Err(missing()),
    };
    match name.to_str() {
        Some(name) => Ok(Dockerfile::At(folder, name.to_owned())),
        None => Err(wrong(&real, "its name is not UTF-8")),
    }
}

/// Checks that the text may be a Dockerfile. If it is not UTF-8, BuildKit's own message
/// shows question marks, or the build breaks off in the middle.
fn check(path: &Path, text: &[u8]) -> Result<(), DockerError> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || text.contains(&0) {
        return Err(wrong(
            path,
            "it is not UTF-8 (UTF-16, as PowerShell's `>` writes it?)",
        ));
    }
    let mut lines = text.split(|byte| *byte == b'\n').enumerate();
    // BuildKit ignores comments.
    let is_bad =
        |line: &[u8]| !line.trim_ascii_start().starts_with(b"#") && str::from_utf8(line).is_err();
    match lines.find(|(_, line)| is_bad(line)) {
        Some((above, _)) => Err(wrong(path, format!("line {} is not UTF-8", above + 1))),
        None => Ok(()),
    }
}

/// Reads a Dockerfile from a pipe. Waits for the writer.
pub(super) fn read_pipe(path: &Path) -> Result<Vec<u8>, DockerError> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut text));
    read.map_err(|error| wrong(path, error.to_string()))?;
    check(path, &text)?;
    Ok(text)
}

fn wrong(path: &Path, why: impl Into<String>) -> DockerError {
    DockerError::Dockerfile {
        path: path.to_owned(),
        why: why.into(),
    }
}
