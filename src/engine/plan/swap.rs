//! Which way a promote or a rollback goes.

use super::{Refusal, known_live};
use crate::model::{Color, ColorState, Observed, Rollout, ServiceState};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapPlan {
    /// It is so already.
    NothingToDo { live: Color },
    /// Nothing is live: no user can notice.
    MakeLive { color: Color },
    /// `match_count` is how many tasks the new colour must be scaled to first,
    /// where it runs fewer than the live one.
    Swap {
        from: Color,
        to: Color,
        match_count: Option<i32>,
    },
}

/// # Errors
/// A colour that runs nothing, or a world that bgecs did not make.
pub fn promote(observed: &Observed, asked: Option<Color>) -> Result<SwapPlan, Refusal> {
    let Some(live) = known_live(observed)? else {
        return make_live(observed, asked);
    };
    let half = observed.half_swapped();
    // Without a colour: the idle one, or the one whose swap was interrupted.
    let to = asked.or(half).unwrap_or(live.other());
    if to == live && half.is_none() {
        return Ok(SwapPlan::NothingToDo { live });
    }
    runs_something(observed, to)?;
    Ok(swap_to(observed, to))
}

/// # Errors
/// Nothing recorded to go back to, or a previous colour that is not healthy.
pub fn rollback(observed: &Observed) -> Result<SwapPlan, Refusal> {
    let nothing = |message: &str| {
        Refusal::new(
            message,
            "`bgecs status` shows both colours; `bgecs promote COLOR` goes to either",
        )
    };
    let Some(live) = known_live(observed)? else {
        return Err(nothing(
            "nothing is live, so there is nothing to go back from",
        ));
    };
    let to = match (observed.half_swapped(), observed.previous()) {
        (Some(half), _) => half.other(),
        (None, Some(previous)) if previous != live => previous,
        (None, _) => {
            return Err(nothing(&format!(
                "no promotion to {live} is recorded, so there is no previous colour"
            )));
        }
    };
    runs_something(observed, to)?;
    Ok(swap_to(observed, to))
}

fn swap_to(observed: &Observed, to: Color) -> SwapPlan {
    let from = to.other();
    let (wanted, new) = (observed.color(from).running(), observed.color(to));
    // One that is still growing, as a promotion leaves it that died then, is
    // waited for as well; never is it made smaller. One that does not roll out is
    // not: the checks will say why.
    let has = match has_rolled_out(new) {
        true => new.desired().min(new.running()),
        false => new.desired(),
    };
    SwapPlan::Swap {
        from,
        to,
        match_count: (wanted > has).then(|| wanted.max(new.desired())),
    }
}

fn has_rolled_out(state: &ColorState) -> bool {
    let primary = state.service.as_ref().and_then(ServiceState::primary);
    primary.is_some_and(|primary| primary.rollout == Some(Rollout::Completed))
}

fn make_live(observed: &Observed, asked: Option<Color>) -> Result<SwapPlan, Refusal> {
    let has_service = |color: Color| observed.color(color).service.is_some();
    let color = match (asked, has_service(Color::Blue), has_service(Color::Green)) {
        (Some(color), _, _) => color,
        (None, true, false) => Color::Blue,
        (None, false, true) => Color::Green,
        (None, _, _) => {
            return Err(Refusal::new(
                "nothing is live, and it is not clear which colour should be",
                "name one: `bgecs promote blue`",
            ));
        }
    };
    runs_something(observed, color)?;
    Ok(SwapPlan::MakeLive { color })
}

fn runs_something(observed: &Observed, color: Color) -> Result<(), Refusal> {
    let deploy = || format!("`bgecs deploy CONTEXT --tag TAG --color {color}` starts one");
    match &observed.color(color).service {
        None => Err(Refusal::new(format!("{color} has no service"), deploy())),
        Some(service) if service.is_retired() => Err(Refusal::new(
            format!("{color} is retired: it runs no task"),
            deploy(),
        )),
        Some(_) => Ok(()),
    }
}
