//! How the release of a set ended, as a whole and in each module.

use std::sync::Arc;

use serde::Serialize;

use super::jobs::JobResult;
use super::width;
use super::work::Preparation;
use crate::driver::attempt::SwapKind;
use crate::driver::release::{HeldModule, Module};
use crate::driver::swap::SwapEnd;
use crate::driver::unfinished::{Settled, Settlement};
use crate::engine::evidence::{ModuleOutcome, SetOutcome, TimedEvidence};
use crate::engine::set::{KilledEnd, ReleaseStanding};
use crate::error::{Error, Exit, Result};
use crate::model::journal::OperationId;
use crate::model::{SetMark, SetName, Tag, UploadEnd, UploadOutcome};
use crate::report::{CommandResult, Style};

#[derive(Debug, Serialize)]
pub(super) struct ModuleResult {
    pub name: SetName,
    pub app: String,
    pub outcome: ModuleOutcome,
    pub traffic: String,
    /// Why, where it is not live by it.
    pub reason: Option<String>,
    /// Requests of its production probe, where it was moved under one.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<ProbeCount>,
    /// For the report.
    #[serde(skip)]
    pub evidence: Option<Arc<TimedEvidence>>,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct ProbeCount {
    sent: u64,
    failed: u64,
}

impl ModuleResult {
    /// None is a module that was left alone.
    pub fn of(module: &Module, ended: Option<&Result<SwapEnd>>, traffic: String) -> Self {
        let (outcome, exit, reason, probe) = match ended {
            None | Some(Ok(SwapEnd::Nothing { .. })) => {
                (ModuleOutcome::Untouched, Exit::Done, None, None)
            }
            Some(Ok(SwapEnd::MadeLive { .. })) => (ModuleOutcome::Live, Exit::Done, None, None),
            Some(Ok(SwapEnd::Tried(swapped))) => {
                let error = swapped.error();
                let outcome = outcome_of(swapped.exit);
                let probe = ProbeCount {
                    sent: swapped.probe.sent,
                    failed: swapped.probe.failed,
                };
                let probe = (!swapped.blind && probe.sent > 0).then_some(probe);
                (
                    outcome,
                    swapped.exit,
                    error.map(|error| error.message),
                    probe,
                )
            }
            Some(Err(error)) => {
                let reason = Some(error.message.clone());
                (outcome_of(error.exit), error.exit, reason, None)
            }
        };
        let evidence = match ended {
            Some(Ok(SwapEnd::Tried(swapped))) => swapped.evidence.clone(),
            _ => None,
        };
        Self {
            reason,
            probe,
            evidence,
            ..Self::new(module, outcome, exit, traffic)
        }
    }

    fn new(module: &Module, outcome: ModuleOutcome, exit: Exit, traffic: String) -> Self {
        Self {
            name: module.name().clone(),
            app: module.session.app().to_owned(),
            outcome,
            traffic,
            reason: None,
            probe: None,
            evidence: None,
            exit,
        }
    }

    /// It was deployed where nothing was live.
    pub fn made_live(self) -> Self {
        let outcome = ModuleOutcome::Live;
        Self { outcome, ..self }
    }

    /// One that another process began.
    pub fn settled(module: &Module, settled: Result<Settlement>, moves_users: bool) -> Self {
        let (outcome, exit, traffic, reason) = match settled {
            Ok(it) => {
                let outcome = match (&it.error, it.settled) {
                    (Some(_), _) | (None, Settled::Waiting) => ModuleOutcome::InDoubt,
                    _ if !moves_users => ModuleOutcome::NotMoved,
                    (None, Settled::Finished) => ModuleOutcome::Live,
                    (None, Settled::Undone) => ModuleOutcome::RolledBack,
                };
                let reason = it.error.as_ref().map(|error| error.message.clone());
                (outcome, it.exit(), it.traffic, reason)
            }
            Err(error) => {
                let traffic = error
                    .traffic
                    .unwrap_or_else(|| "see `bgecs status`".to_owned());
                (
                    outcome_of(error.exit),
                    error.exit,
                    traffic,
                    Some(error.message),
                )
            }
        };
        Self {
            reason,
            ..Self::new(module, outcome, exit, traffic)
        }
    }

