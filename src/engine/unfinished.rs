//! What becomes of an operation that was not finished. The journal says what it was; only
//! the world says how far it came.

use std::time::Duration;

use crate::model::journal::{Command, Effect, Operation, OwnCommand};
use crate::model::{Color, Deployed, Observed, Revision, SetMark, Strategy, Tag};

use super::plan::{AFTER_A_PAUSE, Refusal, unclear};

/// What a command that meets an unfinished operation does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Finishes or undoes it, and then goes on.
    Settle,
    /// The same, and goes on too where what was begun fails for good.
    Try,
    /// Goes back to what was live when it began, and stops there: that is what
    /// the command is for.
    TakeBack,
    /// Goes on: what it does makes the other pointless.
    Supersede,
}

/// `next` is the command that meets it, `tag` what it is to deploy.
///
/// # Errors
/// What was begun can only be ended by its own kind.
pub fn reaction(
    unfinished: &Operation,
    next: Command,
    tag: Option<&Tag>,
) -> Result<Reaction, Refusal> {
    if let Some(mark) = &unfinished.set {
        return Err(of_a_set(mark));
    }
    match (unfinished.command, next) {
        (_, Command::Destroy | Command::Adopt) | (Command::Detach, Command::Detach) => {
            Ok(Reaction::Supersede)
        }
        (Command::Detach, _) => Err(detach_first()),
        (Command::Promote, Command::Detach) => Err(no_end_by_detach(
            "promotion",
            "`bgecs rollback` takes it back, `bgecs resume` brings it to its end",
        )),
        (Command::Rollback, Command::Detach) => Err(no_end_by_detach(
            "rollback",
            "`bgecs resume` brings it to its end",
        )),
        (Command::Destroy, _) => Err(Refusal::new(
            "a destroy was begun and not finished",
            "`bgecs destroy` or `bgecs resume` finishes it",
        )),
        (Command::Promote, Command::Rollback) if unfinished.from.is_some() => {
            Ok(Reaction::TakeBack)
        }
        // The first release is live on one port at most: the rest of it first.
        (Command::Deploy, _) if may_have_moved_a_listener(unfinished) => Ok(Reaction::Settle),
        // The same line typed again registers nothing twice.
        (Command::Deploy, Command::Deploy) if unfinished.tag.as_ref() == tag => Ok(Reaction::Try),
        // The way out of trouble does not first go further into it, and a new
        // release is there because the old one was no good.
        (Command::Deploy, Command::Rollback | Command::Deploy)
        | (Command::Retire, Command::Deploy) => Ok(Reaction::Supersede),
        _ => Ok(Reaction::Settle),
    }
}

/// What becomes of one module becomes of all.
fn of_a_set(mark: &SetMark) -> Refusal {
    Refusal::new(
        format!(
            "{}, of which this app is the module {}",
            mark.unfinished(),
            mark.module
        ),
        "`bgecs resume` brings it to its end, or takes it back, in all modules",
    )
}

fn detach_first() -> Refusal {
    Refusal::new(
        "a detach was begun and not finished",
        "`bgecs detach` finishes it",
    )
}

/// It may bring users to the release that one is leaving.
fn no_end_by_detach(what: &str, way_out: &str) -> Refusal {
    Refusal::new(
        format!("a {what} is unfinished: where it is to leave users is for you to say"),
        format!("{way_out}; then `bgecs detach`"),
    )
}

/// Whether listeners that are not where the journal left them may be its doing,
/// and not a stranger's.
pub fn may_have_moved_a_listener(operation: &Operation) -> bool {
    operation.intended(|effect| matches!(effect, Effect::Move(_)))
}

/// The way to a consistent end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Everything is as it was before, or was put back already.
    Undone,
    /// Traffic moves, or has moved, and the rest follows: the way there, or back.
    Shift { strategy: Strategy, is_back: bool },
    /// Nothing was live: the colour becomes it.
    MakeLive { color: Color },
    /// The service runs the new revision, or is about to.
    AwaitServing {
        color: Color,
        task_definition: Revision,
    },
    /// The service was never told of the revision, which nobody needs.
    ForgetRevision,
    /// The tasks have been told to stop.
    AwaitRetired { color: Color },
    /// The user's own command goes to its end, or once more.
    RunOwn { own: OwnCommand, color: Color },
    /// What is left of it goes too.
    GoOnDestroying,
    /// CloudFormation goes on by itself.
    AwaitStack,
    /// What is live is not well, and what was live before is not there any more:
    /// the new release may be the only one that answers at all.
    Hold { live: Color, gone: Deployed },
}

