//! An engine on another machine, reached as Docker's client does it: the user's own `ssh`
//! runs `docker system dial-stdio` there and carries the data. Whom to trust, and with
//! which key, is up to `ssh`.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use url::Url;

use crate::shell;

/// How much of `ssh`'s error output is kept, in bytes.
const MOST_TOLD: u64 = 4096;

/// `ssh://user@host:port/socket`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    /// The engine's socket there, if not the default one.
    socket: Option<String>,
}

impl Destination {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(std::borrow::Cow::into_owned)
                .map_err(|_| "it is not UTF-8".to_owned())
        };
        if url.password().is_some() {
            return Err("a password cannot be in it: ssh uses keys".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it ends with the path of a socket, without `?` and `#`".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or("it names no host")?;
        let path = url.path().trim_end_matches('/');
        Ok(Self {
            user: match url.username() {
                "" => None,
                user => Some(decoded(user)?),
            },
            host: decoded(host.trim_matches(['[', ']']))?,
            port: url.port(),
            socket: match path {
                "" => None,
                path => Some(decoded(path)?),
            },
        })
    }

    /// The arguments for `ssh`.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        let remote = match &self.socket {
            Some(socket) => format!(
                "docker {} system dial-stdio",
                shell::quoted(&format!("--host=unix://{socket}"))
            ),
            None => "docker system dial-stdio".to_owned(),
        };
        let fixed = ["-o ConnectTimeout=30", "-T", "--", &self.host, &remote];
        arguments.extend(fixed.map(str::to_owned));
        arguments
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

/// One connection. Dropping it ends its `ssh`.
pub(super) struct Tunnel {
    /// Until this side has sent everything.
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    /// Whether anything was received.
    is_through: bool,
    /// Taken if the connection ends before it began.
    process: Option<SshProcess>,
    failure: Option<Pin<Box<dyn Future<Output = io::Error> + Send>>>,
}

struct SshProcess {
    child: Child,
    complaint: JoinHandle<String>,
}

impl Tunnel {
    pub(super) fn open(destination: &Destination) -> io::Result<Self> {
        Self::over(Command::new("ssh").args(destination.arguments()))
    }

    fn over(command: &mut Command) -> io::Result<Self> {
        let missing = || io::Error::other("its streams are missing");
        let spawned = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other("there is no `ssh` in PATH"),
            _ => error,
        })?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        Ok(Self {
            stdin: Some(child.stdin.take().ok_or_else(missing)?),
            stdout: child.stdout.take().ok_or_else(missing)?,
            is_through: false,
            process: Some(SshProcess {
                child,
                complaint: tokio::spawn(complaint(stderr)),
            }),
            failure: None,
        })
    }

    /// Why `ssh` ended before the engine sent anything.
    fn poll_failure(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let failure = self.failure.get_or_insert_with(|| {
            let process = self.process.take();
            Box::pin(async move {
                match process {
                    Some(process) => process.failure().await,
                    None => io::ErrorKind::UnexpectedEof.into(),
                }
            })
        });
        let why = ready!(failure.as_mut().poll(context));
        // It may be polled again.
        *failure = Box::pin(poll_fn(|_| {
            Poll::Ready(io::ErrorKind::UnexpectedEof.into())
        }));
        Poll::Ready(why)
    }
}

impl SshProcess {
    async fn failure(mut self) -> io::Error {
        let status = match self.child.wait().await {
            Ok(status) => status,
            Err(error) => return error,
        };
        let complaint = self.complaint.await.unwrap_or_default();
        io::Error::other(match complaint.trim() {
            "" => format!("ssh ended with {status}"),
            complaint => format!("ssh ended with {status}: {complaint}"),
        })
    }
}

/// The beginning of its error output; the rest is read as well, so that it does not
/// block.
async fn complaint(mut stderr: ChildStderr) -> String {
    let mut first = Vec::new();
    let _ = (&mut stderr).take(MOST_TOLD).read_to_end(&mut first).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&first).into_owned()
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.failure.is_none() {
            let before = buffer.filled().len();
            let read = ready!(Pin::new(&mut self.stdout).poll_read(context, buffer));
            self.is_through |= buffer.filled().len() > before;
            if self.is_through || read.is_err() {
                return Poll::Ready(read);
            }
        }
        let failure = ready!(self.poll_failure(context));
        Poll::Ready(Err(failure))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.stdin {
            Some(stdin) => ready!(Pin::new(stdin).poll_write(context, bytes)),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !self.is_through => {
                let failure = ready!(self.poll_failure(context));
                Poll::Ready(Err(failure))
            }
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Closes stdin, which tells the other side that nothing follows.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[test]
    fn ssh_is_called_as_docker_calls_it() {
        for (text, expected) in [
            (
                "ssh://there",
                "-o ConnectTimeout=30|-T|--|there|docker system dial-stdio",
            ),
            (
                "ssh://me@there:2222",
                "-l|me|-p|2222|-o ConnectTimeout=30|-T|--|there|docker system dial-stdio",
            ),
            (
                "ssh://d%40e@[::1]/run/user/1%20a/d.sock",
                "-l|d@e|-o ConnectTimeout=30|-T|--|::1|docker '--host=unix:///run/user/1 a/d.sock' system dial-stdio",
            ),
            (
                "ssh://-oProxyCommand=x/",
                "-o ConnectTimeout=30|-T|--|-oProxyCommand=x|docker system dial-stdio",
            ),
            (
                "ssh://there/run/d.sock",
                "-o ConnectTimeout=30|-T|--|there|docker --host=unix:///run/d.sock system dial-stdio",
            ),
        ] {
            let destination = Destination::parse(text).expect(text);
            assert_eq!(destination.arguments().join("|"), expected);
        }
        for text in [
            "ssh://me:hunter22@there",
            "ssh://there?x",
            "ssh://there#x",
            "ssh://",
            "ssh://me@",
        ] {
            let why = Destination::parse(text).expect_err(text);
            assert!(!why.contains("hunter"), "{why}");
        }
        for text in ["ssh://me@there:2222/run/d.sock", "ssh://[::1]"] {
            assert_eq!(Destination::parse(text).expect(text).to_string(), text);
        }
    }

    fn tunnel(script: &str) -> Tunnel {
        Tunnel::over(Command::new("sh").args(["-c", script])).expect("a shell")
    }

    #[tokio::test]
    async fn what_is_said_is_carried_both_ways() {
        let mut tunnel = tunnel("echo banner >&2; cat");
        tunnel.write_all(b"ping").await.expect("it is written");
        tunnel.shutdown().await.expect("it is closed");
        let mut answer = String::new();
        tunnel.read_to_string(&mut answer).await.expect("an end");
        assert_eq!(answer, "ping");
    }

    #[tokio::test]
    async fn an_ssh_that_cannot_log_in_says_so() {
        let script = "echo 'me@there: Permission denied (publickey).' >&2; exec 0<&-; exit 255";
        let expected = "ssh ended with exit status: 255: me@there: Permission denied (publickey).";
        let mut answer = String::new();
        let error = tunnel(script).read_to_string(&mut answer).await;
        assert_eq!(error.expect_err("it failed").to_string(), expected);

        let mut closed = tunnel(script);
        let error = async {
            loop {
                if let Err(error) = closed.write_all(&[0; 4096]).await {
                    break error;
                }
            }
        };
        assert_eq!(error.await.to_string(), expected);
    }
}
