//! The check just before an effect on a colour, and the one after it: whether users are
//! still where they were when the effect was planned.

use super::plan::Refusal;
use crate::model::{Color, Found, Observed, PerRoute, Route, ServiceState};

/// Refuses to touch a colour once a listener is not where it was when that was
/// planned: users may be on it by now, and whoever moved them goes first.
///
/// # Errors
/// What was expected, and what was found.
pub fn refuse_moved(
    observed: &Observed,
    found: &PerRoute<Found>,
    color: Color,
) -> Result<(), Refusal> {
    let moved = moved(observed, found);
    if moved.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        format!("{}, so {color} is left as it is", said(&moved)),
        "`bgecs adopt` accepts what is there now; or put it back by hand, then try again",
    ))
}

/// Where users are at the end of work on a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Users {
    /// Not on it, and nothing was moved.
    Elsewhere,
    /// On it, as they were before.
    OnIt,
    /// On it, and something else brought them there meanwhile.
    BroughtOntoIt,
    /// Not on it; something else moved a listener meanwhile.
    Moved(String),
}

pub fn users(observed: &Observed, found: &PerRoute<Found>, color: Color) -> Users {
    let moved = moved(observed, found);
    match (
        observed.traffic.production.reaches(color),
        found.production.reaches(color),
    ) {
        (true, true) => Users::OnIt,
        (false, true) => Users::BroughtOntoIt,
        _ if moved.is_empty() => Users::Elsewhere,
        _ => Users::Moved(said(&moved)),
    }
}

/// What a service has running, by revision.
pub fn what_runs(color: Color, service: &ServiceState) -> String {
    let running = service.deployments.iter().filter(|d| d.running > 0);
    let counts: Vec<String> = running
        .map(|d| format!("{} of {}", d.running, d.task_definition.short()))
        .collect();
    match counts.is_empty() {
        true => format!("{color} runs no tasks"),
        false => format!("{color} runs {}", counts.join(" and ")),
    }
}

fn moved(observed: &Observed, found: &PerRoute<Found>) -> Vec<String> {
    [Route::Production, Route::Test]
        .into_iter()
        .map(|route| (route, observed.found_at(route), found.get(route)))
        .filter(|(_, planned, found)| planned != found)
        .map(|(route, planned, found)| {
            let endpoint = observed.endpoint(route);
            format!("{endpoint} forwards to {found}, and to {planned} when this began")
        })
        .collect()
}

fn said(moved: &[String]) -> String {
    format!("{}: something else changed it", moved.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rollout;
    use crate::model::testing::{nowhere, observed, service, to, to_both};

    fn listeners(production: Found, test: Found) -> PerRoute<Found> {
        PerRoute { production, test }
    }

    fn planned(production: Found, test: Found) -> Observed {
        observed().with_traffic(listeners(production, test))
    }

    #[test]
    fn a_colour_is_touched_only_where_both_listeners_are_as_planned() {
        let (blue, green) = (to(Color::Blue), to(Color::Green));
        let planned = planned(green.clone(), blue.clone());
        for (production, test, said) in [
            (green.clone(), blue.clone(), None),
            (
                blue.clone(),
                blue.clone(),
                Some("port 80 forwards to blue, and to green when this began"),
            ),
            (
                to_both(),
                blue.clone(),
                Some("port 80 forwards to 50% blue, 50% green, and to green when this began"),
            ),
            (
                nowhere(),
                blue.clone(),
                Some("port 80 forwards to nothing, and to green when this began"),
            ),
            (
                green.clone(),
                green.clone(),
                Some("port 81 forwards to green, and to blue when this began"),
            ),
            (
                blue,
                green,
                Some(
                    "port 80 forwards to blue, and to green when this began; port 81 forwards to green, and to blue when this began",
                ),
            ),
        ] {
            let refused = refuse_moved(&planned, &listeners(production, test), Color::Blue);
            let message = refused.err().map(|refusal| refusal.message);
            let expected = said
                .map(|said| format!("{said}: something else changed it, so blue is left as it is"));
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn the_first_release_finds_nothing_live_or_is_refused() {
        let fresh = listeners(nowhere(), nowhere());
        assert!(refuse_moved(&planned(nowhere(), nowhere()), &fresh, Color::Blue).is_ok());
        let taken = listeners(to(Color::Green), nowhere());
        assert!(refuse_moved(&planned(nowhere(), nowhere()), &taken, Color::Blue).is_err());
    }

    /// As a person does who insists.
    #[test]
    fn the_live_colour_is_touched_where_it_was_live_when_that_was_planned() {
        let planned = planned(to(Color::Green), to(Color::Blue));
        assert!(refuse_moved(&planned, &planned.traffic, Color::Green).is_ok());
    }

    #[test]
    fn users_are_on_a_colour_or_not_and_were_before_or_not() {
        let (blue, green) = (to(Color::Blue), to(Color::Green));
        let planned = planned(green.clone(), blue.clone());
        let users = |production: &Found, test: &Found, color| {
            users(
                &planned,
                &listeners(production.clone(), test.clone()),
                color,
            )
        };
        assert_eq!(users(&green, &blue, Color::Blue), Users::Elsewhere);
        assert_eq!(users(&green, &blue, Color::Green), Users::OnIt);
        assert_eq!(users(&blue, &blue, Color::Blue), Users::BroughtOntoIt);
        assert_eq!(users(&to_both(), &blue, Color::Blue), Users::BroughtOntoIt);
        for (production, test, color) in [
            (&nowhere(), &blue, Color::Blue),
            (&green, &green, Color::Blue),
            (&blue, &blue, Color::Green),
        ] {
            let found = users(production, test, color);
            assert!(matches!(found, Users::Moved(_)), "{found:?}");
        }
    }

    #[test]
    fn what_runs_is_told_by_revision() {
        let mut mixed = service(2);
        let mut old = mixed.deployments[0].clone();
        old.rollout = Some(Rollout::Completed);
        old.running = 1;
        old.task_definition = crate::model::Revision::new("task-definition/bgecs-hello:0");
        mixed.deployments.push(old);
        assert_eq!(
            what_runs(Color::Green, &mixed),
            "green runs 2 of bgecs-hello:1 and 1 of bgecs-hello:0"
        );
        assert_eq!(what_runs(Color::Green, &service(0)), "green runs no tasks");
    }
}
