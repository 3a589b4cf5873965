//! What passes by itself, and what does not.

use super::*;

const NO_ROOM: &str = "Capacity is unavailable at this time. Please try again later";
const NO_INTERFACE: &str = "Timeout waiting for network interface provisioning to complete.";

/// While tasks of these ids have failed to start for these reasons.
fn not_started(tasks: &[(&str, &str)]) -> ServingReading {
    let task = |(id, reason): &(&str, &str)| StoppedTask {
        id: (*id).to_owned(),
        ..stopped("TaskFailedToStart", reason)
    };
    ServingReading {
        service: service(vec![deployment(2, true, Rollout::InProgress, 0)]),
        stopped: tasks.iter().map(task).collect(),
        ..good()
    }
}

#[test]
fn what_passes_by_itself_ends_the_wait_at_the_second_of_a_kind_after_three_minutes() {
    let once = [("1", NO_ROOM)];
    let of_another_kind = [("1", NO_ROOM), ("2", NO_INTERFACE)];
    let again = [("1", NO_ROOM), ("2", NO_INTERFACE), ("3", NO_ROOM)];
    // Since when they are seen, until when that is waited for.
    let waits = |seen: &[(u64, &[(&str, &str)])]| {
        let mut watch = watch();
        let judged = seen.iter().map(|(second, tasks)| {
            matches!(
                watch.judge(at(*second), &not_started(tasks)),
                Judgement::Waiting(_)
            )
        });
        judged.collect::<Vec<_>>()
    };
    assert_eq!(waits(&[(0, &once), (599, &once)]), [true, true]);
    assert_eq!(waits(&[(0, &once), (599, &of_another_kind)]), [true, true]);
    assert_eq!(waits(&[(0, &once), (179, &again)]), [true, true]);
    assert_eq!(waits(&[(0, &once), (180, &again)]), [true, false]);
    assert_eq!(
        waits(&[(0, &again), (599, &again)]),
        [true, true],
        "ECS may have got over it: none is new"
    );
}

#[test]
fn what_does_not_pass_ends_the_wait_also_beside_what_does() {
    let reading = not_started(&[
        ("1", NO_ROOM),
        (
            "2",
            "CannotPullContainerError: pull image manifest: not found",
        ),
    ]);
    let judged = watch().judge(at(0), &reading);
    let Judgement::Failed(ServingFault::Task { task, .. }) = judged else {
        panic!("{judged:?}");
    };
    assert_eq!(task.id, "2");
}

#[test]
fn a_deploy_gets_over_a_lack_of_capacity() {
    let mut watch = watch();
    for second in 0..200 {
        let judged = watch.judge(at(second), &not_started(&[("1", NO_ROOM), ("2", NO_ROOM)]));
        assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
    }
    watch.judge(at(200), &good());
    watch.judge(at(201), &good());
    assert_eq!(watch.judge(at(202), &good()), Judgement::Serves);
}
