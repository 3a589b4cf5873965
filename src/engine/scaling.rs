//! Between how many tasks each colour is scaled while a release goes live, and after it.
//!
//! Users' colour is scaled as its owner has said; the other one is at rest: it may have no
//! task, and nothing wakes it. Ahead of a shift the colour to come has as many tasks as the
//! live one has at that moment, and neither loses any until the shift is over. Whoever owns
//! them changes the bounds where users are, so they are read there and not remembered.

use crate::model::journal::{Command, Effect, Operation};
use crate::model::{Color, Observed, PerColor, ScalableTarget, Scaling, Suspended};

/// One registration, and what was there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetChange {
    pub color: Color,
    pub target: ScalableTarget,
    pub was: Option<ScalableTarget>,
    /// The owner's maximum, if it would have stopped tasks.
    pub beyond: Option<i32>,
}

/// The registrations before a shift to that colour, which is to have so many tasks.
pub fn ahead(observed: &Observed, scaling: &Scaling, to: Color, count: i32) -> Vec<TargetChange> {
    let (targets, from) = (targets(scaling), to.other());
    let Some(theirs) = targets.get(from).filter(|_| !is_left_behind(&targets, to)) else {
        return Vec::new();
    };
    let held = theirs.held();
    let ready = ScalableTarget {
        least: count,
        suspended: Suspended {
            scheduled: true,
            ..held.suspended
        },
        ..theirs
    };
    changes(observed, &targets, [(from, held), (to, ready)])
}

/// The registrations once all users are on that colour, whether the promotion or rollback
/// brought them there or failed to move them.
pub fn after(
    observed: &Observed,
    scaling: &Scaling,
    operation: &Operation,
    live: Color,
) -> Vec<TargetChange> {
    let targets = targets(scaling);
    let Some(owners) = owners(&targets, operation) else {
        return Vec::new();
    };
    let other = live.other();
    let comes_to_rest = operation.was_live() == Some(other) || has_registered(operation, other);
    let rest = targets.get(other).filter(|_| comes_to_rest);
    let rest = rest.map(|it| (other, it.at_rest()));
    changes(
        observed,
        &targets,
        [Some((live, owners)), rest].into_iter().flatten(),
    )
}

/// The registrations after someone else has moved users to that colour: what scaled the
/// other one moves along, unless this one has scaling of its own.
pub fn where_found(observed: &Observed, scaling: &Scaling, live: Color) -> Vec<TargetChange> {
    let (targets, other) = (targets(scaling), live.other());
    let said = |color| targets.get(color).filter(|it| !it.is_at_rest());
    let Some(owners) = said(live).or_else(|| said(other)) else {
        return Vec::new();
    };
    let rest = targets.get(other).map(|it| (other, it.at_rest()));
    let roles = [Some((live, owners)), rest];
    changes(observed, &targets, roles.into_iter().flatten())
}

/// The registration before a colour is scaled to zero: otherwise its scaling would start
/// tasks again.
pub fn ahead_of_retiring(
    observed: &Observed,
    scaling: &Scaling,
    color: Color,
) -> Option<TargetChange> {
    let targets = targets(scaling);
    let rest = (*targets.get(color))?.at_rest();
    changes(observed, &targets, [(color, rest)]).pop()
}

/// Whether the operation changed any scaling, or was about to.
pub fn is_touched_by(operation: &Operation) -> bool {
    operation.intended(|effect| matches!(effect, Effect::RegisterScalableTarget { .. }))
}

/// Whether the operation may have moved users to another colour.
pub fn may_be_moved_by(operation: &Operation) -> bool {
    operation.command == Command::Rollback || is_touched_by(operation)
}

