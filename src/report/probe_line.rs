//! The probe's line on a terminal. It is folded here, ahead of the printer's
//! queue: of twenty thousand answers a second ten lines are drawn.

use std::time::{Duration, Instant};

use super::blocks::{Answered, Blocks};
use super::style::Style;
use crate::engine::seen::{StageSoFar, percent};
use crate::spoken_time::short;

/// Between two drawings, at least.
const FRAME: Duration = Duration::from_millis(100);
/// Beside the row: what is ahead of it, the counts, and a little room.
const BESIDE: u16 = 42;
/// The same while a stage is watched.
const BESIDE_STAGE: u16 = 60;

/// A stage of a gradual shift that is being watched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageNow {
    /// The new release's, in basis points.
    pub share: u16,
    /// For how long it is watched, and how much of that is left.
    pub bake: Duration,
    pub left: Duration,
    pub so_far: StageSoFar,
}

/// The counts of the probe, and of the stage that is watched.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    pub sent: u64,
    pub failed: u64,
    pub stage: Option<StageNow>,
}

#[derive(Debug)]
pub struct ProbeLine {
    blocks: Blocks,
    columns: u16,
    drawn: Option<Instant>,
}

impl ProbeLine {
    /// For a terminal of that many columns.
    pub fn new(columns: u16) -> Self {
        Self {
            blocks: Blocks::new(row_width(columns, BESIDE)),
            columns,
            drawn: None,
        }
    }

    pub fn add(&mut self, answered: Answered) {
        self.blocks.add(answered);
    }

    /// The row and what is beside it, unless they were drawn just now. That share
    /// of the time has passed (0 to 1).
    pub fn due(&mut self, now: Instant, share: f64, count: Count, style: Style) -> Option<String> {
        if self.drawn.is_some_and(|drawn| now < drawn + FRAME) {
            return None;
        }
        self.drawn = Some(now);
        if count.stage.is_some() {
            self.blocks
                .show_shares(row_width(self.columns, BESIDE_STAGE));
        }
        Some(count.beside(&self.blocks.row(share, style), style))
    }

    /// The row at the end with what it means; the next one begins anew.
    pub fn end(&mut self, columns: u16, style: Style) -> Option<String> {
        let Self { blocks, .. } = std::mem::replace(self, Self::new(columns));
        (!blocks.is_empty()).then(|| {
            let row = blocks.row(1.0, style);
            format!("  {row}  {}", blocks.legend(style))
        })
    }
}

fn row_width(columns: u16, beside: u16) -> usize {
    usize::from(columns.saturating_sub(beside).clamp(10, 120))
}

impl Count {
    fn beside(self, row: &str, style: Style) -> String {
        let Some(stage) = self.stage else {
            return format!("{row}  {} sent, {} failed", self.sent, self.failed);
        };
        let so_far = stage.so_far;
        let seen = so_far
            .seen_share
            .map_or_else(|| "–".to_owned(), |seen| format!("{seen:.1}%"));
        let failed = format!("{} of {} failed", so_far.failed, so_far.requests);
        format!(
            "{}% for {}  {row}  {} left  new {seen}  {}",
            percent(stage.share),
            short(stage.bake),
            short(stage.left),
            match so_far.failed {
                0 => failed,
                _ => style.bad(failed),
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Color;
    use crate::report::AnsweringRelease;

    const COUNT: Count = Count {
        sent: 12,
        failed: 0,
        stage: None,
    };

    #[test]
    fn a_stage_says_what_was_asked_what_is_seen_and_what_is_left() {
        let mut line = ProbeLine::new(80);
        for n in 0..150 {
            let number = usize::from(n >= 20 && n % 4 == 0);
            let color = [Color::Green, Color::Blue][number];
            line.add(Answered {
                at: Duration::from_millis(n * 100),
                release: Some(AnsweringRelease {
                    number,
                    color: Some(color),
                }),
                failed: false,
            });
        }
        let stage = Some(StageNow {
            share: 2500,
            bake: Duration::from_secs(600),
            left: Duration::from_secs(372),
            so_far: StageSoFar {
                seen_share: Some(24.62),
                requests: 152,
                failed: 0,
            },
        });
        let (count, plain) = (Count { stage, ..COUNT }, Style::plain());
        let shown = line.due(Instant::now(), 0.75, count, plain).unwrap();
        assert_eq!(
            shown,
            "25% for 10m  ▁▁▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▃─  6m 12s left  new 24.6%  0 of 152 failed"
        );
        let last = line.end(80, plain).unwrap();
        assert!(
            last.ends_with("▁ green  ▄ both  █ blue  0.8 s each"),
            "{last}"
        );
    }

    #[test]
    fn however_many_answers_there_are_few_rows_are_drawn() {
        let mut line = ProbeLine::new(80);
        let began = Instant::now();
        let drawn = (0..20_000_u64).filter(|n| {
            let at = Duration::from_micros(n * 50);
            line.add(Answered {
                at,
                release: None,
                failed: false,
            });
            line.due(began + at, 0.5, COUNT, Style::plain()).is_some()
        });
        assert_eq!(drawn.count(), 10, "in a second");
    }

    #[test]
    fn the_last_row_stays_and_the_next_begins_anew() {
        let mut line = ProbeLine::new(80);
        assert_eq!(line.end(80, Style::plain()), None, "nothing was answered");
        line.add(Answered {
            at: Duration::ZERO,
            release: None,
            failed: true,
        });
        let last = line.end(80, Style::plain());
        assert_eq!(last.as_deref(), Some("  ✗  ✗ failed  0.1 s each"));
        assert_eq!(line.end(80, Style::plain()), None);
    }
}
