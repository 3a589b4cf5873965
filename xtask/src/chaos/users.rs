//! Whether what users saw may be. Pure.

use std::time::{Duration, Instant};

use crate::observer::{Answer, Seen, span};

/// For how long at most users may fail in a step that shows them a release which
/// fails by itself: calls may hang, and have a few seconds each.
pub const BOUND: Duration = Duration::from_secs(20);

/// Why users may have seen failures for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excuse {
    None,
    /// A release that fails by itself was promoted, or its promotion was ended.
    Release,
    /// A stranger did it, or nothing is live, or everything is taken away.
    Else,
}

/// From the beginning of a step to the beginning of the next.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub step: usize,
    pub from: Instant,
    pub until: Instant,
    pub excuse: Excuse,
}

impl Window {
    fn has(&self, answer: &Answer) -> bool {
        answer.sent < self.until && self.from <= answer.answered
    }
}

/// What may not be.
pub fn harm(seen: &Seen, windows: &[Window]) -> Vec<String> {
    let failed: Vec<&Answer> = seen
        .0
        .iter()
        .filter(|one| one.failure().is_some())
        .collect();
    let mut harm: Vec<String> = windows
        .iter()
        .filter(|window| window.excuse == Excuse::None)
        .filter_map(|window| unexcused(window, &failed, windows))
        .collect();
    for window in windows.iter().filter(|one| one.excuse == Excuse::Release) {
        let within = failed.iter().copied().filter(|one| window.has(one));
        if let Some(time) = span(within).filter(|time| *time > BOUND) {
            let (step, time) = (window.step, time.as_secs_f64());
            harm.push(format!(
                "in step {step} users failed for {time:.1} s, which is too long"
            ));
        }
    }
    harm
}

fn unexcused(window: &Window, failed: &[&Answer], windows: &[Window]) -> Option<String> {
    let is_excused = |answer: &Answer| {
        let others = windows.iter().filter(|other| other.has(answer));
        others.into_iter().any(|other| other.excuse != Excuse::None)
    };
    let within = failed.iter().filter(|one| window.has(one));
    let mut unexcused = within.filter(|one| !is_excused(one));
    let first = unexcused.next()?.failure()?;
    let count = 1 + unexcused.count();
    Some(format!(
        "failed requests of users in step {}: {count}, the first {first}",
        window.step
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(start: Instant, statuses: &[(u64, u16)]) -> Seen {
        let at = |seconds| start + Duration::from_secs(seconds);
        let answers = statuses
            .iter()
            .map(|(second, status)| Answer::of(at(*second), *status, "no"));
        Seen(answers.collect())
    }

    fn harm_of(statuses: &[(u64, u16)], excuses: &[Excuse]) -> Vec<String> {
        let start = Instant::now();
        let windows = excuses.iter().zip(0..).map(|(excuse, step)| Window {
            step,
            from: start + Duration::from_secs(100) * u32::try_from(step).unwrap(),
            until: start + Duration::from_secs(100) * u32::try_from(step + 1).unwrap(),
            excuse: *excuse,
        });
        harm(&seen(start, statuses), &windows.collect::<Vec<_>>())
    }

    #[test]
    fn a_failure_needs_an_excuse() {
        use Excuse::{Else, None, Release};
        let statuses = [(1, 200), (2, 500), (3, 502), (150, 500), (180, 200)];
        assert_eq!(
            harm_of(&statuses, &[None, Release]),
            ["failed requests of users in step 0: 2, the first HTTP 500: no"]
        );
        assert_eq!(harm_of(&statuses, &[Release, Else]), [""; 0]);
        assert_eq!(harm_of(&[(1, 200)], &[None]), [""; 0]);
    }

    #[test]
    fn the_excuse_of_a_bad_release_is_one_for_a_while_only() {
        let statuses = [(1, 500), (2, 500), (40, 500)];
        let harm = harm_of(&statuses, &[Excuse::Release]);
        assert_eq!(
            harm,
            ["in step 0 users failed for 39.0 s, which is too long"]
        );
        assert_eq!(harm_of(&statuses, &[Excuse::Else]), [""; 0]);
    }
}
