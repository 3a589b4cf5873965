//! Which faults strike a call, and what they leave of it. Pure but for its
//! counts.

use std::time::Duration;

use super::super::request::{Operation, short};
use super::{Fault, FaultId, Match, Planned, Struck, What, When};

/// The faults that are planned, with their counts.
#[derive(Debug, Default)]
pub struct Plan {
    faults: Vec<Planned>,
    /// Ids are never used twice.
    last: u32,
}

impl Plan {
    pub fn add(&mut self, fault: Fault) -> FaultId {
        self.last += 1;
        let id = FaultId(self.last);
        self.faults.push(Planned {
            id,
            fault,
            seen: 0,
            struck: 0,
            held: 0,
        });
        id
    }

    pub fn remove(&mut self, id: FaultId) -> Option<Planned> {
        let at = self.faults.iter().position(|planned| planned.id == id)?;
        Some(self.faults.remove(at))
    }

    pub fn clear(&mut self) {
        self.faults.clear();
    }

    /// None if there is no such fault.
    pub fn find(&self, id: FaultId) -> Option<&Planned> {
        self.faults.iter().find(|planned| planned.id == id)
    }

    /// Counts a call that a fault holds from now on, until it is removed.
    pub fn holds(&mut self, id: FaultId) {
        if let Some(planned) = self.faults.iter_mut().find(|planned| planned.id == id) {
            planned.held += 1;
        }
    }

    pub fn all(&self) -> &[Planned] {
        &self.faults
    }

    /// Counts a call, and says what strikes it.
    pub fn strike(&mut self, operation: &Operation, resource: &str) -> Vec<Struck> {
        let mut struck = Vec::new();
        for planned in &mut self.faults {
            if !planned.fault.means(operation, resource) {
                continue;
            }
            planned.seen += 1;
            if planned.fault.when.is_due(planned.seen) {
                planned.struck += 1;
                struck.push(Struck {
                    id: planned.id,
                    what: planned.fault.what,
                });
            }
        }
        struck
    }

    /// Whether the next calls of that read may be made stale.
    pub fn may_make_stale(&self, operation: &Operation, resource: &str) -> bool {
        self.stale().any(|fault| fault.means(operation, resource))
    }

    /// Whether the next calls of any read may be.
    pub fn may_make_any_stale(&self) -> bool {
        self.stale().next().is_some()
    }

    fn stale(&self) -> impl Iterator<Item = &Fault> {
        let lasting = self
            .faults
            .iter()
            .filter(|planned| !planned.fault.when.is_over(planned.seen));
        lasting
            .map(|planned| &planned.fault)
            .filter(|fault| matches!(fault.what, What::StaleBy(_)))
    }
}

impl Fault {
    fn means(&self, operation: &Operation, resource: &str) -> bool {
        let only_reads = matches!(self.what, What::StaleBy(_));
        self.on.takes(operation, resource) && (!only_reads || operation.is_read())
    }
}

impl Match {
    fn takes(&self, operation: &Operation, resource: &str) -> bool {
        if self.writes && operation.is_read() {
            return false;
        }
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.service, &operation.service)
            && is(&self.operation, &operation.name)
            && self
                .resource
                .as_deref()
                .is_none_or(|part| resource.contains(&short(part)))
    }
}

impl When {
    /// `seen` counts this call.
    fn is_due(self, seen: u32) -> bool {
        match self {
            Self::Nth(number) => seen == number,
            Self::First(count) => seen <= count,
            Self::Every(count) => seen.is_multiple_of(count),
            Self::From(number) => seen >= number,
            Self::Always => true,
        }
    }

    /// Whether nothing can be due after so many.
    fn is_over(self, seen: u32) -> bool {
        match self {
            Self::Nth(last) | Self::First(last) => seen >= last,
            Self::Every(_) | Self::From(_) | Self::Always => false,
        }
    }
}

/// What the faults that struck a call leave of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoilt {
    pub delay: Duration,
    pub fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// No effect, no answer.
    Lost,
    Throttled,
    InternalError,
    Forwarded {
        stale_by: Option<Duration>,
        answer_lost: bool,
    },
}

