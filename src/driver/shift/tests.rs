//! The loop, with a scripted load balancer and a scripted probe. Time is tokio's and
//! paused, so an hour passes at once and always in the same way.

mod blind;
mod by_header;
mod fake;
mod faults;
mod interrupts;
mod two_ways;
mod users_first;

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Finished, Notice, Samples, run};
use crate::engine::seen::{Identities, Identity, Releases};
use crate::engine::shift::testing::policy;
use crate::engine::shift::{Milestone, Outcome, Policy, Shift};
use crate::interrupt::Interrupts;
use crate::model::{Color, Route, Strategy};
use fake::{Asked, BADLY, Call, Fake, Faults, Reply, WELL};

const FROM: Color = Color::Green;
const TO: Color = Color::Blue;
const PACE: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_secs(3);
/// Far beyond the end of any swap.
const NEVER: Duration = Duration::from_secs(3600);

fn releases() -> Releases {
    let of = |color: Color| Identity {
        name: color.to_string(),
        release: None,
        body: Some(color.to_string()),
    };
    Releases::Two(Identities {
        old: of(FROM),
        new: of(TO),
    })
}

/// Both colours answer.
fn all_well(_: Duration, _: Color) -> Reply {
    WELL
}

/// The new colour does not.
fn new_fails_at_once(_: Duration, color: Color) -> Reply {
    if color == TO { BADLY } else { WELL }
}

/// It answers well until both ports have moved.
fn new_fails(at: Duration, color: Color) -> Reply {
    match at < Duration::from_secs(2) {
        true => WELL,
        false => new_fails_at_once(at, color),
    }
}

/// Runs a swap to its end, and checks that the reported end is true.
async fn finish(fake: &Fake, probe: &mut Asked<'_>, interrupts: &mut Interrupts) -> Finished {
    finish_with(fake, probe, interrupts, policy(), &mut |_| {}).await
}

async fn finish_with(
    fake: &Fake,
    probe: &mut impl Samples,
    interrupts: &mut Interrupts,
    policy: Policy,
    notify: &mut dyn FnMut(Notice<'_>),
) -> Finished {
    let before = fake.before();
    let strategy = Strategy::all_at_once(TO, &before.found, WINDOW);
    let shift = Shift::new(strategy, before, policy);
    let origin = Instant::now();
    let finished = run(fake, shift, releases(), probe, interrupts, origin, notify);
    let finished = timeout(NEVER, finished).await.expect("it never ends");
    assert_truth(fake, &finished);
    finished
}

/// What the outcome says about the listeners is true, and port 80 was never pointed at a
/// colour that was not healthy.
fn assert_truth(fake: &Fake, finished: &Finished) {
    let outcome = finished.shift.outcome().expect("an outcome");
    let traffic = fake.traffic();
    if !matches!(outcome, Outcome::InDoubt(_)) {
        let ways = fake.found().production;
        assert!(ways.only().is_some(), "{ways} and {outcome:?}");
    }
    match outcome {
        Outcome::Committed => {
            let test = if fake.by_header { TO } else { FROM };
            assert_eq!(traffic, (TO, test));
            assert!(fake.noted_done.get(), "the outcome is not in the journal");
            let noted = fake.noted.borrow();
            let all = [(Route::Production, TO), (Route::Test, FROM)];
            let moved = if fake.by_header { &all[..1] } else { &all };
            assert_eq!(*noted, moved, "not in the journal");
        }
        Outcome::RolledBack(_) | Outcome::Unchanged(_) => {
            assert_eq!(traffic, (FROM, TO), "{outcome:?}");
        }
        Outcome::Unwell | Outcome::Refused(_) | Outcome::Interrupted => {
            assert_eq!(traffic, (FROM, TO), "{outcome:?}");
            let calls = fake.calls.borrow();
            let is_write = |call: &Call| matches!(call, Call::Write(..));
            assert!(!calls.iter().any(is_write), "{outcome:?} after {calls:?}");
        }
        Outcome::Left(_) => assert_eq!(fake.production.get(), TO, "{outcome:?}"),
        Outcome::Paused => panic!("a swap has no pause"),
        // It claims nothing.
        Outcome::InDoubt(_) => {}
    }
    assert_eq!(*fake.harm.borrow(), [], "port 80 was pointed at the sick");
}

/// One word for an outcome, for tables.
fn word(finished: &Finished) -> &'static str {
    match finished.shift.outcome() {
        Some(Outcome::Committed) => "committed",
        Some(Outcome::Paused) => "paused",
        Some(Outcome::RolledBack(_)) => "rolled back",
        Some(Outcome::Unwell | Outcome::Refused(_)) => "refused",
        Some(Outcome::Interrupted) => "interrupted",
        Some(Outcome::Unchanged(_)) => "unchanged",
        Some(Outcome::Left(_)) => "left",
        Some(Outcome::InDoubt(_)) => "in doubt",
        None => "no end",
    }
}

