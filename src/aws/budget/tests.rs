use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::bucket::{Limit, LimitUse, TokenBucket};
use super::queue::Queue;
use super::{Pace, PacedService};
use crate::aws::Router;
use crate::aws::testing::{Reply, Wire, credentials, listeners};
use crate::model::testing::{infrastructure, move_to};
use crate::model::{Color, Revision, Route, TargetGroupArn, Urgency};

/// The published limits that cover a call.
fn limits(service: PacedService, operation: &str) -> Vec<(u32, u32)> {
    let rules = service.rules(Pace::Release).iter();
    rules
        .filter(|rule| (rule.covers)(operation))
        .map(|rule| (rule.published.burst, rule.published.per_second))
        .collect()
}

#[test]
fn every_call_is_held_to_the_limits_that_aws_publishes_for_it() {
    for (service, operations, expected) in [
        (
            PacedService::Ecs,
            &["CreateService", "UpdateService", "DeleteService"][..],
            &[(50, 5)][..],
        ),
        (
            PacedService::Ecs,
            &[
                "DescribeServices",
                "ListServices",
                "DescribeTasks",
                "ListTasks",
            ],
            &[(100, 20)],
        ),
        (
            PacedService::Ecs,
            &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
            &[(20, 1)],
        ),
        (
            PacedService::Ecs,
            &["DescribeTaskDefinition", "ListTaskDefinitions"],
            &[(50, 20)],
        ),
        (
            PacedService::Ecs,
            &["DeleteTaskDefinitions", "DescribeClusters"],
            &[(20, 5)],
        ),
        (
            PacedService::Elb,
            &["ModifyListener", "AddTags"],
            &[(20, 3), (40, 10)],
        ),
        (
            PacedService::Elb,
            &["DescribeListeners", "DescribeTargetHealth"],
            &[(40, 10)],
        ),
        (PacedService::Ecr, &["GetAuthorizationToken"], &[(200, 20)]),
        (
            PacedService::Ecr,
            &["BatchGetImage", "PutImage", "BatchDeleteImage"],
            &[(10, 10)],
        ),
        (
            PacedService::CloudFormation,
            &["DescribeStacks", "CreateStack"],
            &[(20, 5)],
        ),
        (PacedService::DynamoDb, &["PutItem"], &[(40, 10)]),
        (PacedService::CloudWatch, &["DescribeAlarms"], &[(9, 9)]),
        (PacedService::Logs, &["GetLogEvents"], &[(10, 5)]),
        (PacedService::Acm, &["DescribeCertificate"], &[(10, 10)]),
        (
            PacedService::ApplicationAutoScaling,
            &["DescribeScalableTargets"],
            &[(5, 5)],
        ),
        // A call that has its name in its path.
        (PacedService::Route53, &[""], &[(5, 5)]),
    ] {
        for operation in operations {
            assert_eq!(limits(service, operation), expected, "{operation}");
        }
    }
}

#[test]
fn a_published_limit_is_used_to_its_share() {
    let (release, fleet) = (Pace::Release, Pace::Fleet);
    for (burst, per_second, pace, used, rate) in [
        (20, 1, release, 16, (4, 5)),
        (50, 5, release, 40, (4, 5)),
        (40, 10, release, 32, (4, 5)),
        (100, 20, release, 80, (4, 5)),
        (100, 20, fleet, 80, (19, 20)),
        (50, 20, fleet, 30, (19, 20)),
        (40, 10, fleet, 30, (19, 20)),
    ] {
        let limit = Limit { burst, per_second };
        let expected = LimitUse { burst: used, rate };
        assert_eq!(pace.used(limit), expected, "{limit:?}");
    }
    // Five a second, one at a time from the first on.
    let mut bucket = Pace::Fleet.bucket(Limit {
        burst: 5,
        per_second: 5,
    });
    let next = Duration::from_secs(1) * 20 / (19 * 5);
    assert_eq!(bucket.take(Duration::ZERO), Ok(()));
    assert_eq!(bucket.take(Duration::ZERO), Err(next));
}

/// At whatever moment within the second AWS refills the bucket.
#[test]
fn a_look_at_many_apps_is_never_throttled() {
    for published in [(100, 20), (50, 20), (40, 10)] {
        let (burst, per_second) = published;
        let mut bucket = Pace::Fleet.bucket(Limit { burst, per_second });
        let mut now = Duration::ZERO;
        for taken in 1..=1000_u64 {
            if let Err(later) = bucket.take(now) {
                now = later;
                assert_eq!(bucket.take(now), Ok(()));
            }
            let given = u64::from(burst) + now.as_secs() * u64::from(per_second);
            assert!(taken <= given, "{published:?}: the {taken}th at {now:?}");
        }
    }
}

fn repeated(wire: Wire, times: usize, operation: &str, reply: &Reply) -> Wire {
    (0..times).fold(wire, |wire, _| wire.on(operation, reply.clone()))
}

/// When the requests were sent, counted from the first.
fn departures(wire: &Wire) -> Vec<Duration> {
    let requests = wire.requests();
    let first = requests.first().map(|request| request.at);
    let since = |at: Instant| at.duration_since(first.unwrap_or(at));
    requests.iter().map(|request| since(request.at)).collect()
}

