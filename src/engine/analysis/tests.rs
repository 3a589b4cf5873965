use proptest::prelude::*;

use super::*;
use crate::model::Quantile;

const FAST: Duration = Duration::from_millis(20);
const SLOW: Duration = Duration::from_millis(900);

fn good(who: Answerer) -> Heard {
    Heard {
        who,
        is_good: true,
        latency: FAST,
        counts_for_share: true,
    }
}

fn bad(who: Answerer) -> Heard {
    Heard {
        is_good: false,
        ..good(who)
    }
}

fn slow(who: Answerer) -> Heard {
    Heard {
        latency: SLOW,
        ..good(who)
    }
}

fn limits(count: u64, share: f64, latency: &[&str]) -> Limits {
    Limits {
        failures: Tolerance { count, share },
        latency: latency.iter().map(|it| it.parse().unwrap()).collect(),
    }
}

/// Of a whole split, where nobody asks for shares.
fn whole(limits: Limits, expected: u64) -> Stretch {
    Stretch::new(limits, expected, 10_000)
}

/// So many of each, evenly mixed.
fn heard(mut stretch: Stretch, all: &[(u64, Heard)]) -> Stretch {
    let places = |(times, heard): &(u64, Heard)| {
        let (times, heard) = (*times, *heard);
        (0..times).map(move |n| ((n as f64 + 0.5) / times as f64, heard))
    };
    let mut mixed: Vec<_> = all.iter().flat_map(places).collect();
    mixed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    for (_, heard) in mixed {
        stretch.add(heard);
    }
    stretch
}

fn told(complaint: Option<Complaint>) -> String {
    complaint.map_or_else(|| "nothing".to_owned(), |it| it.to_string())
}

#[test]
fn the_larger_of_the_two_counts() {
    let tolerance = |count, share| Tolerance { count, share };
    assert_eq!(Tolerance::default().of(1_000_000), 0);
    assert_eq!(tolerance(0, 0.001).of(1000), 1);
    assert_eq!(tolerance(0, 0.001).of(999), 0);
    assert_eq!(tolerance(3, 0.001).of(2000), 3);
    assert_eq!(tolerance(3, 0.001).of(5000), 5);
    assert_eq!(tolerance(0, 1.0).of(7), 7);
}

#[test]
fn a_failure_is_the_new_release_s_unless_it_is_known_to_be_the_old_one_s() {
    for (who, expected) in [
        (Answerer::Old, "nothing"),
        (Answerer::New, "1 of 11 answers of the new release failed"),
        (
            Answerer::Unknown,
            "1 of 11 answers of the new release failed",
        ),
    ] {
        let seen = heard(
            whole(Limits::default(), 100),
            &[(10, good(Answerer::New)), (1, bad(who))],
        );
        assert_eq!(told(seen.so_far()), expected, "{who:?}");
        assert_eq!(told(seen.at_the_end()), expected, "{who:?}");
    }
}

#[test]
fn failures_are_held_to_what_is_expected_or_seen() {
    let one_percent = limits(0, 0.01, &[]);
    let three = [(3, bad(Answerer::New))];
    let of_300 = heard(whole(one_percent.clone(), 300), &three);
    assert_eq!(told(of_300.so_far()), "nothing");
    let of_200 = heard(whole(one_percent, 200), &three);
    let expected = "3 of 3 answers of the new release failed, and 2 may";
    assert_eq!(told(of_200.so_far()), expected);
    let and_more = heard(of_200, &[(297, good(Answerer::New))]);
    assert_eq!(told(and_more.at_the_end()), "nothing");
}

#[test]
fn a_limit_is_broken_early_where_nothing_can_mend_it() {
    let p99 = || limits(0, 0.0, &["p99=400ms"]);
    let slow_ones = |count| heard(whole(p99(), 300), &[(count, slow(Answerer::New))]);
    assert_eq!(told(slow_ones(3).so_far()), "nothing");
    assert_eq!(
        told(slow_ones(4).so_far()),
        "4 of 4 good answers of the new release took longer than 400 ms, where p99 allows 3 of \
         300 (p99 so far: 900 ms)"
    );
    // Fewer answers came than were expected: what counts is what was seen.
    let at_the_end = heard(slow_ones(3), &[(196, good(Answerer::New))]);
    assert_eq!(told(at_the_end.so_far()), "nothing");
    assert_eq!(
        told(at_the_end.at_the_end()),
        "3 of 199 good answers of the new release took longer than 400 ms, where p99 allows 1 \
         of 199 (p99 so far: 900 ms)"
    );
}

#[test]
fn only_good_answers_that_are_not_the_old_release_s_can_be_too_slow() {
    let none_may = || whole(limits(9, 0.0, &["p50=1s", "p99=400ms"]), 50);
    for (it, is_broken) in [
        (slow(Answerer::New), true),
        (slow(Answerer::Unknown), true),
        (slow(Answerer::Old), false),
        (
            Heard {
                is_good: false,
                ..slow(Answerer::New)
            },
            false,
        ),
    ] {
        let seen = heard(none_may(), &[(20, good(Answerer::New)), (1, it)]);
        assert_eq!(seen.so_far().is_some(), is_broken, "{it:?}");
        assert_eq!(seen.at_the_end().is_some(), is_broken, "{it:?}");
    }
}

