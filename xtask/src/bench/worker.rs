//! Several workers on one queue: the same uploads of many apps are released by one worker,
//! by two and by four, and each time it is looked at what became of them. Apps go side by
//! side, and each of them in the order of its uploads, since each has a group of its own
//! in the queue.
//!
//! Colours are of somebody else and their `deploy` is an echo, so what is measured is what
//! bgecs itself takes, with the waits that are its own.

mod released;
mod yard;

use std::time::Duration;

use super::figures::Unit;
use super::program::milliseconds;
use super::row::Row;
use super::stage::Stage;
use super::table::Found;
use crate::{Result, say};
use released::{Span, at_once, workers_of};
use yard::Yard;

const APPS: usize = 50;
/// Of each app.
const UPLOADS: usize = 4;
const WORKERS: [usize; 3] = [1, 2, 4];
/// The time of so many workers in that of one, at most: an even share, and a fifth of it
/// for what they wait for each other.
const SHARES: [(usize, f64); 2] = [(2, 0.6), (4, 0.3)];

/// What so many workers made of the uploads.
struct Shift {
    workers: usize,
    wall: Duration,
    spans: Vec<Span>,
}

pub async fn measure(stage: &Stage<'_>) -> Result<Found> {
    let yard = Yard::laid_out(stage, APPS).await?;
    let mut shifts = Vec::new();
    for workers in WORKERS {
        let shift = worked(&yard, workers).await?;
        say::line(&format!("  {}", shift.told()));
        shifts.push(shift);
    }
    found(&shifts)
}

async fn worked(yard: &Yard<'_>, workers: usize) -> Result<Shift> {
    let tags: Vec<String> = (1..=UPLOADS).map(|n| format!("{workers}-{n}")).collect();
    for tag in &tags {
        yard.submit(tag).await?;
    }
    let wall = yard.emptied_by(workers).await?;
    let spans = yard.released(&tags).await?;
    let who = workers_of(&spans);
    match who == workers {
        true => Ok(Shift {
            workers,
            wall,
            spans,
        }),
        false => Err(format!("{who} of {workers} workers released something").into()),
    }
}

impl Shift {
    fn told(&self) -> String {
        let Self { workers, spans, .. } = self;
        let (count, seconds) = (spans.len(), self.wall.as_secs_f64());
        format!(
            "{workers} of them: {count} uploads in {seconds:.0} s, {:.0} a minute, {} apps at once at most; \
             each was released once, in its order, and no app twice at once",
            count as f64 * 60.0 / seconds,
            at_once(spans),
        )
    }
}

fn found(shifts: &[Shift]) -> Result<Found> {
    let wall = |workers| {
        let shift = shifts.iter().find(|it| it.workers == workers);
        shift.map(|it| milliseconds(it.wall))
    };
    let alone = wall(1).ok_or("one worker alone was not measured")?;
    let mut rows = Vec::new();
    for (workers, share) in SHARES {
        let wall = wall(workers).ok_or("not all were measured")?;
        let what = format!(
            "{} uploads of {APPS} apps, released by {workers} workers",
            APPS * UPLOADS
        );
        let row = Row::beside(what, "by one", Unit::Time, &[(wall, alone)])?;
        rows.push(row.at_most(share));
    }
    Ok(Found {
        rows,
        notes: shifts.iter().map(Shift::told).collect(),
    })
}
