//! Which releases of two modules users can meet side by side.

use std::time::Duration;

use super::order::is_after;
use crate::model::{RegionOrder, SetName};
use crate::spoken_time;

/// A module that is or is not moved.
#[derive(Debug, Clone, Copy)]
pub struct Mixable<'a> {
    pub name: &'a SetName,
    pub after: &'a [usize],
    pub region: &'a str,
    pub is_moved: bool,
}

/// Which releases users can meet side by side while those are moved: of two modules, and
/// of two regions, where these go in turn.
pub fn mixtures(modules: &[Mixable<'_>], order: RegionOrder, how: Passage) -> Vec<String> {
    let movers = modules.iter().enumerate().filter(|(_, it)| it.is_moved);
    let movers: Vec<(usize, &Mixable<'_>)> = movers.collect();
    let after = |n: usize| modules[n].after;
    let mut told = Vec::new();
    for (at, &(n, one)) in movers.iter().enumerate() {
        for &(m, other) in &movers[at + 1..] {
            if order.is_in_turn() && one.region != other.region {
                continue;
            }
            let (first, second) = match is_after(&after, n, m) {
                true => (other, one),
                false => (one, other),
            };
            let is_ordered = is_after(&after, n, m) || is_after(&after, m, n);
            told.extend(mixture(first.name, second.name, is_ordered, how));
        }
    }
    if order.is_in_turn() {
        told.extend(of_regions(&moved_regions(modules), order.bake(), how));
    }
    told
}

/// The regions of the modules that are moved, in the order in which they appear.
pub fn moved_regions<'a>(modules: &[Mixable<'a>]) -> Vec<&'a str> {
    let mut regions: Vec<&str> = Vec::new();
    for it in modules.iter().filter(|it| it.is_moved) {
        if !regions.contains(&it.region) {
            regions.push(it.region);
        }
    }
    regions
}

/// Of each region and the later ones.
fn of_regions(regions: &[&str], bake: Duration, how: Passage) -> Vec<String> {
    let more = match bake.is_zero() {
        true => String::new(),
        false => format!(", for {} longer than its window", spoken_time::short(bake)),
    };
    let mut told = Vec::new();
    for (n, region) in regions.iter().enumerate() {
        let later = regions[n + 1..].join(" and ");
        if later.is_empty() {
            continue;
        }
        let until = match how {
            Passage::Back => format!("until {region} is moved, too"),
            Passage::AtOnce | Passage::Gradual => format!(
                "while {region} goes over and is watched{more}, and until {later} is moved, too"
            ),
        };
        told.push(format!("old {later} with new {region}: {until}"));
        told.push(format!(
            "new {later} with old {region}: never, unless {region} itself fails: what fails goes back at once, and {later} with it"
        ));
    }
    told
}

/// How users of a set go over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    AtOnce,
    Gradual,
    Back,
}

fn mixture(first: &SetName, second: &SetName, is_ordered: bool, how: Passage) -> Vec<String> {
    let last = match how {
        Passage::Back => first,
        Passage::AtOnce | Passage::Gradual => second,
    };
    match (is_ordered, how) {
        (_, Passage::Gradual) => vec![format!(
            "new {second} with old {first}, and old {second} with new {first}: from the first step to the last, as each gives the new release a share of its own requests"
        )],
        (true, Passage::AtOnce | Passage::Back) => vec![
            format!("old {second} with new {first}: until {last} is moved, too"),
            format!(
                "new {second} with old {first}: never, unless {first} itself fails: it goes back at once, and {second} with it"
            ),
        ],
        (false, Passage::AtOnce | Passage::Back) => vec![format!(
            "new {second} with old {first}, and old {second} with new {first}: until both are moved, as neither comes after the other"
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// An api and its web in one region; in the next an api, and docs that stay.
    fn told(order: RegionOrder, how: Passage) -> Vec<String> {
        let names = ["api", "web", "api-us", "docs"].map(|name| name.parse().unwrap());
        let module = |n: usize, after, region, is_moved| Mixable {
            name: &names[n],
            after,
            region,
            is_moved,
        };
        let modules = [
            module(0, &[], "eu-west-1", true),
            module(1, &[0], "eu-west-1", true),
            module(2, &[0, 1], "us-east-1", true),
            module(3, &[0, 1], "us-east-1", false),
        ];
        mixtures(&modules, order, how)
    }

    #[test]
    fn regions_in_turn_are_told_as_regions() {
        let baked = RegionOrder::InTurn(10 * MINUTE);
        let never = "new us-east-1 with old eu-west-1: never, unless eu-west-1 itself fails: what fails goes back at once, and us-east-1 with it";
        let until = "while eu-west-1 goes over and is watched, for 10m longer than its window, and until us-east-1 is moved, too";
        assert_eq!(
            told(baked, Passage::AtOnce),
            [
                "old web with new api: until web is moved, too",
                "new web with old api: never, unless api itself fails: it goes back at once, and web with it",
                &format!("old us-east-1 with new eu-west-1: {until}"),
                never,
            ]
        );
        let steps = told(baked, Passage::Gradual);
        assert_eq!(steps.len(), 3, "a share of api and web at once: {steps:#?}");
        assert_eq!(
            steps[2], never,
            "a region begins when the one before it is whole"
        );
        let back = told(baked, Passage::Back);
        let until = "old us-east-1 with new eu-west-1: until eu-west-1 is moved, too";
        assert_eq!(back[2..], [until, never]);
        let together = told(RegionOrder::Together, Passage::AtOnce);
        assert_eq!(together.len(), 6, "each two modules: {together:#?}");
    }
}
