//! Parts of the stack that something else has deleted, and what can be done.

use std::fmt;

use super::{Refusal, StackPlan};
use crate::model::journal::{Head, Truth};
use crate::model::{COLOR_HEADER, Color, EcsInfrastructure, Endpoint, Found, Place, Route};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    LoadBalancer,
    /// By the name of the way in.
    Listener(Route, String),
    Rule(Route, String),
    /// By which a request on that way names that colour.
    HeaderRule(Color, String),
    TargetGroup(Color),
    Cluster,
    Repository,
    LogGroup,
    JournalTable,
}

impl Part {
    /// What the routes are decided on by, each with its ARN.
    pub fn of_routes(infra: &EcsInfrastructure) -> Vec<(&str, Self)> {
        let moved = [Route::Production, Route::Test]
            .into_iter()
            .flat_map(|route| {
                let places = infra.moved(route).into_iter();
                places.map(move |(name, place)| match place {
                    Place::Listener(arn) => (arn.as_str(), Self::Listener(route, name)),
                    Place::Rule(arn) => (arn.as_str(), Self::Rule(route, name)),
                })
            });
        let ways = infra.moved(Route::Production);
        let name_of = |place| {
            let way = ways.iter().find(|(_, way)| *way == place);
            way.map(|(name, _)| name.clone()).unwrap_or_default()
        };
        let by_header = infra.header_rules().into_iter().flat_map(|(rules, place)| {
            let name = name_of(place);
            Color::BOTH.map(|color| {
                (
                    rules.get(color).as_str(),
                    Self::HeaderRule(color, name.clone()),
                )
            })
        });
        moved.chain(by_header).collect()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadBalancer => f.write_str("the load balancer"),
            Self::Listener(_, name) => write!(f, "the listener of {name}"),
            Self::Rule(_, name) => write!(f, "the rule of {name}"),
            Self::HeaderRule(color, name) => {
                write!(f, "the rule for {COLOR_HEADER}: {color} at {name}")
            }
            Self::TargetGroup(color) => write!(f, "the target group of {color}"),
            Self::Cluster => f.write_str("the cluster"),
            Self::Repository => f.write_str("the image repository"),
            Self::LogGroup => f.write_str("the log group"),
            Self::JournalTable => f.write_str("the journal's table"),
        }
    }
}