#[tokio::test(start_paused = true)]
async fn writes_beyond_the_burst_leave_at_the_sustained_rate() {
    let done = Reply::xml("ModifyListener", "");
    let wire = Wire::new().on("DescribeListeners", listeners());
    let wire = repeated(wire, 18, "ModifyListener", &done);
    let (aws, infra) = (wire.aws(), infrastructure());
    aws.alb_router(&infra).read().await.unwrap();
    let router = aws.alb_router(&infra);
    let write = || router.apply(move_to(Route::Production, Color::Blue), Urgency::Forward);
    for written in join_all((0..18).map(|_| write())).await {
        written.unwrap();
    }
    let departures = &departures(&wire)[1..];
    // Four fifths of 20 at once and of 3 a second.
    let interval = Duration::from_nanos(1_000_000_000 * 5 / 12);
    assert_eq!(departures[15], Duration::ZERO);
    for (n, departure) in departures.iter().enumerate().skip(16) {
        let due = interval * u32::try_from(n - 15).unwrap();
        let late = departure.saturating_sub(due);
        assert!(*departure >= due && late < interval / 10, "{departures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_repeated_takes_a_token_of_its_own() {
    let throttled = Reply::json_error(400, "ThrottlingException", "Rate exceeded");
    let wire = repeated(Wire::new(), 16, "DeregisterTaskDefinition", &throttled);
    let done = Reply::json(&json!({}));
    let wire = repeated(wire, 16, "DeregisterTaskDefinition", &done);
    let aws = wire.aws_with(credentials(), 2);
    let arn = Revision::new("task-definition/bgecs-hello:1");
    let calls = (0..16).map(|_| aws.deregister_task_definition(&arn));
    // Some wait longer than an attempt may; only what was sent counts.
    let _ = join_all(calls).await;
    let departures = departures(&wire);
    assert!(departures.len() > 16, "{departures:?}");
    let interval = Duration::from_millis(1250);
    for (n, departure) in departures.iter().enumerate() {
        let over = u32::try_from(n.saturating_sub(15)).unwrap();
        assert!(*departure >= interval * over, "{n}: {departures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_leaves_first() {
    let second = Duration::from_secs(1);
    let queue = Queue::new(TokenBucket::new(1, second));
    queue.pass().await;
    let began = Instant::now();
    let first = async {
        queue.pass().await;
        began.elapsed()
    };
    // It arrives at the moment when there is a token, and is polled first.
    let late = async {
        sleep(second).await;
        queue.pass().await;
        began.elapsed()
    };
    let (late, first) = futures_util::join!(late, first);
    assert_eq!((first, late), (second, 2 * second));
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_takes_no_token() {
    let second = Duration::from_secs(1);
    let queue = Queue::new(TokenBucket::new(1, second));
    queue.pass().await;
    let began = Instant::now();
    assert!(timeout(second / 2, queue.pass()).await.is_err());
    queue.pass().await;
    assert_eq!(began.elapsed(), second);
}

#[tokio::test(start_paused = true)]
async fn one_service_s_calls_leave_another_s_alone() {
    let Limit { burst, .. } = PacedService::Elb.rules(Pace::Release)[1].published;
    let calls = burst as usize;
    let wire = repeated(Wire::new(), calls, "DescribeListeners", &listeners());
    let wire = wire.on("DescribeServices", Reply::json(&json!({ "services": [] })));
    let (aws, infra) = (wire.aws(), infrastructure());
    let router = aws.alb_router(&infra);
    let read = || router.read();
    let reads = join_all((0..calls).map(|_| read()));
    let other = async {
        let services = aws.read_services(&infra.services).await;
        (services, Instant::now())
    };
    let began = Instant::now();
    let (read, (services, at)) = tokio::join!(reads, other);
    assert!(read.into_iter().all(|read| read.is_ok()) && services.is_ok());
    assert!(began.elapsed() > Duration::ZERO, "the burst is used up");
    assert_eq!(at, began);
}

/// When the polls of a group were sent.
fn polls(wire: &Wire, group: &str) -> Vec<Instant> {
    let of_group = wire.requests().into_iter();
    of_group
        .filter(|request| request.field("TargetGroupArn").as_deref() == Some(group))
        .map(|request| request.at)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_s_health_is_asked_for_once_a_second_tries_again_included() {
    let no_target = Reply::xml("DescribeTargetHealth", "<TargetHealthDescriptions/>");
    let throttled = Reply::xml_error(400, "Throttling", "Rate exceeded");
    let wire = Wire::new().on("DescribeTargetHealth", Reply::Reset);
    let wire = repeated(wire, 2, "DescribeTargetHealth", &throttled);
    let wire = repeated(wire, 6, "DescribeTargetHealth", &no_target);
    let aws = wire.aws_with(credentials(), 5);
    let (blue, green) = (TargetGroupArn::new("blue"), TargetGroupArn::new("green"));
    let began = Instant::now();
    let asked = [&blue, &green, &blue, &green, &blue, &green].map(|group| aws.target_health(group));
    for answer in join_all(asked).await {
        answer.unwrap();
    }
    let (of_blue, of_green) = (polls(&wire, "blue"), polls(&wire, "green"));
    assert_eq!((of_blue[0], of_green[0]), (began, began), "each by itself");
    assert_eq!(of_blue.len() + of_green.len(), 9);
    for polls in [of_blue, of_green] {
        for pair in polls.windows(2) {
            assert!(pair[1] - pair[0] >= Duration::from_secs(1), "{polls:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_between_two_polls_counts_from_the_answer() {
    let wire = Wire::new().on("DescribeTargetHealth", Reply::Never).on(
        "DescribeTargetHealth",
        Reply::xml("DescribeTargetHealth", "<TargetHealthDescriptions/>"),
    );
    let (aws, group) = (wire.aws(), TargetGroupArn::new("blue"));
    // This one is given up after 15 s.
    aws.target_health(&group).await.unwrap_err();
    let ended = Instant::now();
    sleep(Duration::from_millis(300)).await;
    aws.target_health(&group).await.unwrap();
    let second = polls(&wire, "blue")[1];
    assert_eq!(second - ended, Duration::from_secs(1));
}
