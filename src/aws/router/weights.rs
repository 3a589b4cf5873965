//! Splits as AWS expresses them: by two whole numbers, up to the largest that it accepts.

use std::iter;

use crate::model::{Color, Endpoint, Move, PerColor, PerRoute, Split, Strategy};

/// The largest weight in a forward
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html>).
pub const HEAVIEST: u32 = 999;

/// The weights for a forward.
pub fn weights(split: Split) -> Option<PerColor<u32>> {
    weights_up_to(HEAVIEST, split)
}

/// The largest share up to that one, in favour of that colour, that such weights can
/// express.
pub fn no_more_than(heaviest: u32, color: Color, share: u16) -> Option<u16> {
    let told = |share: &u16| weights_up_to(heaviest, Split::with_share(color, *share)).is_some();
    (1..=share).rev().find(told)
}

/// Weights in the same ratio as the shares; if these are too large, the smallest that
/// read back as exactly that split. Not every split has some: 0.05 % would be 1 to 1999,
/// and 49.99 % 1666 to 1667.
pub fn weights_up_to(heaviest: u32, split: Split) -> Option<PerColor<u32>> {
    let share = u32::from(split.share(Color::Blue));
    let whole = share + u32::from(split.share(Color::Green));
    let of_total = |total| {
        // Of all pairs with that total, this one comes nearest.
        let blue = (share * total + whole / 2) / whole;
        let green = total - blue;
        PerColor { blue, green }
    };
    let near = (1..=2 * heaviest).map(of_total);
    iter::once(split.weights()).chain(near).find(|weights| {
        let fits = weights.blue.max(weights.green) <= heaviest;
        fits && Split::by_weight(*weights) == Some(split)
    })
}

/// # Errors
/// A split of the strategy that weights cannot express, in words, and the nearest one
/// that they can.
pub fn accept(strategy: &Strategy, endpoints: &PerRoute<Endpoint>) -> Result<(), String> {
    let mut moves = strategy.moves();
    let refused = moves.find_map(|it| refusal(&it, strategy.to, endpoints.get(it.route)));
    refused.map_or(Ok(()), Err)
}

/// For a move in favour of that colour.
fn refusal(it: &Move, color: Color, endpoint: &Endpoint) -> Option<String> {
    if weights(it.to).is_some() {
        return None;
    }
    let percent = |split: Split| f64::from(split.share(color)) / 100.0;
    Some(format!(
        "{endpoint} cannot give {color} {}% of its requests: its load balancer's weights are whole numbers \
         up to {HEAVIEST}, which come no nearer than {}%",
        percent(it.to),
        percent(nearest(it.to)),
    ))
}

/// Half and half at the farthest.
fn nearest(split: Split) -> Split {
    let (blue, green) = (split.share(Color::Blue), split.share(Color::Green));
    let by = |less: u16, more: u16, away: u16| {
        let rest = less.checked_sub(away).filter(|rest| *rest > 0)?;
        Some((rest, more + away))
    };
    let around = (1..blue.max(green)).flat_map(|away| {
        let less = by(blue, green, away).map(|(blue, green)| PerColor { blue, green });
        let more = by(green, blue, away).map(|(green, blue)| PerColor { blue, green });
        [less, more].into_iter().flatten()
    });
    let mut splits = around.filter_map(|shares| Split::try_from(shares).ok());
    splits
        .find(|split| weights(*split).is_some())
        .unwrap_or(split)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Route;
    use crate::model::testing::move_to;

    fn blue(share: u16) -> Split {
        let green = 10_000 - share;
        Split::try_from(PerColor { blue: share, green }).unwrap()
    }

    /// By trying all of them.
    fn all(split: Split) -> impl Iterator<Item = PerColor<u32>> {
        let of_total = |total: u32| (0..=total).map(move |blue| (blue, total - blue));
        let all = (1..=2 * HEAVIEST).flat_map(of_total);
        all.filter(|(blue, green)| *blue.max(green) <= HEAVIEST)
            .map(|(blue, green)| PerColor { blue, green })
            .filter(move |weights| Split::by_weight(*weights) == Some(split))
    }

    #[test]
    fn every_split_is_told_exactly_or_not_at_all() {
        let mut told = 0;
        for share in 0..=10_000 {
            let split = blue(share);
            let Some(weights) = weights(split) else {
                continue;
            };
            assert_eq!(Split::by_weight(weights), Some(split), "{split}");
            assert!(weights.blue.max(weights.green) <= HEAVIEST, "{split}");
            told += 1;
        }
        assert!(told > 9_000, "{told}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn weights_are_found_where_there_are_some(share in 1..10_000_u16) {
            let found = weights(blue(share));
            let is_exact = found.is_some_and(|weights| {
                weights.blue * (10_000 - u32::from(share)) == weights.green * u32::from(share)
            });
            if !is_exact {
                prop_assert_eq!(found, all(blue(share)).next());
            }
        }

        #[test]
        fn a_split_that_is_named_as_nearest_can_be_told(share in 1..10_000_u16) {
            let nearest = nearest(blue(share));
            prop_assert!(weights(nearest).is_some() && nearest.only().is_none());
        }
    }

    #[test]
    fn weights_are_what_a_person_would_write() {
        for (share, expected) in [
            (10_000, Some((1, 0))),
            (0, Some((0, 1))),
            (500, Some((1, 19))),
            (1_000, Some((1, 9))),
            (2_500, Some((1, 3))),
            (3_333, Some((1, 2))),
            (1_001, Some((67, 602))),
            (5_000, Some((1, 1))),
            (9_990, Some((999, 1))),
            (10, Some((1, 999))),
            (9, None),
            (5, None),
            (4_999, None),
            (9_995, None),
        ] {
            let found = weights(blue(share)).map(|weights| (weights.blue, weights.green));
            assert_eq!(found, expected, "{share}");
        }
    }

    fn sharing(color: Color, share: u16) -> Move {
        let mut split = PerColor::default();
        *split.get_mut(color) = share;
        *split.get_mut(color.other()) = 10_000 - share;
        Move {
            to: Split::try_from(split).unwrap(),
            ..move_to(Route::Production, color)
        }
    }

    #[test]
    fn a_share_that_cannot_be_told_is_refused_with_the_nearest_one() {
        for color in Color::BOTH {
            for share in [0, 10, 500, 1_000, 5_000, 10_000] {
                assert_eq!(
                    refusal(&sharing(color, share), color, &Endpoint::Port(80)),
                    None,
                    "{share}"
                );
            }
            for (share, words, nearest) in [
                (5, "0.05%", "0.1%"),
                (1, "0.01%", "0.1%"),
                (9_999, "99.99%", "99.9%"),
                (4_999, "49.99%", "50%"),
                (5_001, "50.01%", "50%"),
            ] {
                let refusal = refusal(&sharing(color, share), color, &Endpoint::Port(80));
                assert_eq!(
                    refusal.unwrap(),
                    format!(
                        "port 80 cannot give {color} {words} of its requests: its load balancer's \
                         weights are whole numbers up to 999, which come no nearer than {nearest}"
                    )
                );
            }
        }
    }
}