/// A swap without faults, with this probe.
async fn clean(reply: &dyn Fn(Duration, Color) -> Reply) -> (Fake, Finished) {
    let fake = Fake::new(Faults::default());
    let mut probe = Asked::new(&fake, Instant::now(), reply);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let finished = finish(&fake, &mut probe, &mut interrupts).await;
    (fake, finished)
}

#[tokio::test(start_paused = true)]
async fn a_clean_promotion_looks_writes_and_reads_back_prod_then_test() {
    let (fake, finished) = clean(&all_well).await;
    assert_eq!(finished.shift.outcome(), Some(&Outcome::Committed));
    assert_eq!(
        *fake.calls.borrow(),
        [
            Call::Note(Route::Production, TO),
            Call::Read(Route::Production),
            Call::Write(Route::Production, TO),
            Call::Read(Route::Production),
            Call::Note(Route::Test, FROM),
            Call::Read(Route::Test),
            Call::Write(Route::Test, FROM),
            Call::Read(Route::Test),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn every_request_is_counted_and_the_changeover_is_seen() {
    let fake = Fake::new(Faults::default());
    let mut probe = Asked::new(&fake, Instant::now(), &all_well);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let mut samples = 0;
    let mut phases = Vec::new();
    let finished = finish_with(
        &fake,
        &mut probe,
        &mut interrupts,
        policy(),
        &mut |notice| match notice {
            Notice::Sample { seen, .. } => {
                samples += 1;
                assert_eq!(seen.sent(), samples);
            }
            Notice::Phase { now } => phases.push(now.milestone()),
            Notice::Targets(_) => unreachable!("the probe tells"),
        },
    )
    .await;
    assert_eq!(samples, probe.sent(), "also what was under way at the end");
    assert_eq!(
        phases,
        [
            Milestone::Noting(0),
            Milestone::Moving(0),
            Milestone::Noting(1),
            Milestone::Moving(1),
            Milestone::Baking(1),
            Milestone::Done,
        ]
    );
    let report = finished
        .seen
        .report(10.0, finished.shift.changed().began, 0);
    assert_eq!((report.sent, report.failed), (samples, 0));
    // The first write is sent at 1040 ms, when the note and the look ahead have returned,
    // and arrives 10 ms later: the request of 1000 ms is the last one that the old colour
    // answers.
    assert_eq!(report.last_old_ms, Some(1005 - 1040));
    assert_eq!(report.first_new_ms, Some(1105 - 1040));
}

#[tokio::test(start_paused = true)]
async fn a_failing_answer_takes_the_swap_back_prod_first() {
    let (fake, finished) = clean(&new_fails).await;
    assert_eq!(word(&finished), "rolled back");
    assert_eq!(
        fake.calls.borrow()[8..],
        [
            Call::Health(FROM),
            Call::Read(Route::Production),
            Call::Write(Route::Production, FROM),
            Call::Read(Route::Production),
            Call::Read(Route::Test),
            Call::Write(Route::Test, TO),
            Call::Read(Route::Test),
        ]
    );
    assert!(finished.seen.failed() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_failing_production_is_left_as_it_is() {
    let (fake, finished) = clean(&|_, _| BADLY).await;
    assert_eq!(word(&finished), "refused");
    assert_eq!(*fake.calls.borrow(), []);
}

#[tokio::test(start_paused = true)]
async fn a_sick_old_colour_is_not_gone_back_to() {
    let fake = Fake::new(Faults::default());
    // It becomes unhealthy once the new colour has taken over.
    let reply = |at: Duration, color: Color| {
        if color == FROM {
            return WELL;
        }
        fake.healthy.borrow_mut().green = false;
        new_fails(at, color)
    };
    let mut probe = Asked::new(&fake, Instant::now(), &reply);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let finished = finish(&fake, &mut probe, &mut interrupts).await;
    assert_eq!(word(&finished), "left");
    let is_back = |call: &Call| *call == Call::Write(Route::Production, FROM);
    assert!(!fake.calls.borrow().iter().any(is_back));
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_stopped_half_way_is_finished() {
    let fake = Fake::new(Faults::default());
    fake.production.set(TO);
    let mut probe = Asked::new(&fake, Instant::now(), &all_well);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let finished = finish(&fake, &mut probe, &mut interrupts).await;
    assert_eq!(word(&finished), "committed");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_gets_away_from_a_failing_production() {
    let old_fails = |_: Duration, color: Color| if color == FROM { BADLY } else { WELL };
    let fake = Fake::new(Faults::default());
    let mut probe = Asked::new(&fake, Instant::now(), &old_fails);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let rollback = Policy {
        needs_clean_baseline: false,
        ..policy()
    };
    let finished = finish_with(&fake, &mut probe, &mut interrupts, rollback, &mut |_| {}).await;
    assert_eq!(word(&finished), "committed");
    assert!(finished.seen.failed() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_is_not_to_be_taken_back_stays() {
    let fake = Fake::new(Faults::default());
    let mut probe = Asked::new(&fake, Instant::now(), &new_fails);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let stays = Policy {
        takes_back: false,
        ..policy()
    };
    let finished = finish_with(&fake, &mut probe, &mut interrupts, stays, &mut |_| {}).await;
    assert_eq!(word(&finished), "left");
    assert_eq!(fake.traffic(), (TO, FROM), "both ports, not one");
}

#[tokio::test(start_paused = true)]
async fn the_window_ends_with_its_last_answer() {
    // The requests at the end of the window take longer than the window itself.
    let slow = |ok| {
        move |at: Duration, color: Color| match color == TO && at > Duration::from_secs(3) {
            true => Reply {
                ok,
                latency: WINDOW + WINDOW,
            },
            false => WELL,
        }
    };
    let began = Instant::now();
    let (_, finished) = clean(&slow(true)).await;
    assert_eq!(word(&finished), "committed");
    assert!(began.elapsed() > Duration::from_secs(3) + WINDOW + WINDOW);

    let (_, finished) = clean(&slow(false)).await;
    assert_eq!(word(&finished), "rolled back");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_during_the_swap_itself_counts() {
    // Sent to the old colour just before the first write, and lost much later.
    let lost = |at: Duration, _: Color| match at == Duration::from_secs(1) {
        true => Reply {
            ok: false,
            latency: Duration::from_secs(2),
        },
        false => WELL,
    };
    let (_, finished) = clean(&lost).await;
    assert_eq!(word(&finished), "rolled back");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_falls_silent_never_commits() {
    let mut table = String::new();
    for (name, end, reply) in [
        ("at once", 0, &all_well as &dyn Fn(Duration, Color) -> Reply),
        ("in the baseline", 500, &all_well),
        ("during the note", 1010, &all_well),
        ("during the look ahead", 1030, &all_well),
        ("during the first write", 1050, &all_well),
        ("during the second write", 1110, &all_well),
        ("in the window", 2500, &all_well),
        ("on the way back", 2040, &new_fails),
        ("while the way back is confirmed", 2200, &new_fails),
    ] {
        let fake = Fake::new(Faults::default());
        let end = Duration::from_millis(end);
        let mut probe = Asked::new(&fake, Instant::now(), reply).ending_at(end);
        let (_tell, mut interrupts) = Interrupts::relayed();
        let finished = finish(&fake, &mut probe, &mut interrupts).await;
        let outcome = finished.shift.outcome().unwrap();
        let calls = fake.calls.borrow().len();
        table += &format!("{name}, {calls} calls: {outcome:?}\n");
    }
    insta::assert_snapshot!(table, @r#"
    at once, 0 calls: Unchanged("the probe has ended by itself")
    in the baseline, 0 calls: Unchanged("the probe has ended by itself")
    during the note, 1 calls: Unchanged("the probe has ended by itself")
    during the look ahead, 2 calls: Unchanged("the probe has ended by itself")
    during the first write, 7 calls: InDoubt("port 80 points back at green, and no answer confirms it: the probe has ended by itself")
    during the second write, 10 calls: InDoubt("port 80 points back at green, and no answer confirms it: the probe has ended by itself")
    in the window, 15 calls: InDoubt("port 80 points back at green, and no answer confirms it: the probe has ended by itself")
    on the way back, 15 calls: InDoubt("port 80 points back at green, and no answer confirms it: the probe has ended by itself")
    while the way back is confirmed, 15 calls: InDoubt("port 80 points back at green, and no answer confirms it: the probe has ended by itself")
    "#);
}

/// An all-at-once swap has no stages to show, but it has hooks.
#[tokio::test(start_paused = true)]
async fn what_a_stage_waited_for_is_marked_when_it_is_met() {
    let fake = Fake::new(Faults::default());
    let mut probe = Asked::new(&fake, Instant::now(), &all_well);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let before = fake.before();
    let strategy = Strategy::all_at_once(TO, &before.found, WINDOW).with_hooks(|_| true);
    let shift = Shift::new(strategy, before, policy());
    let finished = run(
        &fake,
        shift,
        releases(),
        &mut probe,
        &mut interrupts,
        Instant::now(),
        &mut |_| {},
    )
    .await;
    let marks: Vec<&str> = finished.marks.iter().map(|mark| &*mark.text).collect();
    let expected = [
        "before_shift",
        "before_stage of stage 1",
        "after_stage of stage 1",
        "after_shift",
    ];
    assert_eq!(marks, expected);
    assert!(finished.marks.is_sorted_by_key(|mark| mark.at));
    assert!(finished.marks.iter().all(|mark| !mark.failed));
    let stages = finished.seen.stages(finished.shift.shares(), None);
    assert_eq!(stages, []);
}
