//! The checks before a shift, told line by line.

use super::{Attempt, SwapKind};
use crate::aws::Router;
use crate::driver::scaling;
use crate::engine::preflight::{self, TEST_ANSWERS, Thoroughness};
use crate::engine::{self, alarms};
use crate::error::Result;
use crate::interrupt::Interrupts;
use crate::model::{Answer, Check, Color};
use crate::report::ReportEvent;

impl Attempt<'_> {
    /// On the way back, and if users are on `to` already, what is missing is told but
    /// forbids nothing.
    fn thoroughness(&self) -> Thoroughness {
        let is_there = self.observed.live_color() == Some(self.to);
        match self.kind == SwapKind::Rollback || is_there {
            true => Thoroughness::WayBack,
            false if self.watching.is_blind => Thoroughness::Blind,
            false => Thoroughness::Full,
        }
    }

    pub(super) async fn check(&self, interrupts: &mut Interrupts) -> Result<Vec<Check>> {
        let thoroughness = self.thoroughness();
        let answers = match thoroughness {
            Thoroughness::WayBack | Thoroughness::Blind => Vec::new(),
            Thoroughness::Full => {
                let asking = self.ask_test_port(self.to);
                interrupts
                    .or_stop("checking", "traffic is unchanged", asking)
                    .await?
            }
        };
        let checks = preflight::checks(
            &self.observed,
            &self.strategy,
            self.is_under_way,
            &answers,
            thoroughness,
        );
        let twin = self.twin(thoroughness).await;
        let alarms = self.alarms().await?;
        let of_router = self.checks_of_router(thoroughness).await?;
        let checks = checks
            .into_iter()
            .chain(twin)
            .chain(of_router)
            .chain(alarms);
        let checks: Vec<Check> = checks.collect();
        for check in &checks {
            self.session.report.tell(&ReportEvent::Check(check));
        }
        Ok(checks)
    }

    /// What cannot be found out is told, but stops nothing.
    async fn twin(&self, thoroughness: Thoroughness) -> Option<Check> {
        let ecs = self.observed.ecs().ok()?;
        let scaling = match thoroughness {
            // Not worth the wait while users may be failing.
            Thoroughness::WayBack => return None,
            Thoroughness::Full | Thoroughness::Blind => {
                scaling::look(self.session, &ecs.services).await
            }
        };
        Some(engine::twin::check(
            &self.observed,
            self.to,
            scaling.as_ref(),
        ))
    }

    /// On the way back nothing may stop users from getting away, not even a check that
    /// cannot be made.
    async fn checks_of_router(&self, thoroughness: Thoroughness) -> Result<Vec<Check>> {
        let checks = self.router().checks(self.to).await;
        match (thoroughness, checks) {
            (Thoroughness::Full | Thoroughness::Blind, checks) => Ok(checks?),
            (Thoroughness::WayBack, Ok(checks)) => {
                let passed = |check| Check { ok: true, ..check };
                Ok(checks.into_iter().map(passed).collect())
            }
            (Thoroughness::WayBack, Err(error)) => {
                let unchecked =
                    format!("not everything can be checked before the way back: {error}");
                self.session.report.tell(&ReportEvent::Warning(unchecked));
                Ok(Vec::new())
            }
        }
    }

    /// Not asked on the way back from a release: the alarm may be about that very
    /// release.
    async fn alarms(&self) -> Result<Vec<Check>> {
        if !self.needs_clean_baseline {
            return Ok(Vec::new());
        }
        let shift = &self.session.config.shift;
        let alarms = self.session.aws.alarms(&shift.alarms).await?;
        Ok(alarms::checks(&alarms, shift.alarms_without_data))
    }

    async fn ask_test_port(&self, color: Color) -> Result<Vec<Answer>> {
        let (infra, path) = (
            &self.observed.infrastructure,
            &self.session.config.container.health_path,
        );
        let mut answers = Vec::new();
        for _ in 0..TEST_ANSWERS {
            let question = self.watching.asking.of_health();
            let answer = self.session.ask(infra, color, path, &question);
            answers.push(Answer::clone(&*answer.await?));
        }
        Ok(answers)
    }
}
