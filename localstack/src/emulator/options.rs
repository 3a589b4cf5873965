//! How an emulator is to be started.

use super::Source;

/// The key of the account whose load balancers take traffic in MiniStack.
pub(super) const DEFAULT_ACCOUNT: &str = "test";

/// What is wanted of an emulator; the default is what bgecs is tried on.
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) source: Source,
    pub(super) account: String,
    pub(super) auth: bool,
    pub(super) keep: bool,
    pub(super) port: Option<u16>,
    pub(super) reachable_from_tasks: bool,
    pub(super) env: Vec<(String, String)>,
}

impl Default for Options {
    /// From where the environment says, see [`Source::from_env`].
    fn default() -> Self {
        Self {
            source: Source::from_env(),
            account: DEFAULT_ACCOUNT.to_owned(),
            auth: false,
            keep: false,
            port: None,
            reachable_from_tasks: false,
            env: Vec::new(),
        }
    }
}

impl Options {
    /// Another emulator than the environment asks for.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// The access key that [`super::Emulator::env`] gives: 12 digits are an
    /// account of their own, apart from all others in the same emulator. In
    /// MiniStack only the default account's load balancers take traffic.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Whether IAM policies are enforced (MiniStack only).
    #[must_use]
    pub fn auth(mut self, auth: bool) -> Self {
        self.auth = auth;
        self
    }

    /// Leaves the emulator running when its value is stopped or dropped, until
    /// [`crate::stop_kept`].
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// This port instead of any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Lets the containers of tasks call AWS. Then everyone who reaches this
    /// machine can, and so run containers on it: for MiniStack as a process it
    /// has to listen on all addresses, which it otherwise does not.
    #[must_use]
    pub fn reachable_from_tasks(mut self, reachable: bool) -> Self {
        self.reachable_from_tasks = reachable;
        self
    }

    /// One more environment variable for the emulator itself.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}
