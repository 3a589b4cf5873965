//! Which task a target's health belongs to, where addresses are used again.
//!
//! On AWS each task has a network interface of its own. A Docker bridge gives the
//! address of a task that was just stopped to the next one, and for a moment the
//! load balancer still says of that address what it has said of the former task.
//! That must neither complete nor stop the new one. Pure.

use std::collections::BTreeMap;

use super::service::Seconds;
use crate::balancer::config::{Arn, Target};
use crate::balancer::health::State;

/// How long a state may be the former task's: more than the load balancer needs
/// to learn of a registration. What lasts longer is the new one's own.
const LONGEST_INHERITANCE: Seconds = 10.0;

/// Who lives at each registered address.
#[derive(Debug, Clone, Default)]
pub struct Tenants(BTreeMap<(Arn, Target), Tenant>);

#[derive(Debug, Clone)]
struct Tenant {
    task: String,
    since: Seconds,
    /// What was said of the address when this task moved in.
    inherited: Option<State>,
}

impl Tenants {
    /// What of the target's state is this task's own. `said` is None where the
    /// target is not registered.
    pub fn own_state(
        &mut self,
        task: &str,
        group: &Arn,
        target: Target,
        said: Option<State>,
        now: Seconds,
    ) -> Option<State> {
        let place = (group.clone(), target);
        let tenant = match self.0.remove(&place) {
            Some(tenant) if tenant.task == task => tenant,
            former => Tenant {
                task: task.to_owned(),
                since: now,
                inherited: said
                    .filter(|state| former.is_some() && lasts_beyond_registration(*state)),
            },
        };
        let is_inherited = tenant.inherited.is_some()
            && tenant.inherited == said
            && now - tenant.since < LONGEST_INHERITANCE;
        self.0.insert(
            place,
            Tenant {
                inherited: tenant.inherited.filter(|_| is_inherited),
                ..tenant
            },
        );
        if is_inherited {
            Some(State::Initial)
        } else {
            said
        }
    }
}

fn lasts_beyond_registration(state: State) -> bool {
    matches!(state, State::Healthy | State::Unhealthy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: Option<State> = Some(State::Initial);
    const HEALTHY: Option<State> = Some(State::Healthy);
    const UNHEALTHY: Option<State> = Some(State::Unhealthy);

    struct Place(Tenants);

    impl Place {
        fn own(&mut self, task: &str, said: Option<State>, now: Seconds) -> Option<State> {
            let target = Target {
                ip: [172, 17, 0, 2].into(),
                port: 80,
            };
            self.0.own_state(task, &Arn::new("g"), target, said, now)
        }
    }

    #[test]
    fn the_first_task_of_an_address_inherits_nothing() {
        let mut place = Place(Tenants::default());
        assert_eq!(place.own("a", UNHEALTHY, 0.0), UNHEALTHY);
        assert_eq!(place.own("a", HEALTHY, 1.0), HEALTHY);
    }

    #[test]
    fn what_was_said_of_the_former_task_is_not_the_next_ones() {
        for said in [HEALTHY, UNHEALTHY] {
            let mut place = Place(Tenants::default());
            place.own("a", said, 0.0);
            assert_eq!(place.own("b", said, 1.0), INITIAL);
            assert_eq!(place.own("b", said, 10.9), INITIAL);
            assert_eq!(place.own("b", said, 11.0), said, "it lasts too long");
        }
    }

    #[test]
    fn a_state_that_has_changed_since_is_its_own() {
        let mut place = Place(Tenants::default());
        place.own("a", UNHEALTHY, 0.0);
        assert_eq!(place.own("b", UNHEALTHY, 1.0), INITIAL);
        assert_eq!(place.own("b", None, 2.0), None);
        assert_eq!(place.own("b", UNHEALTHY, 3.0), UNHEALTHY);
    }

    #[test]
    fn a_task_that_is_met_before_its_checks_inherits_nothing() {
        let mut place = Place(Tenants::default());
        place.own("a", UNHEALTHY, 0.0);
        assert_eq!(place.own("b", INITIAL, 1.0), INITIAL);
        assert_eq!(place.own("b", UNHEALTHY, 2.0), UNHEALTHY);
    }
}
