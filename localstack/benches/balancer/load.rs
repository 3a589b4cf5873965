//! Requests on a schedule, and what their latencies were.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Failure;

const RATE: u32 = 2000;
const CONNECTIONS: u32 = 64;
const DURATION: Duration = Duration::from_secs(5);
/// How long after its end a round may still have requests under way.
const PATIENCE: Duration = Duration::from_secs(30);
/// Not counted: connections are made and pools filled.
const WARM_UP: Duration = Duration::from_secs(1);

/// The latencies of one round.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    pub p50: Duration,
    pub p99: Duration,
    pub p999: Duration,
    pub max: Duration,
    pub failed: usize,
}

pub async fn run(address: SocketAddr) -> Result<Round, Failure> {
    let start = Instant::now() + Duration::from_millis(100);
    let mut connections = JoinSet::new();
    let mut paced = Vec::new();
    for _ in 0..CONNECTIONS {
        let (sender, due) = unbounded_channel();
        paced.push(sender);
        connections.spawn(send(address, start + WARM_UP, due));
    }
    std::thread::spawn(move || pace(start, &paced));
    let mut latencies = Vec::new();
    let mut failed = 0;
    let all = timeout(WARM_UP + DURATION + PATIENCE, connections.join_all());
    for outcome in all.await? {
        let (of_one, failed_here) = outcome?;
        latencies.extend(of_one);
        failed += failed_here;
    }
    latencies.sort_unstable();
    let at = |share: f64| {
        // A share of a count that is far below 2^52.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into a few thousand figures"
        )]
        let index = (latencies.len() as f64 * share) as usize;
        latencies
            .get(index.min(latencies.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    Ok(Round {
        p50: at(0.5),
        p99: at(0.99),
        p999: at(0.999),
        max: at(1.0),
        failed,
    })
}

/// Tells each connection in turn when its next request is due. A thread of its
/// own: tokio's timer counts in milliseconds, which is more than is measured.
fn pace(start: Instant, connections: &[UnboundedSender<Instant>]) {
    let requests = (DURATION + WARM_UP).as_millis() * u128::from(RATE) / 1000;
    for (n, connection) in (0..).zip(connections.iter().cycle()) {
        if u128::from(n) >= requests {
            return;
        }
        let due = start + Duration::from_secs(1) * n / RATE;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        // One that has failed says so by itself.
        let _ = connection.send(due);
    }
}

/// The requests of one connection.
async fn send(
    address: SocketAddr,
    counted_from: Instant,
    mut due: UnboundedReceiver<Instant>,
) -> Result<(Vec<Duration>, usize), Failure> {
    let mut connection = connect(address).await?;
    let (mut latencies, mut failed) = (Vec::new(), 0);
    while let Some(due) = due.recv().await {
        let well = ask(&mut connection, address)
            .await
            .is_ok_and(|status| status == 200);
        if !well {
            failed += 1;
            connection = connect(address).await?;
        }
        if due >= counted_from {
            latencies.push(due.elapsed());
        }
    }
    Ok((latencies, failed))
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Empty<Bytes>>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn ask(
    connection: &mut SendRequest<Empty<Bytes>>,
    address: SocketAddr,
) -> Result<u16, Failure> {
    connection.ready().await?;
    let request = Request::get("/api")
        .header(HOST, address.to_string())
        .body(Empty::new())?;
    let answer = connection.send_request(request).await?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await?;
    Ok(status)
}

/// Of each figure the median; of failures the sum.
pub fn median(rounds: &[Round]) -> Round {
    let of = |figure: fn(&Round) -> Duration| {
        let mut all: Vec<Duration> = rounds.iter().map(figure).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    Round {
        p50: of(|round| round.p50),
        p99: of(|round| round.p99),
        p999: of(|round| round.p999),
        max: of(|round| round.max),
        failed: rounds.iter().map(|round| round.failed).sum(),
    }
}

pub fn line(name: &str, round: &Round) -> String {
    let ms = |duration: Duration| format!("{:.3} ms", duration.as_secs_f64() * 1e3);
    format!(
        "{name:<10}{:>10}{:>10}{:>10}{:>10}{:>10}",
        ms(round.p50),
        ms(round.p99),
        ms(round.p999),
        ms(round.max),
        round.failed
    )
}
