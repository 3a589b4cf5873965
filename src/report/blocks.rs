//! The timeline on a terminal: a row of blocks, each a stretch of time. Pure:
//! told of answers, it says what the row looks like now, and takes no more room
//! however many there are.

use std::ops::Range;
use std::time::Duration;

use super::style::Style;
use crate::engine::seen::NEW;
use crate::model::Color;

/// What a block stands for at first; whenever the row is full, it is twice that.
const FIRST_BLOCK: Duration = Duration::from_millis(100);

const FAILED: char = '✗';
const UNKNOWN: char = '▪';
/// Nothing was answered in that time.
const SILENCE: char = '·';
/// The time that is still to come.
const AHEAD: char = '─';
/// More than one release answered.
const BOTH: char = '▆';
/// The heights of a block, for the new release's share.
const SHARES: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// An answer, as far as the row shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Since the probe began.
    pub at: Duration,
    /// None where nobody can say.
    pub release: Option<AnsweringRelease>,
    pub failed: bool,
}

/// Whose answer it is; in a swap 0 is the old release and 1 the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnsweringRelease {
    pub number: usize,
    pub color: Option<Color>,
}

impl AnsweringRelease {
    /// Old and new differ without colour too.
    fn block(self) -> char {
        if self.number.is_multiple_of(2) {
            '▄'
        } else {
            '█'
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    is_answered: bool,
    has_failed: bool,
    first: Option<AnsweringRelease>,
    last: Option<AnsweringRelease>,
    /// The new one, if it answered.
    newest: Option<AnsweringRelease>,
    /// Answers whose release is known, and how many of them are the new one's.
    known: u32,
    new: u32,
}

impl Cell {
    fn of(answered: Answered) -> Self {
        let release = answered.release.filter(|_| !answered.failed);
        Self {
            is_answered: true,
            has_failed: answered.failed,
            first: release,
            last: release,
            newest: release.filter(|it| it.number == NEW),
            known: u32::from(answered.release.is_some()),
            new: u32::from(answered.release.is_some_and(|it| it.number == NEW)),
        }
    }

    fn then(self, later: Self) -> Self {
        Self {
            is_answered: self.is_answered || later.is_answered,
            has_failed: self.has_failed || later.has_failed,
            first: self.first.or(later.first),
            last: later.last.or(self.last),
            newest: self.newest.or(later.newest),
            known: self.known.saturating_add(later.known),
            new: self.new.saturating_add(later.new),
        }
    }

    fn look(self, are_shares: bool) -> BlockLook {
        match (self.first, self.last) {
            _ if self.has_failed => BlockLook::Failed,
            _ if !self.is_answered => BlockLook::Silence,
            (_, Some(last)) if are_shares => {
                BlockLook::Share(self.height(), self.newest.unwrap_or(last))
            }
            (Some(first), Some(last)) if first.number != last.number => BlockLook::Both(last),
            (_, Some(release)) => BlockLook::Release(release),
            _ => BlockLook::Unknown,
        }
    }

    /// Lowest and highest for one release alone.
    fn height(self) -> usize {
        let most = SHARES.len() - 1;
        match self.new {
            0 => 0,
            new if new == self.known => most,
            new => {
                let share = f64::from(new) / f64::from(self.known);
                ((share * SHARES.len() as f64).round() as usize).clamp(2, most) - 1
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockLook {
    Silence,
    Unknown,
    Release(AnsweringRelease),
    Both(AnsweringRelease),
    /// How high it is, and whose share that is: of nobody but the old one, its.
    Share(usize, AnsweringRelease),
    Failed,
    Ahead,
}

impl BlockLook {
    fn block(self) -> char {
        match self {
            Self::Silence => SILENCE,
            Self::Unknown => UNKNOWN,
            Self::Release(release) => release.block(),
            Self::Both(_) => BOTH,
            Self::Share(height, _) => SHARES[height.min(SHARES.len() - 1)],
            Self::Failed => FAILED,
            Self::Ahead => AHEAD,
        }
    }

    fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Failed => style.bad(text),
            Self::Silence | Self::Ahead => style.dim(text),
            Self::Release(release) | Self::Both(release) | Self::Share(_, release) => {
                match release.color {
                    Some(color) => style.color(color, text),
                    None => text.to_owned(),
                }
            }
            Self::Unknown => text.to_owned(),
        }
    }
}

/// The row.
#[derive(Debug, Clone)]
pub struct Blocks {
    /// At most as many as the row is wide.
    cells: Vec<Cell>,
    width: usize,
    block: Duration,
    /// Each release that was seen, for the legend.
    releases: Vec<AnsweringRelease>,
    /// Whether a block is as high as the new release's share.
    are_shares: bool,
}

impl Blocks {
    /// As wide as that many characters.
    pub fn new(width: usize) -> Self {
        Self {
            cells: Vec::new(),
            width: width.max(2),
            block: FIRST_BLOCK,
            releases: Vec::new(),
            are_shares: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Users go over by shares: from now on a block's height tells the new
    /// release's, in a row as wide as that many characters.
    pub fn show_shares(&mut self, width: usize) {
        self.are_shares = true;
        self.width = width.max(2);
        while self.cells.len() > self.width {
            self.halve();
        }
    }

    pub fn add(&mut self, answered: Answered) {
        let mut place = self.place(answered.at);
        while place >= self.width {
            self.halve();
            place = self.place(answered.at);
        }
        if place >= self.cells.len() {
            self.cells.resize(place + 1, Cell::default());
        }
        self.cells[place] = self.cells[place].then(Cell::of(answered));
        if let Some(release) = answered.release
            && !self.releases.contains(&release)
            && self.releases.len() < self.width
        {
            self.releases.push(release);
        }
    }

    fn place(&self, at: Duration) -> usize {
        usize::try_from(at.as_nanos() / self.block.as_nanos().max(1)).unwrap_or(usize::MAX)
    }

    fn halve(&mut self) {
        self.block = self.block.saturating_mul(2);
        self.cells = self
            .cells
            .chunks(2)
            .map(|two| {
                two.iter()
                    .fold(Cell::default(), |all, cell| all.then(*cell))
            })
            .collect();
    }

    /// The row now, where that share of the time has passed (0 to 1).
    pub fn row(&self, share: f64, style: Style) -> String {
        let ahead = self.ahead(share);
        let looks: Vec<BlockLook> = self
            .cells
            .iter()
            .map(|cell| cell.look(self.are_shares))
            .chain(std::iter::repeat_n(BlockLook::Ahead, ahead))
            .collect();
        runs(&looks)
            .map(|run| {
                let look = looks[run.start];
                let text: String = std::iter::repeat_n(look.block(), run.len()).collect();
                look.paint(style, &text)
            })
            .collect()
    }

    /// How many blocks the time that is left will take, as far as they fit.
    fn ahead(&self, share: f64) -> usize {
        let used = self.cells.len();
        let whole = used as f64 / share.clamp(0.01, 1.0);
        (whole.round() as usize)
            .min(self.width)
            .saturating_sub(used)
    }

    /// What the blocks mean, as far as they were seen.
    pub fn legend(&self, style: Style) -> String {
        let mut seen: Vec<String> = self
            .releases
            .iter()
            .filter_map(|release| {
                let block = match self.are_shares {
                    true if release.number == NEW => '█',
                    true => SHARES[0],
                    false => release.block(),
                };
                let text = format!("{block} {}", release.color?);
                Some(BlockLook::Release(*release).paint(style, &text))
            })
            .collect();
        if self.are_shares && seen.len() > 1 {
            seen.insert(1, format!("{} both", SHARES[3]));
        }
        if self.cells.iter().any(|cell| cell.has_failed) {
            seen.push(style.bad(format!("{FAILED} failed")));
        }
        let each = style.dim(format!("{} s each", self.block.as_secs_f64()));
        seen.push(each);
        seen.join("  ")
    }
}

/// Where equal ones follow one another.
fn runs(looks: &[BlockLook]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    looks.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}

#[cfg(test)]
mod tests;
