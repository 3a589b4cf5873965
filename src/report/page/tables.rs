//! What the drawings show, in numbers and words.

use maud::{Markup, html};

use super::figures::grouped;
use crate::engine::evidence::Evidence;
use crate::engine::seen::{Failure, KindReport};
use crate::model::{Lost, Unexpected};
use crate::report::drawing::{self, name, span, when};

/// Failures beyond these are shown on request.
const AT_ONCE: usize = 12;
/// Changes of release beyond these are in the data only.
const MOST: usize = 200;

pub fn failures(evidence: &Evidence) -> Markup {
    let failures = &evidence.probe.failures;
    let (first, more) = failures.split_at(failures.len().min(AT_ONCE));
    let is_cut = (failures.len() as u64) < evidence.probe.failed;
    html! {
        @if !first.is_empty() {
            section.failures {
                h2 { "Failures" }
                @if is_cut {
                    p.about {
                        "The first " (failures.len()) " of " (grouped(evidence.probe.failed)) "."
                    }
                }
                (failure_table(first))
                @if !more.is_empty() {
                    details {
                        summary { (more.len()) " more" }
                        (failure_table(more))
                    }
                }
            }
        }
    }
}

fn failure_table(failures: &[Failure]) -> Markup {
    let rows = failures.iter().map(|failure| {
        [
            at(failure.at_ms),
            node(failure.node),
            failure.connection.to_string(),
            what(failure),
        ]
    });
    table(&["at", "node", "connection", "what"], rows)
}

/// What came instead of a good answer.
fn what(failure: &Failure) -> String {
    let why = failure.why.map(|why| match why {
        Lost::TimedOut => "timed out",
        Lost::Refused => "connection refused",
        Lost::Reset => "connection reset",
        Lost::Tls => "TLS failed",
        Lost::CutShort => "answer cut short",
        Lost::Other => "no answer",
    });
    match (failure.status, why, &failure.error) {
        (Some(status), _, _) => match failure.unexpected {
            Some(Unexpected::Body) => format!("HTTP {status}, but not the expected body"),
            _ => format!("HTTP {status}"),
        },
        (None, Some(why), Some(error)) if error != why => format!("{why}: {error}"),
        (None, Some(why), _) => why.to_owned(),
        (None, None, Some(error)) => error.clone(),
        (None, None, None) => "no answer".to_owned(),
    }
}

/// By kind of connection, and where there are several nodes by node too.
pub fn connections(evidence: &Evidence) -> Markup {
    let probe = &evidence.probe;
    let row = |who: String, kind: &'static str, report: &KindReport| {
        [
            who,
            kind.to_owned(),
            grouped(report.sent),
            grouped(report.failed),
            report.first_new_ms.map_or_else(none, at),
            report.last_old_ms.map_or_else(none, at),
            report
                .changeover_ms
                .map_or_else(none, |ms| format!("{ms} ms")),
        ]
    };
    let mut rows = Vec::new();
    let all = [
        ("fresh", &probe.connections.fresh),
        ("kept", &probe.connections.reused),
    ];
    for (kind, report) in all {
        rows.push(row("all".to_owned(), kind, report));
    }
    let several = probe.nodes.iter().filter(|_| probe.nodes.len() > 1);
    for seen in several {
        for (kind, report) in [
            ("fresh", &seen.connections.fresh),
            ("kept", &seen.connections.reused),
        ] {
            rows.push(row(node(seen.node), kind, report));
        }
    }
    let heads = [
        "node",
        "connections",
        "requests",
        "failed",
        "first new",
        "last old",
        "changeover",
    ];
    html! {
        section {
            h2 { "Nodes and connections" }
            // Where users go over by shares, both are meant to answer for a while.
            @if evidence.writes.is_empty() || !evidence.stages.is_empty() {
                (table(
                    &["node", "connections", "requests", "failed"],
                    rows.into_iter().map(|[node, kind, sent, failed, ..]| [node, kind, sent, failed]),
                ))
            } @else {
                (table(&heads, rows.into_iter()))
            }
        }
    }
}

/// Where there are several.
pub fn ways(evidence: &Evidence) -> Markup {
    let ways = &evidence.probe.ways;
    let rows = ways.iter().map(|way| {
        [
            way.way.clone(),
            grouped(way.seen.sent),
            grouped(way.seen.failed),
            way.seen.first_new_ms.map_or_else(none, at),
            way.seen.last_old_ms.map_or_else(none, at),
        ]
    });
    html! {
        @if !ways.is_empty() {
            section {
                h2 { "Ways in" }
                (table(&["way", "requests", "failed", "first new", "last old"], rows))
            }
        }
    }
}

