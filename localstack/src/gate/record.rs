//! Every call of AWS's API that came to the gate, and what became of it.
//!
//! The gate's own calls are not in it: they are no doing of the client's.

mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::faults::Struck;
use super::request::Request;

pub use table::table;

/// One call, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// From 1, in the order in which the calls came.
    pub number: usize,
    /// As in the signature's scope: `ecs`, `elasticloadbalancing`.
    pub service: String,
    /// `DescribeServices`; for a REST call `GET /path`.
    pub operation: String,
    /// As [`super::request::Request::resource`] says it.
    pub resource: String,
    /// Whether it may change something.
    pub writes: bool,
    /// Who signed it; None if nobody did.
    pub access_key: Option<String>,
    /// Since the gate's start.
    pub began: Duration,
    /// The same, to be held against a client's clock.
    pub at: Instant,
    /// The faults that struck it.
    pub struck: Vec<Struck>,
    /// None while it is under way.
    pub end: Option<End>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// From the whole request to the whole answer, any delay included.
    pub took: Duration,
    pub outcome: Outcome,
    /// For a read that was to be stale.
    pub staleness: Option<Staleness>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Answered {
        status: u16,
    },
    /// 400 or above, with AWS's code where the answer has one.
    Refused {
        status: u16,
        code: Option<String>,
    },
    /// The emulator gave none; the client got a 502.
    NoAnswer {
        reason: String,
    },
    /// A fault closed the connection instead of an answer.
    Dropped {
        /// Whether the emulator got the call first.
        forwarded: bool,
    },
}

/// How old the state is that a stale read was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// Seen so long before the answer.
    SeenBefore(Duration),
    /// Nothing older is known: the answer is live.
    NothingOlder,
}

impl Call {
    pub fn is(&self, service: &str, operation: &str) -> bool {
        self.service == service && self.operation == operation
    }

    /// None if there was no answer, or none yet.
    pub fn status(&self) -> Option<u16> {
        match self.end.as_ref()?.outcome {
            Outcome::Answered { status } | Outcome::Refused { status, .. } => Some(status),
            Outcome::NoAnswer { .. } | Outcome::Dropped { .. } => None,
        }
    }

    /// AWS's code of the error that was answered.
    pub fn code(&self) -> Option<&str> {
        match &self.end.as_ref()?.outcome {
            Outcome::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Zero while it is under way.
    pub fn took(&self) -> Duration {
        self.end.as_ref().map_or(Duration::ZERO, |end| end.took)
    }
}

/// A moment in the record; see [`Calls::mark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark(usize);

impl Mark {
    /// After the call with that number.
    pub fn after(number: usize) -> Self {
        Self(number)
    }
}

/// The record. Clones share it.
#[derive(Debug, Clone)]
pub struct Calls {
    start: Instant,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Calls {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            calls: Arc::default(),
        }
    }

    /// All, in the order in which they came.
    pub fn all(&self) -> Vec<Call> {
        self.locked().clone()
    }

    /// Those that came after that mark.
    pub fn since(&self, mark: Mark) -> Vec<Call> {
        self.locked().iter().skip(mark.0).cloned().collect()
    }

    /// Those of one operation, such as `("ecs", "UpdateService")`.
    pub fn of(&self, service: &str, operation: &str) -> Vec<Call> {
        let calls = self.locked();
        let wanted = calls.iter().filter(|call| call.is(service, operation));
        wanted.cloned().collect()
    }

    /// Now: all that came until here are before it.
    pub fn mark(&self) -> Mark {
        Mark(self.locked().len())
    }

    pub(super) fn begin(&self, request: &Request, resource: String, struck: Vec<Struck>) -> Open {
        let operation = &request.operation;
        let began = Instant::now();
        let mut calls = self.locked();
        let index = calls.len();
        calls.push(Call {
            number: index + 1,
            service: operation.service.clone(),
            operation: operation.name.clone(),
            resource,
            writes: !operation.is_read(),
            access_key: request.access_key(),
            began: began - self.start,
            at: began,
            struck,
            end: None,
        });
        Open {
            calls: self.clone(),
            index,
            began,
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Open {
    calls: Calls,
    index: usize,
    began: Instant,
}

impl Open {
    pub(super) fn end(self, outcome: Outcome, staleness: Option<Staleness>) {
        let end = End {
            took: self.began.elapsed(),
            outcome,
            staleness,
        };
        if let Some(call) = self.calls.locked().get_mut(self.index) {
            call.end = Some(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a client with that access key signs it.
    fn request(key: &str, service: &str, name: &str) -> Request {
        let scope = format!("Credential={key}/20260101/us-east-1/{service}/aws4_request");
        let (head, ()) = hyper::Request::post("/")
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}"))
            .header("x-amz-target", format!("Any.{name}"))
            .body(())
            .unwrap()
            .into_parts();
        Request::read(head, bytes::Bytes::new()).unwrap()
    }

    fn numbers(calls: &[Call]) -> Vec<usize> {
        calls.iter().map(|call| call.number).collect()
    }

    #[test]
    fn calls_are_found_by_mark_and_by_operation() {
        let calls = Calls::new();
        let begin = |service, name| {
            let request = request("test", service, name);
            let open = calls.begin(&request, String::new(), Vec::new());
            open.end(Outcome::Answered { status: 200 }, None);
        };
        begin("ecs", "UpdateService");
        begin("ecs", "DescribeServices");
        let mark = calls.mark();
        begin("ecs", "UpdateService");
        assert_eq!(numbers(&calls.all()), [1, 2, 3]);
        assert_eq!(numbers(&calls.since(mark)), [3]);
        assert_eq!(numbers(&calls.since(Mark::default())), [1, 2, 3]);
        assert_eq!(numbers(&calls.of("ecs", "UpdateService")), [1, 3]);
        assert!(calls.of("ecs", "Update").is_empty());
        assert!(calls.since(calls.mark()).is_empty());
    }

    #[test]
    fn a_call_has_no_end_until_it_ends() {
        let calls = Calls::new();
        let request = request("test", "ecs", "Any");
        let open = calls.begin(&request, "live/web".to_owned(), Vec::new());
        assert_eq!(calls.all()[0].end, None);
        assert_eq!(calls.all()[0].took(), Duration::ZERO);
        let refused = Outcome::Refused {
            status: 400,
            code: Some("ClusterNotFoundException".to_owned()),
        };
        open.end(refused, None);
        let call = calls.all().remove(0);
        assert_eq!(call.status(), Some(400));
        assert_eq!(call.code(), Some("ClusterNotFoundException"));
        assert_eq!(call.resource, "live/web");
    }
    #[test]
    fn a_call_says_who_made_it_and_whether_it_may_change_something() {
        let calls = Calls::new();
        for (key, name) in [("ada", "UpdateService"), ("bob", "DescribeServices")] {
            calls.begin(&request(key, "ecs", name), String::new(), Vec::new());
        }
        let [write, read] = &calls.all()[..] else {
            panic!("{:?}", calls.all());
        };
        assert_eq!(
            (write.access_key.as_deref(), write.writes),
            (Some("ada"), true)
        );
        assert_eq!(
            (read.access_key.as_deref(), read.writes),
            (Some("bob"), false)
        );
    }
}
