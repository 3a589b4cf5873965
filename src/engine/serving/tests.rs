mod setbacks;
mod stale;

use super::*;
use crate::model::{Knock, Lost, ServiceDefinition, Target, TargetState, Unreached};

fn revision(n: u32) -> Revision {
    Revision::new(format!("arn:aws:ecs:x:1:task-definition/bgecs-hello:{n}"))
}

fn deployment(n: u32, is_primary: bool, rollout: Rollout, running: i32) -> Deployment {
    Deployment {
        id: format!("d{n}"),
        is_primary,
        task_definition: revision(n),
        rollout: Some(rollout),
        rollout_reason: Some("tasks failed to start".to_owned()),
        desired: 2,
        running,
        pending: 0,
        failed_tasks: 0,
        created_at: None,
    }
}

fn service(deployments: Vec<Deployment>) -> Option<ServiceState> {
    Some(ServiceState {
        is_draining: false,
        definition: ServiceDefinition::default(),
        task_definition: revision(2),
        desired: 2,
        running: 2,
        pending: 0,
        deployments,
        events: Vec::new(),
    })
}

fn targets(states: &[(TargetState, Option<&str>)]) -> Targets {
    let target = |(state, reason): &(TargetState, Option<&str>)| Target {
        id: "10.0.0.1".to_owned(),
        state: *state,
        reason: reason.map(str::to_owned),
        description: None,
    };
    Targets(states.iter().map(target).collect())
}

fn stopped(code: &str, reason: &str) -> StoppedTask {
    StoppedTask {
        id: "1".to_owned(),
        task_definition: revision(2),
        created_at: None,
        stop_code: Some(code.to_owned()),
        reason: reason.to_owned(),
        memory: None,
        containers: Vec::new(),
    }
}

const HEALTHY: (TargetState, Option<&str>) = (TargetState::Healthy, None);

fn answers(status: u16) -> Option<Answer> {
    Some(Answer::Http {
        status,
        release: None,
        body: String::new(),
    })
}

fn good() -> ServingReading {
    ServingReading {
        service: service(vec![deployment(2, true, Rollout::Completed, 2)]),
        targets: targets(&[HEALTHY, HEALTHY]),
        health: answers(200),
        barrier: None,
        stopped: Vec::new(),
    }
}

fn wanted() -> Wanted {
    Wanted {
        is_blind: false,
        task_definition: revision(2),
        count: None,
        replaces: None,
        grace: Duration::from_secs(60),
    }
}

fn watch() -> Watch {
    Watch::new(wanted())
}

fn of(service: Option<ServiceState>) -> ServingReading {
    ServingReading { service, ..good() }
}