/// `the cluster, the log group and the journal's table`
pub fn named(parts: &[Part]) -> String {
    let names: Vec<String> = parts.iter().map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// The way on where the rest is of no use either.
pub const ALL_AGAIN: &str =
    "`bgecs destroy` removes the rest, then `bgecs init` and `bgecs deploy` make all of it again";

/// What is made again. A service stays tied to the target group that it was made
/// with, so that another one in its place is no help.
///
/// # Errors
/// What the services there are tied to is gone.
pub fn mend(stack: &str, gone: Vec<Part>, services: &[Color]) -> Result<StackPlan, Refusal> {
    let ties = |part: &Part| match part {
        Part::LoadBalancer => !services.is_empty(),
        Part::TargetGroup(color) => services.contains(color),
        _ => false,
    };
    if gone.iter().any(ties) {
        return Err(Refusal::new(
            format!(
                "of the stack {stack} something else deleted {}, which its services are tied to",
                named(&gone)
            ),
            ALL_AGAIN.to_owned(),
        ));
    }
    Ok(StackPlan::Mend { gone })
}

/// Beside a service that ran before, all of what was made is removed and made again:
/// nothing of it takes a user's request.
///
/// # Errors
/// Something is gone that `attach` made.
pub fn refuse_gone(gone: &[Part]) -> Result<(), Refusal> {
    let is_of_test_route = |part: &Part| {
        matches!(
            part,
            Part::Listener(Route::Test, _) | Part::Rule(Route::Test, _)
        )
    };
    let way_out = match gone {
        [] => return Ok(()),
        gone if gone.iter().all(is_of_test_route) => {
            "take [test] out of bgecs.toml and run `bgecs attach`; put it back, and the next `bgecs attach` makes it again"
        }
        _ => "`bgecs detach` removes the rest, then `bgecs attach` makes all of it again",
    };
    let gone = named(gone);
    let what = format!("something else deleted {gone}, which `bgecs attach` made");
    Err(Refusal::new(what, way_out))
}

/// The live colour where a listener may be gone: what production does, or else what
/// the journal last saw it do.
///
/// # Errors
/// Neither says it.
pub fn live_by_rest(
    endpoint: &Endpoint,
    production: Option<&Found>,
    journal: Option<&Head>,
) -> Result<Option<Color>, Refusal> {
    let unknown = |why: String| Refusal::new(why, ALL_AGAIN.to_owned());
    match (production, journal) {
        (Some(production), _) if production.is_nowhere() => Ok(None),
        (Some(production), _) => production.only().map(Some).ok_or_else(|| {
            unknown(format!(
                "{endpoint} -> {production}: it is not clear which colour is live"
            ))
        }),
        (None, Some(head)) => Ok(head.truth.as_ref().and_then(Truth::live)),
        (None, None) => Err(unknown(format!(
            "what decides on {endpoint} is gone, and the journal too: nothing says which colour was live"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Deployed;
    use crate::model::testing::{NOT_HOSTED, by_several_ways, nowhere, redirect, to};

    #[test]
    fn parts_are_listed() {
        let all = [Part::Cluster, Part::LogGroup, Part::JournalTable];
        assert_eq!(named(&all[..1]), "the cluster");
        assert_eq!(
            named(&all),
            "the cluster, the log group and the journal's table"
        );
        assert_eq!(
            Part::Listener(Route::Production, "port 80".to_owned()).to_string(),
            "the listener of port 80"
        );
        assert_eq!(
            Part::TargetGroup(Color::Blue).to_string(),
            "the target group of blue"
        );
    }

    /// Each way in has rules of its own.
    #[test]
    fn every_way_in_is_looked_for() {
        let infra = by_several_ways();
        let parts = Part::of_routes(&infra).into_iter();
        let parts: Vec<String> = parts.map(|(arn, part)| format!("{arn}: {part}")).collect();
        insta::assert_snapshot!(parts.join("\n"), @"
        rule/prod: the rule of https://shop.example.com
        listener/internal: the listener of https://shop.internal
        rule/blue: the rule for x-bgecs-color: blue at https://shop.example.com
        rule/green: the rule for x-bgecs-color: green at https://shop.example.com
        rule/internal-blue: the rule for x-bgecs-color: blue at https://shop.internal
        rule/internal-green: the rule for x-bgecs-color: green at https://shop.internal
        ");
    }

    #[test]
    fn what_attach_made_is_made_again_with_all_the_rest() {
        assert!(refuse_gone(&[]).is_ok());
        let rule = Part::HeaderRule(Color::Green, "https://shop.example.com".to_owned());
        let refusal = refuse_gone(&[rule, Part::JournalTable]).unwrap_err();
        assert_eq!(
            refusal.message,
            "something else deleted the rule for x-bgecs-color: green at https://shop.example.com \
             and the journal's table, which `bgecs attach` made"
        );
    }

    #[test]
    fn what_services_are_tied_to_is_not_made_again() {
        let mends = |part, services: &[Color]| mend("bgecs-hello", vec![part], services).is_ok();
        for part in [
            Part::Listener(Route::Production, "port 80".to_owned()),
            Part::Listener(Route::Test, "port 81".to_owned()),
            Part::Cluster,
            Part::Repository,
            Part::LogGroup,
            Part::JournalTable,
        ] {
            assert!(mends(part.clone(), &Color::BOTH), "{part}");
        }
        assert!(mends(Part::LoadBalancer, &[]));
        assert!(!mends(Part::LoadBalancer, &[Color::Blue]));
        assert!(mends(Part::TargetGroup(Color::Green), &[Color::Blue]));
        let refusal = mend(
            "bgecs-hello",
            vec![Part::TargetGroup(Color::Blue)],
            &[Color::Blue],
        );
        assert_eq!(
            refusal.unwrap_err().message,
            "of the stack bgecs-hello something else deleted the target group of blue, which its services are tied to"
        );
    }

    #[test]
    fn who_is_live_is_read_from_what_is_left() {
        let head = |production| Head {
            truth: Some(Truth {
                production,
                test: None,
                previous: None,
                hosted: NOT_HOSTED,
            }),
            ..Head::default()
        };
        let green = head(Some(Deployed::somewhere_on(Color::Green)));
        let by = |production: Option<&Found>, journal: Option<&Head>| {
            live_by_rest(&Endpoint::Port(80), production, journal).ok()
        };
        assert_eq!(by(None, Some(&green)), Some(Some(Color::Green)));
        assert_eq!(
            by(Some(&to(Color::Blue)), Some(&green)),
            Some(Some(Color::Blue))
        );
        assert_eq!(by(Some(&nowhere()), None), Some(None));
        assert_eq!(by(None, Some(&Head::default())), Some(None));
        assert_eq!(by(None, None), None);
        assert_eq!(by(Some(&redirect()), Some(&green)), None);
    }
}
