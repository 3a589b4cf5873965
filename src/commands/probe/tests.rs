use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::engine::seen::{Failure, Latency};
use crate::model::testing::by_rules;
use crate::model::{Connection, Lost};

fn shown(outcome: Upshot, failures: Vec<Failure>) -> String {
    let failed = u64::try_from(failures.len()).unwrap();
    let probed = Probed {
        operation: "probe",
        url: "http://lb.example/api".to_owned(),
        outcome,
        probe: ProbeReport {
            sent: 100,
            ok: 100 - failed,
            failed,
            rate: 10.0,
            latency_ms: Latency {
                p50: 4.25,
                p99: 12.5,
                max: 130.0,
            },
            failures,
            ..ProbeReport::default()
        },
    };
    probed.human(&Style::plain())
}

#[test]
fn all_well() {
    insta::assert_snapshot!(shown(Upshot::Ok, Vec::new()), @"
    http://lb.example/api
      requests    100 sent, 0 failed
      latency     p50 4.25 ms, p99 12.5 ms, max 130 ms
    ");
}

#[test]
fn what_nobody_answered_has_no_latency() {
    let probe = ProbeReport {
        sent: 3,
        failed: 3,
        ..ProbeReport::default()
    };
    assert_eq!(
        in_lines(&probe, &Style::plain()),
        "  requests    3 sent, 3 failed"
    );
}

#[test]
fn the_first_five_failures_are_shown() {
    let failure = |at_ms, status, error: Option<&str>| Failure {
        at_ms,
        way: None,
        node: None,
        connection: match status {
            Some(_) => Connection::Reused,
            None => Connection::Fresh,
        },
        status,
        unexpected: None,
        why: error.map(|_| Lost::Refused),
        error: error.map(str::to_owned),
    };
    let refused = failure(90, None, Some("Connection refused (os error 111)"));
    let failures = [vec![refused], vec![failure(1100, Some(503), None); 6]].concat();
    insta::assert_snapshot!(shown(Upshot::Failed, failures), @"
    http://lb.example/api
      requests    100 sent, 7 failed
      latency     p50 4.25 ms, p99 12.5 ms, max 130 ms
      at    90 ms Connection refused (os error 111) (fresh connection)
      at  1100 ms HTTP 503 (kept connection)
      at  1100 ms HTTP 503 (kept connection)
      at  1100 ms HTTP 503 (kept connection)
      at  1100 ms HTTP 503 (kept connection)
      and 2 more
    ");
}

#[tokio::test]
async fn a_test_route_by_header_is_probed_for_the_idle_colour() {
    let rule = |forward: &str| {
        Reply::xml(
            "DescribeRules",
            &format!(
                "<Rules><member><RuleArn>rule/prod</RuleArn><Actions><member><Type>forward</Type>\
                 <ForwardConfig><TargetGroups>{forward}</TargetGroups></ForwardConfig>\
                 </member></Actions></member></Rules>"
            ),
        )
    };
    let group =
        |color: &str| format!("<member><TargetGroupArn>tg/{color}</TargetGroupArn></member>");
    let idle_of = async |forward: &str| {
        let wire = Wire::new().on("DescribeRules", rule(forward));
        let session = Session::of_hello(wire.aws());
        idle(&session, &by_rules().into()).await
    };
    assert_eq!(idle_of(&group("green")).await.unwrap(), Color::Blue);
    let both = idle_of(&(group("blue") + &group("green"))).await;
    assert_eq!(
        both.unwrap_err().message,
        "port 80 forwards to 50% blue, 50% green: no colour is idle"
    );
}
