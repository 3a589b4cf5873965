use super::*;
use crate::model::journal::Command::{
    Adopt, Deploy, Destroy, Detach, Init, Promote, Resume, Retire, Rollback,
};
use crate::model::journal::Fate;
use crate::model::testing::{moment, move_to, nowhere, observed, operation, service, to};
use crate::model::{Digest, Found, Hook, Move, PerRoute, Route, Split};

const BLUE: Color = Color::Blue;
const GREEN: Color = Color::Green;

#[test]
fn every_command_knows_what_to_do_with_every_other_s_remains() {
    const ALL: [Command; 8] = [
        Init, Deploy, Promote, Rollback, Retire, Destroy, Resume, Adopt,
    ];
    // A line for each unfinished one, a letter for each that meets it:
    // settles, takes back, goes on regardless (-), refuses (!).
    let table = [
        (Init, "ssss s-s-"),
        (Deploy, "s-s- s-s-"),
        (Promote, "sssb s-s-"),
        (Rollback, "ssss s-s-"),
        (Retire, "s-ss s-s-"),
        (Destroy, "!!!! !-!-"),
        (Resume, "ssss s-s-"),
        (Adopt, "ssss s-s-"),
    ];
    for (unfinished, expected) in table {
        let expected = expected.chars().filter(|c| *c != ' ');
        for (next, expected) in ALL.into_iter().zip(expected) {
            let met = Operation {
                command: unfinished,
                ..operation()
            };
            let found = match reaction(&met, next, None) {
                Ok(Reaction::Settle) => 's',
                Ok(Reaction::TakeBack) => 'b',
                Ok(Reaction::Try) => 't',
                Ok(Reaction::Supersede) => '-',
                Err(_) => '!',
            };
            assert_eq!(found, expected, "{next} meets an unfinished {unfinished}");
        }
    }
    let destroy = Operation {
        command: Destroy,
        ..operation()
    };
    assert_eq!(
        reaction(&destroy, Deploy, None)
            .unwrap_err()
            .hint
            .as_deref(),
        Some("`bgecs destroy` or `bgecs resume` finishes it")
    );
}

/// Its end may bring users to the release that `detach` is to leave behind.
#[test]
fn detach_decides_nothing_of_where_users_go() {
    let of = |command| Operation {
        command,
        ..operation()
    };
    for shift in [Promote, Rollback] {
        let refused = reaction(&of(shift), Detach, None).unwrap_err();
        let hint = refused.hint.unwrap();
        assert!(hint.contains("`bgecs resume`"), "{hint}");
        assert_eq!(hint.contains("`bgecs rollback`"), shift == Promote);
    }
    for other in [Deploy, Retire] {
        assert_eq!(reaction(&of(other), Detach, None), Ok(Reaction::Settle));
    }
    assert_eq!(reaction(&of(Detach), Detach, None), Ok(Reaction::Supersede));
}

#[test]
fn a_first_release_that_got_a_port_is_ended_first_and_has_no_way_back() {
    let mut deploy = Operation {
        command: Deploy,
        from: None,
        ..operation()
    };
    assert_eq!(reaction(&deploy, Deploy, None), Ok(Reaction::Supersede));
    let same = deploy.tag.clone();
    assert_eq!(reaction(&deploy, Deploy, same.as_ref()), Ok(Reaction::Try));
    let effect = Effect::Move(move_to(Route::Production, BLUE));
    deploy.intend(moment(), effect);
    for next in [Deploy, Rollback, Promote] {
        assert_eq!(reaction(&deploy, next, None), Ok(Reaction::Settle));
    }
    let promote = Operation {
        command: Promote,
        from: None,
        ..operation()
    };
    assert_eq!(reaction(&promote, Rollback, None), Ok(Reaction::Settle));
}

