//! From every state that a person, a stranger and AWS can bring about there is a
//! line that leads out: every refusal names one that works there, or what is to
//! be done by hand.

use super::*;
use crate::model::journal::{Left, Previous, Truth};
use crate::model::testing::{
    NOT_HOSTED, nowhere, observed, redirect, release, service, to, to_both,
};
use crate::model::{ColorState, Found, PerRoute, Revision};

fn runs(tag: &str, tasks: i32) -> ColorState {
    let mut service = service(tasks);
    service.task_definition = Revision::new(format!("family:{tag}"));
    ColorState {
        service: Some(service),
        release: Some(release(tag)),
        ..ColorState::default()
    }
}

fn colors() -> [ColorState; 3] {
    [ColorState::default(), runs("2", 0), runs("2", 2)]
}

/// What the journal can say of the release before.
fn befores(world: &Observed) -> Vec<Option<Previous>> {
    let mut all = vec![None];
    for left in [Left::Replaced, Left::RolledBack, Left::TakenBack] {
        for color in Color::BOTH {
            let here = world.deployed(color);
            let mut gone = world.clone();
            gone.colors.blue = runs("1", 2);
            gone.colors.green = runs("1", 2);
            let releases = here.into_iter().chain(gone.deployed(color));
            all.extend(releases.map(|release| Some(Previous { release, left })));
        }
    }
    all
}

/// Every state of the listeners, the colours and the journal.
fn states() -> Vec<Observed> {
    let listeners = || {
        let ends: [Found; 5] = [
            nowhere(),
            to(Color::Blue),
            to(Color::Green),
            redirect(),
            to_both(),
        ];
        ends.into_iter()
    };
    let mut all = Vec::new();
    let pairs = listeners().flat_map(|production| {
        let tests = listeners().chain([Found::ByRequest]);
        tests.map(move |test| (production.clone(), test))
    });
    for (production, test) in pairs {
        for (blue, green) in colors()
            .into_iter()
            .flat_map(|blue| colors().map(move |green| (blue.clone(), green)))
        {
            let mut world = observed();
            world.traffic = PerRoute {
                production: production.clone(),
                test: test.clone(),
            };
            (world.colors.blue, world.colors.green) = (blue, green);
            for previous in befores(&world) {
                for was in [None, Some(Color::Blue), Some(Color::Green)] {
                    let mut world = world.clone();
                    world.journal.truth = Some(Truth {
                        production: was.and_then(|was| world.deployed(was)),
                        test: was.map(Color::other),
                        previous: previous.clone(),
                        hosted: NOT_HOSTED,
                    });
                    all.push(world);
                }
            }
        }
    }
    all
}

/// The lines between backquotes.
fn named(hint: &str) -> impl Iterator<Item = &str> {
    let quoted = hint.split('`').skip(1).step_by(2);
    quoted.filter_map(|line| line.strip_prefix("bgecs "))
}

/// Whether that line would go ahead there.
fn goes_ahead(world: &Observed, line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let color = words.iter().find_map(|word| word.parse().ok());
    let tag = words.iter().position(|word| *word == "--tag");
    let tag = tag.and_then(|at| words.get(at + 1)?.parse::<Tag>().ok());
    match (words[0], tag) {
        // The person names what does not run yet.
        ("deploy", tag) => deploy(
            world,
            &DeployWish {
                tag: &tag.unwrap_or_else(|| "9".parse().unwrap()),
                color,
                allow_live: line.contains("--allow-live"),
                force: false,
                count: 2,
            },
        )
        .is_ok(),
        ("promote", Some(tag)) => promote(world, &Aim::Tag { tag, on: color }).is_ok(),
        ("promote", None) => promote(world, &color.map_or(Aim::Newest, Aim::Color)).is_ok(),
        ("rollback", _) => rollback(world).is_ok(),
        ("adopt", _) => unclear(world).is_none(),
        _ => false,
    }
}

#[test]
fn every_refusal_names_a_line_that_works_there() {
    let mut judged = 0;
    for world in states() {
        let two: Tag = "2".parse().unwrap();
        let wish = |color, tag| DeployWish {
            tag,
            color,
            allow_live: false,
            force: false,
            count: 2,
        };
        let nine: Tag = "9".parse().unwrap();
        let refusals = [
            ("deploy", deploy(&world, &wish(None, &nine)).err()),
            (
                "deploy onto blue",
                deploy(&world, &wish(Some(Color::Blue), &nine)).err(),
            ),
            ("promote", promote(&world, &Aim::Newest).err()),
            (
                "promote --tag 2",
                promote(&world, &Aim::Tag { tag: two, on: None }).err(),
            ),
            (
                "promote --tag 9",
                promote(
                    &world,
                    &Aim::Tag {
                        tag: nine.clone(),
                        on: None,
                    },
                )
                .err(),
            ),
            (
                "promote blue",
                promote(&world, &Aim::Color(Color::Blue)).err(),
            ),
            ("rollback", rollback(&world).err()),
            ("retire", retire(&world).err()),
        ];
        for (line, refusal) in refusals {
            let Some(Refusal { message, hint }) = refusal else {
                continue;
            };
            judged += 1;
            let hint = hint.unwrap_or_default();
            let leads = hint.contains(" by hand")
                || named(&hint).any(|line| goes_ahead(&world, line))
                || (line.starts_with("deploy onto")
                    && deploy(&world, &wish(Some(Color::Green), &nine)).is_ok());
            assert!(
                leads,
                "{line}: {message}\n  {hint}\n{:?} {:?}\n{:#?}",
                world.traffic, world.journal.truth, world.colors
            );
        }
    }
    assert!(judged > 1000, "{judged}");
}
