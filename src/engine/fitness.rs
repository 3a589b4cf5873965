//! Whether a colour's targets are healthy enough for its share of the users, when
//! production is not probed. Asked before a shift and during it.

use super::plan::needed;
use super::preflight::Thoroughness;
use crate::counted::counted;
use crate::model::{Color, Target, TargetState, Targets};

/// What is asked of the colour that users go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fitness {
    pub thoroughness: Thoroughness,
    /// As many tasks as had all the users.
    pub live: i32,
}

impl Fitness {
    /// What its targets have against that share of the users, in basis points.
    pub fn objection(self, color: Color, targets: &Targets, share: u16) -> Option<String> {
        let (healthy, sick) = (targets.healthy(), unhealthy(targets).next());
        let of = counted(targets.registered(), "target");
        match (self.thoroughness, sick) {
            // One target is better than none.
            (Thoroughness::WayBack, _) if healthy > 0 => None,
            (_, Some(sick)) => Some(format!(
                "{healthy} of {of} of {color} healthy: {}",
                described(sick)
            )),
            (Thoroughness::WayBack, None) => Some(format!("{healthy} of {of} of {color} healthy")),
            (_, None) => {
                let needs = usize::try_from(needed(share, self.live))
                    .unwrap_or(0)
                    .max(1);
                (healthy < needs).then(|| {
                    format!(
                        "{healthy} of {of} of {color} healthy, and its share of users needs {needs}"
                    )
                })
            }
        }
    }
}

/// For longer than it may be for a moment's trouble.
pub fn unreadable(color: Color, why: &str) -> String {
    format!("the target health of {color} cannot be read: {why}")
}

/// In AWS's order.
pub fn unhealthy(targets: &Targets) -> impl Iterator<Item = &Target> {
    targets.in_state(TargetState::Unhealthy)
}

/// `target 10.0.0.1 is unhealthy: …`
pub fn described(target: &Target) -> String {
    let why = target.description.as_deref().or(target.reason.as_deref());
    format!(
        "target {} is unhealthy: {}",
        target.id,
        why.unwrap_or("AWS does not say why")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::targets;
    use TargetState::{Draining, Healthy, Initial, Unhealthy};
    use Thoroughness::{Blind, WayBack};

    #[test]
    fn a_new_colour_has_none_that_is_unhealthy_and_as_many_as_its_share_needs() {
        let objection = |thoroughness, live, share, states: &[TargetState]| {
            let it = Fitness { thoroughness, live };
            it.objection(Color::Blue, &targets(states), share)
        };
        for (live, share, states) in [
            (1, 10_000, &[Healthy][..]),
            // What takes the place of another is not counted, nor held against it.
            (2, 10_000, &[Healthy, Healthy, Initial]),
            (2, 10_000, &[Draining, Healthy, Healthy]),
            (10, 500, &[Healthy, Healthy]),
            (0, 10_000, &[Healthy]),
        ] {
            assert_eq!(objection(Blind, live, share, states), None, "{states:?}");
        }
        for (live, share, states, said) in [
            (
                1,
                500,
                &[Healthy, Unhealthy][..],
                "1 of 2 targets of blue healthy: target 10.0.0.2 is unhealthy: AWS does not say why",
            ),
            (
                2,
                10_000,
                &[Healthy, Initial],
                "1 of 2 targets of blue healthy, and its share of users needs 2",
            ),
            (
                0,
                0,
                &[],
                "0 of 0 targets of blue healthy, and its share of users needs 1",
            ),
        ] {
            let found = objection(Blind, live, share, states);
            assert_eq!(found.as_deref(), Some(said));
        }
        // Whoever goes back takes what is there.
        assert_eq!(objection(WayBack, 5, 10_000, &[Healthy, Unhealthy]), None);
        let none = objection(WayBack, 5, 10_000, &[Unhealthy]).unwrap();
        assert!(none.contains("target 10.0.0.1 is unhealthy"), "{none}");
        let none = objection(WayBack, 5, 10_000, &[Draining]).unwrap();
        assert_eq!(none, "0 of 0 targets of blue healthy");
    }
}