#[test]
fn where_the_release_before_is_gone_the_new_one_is_held() {
    let mut promotion = operation();
    let mut world = world(to(BLUE), to(GREEN));
    world.colors.green.service = Some(service(2));
    promotion.from = world.deployed(GREEN);
    let back = to_green_again(&world);
    assert_eq!(way_of(&promotion, &world, false), Ok(back));
    let gone = promotion.from.clone().unwrap();
    let service = world.colors.green.service.as_mut().unwrap();
    service.task_definition = revision(9);
    let hold = Resolution::Hold { live: BLUE, gone };
    assert_eq!(way_of(&promotion, &world, false), Ok(hold));
    assert!(matches!(
        way_of(&promotion, &world, true),
        Ok(Resolution::Shift { is_back: false, .. })
    ));
}

const BAKE: Duration = Duration::from_secs(15);

fn way_of(
    operation: &Operation,
    observed: &Observed,
    to_is_well: bool,
) -> Result<Resolution, Refusal> {
    way(operation, observed, Course::AsItIs, to_is_well, BAKE)
}

fn to_green_again(observed: &Observed) -> Resolution {
    let strategy = Strategy::all_at_once(GREEN, &observed.traffic, BAKE);
    let is_back = true;
    Resolution::Shift { strategy, is_back }
}

fn foreign() -> Found {
    crate::model::testing::to_both()
}

fn world(production: Found, test: Found) -> Observed {
    let mut world = observed();
    world.traffic = PerRoute { production, test };
    world.colors.blue.service = Some(service(1));
    world.colors.green.service = Some(service(1));
    world
}

#[test]
fn a_swap_goes_on_where_the_new_colour_is_well_and_back_where_it_is_not() {
    for command in [Promote, Rollback] {
        let green_to_blue = Operation {
            command,
            ..operation()
        };
        for test in [to(BLUE), to(GREEN), nowhere(), foreign(), Found::ByRequest] {
            let way_from = |production: Found, is_well| {
                way_of(&green_to_blue, &world(production, test.clone()), is_well)
            };
            let here = |production| world(production, test.clone());
            let on = Strategy::all_at_once(BLUE, &here(to(BLUE)).traffic, BAKE);
            let on = Resolution::Shift {
                strategy: on,
                is_back: false,
            };
            assert_eq!(way_from(to(BLUE), true), Ok(on));
            let back = to_green_again(&here(to(BLUE)));
            assert_eq!(way_from(to(BLUE), false), Ok(back));
            let back = if test == to(BLUE) || test == Found::ByRequest {
                Resolution::Undone
            } else {
                to_green_again(&here(to(GREEN)))
            };
            for is_well in [false, true] {
                assert_eq!(way_from(to(GREEN), is_well), Ok(back.clone()));
                for lost in [nowhere(), foreign()] {
                    let refusal = way_from(lost, is_well).unwrap_err();
                    let ending = "was between green and blue: something else changed it";
                    assert!(refusal.message.ends_with(ending), "{refusal:?}");
                }
            }
        }
    }
}

#[test]
fn a_colour_that_becomes_the_first_live_one_becomes_it_or_never_did() {
    let first = Operation {
        from: None,
        ..operation()
    };
    for test in [to(BLUE), to(GREEN), nowhere(), Found::ByRequest] {
        let way_from = |production: Found| way_of(&first, &world(production, test.clone()), false);
        assert_eq!(way_from(nowhere()), Ok(Resolution::Undone));
        assert_eq!(way_from(to(BLUE)), Ok(Resolution::MakeLive { color: BLUE }));
        assert!(way_from(to(GREEN)).is_err());
        assert!(way_from(foreign()).is_err());
    }
    let undescribed = Operation {
        color: None,
        ..operation()
    };
    let found = way_of(&undescribed, &observed(), true);
    assert_eq!(found, Ok(Resolution::Undone));
}

fn revision(n: u32) -> Revision {
    Revision::new(format!("task-definition/bgecs-hello:{n}"))
}

fn digest() -> Digest {
    format!("sha256:{}", "2".repeat(64)).parse().unwrap()
}

