//! Bodies on their way through: nothing is collected, each piece goes on as it
//! comes, and the sender is slowed to what the receiver takes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};

use super::member::Ticket;
use super::pulse::{Pulse, Turn, Watch};

/// The body of an answer: the load balancer's own, or a target's.
#[derive(Debug)]
pub struct Body {
    kind: Kind,
    /// Given back when the answer is through, or dropped.
    _turn: Option<Turn>,
}

#[derive(Debug)]
enum Kind {
    Own(Full<Bytes>),
    Relayed(Relayed),
}

/// Why the rest of a target's answer is missing. The client's connection is cut
/// for it, or its stream if it speaks HTTP/2, which is how it learns that there was
/// more.
#[derive(Debug, thiserror::Error)]
pub enum Cut {
    /// Also if the target's deregistration delay is over.
    #[error("the target's answer broke off: {0}")]
    Broken(hyper::Error),
    #[error("the target has sent nothing for the idle timeout")]
    Idle,
}

#[derive(Debug)]
struct Relayed {
    incoming: Incoming,
    watch: Watch,
    /// Given back when the answer is through, or dropped.
    _ticket: Ticket,
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::of(Kind::Own(Full::new(bytes)))
    }
}

impl Body {
    fn of(kind: Kind) -> Self {
        Self { kind, _turn: None }
    }

    pub(super) fn relayed(incoming: Incoming, watch: Watch, ticket: Ticket) -> Self {
        Self::of(Kind::Relayed(Relayed {
            incoming,
            watch,
            _ticket: ticket,
        }))
    }

    /// Its request is in hand until it is through.
    pub(super) fn in_hand(mut self, turn: Turn) -> Self {
        self._turn = Some(turn);
        self
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut self.kind {
            Kind::Own(body) => Pin::new(body)
                .poll_frame(context)
                .map_err(|never| match never {}),
            Kind::Relayed(body) => body.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own(body) => body.is_end_stream(),
            Kind::Relayed(body) => body.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Own(body) => body.size_hint(),
            Kind::Relayed(body) => body.incoming.size_hint(),
        }
    }
}

impl Relayed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Poll::Ready(next) = Pin::new(&mut self.incoming).poll_frame(context) else {
            ready!(self.watch.poll_stopped(context));
            return Poll::Ready(Some(Err(Cut::Idle)));
        };
        self.watch.pulse().beat();
        Poll::Ready(next.map(|frame| frame.map_err(Cut::Broken)))
    }
}

/// The body of a client's request.
#[derive(Debug)]
pub struct Upload {
    incoming: Incoming,
    pulse: Arc<Pulse>,
}

impl Upload {
    pub fn new(incoming: Incoming, pulse: Arc<Pulse>) -> Self {
        Self { incoming, pulse }
    }
}

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let next = Pin::new(&mut self.incoming).poll_frame(context);
        self.pulse.client_owes(next.is_pending());
        if next.is_ready() {
            self.pulse.beat();
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
