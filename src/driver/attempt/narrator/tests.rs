use std::sync::Arc;

use super::*;
use crate::aws::testing::Wire;
use crate::engine::seen::{Changed, Identities, Identity, Releases, Seen};
use crate::engine::shift::testing::policy;
use crate::engine::shift::{Before, MoveTimes};
use crate::model::{Color, Connection, PerRoute, Sample, Strategy};
use crate::report::Style;
use crate::report::capture::{To, reporter};

fn shift() -> Shift {
    let before = Before {
        found: PerRoute {
            production: Color::Green.into(),
            test: Color::Blue.into(),
        },
        origin: Some(Color::Green),
        was_healthy: true,
    };
    let strategy = Strategy::all_at_once(Color::Blue, &before.found, Duration::from_secs(3));
    Shift::new(strategy, before, policy())
}

fn releases() -> Releases {
    let of = |tag: &str| Identity {
        name: format!("tag {tag}"),
        release: Some(tag.to_owned()),
        body: None,
    };
    Releases::Two(Identities {
        old: of("1"),
        new: of("2"),
    })
}

/// A sample that was due and answered at these times, in ms since the start.
fn sample(due: u64, answered: u64, tag: &str) -> Sample {
    Sample {
        n: 0,
        scheduled_at: Duration::from_millis(due),
        latency: Duration::from_millis(answered - due),
        late: Duration::ZERO,
        way: None,
        node: None,
        connection: Connection::Fresh,
        answer: Arc::new(Answer::Http {
            status: 200,
            release: Some(tag.to_owned()),
            body: format!("I am {tag}"),
        }),
        unexpected: None,
    }
}

/// Also for answers that took long, or that overtook each other.
#[test]
fn the_live_line_and_the_summary_agree_on_the_first_new_answer() {
    const BEGAN: u64 = 1040;
    for new in [
        &[(1100, 1105)][..],
        &[(1100, 1135)],
        // Due before the write.
        &[(1000, 1089)],
        // The probe returns them in the order in which they are answered.
        &[(1200, 1203), (1100, 1310)],
        &[(1000, 1039), (1100, 1101)],
    ] {
        let (report, lines) = reporter(To::Pipe, false, Style::plain());
        let session = Session::of_hello_telling(Wire::new().aws(), report);
        let shift = shift();
        let mut narrator = Narrator::new(&session, &shift);
        let mut seen = Seen::new(releases());
        let changed = Changed {
            began: Some(Duration::from_millis(BEGAN)),
            ended: None,
        };
        let old = [sample(900, 904, "1")];
        let new = new
            .iter()
            .map(|(due, answered)| sample(*due, *answered, "2"));
        for sample in old.into_iter().chain(new) {
            let release = seen.add(&sample, changed);
            let notice = Notice::Sample {
                sample: &sample,
                release,
                seen: &seen,
                changed,
            };
            narrator.take(&notice);
        }
        let began = Some(Duration::from_millis(BEGAN));
        let first = seen.report(10.0, began, 0).first_new_ms.unwrap();
        drop(session);
        let text = lines.err.text();
        let line = text.lines().find(|line| line.contains("I am 2")).unwrap();
        let said: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(said[..2], [format!("{first:+}").as_str(), "ms"], "{text}");
    }
}

/// Into a pipe, where there is no moving line.
#[test]
fn what_came_of_a_stage_is_told_when_it_is_over() {
    let (report, lines) = reporter(To::Pipe, false, Style::plain());
    let session = Session::of_hello_telling(Wire::new().aws(), report);
    let found = PerRoute {
        production: Color::Green.into(),
        test: Color::Blue.into(),
    };
    let steps = "10% for 3s".parse().unwrap();
    let strategy = Strategy::gradual(Color::Blue, &found, &steps, Duration::from_secs(3));
    let before = Before {
        found,
        ..Before::default()
    };
    let mut shift = Shift::new(strategy, before, policy());
    let start = shift.clone();
    let mut narrator = Narrator::new(&session, &start);
    let sent = Duration::from_secs(1);
    shift.moves.push(MoveTimes {
        it: shift.strategy.stages[0].it,
        sent,
        seen: Some(sent),
    });
    shift.phase = Phase::Baking { until: sent * 4 };
    narrator.take(&Notice::Phase { now: &shift });
    let mut seen = Seen::new(releases());
    let answers = [(1100, "1"), (1200, "2"), (1300, "1"), (3998, "1")];
    for sample in answers.map(|(due, tag)| sample(due, due + 2, tag)) {
        let release = seen.add(&sample, Changed::default());
        seen.add_to_its_stage(&sample, release, shift.shares());
        narrator.take(&Notice::Sample {
            sample: &sample,
            release,
            seen: &seen,
            changed: Changed::default(),
        });
    }
    let now = narrator.watched.unwrap().now();
    assert_eq!((now.share, now.left), (1000, Duration::ZERO));
    shift.phase = Phase::Meeting {
        is_watched: true,
        number: 0,
    };
    narrator.take(&Notice::Phase { now: &shift });
    drop(session);
    let text = lines.err.text();
    for line in [
        "· port 80 -> 10% blue, 90% green, read back; watching for 3 s",
        "· 10% for 3s: 25.0% seen, 0 of 1 failed",
    ] {
        assert!(text.lines().any(|said| said == line), "{text}");
    }
}
