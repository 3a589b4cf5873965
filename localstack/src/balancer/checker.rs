//! Makes health checks: `GET` over a connection of its own each time, as an
//! established one can hide that no new one can be had.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT_ENCODING, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use super::config::{HealthCheck, Target};
use super::health::{Failure, Outcome};

/// Checks a target at once and then at each interval, for ever.
pub async fn run(check: HealthCheck, target: Target, report: impl Fn(Outcome)) {
    let address = SocketAddr::new(target.ip, check.port.unwrap_or(target.port));
    let mut rounds = interval(check.interval.max(Duration::from_millis(1)));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        report(once(&check, address).await);
    }
}

async fn once(check: &HealthCheck, address: SocketAddr) -> Outcome {
    let deadline = Instant::now() + check.timeout;
    match timeout_at(deadline, ask(&check.path, address, deadline)).await {
        Err(_) => Err(Failure::TimedOut),
        Ok(None) => Err(Failure::NoAnswer),
        Ok(Some(status)) if check.matcher.admits(status.as_u16()) => Ok(()),
        Ok(Some(status)) => Err(Failure::WrongStatus(status.as_u16())),
    }
}

/// The status of the answer; None if there is none.
async fn ask(path: &str, address: SocketAddr, deadline: Instant) -> Option<StatusCode> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .header(CONNECTION, "close")
        .header(USER_AGENT, "ELB-HealthChecker/2.0")
        .header(ACCEPT_ENCODING, "gzip, compressed")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let answer = async {
        let response = sender.send_request(request).await.ok()?;
        let status = response.status();
        // The rest is read so that the target does not see its answer refused,
        // but the status alone decides.
        let _ = timeout(
            deadline.saturating_duration_since(Instant::now()) / 2,
            response.into_body().collect(),
        )
        .await;
        Some(status)
    };
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        status = &mut answer => status,
        // The connection can end with the answer already on its way.
        _ = &mut connection => answer.await,
    }
}
