//! A call whose answer was lost may have had its effect. The SDK sends it again
//! by itself, and what comes then can be a refusal because of that effect. So
//! ahead of calling it failed, its effect is looked for.

use std::time::Duration;

use tokio::time::sleep;

use crate::aws::AwsError;

/// The effect can be late to be seen.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// What was called, or what is found of its effect. `because_of_itself` are the
/// codes by which the call's own first try can make its second one fail.
///
/// # Errors
/// The call's own, where nothing of its effect is found.
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
                tracing::debug!(%unseen, "whether it happened cannot be seen");
                break;
            }
        }
    }
    Err(error)
}