/// Which way an unfinished operation is brought to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Forward where what it made live is well and nothing failed, else back.
    AsItIs,
    /// Forward from its pause, as a person said.
    Continue {
        /// For the pause was too long: its stage first.
        is_watched_anew: bool,
    },
    /// Forward, also where it has not begun to move: others have that it goes with.
    Onward,
    /// A person wants it back.
    Back,
    /// It is seen not to be well.
    TakeBack,
}

/// A shift that stands in a pause is not gone on with, nor undone, unless a
/// person says which.
///
/// # Errors
/// It stands in one.
pub fn refuse_waiting(operation: &Operation, observed: &Observed) -> Result<(), Refusal> {
    match operation.pause() {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            format!(
                "the {} waits for a person at {}",
                operation.name(),
                observed.traffic.production
            ),
            AFTER_A_PAUSE,
        )),
    }
}

/// Where it brought users to both releases, that is nothing of a stranger's to accept.
///
/// # Errors
/// It did.
pub fn refuse_adopting(operation: &Operation, observed: &Observed) -> Result<(), Refusal> {
    if let Some(mark) = &operation.set {
        return Err(of_a_set(mark));
    }
    refuse_waiting(operation, observed)?;
    let production = &observed.traffic.production;
    let planned = operation.strategy.as_ref();
    let is_ours = planned.is_some_and(|strategy| strategy.rest(&observed.traffic).is_some());
    match production.only().is_none() && is_ours {
        true => Err(Refusal::new(
            format!(
                "the unfinished {} left {} at {production}: that is nothing to accept",
                operation.name(),
                observed.endpoints().production
            ),
            "`bgecs resume` finishes or undoes it, `bgecs rollback` takes it back",
        )),
        false => Ok(()),
    }
}

/// What a person says of a pause needs one.
///
/// # Errors
/// Nothing stands in one.
pub fn waiting(unfinished: Option<&Operation>) -> Result<&Operation, Refusal> {
    match unfinished {
        None => Err(Refusal::new(
            "nothing waits for a person: no operation is unfinished",
            "`bgecs promote` begins a promotion",
        )),
        Some(operation) if operation.pause().is_none() => Err(Refusal::new(
            format!(
                "the {} does not wait for a person: its process is gone",
                operation.name()
            ),
            "`bgecs resume` finishes or undoes it, `bgecs rollback` takes it back",
        )),
        Some(operation) => Ok(operation),
    }
}

/// How an unfinished operation ends. `to_is_well`: whether the colour that it
/// made live answers well and has a healthy target; `bake`: for how long what is
/// made live is watched.
///
/// # Errors
/// Listeners that are where the operation would never have put them.
pub fn way(
    operation: &Operation,
    observed: &Observed,
    course: Course,
    to_is_well: bool,
    bake: Duration,
) -> Result<Resolution, Refusal> {
    match operation.command {
        Command::Promote | Command::Rollback => {
            shift(operation, observed, course, to_is_well, bake)
        }
        Command::Deploy => Ok(deploy(operation, observed)),
        Command::Retire => Ok(retire(operation, observed)),
        Command::Destroy => Ok(Resolution::GoOnDestroying),
        Command::Init => Ok(Resolution::AwaitStack),
        Command::Detach => Err(detach_first()),
        Command::Resume | Command::Adopt | Command::Attach | Command::Release => {
            Ok(Resolution::Undone)
        }
    }
}

