//! A call whose answer was lost may still have taken effect. The SDK repeats it by
//! itself, and the repeat can be refused because of that effect. So before the call is
//! said to have failed, its effect is looked for.

use std::time::Duration;

use tokio::time::sleep;

use crate::aws::AwsError;

/// The effect can take a while to become visible.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// The result of the call, or its effect if that is found. `because_of_itself` are the
/// error codes that a repeated call can get because its first try succeeded.
///
/// # Errors
/// The call's own, if no effect is found.
pub async fn or_found<T>(
    called: Result<T, AwsError>,
    because_of_itself: &[&str],
    look: impl AsyncFn() -> Result<Option<T>, AwsError>,
) -> Result<T, AwsError> {
    let error = match called {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    let may_have_happened =
        error.is_ambiguous() || because_of_itself.iter().any(|code| error.has_code(code));
    if !may_have_happened {
        return Err(error);
    }
    for round in 0..LOOKS {
        if round > 0 {
            sleep(PAUSE).await;
        }
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(unseen) => {
                tracing::debug!(%unseen, "cannot see whether it happened");
                break;
            }
        }
    }
    Err(error)
}
