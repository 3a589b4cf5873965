//! What is looked at ahead of a shift, and told line by line.

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
    /// Where users are to get away from what is live, or are there already, what
    /// is missing is told and forbids nothing.
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

    /// What is not known keeps nobody from going on: it is told.
    async fn twin(&self, thoroughness: Thoroughness) -> Option<Check> {
        let ecs = self.observed.ecs().ok()?;
        let scaling = match thoroughness {
            // Nobody waits for it while users fail.
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

    /// Nothing keeps users from getting away, not even what cannot be looked at.
    async fn checks_of_router(&self, thoroughness: Thoroughness) -> Result<Vec<Check>> {
        let checks = self.router().checks(self.to).await;
        match (thoroughness, checks) {
            (Thoroughness::Full | Thoroughness::Blind, checks) => Ok(checks?),
            (Thoroughness::WayBack, Ok(checks)) => {
                let passed = |check| Check { ok: true, ..check };
                Ok(checks.into_iter().map(passed).collect())
            }
            (Thoroughness::WayBack, Err(error)) => {
                let unchecked = format!("not all can be checked ahead of the way back: {error}");
                self.session.report.tell(&ReportEvent::Warning(unchecked));
                Ok(Vec::new())
            }
        }
    }

    /// What gets away from a release does not ask them: it may be what makes them
    /// quiet.
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
