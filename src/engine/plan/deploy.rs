//! Where a deploy may go, and with how many tasks.

use super::{Refusal, known_live, not_half_swapped, ways};
use crate::model::{Color, ColorState, Observed, Rollout, Tag, TaskDefinitionArn};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployPlan {
    pub color: Color,
    /// Nothing is live yet: this colour becomes live when it serves.
    pub becomes_live: bool,
    /// The person insisted on changing what users see.
    pub onto_live: bool,
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
/// A deploy onto the live colour, over an unfinished swap, or into a world that
/// bgecs did not make.
pub fn deploy(
    observed: &Observed,
    asked: Option<Color>,
    allow_live: bool,
    configured_count: i32,
) -> Result<DeployPlan, Refusal> {
    let live = known_live(observed)?;
    not_half_swapped(observed)?;
    let idle = live.map_or(Color::Blue, Color::other);
    let color = asked.unwrap_or(idle);
    let onto_live = live == Some(color);
    if onto_live && !allow_live {
        return Err(Refusal::new(
            format!(
                "{} is live: a deploy onto it would change what users see, unproven",
                observed.named(color)
            ),
            format!(
                "deploy onto {} and promote it; or insist with --allow-live",
                color.other()
            ),
        ));
    }
    // Nobody can be on a colour that never ran.
    let is_first = live.is_none() && observed.color(color).desired() == 0;
    if !onto_live && !allow_live && !is_first {
        ways::refuse_showing(observed, color)?;
    }
    let live_count = live
        .filter(|_| !onto_live)
        .map_or(0, |live| observed.color(live).desired());
    Ok(DeployPlan {
        color,
        becomes_live: live.is_none(),
        onto_live,
        service: service(observed, color, live_count, configured_count),
    })
}

/// Never resets a count that someone, or autoscaling, chose; but an idle colour
/// must be able to take over from the live one.
fn service(observed: &Observed, color: Color, live_count: i32, configured: i32) -> ServicePlan {
    let wanted = if live_count > 0 {
        live_count
    } else {
        configured
    };
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

/// The revision that the colour serves now, where it is the one that would be
/// registered: same digest and configuration (`config_hash` is of both), same
/// tag. A deploy has nothing to do then.
pub fn serves_already<'a>(
    state: &'a ColorState,
    config_hash: &str,
    tag: &Tag,
) -> Option<&'a TaskDefinitionArn> {
    let service = state.service.as_ref()?;
    let primary = service.primary()?;
    let release = state.release.as_ref()?;
    let is_same =
        release.config.as_deref() == Some(config_hash) && release.tag.as_ref() == Some(tag);
    let healthy = i32::try_from(state.targets.healthy()).unwrap_or(i32::MAX);
    let serves = primary.rollout == Some(Rollout::Completed)
        && service.desired > 0
        && primary.running == service.desired
        && healthy >= service.desired;
    (is_same && serves).then_some(&primary.task_definition)
}
