//! The page and the drawings of a set's release.

use super::count;
use crate::engine::evidence::{JobEvidence, ModuleEvidence, ModuleOutcome, SetEvidence};
use crate::report::drawing::{Width, moves_of_set, set_sheet, whole_of_set};
use crate::report::page::set_html;
use crate::report::testing::{eight_by_steps, shop, shop_turned_back};

fn svg(set: &SetEvidence) -> String {
    let picture = whole_of_set(set, Width::Wide).unwrap();
    picture.inline("").into_string()
}

/// A text of a drawing: where it stands, from the left and from the top.
fn placed(svg: &str, text: &str) -> (f64, f64) {
    let (before, _) = svg.split_once(&format!(">\n{text}\n<")).expect(text);
    let element = &before[before.rfind("<text").unwrap()..];
    let number = |key: &str| {
        let (_, rest) = element.split_once(&format!(" {key}=\"")).unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    (number("x"), number("y"))
}

#[test]
fn jobs_have_a_table_of_their_own() {
    let mut set = shop();
    assert!(!set_html(&set).contains("Jobs"));
    set.jobs.push(JobEvidence {
        name: "nightly".parse().unwrap(),
        runs: "schedule default/nightly".to_owned(),
        outcome: ModuleOutcome::Live,
        revision: Some("nightly:8".to_owned()),
        reason: None,
    });
    let html = set_html(&set);
    for told in ["Jobs", "schedule default/nightly", "nightly:8"] {
        assert!(html.contains(told), "{told}");
    }
}

#[test]
fn modules_are_in_the_order_of_their_moves_on_one_axis() {
    let set = shop();
    let names: Vec<&str> = set.modules.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["backend", "frontend", "search"]);
    let svg = svg(&set);
    let (_, backend) = placed(&svg, "backend");
    let (_, frontend) = placed(&svg, "frontend");
    let (_, search) = placed(&svg, "search");
    assert!(backend < frontend && frontend < search);
    // One axis, below all that was moved.
    let (zero, axis) = placed(&svg, "0");
    assert!(frontend < axis && axis < search);
    assert_eq!(count(&svg, ">\n0\n<"), 1);
    // The moves of each stand with it, counted through, later ones further right.
    let moved = [
        "1: port 80 → blue",
        "2: port 81 → green",
        "3: port 80 → blue",
    ];
    let at = moved.map(|label| placed(&svg, label));
    assert!((at[0].0 - zero).abs() < 12.0, "{at:?} {zero}");
    assert!(at.is_sorted_by(|a, b| a.0 <= b.0), "{at:?}");
    assert!(at[1].1 < frontend && frontend < at[2].1, "{at:?}");
    assert!(svg.contains("left alone"));
}

#[test]
fn a_module_s_answers_are_where_its_own_zero_is() {
    let ink = crate::report::drawing::Ink::Sent.light();
    let lines = |set: &SetEvidence| count(&svg(set), &ink);
    let set = shop();
    let mut later = set.clone();
    let seen = later.modules[1].seen.as_mut().unwrap();
    seen.zero_ms += 4_000.0;
    assert_eq!(lines(&set), lines(&later));
    let third = "3: port 80 → blue";
    let (near, far) = (placed(&svg(&set), third), placed(&svg(&later), third));
    assert!(far.0 > near.0 + 100.0, "{near:?} {far:?}");
}

#[test]
fn the_moves_have_a_close_up_where_all_went_over_at_once() {
    let near = moves_of_set(&shop(), Width::Wide).unwrap();
    let near = near.inline("").into_string();
    let (first, _) = placed(&near, "1: port 80 → blue");
    let (third, _) = placed(&near, "3: port 80 → blue");
    assert!(third > first + 300.0, "{first} {third}");
    assert!(moves_of_set(&eight_by_steps(), Width::Wide).is_none());
}

#[test]
fn what_was_turned_back_says_where_and_in_which_order() {
    let set = shop_turned_back();
    let page = set_html(&set);
    for expected in [
        "verdict bad",
        "Rolled back",
        "frontend: HTTP 503, first 121 ms after the swap began",
        "in frontend",
        "connection reset: connection reset by peer",
        "not moved",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let moves: Vec<String> = set
        .moves()
        .iter()
        .map(|it| format!("{} {}", it.module, it.write.to))
        .collect();
    let there_and_back = [
        "backend blue",
        "frontend blue",
        "frontend green",
        "backend green",
    ];
    assert_eq!(moves, there_and_back);
    let svg = svg(&set);
    for label in ["3: port 80 → green", "4: port 80 → green"] {
        assert_eq!(count(&svg, &format!(">\n{label}\n<")), 1, "{label}");
    }
    assert_eq!(count(&page, "<details open"), 3);
    assert_eq!(count(&set_html(&shop()), "<details open"), 0);
}

#[test]
fn stages_are_counted_and_not_named_again() {
    let svg = svg(&eight_by_steps());
    // Each module takes a stage before any takes the next.
    for number in [1, 8, 9, 24] {
        assert_eq!(count(&svg, &format!(">\n{number}\n<")), 1, "{number}");
    }
    assert_eq!(count(&svg, ": port 80"), 0);
}

#[test]
fn a_page_has_a_row_for_each_module() {
    let page = set_html(&shop());
    for expected in [
        "<td>backend</td><td>–</td><td>live</td>",
        "<td>frontend</td><td>backend</td><td>live</td>",
        "<td>search</td><td>–</td><td>left alone</td>",
        "none of 340 requests failed",
        "which is +340 ms above",
        "Moves, in their order",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    for what in ["<script", "<link", "<img", "url(", "src=", "href="] {
        assert_eq!(count(&page, what), 0, "{what}");
    }
}

/// As where a module could not be prepared, or it is the first release of all.
#[test]
fn nothing_moved_at_all_is_still_a_page() {
    let mut set = shop();
    for module in &mut set.modules {
        module.seen = None;
    }
    let (page, sheet) = (set_html(&set), set_sheet(&set));
    assert!(page.contains("<td>search</td>"));
    for text in [page, sheet] {
        assert!(!text.contains("over time"));
    }
}

#[test]
fn what_came_from_outside_is_text() {
    const HOSTILE: &str = "<script>alert(1)</script>";
    let mut set = shop_turned_back();
    set.sentence = HOSTILE.to_owned();
    set.reason = Some(HOSTILE.to_owned());
    for module in &mut set.modules {
        let hostile = ModuleEvidence {
            app: HOSTILE.to_owned(),
            traffic: HOSTILE.to_owned(),
            reason: Some(HOSTILE.to_owned()),
            ..module.clone()
        };
        *module = hostile;
    }
    for text in [set_html(&set), set_sheet(&set)] {
        assert!(!text.contains("<script"));
        assert!(text.contains("&lt;script&gt;"));
    }
}
