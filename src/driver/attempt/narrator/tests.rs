use std::sync::Arc;

use super::*;
use crate::aws::testing::Wire;
use crate::engine::seen::{Changed, Identities, Identity, Releases, Seen};
use crate::engine::shift::Before;
use crate::engine::shift::testing::policy;
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

/// That was due and answered then, in ms since the start.
fn sample(due: u64, answered: u64, tag: &str) -> Sample {
    Sample {
        n: 0,
        scheduled_at: Duration::from_millis(due),
        latency: Duration::from_millis(answered - due),
        late: Duration::ZERO,
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

/// Of answers that took long, or that overtook each other, as well.
#[test]
fn the_live_line_and_the_summary_agree_on_the_first_new_answer() {
    const BEGAN: u64 = 1040;
    for new in [
        &[(1100, 1105)][..],
        &[(1100, 1135)],
        // Due ahead of the write.
        &[(1000, 1089)],
        // The probe gives them in the order in which they are answered.
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