fn shift(
    operation: &Operation,
    observed: &Observed,
    course: Course,
    to_is_well: bool,
    bake: Duration,
) -> Result<Resolution, Refusal> {
    let Some(to) = operation.color else {
        return Ok(Resolution::Undone);
    };
    let found = &observed.traffic;
    let Some(origin) = &operation.from else {
        // Nothing was live when it began.
        return match found.production.only() {
            None if found.production.is_nowhere() => Ok(Resolution::Undone),
            Some(live) if live == to => Ok(Resolution::MakeLive { color: to }),
            _ => Err(elsewhere(operation, observed)),
        };
    };
    let back = || Resolution::Shift {
        strategy: Strategy::all_at_once(origin.color, found, bake),
        is_back: true,
    };
    if found.production.only() == Some(origin.color) && course != Course::Onward {
        let is_test_back = found.test.is_by_request() || found.test.only() == Some(to);
        return Ok(match is_test_back {
            true => Resolution::Undone,
            false => back(),
        });
    }
    let planned = operation.strategy.clone();
    let planned = planned.unwrap_or_else(|| Strategy::all_at_once(to, found, bake));
    let Some(rest) = planned.rest(found) else {
        return Err(elsewhere(operation, observed));
    };
    let goes_on = match course {
        Course::AsItIs => to_is_well && !operation.was_going_back(),
        Course::Continue { .. } | Course::Onward => true,
        Course::Back | Course::TakeBack => false,
    };
    Ok(match goes_on {
        true => {
            let rest = rest.watched_for(bake);
            let rest = rest.without_hooks(|hook, stage| operation.has_run(hook, stage));
            let is_told = |at| operation.was_told_to_go_on(at);
            let strategy = match course {
                Course::Continue { is_watched_anew } => rest.beyond_its_pause(is_watched_anew),
                // Who went on died ahead of the next move: nobody is asked twice.
                _ if found.production.split().is_some_and(is_told) => rest.beyond_its_pause(true),
                Course::AsItIs | Course::Onward | Course::Back | Course::TakeBack => rest,
            };
            let is_back = false;
            Resolution::Shift { strategy, is_back }
        }
        false if !origin.runs_still(observed) => Resolution::Hold {
            live: to,
            gone: origin.clone(),
        },
        false => back(),
    })
}

/// The user's own command that was to run, where bgecs does not run the colour.
fn own_command(operation: &Operation) -> Option<Resolution> {
    operation
        .entries
        .iter()
        .find_map(|entry| match entry.effect {
            Effect::RunOwn { own, color, .. } => Some(Resolution::RunOwn { own, color }),
            _ => None,
        })
}

fn deploy(operation: &Operation, observed: &Observed) -> Resolution {
    if let Some(own) = own_command(operation) {
        return own;
    }
    let (Some(color), Some(requested)) = (operation.color, &operation.task_definition) else {
        return Resolution::ForgetRevision;
    };
    let service = observed.color(color).service.as_ref();
    let runs_it = service
        .and_then(|service| service.primary())
        .is_some_and(|primary| primary.task_definition == *requested);
    let told = operation.intended(|effect| {
        matches!(
            effect,
            Effect::CreateService { .. } | Effect::UpdateService { .. }
        )
    });
    if runs_it && told {
        return Resolution::AwaitServing {
            color,
            task_definition: requested.clone(),
        };
    }
    Resolution::ForgetRevision
}

fn retire(operation: &Operation, observed: &Observed) -> Resolution {
    if let Some(own) = own_command(operation) {
        return own;
    }
    match operation.color {
        Some(color) if observed.color(color).desired() == 0 => Resolution::AwaitRetired { color },
        _ => Resolution::Undone,
    }
}

fn elsewhere(operation: &Operation, observed: &Observed) -> Refusal {
    let name = |color: Option<Color>| {
        color.map_or_else(|| "nothing".to_owned(), |color| color.to_string())
    };
    Refusal::new(
        format!(
            "{} {}, and the unfinished {} was between {} and {}: something else changed it",
            observed.endpoints().production,
            observed.traffic.production.deed(),
            operation.name(),
            name(operation.was_live()),
            name(operation.color)
        ),
        match unclear(observed) {
            Some(Refusal {
                hint: Some(way_out),
                ..
            }) => way_out,
            _ => "`bgecs adopt` accepts what is there now; or put it back by hand".to_owned(),
        },
    )
}

#[cfg(test)]
mod tests;
