//! The page as text; in a browser it is looked at in `browser`.

mod browser;
mod set;

use super::*;
use crate::report::testing::{
    Story, canary, caught, probe, promotion, somebody_elses, taken_back, told,
};

fn count(page: &str, what: &str) -> usize {
    page.matches(what).count()
}

#[test]
fn what_came_from_outside_is_text() {
    const HOSTILE: &str = "<script>alert(\"1\")</script>&\u{1b}[31m";
    let mut evidence = taken_back();
    evidence.sentence = HOSTILE.to_owned();
    evidence.reason = Some(HOSTILE.to_owned());
    evidence.app = Some(HOSTILE.to_owned());
    evidence.url = HOSTILE.to_owned();
    evidence.who = Some(HOSTILE.to_owned());
    evidence.operation_id = Some(HOSTILE.to_owned());
    evidence.traffic = Some(HOSTILE.to_owned());
    evidence.releases[0].name = HOSTILE.to_owned();
    evidence.checks[0].detail = HOSTILE.to_owned();
    evidence.probe.failures[0].status = None;
    evidence.probe.failures[0].error = Some(HOSTILE.to_owned());
    for text in [html(&evidence), drawing::sheet(&evidence)] {
        assert!(!text.contains("<script"), "a tag of somebody else's");
        assert!(text.contains("&lt;script&gt;"));
    }
    assert!(
        !drawing::sheet(&evidence).contains('\u{1b}'),
        "no XML has it"
    );
}

#[test]
fn a_page_loads_nothing() {
    let page = html(&promotion());
    for what in [
        "<script", "<link", "<img", "@import", "url(", "src=", "href=",
    ] {
        assert_eq!(count(&page, what), 0, "{what}");
    }
}

#[test]
fn a_failed_release_says_so_and_lists_what_failed() {
    let page = html(&taken_back());
    assert!(page.contains("verdict bad"));
    assert!(page.contains("connection reset: connection reset by peer"));
    assert!(page.contains("HTTP 503"));
    let good = html(&promotion());
    assert!(good.contains("verdict good"));
    assert!(!good.contains("Failures"));
}

#[test]
fn of_many_failures_the_first_are_listed() {
    let evidence = told(Story {
        nodes: 3,
        answers_per_lane: 400,
        failing: Some((0.0, 9_000.0)),
        ..Story::GOOD
    });
    let page = html(&evidence);
    let failed = figures::grouped(evidence.probe.failed);
    assert!(page.contains(&format!("The first 100 of {failed}.")));
}

/// Nothing that was not asked is shown as if it had been.
#[test]
fn a_blind_release_has_no_figures_of_requests() {
    let mut evidence = promotion();
    evidence.blind = true;
    evidence.sentence = "Blue (tag 2) went live: judged by target health alone".to_owned();
    evidence.probe = crate::engine::seen::ProbeReport::default();
    evidence.timeline.lanes.clear();
    evidence.latencies = crate::engine::seen::Latencies::default();
    let page = html(&evidence);
    assert!(page.contains("judged by target health alone"));
    assert!(page.contains("blind: nobody asked production"));
    assert!(page.contains("Listener writes"));
    for what in [
        "Nodes and connections",
        "a second",
        "failed</dt>",
        "Every answer",
        "asked</dt>",
    ] {
        assert!(!page.contains(what), "{what}");
    }
    assert!(drawing::sheet(&evidence).contains("judged by target health alone"));
}

#[test]
fn a_probe_has_no_writes_and_no_changeover() {
    let page = html(&probe());
    for what in ["Listener writes", "close up", "changeover</dt>", "Checks"] {
        assert!(!page.contains(what), "{what}");
    }
    assert!(page.contains("0 is when the probe began."));
}

#[test]
fn nothing_seen_at_all_is_still_a_page() {
    let mut evidence = probe();
    evidence.timeline = Default::default();
    evidence.latencies = Default::default();
    evidence.probe = Default::default();
    for bad in [f64::NAN, f64::INFINITY] {
        evidence.timeline.from_ms = bad;
        let (page, image) = (html(&evidence), drawing::sheet(&evidence));
        assert!(page.contains(&evidence.sentence));
        assert!(!page.contains("over time"));
        assert!(image.ends_with("</svg>") && !image.contains("over time"));
    }
}

#[test]
fn answers_at_no_time_at_all_are_still_drawn() {
    let mut evidence = promotion();
    for (from, until) in [(f64::NAN, 0.0), (0.0, 0.0), (0.0, f64::INFINITY)] {
        evidence.timeline.from_ms = from;
        evidence.timeline.until_ms = until;
        assert!(html(&evidence).contains("Every answer over time"));
    }
}

#[test]
fn a_page_of_twelve_bands_with_many_answers_is_small() {
    let page = html(&told(Story {
        nodes: 6,
        answers_per_lane: 4_000,
        failing: Some((100.0, 4_000.0)),
        ..Story::GOOD
    }));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn every_band_is_named_and_every_write_marked() {
    let svg = drawing::whole(
        &told(Story {
            nodes: 3,
            ..Story::GOOD
        }),
        Width::Wide,
    )
    .inline("")
    .into_string();
    for node in ["10.0.1.17", "10.0.2.47", "10.0.3.77"] {
        for kind in ["fresh", "kept"] {
            assert_eq!(count(&svg, &format!("{node} · {kind}\n")), 1);
        }
    }
    assert_eq!(count(&svg, "port 80 → blue"), 1);
    assert_eq!(count(&svg, "port 81 → green"), 1);
}

#[test]
fn a_gradual_shift_shows_its_stages_and_what_else_happened() {
    let evidence = canary();
    let page = html(&evidence);
    for expected in [
        "<h2>Stages</h2>",
        "Share of the new release",
        "The new release is hello:2 (blue), the old one hello:1 (green).",
        "<td>25%</td>",
        "before_stage 2",
        "blue has 2 tasks",
        "<dt>new release</dt>",
        "after 4 stages",
        "25% blue, 75% green",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    // There users are meant to be on both.
    for what in ["close up", "changeover</dt>"] {
        assert!(!page.contains(what), "{what}");
    }
    let svg = drawing::whole(&evidence, Width::Wide)
        .inline("")
        .into_string();
    for label in [
        "5%",
        "25%",
        "50%",
        "100%",
        "port 81 → green",
        "blue has 2 tasks",
    ] {
        assert_eq!(count(&svg, &format!(">\n{label}\n<")), 1, "{label}");
    }
    assert_eq!(count(&svg, "port 80"), 0, "the stages say it");
}

#[test]
fn the_share_seen_is_near_the_share_asked() {
    for evidence in [canary(), caught()] {
        for stage in &evidence.stages {
            let seen = stage.seen_share.unwrap();
            assert!((seen - stage.share).abs() < 3.0, "{stage:?}");
        }
    }
    let bad = caught();
    let failed: Vec<u64> = bad.stages.iter().map(|stage| stage.new.failed).collect();
    assert!(failed[1] > 0 && failed[2] == 0, "{failed:?}");
    assert!(html(&bad).contains("✗ alarm"));
}

#[test]
fn where_users_go_over_at_once_there_are_no_stages() {
    for evidence in [promotion(), taken_back(), probe()] {
        let page = html(&evidence) + &drawing::sheet(&evidence);
        for what in ["Stages", "Share of the new", "What else", "what else"] {
            assert!(!page.contains(what), "{what}");
        }
    }
}
