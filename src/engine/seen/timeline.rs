//! Every answer over time, for whoever wants to see what users saw: exact while
//! there are few of them, and of a bounded size however many there are.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::model::Connection;

/// What happened when, one lane for each node and kind of connection. Times
/// are milliseconds since the first listener write (negative ahead of it);
/// where nothing was written, since the probe began.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Timeline {
    pub from_ms: f64,
    pub until_ms: f64,
    pub lanes: Vec<Lane>,
}

/// What was seen of one node over one kind of connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lane {
    /// None where the name had no address.
    pub node: Option<IpAddr>,
    pub connection: Connection,
    /// By time. One answer each while there are few; later those of a short
    /// span that came from the same release and fared alike.
    pub dots: Vec<Dot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dot {
    /// When the first of them was answered, or given up.
    pub at_ms: f64,
    /// From the first to the last of them; zero for one.
    pub for_ms: f64,
    pub count: u32,
    /// Which of the evidence's releases answered; None where that is unknown,
    /// and where there was no answer.
    pub release: Option<usize>,
    pub failed: bool,
    /// The longest, from the scheduled instant to the answer's last byte.
    pub latency_ms: f64,
}

/// So many dots are kept, of all lanes together.
const DOTS: usize = 32_768;
/// Answers nearer to each other may be one dot from the beginning.
const NARROWEST: Duration = Duration::from_micros(100);

/// One answer, or what came in its place.
#[derive(Debug, Clone, Copy)]
pub struct AnswerMark {
    pub at: Duration,
    pub latency: Duration,
    pub release: Option<usize>,
    pub failed: bool,
}

/// Takes answers as they come. Where there are too many, the span of time that
/// one dot may stand for is doubled.
#[derive(Debug, Clone)]
pub struct Recorder<K> {
    span: Duration,
    most: usize,
    cells: BTreeMap<(K, u64, bool, Option<usize>), TimelineCell>,
}

#[derive(Debug, Clone, Copy)]
struct TimelineCell {
    first: Duration,
    last: Duration,
    count: u32,
    latency: Duration,
}

impl TimelineCell {
    fn join(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count = self.count.saturating_add(other.count);
        self.latency = self.latency.max(other.latency);
    }
}

impl<K: Ord + Copy> Default for Recorder<K> {
    fn default() -> Self {
        Self::holding(DOTS)
    }
}

impl<K: Ord + Copy> Recorder<K> {
    fn holding(most: usize) -> Self {
        Self {
            span: NARROWEST,
            most,
            cells: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, lane: K, mark: AnswerMark) {
        let cell = TimelineCell {
            first: mark.at,
            last: mark.at,
            count: 1,
            latency: mark.latency,
        };
        self.put((lane, mark.failed, mark.release), cell);
        while self.cells.len() > self.most {
            self.span *= 2;
            for ((lane, _, failed, release), cell) in std::mem::take(&mut self.cells) {
                self.put((lane, failed, release), cell);
            }
        }
    }

    fn put(&mut self, (lane, failed, release): (K, bool, Option<usize>), cell: TimelineCell) {
        let slot = u64::try_from(cell.first.as_nanos() / self.span.as_nanos()).unwrap_or(u64::MAX);
        self.cells
            .entry((lane, slot, failed, release))
            .and_modify(|known| known.join(cell))
            .or_insert(cell);
    }

    /// A lane's dots by time, counted from `origin`. `number` is what a release
    /// is called there.
    pub fn dots(
        &self,
        lane: K,
        origin: Duration,
        number: impl Fn(usize) -> Option<usize>,
    ) -> Vec<Dot> {
        let cells = self
            .cells
            .range((lane, 0, false, None)..)
            .take_while(|((of, ..), _)| *of == lane);
        let mut dots: Vec<Dot> = cells
            .map(|((_, _, failed, release), cell)| Dot {
                at_ms: since_ms(cell.first, origin),
                for_ms: since_ms(cell.last, cell.first),
                count: cell.count,
                release: release.and_then(&number),
                failed: *failed,
                latency_ms: since_ms(cell.latency, Duration::ZERO),
            })
            .collect();
        dots.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        dots
    }
}

/// To a hundredth of a millisecond; negative ahead of the origin.
pub fn since_ms(at: Duration, origin: Duration) -> f64 {
    ((at.as_secs_f64() - origin.as_secs_f64()) * 1e5).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at_ms: u64, release: usize, failed: bool) -> AnswerMark {
        AnswerMark {
            at: Duration::from_millis(at_ms),
            latency: Duration::from_millis(at_ms % 7),
            release: Some(release),
            failed,
        }
    }

    fn dots(recorder: &Recorder<u8>, lane: u8) -> Vec<Dot> {
        recorder.dots(lane, Duration::from_millis(100), Some)
    }

    #[test]
    fn a_few_answers_are_shown_one_by_one() {
        let mut recorder = Recorder::default();
        // They need not come in their order.
        for at in [130, 110, 90] {
            recorder.add(1, mark(at, 0, at == 110));
        }
        recorder.add(2, mark(95, 1, false));
        let seen: Vec<_> = dots(&recorder, 1)
            .iter()
            .map(|dot| (dot.at_ms, dot.for_ms, dot.count, dot.failed))
            .collect();
        let expected = [
            (-10.0, 0.0, 1, false),
            (10.0, 0.0, 1, true),
            (30.0, 0.0, 1, false),
        ];
        assert_eq!(seen, expected);
        assert_eq!(dots(&recorder, 2)[0].release, Some(1));
    }

    #[test]
    fn however_many_there_are_the_room_is_bounded_and_none_is_lost() {
        let mut recorder = Recorder::holding(64);
        for at in 0..10_000 {
            recorder.add(1, mark(at, usize::from(at >= 5000), at == 7777));
        }
        let dots = dots(&recorder, 1);
        assert!(dots.len() <= 64 && dots.len() > 16, "{}", dots.len());
        assert_eq!(dots.iter().map(|dot| dot.count).sum::<u32>(), 10_000);
        // A failure is not lost among what went well, nor a release in another.
        let failed: Vec<_> = dots.iter().filter(|dot| dot.failed).collect();
        assert_eq!((failed.len(), failed[0].at_ms), (1, 7677.0));
        let new = dots.iter().find(|dot| dot.release == Some(1));
        assert_eq!(new.map(|dot| dot.at_ms), Some(4900.0));
    }
}