    /// Whether it is as the release has it.
    pub fn is_well(&self) -> bool {
        self.exit == Exit::Done && self.outcome != ModuleOutcome::RolledBack
    }

    /// One that had nothing unfinished of a release that was killed.
    pub fn stood(module: &Module, standing: ReleaseStanding, traffic: String) -> Self {
        let outcome = match standing {
            ReleaseStanding::There => ModuleOutcome::Live,
            ReleaseStanding::Back => ModuleOutcome::RolledBack,
            ReleaseStanding::Untouched | ReleaseStanding::Unfinished { .. } => {
                ModuleOutcome::Untouched
            }
        };
        Self::new(module, outcome, Exit::Done, traffic)
    }

    /// Its journal does not say what it did.
    pub fn unwritten(self, why: String) -> Self {
        Self {
            outcome: ModuleOutcome::InDoubt,
            reason: Some(why),
            exit: Exit::LookNow,
            ..self
        }
    }

    fn line(&self, width: usize, style: &Style) -> String {
        let name = &self.name;
        let mut text = format!("{name:width$}  {}", self.traffic);
        if let Some(ProbeCount { sent, failed }) = self.probe {
            text += &style.dim(format!("  {sent} requests, {failed} failed"));
        }
        if let Some(reason) = &self.reason {
            text += &format!("\n  {:width$}  {}", "", style.dim(reason));
        }
        text
    }
}

fn outcome_of(exit: Exit) -> ModuleOutcome {
    match exit {
        Exit::Done => ModuleOutcome::Live,
        Exit::RolledBack => ModuleOutcome::RolledBack,
        Exit::LookNow => ModuleOutcome::InDoubt,
        Exit::Refused | Exit::Interrupted => ModuleOutcome::NotMoved,
        Exit::Failed | Exit::Usage | Exit::TimedOut | Exit::Changes => ModuleOutcome::Failed,
    }
}

#[derive(Debug, Serialize)]
pub struct ReleaseResult {
    pub(super) operation: &'static str,
    pub(super) set: SetName,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<OperationId>,
    pub(super) tag: Option<Tag>,
    pub(super) outcome: SetOutcome,
    pub(super) modules: Vec<ModuleResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) jobs: Vec<JobResult>,
    /// What failed first, where not all went live.
    pub(super) reason: Option<String>,
    #[serde(skip)]
    exit: Exit,
}

