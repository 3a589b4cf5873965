use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::driver::asking::{Asking, of_file};
use crate::driver::shift::Finished;
use crate::engine::seen::{Changed, Identities, Identity, Releases, Seen};
use crate::engine::shift::testing::policy;
use crate::engine::shift::{Before, MoveTimes, Outcome, Phase, Shift, Why};
use crate::model::testing::{assert_names_hosts, hosts, observed, release, service};
use crate::model::{
    Answer, Connection, Release, Reserved, Route, Sample, Stage, Strategy, Unexpected,
};

/// Green is live with tag 1; blue has tag 2.
fn before() -> Observed {
    let mut world = observed();
    for (state, tag) in [
        (&mut world.colors.green, "1"),
        (&mut world.colors.blue, "2"),
    ] {
        state.service = Some(service(1));
        state.release = Some(Release {
            reserves: Some(Reserved {
                cpu: 256,
                memory: 512,
            }),
            ..release(tag)
        });
    }
    world
}

fn shift() -> Shift {
    let before = Before::default();
    let strategy = Strategy::all_at_once(Color::Blue, &before.found, Duration::from_secs(15));
    Shift::new(strategy, before, policy())
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One request every 100 ms.
fn seen(answers: Vec<Answer>) -> Seen {
    seen_of([None, None], answers)
}

/// The same, where both gave these bodies before.
fn seen_of(bodies: [Option<&str>; 2], answers: Vec<Answer>) -> Seen {
    let identity = |tag: &str, body: Option<&str>| Identity {
        name: format!("tag {tag}"),
        release: Some(tag.to_owned()),
        body: body.map(str::to_owned),
    };
    let mut seen = Seen::new(Releases::Two(Identities {
        old: identity("1", bodies[0]),
        new: identity("2", bodies[1]),
    }));
    for sample in samples(answers) {
        seen.add(&sample, Changed::default());
    }
    seen
}

fn samples(answers: Vec<Answer>) -> impl Iterator<Item = Sample> {
    (0..).zip(answers).map(|(n, answer)| Sample {
        n,
        scheduled_at: ms(n * 100),
        latency: ms(4 + n),
        late: ms(0),
        way: None,
        connection: match n % 2 {
            0 => Connection::Fresh,
            _ => Connection::Reused,
        },
        node: None,
        unexpected: answer
            .status()
            .filter(|status| *status != 200)
            .map(|_| Unexpected::Status),
        answer: Arc::new(answer),
    })
}

fn http(status: u16, tag: &str) -> Answer {
    Answer::Http {
        status,
        release: Some(tag.to_owned()),
        body: String::new(),
    }
}

/// The old colour's answers, then from 1100 ms on the new one's.
fn well() -> Vec<Answer> {
    [vec![http(200, "1"); 11], vec![http(200, "2"); 5]].concat()
}

fn badly() -> Vec<Answer> {
    let reset = Answer::Nothing {
        why: crate::model::Lost::Reset,
        error: "connection reset by peer".to_owned(),
    };
    let old = || vec![http(200, "1"); 11];
    [old(), vec![http(503, "2"), reset], old()].concat()
}

fn asking() -> Asking {
    Asking::new(of_file(&crate::config::ProbeSection::default()), Vec::new())
}

fn swapped(kind: SwapKind, ending: Outcome, answers: Vec<Answer>, traffic: &str) -> Swapped {
    swapped_as(kind, ending, seen(answers), traffic)
}

fn swapped_as(kind: SwapKind, ending: Outcome, seen: Seen, traffic: &str) -> Swapped {
    let mut shift = shift();
    let was_written = !matches!(
        ending,
        Outcome::Unwell | Outcome::Refused(_) | Outcome::Interrupted
    );
    shift.phase = Phase::Done(ending);
    if was_written {
        let moved = |stage: &Stage, sent, seen| MoveTimes {
            it: stage.it,
            sent: ms(sent),
            seen: Some(ms(seen)),
        };
        let [production, test] = &shift.strategy.stages[..] else {
            panic!("a swap has two stages");
        };
        shift.moves = vec![moved(production, 1020, 1060), moved(test, 1060, 1110)];
    }
    ended(kind, shift, seen, traffic)
}

fn ended(kind: SwapKind, shift: Shift, seen: Seen, traffic: &str) -> Swapped {
    let finished = Finished {
        shift,
        seen,
        marks: Vec::new(),
        origin: tokio::time::Instant::now(),
        unsent: 0,
    };
    let check = Check {
        name: "capacity",
        ok: true,
        detail: "blue runs 1 task, green 1".to_owned(),
    };
    Swapped::new(
        kind,
        &before(),
        &finished,
        vec![check],
        &asking(),
        traffic.to_owned(),
    )
}

/// What a person sees of it: stdout, stderr and the exit code.
fn shown(swapped: &Swapped) -> String {
    let stdout = swapped.human(&Style::plain());
    match swapped.error() {
        None => format!("{stdout}\nexit {}", Exit::Done.code()),
        Some(error) => format!("{stdout}\nerror: {error}\nexit {}", error.exit.code()),
    }
}

const ON_NEW: &str = "port 80 -> blue (tag 2)";
const ON_OLD: &str = "port 80 -> green (tag 1)";

#[test]
fn committed() {
    let swapped = swapped(SwapKind::Promote, Outcome::Committed, well(), ON_NEW);
    insta::assert_snapshot!(shown(&swapped), @"
    blue (tag 2) is live: green (tag 1) -> blue (tag 2)
      requests    16 sent, 0 failed
      changeover  196 ms (first answer from blue after 95 ms, last from green 6 ms before the swap)
      connections fresh ones changed over after 196 ms, kept ones after 95 ms
      latency     p50 11 ms, p99 19 ms, max 19 ms
      traffic     port 80 -> blue (tag 2)
      way back    green stays warm: `bgecs rollback`, or `bgecs retire` to stop paying for it
      warm        green: 1 task, 0.25 vCPU and 0.5 GB
    exit 0
    ");
}

/// Of what nobody asked there are no figures.
#[test]
fn judged_blind() {
    let (yes, no) = (
        Some(crate::engine::evidence::judged_blind(true)),
        Some(crate::engine::evidence::judged_blind(false)),
    );
    let seen = || Seen::new(Releases::default());
    let good = swapped_as(SwapKind::Promote, Outcome::Committed, seen(), ON_NEW).judged(yes);
    let why = Why::Unhealthy("0 of 2 targets of blue healthy: target i-1 is unhealthy".to_owned());
    let ending = Outcome::RolledBack(why);
    let bad = swapped_as(SwapKind::Promote, ending, seen(), ON_OLD).judged(no);
    insta::assert_snapshot!([shown(&good), shown(&bad)].join("\n\n"), @"
    blue (tag 2) is live: green (tag 1) -> blue (tag 2)
      blind       judged by target health and alarms alone; production was not probed
      traffic     port 80 -> blue (tag 2)
      way back    green stays warm: `bgecs rollback`, or `bgecs retire` to stop paying for it
      warm        green: 1 task, 0.25 vCPU and 0.5 GB
    exit 0

      blind       judged by target health alone; production was not probed
    error: the promotion of blue (tag 2) was rolled back: 0 of 2 targets of blue healthy: target i-1 is unhealthy
      traffic:   port 80 -> green (tag 1), confirmed
      hint:      see `bgecs logs blue`
    exit 3
    ");
    for (swapped, sentence) in [
        (
            &good,
            "Blue (tag 2) went live: judged by target health and alarms alone; production was not probed.",
        ),
        (
            &bad,
            "The promotion of blue (tag 2) was rolled back: judged by target health alone; production was not probed.",
        ),
    ] {
        assert_eq!(swapped.in_a_sentence(), sentence);
        assert_eq!(swapped.watched(), None);
        let json = serde_json::to_value(swapped).unwrap();
        assert_eq!(
            (&json["blind"], &json["probe"]["sent"]),
            (&true.into(), &0.into())
        );
    }
}

/// Of users who went over by shares: what came of each, and no changeover, which
/// would be as long as somebody wanted.
#[test]
fn committed_by_shares() {
    let steps = "5% for 60s".parse().unwrap();
    let before = Before::default();
    let strategy = Strategy::gradual(Color::Blue, &before.found, &steps, ms(15_000));
    let mut shift = Shift::new(strategy, before, policy());
    let times = [(1020, 1060), (1300, 1320), (1320, 1350)];
    let moved = |(stage, (sent, seen)): (&Stage, (u64, u64))| MoveTimes {
        it: stage.it,
        sent: ms(sent),
        seen: Some(ms(seen)),
    };
    shift.moves = shift.strategy.stages.iter().zip(times).map(moved).collect();
    shift.phase = Phase::Done(Outcome::Committed);
    let shares: Vec<_> = shift.shares().collect();
    let mut seen = seen(Vec::new());
    let answers = [
        vec![http(200, "1"); 12],
        vec![http(503, "2")],
        vec![http(200, "2"); 3],
    ];
    for sample in samples(answers.concat()) {
        let release = seen.add(&sample, Changed::default());
        seen.add_to_its_stage(&sample, release, shares.iter().copied());
    }
    let swapped = ended(SwapKind::Promote, shift, seen, ON_NEW);
    insta::assert_snapshot!(shown(&swapped), @"
    blue (tag 2) is live: green (tag 1) -> blue (tag 2)
      requests    16 sent, 1 failed
      stages      5% for 280ms: 50.0% seen, 1 of 1 failed, p99 16 ms; old 0 of 1 failed
                  100% for 219ms: 100.0% seen, 0 of 3 failed, p99 19 ms; old 0 of 0 failed
      latency     p50 11 ms, p99 19 ms, max 19 ms
      traffic     port 80 -> blue (tag 2)
      way back    green stays warm: `bgecs rollback`, or `bgecs retire` to stop paying for it
      warm        green: 1 task, 0.25 vCPU and 0.5 GB
    exit 0
    ");
    let json = serde_json::json!(swapped);
    assert_eq!(json["stages"][0]["share"], 5.0);
    assert_eq!(json["stages"][0]["new"]["failed"], 1);
    assert!(json["probe"]["changeover_ms"].is_null());
    assert!(swapped_json_has_no_stages());
}

fn swapped_json_has_no_stages() -> bool {
    let plain = swapped(SwapKind::Promote, Outcome::Committed, well(), ON_NEW);
    serde_json::json!(plain).get("stages").is_none()
}

/// Without a word it would be taken for a swap that users never noticed.
#[test]
fn an_unknown_changeover_says_why() {
    let plain = |body: &str| Answer::Http {
        status: 200,
        release: None,
        body: body.to_owned(),
    };
    let dev = || http(200, "dev");
    let old = vec![http(200, "1"); 16];
    let half = [vec![http(200, "1"); 14], vec![http(200, "2"); 1]].concat();
    let same = [Some("Hello"), Some("Hello")];
    let all = [
        seen_of(same, vec![plain("Hello"); 16]),
        seen_of(same, vec![dev(); 16]),
        seen_of([Some("1"), Some("2")], vec![plain("3"); 16]),
        seen_of([None, None], vec![dev(); 16]),
        seen_of([None, None], [old.clone(), vec![dev(); 2]].concat()),
        seen_of([None, None], old),
        seen_of([None, None], half),
    ];
    let line = |seen| {
        let swapped = swapped_as(SwapKind::Promote, Outcome::Committed, seen, ON_NEW);
        let json = serde_json::json!(swapped);
        let why = json["changeover_unknown"].as_str().unwrap().to_owned();
        assert!(shown(&swapped).contains(&format!("\n  changeover  unknown: {why}\n")));
        why
    };
    insta::assert_snapshot!(all.map(line).join("\n"), @r"
    both releases give the same answers; return the header `x-bgecs-release: $BGECS_RELEASE`
    both releases give the same answers; return the header `x-bgecs-release: $BGECS_RELEASE`
    no answer matches either release; return the header `x-bgecs-release: $BGECS_RELEASE`
    no answer matches either release; return the header `x-bgecs-release: $BGECS_RELEASE`
    no answer matches blue; return the header `x-bgecs-release: $BGECS_RELEASE`
    blue was not seen to answer in the window
    not every node was seen to answer from blue, over each kind of connection
    ");
    let told = swapped(SwapKind::Promote, Outcome::Committed, well(), ON_NEW);
    assert!(serde_json::json!(told)["changeover_unknown"].is_null());
}

#[test]
fn rolled_back() {
    let ending = Outcome::RolledBack(Why::Failures);
    let swapped = swapped(SwapKind::Promote, ending, badly(), ON_OLD);
    insta::assert_snapshot!(shown(&swapped), @"
      requests    24 sent, 2 failed
      latency     p50 15 ms, p99 27 ms, max 27 ms
    error: the promotion of blue (tag 2) was rolled back: HTTP 503
      caused by: a request failed, first 0.1 s after the swap began
      traffic:   port 80 -> green (tag 1), confirmed
      hint:      see `bgecs logs blue`
    exit 3
    ");
}

/// Of a report: the headline says what became of it, the line below it why.
#[test]
fn the_cause_is_said_once_and_wherever_it_is_looked_for() {
    let another_body = || {
        let mut answers = well();
        answers.extend(badly());
        answers
    };
    let swapped = swapped(
        SwapKind::Promote,
        Outcome::RolledBack(Why::Failures),
        another_body(),
        ON_OLD,
    );
    let headline = swapped.in_a_sentence();
    let why = swapped.reason_at_length().unwrap();
    assert!(
        headline.starts_with("The promotion of blue (tag 2) was rolled back: "),
        "{headline}"
    );
    assert!(headline.ends_with("requests failed."), "{headline}");
    assert!(!headline.contains("HTTP"), "{headline}");
    assert!(why.starts_with("HTTP 503, first "), "{why}");
    assert!(why.ends_with("after the swap began"), "{why}");
}

#[test]
fn rolled_back_for_other_reasons() {
    let mut all = Vec::new();
    for why in [
        Why::Interrupt,
        Why::ProbeEnded,
        Why::Unmoved(Route::Test, "AccessDenied: no".to_owned()),
    ] {
        let swapped = swapped(SwapKind::Promote, Outcome::RolledBack(why), well(), ON_OLD);
        all.push(swapped.error().unwrap().to_string());
    }
    insta::assert_snapshot!(all.join("\n"), @"
    the promotion of blue (tag 2) was rolled back: interrupted
      traffic:   port 80 -> green (tag 1), confirmed
      hint:      run it again when you are ready
    the promotion of blue (tag 2) was rolled back: the probe has ended by itself
      traffic:   port 80 -> green (tag 1), confirmed
      hint:      nothing speaks against blue: `bgecs promote` again
    the promotion of blue (tag 2) was rolled back: the test port could not be moved: AccessDenied: no
      traffic:   port 80 -> green (tag 1), confirmed
      hint:      fix that, or allow it for these credentials; then `bgecs promote` again
    ");
}

#[test]
fn in_doubt() {
    let ending = Outcome::InDoubt("port 80 cannot be read back: timed out".to_owned());
    let unknown = "port 80 -> unknown: the routes cannot be read";
    let swapped = swapped(SwapKind::Promote, ending, badly(), unknown);
    insta::assert_snapshot!(shown(&swapped), @"
      requests    24 sent, 2 failed
      latency     p50 15 ms, p99 27 ms, max 27 ms
    error: the promotion of blue (tag 2) did not end well: port 80 cannot be read back: timed out
      caused by: HTTP 503, first 0.1 s after the swap began
      traffic:   port 80 -> unknown: the routes cannot be read
      hint:      look now: `bgecs status`, then `bgecs promote green` or `bgecs promote blue`
    exit 4
    ");
}

#[test]
fn left_as_it_is() {
    let ending = Outcome::Left(Why::Failures);
    let swapped = swapped(SwapKind::Rollback, ending, badly(), ON_NEW);
    insta::assert_snapshot!(shown(&swapped), @"
      requests    24 sent, 2 failed
      latency     p50 15 ms, p99 27 ms, max 27 ms
    error: the rollback to blue (tag 2) did not end well: HTTP 503; the swap was left in place
      caused by: a request failed, first 0.1 s after the swap began
      traffic:   port 80 -> blue (tag 2)
      hint:      look now: `bgecs status`, then `bgecs promote green` or `bgecs promote blue`
    exit 4
    ");
}

#[test]
fn nothing_was_changed() {
    let failing = vec![http(200, "1"), http(500, "1")];
    let denied = "elasticloadbalancing:ModifyListener on listener/prod: AccessDenied: no";
    let mut all = Vec::new();
    for (ending, answers) in [
        (Outcome::Unwell, failing),
        (Outcome::Interrupted, well()),
        (Outcome::Unchanged(denied.to_owned()), well()),
    ] {
        let swapped = swapped(SwapKind::Promote, ending, answers, ON_OLD);
        all.push(shown(&swapped));
    }
    insta::assert_snapshot!(all.join("\n\n"), @"
      requests    2 sent, 1 failed
      latency     p50 4 ms, p99 5 ms, max 5 ms
    error: the promotion of blue (tag 2) was refused: production failed before anything was changed (0 of 0 requests)
      caused by: HTTP 500, before the swap
      traffic:   port 80 -> green (tag 1), unchanged
      hint:      see `bgecs probe` and `bgecs logs green`; if the last release is to blame, `bgecs rollback`; if blue is the fix, `bgecs promote --fix-forward`
    exit 6

      requests    16 sent, 0 failed
      latency     p50 11 ms, p99 19 ms, max 19 ms
    error: the promotion of blue (tag 2) was interrupted before any change
      traffic:   port 80 -> green (tag 1), unchanged
      hint:      run it again when you are ready
    exit 130

      requests    16 sent, 0 failed
      latency     p50 11 ms, p99 19 ms, max 19 ms
    error: the promotion of blue (tag 2) failed, and nothing was changed
      caused by: elasticloadbalancing:ModifyListener on listener/prod: AccessDenied: no
      traffic:   port 80 -> green (tag 1), unchanged
      hint:      fix that, or allow it for these credentials; then `bgecs promote` again
    exit 1
    ");
}

#[test]
fn nothing_to_do_and_nothing_before() {
    let world = before();
    let already = Done::nothing(
        SwapKind::Promote,
        &world,
        Color::Green,
        Needless::LiveAlready,
    );
    insta::assert_snapshot!(already.human(&Style::plain()), @"
    nothing to do: green (tag 1) is live already
      port 80 -> green (tag 1)
    ");
    let first = Done::made_live(SwapKind::Promote, &world, Color::Green);
    insta::assert_snapshot!(first.human(&Style::plain()), @"
    green (tag 1) is live; nothing was before
      port 80 -> green (tag 1)
    ");
}

#[test]
fn for_programs() {
    let ending = Outcome::RolledBack(Why::Failures);
    let swapped = swapped(SwapKind::Promote, ending, badly(), ON_OLD);
    let json = serde_json::to_string_pretty(&swapped).unwrap();
    insta::assert_snapshot!(json, @r#"
    {
      "operation": "promote",
      "from": "green",
      "to": "blue",
      "outcome": "rolled_back",
      "blind": false,
      "checks": [
        {
          "name": "capacity",
          "ok": true,
          "detail": "blue runs 1 task, green 1"
        }
      ],
      "probe": {
        "sent": 24,
        "ok": 22,
        "failed": 2,
        "rate": 10.0,
        "first_new_ms": 95,
        "last_old_ms": null,
        "changeover_ms": null,
        "connections": {
          "fresh": {
            "sent": 12,
            "failed": 1,
            "first_new_ms": null,
            "last_old_ms": null,
            "changeover_ms": null
          },
          "reused": {
            "sent": 12,
            "failed": 1,
            "first_new_ms": 95,
            "last_old_ms": null,
            "changeover_ms": null
          }
        },
        "releases": [
          "tag 1",
          "tag 2"
        ],
        "unknown": 0,
        "unsent": 0,
        "nodes": [
          {
            "node": null,
            "connections": {
              "fresh": {
                "sent": 12,
                "failed": 1,
                "first_new_ms": null,
                "last_old_ms": null,
                "changeover_ms": null
              },
              "reused": {
                "sent": 12,
                "failed": 1,
                "first_new_ms": 95,
                "last_old_ms": null,
                "changeover_ms": null
              }
            },
            "changeover_ms": null
          }
        ],
        "transitions": [
          {
            "at_ms": 95,
            "node": null,
            "connection": "reused",
            "from": 0,
            "to": 1
          },
          {
            "at_ms": 297,
            "node": null,
            "connection": "reused",
            "from": 1,
            "to": 0
          }
        ],
        "latency_ms": {
          "p50": 15.0,
          "p99": 27.0,
          "max": 27.0
        },
        "late_ms": {
          "p99": 0.0,
          "max": 0.0
        },
        "failures": [
          {
            "at_ms": 95,
            "node": null,
            "connection": "reused",
            "status": 503,
            "unexpected": "status",
            "why": null,
            "error": null
          },
          {
            "at_ms": 196,
            "node": null,
            "connection": "fresh",
            "status": null,
            "unexpected": null,
            "why": "reset",
            "error": "connection reset by peer"
          }
        ]
      },
      "swap": {
        "prod_ms": 40,
        "test_ms": 50,
        "window_ms": 90
      },
      "changeover_unknown": null,
      "traffic": "port 80 -> green (tag 1)",
      "warm": null,
      "reason": "HTTP 503"
    }
    "#);
}

#[test]
fn every_result_has_the_same_fields() {
    fn fields(outcome: &impl CommandResult) -> Vec<String> {
        let json = serde_json::to_value(outcome).unwrap();
        json.as_object().unwrap().keys().cloned().collect()
    }
    let world = before();
    let expected = fields(&swapped(
        SwapKind::Promote,
        Outcome::Committed,
        well(),
        ON_NEW,
    ));
    let refused = Swapped::not_ready(SwapKind::Promote, &world, &shift(), Vec::new());
    assert_eq!(fields(&refused), expected);
    let already = Done::nothing(
        SwapKind::Promote,
        &world,
        Color::Green,
        Needless::LiveAlready,
    );
    assert_eq!(fields(&already), expected);
}

#[test]
fn the_end_calls_a_route_what_its_router_calls_it() {
    let mut world = before();
    world.ecs_mut().endpoints = hosts();
    let done = Done::made_live(SwapKind::Promote, &world, Color::Green);
    assert_names_hosts(&done.human(&Style::plain()));
}
