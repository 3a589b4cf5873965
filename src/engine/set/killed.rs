//! What becomes of a set whose release was killed.

/// How far a module had come by a release that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseStanding {
    /// It never took part, or not yet.
    Untouched,
    /// It was on the way, or waited for the others.
    Unfinished { is_way_back: bool, turned: bool },
    /// It was written down as where the release wanted it.
    There,
    /// It was written down as not moved, or moved back.
    Back,
}

/// Whether what was killed is brought to its end, and not taken back: where a module is
/// there, all were well; and who gets away from a release goes on, unless a module could
/// not.
pub fn goes_on(standings: &[ReleaseStanding]) -> bool {
    let is_there = |it: &ReleaseStanding| *it == ReleaseStanding::There;
    let has_turned = |it: &ReleaseStanding| {
        matches!(
            it,
            ReleaseStanding::Back | ReleaseStanding::Unfinished { turned: true, .. }
        )
    };
    let is_way_back = |it: &ReleaseStanding| {
        matches!(
            it,
            ReleaseStanding::Unfinished {
                is_way_back: true,
                ..
            }
        )
    };
    let mut all = standings.iter();
    all.clone().any(is_there) || (all.clone().any(is_way_back) && !all.any(has_turned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_killed_goes_on_where_all_were_well_or_users_get_away() {
        let under_way = |is_way_back, turned| ReleaseStanding::Unfinished {
            is_way_back,
            turned,
        };
        let (forward, back) = (under_way(false, false), under_way(true, false));
        for (standings, on) in [
            (vec![forward, ReleaseStanding::There], true),
            (vec![forward, forward], false),
            (vec![forward, ReleaseStanding::Back], false),
            (vec![back, ReleaseStanding::Untouched], true),
            (vec![back, under_way(true, true)], false),
            (vec![back, ReleaseStanding::Back], false),
            (vec![ReleaseStanding::There, under_way(true, true)], true),
            (vec![ReleaseStanding::Untouched], false),
        ] {
            assert_eq!(goes_on(&standings), on, "{standings:?}");
        }
    }
}
