//! The time that AWS sends with each answer, to the second: the machines that share a
//! lease may have different times, and laptops often do.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use time::{Duration, OffsetDateTime};

/// Half of the second to which the answer's date is accurate.
const HALF_A_SECOND: i64 = 500;

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// What must be added to this machine's time, in milliseconds.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// This machine's time until AWS has sent its own.
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::milliseconds(self.ahead.load(Ordering::Relaxed))
    }

    fn told(&self, date: &str, now: OffsetDateTime) {
        let Ok(date) = DateTime::from_str(date, Format::HttpDate) else {
            return;
        };
        let here = now.unix_timestamp_nanos() / 1_000_000;
        let there = i128::from(date.secs()) * 1000 + i128::from(HALF_A_SECOND);
        // Within half a second AWS's time shows nothing, and this clock is finer.
        let ahead = match i64::try_from(there - here) {
            Ok(ahead) if ahead.abs() > HALF_A_SECOND => ahead,
            _ => 0,
        };
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.told(date, OffsetDateTime::now_utc());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_set_right_and_one_that_is_not_is_left() {
        let there = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let date = "Tue, 14 Nov 2023 22:13:20 GMT";
        for (off, ahead) in [(0, 0), (900, 0), (-90_000, 90_500), (120_000, -119_500)] {
            let clock = Clock::default();
            clock.told(date, there + Duration::milliseconds(off));
            assert_eq!(clock.ahead.load(Ordering::Relaxed), ahead, "{off} ms off");
        }
    }

    #[test]
    fn what_is_no_date_says_nothing() {
        let clock = Clock::default();
        clock.told("tomorrow", OffsetDateTime::now_utc());
        assert_eq!(clock.ahead.load(Ordering::Relaxed), 0);
    }
}