impl ReleaseResult {
    /// Not all modules serve it: none was moved.
    pub(super) fn unprepared(
        set: &SetName,
        tag: &Tag,
        held: &[HeldModule<'_>],
        (prepared, jobs): (&[Result<Preparation>], Vec<JobResult>),
    ) -> Self {
        let one = |(it, ended): (&HeldModule<'_>, &Result<Preparation>)| {
            let Err(error) = ended else {
                let traffic = format!("unchanged; tag {tag} is deployed where no user sees it");
                return ModuleResult::new(it.module, ModuleOutcome::NotMoved, Exit::Done, traffic);
            };
            let traffic = "unchanged".to_owned();
            ModuleResult {
                reason: Some(error.message.clone()),
                ..ModuleResult::new(it.module, ModuleOutcome::Failed, error.exit, traffic)
            }
        };
        let first = prepared.iter().find_map(|it| it.as_ref().err());
        let first = first.map(|error| (error.message.clone(), error.exit));
        let of_job = |it: &JobResult| Some((it.told.reason.clone()?, it.exit));
        let (reason, exit) = first
            .or_else(|| jobs.iter().find_map(of_job))
            .map_or((None, Exit::Failed), |(why, exit)| (Some(why), exit));
        Self {
            operation: "release",
            set: set.clone(),
            id: None,
            tag: Some(tag.clone()),
            outcome: SetOutcome::Failed,
            modules: held.iter().zip(prepared).map(one).collect(),
            jobs,
            reason,
            exit,
        }
    }

    pub(super) fn shifted(
        set: &SetName,
        kind: SwapKind,
        tag: Option<&Tag>,
        (modules, jobs): (Vec<ModuleResult>, Vec<JobResult>),
        (failure, is_interrupted): (Option<String>, bool),
    ) -> Self {
        let exit = match exit_of(exits(&modules, &jobs)) {
            Exit::Refused if is_interrupted => Exit::Interrupted,
            exit => exit,
        };
        let outcomes = modules.iter().map(|it| it.outcome);
        let mut outcomes = outcomes.chain(jobs.iter().map(|it| it.told.outcome));
        let is_untouched = outcomes.all(|it| it == ModuleOutcome::Untouched);
        let outcome = match (exit, kind) {
            (Exit::Done, _) if is_untouched => SetOutcome::Unchanged,
            (Exit::Done, SwapKind::Promote) => SetOutcome::Released,
            (Exit::Done, SwapKind::Rollback) => SetOutcome::WentBack,
            (Exit::RolledBack, _) => SetOutcome::RolledBack,
            (Exit::LookNow, _) => SetOutcome::InDoubt,
            _ => SetOutcome::Failed,
        };
        let first = first_reason(&modules, &jobs);
        Self {
            operation: "release",
            set: set.clone(),
            id: None,
            tag: tag.cloned(),
            outcome,
            reason: failure.or(first),
            modules,
            jobs,
            exit,
        }
    }

    /// One that another process began, forward or back.
    pub(super) fn ended(
        mark: &SetMark,
        killed: KilledEnd,
        (modules, jobs): (Vec<ModuleResult>, Vec<JobResult>),
    ) -> Self {
        let is_back = |it: &JobResult| it.told.outcome == ModuleOutcome::RolledBack;
        let worst = exits(&modules, &[]).chain(jobs.iter().map(|it| match is_back(it) {
            true => Exit::Done,
            false => it.exit,
        }));
        let exit = exit_of(worst);
        let first = first_reason(&modules, &jobs);
        let any = |outcome| modules.iter().any(|it| it.outcome == outcome);
        let (live, back) = (any(ModuleOutcome::Live), any(ModuleOutcome::RolledBack));
        let outcome = match (exit, live, back) {
            (Exit::Done, false, false) if killed.is_way_back => SetOutcome::Stayed,
            (Exit::Done, false, false) => SetOutcome::Failed,
            (Exit::Done, true, false) if killed.is_forward => match killed.is_way_back {
                true => SetOutcome::WentBack,
                false => SetOutcome::Released,
            },
            (Exit::Done, false, true) => SetOutcome::RolledBack,
            _ => SetOutcome::InDoubt,
        };
        let half = || {
            "it is not live in all modules: one could not continue after the others had".to_owned()
        };
        Self {
            operation: "release",
            set: mark.set.clone(),
            id: Some(mark.id.clone()),
            tag: None,
            modules,
            jobs,
            reason: first.or_else(|| (outcome == SetOutcome::InDoubt).then(half)),
            exit: match outcome {
                SetOutcome::InDoubt => Exit::LookNow,
                _ => exit,
            },
            outcome,
        }
    }

    /// For whoever uploaded it.
    pub fn upload_end(&self) -> UploadEnd {
        let of_module = |it: &ModuleResult| format!("{}: {}", it.name, it.traffic);
        UploadEnd {
            outcome: match self.exit {
                Exit::Done => UploadOutcome::Complete,
                _ => UploadOutcome::Failed,
            },
            reason: self.error().map(|error| error.message),
            traffic: self.modules.iter().map(of_module).collect(),
            exit_code: self.exit.code(),
        }
    }

    fn name(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{} (tag {tag})", self.set),
            None => self.set.to_string(),
        }
    }

