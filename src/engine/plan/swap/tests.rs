use super::*;
use crate::engine::plan::missing;
use crate::model::journal::Truth;
use crate::model::testing::{NOT_HOSTED, nowhere, observed, release, service, to};
use crate::model::{Found, PerRoute, Release, Revision, Rollout};

const BLUE: Color = Color::Blue;
const GREEN: Color = Color::Green;

/// A colour whose two tasks run that tag; each tag has a revision of its own.
fn runs(tag: &str) -> ColorState {
    let mut service = service(2);
    let revision = Revision::new(format!("task-definition/bgecs-hello:{tag}"));
    service.task_definition = revision.clone();
    service.deployments[0].task_definition = revision;
    ColorState {
        service: Some(service),
        release: Some(Release {
            operation: Some(format!("2026010{tag}T000000Z-0000002a")),
            ..release(tag)
        }),
        ..ColorState::default()
    }
}

fn retired(tag: &str) -> ColorState {
    let mut state = runs(tag);
    if let Some(service) = &mut state.service {
        (service.desired, service.running) = (0, 0);
    }
    state
}

/// Blue is live with tag 2.
fn with_idle(green: ColorState) -> Observed {
    let mut world = observed();
    world.traffic = PerRoute {
        production: to(BLUE),
        test: to(GREEN),
    };
    world.colors.blue = runs("2");
    world.colors.green = green;
    left(world, None)
}

/// What the journal says of a release that was live before.
fn left(mut world: Observed, previous: Option<(&str, Left)>) -> Observed {
    let found = world.traffic.map(Found::only);
    world.journal.truth = Some(Truth {
        production: world.live_release(),
        test: found.test,
        previous: previous.map(|(tag, left)| {
            let mut gone = world.clone();
            gone.colors.green = runs(tag);
            Previous {
                release: gone.deployed(GREEN).unwrap(),
                left,
            }
        }),
        hosted: NOT_HOSTED,
    });
    world
}

fn tag(tag: &str) -> Aim {
    Aim::Tag {
        tag: tag.parse().unwrap(),
        on: None,
    }
}

/// What came of it, in a word.
fn word(plan: &Result<SwapPlan, Refusal>) -> String {
    match plan {
        Ok(SwapPlan::Swap { to, .. }) => format!("to {to}"),
        Ok(SwapPlan::MakeLive { color }) => format!("first {color}"),
        Ok(SwapPlan::NothingToDo { why, .. }) => format!("{why:?}"),
        Err(_) => "refused".to_owned(),
    }
}

/// For each state of the idle colour: `promote`, by the idle one's tag, by the
/// live one's, by colour, and `rollback`.
#[test]
fn what_each_command_line_means_in_each_state() {
    use Left::{Replaced, RolledBack, TakenBack};
    let states = [
        (
            with_idle(ColorState::default()),
            "NothingNew refused LiveAlready refused refused",
        ),
        (
            with_idle(runs("3")),
            "to green|to green|LiveAlready|to green|refused",
        ),
        (
            with_idle(retired("3")),
            "refused refused LiveAlready refused refused",
        ),
        // Its release was live before, and there it is.
        (
            left(with_idle(runs("3")), Some(("3", Replaced))),
            "NothingNew|to green|LiveAlready|to green|to green",
        ),
        (
            left(with_idle(retired("3")), Some(("3", Replaced))),
            "NothingNew refused LiveAlready refused refused",
        ),
        (
            left(with_idle(runs("3")), Some(("3", RolledBack))),
            "NothingNew|to green|LiveAlready|to green|WentBack",
        ),
        (
            left(with_idle(runs("3")), Some(("3", TakenBack))),
            "refused|to green|LiveAlready|to green|refused",
        ),
        // Another one is in its place by now.
        (
            left(with_idle(runs("3")), Some(("1", Replaced))),
            "to green|to green|LiveAlready|to green|refused",
        ),
        (
            left(with_idle(runs("3")), Some(("1", RolledBack))),
            "to green|to green|LiveAlready|to green|WentBack",
        ),
        (
            left(with_idle(runs("3")), Some(("1", TakenBack))),
            "to green|to green|LiveAlready|to green|refused",
        ),
        (
            left(with_idle(ColorState::default()), Some(("1", Replaced))),
            "NothingNew refused LiveAlready refused refused",
        ),
    ];
    for (n, (world, expected)) in states.iter().enumerate() {
        let found = [
            promote(world, &Aim::Newest),
            promote(world, &tag("3")),
            promote(world, &tag("2")),
            promote(world, &Aim::Color(GREEN)),
            rollback(world),
        ];
        let separator = if expected.contains('|') { '|' } else { ' ' };
        let expected: Vec<&str> = expected.split(separator).collect();
        assert_eq!(found.each_ref().map(word).as_slice(), expected, "state {n}");
        assert_eq!(word(&promote(world, &Aim::Color(BLUE))), "LiveAlready");
        assert_eq!(word(&promote(world, &tag("9"))), "refused");
    }
}

