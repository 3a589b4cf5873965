//! Answers as marks of some pixels' width: those that would lie on one another
//! and look alike become one. Pure: knows neither colours nor plotters.

use crate::engine::seen::timeline::Dot;

/// What an answer looks like. Later ones are drawn on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TickLook {
    Unknown,
    Release(usize),
    Failed,
}

impl TickLook {
    pub fn of(dot: &Dot) -> Self {
        match (dot.failed, dot.release) {
            (true, _) => Self::Failed,
            (false, Some(release)) => Self::Release(release),
            (false, None) => Self::Unknown,
        }
    }
}

/// From the first pixel to the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    pub from: i32,
    pub until: i32,
    pub look: TickLook,
}

/// The marks of a lane, those on top last. `x` says where an instant lies.
pub fn ticks<'a>(
    dots: impl Iterator<Item = &'a Dot>,
    width: i32,
    x: impl Fn(f64) -> i32,
) -> Vec<Tick> {
    let mut all: Vec<Tick> = dots
        .map(|dot| {
            let look = TickLook::of(dot);
            // One failure among a thousand good answers is as wide as two.
            let width = width.max(if look == TickLook::Failed { 3 } else { 1 });
            let from = x(dot.at_ms) - width / 2;
            Tick {
                from,
                until: x(dot.at_ms + dot.for_ms) - width / 2 + width,
                look,
            }
        })
        .collect();
    all.sort_by_key(|tick| (tick.look, tick.from));
    joined(all)
}

/// Sorted by look and start, with those that touch as one.
fn joined(all: Vec<Tick>) -> Vec<Tick> {
    let mut out: Vec<Tick> = Vec::new();
    for tick in all {
        match out.last_mut() {
            Some(last) if last.look == tick.look && tick.from <= last.until => {
                last.until = last.until.max(tick.until);
            }
            _ => out.push(tick),
        }
    }
    out
}

/// How wide the marks of a lane are, so that its answers stand apart where there
/// is room for that.
pub fn width<'a>(dots: impl Iterator<Item = &'a Dot>, x: impl Fn(f64) -> i32) -> i32 {
    const NARROWEST: i32 = 2;
    const WIDEST: i32 = 6;
    let at: Vec<i32> = dots.map(|dot| x(dot.at_ms)).collect();
    let mut gaps: Vec<i32> = at.windows(2).map(|two| (two[1] - two[0]).abs()).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(WIDEST * 2);
    (usual * 3 / 5).clamp(NARROWEST, WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(at_ms: f64, release: Option<usize>, failed: bool) -> Dot {
        Dot {
            at_ms,
            for_ms: 0.0,
            count: 1,
            release,
            failed,
            latency_ms: 5.0,
        }
    }

    fn pixel(ms: f64) -> i32 {
        ms as i32
    }

    #[test]
    fn answers_that_touch_and_look_alike_are_one_mark() {
        let dots = [
            dot(10.0, Some(0), false),
            dot(12.0, Some(0), false),
            dot(14.0, Some(1), false),
            dot(30.0, Some(0), false),
        ];
        let tick = |from, until, look| Tick { from, until, look };
        assert_eq!(
            ticks(dots.iter(), 2, pixel),
            [
                tick(9, 13, TickLook::Release(0)),
                tick(29, 31, TickLook::Release(0)),
                tick(13, 15, TickLook::Release(1)),
            ]
        );
    }

    #[test]
    fn failures_are_on_top_and_never_narrow() {
        let dots = [dot(10.0, None, true), dot(10.0, Some(1), false)];
        let ticks = ticks(dots.iter(), 2, pixel);
        let last = ticks.last().unwrap();
        assert_eq!((last.look, last.until - last.from), (TickLook::Failed, 3));
    }

    #[test]
    fn a_failed_answer_of_a_known_release_is_a_failure() {
        assert_eq!(TickLook::of(&dot(0.0, Some(1), true)), TickLook::Failed);
    }

    #[test]
    fn many_answers_take_no_more_marks_than_pixels() {
        let dots: Vec<Dot> = (0..4000)
            .map(|n| dot(f64::from(n) / 4.0, Some(n as usize % 2), false))
            .collect();
        let width = width(dots.iter(), pixel);
        assert_eq!(width, 2);
        assert_eq!(ticks(dots.iter(), width, pixel).len(), 2);
    }

    #[test]
    fn a_lane_of_one_answer_has_a_width() {
        assert_eq!(width([dot(0.0, None, false)].iter(), pixel), 6);
        assert_eq!(ticks([].iter(), 2, pixel), []);
    }
}
