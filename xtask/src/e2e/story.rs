//! What a team goes through with its first two releases, and with bad ones.

use super::stage::Stage;
use super::{refusals, releases};
use crate::{Result, say};

pub struct Story {
    stage: Stage,
    passed: usize,
}

impl Story {
    pub fn new(stage: Stage) -> Self {
        Self { stage, passed: 0 }
    }

    /// How many chapters held what they promise.
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Tells it from `init` to `destroy`; the first broken promise ends it.
    pub async fn tell(&mut self) -> Result<()> {
        self.chapter(releases::nothing_is_there).await?;
        self.chapter(releases::init_makes_the_infrastructure_once)
            .await?;
        self.chapter(releases::the_first_release_becomes_live)
            .await?;
        self.chapter(releases::the_second_release_is_seen_on_the_test_port_only)
            .await?;
        self.chapter(releases::an_unchanged_deploy_changes_nothing)
            .await?;
        self.chapter(refusals::the_live_colour_is_refused).await?;
        self.chapter(releases::a_promotion_is_noticed_by_nobody)
            .await?;
        self.chapter(releases::an_init_leaves_the_live_colour_live)
            .await?;
        self.chapter(releases::a_rollback_is_noticed_by_nobody)
            .await?;
        self.chapter(refusals::a_release_that_fails_once_live_is_taken_back)
            .await?;
        self.chapter(refusals::an_app_that_crashes_is_refused_in_seconds)
            .await?;
        self.chapter(refusals::an_app_that_is_never_healthy_is_refused)
            .await?;
        self.chapter(refusals::a_missing_image_is_refused).await?;
        self.chapter(releases::the_idle_colour_is_retired_and_comes_back)
            .await?;
        self.chapter(releases::logs_and_probe_show_what_runs)
            .await?;
        self.chapter(releases::destroy_leaves_nothing).await
    }

    async fn chapter(&mut self, chapter: impl AsyncFn(&Stage) -> Result<String>) -> Result<()> {
        let promise = chapter(&self.stage).await?;
        self.passed += 1;
        say::line(&format!("ok: {promise}"));
        Ok(())
    }
}
