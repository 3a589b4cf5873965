//! Where a deploy goes, and what is retired, of colours that bgecs does not run.

use super::deploy::{DeployWish, onto_what_is_live};
use super::{Refusal, known_live};
use crate::model::{Color, Observed};

/// Where a deploy goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostedPlan {
    /// That colour serves it.
    NothingToDo { color: Color },
    Deploy {
        color: Color,
        /// Nothing is live yet: this colour becomes live when it serves.
        becomes_live: bool,
        /// Users see it, which the person insisted on.
        onto_live: bool,
    },
}

/// # Errors
/// A deploy onto the live colour; a world that bgecs did not make.
pub fn deploy_hosted(observed: &Observed, wish: &DeployWish<'_>) -> Result<HostedPlan, Refusal> {
    let live = known_live(observed)?;
    let color = wish.color.unwrap_or(live.map_or(Color::Blue, Color::other));
    let runs_it = |color: Color| {
        let state = observed.color(color);
        state.tag() == Some(wish.tag) && state.is_up() && state.targets.healthy() > 0
    };
    let there = live.into_iter().chain([color]).find(|it| runs_it(*it));
    if let Some(color) = there.filter(|_| !wish.force && live.is_some()) {
        return Ok(HostedPlan::NothingToDo { color });
    }
    let onto_live = live == Some(color);
    if onto_live && !wish.allow_live {
        return Err(onto_what_is_live(observed, color));
    }
    Ok(HostedPlan::Deploy {
        color,
        becomes_live: live.is_none(),
        onto_live,
    })
}