#[test]
fn a_tag_on_a_colour_has_to_run_there() {
    let on = |color| Aim::Tag {
        tag: "3".parse().unwrap(),
        on: Some(color),
    };
    let world = with_idle(runs("3"));
    assert_eq!(word(&promote(&world, &on(GREEN))), "to green");
    let refusal = promote(&world, &on(BLUE)).unwrap_err();
    assert_eq!(
        refusal.message,
        "blue does not run tag 3: blue runs tag 2, green runs tag 3"
    );
}

/// As after a deploy onto the live colour, which somebody insisted on.
#[test]
fn a_bare_promote_goes_to_no_older_release() {
    let older = with_idle(runs("1"));
    assert_eq!(word(&promote(&older, &Aim::Newest)), "NothingNew");
    assert_eq!(fixed(&older, Aim::Newest), Aim::Nothing);
    assert_eq!(word(&promote(&older, &tag("1"))), "to green");
    let mut unknown = older;
    unknown.colors.green.release.as_mut().unwrap().operation = None;
    assert_eq!(word(&promote(&unknown, &Aim::Newest)), "to green");
}

/// A second `promote` behind a first one, a deploy, or nothing.
#[test]
fn what_stands_in_line_means_what_it_meant_when_it_was_typed() {
    let before = with_idle(runs("3"));
    let aim = fixed(&before, Aim::Newest);
    assert_eq!(aim, Aim::Release(before.deployed(GREEN).unwrap()));
    assert_eq!(fixed(&before, Aim::Color(GREEN)), aim);

    let mut after = before.clone();
    after.traffic = PerRoute {
        production: to(GREEN),
        test: to(BLUE),
    };
    let after = left(after, None);
    assert_eq!(word(&promote(&after, &aim)), "LiveAlready");

    let redeployed = with_idle(runs("4"));
    let refusal = promote(&redeployed, &aim).unwrap_err();
    assert!(refusal.message.contains("is gone now"), "{refusal:?}");

    let taken_back = left(before.clone(), Some(("3", Left::TakenBack)));
    assert_eq!(word(&promote(&taken_back, &aim)), "refused");
    assert_eq!(fixed(&taken_back, Aim::Newest), Aim::Newest);

    let nothing_new = left(before, Some(("3", Left::Replaced)));
    let aim = fixed(&nothing_new, Aim::Newest);
    assert_eq!(word(&promote(&with_idle(runs("4")), &aim)), "NothingNew");
    assert_eq!(fixed(&nothing_new, tag("3")), tag("3"));
}

/// A rollback behind another's promotion, or rollback.
#[test]
fn a_rollback_in_line_goes_back_to_what_it_meant() {
    let before = left(with_idle(runs("1")), Some(("1", Left::Replaced)));
    let meant = way_back(&before).unwrap();
    assert_eq!(word(&rollback_to(&before, &meant)), "to green");

    let mut gone_back = before.clone();
    gone_back.traffic = PerRoute {
        production: to(GREEN),
        test: to(BLUE),
    };
    let gone_back = left(gone_back, None);
    assert_eq!(word(&rollback_to(&gone_back, &meant)), "LiveAlready");

    // Green was redeployed, and went live: blue is the way back now.
    let mut promoted = with_idle(runs("3"));
    promoted.traffic = PerRoute {
        production: to(GREEN),
        test: to(BLUE),
    };
    let mut promoted = left(promoted, None);
    promoted.journal.truth.as_mut().unwrap().previous =
        Some(promoted.deployed(BLUE).unwrap().into());
    assert_eq!(word(&rollback(&promoted)), "to blue");
    assert_eq!(word(&rollback_to(&promoted, &meant)), "refused");

    let mut under_way = before;
    under_way.journal.operation = Some(crate::model::testing::operation());
    assert_eq!(way_back(&under_way), Some(Deployed::somewhere_on(GREEN)));
}

#[test]
fn a_journal_that_knows_the_colour_alone_takes_what_runs_there() {
    let mut world = left(with_idle(runs("3")), Some(("1", Left::Replaced)));
    let previous = world.journal.truth.as_mut().unwrap();
    previous.previous = Some(Deployed::somewhere_on(GREEN).into());
    assert_eq!(word(&rollback(&world)), "to green");
}

