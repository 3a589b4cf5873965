//! Readings that tell of a moment from before.

use super::*;

#[test]
fn a_stranger_s_deployment_or_deletion_ends_the_wait_once_it_is_sure() {
    let other = service(vec![deployment(3, true, Rollout::InProgress, 0)]);
    let replaced = ServingFault::Replaced { by: revision(3) };
    for (reading, expected) in [(of(other), replaced), (of(None), ServingFault::Deleted)] {
        let mut watch = watch();
        watch.judge(at(0), &good());
        assert_eq!(in_time(&mut watch, 1, &reading), Some((6, expected)));
    }
}

#[test]
fn readings_of_a_moment_from_before_end_nothing() {
    let before = [
        service(vec![deployment(1, true, Rollout::Completed, 2)]),
        None,
        service(vec![
            deployment(1, true, Rollout::Completed, 2),
            deployment(2, false, Rollout::Failed, 0),
        ]),
        service(vec![deployment(2, true, Rollout::Failed, 0)]),
    ];
    for stale in before {
        let mut watch = watch();
        let rolling = of(service(vec![deployment(2, true, Rollout::InProgress, 1)]));
        // Once it is stale for 3 s, once only now and then, for long.
        watch.judge(at(0), &rolling);
        for second in 1..=4 {
            let judged = watch.judge(at(second), &of(stale.clone()));
            assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
        }
        for second in (5..60).step_by(2) {
            watch.judge(at(second), &rolling);
            let judged = watch.judge(at(second + 1), &of(stale.clone()));
            assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
        }
        for second in 60..62 {
            watch.judge(at(second), &good());
        }
        assert_eq!(watch.judge(at(62), &good()), Judgement::Serves);
    }
}

#[test]
fn many_readings_in_a_moment_and_few_over_long_settle_nothing() {
    let gone = of(None);
    let mut quick = watch();
    quick.judge(at(0), &good());
    for _ in 0..100 {
        let judged = quick.judge(at(1), &gone);
        assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
    }
    let mut slow = watch();
    slow.judge(at(0), &good());
    slow.judge(at(1), &gone);
    let judged = slow.judge(at(9), &gone);
    assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
    assert_eq!(
        slow.judge(at(10), &gone),
        Judgement::Failed(ServingFault::Deleted)
    );
}

#[test]
fn a_restart_is_not_content_with_what_was_there_before() {
    let mut watch = Watch::new(Wanted {
        replaces: Some("d2".to_owned()),
        ..wanted()
    });
    for second in 0..10 {
        let judged = watch.judge(at(second), &good());
        assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
    }
    let mut restarted = good();
    restarted.service.as_mut().unwrap().deployments[0].id = "d3".to_owned();
    watch.judge(at(10), &restarted);
    watch.judge(at(11), &restarted);
    assert_eq!(watch.judge(at(12), &restarted), Judgement::Serves);
}

#[test]
fn a_colour_that_grows_is_not_content_with_its_count_from_before() {
    for (count, serves) in [(1, true), (2, true), (3, false)] {
        let mut watch = Watch::new(Wanted {
            count: Some(count),
            ..wanted()
        });
        watch.judge(at(0), &good());
        watch.judge(at(1), &good());
        let judged = watch.judge(at(2), &good());
        assert_eq!(judged == Judgement::Serves, serves, "{count}: {judged:?}");
    }
    // Autoscaling may take some away again.
    let mut watch = Watch::new(Wanted {
        count: Some(3),
        ..wanted()
    });
    let mut grown = good();
    grown.service.as_mut().unwrap().desired = 3;
    watch.judge(at(0), &grown);
    watch.judge(at(1), &good());
    watch.judge(at(2), &good());
    assert_eq!(watch.judge(at(3), &good()), Judgement::Serves);
}