pub fn latencies(evidence: &Evidence) -> Markup {
    let rows = drawing::latencies(evidence).into_iter();
    let heads = ["", "answers", "p50", "p90", "p99", "longest"];
    table(
        &heads,
        rows.map(|(name, row)| {
            [
                name.to_owned(),
                grouped(row.count),
                span(row.p50),
                span(row.p90),
                span(row.p99),
                span(row.max),
            ]
        }),
    )
}

pub fn writes(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.writes.is_empty() {
            section {
                h2 { "Listener writes" }
                (table(&["listener", "to", "sent", "read back"], evidence.writes.iter().map(|write| [
                    write.endpoint.to_string(),
                    write.to.to_string(),
                    at(write.sent_ms.round() as i64),
                    write.seen_ms.map_or_else(|| "never".to_owned(), |ms| at(ms.round() as i64)),
                ])))
            }
        }
    }
}

pub fn transitions(evidence: &Evidence) -> Markup {
    let transitions = &evidence.probe.transitions;
    let release = |n: usize| evidence.releases.get(n).map_or_else(none, name);
    html! {
        @if !transitions.is_empty() {
            section {
                details {
                    summary { h2 { "Changes of release, as seen" } }
                    (table(&["at", "node", "connection", "from", "to"], transitions.iter().take(MOST).map(|seen| [
                        at(seen.at_ms),
                        node(seen.node),
                        seen.connection.to_string(),
                        release(seen.from),
                        release(seen.to),
                    ])))
                }
            }
        }
    }
}

pub fn checks(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.checks.is_empty() {
            section {
                h2 { "Checks ahead of it" }
                ul.checks {
                    @for check in &evidence.checks {
                        li class=(if check.ok { "good" } else { "bad" }) {
                            span.mark { (if check.ok { "✓" } else { "✗" }) }
                            strong { (check.name) }
                            span { (check.detail) }
                        }
                    }
                }
            }
        }
    }
}

pub fn releases(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.releases.is_empty() {
            section.releases {
                h2 { "Releases" }
                (table(&["release", "colour", "image digest"], evidence.releases.iter().map(|release| [
                    release.name.clone(),
                    release.color.map_or_else(none, |color| color.to_string()),
                    release.digest.as_ref().map_or_else(none, ToString::to_string),
                ])))
            }
        }
    }
}

pub fn facts(evidence: &Evidence) -> Markup {
    let took = (evidence.ended - evidence.began).as_seconds_f64() * 1000.0;
    let facts = [
        ("who", evidence.who.clone()),
        ("began", when(evidence.began)),
        ("ended", when(evidence.ended)),
        ("took", Some(span(took.max(0.0)))),
        ("asked", (!evidence.blind).then(|| evidence.url.clone())),
        ("operation", evidence.operation_id.clone()),
        ("bgecs", Some(evidence.version.to_owned())),
    ];
    named_facts(facts)
}

/// As many as are known.
pub fn named_facts<const N: usize>(facts: [(&str, Option<String>); N]) -> Markup {
    html! {
        section {
            h2 { "Who and when" }
            dl.facts {
                @for (name, value) in facts {
                    @if let Some(value) = value { div { dt { (name) } dd { (value) } } }
                }
            }
        }
    }
}

/// A wide one is moved sideways within the page.
pub fn table<const N: usize>(heads: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> Markup {
    html! {
        div.table tabindex="0" {
            table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
    }
}

pub fn at(ms: i64) -> String {
    match ms {
        0 => "0 ms".to_owned(),
        ms if ms < 0 => format!("−{} ms", grouped(ms.unsigned_abs())),
        ms => format!("+{} ms", grouped(ms.unsigned_abs())),
    }
}

fn node(node: Option<std::net::IpAddr>) -> String {
    node.map_or_else(|| "no address".to_owned(), |node| node.to_string())
}

pub fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::taken_back;

    #[test]
    fn a_failure_says_what_was_wrong() {
        let mut failure = taken_back().probe.failures[0].clone();
        assert_eq!(what(&failure), "HTTP 503");
        failure.status = Some(200);
        failure.unexpected = Some(Unexpected::Body);
        assert_eq!(what(&failure), "HTTP 200, but not the expected body");
        failure.status = None;
        failure.why = Some(Lost::TimedOut);
        failure.error = Some("no answer within 2 s".to_owned());
        assert_eq!(what(&failure), "timed out: no answer within 2 s");
        failure.error = None;
        assert_eq!(what(&failure), "timed out");
    }

    #[test]
    fn an_instant_has_a_sign() {
        assert_eq!(at(-40), "−40 ms");
        assert_eq!(at(0), "0 ms");
        assert_eq!(at(1_234), "+1\u{202f}234 ms");
    }
}
