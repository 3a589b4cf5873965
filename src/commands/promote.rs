//! `bgecs promote`

use super::swap::{self, Kind};
use crate::cli::Promote;
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
use crate::session::Session;

pub async fn run(session: &Session, args: &Promote) -> Result<Exit> {
    let observed = session.observe_settled().await?;
    let plan = plan::promote(&observed, args.color)
        .map_err(|refusal| Error::from(refusal).untouched(&observed))?;
    swap::run(
        session,
        Kind::Promote,
        observed,
        plan,
        &args.watch,
        args.dry_run,
    )
    .await
}
