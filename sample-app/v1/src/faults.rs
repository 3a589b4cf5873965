//! Faults to order, for rehearsing a release that goes wrong.
//!
//! A blue/green release is worth having for the day a version is broken. These
//! switches, all off unless set in the environment, make this version broken in
//! the ways that matter, so that you can watch the release be refused:
//!
//! | Variable | What goes wrong |
//! |---|---|
//! | `GREETER_CRASH=1` | It exits with code 3 at start. |
//! | `GREETER_START_DELAY_MS=n` | It listens only after n milliseconds. |
//! | `GREETER_UNHEALTHY=1` | `/health` answers 500. |
//! | `GREETER_FAIL_AFTER_REQUESTS=n` | `/` and `/api` answer 500 once n requests were served. |
//! | `GREETER_FAIL_EVERY=n` | Each nth answer of `/` and `/api` is a 500. |
//! | `GREETER_FAIL_WHEN_LIVE=1` | `/` and `/api` answer 500, except on the test port. |
//! | `GREETER_TEST_PORT=n` | Which port that is: 81 unless set. |
//! | `GREETER_SLOW_MS=n` | `/` and `/api` take n milliseconds. |
//! | `GREETER_SLOW_EVERY=n` | Only each nth time they do. |
//!
//! `/health` answers at once and fails for `GREETER_UNHEALTHY` alone: the other
//! faults are those that a health check does not see.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::http::uri::Authority;

/// The exit code for `GREETER_CRASH`.
pub const CRASHED: u8 = 3;

/// The faults that are switched on.
#[derive(Debug)]
pub struct Faults {
    /// Exit at start, before anything else.
    pub crash: bool,
    /// How long to wait before listening.
    pub start_delay: Duration,
    slow: Duration,
    slow_every: NonZeroU64,
    unhealthy: bool,
    fail_after: Option<u64>,
    fail_every: Option<NonZeroU64>,
    fail_when_live: bool,
    test_port: u16,
    asked: AtomicU64,
    served: AtomicU64,
}

impl Faults {
    /// Reads the switches from an environment. The error is a sentence: a switch
    /// that is misspelt must not pass for a version that withstood the fault.
    pub fn read(env: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let switch = |key| match env(key).as_deref() {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(other) => Err(format!("{key} is to be 0 or 1, not {other:?}")),
        };
        let number = |key| match env(key).map(|text| (text.parse::<u64>(), text)) {
            None => Ok(None),
            Some((Ok(number), _)) => Ok(Some(number)),
            Some((Err(_), text)) => Err(format!("{key} is to be a whole number, not {text:?}")),
        };
        let nth = |key| match number(key)?.map(NonZeroU64::new) {
            Some(None) => Err(format!("{key} is to be 1 or more")),
            every => Ok(every.flatten()),
        };
        let milliseconds = |key| Ok::<_, String>(Duration::from_millis(number(key)?.unwrap_or(0)));
        Ok(Self {
            crash: switch("GREETER_CRASH")?,
            start_delay: milliseconds("GREETER_START_DELAY_MS")?,
            slow: milliseconds("GREETER_SLOW_MS")?,
            slow_every: nth("GREETER_SLOW_EVERY")?.unwrap_or(NonZeroU64::MIN),
            unhealthy: switch("GREETER_UNHEALTHY")?,
            fail_after: number("GREETER_FAIL_AFTER_REQUESTS")?,
            fail_every: nth("GREETER_FAIL_EVERY")?,
            fail_when_live: switch("GREETER_FAIL_WHEN_LIVE")?,
            test_port: number("GREETER_TEST_PORT")?
                .unwrap_or(81)
                .try_into()
                .map_err(|_| "GREETER_TEST_PORT is to be a port".to_owned())?,
            asked: AtomicU64::new(0),
            served: AtomicU64::new(0),
        })
    }

    /// Counts a request for a greeting and says how long it takes.
    pub fn delay(&self) -> Duration {
        let count = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        match count.is_multiple_of(self.slow_every.get()) {
            true => self.slow,
            false => Duration::ZERO,
        }
    }

