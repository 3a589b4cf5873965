//! A report in a few lines of Markdown, for a pull request or a pipeline's summary. Made
//! from the report's JSON, so that a pipeline makes it long after the release; it shows
//! what users saw as a row of squares, because such pages load no images from a pipeline.

use serde::Deserialize;

use super::drawing;
use crate::counted::counted;
use crate::model::Color;

/// Squares in a row: as many as fit on a phone.
const SQUARES: u32 = 30;
/// Failures that are listed.
const LISTED: usize = 10;

/// What is shown of a report in JSON.
#[derive(Debug, Deserialize)]
struct ReadReport {
    sentence: String,
    is_good: bool,
    reason: Option<String>,
    /// None of a probe of any URL, and of a set.
    app: Option<String>,
    set: Option<String>,
    traffic: Option<String>,
    who: Option<String>,
    version: String,
    #[serde(with = "time::serde::rfc3339")]
    began: time::OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    ended: time::OffsetDateTime,
    #[serde(default)]
    checks: Vec<ReadCheck>,
    #[serde(default)]
    releases: Vec<ReadRelease>,
    probe: Option<ReadProbe>,
    #[serde(default)]
    timeline: ReadTimeline,
    #[serde(default)]
    modules: Vec<ReadModule>,
}

#[derive(Debug, Deserialize)]
struct ReadCheck {
    name: String,
    ok: bool,
    detail: String,
}

#[derive(Debug, Deserialize)]
struct ReadRelease {
    color: Option<Color>,
}

#[derive(Debug, Deserialize)]
struct ReadProbe {
    sent: u64,
    failed: u64,
    changeover_ms: Option<i64>,
    latency_ms: ReadLatency,
    #[serde(default)]
    failures: Vec<ReadFailure>,
}

#[derive(Debug, Deserialize)]
struct ReadLatency {
    p50: f64,
    p99: f64,
    max: f64,
}

#[derive(Debug, Deserialize)]
struct ReadFailure {
    at_ms: i64,
    node: Option<String>,
    status: Option<u16>,
    error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ReadTimeline {
    from_ms: f64,
    until_ms: f64,
    lanes: Vec<ReadLane>,
}

#[derive(Debug, Deserialize)]
struct ReadLane {
    dots: Vec<ReadDot>,
}

#[derive(Debug, Deserialize)]
struct ReadDot {
    at_ms: f64,
    for_ms: f64,
    release: Option<usize>,
    failed: bool,
}

#[derive(Debug, Deserialize)]
struct ReadModule {
    name: String,
    outcome: String,
    traffic: String,
    reason: Option<String>,
    report: Option<ReadReport>,
}

/// `image` is where a picture of it can be had, if anywhere.
///
/// # Errors
/// It is no report of bgecs's.
pub fn markdown(json: &str, image: Option<&str>) -> Result<String, serde_json::Error> {
    let report: ReadReport = serde_json::from_str(json)?;
    let mut parts = vec![report.headline(), report.table()];
    parts.extend(report.squares());
    parts.extend(image.map(|url| format!("![timeline](<{}>)", url.replace(['<', '>'], ""))));
    parts.extend(report.modules());
    parts.extend(report.failures());
    parts.extend(report.checks());
    parts.push(format!("<sub>bgecs {}</sub>", plain(&report.version)));
    Ok(parts.join("\n\n"))
}

impl ReadReport {
    fn headline(&self) -> String {
        let mark = if self.is_good { "✅" } else { "❌" };
        let reason = self
            .reason
            .as_deref()
            .map(|it| format!("\n\n{}", plain(it)));
        let reason = reason.unwrap_or_default();
        format!("### {mark} {}{reason}", plain(&self.sentence))
    }

    fn table(&self) -> String {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: Option<String>| {
            rows.extend(value.map(|value| format!("| {name} | {} |", plain(&value))));
        };
        row("app", self.app.clone());
        row("set", self.set.clone());
        if let Some(probe) = &self.probe {
            let ReadLatency { p50, p99, max } = probe.latency_ms;
            let sent = counted(probe.sent, "request");
            row("probe", Some(format!("{sent}, {} failed", probe.failed)));
            let changeover = probe.changeover_ms.map(|ms| format!("{ms} ms"));
            row("changeover", changeover);
            let latency = format!("p50 {p50} ms, p99 {p99} ms, max {max} ms");
            row("latency", (max > 0.0).then_some(latency));
        }
        row("traffic", self.traffic.clone());
        let took = (self.ended - self.began).whole_seconds();
        let when = drawing::when(self.began).unwrap_or_default();
        row("when", Some(format!("{when}, for {took} s")));
        row("by", self.who.clone());
        format!("| | |\n| --- | --- |\n{}", rows.join("\n"))
    }

