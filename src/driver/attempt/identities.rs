//! What each colour answers to the probe's own question, so that its answers can
//! be told apart later.

use std::time::Duration;

use crate::driver::asking::Asking;
use crate::engine::seen::{Identities, Identity};
use crate::error::Result;
use crate::model::{Answer, Color, Observed};
use crate::probe::ask_once;
use crate::session::Session;

/// The identities of the old colour and the new one, each asked directly.
///
/// # Errors
/// A path that cannot be requested (exit 2).
pub async fn identities(
    session: &Session,
    asking: &Asking,
    observed: &Observed,
    (old, new): (Color, Color),
    patience: Duration,
) -> Result<Identities> {
    let of = |color| identity(session, asking, observed, color, patience);
    let (old, new) = tokio::try_join!(of(old), of(new))?;
    Ok(Identities { old, new })
}

async fn identity(
    session: &Session,
    asking: &Asking,
    observed: &Observed,
    color: Color,
    patience: Duration,
) -> Result<Identity> {
    let address = session
        .color_address(&observed.infrastructure, color, &asking.path)
        .await?;
    let asked = ask_once(&address, &asking.question, patience).await;
    let tag = observed.color(color).tag().map(ToString::to_string);
    let (release, body) = match &*asked.answer {
        Answer::Http { release, body, .. } => (release.clone(), Some(body.clone())),
        Answer::Nothing { .. } => (None, None),
    };
    Ok(Identity {
        name: observed.named(color),
        release: release.or(tag),
        body,
    })
}
