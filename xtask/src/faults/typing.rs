//! Lines as somebody types them, each with all that it needs: run, killed at a write, and
//! typed again.

use std::time::Duration;

use localstack::gate::crash::kill_at;
use tokio::time::timeout;

use super::cell::Point;
use super::world::World;
use crate::Result;
use crate::bgecs::Ended;

/// Nothing that bgecs does here takes so long.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a line is typed until it has to have succeeded.
const TRIES: usize = 5;

impl World<'_> {
    pub async fn type_line(&self, line: &[String]) -> Result<Ended> {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let ended = timeout(PATIENCE, self.bgecs.run_quietly(&words)).await;
        ended.map_err(|_| format!("bgecs {} took longer than {PATIENCE:?}", words.join(" ")))?
    }

    /// One that has to succeed at once.
    pub async fn type_done(&self, line: &[String]) -> Result<Ended> {
        let ended = self.type_line(line).await?.expect_code(0);
        ended.map_err(|error| format!("bgecs {}: {error}", line.join(" ")).into())
    }

    /// The exit codes of one that is typed until it succeeds.
    pub async fn type_until_done(&self, line: &[String]) -> Result<Vec<i32>> {
        let mut codes = Vec::new();
        loop {
            let ended = self.type_line(line).await?;
            codes.push(ended.code);
            if ended.code == 0 {
                return Ok(codes);
            }
            if codes.len() == TRIES {
                let (line, said) = (line.join(" "), ended.stderr);
                return Err(format!("`{line}` ends with {codes:?}:\n{said}").into());
            }
        }
    }

    /// One that comes to its write within that time, and no further.
    pub async fn type_and_kill(
        &self,
        line: &[String],
        point: Point<'_>,
        within: Duration,
    ) -> Result<()> {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let client = self.bgecs.command(&words);
        let killed = timeout(within, kill_at(self.gate, client, point.write, point.side)).await;
        let killed = killed.map_err(|_| format!("it is not at that write after {within:?}"))?;
        killed.map_err(|error| format!("it was not killed there: {error}"))?;
        Ok(())
    }
}
