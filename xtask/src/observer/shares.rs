//! Whether users met the releases as often as they were to. Pure.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use super::Answer;

/// Where a chi-squared variable is exceeded once in a thousand times, by its
/// degrees of freedom from 1 on
/// (<https://www.itl.nist.gov/div898/handbook/eda/section3/eda3674.htm>).
const ONE_IN_A_THOUSAND: [f64; 5] = [10.828, 13.816, 16.266, 18.467, 20.515];

/// The test says nothing where it expects fewer of a kind.
const FEWEST: f64 = 5.0;

/// How many answers came from which release, among requests that were sent and
/// answered in that time. Who does not say its release is nobody's.
pub fn by_release(answers: &[Answer], within: &Range<Instant>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        let is_within = within.start <= answer.sent && answer.answered <= within.end;
        if let (true, Some(release)) = (is_within, answer.release()) {
            *counts.entry(release.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Pearson's: how far the counts are from what those shares of them all would be.
pub fn chi_squared(counts: &[u32], shares: &[f64]) -> f64 {
    let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let terms = counts.iter().zip(shares).map(|(count, share)| {
        let expected = total * share;
        (f64::from(*count) - expected).powi(2) / expected
    });
    terms.sum()
}

/// Whether chance would bring counts so far from the shares more than once in a
/// thousand times.
///
/// # Errors
/// A sentence: they are too far, or too few to tell.
pub fn fit(counts: &[u32], shares: &[f64]) -> Result<(), String> {
    let total: u32 = counts.iter().sum();
    let limit = counts.len().checked_sub(2);
    let limit = limit.and_then(|free| ONE_IN_A_THOUSAND.get(free));
    let Some(limit) = limit.filter(|_| counts.len() == shares.len()) else {
        return Err(format!("{counts:?} cannot be held against {shares:?}"));
    };
    if let Some(share) = shares
        .iter()
        .find(|share| f64::from(total) * **share < FEWEST)
    {
        return Err(format!(
            "{total} answers are too few to see a share of {share}"
        ));
    }
    let chi_squared = chi_squared(counts, shares);
    match chi_squared <= *limit {
        true => Ok(()),
        false => Err(format!(
            "{counts:?} answers are not shares of {shares:?}: chi-squared is {chi_squared:.1}, above {limit}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn answers_are_counted_by_release_and_time() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut late = Answer::from_release(at(19), 200, "2");
        late.answered = at(25);
        let seen = [
            Answer::from_release(at(5), 200, "2"),
            Answer::from_release(at(10), 200, "1"),
            Answer::from_release(at(11), 500, "2"),
            Answer::of(at(12), 200, "nobody's"),
            Answer::from_release(at(20), 200, "1"),
            late,
        ];
        let counts = by_release(&seen, &(at(10)..at(20)));
        assert_eq!(counts, [("1".to_owned(), 2), ("2".to_owned(), 1)].into());
    }

    #[test]
    fn shares_that_chance_explains_fit_and_others_do_not() {
        // By hand: (30 - 25)² / 25 + (220 - 225)² / 225.
        let close = chi_squared(&[30, 220], &[0.1, 0.9]);
        assert!((close - 10.0 / 9.0).abs() < 1e-9, "{close}");
        assert_eq!(fit(&[30, 220], &[0.1, 0.9]), Ok(()));
        // 3.2 standard deviations of a binomial distribution, and 3.4.
        assert_eq!(fit(&[130, 870], &[0.1, 0.9]), Ok(()));
        assert!(fit(&[133, 867], &[0.1, 0.9]).is_err());
        assert_eq!(fit(&[30, 33, 37], &[1.0 / 3.0; 3]), Ok(()));
        assert!(fit(&[10, 30, 60], &[1.0 / 3.0; 3]).is_err());
    }

    #[test]
    fn what_says_nothing_is_no_fit() {
        let few = fit(&[4, 36], &[0.1, 0.9]).unwrap_err();
        assert_eq!(few, "40 answers are too few to see a share of 0.1");
        for (counts, shares) in [(&[][..], &[][..]), (&[9], &[1.0]), (&[9, 9], &[1.0])] {
            assert!(fit(counts, shares).unwrap_err().contains("cannot be held"));
        }
    }
}
