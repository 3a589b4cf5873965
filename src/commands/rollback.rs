//! `bgecs rollback`

use super::swap::{self, Kind};
use crate::cli::Rollback;
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
use crate::session::Session;

pub async fn run(session: &Session, args: &Rollback) -> Result<Exit> {
    let observed = session.observe().await?;
    let plan =
        plan::rollback(&observed).map_err(|refusal| Error::from(refusal).untouched(&observed))?;
    swap::run(
        session,
        Kind::Rollback,
        observed,
        plan,
        &args.watch,
        args.dry_run,
    )
    .await
}
