//! The page of a set's release: all modules on one axis, their figures side by side, and
//! what the report of each alone would have in its tables.

use maud::{Markup, html};

use super::figures::{self, Tile, grouped};
use super::tables::{self, at, none, table};
use super::{Headline, document, picture, stages};
use crate::counted::counted;
use crate::engine::evidence::{
    Evidence, JobEvidence, ModuleEvidence, ModuleOutcome, SetEvidence, SetMove, SetOutcome,
};
use crate::engine::seen::{NEW, OLD, ProbeReport};
use crate::model::SetName;
use crate::report::drawing::{self, name, span, when};

/// A whole HTML document.
pub fn set_html(set: &SetEvidence) -> String {
    document(
        &set.sentence,
        &html! {
            (headline(set))
            (figures::in_a_row(&tiles(set)))
            (pictures(set))
            (modules(set))
            (moves(set))
            (jobs(set))
            @for module in &set.modules { (of_module(module)) }
            (facts(set))
        },
    )
}

fn headline(set: &SetEvidence) -> Markup {
    let mut about = vec![format!("bgecs {}", set.operation), set.set.to_string()];
    about.extend(when(set.began));
    let verdict = Headline {
        is_good: set.is_good,
        outcome: outcome(set.outcome),
        about,
        sentence: &set.sentence,
        reason: set.reason.as_deref(),
    };
    verdict.shown(&html! {})
}

/// In a word or two.
fn outcome(outcome: SetOutcome) -> &'static str {
    match outcome {
        SetOutcome::Released => "Released",
        SetOutcome::WentBack => "Went back",
        SetOutcome::Stayed => "Did not go back",
        SetOutcome::Unchanged => "Unchanged",
        SetOutcome::RolledBack => "Rolled back",
        SetOutcome::Failed => "Not released",
        SetOutcome::InDoubt => "In doubt",
    }
}

fn tiles(set: &SetEvidence) -> Vec<Tile> {
    let of = |outcome| set.modules.iter().filter(move |it| it.outcome == outcome);
    let alone = of(ModuleOutcome::Untouched).count();
    let failing = set.modules.iter().filter(|it| {
        let failed = it.probe().map(|probe| probe.failed);
        failed.is_some_and(|failed| failed > 0)
    });
    let failing: Vec<&str> = failing.map(|it| it.name.as_str()).collect();
    let asked = set.modules.iter().filter(|it| it.probe().is_some()).count();
    vec![
        Tile {
            name: "modules",
            value: set.modules.len().to_string(),
            about: match alone {
                0 => "in this release".to_owned(),
                _ => format!("{alone} of them left alone"),
            },
            is_bad: false,
        },
        Tile {
            name: "requests",
            value: grouped(set.sent()),
            about: format!("to {}", counted(asked, "module")),
            is_bad: false,
        },
        Tile {
            name: "failed",
            value: grouped(set.failed()),
            about: match failing.is_empty() {
                true => "in no module".to_owned(),
                false => format!("in {}", failing.join(", ")),
            },
            is_bad: set.failed() > 0,
        },
    ]
}

fn pictures(set: &SetEvidence) -> Markup {
    html! {
        (picture(
            "Every answer over time",
            "The modules in the order in which they were moved, one band for each node and each \
             kind of connection. Each mark is a request, at the time of its answer. The numbers \
             count the listener writes of all modules, in the order in which they left; 0 is when \
             the first of them did.",
            |width| drawing::whole_of_set(set, width),
        ))
        (picture(
            "The moves, close up",
            "From the first listener write until the last one was read back.",
            |width| drawing::moves_of_set(set, width),
        ))
    }
}

fn modules(set: &SetEvidence) -> Markup {
    let heads = [
        "module",
        "after",
        "outcome",
        "from",
        "to",
        "requests",
        "failed",
        "p50",
        "p99",
        "longest",
        "traffic at the end",
    ];
    html! {
        section {
            h2 { "Modules" }
            (table(&heads, set.modules.iter().map(row)))
        }
    }
}

