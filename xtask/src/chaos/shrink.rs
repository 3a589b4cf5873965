//! The shortest script that still shows a violation.

use std::time::Instant;

use crate::Result;

/// Takes steps out as long as `shows` says that what is left shows it still:
/// first many at once, then one at a time, until nothing more can go or time is
/// up. `shows` tries it on a fresh world.
pub async fn shrink(
    steps: Vec<usize>,
    deadline: Instant,
    mut shows: impl AsyncFnMut(&[usize]) -> Result<bool>,
) -> Result<Vec<usize>> {
    let mut steps = steps;
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        let mut has_shrunk = false;
        while at < steps.len() && steps.len() > 1 {
            if Instant::now() > deadline {
                return Ok(steps);
            }
            let end = (at + size).min(steps.len());
            let fewer = [&steps[..at], &steps[end..]].concat();
            if !fewer.is_empty() && shows(&fewer).await? {
                steps = fewer;
                has_shrunk = true;
            } else {
                at = end;
            }
        }
        if !has_shrunk || size > 1 {
            size /= 2;
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn shrunk(count: usize, needed: &[usize]) -> (Vec<usize>, usize) {
        let mut tries = 0;
        let deadline = Instant::now() + Duration::from_secs(60);
        let all = (0..count).collect();
        let shows = async |steps: &[usize]| {
            tries += 1;
            Ok(needed.iter().all(|step| steps.contains(step)))
        };
        (shrink(all, deadline, shows).await.unwrap(), tries)
    }

    #[tokio::test]
    async fn what_is_needed_is_left() {
        for needed in [&[3][..], &[0, 7], &[1, 2, 9]] {
            let (left, tries) = shrunk(10, needed).await;
            assert_eq!(left, needed);
            assert!(tries < 30, "{tries} tries");
        }
    }

    #[tokio::test]
    async fn when_time_is_up_the_best_until_then_is_given() {
        let shows = async |_: &[usize]| Ok(true);
        let left = shrink(vec![1, 2], Instant::now(), shows).await.unwrap();
        assert!(!left.is_empty());
    }
}
