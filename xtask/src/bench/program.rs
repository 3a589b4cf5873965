//! Other programs, run to their end and measured.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use crate::bgecs::root;
use crate::{Result, peers};

/// A command line with its environment.
#[derive(Debug, Clone)]
pub struct Line {
    words: Vec<String>,
    env: Vec<(String, String)>,
    /// The exit code that is no failure, beside 0.
    code: i32,
}

/// How a program ended, and when it said what.
#[derive(Debug)]
pub struct Ran {
    pub wall: Duration,
    pub stdout: String,
    /// Each line of its progress, with the time since its start.
    pub stderr: Vec<(Duration, String)>,
}

/// What a program took of the machine.
#[derive(Debug)]
pub struct Used {
    pub ran: Ran,
    /// Of user and system together.
    pub cpu: Duration,
    pub peak_kib: f64,
}

impl Line {
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            code: 0,
        }
    }

    /// With another exit code that is no failure.
    #[must_use]
    pub fn or_code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// With more words behind.
    #[must_use]
    pub fn with(mut self, words: &[&str]) -> Self {
        self.words
            .extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    #[must_use]
    pub fn envs(mut self, env: &[(String, String)]) -> Self {
        self.env.extend_from_slice(env);
        self
    }

    /// The same as the argument of another program, such as `taskset -c 1`.
    #[must_use]
    pub fn under(&self, wrapper: &[&str]) -> Self {
        let wrapper = wrapper.iter().map(|word| (*word).to_owned());
        Self {
            words: wrapper.chain(self.words.iter().cloned()).collect(),
            env: self.env.clone(),
            code: self.code,
        }
    }

    fn shown(&self) -> String {
        self.words.join(" ")
    }

    /// From the workspace's root, without a terminal.
    pub fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        for name in localstack::ENV_TO_REMOVE {
            command.env_remove(name);
        }
        command
            .args(words)
            .envs(self.env.iter().cloned())
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// A program that cannot be started, or that fails.
    pub async fn run(&self) -> Result<Ran> {
        let started = Instant::now();
        let child = self.command().spawn();
        let mut child = child.map_err(|error| format!("{}: {error}", self.shown()))?;
        let mut stdout = child.stdout.take().ok_or("it has no stdout")?;
        let stderr = child.stderr.take().ok_or("it has no stderr")?;
        let mut said = String::new();
        let (status, read, stderr) = tokio::join!(
            async {
                let status = child.wait().await;
                status.map(|status| (status, started.elapsed()))
            },
            stdout.read_to_string(&mut said),
            lines(stderr, started)
        );
        let ((status, wall), stderr) = (status?, stderr?);
        read?;
        if status
            .code()
            .is_some_and(|code| code == 0 || code == self.code)
        {
            return Ok(Ran {
                wall,
                stdout: said,
                stderr,
            });
        }
        let lines: Vec<String> = stderr.into_iter().map(|(_, line)| line).collect();
        let lines = lines.join("\n");
        Err(format!("{}: {status}\n{said}\n{lines}", self.shown()).into())
    }

    /// Runs it under GNU time, which knows what the kernel counted of it.
    ///
    /// # Errors
    /// As [`Self::run`], and without that program.
    pub async fn watched(&self) -> Result<Used> {
        let time = peers::time().await?.display().to_string();
        let figures = tempfile::NamedTempFile::new()?;
        let path = figures.path().display().to_string();
        let ran = self
            .under(&[&time, "-q", "-f", "%U %S %M", "-o", &path, "--"])
            .run()
            .await?;
        let text = std::fs::read_to_string(figures.path())?;
        let (cpu, peak_kib) = usage(&text).ok_or_else(|| format!("time says `{text}`"))?;
        Ok(Used { ran, cpu, peak_kib })
    }
}

async fn lines(
    stream: impl tokio::io::AsyncRead + Unpin,
    started: Instant,
) -> Result<Vec<(Duration, String)>> {
    let mut reader = BufReader::new(stream);
    let mut all = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        all.push((started.elapsed(), text));
        line.clear();
    }
    Ok(all)
}

/// Seconds of user and system, and KiB, as `time` was asked to write them.
fn usage(text: &str) -> Option<(Duration, f64)> {
    let mut figures = text
        .split_whitespace()
        .map(|word| word.parse::<f64>().ok().filter(|figure| *figure >= 0.0));
    let (user, system, peak) = (figures.next()??, figures.next()??, figures.next()??);
    Some((Duration::try_from_secs_f64(user + system).ok()?, peak))
}

impl Ran {
    pub fn milliseconds(&self) -> f64 {
        milliseconds(self.wall)
    }

    /// When it said so for the first time.
    pub fn said(&self, part: &str) -> Result<Duration> {
        let line = self.stderr.iter().find(|(_, line)| line.contains(part));
        let (at, _) = line.ok_or_else(|| format!("it does not say `{part}`"))?;
        Ok(*at)
    }

    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.stdout)
            .map_err(|error| format!("no JSON: {error}\n{}", self.stdout).into())
    }
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_heard_on_both_of_its_streams() {
        let line = Line::new(["sh", "-c", "echo out; echo \"$WORD\" >&2"]);
        let env = [("WORD".to_owned(), "done: it".to_owned())];
        let ran = line.envs(&env).run().await.unwrap();
        assert_eq!(ran.stdout, "out\n");
        assert!(ran.said("done").unwrap() <= ran.wall + Duration::from_secs(60));
        assert!(ran.said("never").is_err());
    }

    #[tokio::test]
    async fn a_failing_program_is_told_with_what_it_said() {
        let line = Line::new(["-c", "echo no >&2; exit 3"]).under(&["sh"]);
        assert!(line.clone().or_code(3).run().await.is_ok());
        let line = line.or_code(4);
        let error = line.run().await.unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("\nno"), "{error}");
    }

    #[test]
    fn the_usage_is_read() {
        let (cpu, peak) = usage("0.25 0.5 20480\n").unwrap();
        assert_eq!((cpu, peak), (Duration::from_millis(750), 20_480.0));
        assert_eq!(usage("0.25 0.5"), None);
        assert_eq!(usage("0.25 -1 7"), None);
    }
}