    /// Who answered, from the left to the right; a failure is not outvoted.
    fn squares(&self) -> Option<String> {
        let ReadTimeline {
            from_ms, until_ms, ..
        } = self.timeline;
        let width = (until_ms - from_ms) / f64::from(SQUARES);
        if width <= 0.0 {
            return None;
        }
        let square = |n: u32| {
            let begin = from_ms + f64::from(n) * width;
            let within = |it: &&ReadDot| it.at_ms < begin + width && it.at_ms + it.for_ms >= begin;
            let lanes = self.timeline.lanes.iter();
            let dots = lanes.flat_map(|lane| lane.dots.iter().filter(within));
            let dots: Vec<_> = dots.collect();
            if dots.iter().any(|it| it.failed) {
                return "🟥";
            }
            // Where both answer, the new one is news.
            let last = dots.iter().max_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
            let release = last.and_then(|it| self.releases.get(it.release?));
            match (last, release.and_then(|it| it.color)) {
                (_, Some(Color::Blue)) => "🟦",
                (_, Some(Color::Green)) => "🟩",
                (Some(_), None) => "⬜",
                (None, None) => "▫",
            }
        };
        Some((0..SQUARES).map(square).collect())
    }

    fn modules(&self) -> Option<String> {
        let row = |it: &ReadModule| {
            let probe = it.report.as_ref().and_then(|report| report.probe.as_ref());
            let probe = probe.map(|it| format!("{} sent, {} failed", it.sent, it.failed));
            let outcome = it.outcome.replace('_', " ");
            format!(
                "| {} | {} | {} | {} | {} |",
                plain(&it.name),
                plain(&outcome),
                plain(&it.traffic),
                probe.unwrap_or_default(),
                plain(it.reason.as_deref().unwrap_or_default())
            )
        };
        let rows: Vec<_> = self.modules.iter().map(row).collect();
        (!rows.is_empty()).then(|| {
            let head =
                "| module | outcome | traffic | probe | why |\n| --- | --- | --- | --- | --- |";
            format!("{head}\n{}", rows.join("\n"))
        })
    }

    fn failures(&self) -> Option<String> {
        let probe = self.probe.as_ref().filter(|it| it.failed > 0)?;
        let row = |it: &ReadFailure| {
            let status = it.status.map(|status| format!("HTTP {status}"));
            let what = it.error.clone().or(status).unwrap_or_default();
            let node = it.node.as_deref().unwrap_or_default();
            format!("| {} | {} | {} |", it.at_ms, plain(node), plain(&what))
        };
        let rows: Vec<_> = probe.failures.iter().take(LISTED).map(row).collect();
        let failures = counted(probe.failed, "failure");
        Some(folded(
            &failures,
            &format!(
                "| ms | node | what |\n| --- | --- | --- |\n{}",
                rows.join("\n")
            ),
        ))
    }

    fn checks(&self) -> Option<String> {
        let row = |it: &ReadCheck| {
            let mark = if it.ok { "✅" } else { "❌" };
            format!("- {mark} {}: {}", plain(&it.name), plain(&it.detail))
        };
        let rows: Vec<_> = self.checks.iter().map(row).collect();
        (!rows.is_empty()).then(|| folded(&counted(rows.len(), "check"), &rows.join("\n")))
    }
}

fn folded(summary: &str, text: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{text}\n\n</details>")
}

/// What came from outside is text: it marks nothing up, loads nothing and calls nobody.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => plain.push(' '),
            '@' => plain.push_str("@\u{200b}"),
            '&' | '<' | '>' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '\\' | '!' => {
                plain.push_str(&format!("&#{};", u32::from(c)));
            }
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn what_came_from_outside_stays_text() {
        let harmful = "a|b `c` <img src=x> @team [x](y) **z**\nnext";
        assert_eq!(
            plain(harmful),
            "a&#124;b &#96;c&#96; &#60;img src=x&#62; @\u{200b}team &#91;x&#93;(y) &#42;&#42;z&#42;&#42; next"
        );
    }

    fn shown(value: impl serde::Serialize) -> String {
        let shown = markdown(&serde_json::json!(value).to_string(), None).unwrap();
        let shown = shown.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        shown.replace('\u{200b}', "(nothing)")
    }

