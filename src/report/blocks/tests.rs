use super::*;

const OLD: Option<AnsweringRelease> = Some(AnsweringRelease {
    number: 0,
    color: Some(Color::Green),
});
const NEW: Option<AnsweringRelease> = Some(AnsweringRelease {
    number: 1,
    color: Some(Color::Blue),
});

fn answered(at_ms: u64, release: Option<AnsweringRelease>) -> Answered {
    Answered {
        at: Duration::from_millis(at_ms),
        release,
        failed: false,
    }
}

fn failed(at_ms: u64) -> Answered {
    Answered {
        failed: true,
        ..answered(at_ms, None)
    }
}

fn row(width: usize, answers: impl IntoIterator<Item = Answered>) -> String {
    let mut blocks = Blocks::new(width);
    for answer in answers {
        blocks.add(answer);
    }
    blocks.row(1.0, Style::plain())
}

#[test]
fn each_answer_is_told_without_colour() {
    let answers = [
        answered(0, OLD),
        answered(110, OLD),
        answered(120, NEW),
        answered(200, NEW),
        failed(300),
        answered(500, None),
    ];
    assert_eq!(row(10, answers), "▄▆█✗·▪");
}

#[test]
fn a_failure_among_good_answers_is_seen() {
    let many = |times: Range<u64>| times.map(|n| answered(n, NEW));
    let answers = many(0..450).chain([failed(450)]).chain(many(451..1000));
    assert_eq!(row(10, answers.clone()), "████✗█████");
    let twice_as_long = answers.chain(many(1000..2000));
    assert_eq!(row(10, twice_as_long), "██✗███████");
}

#[test]
fn a_full_row_has_room_again() {
    let seconds = |count: u64| (0..count * 10).map(|n| answered(n * 100, NEW));
    assert_eq!(row(10, seconds(1)).chars().count(), 10);
    assert_eq!(row(10, seconds(2)).chars().count(), 10);
    let long = seconds(60).chain([answered(60_000, OLD)]);
    assert_eq!(row(10, long), "█████████▆");
}

#[test]
fn an_answer_hours_later_is_no_longer_row() {
    let answers = [answered(0, OLD), answered(36_000_000, NEW)];
    let row = row(40, answers);
    assert!((2..=40).contains(&row.chars().count()), "{row}");
    assert!(row.starts_with('▄') && row.ends_with('█'), "{row}");
}

#[test]
fn the_time_ahead_is_drawn_as_far_as_it_fits() {
    let mut blocks = Blocks::new(10);
    for n in 0..4 {
        blocks.add(answered(n * 100, NEW));
    }
    assert_eq!(blocks.row(0.5, Style::plain()), "████────");
    assert_eq!(blocks.row(0.01, Style::plain()), "████──────");
    assert_eq!(blocks.row(1.0, Style::plain()), "████");
    assert_eq!(blocks.row(f64::NAN, Style::plain()).chars().count(), 4);
}

#[test]
fn a_block_is_as_high_as_the_share_of_the_new_release() {
    let tenth = |n: u64| answered(n * 10, if n.is_multiple_of(10) { NEW } else { OLD });
    let half = |n: u64| answered(n * 10, if n.is_multiple_of(2) { NEW } else { OLD });
    let mut blocks = Blocks::new(10);
    let all = (0..10).map(|n| answered(n * 10, OLD));
    let all = all.chain((10..30).map(tenth)).chain((30..50).map(half));
    let all = all.chain((50..60).map(|n| answered(n * 10, NEW)));
    for answer in all.chain([failed(600)]) {
        blocks.add(answer);
    }
    blocks.show_shares(10);
    assert_eq!(blocks.row(1.0, Style::plain()), "▁▂▂▄▄█✗");
    assert_eq!(
        blocks.legend(Style::plain()),
        "▁ green  ▄ both  █ blue  ✗ failed  0.1 s each"
    );
    blocks.show_shares(4);
    assert_eq!(blocks.row(1.0, Style::plain()), "▂▂▆✗");
}

#[test]
fn the_legend_names_what_was_seen() {
    let mut blocks = Blocks::new(10);
    blocks.add(answered(0, OLD));
    blocks.add(answered(1_500, NEW));
    assert_eq!(blocks.legend(Style::plain()), "▄ green  █ blue  0.2 s each");
    blocks.add(failed(100));
    assert!(blocks.legend(Style::plain()).contains("✗ failed"));
}
