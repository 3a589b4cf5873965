//! What a team goes through with its first two releases, and with bad ones.

use super::company::Visit;
use super::depot::Depot;
use super::shop::Shop;
use super::stage::Stage;
use super::{
    address, alias, ground, journal, mapping, migration, origin, record, refusals, releases,
    scaling, shift, smuggled, traffic, twice,
};
use crate::bgecs::Bgecs;
use crate::{Result, say};

pub struct Story<'a> {
    stage: Stage<'a>,
    passed: usize,
}

impl<'a> Story<'a> {
    pub fn new(stage: Stage<'a>) -> Self {
        Self { stage, passed: 0 }
    }

    /// How many chapters held what they promise.
    pub fn passed(&self) -> usize {
        self.passed
    }

    pub fn bgecs(&self) -> &Bgecs {
        &self.stage.bgecs
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
        if self.stage.gate.is_some() {
            self.tell_of_traffic().await?;
            self.tell_of_shifts().await?;
            self.chapter(journal::a_killed_promotion_is_named_and_ended)
                .await?;
            self.chapter(journal::history_tells_what_was_done).await?;
            self.tell_of_sites().await?;
        }
        self.chapter(releases::the_idle_colour_is_retired_and_comes_back)
            .await?;
        self.chapter(releases::logs_and_probe_show_what_runs)
            .await?;
        if self.stage.gate.is_some() {
            self.chapter(releases::a_command_runs_in_a_task_of_its_own)
                .await?;
            self.chapter(migration::a_migration_runs_once_ahead_of_its_users)
                .await?;
            self.chapter(scaling::neither_colour_loses_a_task_to_a_policy)
                .await?;
            self.chapter(ground::a_network_changes_under_its_users)
                .await?;
        }
        if self.stage.gate.is_none() {
            self.chapter(shift::a_load_balancer_that_drops_weights_is_found_out)
                .await?;
        }
        self.chapter(releases::destroy_leaves_nothing).await?;
        self.chapter(twice::every_line_may_be_typed_twice).await?;
        if self.stage.gate.is_some() {
            self.tell_of_a_shop().await?;
            self.tell_of_a_company().await?;
        }
        Ok(())
    }

    /// Whose modules are released as one.
    async fn tell_of_a_shop(&mut self) -> Result<()> {
        let shop = Shop::open(&self.stage).await?;
        for promise in [
            shop.goes_live_and_back_as_one().await?,
            shop.a_bad_module_turns_all_back().await?,
            shop.sets_that_overlap_take_turns().await?,
        ] {
            tell(&mut self.passed, &promise);
        }
        let depot = Depot::beside(&shop).await?;
        let uploaded = depot.what_is_uploaded_goes_live_in_its_order().await?;
        tell(&mut self.passed, &uploaded);
        let refused = smuggled::what_is_smuggled_in_begins_nothing(&depot).await?;
        tell(&mut self.passed, &refused);
        shop.close().await
    }

    /// To which bgecs comes later.
    async fn tell_of_a_company(&mut self) -> Result<()> {
        let visit = Visit::begin(&self.stage).await?;
        let watched = visit.is_watched().await?;
        tell(&mut self.passed, &watched);
        let released = visit.is_released_by_bgecs().await?;
        tell(&mut self.passed, &released);
        Ok(())
    }

    /// What only a load balancer can show that behaves like AWS's.
    async fn tell_of_traffic(&mut self) -> Result<()> {
        self.chapter(traffic::requests_under_way_survive_a_swap)
            .await?;
        self.chapter(traffic::an_app_that_starts_slowly_gets_its_time)
            .await?;
        self.chapter(traffic::a_change_spreads_from_node_to_node)
            .await?;
        self.chapter(traffic::nine_to_one_is_nine_to_one).await?;
        self.chapter(traffic::a_lost_answer_is_looked_up).await
    }

    /// Which needs a load balancer that weighs.
    async fn tell_of_shifts(&mut self) -> Result<()> {
        self.chapter(shift::users_go_over_share_by_share).await?;
        self.chapter(shift::a_pause_is_continued_by_another_process)
            .await?;
        self.chapter(shift::an_alarm_turns_back).await?;
        self.chapter(shift::a_load_balancer_that_does_not_weigh_is_found_out)
            .await?;
        self.chapter(shift::one_failure_in_fifty_is_caught_in_the_first_stage)
            .await?;
        self.chapter(shift::a_slow_release_is_caught_in_the_first_stage)
            .await
    }

    /// Of sites that bgecs does not run, beside one another: none has anything of
    /// another's. Each is told to its end, whatever becomes of the others.
    async fn tell_of_sites(&mut self) -> Result<()> {
        let (record, origin, alias, mapping, address) = tokio::join!(
            record::a_record_is_released_by_and_nobody_notices(&self.stage),
            origin::an_origin_is_switched_and_nobody_notices(&self.stage),
            alias::an_alias_is_moved_and_nobody_notices(&self.stage),
            mapping::a_domain_is_switched_and_nobody_notices(&self.stage),
            address::an_address_moves_or_has_a_gap_that_is_known(&self.stage),
        );
        for promise in [record, origin, alias, mapping, address] {
            tell(&mut self.passed, &promise?);
        }
        Ok(())
    }

    async fn chapter(&mut self, chapter: impl AsyncFn(&Stage<'_>) -> Result<String>) -> Result<()> {
        let promise = chapter(&self.stage).await?;
        tell(&mut self.passed, &promise);
        Ok(())
    }
}

fn tell(passed: &mut usize, promise: &str) {
    *passed += 1;
    say::line(&format!("ok: {promise}"));
}
