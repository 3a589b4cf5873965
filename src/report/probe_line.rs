//! The probe's line on a terminal. It is folded here, ahead of the printer's
//! queue: of twenty thousand answers a second ten lines are drawn.

use std::time::{Duration, Instant};

use super::blocks::{Answered, Blocks};
use super::style::Style;

/// Between two drawings, at least.
const FRAME: Duration = Duration::from_millis(100);
/// Beside the row: what is ahead of it, the counts, and a little room.
const BESIDE: u16 = 42;

#[derive(Debug)]
pub struct ProbeLine {
    blocks: Blocks,
    drawn: Option<Instant>,
}

impl ProbeLine {
    /// For a terminal of that many columns.
    pub fn new(columns: u16) -> Self {
        let width = columns.saturating_sub(BESIDE).clamp(10, 120);
        Self {
            blocks: Blocks::new(usize::from(width)),
            drawn: None,
        }
    }

    pub fn add(&mut self, answered: Answered) {
        self.blocks.add(answered);
    }

    /// The row, unless one was drawn just now.
    pub fn due(&mut self, now: Instant, share: f64, style: Style) -> Option<String> {
        if self.drawn.is_some_and(|drawn| now < drawn + FRAME) {
            return None;
        }
        self.drawn = Some(now);
        Some(self.blocks.row(share, style))
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

#[cfg(test)]
mod tests {
    use super::*;

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
            line.due(began + at, 0.5, Style::plain()).is_some()
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