/// The bounds that the app's owner gave the colour that was live; while the roles are being
/// exchanged, either colour may have them.
fn owners(
    targets: &PerColor<Option<ScalableTarget>>,
    operation: &Operation,
) -> Option<ScalableTarget> {
    let from = operation.was_live()?;
    // An owner may have all of it suspended, and 0 for the least.
    let gives_up = |(target, was): (ScalableTarget, Option<ScalableTarget>)| {
        target.is_at_rest() && was.is_some_and(|was| !was.is_at_rest())
    };
    let is_handed_over = targets.get(from).is_some_and(|it| it.is_at_rest())
        && registrations(operation, from).any(gives_up);
    let to = from.other();
    let never_came = is_left_behind(targets, to) && !has_registered(operation, to);
    let said = (*targets.get(match is_handed_over || never_came {
        true => to,
        false => from,
    }))?;
    let first = registrations(operation, from).next();
    let suspended = first.and_then(|(_, was)| was).map(|was| was.suspended);
    Some(ScalableTarget {
        suspended: suspended.unwrap_or(said.suspended),
        ..said
    })
}

/// Whether the scaling stayed behind when someone else moved users away from there.
fn is_left_behind(targets: &PerColor<Option<ScalableTarget>>, idle: Color) -> bool {
    let rests = |color| targets.get(color).map(|it: ScalableTarget| it.is_at_rest());
    rests(idle.other()) == Some(true) && rests(idle) == Some(false)
}

fn has_registered(operation: &Operation, color: Color) -> bool {
    registrations(operation, color).next().is_some()
}

fn registrations(
    operation: &Operation,
    of: Color,
) -> impl Iterator<Item = (ScalableTarget, Option<ScalableTarget>)> {
    let entries = operation.entries.iter();
    entries.filter_map(move |entry| match entry.effect {
        Effect::RegisterScalableTarget { color, target, was } if color == of => Some((target, was)),
        _ => None,
    })
}

fn targets(scaling: &Scaling) -> PerColor<Option<ScalableTarget>> {
    let target = |color| scaling.get(color).as_ref().map(|it| it.target);
    PerColor {
        blue: target(Color::Blue),
        green: target(Color::Green),
    }
}