    pub fn in_a_sentence(&self) -> String {
        let name = self.name();
        match self.outcome {
            SetOutcome::Released => format!("{name} is live, all modules of it"),
            SetOutcome::WentBack => format!("{name} went back, all modules of it"),
            SetOutcome::Unchanged => format!("nothing to do: {name} is as asked for"),
            SetOutcome::RolledBack => format!("{name} was rolled back, in all modules"),
            SetOutcome::Stayed => {
                format!("{name} did not go back: users of all modules are where they were")
            }
            SetOutcome::Failed => format!("{name} was not released: no user was moved"),
            SetOutcome::InDoubt => format!("{name} is only partly live: look now"),
        }
    }

    /// Whether no module is to blame that it is not in one piece.
    fn is_about_jobs(&self) -> bool {
        let mut jobs = self.jobs.iter();
        let first = self.modules.first().map(|it| it.outcome);
        let mut modules = self.modules.iter();
        jobs.any(|it| it.told.outcome == ModuleOutcome::InDoubt)
            && modules.all(|it| Some(it.outcome) == first && it.outcome != ModuleOutcome::InDoubt)
    }

    /// None where it is as it was asked for.
    pub fn error(&self) -> Option<Error> {
        if self.exit == Exit::Done {
            return None;
        }
        let why = self.reason.as_ref();
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let error = Error::new(self.exit, format!("{}{why}", self.in_a_sentence()));
        Some(match self.outcome {
            SetOutcome::InDoubt if self.is_about_jobs() => error.hint(
                "users are on one release; `bgecs release status` shows what each job runs by",
            ),
            SetOutcome::InDoubt => error.hint("`bgecs release status` shows each module; `bgecs resume` in the folder of one ends what is unfinished, `bgecs release --rollback` takes users back from what is live by it"),
            _ => error,
        })
    }
}

/// The reason of the first one that failed.
fn first_reason(modules: &[ModuleResult], jobs: &[JobResult]) -> Option<String> {
    if let Some(first) = modules.iter().find(|it| it.exit != Exit::Done) {
        return Some(format!("{}: {}", first.name, first.reason.as_ref()?));
    }
    jobs.iter().find_map(|it| it.told.reason.clone())
}

fn exits<'a>(
    modules: &'a [ModuleResult],
    jobs: &'a [JobResult],
) -> impl Iterator<Item = Exit> + 'a {
    let modules = modules.iter().map(|it| it.exit);
    modules.chain(jobs.iter().map(|it| it.exit))
}

/// The worst of the modules' own: what one could not have alone does not count.
fn exit_of(exits: impl Iterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Done | Exit::Changes => 0,
        // It had to stay because another failed.
        Exit::Refused => 1,
        Exit::Interrupted | Exit::TimedOut | Exit::Usage | Exit::Failed => 2,
        Exit::RolledBack => 3,
        Exit::LookNow => 4,
    };
    exits.max_by_key(rank).unwrap_or(Exit::Done)
}

impl CommandResult for ReleaseResult {
    fn human(&self, style: &Style) -> String {
        let mut text = self.in_a_sentence();
        let names = self.modules.iter().map(|it| &it.name);
        let width = width(names.chain(self.jobs.iter().map(|it| &it.told.name)));
        for it in &self.modules {
            text += &format!("\n  {}", it.line(width, style));
        }
        for it in &self.jobs {
            text += &format!("\n  {}", it.line(width, style));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_the_modules_is_the_set_s() {
        for (exits, worst) in [
            (vec![Exit::Done, Exit::Done], Exit::Done),
            (vec![Exit::Refused, Exit::RolledBack], Exit::RolledBack),
            (
                vec![Exit::RolledBack, Exit::LookNow, Exit::Done],
                Exit::LookNow,
            ),
            (vec![Exit::Refused, Exit::Failed], Exit::Failed),
            (vec![Exit::Done, Exit::Refused], Exit::Refused),
        ] {
            assert_eq!(exit_of(exits.clone().into_iter()), worst, "{exits:?}");
        }
    }
}
