//! What becomes of a set whose release was killed.

/// How far a module had come by a release that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseStanding {
    /// It never took part, or not yet.
    Untouched,
    /// It was on the way, or waited for its turn or the others.
    Unfinished {
        is_way_back: bool,
        turned: bool,
        /// Of a way back: not all of its users are where they were when it began.
        has_moved: bool,
    },
    /// It was written down as where the release wanted it.
    There,
    /// It was written down as not moved, or moved back.
    Back,
}

impl ReleaseStanding {
    fn has_turned(self) -> bool {
        matches!(self, Self::Back | Self::Unfinished { turned: true, .. })
    }

    fn is_way_back(self) -> bool {
        let Self::Unfinished { is_way_back, .. } = self else {
            return false;
        };
        is_way_back
    }

    fn gets_away(self) -> bool {
        matches!(
            self,
            Self::Unfinished {
                is_way_back: true,
                has_moved: true,
                ..
            }
        )
    }
}

/// How a release that was killed ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KilledEnd {
    /// Brought to its end, and not taken back.
    pub is_forward: bool,
    /// What was killed took users back itself.
    pub is_way_back: bool,
}

impl KilledEnd {
    /// Where a module is there, all were well. Who gets away from a release goes on, also
    /// those whose turn had not come, unless one could not: users of some have left it.
    pub fn of(standings: &[ReleaseStanding]) -> Self {
        let any = |is_so: fn(ReleaseStanding) -> bool| standings.iter().copied().any(is_so);
        let is_there = any(|it| it == ReleaseStanding::There);
        let gets_away = any(ReleaseStanding::gets_away) && !any(ReleaseStanding::has_turned);
        Self {
            is_forward: is_there || gets_away,
            is_way_back: any(ReleaseStanding::is_way_back),
        }
    }

    /// Whether modules end in the reverse of their order: a release is taken back so, and
    /// so is the end of what takes one back.
    pub fn is_reversed(self) -> bool {
        self.is_forward == self.is_way_back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under_way(is_way_back: bool, turned: bool, has_moved: bool) -> ReleaseStanding {
        ReleaseStanding::Unfinished {
            is_way_back,
            turned,
            has_moved,
        }
    }

    #[test]
    fn what_was_killed_goes_on_where_all_were_well_or_users_get_away() {
        use ReleaseStanding::{Back, There, Untouched};
        let (forward, moved) = (
            under_way(false, false, false),
            under_way(false, false, true),
        );
        let (back, away) = (under_way(true, false, false), under_way(true, false, true));
        let turned = under_way(true, true, true);
        for (standings, on) in [
            (vec![moved, There], true),
            (vec![moved, forward], false),
            (vec![moved, Back], false),
            (vec![away, Untouched], true),
            // Its turn had not come.
            (vec![away, back], true),
            (vec![back, back], false),
            // Nobody knows whether that one was to move.
            (vec![back, Untouched], false),
            (vec![away, turned], false),
            (vec![away, Back], false),
            (vec![There, turned], true),
            (vec![Untouched], false),
        ] {
            assert_eq!(KilledEnd::of(&standings).is_forward, on, "{standings:?}");
        }
    }

    #[test]
    fn modules_end_in_the_order_in_which_they_moved_or_in_its_reverse() {
        let end = |is_forward, is_way_back| KilledEnd {
            is_forward,
            is_way_back,
        };
        assert!(!end(true, false).is_reversed(), "a release goes on");
        assert!(end(false, false).is_reversed(), "a release is taken back");
        assert!(end(true, true).is_reversed(), "a rollback goes on");
        assert!(!end(false, true).is_reversed(), "a rollback is taken back");
    }
}
