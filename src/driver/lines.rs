//! The output of a command, line by line.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Splits data that arrives in pieces into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) partial: Vec<u8>,
}

impl Lines {
    pub(super) fn tell(&mut self, tell: &mut dyn FnMut(&str)) {
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        for line in String::from_utf8_lossy(&whole).lines() {
            tell(line.trim_end());
        }
    }

    /// Reads what a command that has ended left in its pipe.
    pub(super) async fn rest(
        mut self,
        mut output: pipe::Receiver,
        tell: &mut dyn FnMut(&str),
    ) -> io::Result<()> {
        let left = rustix::io::ioctl_fionread(&output)?;
        let mut rest = (&mut output).take(left);
        rest.read_to_end(&mut self.partial).await?;
        self.tell(tell);
        self.end(tell);
        // A process that still writes must not fail for lack of a reader.
        tokio::spawn(async move { tokio::io::copy(&mut output, &mut tokio::io::sink()).await });
        Ok(())
    }

    pub(super) fn end(self, tell: &mut dyn FnMut(&str)) {
        if !self.partial.is_empty() {
            tell(String::from_utf8_lossy(&self.partial).trim_end());
        }
    }
}
