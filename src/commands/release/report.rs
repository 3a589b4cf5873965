//! `--report` of a set: the evidence of all modules in one report.

use time::OffsetDateTime;

use super::result::{ModuleResult, ReleaseResult};
use crate::cli::ReleaseArgs;
use crate::driver::release::Module;
use crate::engine::evidence::{ModuleEvidence, SetEvidence, SetOutcome, TimedEvidence};
use crate::error::Result;
use crate::model::SetName;
use crate::report::{ReportEvent, ReportFile, Reported, Reporter};

/// Finds out before anything else whether they can be written.
///
/// # Errors
/// One cannot (exit 2).
pub(super) fn check(args: &ReleaseArgs) -> Result<()> {
    args.report.iter().try_for_each(ReportFile::check)
}

/// Writes the reports that were asked for, unless there is nothing to report.
pub(super) fn write(
    reporter: &Reporter,
    args: &ReleaseArgs,
    released: &ReleaseResult,
    modules: &[Module],
    began: OffsetDateTime,
) {
    if args.report.is_empty() {
        return;
    }
    let evidence = evidence(released, modules, began);
    for file in &args.report {
        if released.outcome == SetOutcome::Unchanged {
            let path = file.path().display();
            reporter.tell(&ReportEvent::Warning(format!(
                "no module was moved: no report is written to {path}"
            )));
        } else {
            file.leave(reporter, Reported::Set(&evidence));
        }
    }
}

fn evidence(released: &ReleaseResult, modules: &[Module], began: OffsetDateTime) -> SetEvidence {
    let timed = released
        .modules
        .iter()
        .filter_map(|it| it.evidence.as_deref());
    let zero = TimedEvidence::zero_of(timed);
    let of_module = |it: &ModuleResult| ModuleEvidence {
        name: it.name.clone(),
        app: it.app.clone(),
        after: after(it, modules),
        outcome: it.outcome,
        traffic: it.traffic.clone(),
        reason: it.reason.clone(),
        seen: it
            .evidence
            .as_ref()
            .zip(zero)
            .map(|(it, zero)| it.since(zero)),
    };
    let set = SetEvidence {
        operation: released.operation,
        set: released.set.clone(),
        tag: released.tag.clone(),
        outcome: released.outcome,
        sentence: released.in_a_sentence(),
        is_good: released.error().is_none(),
        reason: released.reason.clone(),
        version: env!("CARGO_PKG_VERSION"),
        began,
        ended: OffsetDateTime::now_utc(),
        modules: released.modules.iter().map(of_module).collect(),
        jobs: released.jobs.iter().map(|it| it.told.clone()).collect(),
    };
    set.in_order()
}

fn after(it: &ModuleResult, modules: &[Module]) -> Vec<SetName> {
    let module = modules.iter().find(|module| *module.name() == it.name);
    let after = module.map_or(&[][..], |module| &module.place.after);
    let names = after.iter().filter_map(|&n| modules.get(n));
    names.map(|module| module.name().clone()).collect()
}
