//! Where a listener is on a node: a socket, and the connections from it.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::entrance::Entrance;
use super::pulse::Turns;
use super::tasks::Tasks;
use crate::http2;

/// How long to wait when the system has no socket left for a connection.
const RESPITE: Duration = Duration::from_secs(1);

/// An open port.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    entrance: Arc<Entrance>,
    closing: CancellationToken,
    /// Errs when the socket is closed.
    open: oneshot::Receiver<Infallible>,
}

impl Door {
    /// Begins to accept what comes to the socket, which is at that address.
    pub fn open(
        listener: TcpListener,
        address: SocketAddr,
        entrance: Arc<Entrance>,
        tasks: &Tasks,
    ) -> Self {
        let closing = tasks.part();
        let (is_open, open) = oneshot::channel();
        let accepting = accept(listener, entrance.clone(), closing.clone(), tasks.clone());
        tasks.spawn_until(closing.clone(), async move {
            let _is_open = is_open;
            accepting.await;
        });
        Self {
            address,
            entrance,
            closing,
            open,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn entrance(&self) -> &Arc<Entrance> {
        &self.entrance
    }

    /// Ends when the door closes.
    pub fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Closes the port, and connections as soon as they have no request in hand.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Waits until the port of a closed door is free.
    pub async fn closed(self) {
        // An error is what it waits for: nothing is ever sent.
        let Err(_closed) = self.open.await;
    }
}

async fn accept(
    listener: TcpListener,
    entrance: Arc<Entrance>,
    closing: CancellationToken,
    tasks: Tasks,
) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                let (entrance, closing) = (entrance.clone(), closing.clone());
                tasks.spawn(converse(stream, client.ip(), entrance, closing));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(_out_of_sockets) => tokio::time::sleep(RESPITE).await,
        }
    }
}

/// Whether the next connection can be accepted all the same.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// A client that does not finish to agree on TLS is not waited for any longer than
/// one that does not finish its request.
async fn converse(
    stream: TcpStream,
    client: IpAddr,
    entrance: Arc<Entrance>,
    closing: CancellationToken,
) {
    // Without it answers are only slower.
    let _ = stream.set_nodelay(true);
    let view = entrance.view();
    let Some(config) = &view.tls else {
        return speak(stream, client, entrance, closing).await;
    };
    let secured = TlsAcceptor::from(config.clone()).accept(stream);
    let Ok(Ok(stream)) = tokio::time::timeout(view.idle_timeout, secured).await else {
        return;
    };
    if http2::is_agreed(&stream) {
        speak_http2(stream, client, entrance, closing).await;
    } else {
        speak(stream, client, entrance, closing).await;
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    client: IpAddr,
    entrance: Arc<Entrance>,
    closing: CancellationToken,
) {
    let idle_timeout = entrance.view().idle_timeout;
    let service = service_fn(move |request| {
        let entrance = entrance.clone();
        async move { Ok::<_, Infallible>(entrance.serve(client, request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle_timeout)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    // An error is the client's going away, and there is nobody to tell.
    let _ = connection.await;
}

/// Of the connection: "Application Load Balancers do not support HTTP/2 PING frames.
/// These do not reset the connection idle timeout":
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>.
async fn speak_http2(
    stream: TlsStream<TcpStream>,
    client: IpAddr,
    entrance: Arc<Entrance>,
    closing: CancellationToken,
) {
    let idle_timeout = entrance.view().idle_timeout;
    let server = http2::server(entrance.tasks().clone());
    let turns = Turns::default();
    let counted = turns.clone();
    let service = service_fn(move |request| {
        let (entrance, turn) = (entrance.clone(), counted.begin());
        async move {
            let answer = entrance.serve(client, http2::as_http1(request)).await;
            Ok::<_, Infallible>(answer.map(|body| body.in_hand(turn)))
        }
    });
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = closing.cancelled() => {}
        () = turns.ceased(idle_timeout) => {}
    }
    connection.as_mut().graceful_shutdown();
    // A client that does not close its side is not waited for.
    tokio::select! {
        _ = connection => {}
        () = turns.ceased(idle_timeout) => {}
    }
}