#[test]
fn where_nothing_is_live_the_newest_release_is_the_first() {
    let mut world = with_idle(ColorState::default());
    world.traffic = PerRoute {
        production: nowhere(),
        test: nowhere(),
    };
    world.journal.truth = None;
    assert_eq!(word(&promote(&world, &Aim::Newest)), "first blue");
    assert_eq!(word(&promote(&world, &Aim::Color(GREEN))), "refused");
    world.colors.green = runs("3");
    assert_eq!(word(&promote(&world, &Aim::Newest)), "first green");
    assert_eq!(word(&promote(&world, &tag("2"))), "first blue");
    world.colors.green.release = None;
    world.colors.blue.release = None;
    assert_eq!(word(&promote(&world, &Aim::Newest)), "refused");
    world.colors.blue.service = None;
    world.colors.green.service = None;
    for refusal in [
        promote(&world, &Aim::Newest).unwrap_err(),
        rollback(&world).unwrap_err(),
    ] {
        assert_eq!(refusal.message, "nothing is deployed yet");
    }
}

fn count(world: &Observed) -> Option<i32> {
    match promote(world, &Aim::Newest) {
        Ok(SwapPlan::Swap { to, .. }) => missing(world, to, 10_000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn promote_brings_the_count_along_and_waits_for_a_colour_that_still_grows() {
    let mut world = with_idle(runs("3"));
    for (wanted, desired, running, expected) in [
        (10, 2, 2, Some(10)),
        (2, 2, 1, Some(2)),
        (2, 3, 1, Some(3)),
        (2, 3, 2, None),
        (2, 1, 3, Some(2)),
    ] {
        world.colors.blue.service = Some(service(wanted));
        let mut green = service(desired);
        green.running = running;
        world.colors.green.service = Some(green);
        assert_eq!(
            count(&world),
            expected,
            "{running} of {desired} for {wanted}"
        );
    }
}

#[test]
fn promote_does_not_wait_for_a_colour_that_does_not_roll_out() {
    for rollout in [Rollout::InProgress, Rollout::Failed] {
        let mut world = with_idle(runs("3"));
        let green = world.colors.green.service.as_mut().unwrap();
        green.running = 0;
        green.deployments[0].rollout = Some(rollout);
        assert_eq!(count(&world), None, "{rollout:?}");
    }
}

#[test]
fn what_was_found_is_said() {
    use Left::{Replaced, RolledBack, TakenBack};
    let nothing = |world: &Observed, plan| match plan {
        Ok(SwapPlan::NothingToDo { live, why }) => why.sentence(world, live),
        other => panic!("{other:?}"),
    };
    let refused = |plan: Result<SwapPlan, Refusal>| {
        let refusal = plan.unwrap_err();
        format!("{}\n  {}", refusal.message, refusal.hint.unwrap())
    };
    let mut all = Vec::new();
    let replaced = left(with_idle(runs("1")), Some(("1", Replaced)));
    all.push(nothing(&replaced, promote(&replaced, &Aim::Newest)));
    let rolled_back = left(with_idle(runs("3")), Some(("3", RolledBack)));
    all.push(nothing(&rolled_back, promote(&rolled_back, &Aim::Newest)));
    all.push(nothing(&rolled_back, rollback(&rolled_back)));
    let taken_back = left(with_idle(runs("3")), Some(("3", TakenBack)));
    all.push(refused(promote(&taken_back, &Aim::Newest)));
    all.push(refused(rollback(&taken_back)));
    let overwritten = left(with_idle(runs("3")), Some(("1", Replaced)));
    all.push(refused(rollback(&overwritten)));
    all.push(refused(rollback(&with_idle(runs("3")))));
    all.push(refused(promote(&with_idle(runs("3")), &tag("9"))));
    all.push(refused(promote(&with_idle(retired("3")), &tag("3"))));
    insta::assert_snapshot!(all.join("\n"), @r"
    nothing to promote: blue (tag 2) is live, and nothing was deployed since; `bgecs rollback` goes back to green (tag 1)
    nothing to promote: blue (tag 2) is live again, after a rollback from green (tag 3); `bgecs promote --tag 3` makes it live once more
    nothing to go back to: blue (tag 2) is live
    green (tag 3) was taken back when it last went live (`bgecs history` says why)
      `bgecs promote --tag 3` tries it again; or deploy another release: `bgecs deploy CONTEXT --tag TAG`
    the last promotion, of green (tag 3), was taken back: blue (tag 2) is live, as before it
      `bgecs promote --tag 3` makes tag 3 live
    the release before, tag 1, is gone: green runs tag 3 now, and blue (tag 2) is live
      `bgecs deploy CONTEXT --tag 1` brings it back; `bgecs promote --tag 3` makes tag 3 live
    there is no release to go back to: no promotion to blue (tag 2) is recorded
      `bgecs promote --tag 3` makes tag 3 live
    neither colour runs tag 9: blue runs tag 2, green runs tag 3
      `bgecs deploy CONTEXT --tag 9` puts it on the idle colour
    green (tag 3) is retired: it runs no tasks
      `bgecs deploy CONTEXT --tag 3 --color green` starts its tasks
    ");
}