/// What the counts say is what sorting says.
#[test]
fn a_limit_is_kept_where_the_quantile_is_within_it() {
    let mut random = fastrand::Rng::with_seed(13);
    for quantile in Quantile::ALL {
        for answers in (1..200_usize).step_by(6) {
            let millis = |_| random.u64(1..=1000);
            let mut times: Vec<u64> = (0..answers).map(millis).collect();
            let mut seen = whole(limits(0, 0.0, &[&format!("{quantile}=700ms")]), 0);
            for millis in &times {
                seen.add(Heard {
                    latency: Duration::from_millis(*millis),
                    ..good(Answerer::New)
                });
            }
            times.sort_unstable();
            let rank = (quantile.percent() / 100.0 * answers as f64 - 1e-9).ceil();
            let is_slower = times[rank as usize - 1] > 700;
            assert_eq!(
                seen.at_the_end().is_some(),
                is_slower,
                "{quantile} {answers}"
            );
        }
    }
}

#[test]
fn the_new_release_is_compared_with_the_old_one_at_the_end() {
    let lenient = || limits(1000, 0.0, &[]);
    let both = |new: (u64, u64), old: (u64, u64)| {
        heard(
            whole(lenient(), 0),
            &[
                (new.0, bad(Answerer::New)),
                (new.1 - new.0, good(Answerer::New)),
                (old.0, bad(Answerer::Old)),
                (old.1 - old.0, good(Answerer::Old)),
            ],
        )
    };
    let worse = both((7, 100), (0, 100));
    assert_eq!(told(worse.so_far()), "nothing");
    assert_eq!(
        told(worse.at_the_end()),
        "the new release failed 7 of 100 answers and the old one 0 of 100, which chance alone \
         does once in 143 times (Fisher's exact test)"
    );
    for (new, old) in [
        ((6, 100), (0, 100)),
        // Too few of one.
        ((99, 99), (0, 1000)),
        ((99, 1000), (0, 99)),
        // Better.
        ((0, 100), (50, 100)),
        ((0, 100), (0, 100)),
    ] {
        assert_eq!(
            told(both(new, old).at_the_end()),
            "nothing",
            "{new:?} {old:?}"
        );
    }
    // Nobody's failures are no difference between two that are known.
    let nobody_s = heard(both((0, 200), (0, 200)), &[(50, bad(Answerer::Unknown))]);
    assert_eq!(told(nobody_s.at_the_end()), "nothing");
}

fn shares(share: u16) -> Stretch {
    Stretch::new(limits(u64::MAX, 0.0, &[]), 0, share)
}

/// After how many answers it is told, if all are such.
fn found_after(share: u16, who: Answerer) -> Option<u64> {
    let mut stretch = shares(share);
    (1..=4096).find(|_| {
        stretch.add(good(who));
        stretch.so_far().is_some()
    })
}

#[test]
fn a_load_balancer_that_knows_one_side_alone_is_found_out() {
    let by_share = [1, 500, 1000, 2500, 5000, 9500];
    let new = by_share.map(|share| found_after(share, Answerer::New));
    assert_eq!(new, [8, 8, 8, 8, 16, 256].map(Some));
    let old = by_share.map(|share| found_after(share, Answerer::Old));
    let expected = [None, Some(256), Some(128), Some(64), Some(16), Some(8)];
    assert_eq!(old, expected);
    for who in [Answerer::Old, Answerer::New] {
        assert_eq!(found_after(0, who), None);
        assert_eq!(found_after(10_000, who), None);
    }
}

#[test]
fn a_share_is_told_with_what_was_asked() {
    let half = [(16, good(Answerer::New)), (16, good(Answerer::Old))];
    let seen = heard(shares(550), &half);
    assert_eq!(
        told(seen.so_far()),
        "8 of 16 answers came from the new release, where 5.5% should: the load balancer does \
         not do what its listener says"
    );
    assert_eq!(told(heard(shares(5000), &half).at_the_end()), "nothing");
    // Between two looks the end looks once more.
    let seven = heard(shares(500), &[(7, good(Answerer::New))]);
    assert_eq!(told(seven.so_far()), "nothing");
    assert!(told(seven.at_the_end()).starts_with("7 of 7 answers came from the new release"));
    let uncertain = Heard {
        counts_for_share: false,
        ..good(Answerer::New)
    };
    assert_eq!(
        told(heard(shares(500), &[(99, uncertain)]).at_the_end()),
        "nothing"
    );
}

