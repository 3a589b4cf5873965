//! Where a deploy may go, and with how many tasks.

use super::{Refusal, known_live, ways};
use crate::model::{
    Color, ColorState, DefinitionChange, Observed, Release, Revision, Rollout, ServiceDefinition,
    Tag,
};

/// What a person asks of a deploy, as far as it decides where it goes.
#[derive(Debug, Clone, Copy)]
pub struct DeployWish<'a> {
    pub tag: &'a Tag,
    pub color: Option<Color>,
    /// To change what users see.
    pub allow_live: bool,
    /// To restart tasks even where nothing changed.
    pub force: bool,
    /// How many tasks a new colour has.
    pub count: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployPlan {
    pub color: Color,
    /// Nothing is live yet: this colour becomes live when it serves.
    pub becomes_live: bool,
    /// It changes what users see, if it changes anything.
    pub onto_live: bool,
    /// The person insisted on that.
    pub allow_live: bool,
    /// The live colour, where it runs that tag: if it is the same image and
    /// configuration too, there is nothing to deploy.
    pub may_be_live: Option<Color>,
    pub service: ServicePlan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServicePlan {
    Create {
        desired: i32,
    },
    /// `None` leaves the count as it is.
    Update {
        desired: Option<i32>,
    },
}

/// # Errors
/// A deploy onto the live colour, unless what it runs may be the same, or into a
/// world that bgecs did not make.
pub fn deploy(observed: &Observed, wish: &DeployWish<'_>) -> Result<DeployPlan, Refusal> {
    let live = known_live(observed)?;
    let idle = live.map_or(Color::Blue, Color::other);
    let color = wish.color.unwrap_or(idle);
    refuse_going(observed, color)?;
    refuse_unseen(observed, color)?;
    let onto_live = live == Some(color);
    let may_be_live =
        live.filter(|live| !wish.force && observed.color(*live).tag() == Some(wish.tag));
    let plan = DeployPlan {
        color,
        becomes_live: live.is_none(),
        onto_live,
        allow_live: wish.allow_live,
        may_be_live,
        service: service(observed, color, wish.count),
    };
    if may_be_live.is_none() {
        refuse_unproven(observed, &plan)?;
    }
    Ok(plan)
}

/// ECS takes nothing for a service that is on its way out, and no second one of
/// its name.
///
/// # Errors
/// The colour's is.
fn refuse_going(observed: &Observed, color: Color) -> Result<(), Refusal> {
    let service = observed.color(color).service.as_ref();
    match service.is_some_and(|service| service.is_draining) {
        false => Ok(()),
        true => Err(Refusal::new(
            format!("the service {color} is being deleted (DRAINING)"),
            format!("deploy again when `bgecs status` shows {color} without a service"),
        )),
    }
}

/// Who asks for the colour by name must get that one, or another one's answers would
/// prove it.
///
/// # Errors
/// The rules for that are not as they were made.
fn refuse_unseen(observed: &Observed, color: Color) -> Result<(), Refusal> {
    match &observed.other_ways.amiss {
        None => Ok(()),
        Some(amiss) => Err(Refusal::new(
            format!("{amiss}: it cannot be seen whether a release serves on {color}"),
            "put that rule back, before users' own; or `bgecs detach`, then `bgecs attach` makes it again",
        )),
    }
}

/// What users see is not changed without a probe, by whichever way they come in.
///
/// # Errors
/// How they would see the deploy, unless that was insisted on.
pub fn refuse_unproven(observed: &Observed, plan: &DeployPlan) -> Result<(), Refusal> {
    // Nobody is on a colour that never ran.
    let is_first = plan.becomes_live && observed.color(plan.color).desired() == 0;
    if plan.allow_live || is_first {
        return Ok(());
    }
    match plan.onto_live {
        true => Err(onto_what_is_live(observed, plan.color)),
        false => ways::refuse_showing(observed, plan.color),
    }
}

pub(super) fn onto_what_is_live(observed: &Observed, color: Color) -> Refusal {
    Refusal::new(
        format!(
            "{} is live: a deploy onto it would change what users see without a probe",
            observed.named(color)
        ),
        format!(
            "deploy onto {} and promote it; or insist with --allow-live",
            color.other()
        ),
    )
}

fn live_count(observed: &Observed, color: Color) -> i32 {
    let live = observed.live_color().filter(|live| *live != color);
    live.map_or(0, |live| observed.color(live).desired())
}

/// How many tasks a colour has that has none: as many as the live one.
pub fn wanted_count(observed: &Observed, color: Color, configured: i32) -> i32 {
    match live_count(observed, color) {
        0 => configured,
        count => count,
    }
}

/// Never resets a count that someone, or autoscaling, chose; but an idle colour
/// must be able to take over from the live one.
fn service(observed: &Observed, color: Color, configured: i32) -> ServicePlan {
    let live_count = live_count(observed, color);
    let wanted = wanted_count(observed, color, configured);
    match &observed.color(color).service {
        None => ServicePlan::Create { desired: wanted },
        Some(service) if service.is_retired() => ServicePlan::Update {
            desired: Some(wanted),
        },
        Some(service) => ServicePlan::Update {
            desired: Some(live_count).filter(|count| *count > service.desired),
        },
    }
}

/// What the colour's service has to be told besides the revision; nothing where
/// there is none yet.
pub fn definition_change(state: &ColorState, wanted: &ServiceDefinition) -> DefinitionChange {
    let service = state.service.as_ref();
    service.map_or_else(DefinitionChange::default, |service| {
        service.definition.change_to(wanted)
    })
}

/// Whether what the colour runs is what would be registered: same digest and
/// configuration (`config_hash` is of both), same tag.
pub fn is_the_same(state: &ColorState, config_hash: &str, tag: &Tag) -> bool {
    state.release.as_ref().is_some_and(|release| {
        release.config.as_deref() == Some(config_hash) && release.tag.as_ref() == Some(tag)
    })
}

/// The revision that the colour serves now, where it is the one that would be
/// registered. A deploy has nothing to do then. One that something else
/// deregistered is registered anew: no service takes it.
pub fn serves_already<'a>(
    state: &'a ColorState,
    config_hash: &str,
    tag: &Tag,
) -> Option<&'a Revision> {
    let service = state.service.as_ref()?;
    let primary = service.primary()?;
    let healthy = i32::try_from(state.targets.healthy()).unwrap_or(i32::MAX);
    let serves = primary.rollout == Some(Rollout::Completed)
        && service.desired > 0
        && primary.running == service.desired
        && healthy >= service.desired;
    let is_usable = |release: &Release| !release.is_deregistered;
    let is_it =
        is_the_same(state, config_hash, tag) && state.release.as_ref().is_some_and(is_usable);
    (is_it && serves).then_some(&primary.task_definition)
}