    #[test]
    fn a_good_promotion() {
        insta::assert_snapshot!(shown(testing::promotion()), @r"
        ### ✅ hello:2 is live on blue: 170 requests during the changeover, none failed

        | | |
        | --- | --- |
        | app | hello |
        | probe | 170 requests, 0 failed |
        | changeover | 191 ms |
        | latency | p50 4.91 ms, p99 11.65 ms, max 18.2 ms |
        | traffic | port 80 → blue (tag 2) |
        | when | 2026-03-14 09:26:53 UTC, for 21 s |
        | by | ada@(nothing)laptop |

        🟩🟩🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦

        <details><summary>7 checks</summary>

        - ✅ prod listener: port 80 forwards to green
        - ✅ test listener: port 81 forwards to blue
        - ✅ target groups: both are attached to the load balancer
        - ✅ deployment: blue (tag 2) as bgecs-hello:2 is complete
        - ✅ capacity: blue runs 2 tasks, green 2
        - ✅ target health: 2 of 2 targets of blue healthy
        - ✅ test port: the health path answered well 3 times

        </details>

        <sub>bgecs VERSION</sub>
        ");
    }

    #[test]
    fn one_that_was_taken_back_says_why() {
        insta::assert_snapshot!(shown(testing::taken_back()), @r"
        ### ❌ The promotion of hello:2 to blue was taken back: 67 of 240 requests failed

        HTTP 503 from http://hello.example/api, 121 ms after the swap

        | | |
        | --- | --- |
        | app | hello |
        | probe | 240 requests, 67 failed |
        | latency | p50 4.91 ms, p99 11.65 ms, max 18.2 ms |
        | traffic | port 80 → green (tag 1), confirmed |
        | when | 2026-03-14 09:26:53 UTC, for 21 s |
        | by | ada@(nothing)laptop |

        🟩🟩🟩🟩🟩🟥🟥🟥🟥🟥🟥🟥🟥🟥🟥🟥🟥🟦🟩🟩🟩🟩🟩🟩🟩🟩🟩🟩🟩🟩

        <details><summary>67 failures</summary>

        | ms | node | what |
        | --- | --- | --- |
        | 129 | 10.0.2.47 | HTTP 503 |
        | 180 | 10.0.2.47 | HTTP 503 |
        | 232 | 10.0.1.17 | HTTP 503 |
        | 234 | 10.0.2.47 | connection reset by peer (os error 104) |
        | 283 | 10.0.1.17 | HTTP 503 |
        | 285 | 10.0.2.47 | connection reset by peer (os error 104) |
        | 337 | 10.0.1.17 | connection reset by peer (os error 104) |
        | 388 | 10.0.1.17 | connection reset by peer (os error 104) |
        | 438 | 10.0.1.17 | HTTP 503 |
        | 440 | 10.0.2.47 | HTTP 503 |

        </details>

        <details><summary>7 checks</summary>

        - ✅ prod listener: port 80 forwards to green
        - ✅ test listener: port 81 forwards to blue
        - ✅ target groups: both are attached to the load balancer
        - ✅ deployment: blue (tag 2) as bgecs-hello:2 is complete
        - ✅ capacity: blue runs 2 tasks, green 2
        - ✅ target health: 2 of 2 targets of blue healthy
        - ✅ test port: the health path answered well 3 times

        </details>

        <sub>bgecs VERSION</sub>
        ");
    }

    #[test]
    fn a_set_is_told_by_module() {
        insta::assert_snapshot!(shown(testing::shop_turned_back()), @r"
        ### ❌ shop (tag 2) was rolled back, in all modules of it: 67 of 480 requests failed

        frontend: HTTP 503, first 121 ms after the swap began

        | | |
        | --- | --- |
        | set | shop |
        | when | 2026-03-14 09:26:50 UTC, for 24 s |

        | module | outcome | traffic | probe | why |
        | --- | --- | --- | --- | --- |
        | backend | rolled back | port 80 -&#62; blue (tag 2) | 240 sent, 0 failed |  |
        | frontend | rolled back | port 80 -&#62; blue (tag 2) | 240 sent, 67 failed |  |
        | search | not moved | port 80 -&#62; blue (tag 2) |  |  |

        <sub>bgecs VERSION</sub>
        ");
    }

    #[test]
    fn a_probe_alone_has_neither_traffic_nor_checks() {
        let told = shown(testing::probe());
        assert!(
            !told.contains("| traffic") && !told.contains("check"),
            "{told}"
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for text in ["", "{}", "[]", r#"{"sentence": 1}"#] {
            assert!(markdown(text, None).is_err(), "{text}");
        }
    }
}
