//! A load balancer with three nodes on three loopback addresses, which changes over and
//! fails exactly when a test says so, and notes what came when.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, yield_now};

use super::{read_head, soon};
use crate::model::Connection;

pub const NODES: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1)),
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3)),
];

/// A node, and whether a request is the first one of its connection.
pub type Lane = (IpAddr, Connection);

/// What it does, and when. Times count from the origin.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// When a lane changes from one release to the other; each begins with the old one.
    pub turns: BTreeMap<Lane, Vec<Duration>>,
    /// During these, every request gets a 503.
    pub gaps: Vec<Range<Duration>>,
}

impl Plan {
    /// Whether the new release answers that lane then.
    pub fn is_new(&self, lane: Lane, at: Duration) -> bool {
        let turns = self.turns.get(&lane).into_iter().flatten();
        turns.filter(|turn| **turn <= at).count() % 2 == 1
    }

    /// Whether nothing changes on that lane in that time.
    pub fn is_settled(&self, lane: Lane, from: Duration, until: Duration) -> bool {
        let mut turns = self.turns.get(&lane).into_iter().flatten();
        !turns.any(|turn| from < *turn && *turn <= until)
    }

    pub fn is_down(&self, at: Duration) -> bool {
        self.gaps.iter().any(|gap| gap.contains(&at))
    }
}

/// One request, as the load balancer saw it.
#[derive(Debug, Clone, Copy)]
pub struct Note {
    pub lane: Lane,
    pub came: Duration,
    pub is_new: bool,
    pub is_down: bool,
}

#[derive(Debug)]
struct Stage {
    origin: Instant,
    plan: Plan,
    notes: Vec<Note>,
}

impl Stage {
    /// Takes a request and returns its answer: the body is the note's number.
    fn answer(&mut self, lane: Lane) -> String {
        let came = self.origin.elapsed();
        let note = Note {
            lane,
            came,
            is_new: self.plan.is_new(lane, came),
            is_down: self.plan.is_down(came),
        };
        let body = self.notes.len().to_string();
        self.notes.push(note);
        format!(
            "HTTP/1.1 {} -\r\nx-bgecs-release: {}\r\ncontent-length: {}\r\n\r\n{body}",
            if note.is_down { 503 } else { 200 },
            if note.is_new { 2 } else { 1 },
            body.len()
        )
    }
}

#[derive(Debug)]
pub struct Balancer {
    port: u16,
    stage: Arc<Mutex<Stage>>,
    accepting: Vec<JoinHandle<()>>,
}

impl Balancer {
    pub async fn start(origin: Instant) -> Self {
        let listeners = soon(listen()).await;
        let stage = Arc::new(Mutex::new(Stage {
            origin,
            plan: Plan::default(),
            notes: Vec::new(),
        }));
        Self {
            port: listeners[0].local_addr().unwrap().port(),
            accepting: listeners
                .into_iter()
                .map(|listener| tokio::spawn(accept(listener, Arc::clone(&stage))))
                .collect(),
            stage,
        }
    }

    /// Its nodes, each a `host:port`.
    pub fn through(&self) -> Vec<String> {
        NODES.map(|node| format!("{node}:{}", self.port)).to_vec()
    }

    /// Changes the plan depending on the current time. No request is handled meanwhile.
    pub fn plan<T>(&self, make: impl FnOnce(Duration, &mut Plan) -> T) -> T {
        let mut stage = lock(&self.stage);
        let now = stage.origin.elapsed();
        make(now, &mut stage.plan)
    }

    /// The plan, and the requests that came.
    pub fn record(&self) -> (Plan, Vec<Note>) {
        let stage = lock(&self.stage);
        (stage.plan.clone(), stage.notes.clone())
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        for accepting in &self.accepting {
            accepting.abort();
        }
    }
}

fn lock(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens at a port that is free on every node.
async fn listen() -> Vec<TcpListener> {
    loop {
        let first = TcpListener::bind((NODES[0], 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut all = vec![first];
        for node in &NODES[1..] {
            match TcpListener::bind((*node, port)).await {
                Ok(listener) => all.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => break,
                Err(error) => panic!("{node}: {error}"),
            }
        }
        if all.len() == NODES.len() {
            return all;
        }
    }
}

async fn accept(listener: TcpListener, stage: Arc<Mutex<Stage>>) {
    let node = listener.local_addr().unwrap().ip();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(Arc::clone(&stage), node, stream))),
            // No file descriptor is left; other connections will free some.
            Err(_) => yield_now().await,
        }
    }
}

async fn serve(stage: Arc<Mutex<Stage>>, node: IpAddr, stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut connection = Connection::Fresh;
    while read_head(&mut stream).await.is_some() {
        let text = lock(&stage).answer((node, connection));
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
        connection = Connection::Reused;
    }
}
