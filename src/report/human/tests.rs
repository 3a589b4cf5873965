use time::macros::datetime;

use super::*;
use crate::model::Check;
use crate::model::ServiceEvent;
use crate::model::StackEvent;

#[test]
fn a_body_is_shown_on_one_line() {
    assert_eq!(shortened("<h1>\n  Bonjour\n</h1>\n"), "<h1> Bonjour </h1>");
    assert_eq!(shortened(&"é".repeat(200)).chars().count(), 101);
}

/// Each event as a person sees it, with a mark for what happens to the line.
fn shown(events: &[ReportEvent<'_>]) -> String {
    let show = |event| match line(event, Style::plain()) {
        ShownLine::Stays(text) => format!("stays |{text}"),
        ShownLine::Moves(text) => format!("moves |{text}"),
        ShownLine::Nothing => "nothing".to_owned(),
    };
    events.iter().map(show).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_said() {
    let events = [
        ReportEvent::Doing("deploying".to_owned()),
        ReportEvent::Done("blue serves".to_owned()),
        ReportEvent::Note("probing http://lb.example/ 10 times a second".to_owned()),
        ReportEvent::Warning("green is live".to_owned()),
        ReportEvent::Hook("Compiling hello v2"),
    ];
    insta::assert_snapshot!(shown(&events), @"
    moves |deploying
    stays |✓ blue serves
    stays |· probing http://lb.example/ 10 times a second
    stays |warning: green is live
    stays |    Compiling hello v2
    ");
}

#[test]
fn docker_s_progress() {
    let step = |state| Progress::Step {
        id: "1".to_owned(),
        name: "[2/4] RUN cargo build".to_owned(),
        state,
    };
    let layer = |status: &str| Progress::Layer {
        id: "4f5a".to_owned(),
        status: status.to_owned(),
        current: 10,
        total: 100,
    };
    let log = Progress::Log {
        step: "1".to_owned(),
        line: "warning: unused".to_owned(),
    };
    let all = [
        Progress::ContextSent { bytes: 2_500_000 },
        step(StepState::Started),
        log,
        step(StepState::Done),
        step(StepState::Cached),
        step(StepState::Failed),
        layer("Pushing"),
        layer("Pushed"),
        layer("Layer already exists"),
        layer("Mounted from bgecs-hello"),
        Progress::Retry {
            id: "4f5a".to_owned(),
            seconds: 5,
        },
    ];
    let events: Vec<ReportEvent<'_>> = all.iter().map(ReportEvent::Docker).collect();
    insta::assert_snapshot!(shown(&events), @"
    moves |sent 2.38 MiB of build context
    moves |[2/4] RUN cargo build
    stays |      warning: unused
    stays |    [2/4] RUN cargo build
    stays |    [2/4] RUN cargo build (cached)
    stays |    [2/4] RUN cargo build (failed)
    nothing
    stays |    4f5a: Pushed
    stays |    4f5a: Layer already exists
    stays |    4f5a: Mounted from bgecs-hello
    stays |    4f5a: broke off; trying again in 5 s
    ");
}

#[test]
fn what_aws_does() {
    let stack = |status: &str, reason: Option<&str>| StackEvent {
        id: "1".to_owned(),
        at: Some(datetime!(2026-01-01 00:00:00 UTC)),
        resource: "ProdListener".to_owned(),
        resource_type: "AWS::ElasticLoadBalancingV2::Listener".to_owned(),
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        token: None,
    };
    let service = ServiceEvent {
        id: "1".to_owned(),
        at: None,
        message: "(service blue) has started 1 tasks: (task 1)".to_owned(),
    };
    let (begun, failed) = (
        stack("CREATE_IN_PROGRESS", None),
        stack("CREATE_FAILED", Some("port 80 is taken")),
    );
    let counts = Counts {
        desired: 2,
        running: 1,
        healthy: 1,
        good_answers: 0,
    };
    let events = [
        ReportEvent::Stack(&begun),
        ReportEvent::Stack(&failed),
        ReportEvent::Service(&service),
        ReportEvent::Waiting {
            color: Color::Blue,
            counts,
            trouble: None,
            minutes: 0,
        },
        ReportEvent::Waiting {
            color: Color::Blue,
            counts,
            trouble: Some("the health path answers HTTP 503".to_owned()),
            minutes: 2,
        },
    ];
    insta::assert_snapshot!(shown(&events), @"
    stays |    CREATE_IN_PROGRESS     AWS::ElasticLoadBalancingV2::Listener    ProdListener
    stays |    CREATE_FAILED          AWS::ElasticLoadBalancingV2::Listener    ProdListener: port 80 is taken
    stays |    (service blue) has started 1 tasks: (task 1)
    moves |waiting for blue: 1 of 2 tasks running, 1 target healthy, 0 good answers
    moves |waiting for blue: 1 of 2 tasks running, 1 target healthy, 0 good answers: the health path answers HTTP 503 (2 min so far)
    ");
}

#[test]
fn what_the_probe_sees() {
    let check = |name, ok, detail: &str| Check {
        name,
        ok,
        detail: detail.to_owned(),
    };
    let good = check("capacity", true, "blue runs 2 tasks, green 2");
    let bad = check("test port", false, "the health path answered HTTP 503");
    let body = |at_ms, status, body| ReportEvent::Body {
        at_ms,
        status,
        body,
    };
    let events = [
        ReportEvent::Check(&good),
        ReportEvent::Check(&bad),
        ReportEvent::Probing {
            sent: 52,
            failed: 7,
            share: 0.5,
            stage: None,
        },
        body(None, 200, "{\n  \"message\": \"Hello\"\n}"),
        body(Some(113), 503, ""),
    ];
    insta::assert_snapshot!(shown(&events), @r#"
    stays |✓ capacity        blue runs 2 tasks, green 2
    stays |✗ test port       the health path answered HTTP 503
    nothing
    stays |       before 200 { "message": "Hello" }
    stays |      +113 ms 503
    "#);
}
