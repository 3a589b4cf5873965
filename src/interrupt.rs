//! Ctrl-C and SIGTERM, as something that can be awaited.

use tokio::sync::mpsc;

use crate::error::{Error, Exit, Result};

/// Interrupts in the order in which they came. From the first call of
/// [`Interrupts::listen`] on, a signal no longer ends the process by itself.
#[derive(Debug)]
pub struct Interrupts {
    signals: mpsc::UnboundedReceiver<Signal>,
}

/// Whose interrupts some work hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signals {
    OfProcess,
    /// Nobody's: what is to become of it is decided by whoever runs it.
    Nobodys,
}

impl Signals {
    /// # Errors
    /// As [`Interrupts::listen`].
    pub fn listen(self) -> Result<Interrupts> {
        match self {
            Self::OfProcess => Interrupts::listen(),
            Self::Nobodys => Ok(Interrupts::none()),
        }
    }
}

/// What interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A CI runner cancels with it.
    Terminate,
    /// A closed terminal sends it.
    HangUp,
}

impl Signal {
    /// As `kill` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
            Self::HangUp => "HUP",
        }
    }
}

impl Interrupts {
    /// # Errors
    /// When the operating system will not have a signal handler.
    pub fn listen() -> Result<Self> {
        let (tell, signals) = mpsc::unbounded_channel();
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let ignored = inherited_ignores();
            for (kind, it) in [
                (SignalKind::interrupt(), Signal::Interrupt),
                (SignalKind::terminate(), Signal::Terminate),
                (SignalKind::hangup(), Signal::HangUp),
            ] {
                if is_in(ignored, kind.as_raw_value()) {
                    continue;
                }
                let mut stream = signal(kind)
                    .map_err(|error| Error::failed("signals cannot be handled").because(&error))?;
                let tell = tell.clone();
                tokio::spawn(async move {
                    while stream.recv().await.is_some() && tell.send(it).is_ok() {}
                });
            }
        }
        #[cfg(not(unix))]
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() && tell.send(Signal::Interrupt).is_ok() {}
        });
        Ok(Self { signals })
    }

    /// None: what takes moments, and must not stop between two of them.
    pub fn none() -> Self {
        let (_, signals) = mpsc::unbounded_channel();
        Self { signals }
    }

    /// Waits for the next interrupt; forever, if none can come any more.
    pub async fn next(&mut self) -> Signal {
        match self.signals.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// Runs something that may stop anywhere, until its end or an interrupt.
    ///
    /// # Errors
    /// The work's own; on an interrupt, exit 130 with what was being done and
    /// what becomes of it.
    pub async fn or_stop<T>(
        &mut self,
        doing: &str,
        afterwards: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            result = work => result,
            _ = self.next() => {
                Err(Error::new(Exit::Interrupted, format!("interrupted while {doing}")).hint(afterwards))
            }
        }
    }

    /// Interrupts that somebody else sends on, or a test makes.
    pub fn relayed() -> (mpsc::UnboundedSender<Signal>, Self) {
        let (tell, signals) = mpsc::unbounded_channel();
        (tell, Self { signals })
    }
}

/// The signals that whoever started this process had ignored, as `nohup` has
/// SIGHUP; none where the system does not tell. See proc_pid_status(5).
#[cfg(unix)]
fn inherited_ignores() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default()
}

#[cfg(unix)]
fn is_in(mask: u64, signal: i32) -> bool {
    // The lowest bit is that of signal 1.
    u32::try_from(signal - 1).is_ok_and(|bit| mask >> bit & 1 == 1)
}
