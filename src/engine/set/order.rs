//! The order among the modules of a set.

/// The order among those that move alone, by their place among these: who comes after
/// one that stays comes after what that comes after. Backwards, the other way round.
pub fn among(after: &[&[usize]], moving: &[bool], is_backwards: bool) -> Vec<Vec<usize>> {
    let movers: Vec<usize> = (0..moving.len()).filter(|&n| moving[n]).collect();
    let comes_after = |one: usize, other: usize| match is_backwards {
        true => is_after(&|n| after[n], other, one),
        false => is_after(&|n| after[n], one, other),
    };
    let earlier = |&one: &usize| {
        let places = movers.iter().enumerate();
        let places = places.filter(|(_, other)| comes_after(one, **other));
        places.map(|(place, _)| place).collect()
    };
    movers.iter().map(earlier).collect()
}

/// Whether the one's users go over after the other's, by whatever way; nobody is after
/// itself.
pub(super) fn is_after<'a>(
    after: &impl Fn(usize) -> &'a [usize],
    one: usize,
    other: usize,
) -> bool {
    let mut earlier = after(one).iter();
    earlier.any(|&next| next == other || is_after(after, next, other))
}

/// Each module after those that it comes after.
pub fn in_order(after: &[&[usize]]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < after.len() {
        let is_next = |n: &usize| {
            !order.contains(n) && after[*n].iter().all(|earlier| order.contains(earlier))
        };
        match (0..after.len()).find(is_next) {
            Some(next) => order.push(next),
            // A circle, which no set has.
            None => break,
        }
    }
    order
}

/// Each module's wave: the place of its region in the order in which these appear.
pub fn waves(regions: &[&str]) -> Vec<usize> {
    let mut seen: Vec<&str> = Vec::new();
    let mut waves = Vec::new();
    for &region in regions {
        let known = seen.iter().position(|it| *it == region);
        waves.push(known.unwrap_or(seen.len()));
        if known.is_none() {
            seen.push(region);
        }
    }
    waves
}

/// The same order, where all of an earlier wave come before all of a later one.
///
/// # Errors
/// A module, and one of a later wave that it is to come after.
pub fn region_by_region(
    after: Vec<Vec<usize>>,
    waves: &[usize],
) -> Result<Vec<Vec<usize>>, (usize, usize)> {
    let in_turn = |(n, after): (usize, Vec<usize>)| {
        if let Some(&later) = after.iter().find(|&&it| waves[it] > waves[n]) {
            return Err((n, later));
        }
        let is_earlier = |it: &usize| waves[*it] < waves[n] || after.contains(it);
        Ok((0..waves.len()).filter(is_earlier).collect())
    };
    after.into_iter().enumerate().map(in_turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_goes_by_those_that_stay_and_back_the_other_way_round() {
        // web after api after base, and docs alone.
        let after: [&[usize]; 4] = [&[1], &[2], &[], &[]];
        let all = [true; 4];
        assert_eq!(
            among(&after, &all, false),
            [vec![1, 2], vec![2], vec![], vec![]]
        );
        assert_eq!(
            among(&after, &all, true),
            [vec![], vec![0], vec![0, 1], vec![]]
        );
        let without_api = [true, false, true, true];
        assert_eq!(
            among(&after, &without_api, false),
            [vec![1], vec![], vec![]]
        );
    }

    #[test]
    fn regions_come_in_the_order_in_which_they_appear() {
        let waves = waves(&["eu", "us", "eu", "ap"]);
        assert_eq!(waves, [0, 1, 0, 2]);
        let after = |it: &[&[usize]; 4]| it.map(<[usize]>::to_vec).to_vec();
        let within = after(&[&[2], &[], &[], &[1]]);
        let all = after(&[&[2], &[0, 2], &[], &[0, 1, 2]]);
        assert_eq!(region_by_region(within, &waves), Ok(all));
        let against = after(&[&[], &[3], &[], &[]]);
        assert_eq!(region_by_region(against, &waves), Err((1, 3)));
    }
}
