//! How many tasks a colour needs for its share of the users.

use std::time::Duration;

use crate::model::{
    Color, ColorState, Condition, Observed, Rollout, ServiceState, Steps, Strategy,
};

/// In basis points: from here on a colour is as large as the live one.
const FULL_FROM: u16 = 5000;
const WHOLE: i32 = 10_000;

/// For that share of what so many tasks serve, in basis points: as many of them,
/// rounded up, and one more; from half the users on, all.
pub fn needed(share: u16, live: i32) -> i32 {
    match share >= FULL_FROM {
        true => live,
        false => {
            let part = i64::from(live) * i64::from(share);
            let rounded_up =
                part.div_euclid(i64::from(WHOLE)) + i64::from(part % i64::from(WHOLE) > 0);
            i32::try_from(rounded_up + 1).unwrap_or(live).min(live)
        }
    }
}

/// How many tasks the colour must be scaled to ahead of that share, where it has
/// fewer. One that is still growing, as a promotion leaves it that died then, is
/// waited for as well; never is it made smaller. One that does not roll out is
/// not: the checks will say why.
pub fn missing(observed: &Observed, to: Color, share: u16) -> Option<i32> {
    let new = observed.color(to);
    let wanted = needed(share, observed.color(to.other()).running());
    let has = match has_rolled_out(new) {
        true => new.desired().min(new.running()),
        false => new.desired(),
    };
    (wanted > has).then(|| wanted.max(new.desired()))
}

fn has_rolled_out(state: &ColorState) -> bool {
    let primary = state.service.as_ref().and_then(ServiceState::primary);
    primary.is_some_and(|primary| primary.rollout == Some(Rollout::Completed))
}

/// By those steps from where traffic was found. What the first one needs must be
/// there already; each further one waits for what it needs more.
pub fn strategy(observed: &Observed, to: Color, steps: &Steps, bake: Duration) -> Strategy {
    let mut strategy = Strategy::gradual(to, &observed.traffic, steps, bake);
    let live = observed.color(to.other()).running();
    let mut has = needed(strategy.first_share(), live).max(observed.color(to).desired());
    for stage in &mut strategy.stages {
        let wanted = needed(stage.it.to.share(to), live);
        if wanted > has {
            stage.before.push(Condition::Capacity(wanted));
            has = wanted;
        }
    }
    strategy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;
    use crate::model::testing::{observed, service};

    #[test]
    fn a_share_needs_its_part_rounded_up_and_one_more() {
        for (share, live, expected) in [
            (500, 1, 1),
            (500, 10, 2),
            (1000, 10, 2),
            (1001, 10, 3),
            (2500, 10, 4),
            (4999, 10, 6),
            (5000, 10, 10),
            (10_000, 10, 10),
            (1, 1000, 2),
            (0, 3, 1),
        ] {
            assert_eq!(needed(share, live), expected, "{share} of {live}");
        }
    }

    #[test]
    fn each_further_stage_waits_for_what_it_needs_more() {
        let mut world = observed();
        world.colors.green.service = Some(service(10));
        world.colors.blue.service = Some(service(1));
        let steps = "5% for 5m,10% for 5m,25% for 5m".parse().unwrap();
        let conditions = |world: &Observed| -> Vec<Vec<Condition>> {
            let strategy = strategy(world, Color::Blue, &steps, Duration::ZERO);
            let before = |stage: &Stage| stage.before.clone();
            strategy.stages.iter().map(before).collect()
        };
        let capacity = |tasks| vec![Condition::Capacity(tasks)];
        let none = Vec::new;
        assert_eq!(
            conditions(&world),
            [none(), none(), capacity(4), capacity(10), none()]
        );
        assert_eq!(missing(&world, Color::Blue, 500), Some(2));
        assert_eq!(missing(&world, Color::Blue, 10_000), Some(10));

        world.colors.blue.service = Some(service(6));
        assert_eq!(missing(&world, Color::Blue, 500), None);
        assert_eq!(
            conditions(&world),
            [none(), none(), none(), capacity(10), none()]
        );
    }
}
