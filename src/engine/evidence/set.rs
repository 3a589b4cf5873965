//! What the release of a set leaves behind: what each of its modules does, and where
//! their times lie on the axis of all.

use std::time::Instant;

use serde::Serialize;
use time::OffsetDateTime;

use super::{Evidence, ListenerWrite};
use crate::counted::counted;
use crate::engine::seen::ProbeReport;
use crate::engine::seen::timeline::since_ms;
use crate::model::{SetName, Tag};

/// How the release of a set ended, in the word that programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetOutcome {
    /// All modules are live by it, or were before.
    Released,
    /// All are back where they were before the release.
    WentBack,
    /// A release was to go back and did not: all users are where they were.
    Stayed,
    /// Nothing had to be done.
    Unchanged,
    /// Users were on some of it, and are where they were.
    RolledBack,
    /// Users noticed nothing: no module was moved.
    Failed,
    /// Some module is not where it should be.
    InDoubt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleOutcome {
    /// By this release.
    Live,
    /// It was left alone.
    Untouched,
    RolledBack,
    /// It serves where no user sees it.
    NotMoved,
    Failed,
    InDoubt,
}

impl ModuleOutcome {
    /// In a word or two.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Untouched => "left alone",
            Self::RolledBack => "rolled back",
            Self::NotMoved => "not moved",
            Self::Failed => "failed",
            Self::InDoubt => "in doubt",
        }
    }
}

/// What `release` writes with `--report`. Times are milliseconds since the first listener
/// write of all; where none left, since the first probe began.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetEvidence {
    /// `release`
    pub operation: &'static str,
    pub set: SetName,
    /// None of a way back.
    pub tag: Option<Tag>,
    pub outcome: SetOutcome,
    /// What happened, in one sentence.
    pub sentence: String,
    pub is_good: bool,
    /// What failed first, where not all went well.
    pub reason: Option<String>,
    /// The version of bgecs.
    pub version: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub began: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub ended: OffsetDateTime,
    /// In the order in which they were moved; at the end those that were not.
    pub modules: Vec<ModuleEvidence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobEvidence>,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobEvidence {
    pub name: SetName,
    /// What runs it, in words.
    pub runs: String,
    pub outcome: ModuleOutcome,
    /// The revision that it runs by, where the release has seen it.
    pub revision: Option<String>,
    /// Why, where it did not end well.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModuleEvidence {
    pub name: SetName,
    pub app: String,
    /// Those whose users go over first.
    pub after: Vec<SetName>,
    pub outcome: ModuleOutcome,
    /// Where its users are at the end.
    pub traffic: String,
    /// Why, where it did not end well.
    pub reason: Option<String>,
    /// None where nothing was tried.
    #[serde(flatten)]
    pub seen: Option<ModuleSeen>,
}

/// What a report of the module alone would have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModuleSeen {
    /// What 0 of its own times is on the axis of all.
    pub zero_ms: f64,
    pub report: Evidence,
}

/// One module's evidence, and when 0 of its times was.
#[derive(Debug, PartialEq)]
pub struct TimedEvidence {
    pub zero: Instant,
    pub evidence: Evidence,
}

impl TimedEvidence {
    /// When 0 of all their times is.
    pub fn zero_of<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Option<Instant> {
        let written = all.clone().filter(|it| !it.evidence.writes.is_empty());
        let first = written.map(|it| it.zero).min();
        first.or_else(|| all.map(|it| it.zero).min())
    }

    /// On the axis that begins then.
    pub fn since(&self, zero: Instant) -> ModuleSeen {
        let later = self.zero.saturating_duration_since(zero);
        let earlier = zero.saturating_duration_since(self.zero);
        ModuleSeen {
            zero_ms: since_ms(later, earlier),
            report: self.evidence.clone(),
        }
    }
}

/// A listener write of one of the modules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetMove<'a> {
    /// Counted from 1, in the order in which they left.
    pub number: usize,
    pub module: &'a SetName,
    /// On the axis of all.
    #[serde(flatten)]
    pub write: ListenerWrite,
}

impl ModuleEvidence {
    /// None where it was not moved.
    fn first_move(&self) -> Option<f64> {
        let seen = self.seen.as_ref()?;
        Some(seen.zero_ms + seen.report.writes.first()?.sent_ms)
    }

    fn moves(&self) -> impl Iterator<Item = SetMove<'_>> {
        let of = |ModuleSeen { zero_ms, report }: &ModuleSeen| {
            let later = |write: &ListenerWrite| write.later(*zero_ms);
            report.writes.iter().map(later).collect::<Vec<_>>()
        };
        let writes = self.seen.iter().flat_map(of);
        writes.map(|write| SetMove {
            number: 0,
            module: &self.name,
            write,
        })
    }

    /// What its probe saw; None where nobody asked its production.
    pub fn probe(&self) -> Option<&ProbeReport> {
        let report = &self.seen.as_ref()?.report;
        (!report.blind && report.probe.sent > 0).then_some(&report.probe)
    }

    /// Whether it did not end as it was to.
    pub fn is_bad(&self) -> bool {
        !matches!(self.outcome, ModuleOutcome::Live | ModuleOutcome::Untouched)
    }
}

impl SetEvidence {
    /// The same, with its modules in the order in which they were moved, and with what
    /// their users noticed in its sentence.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        let rank = |it: &ModuleEvidence| it.first_move().unwrap_or(f64::INFINITY);
        self.modules.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let (sent, failed) = (self.sent(), self.failed());
        self.sentence += &match (sent, failed) {
            (0, _) => String::new(),
            (_, 0) => format!(": none of {} failed", counted(sent, "request")),
            _ => format!(": {failed} of {} failed", counted(sent, "request")),
        };
        self
    }

    /// The listener writes of all, in the order in which they left.
    pub fn moves(&self) -> Vec<SetMove<'_>> {
        let mut all: Vec<SetMove<'_>> = self
            .modules
            .iter()
            .flat_map(ModuleEvidence::moves)
            .collect();
        all.sort_by(|a, b| a.write.sent_ms.total_cmp(&b.write.sent_ms));
        for (number, it) in (1..).zip(&mut all) {
            it.number = number;
        }
        all
    }

    /// Who ran it, and where, as a journal names them.
    pub fn who(&self) -> Option<&str> {
        let mut seen = self.modules.iter().filter_map(|it| it.seen.as_ref());
        seen.find_map(|it| it.report.who.as_deref())
    }

    /// Requests of all modules.
    pub fn sent(&self) -> u64 {
        let probes = self.modules.iter().filter_map(ModuleEvidence::probe);
        probes.map(|probe| probe.sent).sum()
    }

    /// Those of them that failed.
    pub fn failed(&self) -> u64 {
        let probes = self.modules.iter().filter_map(ModuleEvidence::probe);
        probes.map(|probe| probe.failed).sum()
    }
}
