//! Throttling by rate, as AWS publishes it: token buckets by service and operation, of an
//! account in a region.
//!
//! "Buckets automatically refill at a set rate. If a bucket is below its maximum capacity, a
//! set number of tokens is added back every second until the bucket reaches its maximum
//! capacity"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>):
//! so it is here, and no token comes any sooner. A call that is throttled takes none.
//!
//! Nothing is held to the rates until it is asked for. `table` has the figures.

mod table;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::record::Call;
use super::request::{Operation, Request};
use table::{RATES, Rate};

/// Whether calls are held to AWS's rates, and what is left of them. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Rates(Arc<Mutex<Option<Held>>>);

/// The buckets that were drawn from. Any other one is full.
#[derive(Debug)]
struct Held {
    since: Instant,
    left: HashMap<Bucket, Tokens>,
}

/// Which one, of whose, where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Bucket {
    rate: usize,
    account: Option<String>,
    region: Option<String>,
}

/// In thousandths, for some come back more slowly than one a second.
#[derive(Debug, Clone, Copy)]
struct Tokens {
    thousandths: u64,
    /// In which second they were so many.
    second: u64,
}

const ONE: u64 = 1000;

impl Rates {
    /// From now on, with full buckets.
    pub fn hold(&self) {
        *self.locked() = Some(Held {
            since: Instant::now(),
            left: HashMap::new(),
        });
    }

    /// Lets all calls pass again.
    pub fn let_go(&self) {
        *self.locked() = None;
    }

    pub fn are_held(&self) -> bool {
        self.locked().is_some()
    }

    /// Takes what the call costs; false where that is not there.
    pub(super) fn admit(&self, request: &Request) -> bool {
        match &mut *self.locked() {
            None => true,
            Some(held) => {
                let second = held.since.elapsed().as_secs();
                let (account, region) = (request.access_key(), request.region());
                held.admit(&request.operation, (account, region), second)
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// All of its buckets' tokens, or none.
    fn admit(
        &mut self,
        operation: &Operation,
        (account, region): (Option<String>, Option<String>),
        second: u64,
    ) -> bool {
        let mut taken = Vec::new();
        for (number, rate) in rates_of(&operation.service, &operation.name) {
            let bucket = Bucket {
                rate: number,
                account: account.clone(),
                region: region.clone(),
            };
            let left = self.left.get(&bucket).copied();
            let now = left.map_or_else(|| Tokens::full(rate, second), |it| it.by(rate, second));
            match now.thousandths.checked_sub(ONE) {
                Some(thousandths) => taken.push((
                    bucket,
                    Tokens {
                        thousandths,
                        second,
                    },
                )),
                None => return false,
            }
        }
        self.left.extend(taken);
        true
    }
}

impl Tokens {
    fn full(rate: &Rate, second: u64) -> Self {
        Self {
            thousandths: rate.capacity * ONE,
            second,
        }
    }

    /// With what came back until then.
    fn by(self, rate: &Rate, second: u64) -> Self {
        let passed = second.saturating_sub(self.second);
        let back = passed.saturating_mul(rate.thousandths_a_second);
        Self {
            thousandths: (self.thousandths + back).min(rate.capacity * ONE),
            second,
        }
    }
}

fn rates_of<'a>(
    service: &'a str,
    operation: &'a str,
) -> impl Iterator<Item = (usize, &'static Rate)> + 'a {
    let all = RATES.iter().enumerate();
    all.filter(move |(_, rate)| rate.service == service && (rate.covers)(operation))
}

/// How long these calls take at least, made as fast as the rates allow with full buckets:
/// as long as the bucket that has the most to do takes for what it does not have at first.
pub fn least_time(calls: &[Call]) -> Duration {
    let mut made: HashMap<usize, u64> = HashMap::new();
    for call in calls {
        for (number, _) in rates_of(&call.service, &call.operation) {
            *made.entry(number).or_default() += 1;
        }
    }
    let times = made.into_iter().map(|(number, count)| {
        let rate = &RATES[number];
        let waited_for = count.saturating_sub(rate.capacity) * ONE;
        let seconds = waited_for as f64 / rate.thousandths_a_second as f64;
        Duration::from_secs_f64(seconds)
    });
    times.max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
