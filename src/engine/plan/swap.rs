//! Which release a promote or a rollback makes live, and which way traffic goes
//! for it. What is asked for is a release: a colour is only where it runs.

use super::standing::{Standing, standing};
use super::{Refusal, known_live};
use crate::model::journal::{Command, Left, Previous};
use crate::model::{Color, ColorState, Deployed, Observed, Rollout, Tag};

/// What a promotion is to make live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// What was deployed last and has not been live.
    Newest,
    /// That tag, wherever it runs, or on that colour alone.
    Tag { tag: Tag, on: Option<Color> },
    /// Whatever runs there.
    Color(Color),
    /// Exactly this, wherever things are by now.
    Release(Deployed),
    /// Nothing but what is live: there was nothing newer.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapPlan {
    NothingToDo {
        live: Color,
        why: Needless,
    },
    /// Nothing is live: no user can notice.
    MakeLive {
        color: Color,
    },
    Swap {
        from: Color,
        to: Color,
    },
}

/// Why nothing is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needless {
    LiveAlready,
    /// No release was deployed that has not been live.
    NothingNew,
    /// What was live before was gone back from.
    WentBack,
}

impl Needless {
    /// In a sentence, and where there is a way on, with it.
    pub fn sentence(self, observed: &Observed, live: Color) -> String {
        let live = observed.named(live);
        match self {
            Self::LiveAlready => format!("nothing to do: {live} is live already"),
            Self::WentBack => format!("nothing to go back to: {live} is live"),
            Self::NothingNew => match observed.previous() {
                Some(Previous {
                    release,
                    left: Left::Replaced,
                }) if release.runs_still(observed) => format!(
                    "nothing to promote: {live} is live, and nothing was deployed since; `bgecs rollback` goes back to {release}"
                ),
                Some(Previous {
                    release:
                        Deployed {
                            tag: Some(tag),
                            color,
                            ..
                        },
                    left: Left::RolledBack,
                }) => format!(
                    "nothing to promote: {live} is live again, after a rollback from {color} (tag {tag}); `bgecs promote --tag {tag}` makes it live once more"
                ),
                _ => format!("nothing to promote: {live} is live, and nothing was deployed since"),
            },
        }
    }
}

/// Says now what a promotion means, for one that is carried out later: what is
/// newest then, or runs on a colour, is another thing.
pub fn fixed(observed: &Observed, aim: Aim) -> Aim {
    let color = match (&aim, observed.live_color()) {
        (Aim::Color(color), _) => *color,
        (Aim::Newest, Some(live)) => match newest(observed, live) {
            Ok(Some(color)) => color,
            Ok(None) => return Aim::Nothing,
            // It is refused in the end, too.
            Err(_) => return aim,
        },
        _ => return aim,
    };
    observed.deployed(color).map_or(aim, Aim::Release)
}

/// Where the release runs that was deployed last and has not been live.
///
/// # Errors
/// It was live, and taken back.
fn newest(observed: &Observed, live: Color) -> Result<Option<Color>, Refusal> {
    let idle = live.other();
    match standing(observed, idle) {
        Standing::Was(Left::TakenBack) => Err(taken_back(observed, idle)),
        Standing::New if is_newer(observed, idle) => Ok(Some(idle)),
        _ => Ok(None),
    }
}

/// # Errors
/// A release that runs nowhere, was taken back, or has no task; a world that
/// bgecs did not make.
pub fn promote(observed: &Observed, aim: &Aim) -> Result<SwapPlan, Refusal> {
    let Some(live) = known_live(observed)? else {
        if is_bare(observed) {
            return Err(nothing_is_live(observed));
        }
        let color = first(observed, aim)?;
        runs_something(observed, color)?;
        return Ok(SwapPlan::MakeLive { color });
    };
    let nothing = |why| Ok(SwapPlan::NothingToDo { live, why });
    let to = match aim {
        Aim::Nothing => return nothing(Needless::NothingNew),
        Aim::Newest => match newest(observed, live)? {
            Some(color) => color,
            None => return nothing(Needless::NothingNew),
        },
        Aim::Tag { tag, on } => carrier(observed, tag, *on, [live, live.other()])?,
        Aim::Color(color) => *color,
        Aim::Release(release) => {
            let to = holder(observed, release, [live, live.other()])?;
            let was_taken_back = standing(observed, to) == Standing::Was(Left::TakenBack);
            if to != live && was_taken_back {
                return Err(taken_back(observed, to));
            }
            to
        }
    };
    if to == live {
        return nothing(Needless::LiveAlready);
    }
    runs_something(observed, to)?;
    Ok(SwapPlan::Swap { from: live, to })
}

/// Where a rollback leads that is typed now and carried out later: the way back
/// of another promotion is another one.
pub fn way_back(observed: &Observed) -> Option<Deployed> {
    let unfinished = observed.journal.operation.as_ref();
    match unfinished.filter(|operation| operation.command == Command::Promote) {
        Some(promotion) => promotion.from.clone(),
        None => {
            let previous = observed.previous()?;
            (previous.left == Left::Replaced).then(|| previous.release.clone())
        }
    }
}

