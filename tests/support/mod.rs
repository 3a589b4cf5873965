//! What the tests of the binary share: a folder of its own for each, and bgecs
//! run there as a person would, in an environment that is all the test's.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What a process needs to run at all. Everything else, and above all what
/// would lead to somebody's AWS account, is set by the test or is not there.
const INHERITED: [&str; 2] = ["PATH", "DOCKER_HOST"];

/// A folder with a `bgecs.toml`, and a shell that stands in it.
#[derive(Debug)]
pub struct Desk {
    folder: TempDir,
    env: Vec<(String, String)>,
}

impl Desk {
    /// Nothing is there: no configuration, no region, no credentials.
    pub fn empty() -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("bgecs-desk-").tempdir()?;
        let home = folder.path().join("home");
        fs::create_dir(&home)?;
        let mut env = vec![
            ("HOME".to_owned(), home.display().to_string()),
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
            // Help is wrapped at the terminal's width.
            ("COLUMNS".to_owned(), "100".to_owned()),
        ];
        for name in INHERITED {
            env.extend(
                std::env::var(name)
                    .ok()
                    .map(|value| (name.to_owned(), value)),
            );
        }
        Ok(Self { folder, env })
    }

    /// One variable more, or another value of one.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, text: &str) -> Outcome<PathBuf> {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text)?;
        Ok(path)
    }

    /// The command, for who wants more of it than its end.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bgecs"));
        command
            .args(arguments)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn bgecs(&self, arguments: &[&str]) -> Outcome<Ended> {
        let output = self.command(arguments).output()?;
        Ok(self.ended(arguments, &output))
    }

    pub fn ended(&self, arguments: &[&str], output: &Output) -> Ended {
        let folder = self.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "[FOLDER]");
        Ended {
            command: format!("bgecs {}", arguments.join(" ")).replace(&folder, "[FOLDER]"),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// How a command ended, and what a person saw of it.
#[derive(Debug)]
pub struct Ended {
    pub command: String,
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// All of it, for a snapshot: the two streams apart.
    pub fn shown(&self) -> String {
        let part = |name: &str, text: &str| {
            let text = if text.is_empty() { "(empty)\n" } else { text };
            format!("----- {name} -----\n{text}")
        };
        format!(
            "$ {}\nexit code {}\n{}{}",
            self.command,
            self.code.map_or("none".to_owned(), |code| code.to_string()),
            part("stdout", &self.stdout),
            part("stderr", &self.stderr)
        )
    }

    pub fn json(&self) -> Outcome<serde_json::Value> {
        serde_json::from_str(&self.stdout).map_err(|error| {
            format!("stdout is not one JSON document: {error}\n{}", self.shown()).into()
        })
    }
}