/// A deploy onto blue, with all its intents up to one.
fn deploy(effects: Vec<Effect>, requested: Option<Revision>) -> Operation {
    let mut deploy = Operation {
        command: Deploy,
        task_definition: requested,
        ..operation()
    };
    for effect in effects {
        deploy.intend(moment(), effect);
    }
    deploy
}

#[test]
fn a_deploy_goes_on_only_where_the_service_runs_what_it_was_told_to() {
    let register = || Effect::RegisterTaskDefinition {
        family: "bgecs-hello".to_owned(),
        digest: digest(),
    };
    let create = || Effect::CreateService {
        color: BLUE,
        task_definition: revision(1),
    };
    let update = || Effect::UpdateService {
        color: BLUE,
        task_definition: Some(revision(1)),
        desired: None,
    };
    let serve = Resolution::AwaitServing {
        color: BLUE,
        task_definition: revision(1),
    };
    let told = |effect| deploy(vec![register(), effect], Some(revision(1)));
    // Blue's service runs revision 1, another, or is none.
    for (operation, runs, expected) in [
        (deploy(vec![], None), Some(1), Resolution::ForgetRevision),
        (
            deploy(vec![register()], None),
            Some(1),
            Resolution::ForgetRevision,
        ),
        (
            deploy(vec![register()], Some(revision(1))),
            Some(1),
            Resolution::ForgetRevision,
        ),
        (told(create()), Some(1), serve.clone()),
        (told(create()), None, Resolution::ForgetRevision),
        (told(update()), Some(1), serve.clone()),
        (told(update()), Some(2), Resolution::ForgetRevision),
    ] {
        let mut world = observed();
        world.colors.blue.service = runs.map(|n| {
            let mut service = service(2);
            service.task_definition = revision(n);
            service.deployments[0].task_definition = revision(n);
            service
        });
        assert_eq!(
            way_of(&operation, &world, false),
            Ok(expected),
            "{operation:?}"
        );
    }
}

#[test]
fn all_else_is_finished_by_waiting_or_was_never_begun() {
    let of = |command| Operation {
        command,
        ..operation()
    };
    let mut world = observed();
    world.colors.blue.service = Some(service(0));
    let retired = Resolution::AwaitRetired { color: BLUE };
    assert_eq!(way_of(&of(Retire), &world, false), Ok(retired));
    world.colors.blue.service = Some(service(2));
    assert_eq!(way_of(&of(Retire), &world, false), Ok(Resolution::Undone));
    for (command, expected) in [
        (Destroy, Resolution::GoOnDestroying),
        (Init, Resolution::AwaitStack),
        (Resume, Resolution::Undone),
        (Adopt, Resolution::Undone),
    ] {
        assert_eq!(way_of(&of(command), &world, false), Ok(expected));
    }
}

#[test]
fn only_an_intent_to_point_a_listener_explains_one_that_moved() {
    let point = Effect::Move(move_to(Route::Production, BLUE));
    let delete = Effect::DeleteService { color: BLUE };
    for (effects, expected) in [
        (vec![], false),
        (vec![delete.clone()], false),
        (vec![point, delete], true),
    ] {
        let found = may_have_moved_a_listener(&deploy(effects, None));
        assert_eq!(found, expected);
    }
}

/// A canary of tag 2 to blue, at that share.
fn canary(share: u16) -> (Operation, Observed) {
    let world = world(Found::Split(Split::with_share(BLUE, share)), to(BLUE));
    let before = PerRoute {
        production: to(GREEN),
        test: to(BLUE),
    };
    let steps = "10% for 5m,25% pause,50% for 5m".parse().unwrap();
    let strategy = Strategy::gradual(BLUE, &before, &steps, BAKE);
    let mut operation = Operation {
        strategy: Some(strategy.clone()),
        ..operation()
    };
    for stage in &strategy.stages {
        operation.intend(moment(), Effect::Move(stage.it));
        if stage.it.to.share(BLUE) == share {
            break;
        }
    }
    (operation, world)
}

