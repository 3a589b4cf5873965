//! An AWS that throttles, loses answers and is late to tell what it did.

use std::time::Duration;

use localstack::gate::faults::Fault;
use localstack::gate::record::Staleness;

use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V1, V2, World, greeter};

const ELB: &str = "elasticloadbalancing";

#[test]
fn a_promotion_withstands_throttling_and_a_lost_answer() -> Outcome {
    let world = World::with_v2_idle("throttled")?;
    let faults = world.gate.faults();
    let spoilt = [
        faults.add(Fault::on(ELB, "ModifyListener").nth(1).throttle()),
        // The next try has its effect, and nobody is told.
        faults.add(Fault::on(ELB, "ModifyListener").nth(2).drop_after()),
        faults.add(Fault::on("ecs", "DescribeServices").nth(1).internal_error()),
    ];
    let promoted = world.done_json(&["promote"])?;
    assert_eq!(promoted["outcome"], "committed");
    for fault in spoilt {
        assert_eq!(faults.struck(fault), 1);
    }
    world.expect_answers(FRENCH, ENGLISH)
}

#[test]
fn throttling_in_the_middle_of_a_swap_delays_it_and_nothing_else() -> Outcome {
    let world = World::with_v2_idle("slowed")?;
    let faults = world.gate.faults();
    let writes_of = |port| -> Outcome<_> {
        Ok(Fault::on(ELB, "ModifyListener").resource(&world.listener(port)?))
    };
    // More than the SDK tries by itself, and less.
    let prod = faults.add(writes_of("prod")?.first(6).throttle());
    let test = faults.add(writes_of("test")?.first(3).throttle());
    let before = world.gate.calls().mark();
    let writes = || {
        let calls = world.gate.calls().since(before).into_iter();
        calls.filter(|call| call.is(ELB, "ModifyListener"))
    };
    let promote = ["promote", "--json"];
    let promoting = world.desk.command(&promote).spawn()?;
    world.until("it writes", || Ok(writes().next().is_some()))?;
    let reads = faults.add(Fault::on(ELB, "DescribeListeners").first(7).throttle());
    let output = promoting.wait_with_output()?;
    let ended = world.desk.ended(&promote, &output);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let promoted = ended.json()?;
    assert_eq!(promoted["outcome"], "committed");
    assert_eq!(promoted["probe"]["failed"], 0, "{promoted:#}");
    let struck = [prod, test, reads].map(|fault| faults.struck(fault));
    assert_eq!(struck, [6, 3, 7]);
    let done = writes().filter(|call| call.code().is_none());
    assert_eq!(done.count(), 2, "one a listener");
    world.expect_answers(FRENCH, ENGLISH)
}

#[test]
fn a_promotion_waits_for_reads_that_are_late() -> Outcome {
    let world = World::with_v2_idle("late")?;
    let late = Fault::on(ELB, "DescribeListeners").stale_by(Duration::from_millis(700));
    let late = world.gate.faults().add(late);
    let promoted = world.done_json(&["promote"])?;
    assert_eq!(promoted["outcome"], "committed");
    world.gate.faults().remove(late);
    let reads = world.gate.calls().of(ELB, "DescribeListeners");
    let stalenesses = reads.iter().filter_map(|read| read.end.as_ref()?.staleness);
    let is_old = |staleness: &Staleness| matches!(staleness, Staleness::SeenBefore(_));
    assert!(stalenesses.filter(is_old).count() > 0, "{reads:#?}");
    world.expect_answers(FRENCH, ENGLISH)
}

#[test]
fn a_listener_that_somebody_moves_meanwhile_is_not_overwritten() -> Outcome {
    let world = World::with_v2_idle("moved")?;
    let (prod, blue) = (world.listener("prod")?, world.target_group("blue")?);
    // The checks are done, and the last call ahead of the write takes its time.
    let note = Fault::on("dynamodb", "UpdateItem").resource("bgecs-moved");
    // The first takes the lease.
    let note = world
        .gate
        .faults()
        .add(note.nth(2).delay(Duration::from_secs(2)));
    let promote = ["promote", "--json"];
    let promoting = world.desk.command(&promote).spawn()?;
    world.until("it writes its intent", || {
        Ok(world.gate.faults().struck(note) > 0)
    })?;
    world.api.point(&prod, &blue)?;
    let output = promoting.wait_with_output()?;
    let ended = world.desk.ended(&promote, &output);
    assert_eq!(ended.code, Some(6), "{}", ended.shown());
    let json = ended.json()?;
    assert_eq!(json["outcome"], "refused");
    let reason = json["reason"].as_str().unwrap_or_default();
    assert!(
        reason.contains("port 80 forwards to blue, and to green when this began"),
        "{}",
        ended.shown()
    );
    let writes = world.gate.calls().of(ELB, "ModifyListener");
    // The first release's two, and the stranger's.
    assert_eq!(writes.len(), 3, "{writes:#?}");
    Ok(())
}

#[test]
fn what_was_made_and_not_told_of_is_made_once() -> Outcome {
    greeter()?;
    let world = World::new("untold")?;
    let faults = world.gate.faults();
    let lost = |service: &str, operation: &str| {
        faults.add(Fault::on(service, operation).nth(1).drop_after())
    };
    let first = [
        lost("cloudformation", "CreateStack"),
        lost("ecs", "RegisterTaskDefinition"),
        lost("ecs", "CreateService"),
    ];
    world.done(&["init"])?;
    world.done(&["deploy", V1, "--tag", "1", "--color", "green"])?;
    assert_eq!(world.revisions("ACTIVE")?, 1);
    let second = lost("ecs", "UpdateService");
    world.done(&[
        "deploy",
        V2,
        "--tag",
        "2",
        "--color",
        "green",
        "--allow-live",
    ])?;
    assert_eq!(world.revisions("ACTIVE")?, 2);
    let last = [
        lost("ecs", "DeleteService"),
        lost("ecs", "DeregisterTaskDefinition"),
        lost("ecs", "DeleteTaskDefinitions"),
        lost("cloudformation", "DeleteStack"),
    ];
    world.done(&["destroy", "--yes"])?;
    for fault in first.into_iter().chain([second]).chain(last) {
        assert_eq!(faults.struck(fault), 1, "{fault}");
    }
    world.expect_nothing()
}

#[test]
fn a_deploy_withstands_reads_of_a_moment_from_before() -> Outcome {
    let world = World::with_v1_live("before")?;
    let faults = world.gate.faults();
    let stale = |service: &str, operation: &str| {
        let call = Fault::on(service, operation).every(2);
        faults.add(call.stale_by(Duration::from_secs(3)))
    };
    stale("ecs", "DescribeServices");
    stale(ELB, "DescribeListeners");
    world.done(&["deploy", V2, "--tag", "2"])?;
    world.done(&["deploy", V2, "--tag", "2", "--force"])?;
    world.done(&["deploy", V2, "--tag", "3"])?;
    world.done(&["retire"])?;
    world.done(&["deploy", V2, "--tag", "4"])?;
    world.expect_answers(ENGLISH, FRENCH)
}
