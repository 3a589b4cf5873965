//! Exact probabilities of outcomes by chance alone.

/// Fisher's exact test, one-sided (R. A. Fisher, Statistical Methods for Research
/// Workers, section 21.02; "The Logic of Inductive Inference", 1935): how often so
/// many failures or more are among the new answers, if all failures had been dealt
/// out among all answers by chance.
pub fn fisher(new_failed: u64, new: u64, old_failed: u64, old: u64) -> f64 {
    let (failed, all) = (new_failed + old_failed, new + old);
    if new_failed == 0 {
        return 1.0;
    }
    let first = ln_choose(failed, new_failed) + ln_choose(all - failed, new - new_failed)
        - ln_choose(all, new);
    // From so many to one more.
    let step = |k: u64| {
        let (among_new, among_old) = ((failed - k) * (new - k), (k + 1) * (old + k + 1 - failed));
        among_new as f64 / among_old as f64
    };
    sum(first, (new_failed..failed.min(new)).map(step))
}

/// How often so many or more of `n` come by chance, if each comes with `share`,
/// which is neither 0 nor 1.
pub fn at_least(seen: u64, n: u64, share: f64) -> f64 {
    if seen as f64 <= n as f64 * share {
        // Not the tail: about a half, and more.
        return 1.0;
    }
    let odds = share / (1.0 - share);
    let first =
        ln_choose(n, seen) + seen as f64 * share.ln() + (n - seen) as f64 * (1.0 - share).ln();
    let step = |k: u64| (n - k) as f64 / (k + 1) as f64 * odds;
    sum(first, (seen..n).map(step))
}

/// How often so many or fewer do.
pub fn at_most(seen: u64, n: u64, share: f64) -> f64 {
    at_least(n - seen, n, 1.0 - share)
}

/// Of a term, given by its logarithm, and those after it, each given by what it
/// is to the one before.
fn sum(ln_first: f64, steps: impl Iterator<Item = f64>) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for step in steps {
        term *= step;
        sum += term;
        // The others are smaller still.
        if step < 1.0 && term < sum * 1e-17 {
            break;
        }
    }
    (ln_first + f64::ln(sum)).exp().min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// By Stirling's series; up to a few by multiplication, where that is less exact.
fn ln_factorial(n: u64) -> f64 {
    const FEW: u64 = 20;
    if n <= FEW {
        // Below 2^62.
        return ((1..=n).product::<u64>() as f64).ln();
    }
    let x = n as f64;
    let series = 1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * x * x)) / (x * x);
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + series / x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected
    }

    #[test]
    fn factorials_are_exact_enough() {
        let mut by_sum = 0.0;
        for n in 1..5000_u64 {
            by_sum += (n as f64).ln();
            let found = ln_factorial(n);
            assert!((found - by_sum).abs() <= 1e-12 * by_sum.max(1.0), "{n}");
        }
        assert_eq!(ln_factorial(0), 0.0);
    }

    /// Exact, in whole numbers.
    fn choose(n: u64, k: u64) -> u128 {
        (0..k).fold(1, |all, i| all * u128::from(n - i) / u128::from(i + 1))
    }

    #[test]
    fn a_lady_tastes_tea() {
        // Fisher's own example: fisher.test(alternative = "greater") in R gives
        // 0.2429 for 3 of 4, and 1/70 is for all four.
        assert!(is_near(fisher(3, 4, 1, 4), 17.0 / 70.0));
        assert!(is_near(fisher(4, 4, 0, 4), 1.0 / 70.0));
        assert!(is_near(fisher(0, 4, 4, 4), 1.0));
    }

    #[test]
    fn fisher_is_the_sum_of_whole_numbers() {
        for (new, old) in [(1, 1), (5, 40), (30, 30), (40, 7)] {
            for new_failed in 0..=new {
                for old_failed in 0..=old {
                    let (failed, all) = (new_failed + old_failed, new + old);
                    let ways = |k| choose(failed, k) * choose(all - failed, new - k);
                    let worse: u128 = (new_failed..=failed.min(new)).map(ways).sum();
                    let expected = worse as f64 / choose(all, new) as f64;
                    let found = fisher(new_failed, new, old_failed, old);
                    assert!(
                        is_near(found, expected),
                        "{new_failed} {old_failed} {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn tails_are_the_sums_of_whole_numbers() {
        // With a share of one in four: 3^(n - k) of 4^n.
        for n in 1..=24_u32 {
            for seen in 0..=n {
                let ways = |k: u32| choose(u64::from(n), u64::from(k)) * 3_u128.pow(n - k);
                let of = |all: u128| all as f64 / 4_f64.powi(n.cast_signed());
                let (seen_64, n_64) = (u64::from(seen), u64::from(n));
                if 4 * seen > n {
                    let found = at_least(seen_64, n_64, 0.25);
                    assert!(is_near(found, of((seen..=n).map(ways).sum())), "{seen} {n}");
                }
                if 4 * seen < n {
                    let found = at_most(seen_64, n_64, 0.25);
                    assert!(is_near(found, of((0..=seen).map(ways).sum())), "{seen} {n}");
                }
            }
        }
    }

    #[test]
    fn many_answers_are_no_burden() {
        let million = 1_000_000;
        assert!(fisher(1200, million, 1000, million) < 1e-4);
        assert!((fisher(1000, million, 1000, million) - 0.5).abs() < 0.02);
        assert!(at_most(49_000, million, 0.05) < 1e-5);
        assert!(at_most(0, million, 0.05) < 1e-300);
    }
}
