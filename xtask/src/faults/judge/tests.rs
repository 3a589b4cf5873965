use super::*;

fn writes(services: &[&str]) -> Vec<Write> {
    let numbered = (1..).zip(services);
    numbered
        .map(|(number, service)| Write {
            number,
            service: (*service).to_owned(),
            operation: "Any".to_owned(),
            resource: String::new(),
        })
        .collect()
}

/// Before and after each.
fn namings(services: &[&str]) -> Vec<Naming> {
    let writes = writes(services);
    let sides = writes
        .iter()
        .flat_map(|write| Side::BOTH.map(|side| (write, side)));
    sides
        .map(|(write, side)| naming(&writes, write, side))
        .collect()
}

#[test]
fn what_had_an_effect_is_named_until_the_last_write() {
    use Naming::{Due, Free, Wrong};
    assert_eq!(
        namings(&["dynamodb", "dynamodb", "ecs", "dynamodb"]),
        [Free, Free, Free, Free, Due, Due, Due, Wrong]
    );
    assert_eq!(namings(&["dynamodb", "ecs"]), [Free, Free, Due, Wrong]);
    assert_eq!(
        namings(&["dynamodb", "dynamodb"]),
        [Free, Free, Free, Wrong]
    );
}

#[test]
fn to_do_nothing_is_right_only_where_nothing_is_due() {
    assert_eq!(
        Outcome::of("nothing", Naming::Free),
        Some(Outcome::NothingBegun)
    );
    assert_eq!(Outcome::of("nothing", Naming::Wrong), Some(Outcome::Done));
    assert_eq!(Outcome::of("nothing", Naming::Due), None);
    assert_eq!(Outcome::of("undone", Naming::Due), Some(Outcome::Undone));
    assert_eq!(Outcome::of("half", Naming::Due), None);
}

/// `"1/2"`: tag 1 is live and tag 2 idle; a hyphen is none.
fn tags(text: &str) -> Tags {
    let (live, idle) = text.split_once('/').unwrap();
    let tag = |text: &str| (text != "-").then(|| text.to_owned());
    Tags {
        live: tag(live),
        idle: tag(idle),
    }
}

#[test]
fn the_same_line_ends_where_one_of_it_would_have() {
    for (operation, before, goal_is) in [
        (Operation::DeployFirst, "-/-", Some("9/-")),
        (Operation::Deploy, "1/2", Some("1/9")),
        (Operation::Promote, "1/2", Some("2/1")),
        (Operation::PromoteGrowing, "1/2", Some("2/1")),
        (Operation::PromoteGradual, "1/2", Some("2/1")),
        (Operation::Rollback, "2/1", Some("1/2")),
        (Operation::Retire, "1/2", Some("1/2")),
        (Operation::InitUpdate, "1/2", Some("1/2")),
        (Operation::Destroy, "1/2", None),
    ] {
        let goal = goal(operation, &tags(before), "9");
        assert_eq!(goal, goal_is.map(tags), "{operation:?}");
    }
}

#[test]
fn over_a_killed_command_no_other_release_becomes_live() {
    use Next::{Deploy, Destroy, Promote, Rollback};
    // The tag 8 is on the line that is killed, 9 on the one over it.
    for (killed, next, before, left, after, goal_is) in [
        // The deploy is finished first, or it never was.
        (Operation::Deploy, Promote, "1/2", "1/8", "8/1", Some("8/1")),
        (Operation::Deploy, Promote, "1/2", "1/2", "2/1", Some("2/1")),
        // It was finished, and left on the idle colour: not what was asked.
        (Operation::Deploy, Promote, "1/2", "1/8", "1/8", Some("8/1")),
        (
            Operation::Promote,
            Rollback,
            "1/2",
            "2/1",
            "1/2",
            Some("1/2"),
        ),
        (
            Operation::Promote,
            Rollback,
            "1/2",
            "1/2",
            "1/2",
            Some("1/2"),
        ),
        (
            Operation::Rollback,
            Deploy,
            "2/1",
            "2/1",
            "2/9",
            Some("2/9"),
        ),
        (
            Operation::Rollback,
            Deploy,
            "2/1",
            "1/2",
            "1/9",
            Some("1/9"),
        ),
        (Operation::Retire, Destroy, "1/2", "1/2", "-/-", None),
    ] {
        let crossing = Crossing {
            killed,
            typed: "8",
            next,
            typed_next: "9",
            before: &tags(before),
            left: &tags(left),
            after: &tags(after),
        };
        assert_eq!(crossing.goal(), goal_is.map(tags), "{crossing:?}");
    }
}

#[test]
fn only_where_nothing_was_begun_may_the_other_command_be_refused() {
    assert!(Crossing::may_be_refused(Next::Rollback, Naming::Free));
    assert!(!Crossing::may_be_refused(Next::Rollback, Naming::Due));
    assert!(!Crossing::may_be_refused(Next::Promote, Naming::Free));
}

#[test]
fn it_is_said_which_tag_is_where_it_should_not_be() {
    let (one, other) = (tags("1/2"), tags("2/1"));
    assert_eq!(amiss(Some(&one), Some(&one)), None);
    let said = amiss(Some(&one), Some(&other)).unwrap();
    assert_eq!(said, "tag 2 is live, and not tag 1");
    let said = amiss(Some(&one), Some(&tags("1/-"))).unwrap();
    assert_eq!(said, "tag nothing is idle, and not tag 2");
    assert_eq!(amiss(None, None), None);
    assert!(amiss(None, Some(&one)).is_some());
    assert!(amiss(Some(&one), None).is_some());
}
