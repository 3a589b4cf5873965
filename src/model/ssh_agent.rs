//! The SSH agent that a build may use, as a person writes it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// An agent that steps may ask, by the id that their mount names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAgent {
    pub id: String,
    /// The one that SSH_AUTH_SOCK names, if not given.
    pub socket: Option<PathBuf>,
}

impl FromStr for SshAgent {
    type Err = String;

    /// `default`, or `id=SOCKET`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (id, socket) = text.split_once('=').unwrap_or((text, ""));
        if id.trim().is_empty() {
            return Err("it needs an id: default, or ID=SOCKET".to_owned());
        }
        if socket.contains(',') {
            return Err(
                "it takes one agent's socket: add keys to an agent with ssh-add".to_owned(),
            );
        }
        Ok(Self {
            id: id.trim().to_owned(),
            socket: Some(socket.trim())
                .filter(|socket| !socket.is_empty())
                .map(PathBuf::from),
        })
    }
}

impl SshAgent {
    /// The same, with its path taken from `folder` on.
    pub fn within(self, folder: &Path) -> Self {
        let socket = self.socket.map(|socket| folder.join(socket));
        Self { socket, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str, socket: Option<&str>) -> SshAgent {
        SshAgent {
            id: id.to_owned(),
            socket: socket.map(PathBuf::from),
        }
    }

    #[test]
    fn agents_are_written_as_docker_has_them() {
        for (text, expected) in [
            ("default", agent("default", None)),
            ("default=", agent("default", None)),
            (
                "github=/run/agent.sock",
                agent("github", Some("/run/agent.sock")),
            ),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("", "needs an id"),
            ("=/run/x", "needs an id"),
            ("a=b,c", "ssh-add"),
        ] {
            let error = text.parse::<SshAgent>().expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }
}
