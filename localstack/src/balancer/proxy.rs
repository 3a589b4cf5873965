//! Forwards one request to one target, and the answer back.
//!
//! Nothing is tried twice: a request that may have reached a target could have
//! done its work there.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::client::legacy;

use super::body::{Body, Upload};
use super::headers;
use super::member::Ticket;
use super::pulse::{Pulse, Watch};
use super::tasks::Tasks;
use super::tunnel;

/// What a target is told of a request's way.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub client: IpAddr,
    /// The listener's own port, whichever it is mapped to.
    pub port: u16,
    pub is_secured: bool,
    pub idle_timeout: Duration,
}

/// Gives the target's answer, its body still on the way.
///
/// # Errors
/// The status to answer with if the target gives none: 502 if it cannot be
/// reached, hangs up or talks nonsense; 504 if it takes too long; 408 if it is
/// the client that does.
pub async fn exchange(
    mut request: Request<Incoming>,
    way: Way,
    ticket: Ticket,
    tasks: &Tasks,
) -> Result<Response<Body>, StatusCode> {
    let upgrade = headers::upgrade(request.headers()).map(|_| hyper::upgrade::on(&mut request));
    let pulse = Pulse::new();
    let mut watch = Watch::new(pulse.clone(), way.idle_timeout);
    let request = outgoing(request, way, &ticket, pulse)?;
    let response = tokio::select! {
        answered = ticket.pool().request(request) => {
            answered.map_err(|error| status_of(&error))?
        }
        () = watch.stopped() => return Err(late(watch.pulse())),
    };
    watch.pulse().beat();
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let client = upgrade.ok_or(StatusCode::BAD_GATEWAY)?;
        return Ok(switched(response, client, watch, ticket, tasks));
    }
    Ok(relayed(response, watch, ticket))
}

fn outgoing(
    request: Request<Incoming>,
    way: Way,
    ticket: &Ticket,
    pulse: Arc<Pulse>,
) -> Result<Request<Upload>, StatusCode> {
    let (mut head, body) = request.into_parts();
    head.uri = ticket
        .uri(head.uri.into_parts().path_and_query)
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    head.version = Version::HTTP_11;
    headers::to_target(&mut head.headers, way.client, way.port, way.is_secured);
    Ok(Request::from_parts(head, Upload::new(body, pulse)))
}

fn relayed(response: Response<Incoming>, watch: Watch, ticket: Ticket) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    // The server's side knows best how its client can be answered.
    head.version = Version::HTTP_11;
    headers::to_client(&mut head.headers);
    Response::from_parts(head, Body::relayed(body, watch, ticket))
}

fn switched(
    mut response: Response<Incoming>,
    client: OnUpgrade,
    watch: Watch,
    ticket: Ticket,
    tasks: &Tasks,
) -> Response<Body> {
    let target = hyper::upgrade::on(&mut response);
    tasks.spawn(tunnel::run(client, target, watch, ticket));
    headers::to_client_upgrading(response.headers_mut());
    response.map(|_| Body::from(Bytes::new()))
}

fn late(pulse: &Pulse) -> StatusCode {
    if pulse.waits_for_client() {
        StatusCode::REQUEST_TIMEOUT
    } else {
        StatusCode::GATEWAY_TIMEOUT
    }
}

fn status_of(error: &legacy::Error) -> StatusCode {
    let mut cause = error.source();
    while let Some(error) = cause {
        let timed_out = error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if timed_out {
            return StatusCode::GATEWAY_TIMEOUT;
        }
        cause = error.source();
    }
    StatusCode::BAD_GATEWAY
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use http_body_util::Empty;
    use hyper_util::client::legacy::Client;
    use hyper_util::client::legacy::connect::HttpConnector;
    use hyper_util::rt::TokioExecutor;
    use tokio::net::{TcpSocket, TcpStream};
    use tokio::task::JoinSet;

    use super::*;

    /// Linux lets one connection more wait to be accepted than it is told, and
    /// then answers none, as a host that is not there.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_target_that_does_not_connect_in_time_is_504() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = JoinSet::new();
        for _ in 0..3 {
            waiting.spawn(TcpStream::connect(address));
        }
        let _both = (waiting.join_next().await, waiting.join_next().await);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_millis(50)));
        let client: Client<_, Empty<Bytes>> =
            Client::builder(TokioExecutor::new()).build(connector);
        let uri = format!("http://{address}/").parse().unwrap();
        let error = tokio::time::timeout(Duration::from_secs(10), client.get(uri))
            .await
            .expect("the connector gives up")
            .unwrap_err();
        assert_eq!(status_of(&error), StatusCode::GATEWAY_TIMEOUT);
    }
}