#[test]
fn what_nobody_gave_may_be_either_s() {
    let silent = (1000, good(Answerer::Unknown));
    assert_eq!(told(heard(shares(500), &[silent]).at_the_end()), "nothing");
    // The old release has no name: only too many of the new one show.
    for (new, expected) in [(0, false), (50, false), (200, true)] {
        let seen = heard(shares(500), &[silent, (new, good(Answerer::New))]);
        assert_eq!(seen.at_the_end().is_some(), expected, "{new}");
    }
    // A new release that fails without its name.
    let failing = [(950, good(Answerer::Old)), (50, bad(Answerer::Unknown))];
    assert_eq!(told(heard(shares(500), &failing).at_the_end()), "nothing");
    let starved = [(1000, good(Answerer::Old)), (3, bad(Answerer::Unknown))];
    assert!(heard(shares(500), &starved).at_the_end().is_some());
}

/// Exactly, over all that can happen: how likely each count of the new release's
/// answers is, of the stretches in which nothing was told yet.
fn told_by_mistake(share: u16, answers: usize) -> f64 {
    let p = f64::from(share) / 10_000.0;
    let (mut likely, mut told) = (vec![1.0], 0.0);
    let (mut looks, mut look_at) = (0, 8);
    for n in 1..=answers {
        let mut next = vec![0.0; n + 1];
        for (new, likely) in likely.iter().enumerate() {
            next[new] += likely * (1.0 - p);
            next[new + 1] += likely * p;
        }
        likely = next;
        if n != look_at && n != answers {
            continue;
        }
        (looks, look_at) = (looks + 1, look_at * 2);
        for (new, likely) in likely.iter_mut().enumerate() {
            if share::is_doubted(looks, new as u64, n as u64, share) {
                told += std::mem::take(likely);
            }
        }
    }
    told
}

#[test]
fn a_load_balancer_that_does_what_it_says_is_doubted_once_in_a_thousand_stretches() {
    for share in [1, 100, 500, 1000, 2500, 5000, 7500, 9900] {
        for answers in [7, 32, 100, 500] {
            let mistakes = told_by_mistake(share, answers);
            assert!(mistakes < 0.001, "{share} {answers}: {mistakes}");
        }
    }
    // It is no wider than it need be.
    let mistakes = told_by_mistake(2500, 500);
    assert!(mistakes > 0.000_05, "{mistakes}");
}

#[test]
fn stretches_by_chance_are_as_reckoned() {
    let mut random = fastrand::Rng::with_seed(13);
    let stretches = 4000;
    let mut doubted = 0;
    for _ in 0..stretches {
        let mut stretch = shares(2500);
        for _ in 0..200 {
            let who = match random.f64() < 0.25 {
                true => Answerer::New,
                false => Answerer::Old,
            };
            stretch.add(good(who));
        }
        doubted += u32::from(stretch.at_the_end().is_some());
    }
    assert!(doubted <= stretches / 1000, "{doubted}");
}

proptest! {
    #[test]
    fn equal_releases_are_never_unequal(failed in 0..5000_u64, more in 0..5000_u64) {
        let all = failed + more;
        prop_assert!(chance::fisher(failed, all, failed, all) >= 0.5);
    }

    /// A failure more of the new release never makes it better, one of the old
    /// release never makes the new one worse.
    #[test]
    fn more_failures_are_worse(
        new in 1..2000_u64, old in 1..2000_u64, a in 0.0..1.0_f64, b in 0.0..1.0_f64,
    ) {
        let new_failed = ((new - 1) as f64 * a) as u64;
        let old_failed = ((old - 1) as f64 * b) as u64;
        let now = chance::fisher(new_failed, new, old_failed, old);
        let hair = now * 1e-9;
        prop_assert!(chance::fisher(new_failed + 1, new, old_failed, old) <= now + hair);
        prop_assert!(chance::fisher(new_failed, new, old_failed + 1, old) >= now - hair);
    }

    #[test]
    fn a_share_that_is_farther_off_is_doubted_too(
        answers in 1..2000_u64, a in 0.0..1.0_f64, share in 1..10_000_u16, look in 1..8_u32,
    ) {
        let new = (answers as f64 * a) as u64;
        let is_high = new as f64 > answers as f64 * f64::from(share) / 10_000.0;
        let farther = if is_high { (new + 1).min(answers) } else { new.saturating_sub(1) };
        prop_assert!(
            !share::is_doubted(look, new, answers, share)
                || share::is_doubted(look, farther, answers, share)
        );
        prop_assert!(
            !share::is_doubted(look + 1, new, answers, share)
                || share::is_doubted(look, new, answers, share)
        );
    }

    /// A failure of the old release changes nothing of what is told of the new one.
    #[test]
    fn the_old_release_is_not_the_new_one_s_fault(
        all in proptest::collection::vec((0..3_u8, any::<bool>(), any::<bool>()), 0..300),
    ) {
        let (mut with, mut without) = (
            whole(limits(2, 0.0, &["p90=400ms"]), 50),
            whole(limits(2, 0.0, &["p90=400ms"]), 50),
        );
        for (who, is_good, is_slow) in all {
            let who = [Answerer::Old, Answerer::New, Answerer::Unknown][usize::from(who)];
            let it = Heard { is_good, latency: if is_slow { SLOW } else { FAST }, ..good(who) };
            with.add(it);
            if who != Answerer::Old {
                without.add(it);
            }
            prop_assert_eq!(with.so_far(), without.so_far());
        }
    }
}
