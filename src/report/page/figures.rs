//! The few numbers that matter most, large.

use maud::{Markup, html};

use crate::counted::counted;
use crate::engine::evidence::{Evidence, Upshot};
use crate::report::drawing::span;

pub struct Tile {
    pub name: &'static str,
    pub value: String,
    pub about: String,
    pub is_bad: bool,
}

pub fn tiles(evidence: &Evidence) -> Markup {
    in_a_row(&all(evidence))
}

pub fn in_a_row(tiles: &[Tile]) -> Markup {
    html! {
        dl.tiles {
            @for tile in tiles {
                div class=(if tile.is_bad { "tile bad" } else { "tile" }) {
                    dt { (tile.name) }
                    dd { strong { (tile.value) } small { (unbroken(&tile.about)) } }
                }
            }
        }
    }
}

fn all(evidence: &Evidence) -> Vec<Tile> {
    if evidence.blind {
        return vec![Tile {
            name: "requests",
            value: "none".to_owned(),
            about: "blind: nobody asked production".to_owned(),
            is_bad: false,
        }];
    }
    let probe = &evidence.probe;
    let mut tiles = vec![
        Tile {
            name: "requests",
            value: grouped(probe.sent),
            about: format!("{} a second", (probe.rate * 10.0).round() / 10.0),
            is_bad: false,
        },
        Tile {
            name: "failed",
            value: grouped(probe.failed),
            about: format!("{} answered well", grouped(probe.ok)),
            is_bad: probe.failed > 0,
        },
    ];
    tiles.extend(stages(evidence).or_else(|| changeover(evidence)));
    tiles.extend(latency(evidence));
    tiles.extend(unsure(evidence));
    tiles
}

/// None where nothing was answered.
fn latency(evidence: &Evidence) -> Option<Tile> {
    let latency = evidence.probe.latency_ms;
    (latency.max > 0.0).then(|| Tile {
        name: "latency",
        value: span(latency.p50),
        about: format!("p99 {}, longest {}", span(latency.p99), span(latency.max)),
        is_bad: false,
    })
}

/// None where users did not go over by shares.
fn stages(evidence: &Evidence) -> Option<Tile> {
    let last = evidence.stages.last()?;
    let count = evidence.stages.len();
    Some(Tile {
        name: "new release",
        value: format!("{}%", last.share),
        about: match last.seen_share {
            Some(seen) => format!("after {}; {seen:.1}% seen", counted(count, "stage")),
            None => format!("after {}", counted(count, "stage")),
        },
        is_bad: false,
    })
}

/// None where nothing was to change over.
fn changeover(evidence: &Evidence) -> Option<Tile> {
    if evidence.writes.is_empty() {
        return None;
    }
    let probe = &evidence.probe;
    let kinds = [
        ("fresh", probe.connections.fresh.changeover_ms),
        ("kept", probe.connections.reused.changeover_ms),
    ];
    let about: Vec<String> = kinds
        .iter()
        .filter_map(|(name, ms)| Some(format!("{name} {} ms", (*ms)?)))
        .collect();
    let about = match (probe.changeover_ms, evidence.outcome) {
        (None, Upshot::RolledBack) => "taken back".to_owned(),
        (None, _) => "not seen to its end".to_owned(),
        (Some(_), _) => about.join(", "),
    };
    Some(Tile {
        name: "changeover",
        value: probe
            .changeover_ms
            .map_or_else(|| "–".to_owned(), |ms| format!("{ms} ms")),
        about,
        is_bad: false,
    })
}

/// What the probe itself could not do or tell, where there is any.
fn unsure(evidence: &Evidence) -> Vec<Tile> {
    let probe = &evidence.probe;
    let mut tiles = Vec::new();
    if probe.unknown > 0 {
        tiles.push(Tile {
            name: "release unknown",
            value: grouped(probe.unknown),
            about: "answers that do not say whose they are".to_owned(),
            is_bad: false,
        });
    }
    if probe.unsent > 0 {
        tiles.push(Tile {
            name: "not sent",
            value: grouped(probe.unsent),
            about: "were due while too many were under way, or while this machine stood still"
                .to_owned(),
            is_bad: true,
        });
    }
    // On a busy machine the figures are that much less sharp.
    if probe.late_ms.max > 50.0 {
        tiles.push(Tile {
            name: "left late",
            value: span(probe.late_ms.max),
            about: format!("at most; p99 {}", span(probe.late_ms.p99)),
            is_bad: false,
        });
    }
    tiles
}

/// With each number and its unit on one line.
fn unbroken(text: &str) -> String {
    text.replace(" ms", "\u{a0}ms").replace(" s,", "\u{a0}s,")
}

/// In groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            // A narrow space, at which no line is broken.
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_in_groups() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1\u{202f}000");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
