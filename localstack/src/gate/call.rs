//! One call of AWS's API, from its request to what the client gets: recorded,
//! spoilt if it is to be, corrected or forwarded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use hyper::StatusCode;

use super::faults::{Fate, Faults, Spoilt, Struck, What};
use super::past::{HORIZON, Past};
use super::rates::Rates;
use super::record::{Calls, Outcome, Staleness};
use super::refusal::{self, Kind};
use super::request::{Answer, Operation, Protocol, Request};
use super::upstream::{Failed, Upstream};

/// Answers of more than that are not kept, since no state of a service is so
/// large and what is read from S3 may be.
const KEPT: usize = 1 << 20;

/// Answers some operations better than the emulator does.
pub trait Correct: Send + Sync {
    /// Whether [`Correct::answer`] is to be asked instead of the emulator.
    fn corrects(&self, operation: &Operation) -> bool;

    /// Forwards the call by itself, if and as it has to be.
    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>>;

    /// A write was made, of whatever service: it may have changed what this one
    /// answers for.
    fn wrote(&self, _: &Operation) {}
}

/// What happens to calls, and what is known of them.
pub struct Pipeline {
    pub upstream: Upstream,
    /// The first that corrects an operation is asked.
    pub correctors: Vec<Arc<dyn Correct>>,
    pub calls: Calls,
    pub faults: Faults,
    pub rates: Rates,
    pub past: Mutex<Past<Key, Request, Answer>>,
}

/// Tells apart reads that may have different answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    account: Option<String>,
    service: String,
    name: String,
    query: Option<String>,
    body: Bytes,
}

impl Key {
    fn of(request: &Request) -> Self {
        Self {
            account: request.access_key(),
            service: request.operation.service.clone(),
            name: request.operation.name.clone(),
            query: request.head.uri.query().map(str::to_owned),
            body: request.body.clone(),
        }
    }
}

/// What became of a call, before the record and the client are told.
struct Carried {
    outcome: Outcome,
    staleness: Option<Staleness>,
    /// None if the connection is to end without an answer.
    answer: Option<Answer>,
}

impl Pipeline {
    /// None if the connection is to end without an answer.
    pub async fn carry_out(&self, request: &Request) -> Option<Answer> {
        let resource = request.resource();
        let struck = self.faults.strike(&request.operation, &resource);
        let spoilt = Spoilt::by(&struck);
        let fate = match self.rates.admit(request) {
            true => spoilt.fate,
            false => Fate::Throttled,
        };
        let open = self.calls.begin(request, resource, struck.clone());
        if !spoilt.delay.is_zero() {
            tokio::time::sleep(spoilt.delay).await;
        }
        self.faults.hold(&struck, What::HoldBefore).await;
        let carried = self.spoil(request, fate, &struck).await;
        open.end(carried.outcome, carried.staleness);
        carried.answer
    }

    async fn spoil(&self, request: &Request, fate: Fate, struck: &[Struck]) -> Carried {
        let protocol = request.operation.protocol;
        match fate {
            Fate::Lost => dropped(false),
            Fate::Throttled => answered(protocol, refusal::answer(request, Kind::Throttled)),
            Fate::InternalError => {
                answered(protocol, refusal::answer(request, Kind::InternalError))
            }
            Fate::Forwarded {
                stale_by,
                answer_lost,
            } => {
                let (answer, staleness) = self.effect(request, stale_by).await;
                self.faults.hold(struck, What::HoldAfter).await;
                let carried = match answer {
                    Err(failed) => unanswered(&failed),
                    Ok(_) if answer_lost => dropped(true),
                    Ok(answer) => answered(protocol, answer),
                };
                Carried {
                    staleness,
                    ..carried
                }
            }
        }
    }

    async fn effect(
        &self,
        request: &Request,
        stale_by: Option<Duration>,
    ) -> (Result<Answer, Failed>, Option<Staleness>) {
        if !request.operation.is_read() {
            return (self.write(request).await, None);
        }
        let live = self.read(request).await;
        match (live, stale_by) {
            (Ok(live), Some(age)) => {
                let (answer, staleness) = self.aged(request, live, age);
                (Ok(answer), Some(staleness))
            }
            (live, _) => (live, None),
        }
    }

    /// Makes the read, and remembers what it was answered.
    async fn read(&self, request: &Request) -> Result<Answer, Failed> {
        let began = Instant::now();
        let answer = self.live(request).await?;
        if !answer.status.is_server_error() && answer.body.len() <= KEPT {
            let during = (began, Instant::now());
            let (question, kept) = (request.clone(), answer.clone());
            self.past().sample(Key::of(request), question, during, kept);
        }
        Ok(answer)
    }

    fn aged(&self, request: &Request, live: Answer, age: Duration) -> (Answer, Staleness) {
        let now = Instant::now();
        let then = now.checked_sub(age.min(HORIZON));
        let known = then.and_then(|then| self.past().as_of(&Key::of(request), then));
        match known {
            Some((seen, answer)) => (answer, Staleness::SeenBefore(now - seen)),
            None => (live, Staleness::NothingOlder),
        }
    }

    async fn write(&self, request: &Request) -> Result<Answer, Failed> {
        self.look_before_write().await;
        let write = self.past().write_begins(Instant::now());
        let answer = self.live(request).await;
        self.past().write_ended(write, Instant::now());
        for corrector in &self.correctors {
            corrector.wrote(&request.operation);
        }
        answer
    }

    /// Makes those reads again that may have to be answered with the state that
    /// is about to end. One that fails leaves no sample.
    async fn look_before_write(&self) {
        if !self.faults.may_make_any_stale() {
            return;
        }
        let known = self.past().questions();
        let wanted = known
            .iter()
            .filter(|(_, read)| self.faults.may_make_stale(read));
        join_all(wanted.map(|(_, read)| self.read(read))).await;
    }

    async fn live(&self, request: &Request) -> Result<Answer, Failed> {
        let mut correctors = self.correctors.iter();
        match correctors.find(|one| one.corrects(&request.operation)) {
            Some(corrector) => corrector.answer(request).await,
            None => self.upstream.forward(request).await,
        }
    }

    fn past(&self) -> MutexGuard<'_, Past<Key, Request, Answer>> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn dropped(forwarded: bool) -> Carried {
    Carried {
        outcome: Outcome::Dropped { forwarded },
        staleness: None,
        answer: None,
    }
}

fn answered(protocol: Protocol, answer: Answer) -> Carried {
    let status = answer.status.as_u16();
    let outcome = match status {
        400.. => Outcome::Refused {
            status,
            code: refusal::code(protocol, &answer),
        },
        _ => Outcome::Answered { status },
    };
    Carried {
        outcome,
        staleness: None,
        answer: Some(answer),
    }
}

fn unanswered(failed: &Failed) -> Carried {
    let reason = failed.to_string();
    Carried {
        answer: Some(no_answer(&reason)),
        outcome: Outcome::NoAnswer { reason },
        staleness: None,
    }
}

/// What a client gets if the emulator gives nothing.
pub fn no_answer(reason: &str) -> Answer {
    let mut headers = hyper::HeaderMap::new();
    let plain = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(hyper::header::CONTENT_TYPE, plain);
    Answer {
        status: StatusCode::BAD_GATEWAY,
        headers,
        body: format!("{reason}\n").into(),
    }
}