    /// Why `/health` fails, if it does.
    pub fn in_health(&self) -> Option<&'static str> {
        self.unhealthy.then_some("GREETER_UNHEALTHY")
    }

    /// Counts a request for a greeting and says why it fails, if it does. `host`
    /// is the Host header, which a load balancer passes on as the client sent it:
    /// it names the port, unless that is the usual one.
    pub fn in_greeting(&self, host: Option<&str>) -> Option<&'static str> {
        let port = host
            .and_then(|host| host.parse::<Authority>().ok())
            .and_then(|host| host.port_u16());
        if self.fail_when_live && port != Some(self.test_port) {
            return Some("GREETER_FAIL_WHEN_LIVE");
        }
        let before = self.served.fetch_add(1, Ordering::Relaxed);
        let is_nth = |every: NonZeroU64| (before + 1).is_multiple_of(every.get());
        match (self.fail_after, self.fail_every) {
            (Some(limit), _) if before >= limit => Some("GREETER_FAIL_AFTER_REQUESTS"),
            (_, Some(every)) if is_nth(every) => Some("GREETER_FAIL_EVERY"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(set: &[(&str, &str)]) -> Result<Faults, String> {
        Faults::read(|key| {
            let found = set.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_wrong_unless_asked() {
        let faults = faults(&[]).unwrap();
        assert!(!faults.crash);
        assert_eq!((faults.start_delay, faults.delay()), Default::default());
        assert_eq!(faults.in_health(), None);
        assert_eq!(faults.in_greeting(None), None);
    }

    #[test]
    fn fails_after_so_many_greetings() {
        let faults = faults(&[("GREETER_FAIL_AFTER_REQUESTS", "2")]).unwrap();
        assert_eq!(faults.in_greeting(None), None);
        assert_eq!(faults.in_greeting(None), None);
        assert!(faults.in_greeting(None).is_some());
        assert!(faults.in_greeting(None).is_some());
        assert_eq!(faults.in_health(), None);
    }

    #[test]
    fn each_nth_greeting_fails() {
        let faults = faults(&[("GREETER_FAIL_EVERY", "3")]).unwrap();
        let failed = [(); 7].map(|()| faults.in_greeting(None).is_some());
        assert_eq!(failed, [false, false, true, false, false, true, false]);
    }

    #[test]
    fn each_greeting_is_slow_or_each_nth() {
        let slow = ("GREETER_SLOW_MS", "600");
        let delays = |set: &[(&str, &str)]| {
            let faults = faults(set).unwrap();
            [(); 4].map(|()| faults.delay().as_millis())
        };
        assert_eq!(delays(&[slow]), [600; 4]);
        assert_eq!(
            delays(&[slow, ("GREETER_SLOW_EVERY", "2")]),
            [0, 600, 0, 600]
        );
    }

    #[test]
    fn fails_when_live_and_not_on_the_test_port() {
        let when_live = faults(&[("GREETER_FAIL_WHEN_LIVE", "1")]).unwrap();
        for test in ["example.com:81", "127.0.0.1:81", "[::1]:81"] {
            assert_eq!(when_live.in_greeting(Some(test)), None, "{test}");
        }
        for live in ["example.com", "example.com:80", "a:8181", "[::81]", ""] {
            assert!(when_live.in_greeting(Some(live)).is_some(), "{live}");
        }
        assert!(when_live.in_greeting(None).is_some());
        assert_eq!(when_live.in_health(), None);

        let elsewhere = [
            ("GREETER_FAIL_WHEN_LIVE", "1"),
            ("GREETER_TEST_PORT", "8443"),
        ];
        let elsewhere = faults(&elsewhere).unwrap();
        assert_eq!(elsewhere.in_greeting(Some("a:8443")), None);
        assert!(elsewhere.in_greeting(Some("a:81")).is_some());
    }

    #[test]
    fn a_switch_it_cannot_read_is_an_error() {
        for (key, value) in [
            ("GREETER_CRASH", "yes"),
            ("GREETER_SLOW_MS", "2s"),
            ("GREETER_TEST_PORT", "70000"),
            ("GREETER_FAIL_EVERY", "0"),
        ] {
            let error = faults(&[(key, value)]).unwrap_err();
            assert!(error.starts_with(key), "{error}");
        }
        assert!(!faults(&[("GREETER_CRASH", "0")]).unwrap().crash);
    }
}
