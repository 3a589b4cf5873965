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
/// Of a block, how high the new release's share is.
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
mod tests {
    use super::*;

    const OLD: Option<AnsweringRelease> = Some(AnsweringRelease {
        number: 0,
        color: Some(Color::Green),
    });
    const NEW: Option<AnsweringRelease> = Some(AnsweringRelease {
        number: 1,
        color: Some(Color::Blue),
    });

    fn answered(at_ms: u64, release: Option<AnsweringRelease>) -> Answered {
        Answered {
            at: Duration::from_millis(at_ms),
            release,
            failed: false,
        }
    }

    fn failed(at_ms: u64) -> Answered {
        Answered {
            failed: true,
            ..answered(at_ms, None)
        }
    }

    fn row(width: usize, answers: impl IntoIterator<Item = Answered>) -> String {
        let mut blocks = Blocks::new(width);
        for answer in answers {
            blocks.add(answer);
        }
        blocks.row(1.0, Style::plain())
    }

    #[test]
    fn each_answer_is_told_without_colour() {
        let answers = [
            answered(0, OLD),
            answered(110, OLD),
            answered(120, NEW),
            answered(200, NEW),
            failed(300),
            answered(500, None),
        ];
        assert_eq!(row(10, answers), "▄▆█✗·▪");
    }

    #[test]
    fn a_failure_among_good_answers_is_seen() {
        let many = |times: Range<u64>| times.map(|n| answered(n, NEW));
        let answers = many(0..450).chain([failed(450)]).chain(many(451..1000));
        assert_eq!(row(10, answers.clone()), "████✗█████");
        let twice_as_long = answers.chain(many(1000..2000));
        assert_eq!(row(10, twice_as_long), "██✗███████");
    }

    #[test]
    fn a_full_row_has_room_again() {
        let seconds = |count: u64| (0..count * 10).map(|n| answered(n * 100, NEW));
        assert_eq!(row(10, seconds(1)).chars().count(), 10);
        assert_eq!(row(10, seconds(2)).chars().count(), 10);
        let long = seconds(60).chain([answered(60_000, OLD)]);
        assert_eq!(row(10, long), "█████████▆");
    }

    #[test]
    fn an_answer_hours_later_is_no_longer_row() {
        let answers = [answered(0, OLD), answered(36_000_000, NEW)];
        let row = row(40, answers);
        assert!((2..=40).contains(&row.chars().count()), "{row}");
        assert!(row.starts_with('▄') && row.ends_with('█'), "{row}");
    }

    #[test]
    fn the_time_ahead_is_drawn_as_far_as_it_fits() {
        let mut blocks = Blocks::new(10);
        for n in 0..4 {
            blocks.add(answered(n * 100, NEW));
        }
        assert_eq!(blocks.row(0.5, Style::plain()), "████────");
        assert_eq!(blocks.row(0.01, Style::plain()), "████──────");
        assert_eq!(blocks.row(1.0, Style::plain()), "████");
        assert_eq!(blocks.row(f64::NAN, Style::plain()).chars().count(), 4);
    }

    #[test]
    fn a_block_is_as_high_as_the_share_of_the_new_release() {
        let tenth = |n: u64| answered(n * 10, if n.is_multiple_of(10) { NEW } else { OLD });
        let half = |n: u64| answered(n * 10, if n.is_multiple_of(2) { NEW } else { OLD });
        let mut blocks = Blocks::new(10);
        let all = (0..10).map(|n| answered(n * 10, OLD));
        let all = all.chain((10..30).map(tenth)).chain((30..50).map(half));
        let all = all.chain((50..60).map(|n| answered(n * 10, NEW)));
        for answer in all.chain([failed(600)]) {
            blocks.add(answer);
        }
        blocks.show_shares(10);
        assert_eq!(blocks.row(1.0, Style::plain()), "▁▂▂▄▄█✗");
        assert_eq!(
            blocks.legend(Style::plain()),
            "▁ green  ▄ both  █ blue  ✗ failed  0.1 s each"
        );
        blocks.show_shares(4);
        assert_eq!(blocks.row(1.0, Style::plain()), "▂▂▆✗");
    }

    #[test]
    fn the_legend_names_what_was_seen() {
        let mut blocks = Blocks::new(10);
        blocks.add(answered(0, OLD));
        blocks.add(answered(1_500, NEW));
        assert_eq!(blocks.legend(Style::plain()), "▄ green  █ blue  0.2 s each");
        blocks.add(failed(100));
        assert!(blocks.legend(Style::plain()).contains("✗ failed"));
    }
}
