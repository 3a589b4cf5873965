//! The report as one page: it needs no network and no script, and whatever came
//! from outside stands in it as text. What is drawn is `drawing`'s.

mod figures;
mod set;
mod stages;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::drawing::{self, Picture, Width};
use crate::engine::evidence::{Evidence, Upshot};
pub use set::set_html;

const STYLE: &str = include_str!("page/style.css");

/// Nothing is loaded from anywhere, whatever the page may come to hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A whole HTML document.
pub fn html(evidence: &Evidence) -> String {
    document(
        &title(evidence),
        &html! {
            (headline(evidence))
            (figures::tiles(evidence))
            @if drawing::is_worthwhile(evidence) { (pictures(evidence)) }
            (stages::stages(evidence))
            (stages::landmarks(evidence))
            (tables::failures(evidence))
            @if !evidence.blind { (tables::connections(evidence)) }
            (tables::ways(evidence))
            (tables::writes(evidence))
            (tables::transitions(evidence))
            (tables::checks(evidence))
            (tables::releases(evidence))
            (tables::facts(evidence))
        },
    )
}

fn document(title: &str, main: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(drawing::style_sheet())) }
            }
            body { main { (main) } }
        }
    };
    page.into_string()
}

fn title(evidence: &Evidence) -> String {
    match &evidence.app {
        Some(app) => format!("{app}: {}", evidence.sentence),
        None => evidence.sentence.clone(),
    }
}

fn headline(evidence: &Evidence) -> Markup {
    let mut about = vec![format!("bgecs {}", evidence.operation)];
    about.extend(evidence.app.clone());
    about.extend(drawing::when(evidence.began));
    let verdict = Headline {
        is_good: evidence.is_good,
        outcome: outcome(evidence.outcome),
        about,
        sentence: &evidence.sentence,
        reason: evidence.reason.as_deref(),
    };
    verdict.shown(&html! {
        @if let Some(traffic) = &evidence.traffic {
            p.traffic { "Traffic at the end: " (traffic) }
        }
    })
}

/// What stands at the top.
struct Headline<'a> {
    is_good: bool,
    outcome: &'static str,
    about: Vec<String>,
    sentence: &'a str,
    reason: Option<&'a str>,
}

impl Headline<'_> {
    fn shown(&self, below: &Markup) -> Markup {
        let (class, mark) = if self.is_good {
            ("verdict good", "✓")
        } else {
            ("verdict bad", "✗")
        };
        html! {
            header class=(class) {
                p.kicker {
                    span.mark aria-hidden="true" { (mark) }
                    strong { (self.outcome) }
                    @for about in &self.about { span { (about) } }
                }
                h1 { (self.sentence) }
                @if let Some(reason) = self.reason { p.reason { (reason) } }
                (below)
            }
        }
    }
}

/// In a word or two.
fn outcome(outcome: Upshot) -> &'static str {
    match outcome {
        Upshot::Committed => "Committed",
        Upshot::Paused => "Waiting for a person",
        Upshot::Unchanged => "Unchanged",
        Upshot::RolledBack => "Rolled back",
        Upshot::Refused => "Refused",
        Upshot::InDoubt => "In doubt",
        Upshot::Ok => "All answered well",
        Upshot::Failed => "Failed",
    }
}

fn pictures(evidence: &Evidence) -> Markup {
    let zero = if evidence.writes.is_empty() {
        "0 is when the probe began."
    } else {
        "0 is when the first listener write left."
    };
    let columns = match evidence.stages.is_empty() {
        true => "",
        false => {
            " Where answers are many, a column is a stretch of time: the new release's share of \
             them, and on it the old one's."
        }
    };
    let every = format!(
        "Each mark is a request, at the time of its answer; one band for each node of the load \
         balancer and each kind of connection. A fresh connection is a new visitor's, a kept one \
         a browser's. {zero}{columns}"
    );
    html! {
        (picture("Every answer over time", &every, |width| Some(drawing::whole(evidence, width))))
        (picture(
            "Share of the new release",
            "The line is what the listener was asked to give the new release, the bars are what \
             it gave, of the answers that say whose they are.",
            |width| drawing::shares(evidence, width),
        ))
        (picture(
            "The changeover, close up",
            "From the first listener write until the new release alone answered.",
            |width| drawing::closeup(evidence, width),
        ))
        (picture(
            "Each way in",
            "Above the new release, from its first answer on; below the old one, until its last. \
             Where the ways are resolvers, users of a slow one are led to the old release for longer.",
            |width| drawing::ways(evidence, width),
        ))
        (picture(
            "Latency over time",
            "From when a request was due to its answer's last byte: the slowest of each moment.",
            |width| drawing::over_time(evidence, width),
        ))
        section {
            (picture_inside(
                "Latency distribution",
                "How many answers took how long; each row has its own scale.",
                |width| drawing::spread(evidence, width),
            ))
            (tables::latencies(evidence))
        }
    }
}

fn picture(heading: &str, about: &str, draw: impl Fn(Width) -> Option<Picture>) -> Markup {
    html! {
        @if draw(Width::Narrow).is_some() {
            section { (picture_inside(heading, about, draw)) }
        }
    }
}

/// Drawn twice: what suits a wide page cannot be read on a telephone.
fn picture_inside(heading: &str, about: &str, draw: impl Fn(Width) -> Option<Picture>) -> Markup {
    html! {
        h2 { (heading) }
        p.about { (about) }
        @for (width, class) in [(Width::Wide, "wide"), (Width::Narrow, "narrow")] {
            @if let Some(picture) = draw(width) { (picture.inline(class)) }
        }
    }
}

#[cfg(test)]
mod tests;