impl Spoilt {
    pub fn by(struck: &[Struck]) -> Self {
        let all = || struck.iter().map(|one| one.what);
        let delay = all().filter_map(|what| match what {
            What::Delay(time) => Some(time),
            _ => None,
        });
        let stale_by = all().filter_map(|what| match what {
            What::StaleBy(time) => Some(time),
            _ => None,
        });
        let has = |wanted: What| all().any(|what| what == wanted);
        let fate = if has(What::DropBefore) || has(What::HoldBefore) {
            Fate::Lost
        } else if has(What::Throttle) {
            Fate::Throttled
        } else if has(What::InternalError) {
            Fate::InternalError
        } else {
            Fate::Forwarded {
                stale_by: stale_by.max(),
                answer_lost: has(What::DropAfter) || has(What::HoldAfter),
            }
        };
        Self {
            delay: delay.sum(),
            fate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::request::Protocol;
    use super::super::On;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn operation(service: &str, name: &str) -> Operation {
        Operation {
            protocol: Protocol::Json,
            service: service.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Which of the first eight calls are struck.
    fn numbers(on: impl FnOnce(On) -> On) -> Vec<u32> {
        let mut plan = Plan::default();
        plan.add(on(Fault::on("ecs", "UpdateService")).throttle());
        let call = operation("ecs", "UpdateService");
        (1..=8)
            .filter(|_| !plan.strike(&call, "").is_empty())
            .collect()
    }

    #[test]
    fn a_fault_strikes_when_it_is_due() {
        assert_eq!(numbers(|on| on), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(numbers(|on| on.nth(2)), [2]);
        assert_eq!(numbers(|on| on.first(3)), [1, 2, 3]);
        assert_eq!(numbers(|on| on.every(3)), [3, 6]);
        assert_eq!(numbers(|on| on.from(6)), [6, 7, 8]);
        for never in [
            numbers(|on| on.nth(0)),
            numbers(|on| on.first(0)),
            numbers(|on| on.every(0)),
        ] {
            assert_eq!(never, [0; 0]);
        }
    }

    #[test]
    fn only_calls_that_match_are_counted() {
        let mut plan = Plan::default();
        let id = plan.add(
            Fault::on("ecs", "UpdateService")
                .resource("web")
                .nth(2)
                .throttle(),
        );
        for (service, name, resource, struck) in [
            ("ecs", "UpdateService", "live/web", false),
            ("ecs", "UpdateService", "live/api", false),
            ("ecs", "DescribeServices", "live/web", false),
            ("other", "UpdateService", "live/web", false),
            ("ecs", "UpdateService", "live/web", true),
        ] {
            let strikes = plan.strike(&operation(service, name), resource);
            assert_eq!(!strikes.is_empty(), struck, "{service} {name} {resource}");
        }
        let planned = plan.remove(id).unwrap();
        assert_eq!((planned.seen, planned.struck), (2, 1));
        assert_eq!(plan.remove(id), None);
    }

    #[test]
    fn writes_of_all_services_are_counted_together_and_reads_are_not() {
        let mut plan = Plan::default();
        plan.add(Fault::on_writes().nth(2).hold_before());
        for (service, name, struck) in [
            ("ecs", "UpdateService", false),
            ("ecs", "DescribeServices", false),
            ("elasticloadbalancing", "ModifyListener", true),
            ("dynamodb", "UpdateItem", false),
        ] {
            let strikes = plan.strike(&operation(service, name), "");
            assert_eq!(!strikes.is_empty(), struck, "{service} {name}");
        }
    }

    #[test]
    fn a_resource_may_be_given_as_an_arn() {
        let arn = "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/web/50dc/f2f7";
        let mut plan = Plan::default();
        plan.add(Fault::on_any().resource(arn).throttle());
        let call = operation("elasticloadbalancing", "ModifyListener");
        assert!(!plan.strike(&call, &short(arn)).is_empty());
        assert!(plan.strike(&call, "listener/web/0467").is_empty());
    }

    #[test]
    fn an_id_is_never_given_twice() {
        let mut plan = Plan::default();
        let first = plan.add(Fault::on_any().throttle());
        plan.clear();
        assert_ne!(plan.add(Fault::on_any().throttle()), first);
        assert_eq!(plan.all().len(), 1);
    }

    #[test]
    fn only_reads_become_stale_and_only_while_the_fault_lasts() {
        let mut plan = Plan::default();
        plan.add(Fault::on_service("ecs").first(1).stale_by(SECOND));
        let read = operation("ecs", "DescribeServices");
        let write = operation("ecs", "UpdateService");
        assert!(plan.strike(&write, "").is_empty());
        assert!(plan.may_make_any_stale());
        assert!(plan.may_make_stale(&read, "") && !plan.may_make_stale(&write, ""));
        assert!(!plan.strike(&read, "").is_empty());
        assert!(!plan.may_make_stale(&read, "") && !plan.may_make_any_stale());
    }

    fn spoilt(faults: &[What]) -> Spoilt {
        let mut plan = Plan::default();
        for what in faults {
            plan.add(Fault::on_any().does(*what));
        }
        Spoilt::by(&plan.strike(&operation("ecs", "DescribeServices"), ""))
    }

    #[test]
    fn delays_add_up_and_the_worst_fate_wins() {
        let delay = What::Delay(SECOND);
        let left = spoilt(&[delay, What::DropAfter, delay, What::StaleBy(SECOND)]);
        assert_eq!(left.delay, 2 * SECOND);
        let forwarded = Fate::Forwarded {
            stale_by: Some(SECOND),
            answer_lost: true,
        };
        assert_eq!(left.fate, forwarded);
        let fate = |faults: &[What]| spoilt(faults).fate;
        assert_eq!(
            fate(&[What::DropAfter, What::InternalError]),
            Fate::InternalError
        );
        assert_eq!(
            fate(&[What::InternalError, What::Throttle]),
            Fate::Throttled
        );
        assert_eq!(fate(&[What::Throttle, What::DropBefore]), Fate::Lost);
        assert_eq!(fate(&[What::Throttle, What::HoldBefore]), Fate::Lost);
        assert_eq!(
            fate(&[What::HoldAfter]),
            Fate::Forwarded {
                stale_by: None,
                answer_lost: true,
            }
        );
        let none = Fate::Forwarded {
            stale_by: None,
            answer_lost: false,
        };
        assert_eq!(
            spoilt(&[]),
            Spoilt {
                delay: Duration::ZERO,
                fate: none
            }
        );
    }
}