/// The registrations that change something. None of them may stop a running task.
fn changes(
    observed: &Observed,
    targets: &PerColor<Option<ScalableTarget>>,
    wanted: impl IntoIterator<Item = (Color, ScalableTarget)>,
) -> Vec<TargetChange> {
    let wanted = wanted.into_iter().map(|(color, wanted)| {
        let target = wanted.sparing(observed.color(color).desired().max(wanted.least));
        TargetChange {
            color,
            target,
            was: *targets.get(color),
            beyond: (target.most > wanted.most).then_some(wanted.most),
        }
    });
    wanted.filter(|it| it.was != Some(it.target)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{moment, observed, operation, service};
    use crate::model::{Autoscaling, Deployed};

    const GREEN: Color = Color::Green;
    const BLUE: Color = Color::Blue;

    /// So many tasks of each colour; users are on green.
    fn world(blue: i32, green: i32) -> Observed {
        let mut world = observed();
        world.colors.blue.service = Some(service(blue));
        world.colors.green.service = Some(service(green));
        world
    }

    fn target(least: i32, most: i32) -> ScalableTarget {
        ScalableTarget {
            least,
            most,
            suspended: Suspended::default(),
        }
    }

    fn scaling(blue: Option<ScalableTarget>, green: Option<ScalableTarget>) -> Scaling {
        let scaled = |target: Option<ScalableTarget>| {
            target.map(|target| Autoscaling {
                target,
                policies: Vec::new(),
            })
        };
        Scaling {
            blue: scaled(blue),
            green: scaled(green),
        }
    }

    /// Away from green, after it has registered these.
    fn away(command: Command, registered: &[TargetChange]) -> Operation {
        let mut operation = operation();
        operation.command = command;
        operation.color = Some(BLUE);
        operation.from = Some(Deployed::somewhere_on(GREEN));
        for change in registered {
            let TargetChange {
                color, target, was, ..
            } = *change;
            let effect = Effect::RegisterScalableTarget { color, target, was };
            operation.intend(moment(), effect);
        }
        operation
    }

    fn told(changes: &[TargetChange]) -> Vec<(Color, ScalableTarget)> {
        changes.iter().map(|it| (it.color, it.target)).collect()
    }

    /// What AWS has then.
    fn done(scaling: &Scaling, changes: &[TargetChange]) -> Scaling {
        let mut scaling = scaling.clone();
        for change in changes {
            *scaling.get_mut(change.color) = Some(Autoscaling {
                target: change.target,
                policies: Vec::new(),
            });
        }
        scaling
    }

    fn ready(least: i32, most: i32) -> ScalableTarget {
        let suspended = Suspended {
            scale_in: true,
            scale_out: false,
            scheduled: true,
        };
        ScalableTarget {
            least,
            most,
            suspended,
        }
    }

    #[test]
    fn neither_colour_loses_a_task_until_the_roles_are_changed() {
        let owners = target(2, 10);
        let before = scaling(None, Some(owners));
        let changes = ahead(&world(5, 5), &before, BLUE, 5);
        assert_eq!(
            told(&changes),
            [(GREEN, owners.held()), (BLUE, ready(5, 10))]
        );
        let during = done(&before, &changes);
        let promotion = away(Command::Promote, &changes);
        let mut world = world(5, 5);
        // Looking twice changes nothing twice.
        assert_eq!(ahead(&world, &during, BLUE, 5), []);
        let gone = after(&world, &during, &promotion, BLUE);
        assert_eq!(told(&gone), [(BLUE, owners), (GREEN, owners.at_rest())]);
        let back = after(&world, &during, &promotion, GREEN);
        let rest = ready(5, 10).at_rest();
        assert_eq!(told(&back), [(GREEN, owners), (BLUE, rest)]);
        // The live one's owner changed its bounds meanwhile.
        let changed = scaling(Some(ready(5, 10)), Some(target(4, 20).held()));
        let gone = after(&world, &changed, &promotion, BLUE);
        assert_eq!(gone[0].target, target(4, 20));
        // It grew meanwhile.
        world.colors.green.service = Some(service(8));
        let more = ahead(&world, &during, BLUE, 8);
        assert_eq!(told(&more), [(BLUE, ready(8, 10))]);
    }

    /// After each of its writes, whichever way it is brought to its end.
    #[test]
    fn whoever_goes_on_comes_to_the_same_end() {
        let mut owners = target(2, 10);
        owners.suspended.scheduled = true;
        let before = scaling(None, Some(owners));
        let world = world(5, 5);
        let changes = ahead(&world, &before, BLUE, 5);
        let during = done(&before, &changes);
        let promotion = away(Command::Promote, &changes);
        for (live, other) in [(BLUE, GREEN), (GREEN, BLUE)] {
            let all = after(&world, &during, &promotion, live);
            for noted in 0..=all.len() {
                for happened in noted.saturating_sub(1)..=noted {
                    let registered = [&changes[..], &all[..noted]].concat();
                    let found = done(&during, &all[..happened]);
                    for (end, idle) in [(live, other), (other, live)] {
                        let operation = away(Command::Promote, &registered);
                        let rest = after(&world, &found, &operation, end);
                        let found = done(&found, &rest);
                        let of = |color: Color| found.get(color).as_ref().unwrap().target;
                        assert_eq!(of(end), owners, "{live} {noted} {happened} {end}");
                        assert!(of(idle).is_at_rest(), "{live} {noted} {happened} {end}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_way_back_waits_for_nothing_and_changes_the_roles_in_the_end() {
        let owners = target(2, 10);
        let rollback = away(Command::Rollback, &[]);
        let mirrored = scaling(Some(owners.at_rest()), Some(owners));
        let changes = after(&world(5, 5), &mirrored, &rollback, BLUE);
        assert_eq!(told(&changes), [(BLUE, owners), (GREEN, owners.at_rest())]);
        assert_eq!(after(&world(5, 5), &mirrored, &rollback, GREEN), []);
        let unmirrored = scaling(None, Some(owners));
        let changes = after(&world(5, 5), &unmirrored, &rollback, BLUE);
        assert_eq!(changes[0].was, None);
    }

    /// With 0 for the least: that is no other colour's role.
    #[test]
    fn what_its_owner_has_suspended_goes_with_users_too() {
        let (world, still) = (world(2, 2), target(0, 5).at_rest());
        let before = scaling(None, Some(still));
        let changes = ahead(&world, &before, BLUE, 2);
        let ready = ScalableTarget { least: 2, ..still };
        assert_eq!(told(&changes), [(BLUE, ready)]);
        let during = done(&before, &changes);
        let promotion = away(Command::Promote, &changes);
        let gone = after(&world, &during, &promotion, BLUE);
        assert_eq!(told(&gone), [(BLUE, still)]);
        let back = after(&world, &during, &promotion, GREEN);
        assert_eq!(told(&back), [(BLUE, still)]);
    }

    /// Users were moved by hand, and nobody typed `bgecs adopt`.
    #[test]
    fn what_was_left_behind_is_found_where_it_is() {
        let (world, owners) = (world(2, 2), target(2, 10));
        let left = scaling(Some(owners), Some(owners.at_rest()));
        assert_eq!(ahead(&world, &left, BLUE, 2), []);
        let promotion = away(Command::Promote, &[]);
        assert_eq!(after(&world, &left, &promotion, BLUE), []);
        let rollback = away(Command::Rollback, &[]);
        assert_eq!(after(&world, &left, &rollback, BLUE), []);
    }

    #[test]
    fn no_registration_stops_a_task() {
        let changes = ahead(&world(3, 12), &scaling(None, Some(target(2, 10))), BLUE, 12);
        assert_eq!(
            told(&changes),
            [(GREEN, target(2, 12).held()), (BLUE, ready(12, 12))]
        );
        assert_eq!(changes[0].beyond, Some(10));
        let idle = scaling(Some(target(2, 4)), None);
        let rest = ahead_of_retiring(&world(6, 1), &idle, BLUE);
        assert_eq!(rest.map(|it| it.target), Some(target(0, 6).at_rest()));
    }

    #[test]
    fn what_scales_a_colour_follows_users_whom_others_have_moved() {
        let (world, owners) = (world(5, 5), target(2, 10));
        let left_behind = scaling(Some(owners), Some(owners.at_rest()));
        let changes = where_found(&world, &left_behind, GREEN);
        assert_eq!(told(&changes), [(GREEN, owners), (BLUE, owners.at_rest())]);
        assert_eq!(where_found(&world, &left_behind, BLUE), []);
        // A colour that never rested has an owner of its own.
        let both = scaling(Some(owners), Some(target(1, 6)));
        let changes = where_found(&world, &both, GREEN);
        assert_eq!(told(&changes), [(BLUE, owners.at_rest())]);
        let changes = where_found(&world, &scaling(Some(owners), None), GREEN);
        assert_eq!(told(&changes), [(GREEN, owners), (BLUE, owners.at_rest())]);
        assert_eq!(where_found(&world, &scaling(None, None), GREEN), []);
    }

    #[test]
    fn what_nothing_scales_is_left_alone() {
        let world = world(2, 2);
        let unscaled = scaling(Some(target(1, 5)), None);
        assert_eq!(ahead(&world, &unscaled, BLUE, 2), []);
        let promotion = away(Command::Promote, &[]);
        assert_eq!(after(&world, &unscaled, &promotion, BLUE), []);
        let rests = scaling(None, Some(target(0, 5).at_rest()));
        assert_eq!(ahead_of_retiring(&world, &rests, BLUE), None);
        assert_eq!(ahead_of_retiring(&world, &rests, GREEN), None);
    }
}
