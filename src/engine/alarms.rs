//! Whether alarms let a shift begin, and go on: the same question twice. Which
//! alarms there are the person says; when they are read, and which way a shift
//! goes that an alarm objects to, is not decided here.

use std::fmt;

use crate::model::Check;
use crate::model::{Alarm, AlarmState, AlarmsWithoutData};

/// What an alarm has against a shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection(Alarm);

/// `the alarm shop-5xx rings: Threshold Crossed: …`
impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Alarm {
            name,
            state,
            reason,
        } = &self.0;
        match state {
            AlarmState::Quiet => write!(f, "the alarm {name} is quiet"),
            AlarmState::Ringing => write!(f, "the alarm {name} rings"),
            AlarmState::WithoutData => write!(f, "the alarm {name} has no data"),
            AlarmState::Missing => {
                write!(f, "there is no metric or composite alarm named {name}")
            }
        }?;
        match reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl Objection {
    fn of(alarm: &Alarm, without_data: AlarmsWithoutData) -> Option<Self> {
        let objects = match alarm.state {
            AlarmState::Quiet => false,
            AlarmState::Ringing | AlarmState::Missing => true,
            AlarmState::WithoutData => without_data == AlarmsWithoutData::Stop,
        };
        objects.then(|| Self(alarm.clone()))
    }
}

/// Ahead of a shift, one for each alarm.
pub fn checks(alarms: &[Alarm], without_data: AlarmsWithoutData) -> Vec<Check> {
    let check = |alarm: &Alarm| {
        let objection = Objection::of(alarm, without_data);
        let name = &alarm.name;
        Check {
            name: "alarm",
            ok: objection.is_none(),
            detail: match (objection, alarm.state) {
                (Some(objection), _) => objection.to_string(),
                (None, AlarmState::WithoutData) => {
                    format!("{name} has no data: as configured, that is ignored")
                }
                (None, _) => format!("{name} is quiet"),
            },
        }
    };
    alarms.iter().map(check).collect()
}

/// During a shift, the one to tell: an alarm that rings before one of which
/// nothing is known.
pub fn objection(alarms: &[Alarm], without_data: AlarmsWithoutData) -> Option<Objection> {
    let objections = alarms
        .iter()
        .filter_map(|alarm| Objection::of(alarm, without_data));
    objections.min_by_key(|objection| match objection.0.state {
        AlarmState::Ringing => 0,
        AlarmState::Missing => 1,
        _ => 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use AlarmsWithoutData::{Ignore, Stop};

    fn alarm(name: &str, state: AlarmState) -> Alarm {
        Alarm {
            name: name.to_owned(),
            state,
            reason: None,
        }
    }

    fn all() -> Vec<Alarm> {
        vec![
            alarm("quiet", AlarmState::Quiet),
            alarm("empty", AlarmState::WithoutData),
            alarm("gone", AlarmState::Missing),
            Alarm {
                reason: Some("Threshold Crossed: 12 > 10".to_owned()),
                ..alarm("loud", AlarmState::Ringing)
            },
        ]
    }

    #[test]
    fn only_quiet_alarms_let_a_shift_begin_and_others_say_why() {
        for (policy, empty) in [
            (Stop, (false, "the alarm empty has no data")),
            (
                Ignore,
                (true, "empty has no data: as configured, that is ignored"),
            ),
        ] {
            let checks = checks(&all(), policy);
            let told: Vec<_> = checks
                .iter()
                .map(|it| (it.ok, it.detail.as_str()))
                .collect();
            assert_eq!(
                told,
                [
                    (true, "quiet is quiet"),
                    empty,
                    (false, "there is no metric or composite alarm named gone"),
                    (false, "the alarm loud rings: Threshold Crossed: 12 > 10"),
                ]
            );
        }
        assert_eq!(checks(&[], Stop), []);
    }

    #[test]
    fn a_shift_stops_for_what_rings_before_what_is_unknown() {
        let mut alarms = all();
        let mut names = Vec::new();
        while let Some(Objection(alarm)) = objection(&alarms, Stop) {
            alarms.retain(|it| *it != alarm);
            names.push(alarm.name);
        }
        assert_eq!(names, ["loud", "gone", "empty"]);
        assert_eq!(objection(&all()[..2], Ignore), None);
        assert_eq!(objection(&[], Stop), None);
    }

    /// What would let a shift begin never stops it, and the other way round.
    #[test]
    fn ahead_of_a_shift_and_during_it_the_same_alarms_object() {
        for alarm in all() {
            for policy in [Stop, Ignore] {
                let one = std::slice::from_ref(&alarm);
                let ok = checks(one, policy).iter().all(|check| check.ok);
                assert_eq!(ok, objection(one, policy).is_none(), "{alarm:?} {policy:?}");
            }
        }
    }

    #[test]
    fn what_an_alarm_without_data_means_is_said_in_one_of_two_words() {
        assert_eq!("stop".parse(), Ok(Stop));
        assert_eq!("ignore".parse(), Ok(Ignore));
        assert!("Ignore".parse::<AlarmsWithoutData>().is_err());
        assert_eq!(AlarmsWithoutData::default(), Stop);
    }
}
