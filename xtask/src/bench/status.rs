//! Looking at what runs: `bgecs status`, with all that it looks at, beside one
//! `aws ecs describe-services`.

use super::figures::Unit;
use super::row::Row;
use super::stage::App;
use super::table::Found;
use crate::Result;

/// Looks in a run: one is short.
const LOOKS: usize = 3;

pub async fn measure(app: &App<'_>, runs: usize) -> Result<Found> {
    let cluster = app.output("ClusterName")?;
    let describe = ["ecs", "describe-services", "--cluster", cluster];
    let describe = app.stage.aws(&describe).await?;
    let describe = describe.with(&["--services", "blue", "green"]);
    let status = app.bgecs(&["status"]);
    let mut pairs = Vec::new();
    for _ in 0..runs * LOOKS {
        let (ours, theirs) = (status.run().await?, describe.run().await?);
        pairs.push((ours.milliseconds(), theirs.milliseconds()));
    }
    let row = Row::beside(
        "`bgecs status`",
        "`aws ecs describe-services` alone",
        Unit::Time,
        &pairs,
    )?;
    Ok(Found {
        rows: vec![row.at_most(0.1)],
        notes: Vec::new(),
    })
}
