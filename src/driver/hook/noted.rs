//! Hooks of the current operation: each run is written to the journal, so that whoever
//! continues the operation does not run it again.

use std::path::Path;

use super::{HookFailure, HookTaskRun, Occasion};
use crate::driver::turn::Turn;
use crate::engine::hook_task::HookTaskOrder;
use crate::model::journal::{Effect, Operation};
use crate::model::{Hook, HookAction, HookTask, Observed};
use crate::session::Session;

#[derive(Clone, Copy)]
pub struct NotedHooks<'a> {
    pub session: &'a Session,
    pub turn: &'a Turn,
    pub observed: &'a Observed,
    /// The file that `--report` names.
    pub report: Option<&'a Path>,
    /// What a person orders for a hook that is a task.
    pub order: Option<HookTaskOrder>,
}

impl NotedHooks<'_> {
    /// Does nothing if `bgecs.toml` has no such hook.
    ///
    /// # Errors
    /// It did not end well, or the journal cannot be written.
    pub async fn run(&self, hook: Hook, stage: Option<usize>) -> Result<(), String> {
        let noted = self.turn.about_to(Effect::RunHook { hook, stage }).await;
        noted.map_err(|stop| stop.to_string())?;
        let operation = self.turn.operation();
        let ran = match self.session.config.hooks.actions.get(&hook) {
            Some(HookAction::Task(command)) => self.run_task(&operation, hook, command).await,
            _ => occasion(self.session, &operation, self.report, hook, stage).await,
        };
        if let Err(failure) = ran {
            self.turn.did_not(&failure.message);
            return Err(failure.told());
        }
        self.turn.did().await.map_err(|stop| stop.to_string())
    }

    async fn run_task(
        &self,
        operation: &Operation,
        hook: Hook,
        command: &[String],
    ) -> Result<(), HookFailure> {
        let release = operation.release();
        let revision = release
            .as_ref()
            .and_then(|release| release.revision.clone());
        let (Some(release), Some(revision), Ok(ecs)) = (release, revision, self.observed.ecs())
        else {
            let what = "cannot be run: the revision that it belongs to is not known";
            return Err(HookFailure::of("hook", hook.as_str(), what, None));
        };
        let run = HookTaskRun {
            session: self.session,
            services: &ecs.services,
            release: &release,
            revision: &revision,
            it: HookTask::of(hook, &release, command),
            who: &operation.who.name,
            order: self.order,
        };
        run.run().await
    }
}

/// Runs the hook for a promotion that went back.
///
/// # Errors
/// As [`Occasion::run`].
pub async fn tell_of_going_back(
    session: &Session,
    operation: &Operation,
    report: Option<&Path>,
) -> Result<(), HookFailure> {
    occasion(session, operation, report, Hook::AfterRollback, None).await
}

async fn occasion(
    session: &Session,
    operation: &Operation,
    report: Option<&Path>,
    hook: Hook,
    stage: Option<usize>,
) -> Result<(), HookFailure> {
    let Some(to) = operation.release() else {
        return Ok(());
    };
    let strategy = operation.strategy.as_ref();
    let share = match (hook, stage) {
        (Hook::AfterShift, _) => Some(10_000),
        (_, Some(stage)) => strategy.and_then(|strategy| strategy.share_at(stage)),
        _ => None,
    };
    let occasion = Occasion {
        hook,
        from: operation.from.as_ref(),
        to: &to,
        stage,
        share: share.unwrap_or(0),
        report,
    };
    occasion.run(session).await
}
