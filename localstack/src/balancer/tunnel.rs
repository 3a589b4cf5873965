//! A connection that has changed its protocol, such as to WebSocket: bytes in
//! both directions, until an end closes, nothing moves for the idle timeout, or
//! the target's deregistration delay is over.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use super::member::Ticket;
use super::pulse::{Pulse, Watch};

pub async fn run(client: OnUpgrade, target: OnUpgrade, mut watch: Watch, ticket: Ticket) {
    let (Ok(client), Ok(target)) = tokio::join!(client, target) else {
        return;
    };
    let mut client = Felt::new(TokioIo::new(client), &watch);
    let mut target = Felt::new(TokioIo::new(target), &watch);
    // However it ends, both connections are closed with it.
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut target) => {}
        () = watch.stopped() => {}
        () = ticket.cut() => {}
    }
}

/// A stream that beats with each byte.
struct Felt<T> {
    stream: T,
    pulse: Arc<Pulse>,
}

impl<T> Felt<T> {
    fn new(stream: T, watch: &Watch) -> Self {
        Self {
            stream,
            pulse: watch.pulse().clone(),
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Felt<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.pulse.beat();
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Felt<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        if written.is_ready() {
            self.pulse.beat();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