fn shares(way: Result<Resolution, Refusal>) -> (Vec<u16>, bool) {
    match way {
        Ok(Resolution::Shift { strategy, is_back }) => {
            let stages = strategy.stages.iter();
            let production = stages.filter(|stage| stage.it.route == Route::Production);
            let shares = production.map(|stage| stage.it.to.share(BLUE));
            (shares.collect(), is_back)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_canary_goes_on_from_where_users_are_or_back() {
    let (operation, world) = canary(1000);
    let on = shares(way_of(&operation, &world, true));
    assert_eq!(on, (vec![1000, 2500, 5000, 10_000], false));
    let back = (vec![0], true);
    assert_eq!(shares(way_of(&operation, &world, false)), back);
    // One that was being taken back is, however well it is by now.
    let mut going_back = operation.clone();
    let home = Move {
        route: Route::Production,
        from: Some(Split::with_share(BLUE, 1000)),
        to: Split::all(GREEN),
    };
    going_back.intend(moment(), Effect::Move(home));
    assert_eq!(shares(way_of(&going_back, &world, true)), back);
    // A share that is none of its own is a stranger's.
    let strange = Found::Split(Split::with_share(BLUE, 3000));
    let mut strange_world = world.clone();
    strange_world.traffic.production = strange;
    assert!(way_of(&operation, &strange_world, true).is_err());
}

#[test]
fn what_waits_for_a_person_is_left_to_one() {
    let (mut operation, world) = canary(2500);
    let none = waiting(None).unwrap_err();
    assert_eq!(
        none.message,
        "nothing waits for a person: no operation is unfinished"
    );
    let killed = waiting(Some(&operation)).unwrap_err();
    assert!(killed.message.contains("does not wait"), "{killed:?}");
    assert_eq!(refuse_waiting(&operation, &world), Ok(()));

    operation.intend(moment(), Effect::WaitForAPerson);
    assert_eq!(waiting(Some(&operation)), Ok(&operation));
    let refusal = refuse_waiting(&operation, &world).unwrap_err();
    assert_eq!(
        refusal.message,
        "the promote of tag 2 to blue waits for a person at 25% blue, 75% green"
    );
    let go = |course| shares(way(&operation, &world, course, false, BAKE));
    let on = |is_watched_anew| go(Course::Continue { is_watched_anew });
    assert_eq!(on(false), (vec![5000, 10_000], false));
    assert_eq!(on(true), (vec![2500, 5000, 10_000], false));
    assert_eq!(go(Course::Back), (vec![0], true));
    // Who went on died ahead of the next move: nobody is asked twice.
    let mut told = operation.clone();
    told.settle(Fate::Done);
    let hook = Hook::BeforeStage;
    told.intend(
        moment(),
        Effect::RunHook {
            hook,
            stage: Some(3),
        },
    );
    let resumed = way(&told, &world, Course::AsItIs, true, BAKE).unwrap();
    let Resolution::Shift { strategy, .. } = &resumed else {
        panic!("{resumed:?}");
    };
    assert_eq!(strategy.stages[0].after, []);
    assert_eq!(shares(Ok(resumed)), (vec![2500, 5000, 10_000], false));
    // Once it goes on it waits no more.
    operation.intend(moment(), Effect::Move(move_to(Route::Production, BLUE)));
    assert!(waiting(Some(&operation)).is_err());
}

/// Where a canary stands is bgecs's own doing.
#[test]
fn users_on_both_by_an_unfinished_promotion_are_nothing_to_adopt() {
    let (operation, observed) = canary(1_000);
    assert!(observed.traffic.production.only().is_none());
    let refusal = refuse_adopting(&operation, &observed).unwrap_err();
    assert!(refusal.hint.unwrap().contains("`bgecs rollback`"));
    let mut elsewhere = observed;
    elsewhere.traffic.production = to(BLUE);
    assert!(refuse_adopting(&operation, &elsewhere).is_ok());
}
