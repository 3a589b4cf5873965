//! Releases of sets, made up of the made-up releases of single apps.

use time::macros::datetime;

use super::{canary, promotion, taken_back};
use crate::engine::evidence::{
    Evidence, LandmarkKind, MarkReport, ModuleEvidence, ModuleOutcome, ModuleSeen, SetEvidence,
    SetOutcome,
};

/// Three modules, one of them live already.
pub fn shop() -> SetEvidence {
    set(vec![
        module("search", &[], None),
        // As the file has them, and not as they were moved.
        module("frontend", &["backend"], Some((340.0, promotion()))),
        module("backend", &[], Some((0.0, promotion()))),
    ])
}

/// The frontend fails, and all go back.
pub fn shop_turned_back() -> SetEvidence {
    let mut backend = taken_back();
    backend.probe.failed = 0;
    backend.probe.failures.clear();
    for lane in &mut backend.timeline.lanes {
        lane.dots.retain(|dot| !dot.failed);
    }
    backend.writes[1].sent_ms += 600.0;
    backend.writes[1].seen_ms = Some(3_260.0);
    backend.marks.push(MarkReport {
        at_ms: 2_700.0,
        kind: LandmarkKind::Turn,
        text: "frontend: HTTP 503 from http://shop.example/".to_owned(),
        failed: true,
    });
    let mut set = set(vec![
        module("backend", &[], Some((0.0, backend))),
        module("frontend", &["backend"], Some((420.0, taken_back()))),
        module("search", &["backend"], None),
    ]);
    set.outcome = SetOutcome::RolledBack;
    set.sentence = set
        .sentence
        .replace("is live, all", "was rolled back, in all");
    set.is_good = false;
    set.reason = Some("frontend: HTTP 503, first 121 ms after the swap began".to_owned());
    for module in &mut set.modules {
        module.outcome = match module.seen {
            Some(_) => ModuleOutcome::RolledBack,
            None => ModuleOutcome::NotMoved,
        };
    }
    set
}

/// Eight modules with long names, of two nodes each, step by step.
pub fn eight_by_steps() -> SetEvidence {
    let names = [
        "a",
        "checkout",
        "search",
        "recommendations-of-the-day",
        "mail",
        "accounts",
        "a-name-that-is-as-long-as-it-can-be-1234",
        "frontend",
    ];
    let modules = names
        .iter()
        .zip(0..)
        .map(|(name, n)| module(name, &[], Some((f64::from(n) * 3_000.0, canary()))));
    set(modules.collect())
}

fn module(name: &str, after: &[&str], seen: Option<(f64, Evidence)>) -> ModuleEvidence {
    ModuleEvidence {
        name: name.parse().unwrap(),
        app: format!("shop-{name}"),
        after: after.iter().map(|it| it.parse().unwrap()).collect(),
        outcome: match seen {
            Some(_) => ModuleOutcome::Live,
            None => ModuleOutcome::Untouched,
        },
        traffic: "port 80 -> blue (tag 2)".to_owned(),
        reason: None,
        seen: seen.map(|(zero_ms, report)| ModuleSeen { zero_ms, report }),
    }
}

fn set(modules: Vec<ModuleEvidence>) -> SetEvidence {
    SetEvidence {
        operation: "release",
        set: "shop".parse().unwrap(),
        tag: "2".parse().ok(),
        outcome: SetOutcome::Released,
        sentence: "shop (tag 2) is live, all modules of it".to_owned(),
        is_good: true,
        reason: None,
        version: "0.1.0",
        began: datetime!(2026-03-14 09:26:50 UTC),
        ended: datetime!(2026-03-14 09:27:14.5 UTC),
        modules,
        jobs: Vec::new(),
    }
    .in_order()
}
