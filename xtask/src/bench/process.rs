//! bgecs as a process: how soon it is there, and how much memory it takes.

use super::figures::Unit;
use super::row::Row;
use super::stage::App;
use super::table::Found;
use crate::Result;

/// Starting is short and varies more than anything else here.
const STARTS: usize = 10;

pub async fn measure(app: &App<'_>, runs: usize) -> Result<Found> {
    let version = app.bgecs(&["--version"]);
    let mut starts = Vec::new();
    for _ in 0..runs * STARTS {
        starts.push(version.run().await?.milliseconds());
    }
    let mut peaks = Vec::new();
    for _ in 0..runs {
        peaks.push(app.bgecs(&["promote"]).watched().await?.peak_kib);
    }
    Ok(Found {
        rows: vec![
            Row::alone("`bgecs --version`, a new process", Unit::Time, &starts)?.at_most(10.0),
            Row::alone("peak memory of a promote", Unit::Memory, &peaks)?.at_most(40.0 * 1024.0),
        ],
        notes: Vec::new(),
    })
}
