//! Retries calls that AWS throttles although bgecs keeps to its rates: others make calls
//! as well.

use std::time::Duration;

use tokio::time::sleep;

use crate::aws::error::{AwsError, AwsErrorKind};

/// After each pause the call is made again, and the SDK retries it several times. By the
/// last pause, anyone else who lists as many apps at the same time has finished.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// There is enough time when many apps are read, and every failed call would leave an app
/// unread.
pub async fn unless_throttled<T>(
    call: impl AsyncFn() -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    for pause in PAUSES {
        match call().await {
            Err(error) if error.kind == AwsErrorKind::Throttled => sleep(pause).await,
            answered => return answered,
        }
    }
    call().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    fn error(kind: AwsErrorKind) -> AwsError {
        AwsError {
            kind,
            ..AwsError::unusable("ecs:DescribeServices", "prod", "Rate exceeded")
        }
    }

    /// How often the call was made, and the result, if that many calls fail.
    async fn made(failing: u32, kind: AwsErrorKind) -> (u32, Result<u32, AwsError>) {
        let made = Cell::new(0);
        let answer = unless_throttled(async || {
            made.set(made.get() + 1);
            match made.get() <= failing {
                true => Err(error(kind)),
                false => Ok(made.get()),
            }
        });
        let answer = answer.await;
        (made.get(), answer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_throttled_is_made_again_and_any_other_is_not() {
        let begun = Instant::now();
        assert_eq!(made(2, AwsErrorKind::Throttled).await.1.unwrap(), 3);
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
        let (times, denied) = made(1, AwsErrorKind::Denied).await;
        assert_eq!((times, denied.unwrap_err().kind), (1, AwsErrorKind::Denied));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_throttled_for_long_fails() {
        let (times, answer) = made(99, AwsErrorKind::Throttled).await;
        assert_eq!(
            (times, answer.unwrap_err().kind),
            (6, AwsErrorKind::Throttled)
        );
    }
}