/// The same, where that was what it meant when it was typed.
///
/// # Errors
/// As [`rollback`]; another way back by now.
pub fn rollback_to(observed: &Observed, meant: &Deployed) -> Result<SwapPlan, Refusal> {
    let is_meant = |color: Color| color == meant.color && meant.runs_still(observed);
    if let Some(live) = known_live(observed)?.filter(|live| is_meant(*live)) {
        let why = Needless::LiveAlready;
        return Ok(SwapPlan::NothingToDo { live, why });
    }
    match rollback(observed)? {
        SwapPlan::Swap { to, .. } if !is_meant(to) => Err(Refusal::new(
            format!(
                "when this was typed, the way back was {meant}; now it is {}: {}",
                observed.named(to),
                what_runs(observed)
            ),
            "`bgecs rollback` goes back to that one",
        )),
        plan => Ok(plan),
    }
}

/// # Errors
/// Nothing recorded to go back to, or something else in its place by now.
pub fn rollback(observed: &Observed) -> Result<SwapPlan, Refusal> {
    let Some(live) = known_live(observed)? else {
        return Err(nothing_is_live(observed));
    };
    let Some(Previous { release, left }) = observed.previous() else {
        return Err(Refusal::new(
            format!(
                "there is no release to go back to: no promotion to {} is recorded",
                observed.named(live)
            ),
            ways_to_another(observed, live),
        ));
    };
    match left {
        Left::RolledBack => Ok(SwapPlan::NothingToDo {
            live,
            why: Needless::WentBack,
        }),
        Left::TakenBack => Err(Refusal::new(
            format!(
                "the last promotion, of {release}, was taken back: {} is live, as before it",
                observed.named(live)
            ),
            ways_to_another(observed, live),
        )),
        Left::Replaced if release.color == live || !release.runs_still(observed) => {
            Err(overwritten(observed, live, release))
        }
        Left::Replaced => {
            runs_something(observed, release.color)?;
            let to = release.color;
            Ok(SwapPlan::Swap { from: live, to })
        }
    }
}

fn overwritten(observed: &Observed, live: Color, release: &Deployed) -> Refusal {
    let runs = match observed.deployed(release.color) {
        Some(now) => format!("runs {} now", now.release()),
        None => "runs nothing any more".to_owned(),
    };
    Refusal::new(
        format!(
            "the release before, {}, is gone: {} {runs}, and {} is live",
            release.release(),
            release.color,
            observed.named(live)
        ),
        match &release.tag {
            Some(tag) => format!(
                "`bgecs deploy CONTEXT --tag {tag}` brings it back; {}",
                ways_to_another(observed, live)
            ),
            None => ways_to_another(observed, live),
        },
    )
}

/// What makes the idle release live all the same, where there is one.
fn ways_to_another(observed: &Observed, live: Color) -> String {
    let idle = live.other();
    let state = observed.color(idle);
    // One that never came up is no way out.
    let primary = state.service.as_ref().and_then(|it| it.primary());
    let has_come_up = primary.is_some_and(|it| it.rollout == Some(Rollout::Completed));
    let serves = is_running(observed, idle) && has_come_up;
    match state.tag() {
        Some(tag) if serves && observed.color(live).tag() != Some(tag) => {
            format!("`bgecs promote --tag {tag}` makes tag {tag} live")
        }
        _ if serves => format!("`bgecs promote {idle}` makes live what {idle} runs"),
        _ => "`bgecs deploy CONTEXT --tag TAG`, then `bgecs promote`".to_owned(),
    }
}

fn taken_back(observed: &Observed, color: Color) -> Refusal {
    let release = observed.named(color);
    Refusal::new(
        format!("{release} was taken back when it last went live (`bgecs history` says why)"),
        match observed.color(color).tag() {
            Some(tag) => format!(
                "`bgecs promote --tag {tag}` tries it again; or deploy another release: `bgecs deploy CONTEXT --tag TAG`"
            ),
            None => format!("`bgecs promote {color}` tries it again"),
        },
    )
}

/// The colour that runs the tag, the first of those that do.
fn carrier(
    observed: &Observed,
    tag: &Tag,
    on: Option<Color>,
    order: [Color; 2],
) -> Result<Color, Refusal> {
    let runs_it = |color: &Color| observed.color(*color).tag() == Some(tag);
    let mut allowed = order
        .into_iter()
        .filter(|color| on.is_none_or(|on| on == *color));
    allowed.find(runs_it).ok_or_else(|| {
        Refusal::new(
            format!(
                "{} tag {tag}: {}",
                match on {
                    Some(color) => format!("{color} does not run"),
                    None => "neither colour runs".to_owned(),
                },
                what_runs(observed)
            ),
            format!("`bgecs deploy CONTEXT --tag {tag}` puts it on the idle colour"),
        )
    })
}