/// What comes of the same reading every second, once it is no more waited for.
fn in_time(watch: &mut Watch, from: u64, reading: &ServingReading) -> Option<(u64, ServingFault)> {
    (from..from + 60).find_map(|second| match watch.judge(at(second), reading) {
        Judgement::Failed(cause) => Some((second, cause)),
        Judgement::Waiting(_) => None,
        Judgement::Serves => panic!("it serves at {second} s"),
    })
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn three_good_readings_in_a_row_serve() {
    let mut watch = watch();
    assert!(matches!(watch.judge(at(0), &good()), Judgement::Waiting(_)));
    assert!(matches!(watch.judge(at(1), &good()), Judgement::Waiting(_)));
    let bad = ServingReading {
        health: answers(500),
        ..good()
    };
    assert!(matches!(watch.judge(at(2), &bad), Judgement::Waiting(_)));
    watch.judge(at(3), &good());
    watch.judge(at(4), &good());
    assert_eq!(watch.judge(at(5), &good()), Judgement::Serves);
}

#[test]
fn what_is_not_yet_good_is_waited_for() {
    let not_yet = [
        ServingReading {
            service: None,
            ..good()
        },
        ServingReading {
            service: service(vec![deployment(1, true, Rollout::Completed, 2)]),
            ..good()
        },
        ServingReading {
            service: service(vec![deployment(2, true, Rollout::InProgress, 2)]),
            ..good()
        },
        ServingReading {
            service: service(vec![deployment(2, true, Rollout::Completed, 1)]),
            ..good()
        },
        ServingReading {
            targets: targets(&[HEALTHY, (TargetState::Initial, None)]),
            ..good()
        },
        // Two of the old revision's are still asked.
        ServingReading {
            targets: targets(&[HEALTHY; 4]),
            ..good()
        },
        ServingReading {
            targets: Targets::default(),
            ..good()
        },
        ServingReading {
            health: None,
            ..good()
        },
        ServingReading {
            health: answers(302),
            ..good()
        },
    ];
    for reading in not_yet {
        let mut watch = watch();
        for second in 0..5 {
            let judged = watch.judge(at(second), &reading);
            assert!(
                matches!(judged, Judgement::Waiting(_)),
                "{reading:?}: {judged:?}"
            );
        }
    }
}

#[test]
fn the_old_revision_in_success_is_a_failure() {
    let mut watch = watch();
    let rolling = service(vec![
        deployment(2, true, Rollout::InProgress, 0),
        deployment(1, false, Rollout::Completed, 2),
    ]);
    watch.judge(
        at(0),
        &ServingReading {
            service: rolling,
            ..good()
        },
    );
    let taken_back = service(vec![
        deployment(1, true, Rollout::Completed, 2),
        deployment(2, false, Rollout::Failed, 0),
    ]);
    let (second, cause) = in_time(&mut watch, 1, &of(taken_back)).unwrap();
    assert_eq!(second, 6);
    assert!(matches!(cause, ServingFault::TakenBack { .. }), "{cause:?}");
}

#[test]
fn an_earlier_failure_of_the_same_revision_is_history() {
    let mut watch = watch();
    let retried = service(vec![
        deployment(1, true, Rollout::Completed, 2),
        deployment(2, false, Rollout::Failed, 0),
    ]);
    let judged = watch.judge(
        at(0),
        &ServingReading {
            service: retried,
            ..good()
        },
    );
    assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
}

#[test]
fn an_app_that_goes_on_answering_badly_is_broken_and_one_that_does_not_answer_is_slow() {
    let bad = ServingReading {
        health: answers(500),
        ..good()
    };
    // As long as ECS lets it be unhealthy, and never less than it takes to tell.
    for (grace, patience) in [(60, 60), (300, 300), (5, 15), (0, 15)] {
        let mut broken = Watch::new(Wanted {
            grace: at(grace),
            ..wanted()
        });
        for second in [0, patience - 1] {
            let judged = broken.judge(at(second), &bad);
            assert!(matches!(judged, Judgement::Waiting(_)), "{judged:?}");
        }
        let judged = broken.judge(at(patience), &bad);
        assert!(
            matches!(judged, Judgement::Failed(ServingFault::Health { .. })),
            "{judged:?}"
        );
    }

    let nobody = ServingReading {
        health: answers(502),
        ..good()
    };
    let mut slow = watch();
    for second in 0..120 {
        assert!(matches!(
            slow.judge(at(second), &nobody),
            Judgement::Waiting(_)
        ));
    }
}

#[test]
fn where_nobody_asks_it_healthy_targets_are_enough() {
    let mut blind = Watch::new(Wanted {
        is_blind: true,
        ..wanted()
    });
    let unasked = ServingReading {
        health: None,
        ..good()
    };
    let sick = ServingReading {
        targets: targets(&[HEALTHY, (TargetState::Unhealthy, None)]),
        ..unasked.clone()
    };
    for (reading, serves) in [
        (&unasked, false),
        (&unasked, false),
        (&sick, false),
        (&unasked, false),
        (&unasked, false),
        (&unasked, true),
    ] {
        let judged = blind.judge(at(1), reading);
        assert_eq!(judged == Judgement::Serves, serves, "{judged:?}");
    }
}

/// Which is not the release's fault, nor a matter of its grace.
#[test]
fn healthy_targets_that_nobody_here_can_ask_end_the_wait_early() {
    let node = (
        std::net::SocketAddr::from(([10, 0, 0, 1], 81)),
        Knock::Silent,
    );
    let url = "http://lb.example:81/health".to_owned();
    let unreached = Unreached::of(url, at(2), vec![node]);
    let barred = ServingReading {
        health: Some(Answer::Nothing {
            why: Lost::TimedOut,
            error: "no answer within 2000 ms".to_owned(),
        }),
        barrier: unreached.map(Barrier::NoConnection),
        ..good()
    };
    let mut watch = watch();
    let (second, fault) = in_time(&mut watch, 0, &barred).unwrap();
    assert_eq!(second, 15);
    assert_eq!(
        fault.to_string(),
        "its targets are healthy, but this machine gets no connection to \
         http://lb.example:81/health within 2000 ms: 10.0.0.1:81 does not answer"
    );
    // One connection in between, and it counts anew.
    let mut watch = self::watch();
    for second in 0..14 {
        watch.judge(at(second), &barred);
    }
    watch.judge(at(14), &good());
    assert_eq!(in_time(&mut watch, 15, &barred).map(|it| it.0), Some(30));
}

/// What no waiting mends must not be waited for until the time is over.
#[test]
fn a_certificate_that_is_not_accepted_here_ends_the_wait_early_too() {
    let error = "the certificate's issuer is not known here".to_owned();
    let barred = ServingReading {
        health: Some(Answer::Nothing {
            why: Lost::Tls,
            error: error.clone(),
        }),
        barrier: Some(Barrier::Tls {
            url: "https://shop.example.com/health".to_owned(),
            error,
        }),
        ..good()
    };
    let (second, fault) = in_time(&mut watch(), 0, &barred).unwrap();
    assert_eq!(second, 15);
    assert_eq!(
        fault.to_string(),
        "its targets are healthy, but this machine makes no secure connection to \
         https://shop.example.com/health: the certificate's issuer is not known here"
    );
}

#[test]
fn what_keeps_a_colour_from_serving_is_said_in_the_nearest_words() {
    assert_eq!(trouble(&good()), None);
    let unhealthy = targets(&[HEALTHY, (TargetState::Unhealthy, Some("Target.Timeout"))]);
    let of = |health| ServingReading {
        health,
        targets: unhealthy.clone(),
        ..good()
    };
    let cut = Answer::Nothing {
        why: Lost::Reset,
        error: "the connection was closed".to_owned(),
    };
    let all =
        [answers(503), Some(cut), answers(200), None].map(|health| trouble(&of(health)).unwrap());
    insta::assert_snapshot!(all.join("\n"), @"
    the health path answers HTTP 503
    the health path does not answer: the connection was closed
    target 10.0.0.1 is unhealthy: Target.Timeout
    target 10.0.0.1 is unhealthy: Target.Timeout
    ");
}

#[test]
fn a_target_with_the_wrong_answer_is_broken_too() {
    let reading = ServingReading {
        service: service(vec![deployment(2, true, Rollout::InProgress, 2)]),
        targets: targets(&[(TargetState::Unhealthy, Some("Target.ResponseCodeMismatch"))]),
        health: None,
        barrier: None,
        stopped: Vec::new(),
    };
    let mut watch = watch();
    watch.judge(at(0), &reading);
    let judged = watch.judge(at(60), &reading);
    assert!(
        matches!(judged, Judgement::Failed(ServingFault::Health { .. })),
        "{judged:?}"
    );
}

#[test]
fn a_task_that_cannot_start_ends_the_wait_at_once() {
    let task = stopped("TaskFailedToStart", "CannotPullContainerError: not found");
    let reading = ServingReading {
        service: service(vec![deployment(2, true, Rollout::InProgress, 0)]),
        stopped: vec![task],
        ..good()
    };
    let judged = watch().judge(at(0), &reading);
    assert!(
        matches!(judged, Judgement::Failed(ServingFault::Task { .. })),
        "{judged:?}"
    );
}

#[test]
fn a_task_that_failed_its_checks_is_told_with_what_its_target_said() {
    let mut watch = watch();
    let checked = ServingReading {
        service: service(vec![deployment(2, true, Rollout::InProgress, 2)]),
        targets: targets(&[(TargetState::Unhealthy, Some("Target.Timeout"))]),
        health: None,
        barrier: None,
        stopped: Vec::new(),
    };
    watch.judge(at(0), &checked);
    let replaced = ServingReading {
        targets: targets(&[(TargetState::Initial, None)]),
        stopped: vec![stopped(
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group arn:aws:x)",
        )],
        ..checked
    };
    let Judgement::Failed(cause) = watch.judge(at(5), &replaced) else {
        panic!("it goes on waiting");
    };
    assert_eq!(
        cause.to_string(),
        "the health check fails: target 10.0.0.1 is unhealthy: Target.Timeout \
         (Task failed ELB health checks in (target-group arn:aws:x))"
    );
}

/// A local AWS tries again under the same name, and then tells of that alone.
#[test]
fn the_first_refusal_is_told_and_not_what_a_second_try_met() {
    let conflict = "ResourceInitializationError: 409 Client Error: Conflict (\"Conflict. The container name \"/ministack-ecs-1\" is already in use\")";
    let missing = "ResourceInitializationError: exec: \"gone\": executable file not found in $PATH";
    let told = |reasons: &[&str]| {
        let tasks = reasons
            .iter()
            .zip(["1", "2"])
            .map(|(reason, id)| StoppedTask {
                id: id.to_owned(),
                ..stopped("TaskFailedToStart", reason)
            });
        let reading = ServingReading {
            stopped: tasks.collect(),
            ..of(service(vec![deployment(2, true, Rollout::InProgress, 0)]))
        };
        match Watch::new(wanted()).judge(Duration::ZERO, &reading) {
            Judgement::Failed(ServingFault::Task { cause, .. }) => cause.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert!(told(&[conflict, missing]).ends_with(missing));
    assert!(told(&[missing, conflict]).ends_with(missing));
    assert!(told(&[conflict]).ends_with(conflict));
}
