//! Whether the idle colour may be scaled to zero.

use super::{Refusal, known_live, nothing_is_live, refuse_cutting_off};
use crate::model::{Color, Observed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetirePlan {
    NothingToDo { color: Color },
    Retire { color: Color, tasks: i32 },
}

/// # Errors
/// A colour that a request can reach, nothing live at all, or nothing that serves: tasks
/// can get SIGTERM before their target is deregistered, so users would see it.
pub fn retire(observed: &Observed) -> Result<RetirePlan, Refusal> {
    let live = known_live(observed)?;
    let Some(live) = live else {
        return Err(nothing_is_live(observed));
    };
    let color = live.other();
    if observed.traffic.production.reaches(color) {
        return Err(Refusal::new(
            format!("{} still reaches {color}", observed.endpoints().production),
            "see `bgecs status`",
        ));
    }
    let tasks = observed.color(color).desired();
    if !observed.color(color).is_up() {
        return Ok(RetirePlan::NothingToDo { color });
    }
    if observed.color(live).targets.healthy() == 0 {
        let (live, is_ecs) = (observed.named(live), observed.ecs().is_ok());
        return Err(Refusal::new(
            match is_ecs {
                true => format!(
                    "{live} is live without a healthy target: the tasks of {color} are the only ones"
                ),
                false => {
                    format!(
                        "{live} is live and is failing: {color} may be the only release that works"
                    )
                }
            },
            format!(
                "`bgecs promote {color}` brings users to these, with --fix-forward where nothing answers"
            ),
        ));
    }
    refuse_cutting_off(&observed.other_ways, &[color], "bgecs retire")?;
    Ok(RetirePlan::Retire { color, tasks })
}