fn row(module: &ModuleEvidence) -> [String; 11] {
    let release = |n: usize| {
        let seen = module.seen.as_ref();
        let release = seen.and_then(|seen| seen.report.releases.get(n));
        release.map_or_else(none, name)
    };
    let probe = module.probe();
    let count = |of: fn(&ProbeReport) -> u64| probe.map_or_else(none, |it| grouped(of(it)));
    let latency = probe.map(|it| it.latency_ms).filter(|it| it.max > 0.0);
    let time = |ms: Option<f64>| ms.map_or_else(none, span);
    [
        module.name.to_string(),
        listed(&module.after),
        module.outcome.in_words().to_owned(),
        release(OLD),
        release(NEW),
        count(|it| it.sent),
        count(|it| it.failed),
        time(latency.map(|it| it.p50)),
        time(latency.map(|it| it.p99)),
        time(latency.map(|it| it.max)),
        module.traffic.clone(),
    ]
}

fn listed(names: &[SetName]) -> String {
    let names: Vec<&str> = names.iter().map(SetName::as_str).collect();
    match names.is_empty() {
        true => none(),
        false => names.join(", "),
    }
}

fn moves(set: &SetEvidence) -> Markup {
    let moves = set.moves();
    let row = |it: &SetMove<'_>| {
        let ms = |ms: f64| at(ms.round() as i64);
        [
            it.number.to_string(),
            it.module.to_string(),
            it.write.endpoint.to_string(),
            it.write.to.to_string(),
            ms(it.write.sent_ms),
            it.write.seen_ms.map_or_else(|| "never".to_owned(), ms),
        ]
    };
    html! {
        @if !moves.is_empty() {
            section {
                h2 { "Moves, in their order" }
                (table(&["", "module", "listener", "to", "sent", "read back"], moves.iter().map(row)))
            }
        }
    }
}

fn jobs(set: &SetEvidence) -> Markup {
    let row = |it: &JobEvidence| {
        [
            it.name.to_string(),
            it.runs.clone(),
            it.outcome.in_words().to_owned(),
            it.revision.clone().unwrap_or_else(none),
            it.reason.clone().unwrap_or_else(none),
        ]
    };
    html! {
        @if !set.jobs.is_empty() {
            section {
                h2 { "Jobs" }
                (table(&["job", "what runs it", "outcome", "runs by", "why"], set.jobs.iter().map(row)))
            }
        }
    }
}

/// What is read where something is amiss is open from the beginning.
fn of_module(module: &ModuleEvidence) -> Markup {
    html! {
        section.module {
            details open[module.is_bad()] {
                summary {
                    h2 { (module.name) }
                    span class=(if module.is_bad() { "bad" } else { "" }) {
                        (module.outcome.in_words())
                    }
                    span { (module.app) }
                }
                @if let Some(reason) = &module.reason { p.reason { (reason) } }
                p.traffic { "Traffic at the end: " (module.traffic) }
                @match &module.seen {
                    None => p.about { "Its users were not moved." }
                    Some(seen) => {
                        p.about {
                            "0 below is when its own first listener write left, which is "
                            (at(seen.zero_ms.round() as i64)) " above."
                        }
                        (of_report(&seen.report))
                    }
                }
            }
        }
    }
}

fn of_report(report: &Evidence) -> Markup {
    html! {
        (figures::tiles(report))
        (stages::stages(report))
        (stages::landmarks(report))
        (tables::failures(report))
        @if drawing::is_worthwhile(report) {
            section { h2 { "Latency" } (tables::latencies(report)) }
            (tables::connections(report))
        }
        (tables::ways(report))
        (tables::writes(report))
        (tables::transitions(report))
        (tables::checks(report))
        (tables::releases(report))
        (tables::facts(report))
    }
}

fn facts(set: &SetEvidence) -> Markup {
    let took = (set.ended - set.began).as_seconds_f64() * 1000.0;
    tables::named_facts([
        ("who", set.who().map(str::to_owned)),
        ("began", when(set.began)),
        ("ended", when(set.ended)),
        ("took", Some(span(took.max(0.0)))),
        ("tag", set.tag.as_ref().map(ToString::to_string)),
        ("bgecs", Some(set.version.to_owned())),
    ])
}
