use super::*;
use crate::gate::cdn::distribution::Distribution;

const SECOND: Duration = Duration::from_secs(1);

fn world(etag: &str) -> World {
    let xml = "<Distribution><Id>E1</Id><DomainName>d1.cloudfront.net</DomainName>\
               <DistributionConfig/></Distribution>";
    let one = Distribution::read(xml, etag, &Default::default());
    World(one.into_iter().collect())
}

fn seen(spread: &Spread, edge: usize, now: Instant) -> String {
    let world = spread.seen_by(edge, now);
    world
        .0
        .first()
        .map_or_else(String::new, |one| one.etag.clone())
}

fn two_edges() -> (Spread, Instant) {
    let start = Instant::now();
    let mut spread = Spread::new(vec![SECOND, 3 * SECOND]);
    spread.send(world("1"), start);
    (spread, start)
}

#[test]
fn what_there_was_at_first_is_everywhere_and_a_change_comes_after_each_edges_delay() {
    let (mut spread, start) = two_edges();
    assert_eq!([0, 1].map(|edge| seen(&spread, edge, start)), ["1", "1"]);
    spread.send(world("2"), start + SECOND);
    for (after, wanted, underway) in [
        (1, ["1", "1"], true),
        (2, ["2", "1"], true),
        (3, ["2", "1"], true),
        (4, ["2", "2"], false),
    ] {
        let now = start + after * SECOND;
        assert_eq!([0, 1].map(|edge| seen(&spread, edge, now)), wanted);
        assert_eq!(spread.is_underway("E1", now), underway, "{after}");
    }
}

#[test]
fn a_new_distribution_is_underway_and_another_is_not_for_it() {
    let start = Instant::now();
    let mut spread = Spread::new(vec![SECOND]);
    spread.send(World::default(), start);
    spread.send(world("1"), start);
    assert!(spread.is_underway("E1", start));
    assert!(!spread.is_underway("E2", start));
    assert!(!spread.is_underway("E1", start + SECOND));
}

#[test]
fn changes_in_a_row_come_in_a_row_and_what_nobody_goes_by_is_forgotten() {
    let (mut spread, start) = two_edges();
    for (etag, at) in [("2", 1), ("3", 2), ("3", 3)] {
        spread.send(world(etag), start + at * SECOND);
    }
    assert_eq!(seen(&spread, 1, start + 4 * SECOND), "2");
    assert_eq!(seen(&spread, 1, start + 5 * SECOND), "3");
    assert_eq!(spread.worlds.len(), 3);
    spread.send(world("4"), start + 9 * SECOND);
    assert_eq!(spread.worlds.len(), 2);
    assert_eq!(seen(&spread, 0, start + 9 * SECOND), "3");
}

#[test]
fn another_delay_brings_what_is_underway_no_later_and_never_goes_back() {
    let (mut spread, start) = two_edges();
    spread.send(world("2"), start);
    spread.set_delay(1, Duration::ZERO, start);
    assert_eq!(seen(&spread, 1, start), "2");
    spread.set_delay(1, 100 * SECOND, start);
    assert_eq!(seen(&spread, 1, start), "2");
    spread.send(world("3"), start);
    assert_eq!(seen(&spread, 1, start + 99 * SECOND), "2");
    assert_eq!(seen(&spread, 1, start + 100 * SECOND), "3");
}

#[test]
fn an_invalidation_is_of_what_was_asked_for_before_it_came_to_the_edge() {
    let (mut spread, start) = two_edges();
    let invalidation = Invalidation {
        id: "I1".to_owned(),
        distribution: "E1".to_owned(),
        paths: vec!["/a/*".to_owned(), "b".to_owned()],
    };
    spread.invalidate(invalidation.clone(), start);
    // The same again is no other.
    spread.invalidate(invalidation, start + 10 * SECOND);
    let is_invalid = |edge, after: u32, what, asked: u32| {
        let now = start + after * SECOND;
        spread.is_invalid((edge, now), what, start + asked * SECOND)
    };
    assert!(!is_invalid(0, 0, ("E1", "/a/x"), 0));
    assert!(is_invalid(0, 1, ("E1", "/a/x?v=1"), 0));
    assert!(!is_invalid(1, 1, ("E1", "/a/x"), 0));
    assert!(is_invalid(1, 3, ("E1", "/a/x"), 2));
    assert!(!is_invalid(0, 20, ("E1", "/a/x"), 2));
    assert!(is_invalid(0, 1, ("E1", "/b"), 0));
    for other in [("E1", "/b/c"), ("E1", "/a"), ("E2", "/a/x")] {
        assert!(!is_invalid(0, 1, other, 0), "{other:?}");
    }
    assert!(spread.is_invalidating("I1", start + 2 * SECOND));
    assert!(!spread.is_invalidating("I1", start + 3 * SECOND));
}