/// The colour that runs that very release.
fn holder(observed: &Observed, release: &Deployed, order: [Color; 2]) -> Result<Color, Refusal> {
    let runs_it = |color: &Color| {
        let now = observed.deployed(*color);
        now.is_some_and(|now| now.revision == release.revision)
    };
    order.into_iter().find(runs_it).ok_or_else(|| {
        Refusal::new(
            format!(
                "{release}, which was to go live when this was typed, is gone now: {}",
                what_runs(observed)
            ),
            "see `bgecs status`, then `bgecs promote --tag TAG`",
        )
    })
}

fn what_runs(observed: &Observed) -> String {
    let runs = |color| match observed.deployed(color) {
        Some(deployed) => format!("{color} runs {}", deployed.release()),
        None => format!("{color} runs nothing"),
    };
    Color::BOTH.map(runs).join(", ")
}

/// What becomes live where nothing is.
fn first(observed: &Observed, aim: &Aim) -> Result<Color, Refusal> {
    match aim {
        Aim::Color(color) => Ok(*color),
        Aim::Tag { tag, on } => carrier(observed, tag, *on, Color::BOTH),
        Aim::Release(release) => holder(observed, release, Color::BOTH),
        Aim::Newest | Aim::Nothing => {
            let mut there: Vec<(Option<&str>, Color)> = Color::BOTH
                .into_iter()
                .filter(|color| is_running(observed, *color))
                .map(|color| (deployed_at(observed.color(color)), color))
                .collect();
            there.sort_unstable();
            match there.as_slice() {
                [] => Err(nothing_is_live(observed)),
                [(_, only)] => Ok(*only),
                [.., (before, _), (last, color)] if before < last => Ok(*color),
                _ => Err(Refusal::new(
                    format!(
                        "nothing is live, and it is not known which release is newer: {}",
                        what_runs(observed)
                    ),
                    "name one: `bgecs promote blue`, `bgecs promote green`",
                )),
            }
        }
    }
}

/// When it was deployed, by AWS's clock, as text that sorts by time.
fn deployed_at(state: &ColorState) -> Option<&str> {
    let operation = state.release.as_ref()?.operation.as_deref()?;
    operation.split_once('-').map(|(second, _)| second)
}

/// Whether the idle release was deployed after the live one. One of which nobody
/// knows when it was is taken for the newer one.
fn is_newer(observed: &Observed, idle: Color) -> bool {
    let [idle, live] = [idle, idle.other()].map(|color| deployed_at(observed.color(color)));
    idle.zip(live).is_none_or(|(idle, live)| idle >= live)
}

/// The way on from a world in which no user is served.
pub fn nothing_is_live(observed: &Observed) -> Refusal {
    let is_there = |color: &Color| is_running(observed, *color);
    match Color::BOTH.into_iter().find(is_there) {
        None if is_bare(observed) => Refusal::new(
            "nothing is deployed yet",
            "`bgecs deploy . --tag 1` makes the first release live",
        ),
        None => Refusal::new(
            "nothing is live, and neither colour runs any tasks",
            "`bgecs deploy CONTEXT --tag TAG` makes a release live",
        ),
        Some(color) => Refusal::new(
            format!("nothing is live yet: {}", what_runs(observed)),
            format!("`bgecs promote {color}` makes live what {color} runs"),
        ),
    }
}

/// Whether nothing was ever deployed, for all that can be seen.
pub fn is_bare(observed: &Observed) -> bool {
    Color::BOTH
        .into_iter()
        .all(|color| observed.deployed(color).is_none())
}

fn is_running(observed: &Observed, color: Color) -> bool {
    observed.color(color).is_up()
}

fn runs_something(observed: &Observed, color: Color) -> Result<(), Refusal> {
    let tag = observed.color(color).tag();
    // What is live on the other colour is not deployed twice unasked.
    let is_live_too = tag.is_some() && observed.color(color.other()).tag() == tag;
    let deploy = || {
        let tag = tag.map_or("TAG", Tag::as_str);
        let force = if is_live_too { " --force" } else { "" };
        format!("`bgecs deploy CONTEXT --tag {tag} --color {color}{force}` starts its tasks")
    };
    let state = observed.color(color);
    let is_ecs = observed.ecs().is_ok();
    match (state.is_there(), state.is_retired()) {
        (false, _) if is_ecs => Err(Refusal::new(format!("{color} has no service"), deploy())),
        (false, _) => Err(Refusal::new(
            format!("nothing is deployed on {color}, for all that the journal knows"),
            deploy(),
        )),
        (true, true) if is_ecs => Err(Refusal::new(
            format!("{} is retired: it runs no tasks", observed.named(color)),
            deploy(),
        )),
        (true, true) => Err(Refusal::new(
            format!("{} is retired", observed.named(color)),
            deploy(),
        )),
        (true, false) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
