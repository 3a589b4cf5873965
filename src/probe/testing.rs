//! A small HTTP server on a real socket, which does what a test wants and counts
//! requests.

pub mod balancer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Nothing here takes long; a test that waits longer waits for something that never
/// comes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what must come.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it never comes")
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers, and keeps the connection.
    Send(String),
    /// Answers, and closes it.
    SendAndClose(String),
    /// Breaks the connection off.
    Reset,
    /// Sends the first part, waits until it is let go, then sends the second.
    Stall(String, String),
}

pub fn ok(body: &str) -> String {
    with_status(200, body)
}

pub fn with_status(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

type OnRequest = Arc<dyn Fn(usize) -> Reply + Send + Sync>;

#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepts: Arc<AtomicUsize>,
    /// The head of every request so far.
    requests: watch::Sender<Vec<String>>,
    is_released: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// `reply` is called with the number of earlier requests.
    pub async fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepts = Arc::new(AtomicUsize::new(0));
        let (requests, _) = watch::channel(Vec::new());
        let (is_released, _) = watch::channel(false);
        let connection = Connection {
            reply: Arc::new(reply),
            requests: requests.clone(),
            is_released: is_released.clone(),
        };
        let counter = Arc::clone(&accepts);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(connection.clone().serve(stream));
            }
        });
        Self {
            address,
            accepts,
            requests,
            is_released,
            accepting,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections so far.
    pub fn accepts(&self) -> usize {
        self.accepts.load(Ordering::SeqCst)
    }

    /// Requests so far.
    pub fn asked(&self) -> usize {
        self.requests.borrow().len()
    }

    /// The heads of the requests, once there are that many.
    pub async fn asked_times(&self, times: usize) -> Vec<String> {
        let mut requests = self.requests.subscribe();
        let enough = soon(requests.wait_for(|requests| requests.len() >= times)).await;
        enough.unwrap().clone()
    }

    /// Lets stalled answers continue.
    pub fn release(&self) {
        self.is_released.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[derive(Clone)]
struct Connection {
    reply: OnRequest,
    requests: watch::Sender<Vec<String>>,
    is_released: watch::Sender<bool>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(head) = read_head(&mut stream).await {
            let mut n = 0;
            self.requests.send_modify(|requests| {
                n = requests.len();
                requests.push(head);
            });
            let (first, rest, goes_on) = match (self.reply)(n) {
                Reply::Send(text) => (text, None, true),
                Reply::SendAndClose(text) => (text, None, false),
                Reply::Reset => {
                    stream.get_ref().set_zero_linger().unwrap();
                    return;
                }
                Reply::Stall(first, rest) => (first, Some(rest), true),
            };
            // Some tests are about a client that has gone away.
            let mut sent = stream.write_all(first.as_bytes()).await.is_ok();
            if let Some(rest) = rest {
                let mut is_released = self.is_released.subscribe();
                let _ = is_released.wait_for(|is_released| *is_released).await;
                sent &= stream.write_all(rest.as_bytes()).await.is_ok();
            }
            if !sent || !goes_on {
                return;
            }
        }
    }
}

/// A request's lines up to the empty one; `None` if the client hung up.
async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        match stream.read_line(&mut head).await {
            Ok(0) | Err(_) => return None,
            Ok(_) if head[before..].trim_end().is_empty() => return Some(head),
            Ok(_) => {}
        }
    }
}
