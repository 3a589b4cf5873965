//! Which releases may be live after a step, by what was there before it, by what
//! was typed, and by how it ended. Pure.
//!
//! Where two commands run at once, or one dies, more than one end is right. The
//! model then allows each of them, and goes on from what was found.

use std::collections::{BTreeMap, BTreeSet};

use super::script::Kind;
use crate::faults::state::{Color, State};

pub type Tag = String;
/// Tags that may be live; `None` is that nothing is.
pub type Ends = BTreeSet<Option<Tag>>;

/// A line as it was typed, with what it stood for then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Deploy(Tag),
    Promote,
    PromoteTag(Tag),
    PromoteColor(Color),
    Rollback,
    Resume,
    Retire,
    Adopt,
    Destroy,
    /// It moves no user: `init`, `status`, `unlock`.
    Other,
}

/// One that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub command: Command,
    /// `None`: it was killed.
    pub code: Option<i32>,
}

/// What there is between two steps. `None` for a state is no stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub live: Option<Color>,
    pub blue: Option<Tag>,
    pub green: Option<Tag>,
    /// Where `rollback` leads.
    pub previous: Option<Tag>,
    pub has_unfinished: bool,
}

/// What is known of the releases.
#[derive(Debug, Default)]
pub struct Model {
    kinds: BTreeMap<Tag, Kind>,
    been_live: BTreeSet<Tag>,
    /// It may have been live for a moment when nobody looked.
    maybe_live: BTreeSet<Tag>,
    /// bgecs took it back by itself.
    taken_back: BTreeSet<Tag>,
    /// Where what is unfinished may still lead.
    pending: Ends,
}

impl Seen {
    pub fn of(state: Option<&State>) -> Self {
        let Some(state) = state else {
            return Self::default();
        };
        let tag = |color| state.service(color).map(|service| service.tag.clone());
        let way_back = state.previous.as_ref().and_then(|previous| {
            let on_it = tag(previous.color);
            previous.tag.clone().or(on_it)
        });
        Self {
            live: state.live,
            blue: tag(Color::Blue),
            green: tag(Color::Green),
            previous: way_back,
            has_unfinished: state.unfinished.is_some(),
        }
    }

    pub fn on(&self, color: Color) -> Option<&Tag> {
        match color {
            Color::Blue => self.blue.as_ref(),
            Color::Green => self.green.as_ref(),
        }
    }

    /// In a few letters, for a person.
    pub fn shown(&self) -> String {
        let on = |color: Color| self.on(color).map_or("-", String::as_str);
        let live = |color: Color| {
            if self.live == Some(color) {
                " live"
            } else {
                ""
            }
        };
        let unfinished = if self.has_unfinished {
            ", unfinished"
        } else {
            ""
        };
        format!(
            "blue {}{}, green {}{}{unfinished}",
            on(Color::Blue),
            live(Color::Blue),
            on(Color::Green),
            live(Color::Green)
        )
    }

    pub fn live_tag(&self) -> Option<&Tag> {
        self.on(self.live?)
    }

    pub fn idle_tag(&self) -> Option<&Tag> {
        self.on(self.live?.other())
    }
}

impl Model {
    /// A release that is deployed from now on.
    pub fn deployed(&mut self, tag: &str, kind: Kind) {
        self.kinds.insert(tag.to_owned(), kind);
    }

    fn kind(&self, tag: &str) -> Kind {
        self.kinds.get(tag).copied().unwrap_or(Kind::Good)
    }

    /// Whether users of it may see failures that are its own.
    pub fn fails_by_itself(&self, tag: Option<&Tag>) -> bool {
        tag.is_some_and(|tag| !self.kind(tag).serves())
    }

    /// Whether a release that fails by itself may be live for a while.
    pub fn may_expose(&self, before: &Seen, runs: &[Run]) -> bool {
        let ends = self.ends_of_all(before, before, runs);
        let exposed = |tag: &Option<Tag>| self.fails_by_itself(tag.as_ref());
        // A promotion that was taken back in time has shown it all the same.
        let tried = runs.iter().flat_map(|run| self.goals(before, &run.command));
        ends.iter().any(exposed) || tried.collect::<Ends>().iter().any(exposed)
    }

    /// What is wrong with the end of a step, and what is known from now on.
    pub fn take(&mut self, before: &Seen, runs: &[Run], after: &Seen) -> Vec<String> {
        let mut wrong = Vec::new();
        let ends = self.ends_of_all(before, after, runs);
        let live = after.live_tag().cloned();
        if !ends.contains(&live) {
            let may: Vec<String> = ends.iter().map(named).collect();
            wrong.push(format!(
                "{} is live, and only {} may be",
                named(&live),
                may.join(" or ")
            ));
        }
        wrong.extend(runs.iter().filter_map(unknown_code));
        // What one of two found, the other may have changed since.
        if let [run] = runs {
            wrong.extend(self.denied(before, run, after));
        }
        self.learn(before, runs, after);
        wrong
    }

    /// What there is in the beginning.
    pub fn begin(&mut self, seen: &Seen) {
        self.been_live.extend(seen.live_tag().cloned());
    }

    /// Somebody else did something: it is as it is. Whether it was live, who
    /// moved no listener cannot know.
    pub fn accept(&mut self, after: &Seen) {
        let live = after
            .live_tag()
            .filter(|tag| !self.been_live.contains(*tag));
        self.maybe_live.extend(live.cloned());
        if !self.pending.is_empty() {
            self.pending.insert(after.live_tag().cloned());
        }
    }

    fn learn(&mut self, before: &Seen, runs: &[Run], after: &Seen) {
        let goals: Ends = runs
            .iter()
            .flat_map(|run| self.goals(before, &run.command))
            .collect();
        for run in runs {
            let goals = self.goals(before, &run.command);
            let tags = goals.into_iter().flatten();
            match run.code {
                Some(3) => self.taken_back.extend(tags),
                None | Some(4 | 130) => self.maybe_live.extend(tags),
                Some(_) => {}
            }
        }
        for run in runs {
            // Deployed anew, it is a release that was not live, or the one that
            // was: either may be said of it.
            if let Command::Deploy(tag) = &run.command
                && ![&before.blue, &before.green].contains(&&Some(tag.clone()))
                && (self.been_live.remove(tag) | self.taken_back.remove(tag))
            {
                self.maybe_live.insert(tag.clone());
            }
        }
        if let Some(live) = after.live_tag() {
            self.taken_back.remove(live);
            self.been_live.insert(live.clone());
        }
        if after.has_unfinished {
            self.pending.extend(goals);
            self.pending.insert(before.live_tag().cloned());
            self.pending.insert(after.live_tag().cloned());
            // What is unfinished may have been live while nobody looked.
            self.maybe_live
                .extend(self.pending.iter().flatten().cloned());
        } else {
            self.pending.clear();
        }
    }

    fn ends_of_all(&self, before: &Seen, after: &Seen, runs: &[Run]) -> Ends {
        match runs {
            [] => [before.live_tag().cloned()].into(),
            [run] => self.ends(before, after, run),
            // Each may come before, after or in the middle of the other.
            many => {
                let mut ends = self.unmoved(before);
                for run in many {
                    ends.extend(self.ends(before, after, run));
                    ends.extend(self.goals(before, &run.command));
                }
                ends
            }
        }
    }

    /// Where users are if nothing but what is unfinished is brought to its end.
    fn unmoved(&self, before: &Seen) -> Ends {
        let mut ends = self.pending.clone();
        ends.insert(before.live_tag().cloned());
        ends
    }

    fn ends(&self, before: &Seen, after: &Seen, run: &Run) -> Ends {
        let unmoved = self.unmoved(before);
        let goals = self.goals(before, &run.command);
        match (&run.command, run.code) {
            (Command::Destroy, Some(0)) => [None].into(),
            (Command::PromoteTag(tag), Some(0)) => [Some(tag.clone())].into(),
            // The colour may have got another release first, of an unfinished
            // deploy.
            (Command::PromoteColor(color), Some(0)) => [after.on(*color).cloned()].into(),
            (Command::Deploy(tag), Some(0)) if before.live.is_none() => [Some(tag.clone())].into(),
            (Command::Promote, Some(0)) if self.pending.is_empty() => {
                let certain = goals
                    .iter()
                    .flatten()
                    .all(|tag| !self.maybe_live.contains(tag));
                match goals.is_empty() || !certain {
                    true => &unmoved | &goals,
                    false => goals,
                }
            }
            (Command::Rollback, Some(0)) if self.pending.is_empty() && !goals.is_empty() => goals,
            // Somebody's end, or none: it may have come to its goal.
            (_, None | Some(0 | 4)) => &unmoved | &goals,
            // It failed and says that no user was moved by it.
            _ => unmoved,
        }
    }

    /// What a command may make live, by what it sees.
    fn goals(&self, before: &Seen, command: &Command) -> Ends {
        let one = |tag: Option<&Tag>| tag.cloned().map(Some).into_iter().collect();
        match command {
            Command::Deploy(tag) if before.live.is_none() => one(Some(tag)),
            Command::Promote => {
                let is_new =
                    |tag: &&Tag| !self.been_live.contains(*tag) && !self.taken_back.contains(*tag);
                match before.live {
                    Some(_) => one(before.idle_tag().filter(is_new)),
                    None => [&before.blue, &before.green].into_iter().cloned().collect(),
                }
            }
            Command::PromoteTag(tag) => one(Some(tag)),
            Command::PromoteColor(color) => one(before.on(*color)),
            Command::Rollback => one(before.previous.as_ref()),
            Command::Destroy => [None].into(),
            Command::Deploy(_)
            | Command::Resume
            | Command::Retire
            | Command::Adopt
            | Command::Other => Ends::new(),
        }
    }

    /// An exit code that says what is not so.
    fn denied(&self, before: &Seen, run: &Run, after: &Seen) -> Option<String> {
        let code = run.code?;
        let live = after.live_tag();
        match &run.command {
            Command::Deploy(tag) if code == 0 && !self.kind(tag).can_be_deployed() => {
                let kind = self.kind(tag).as_str();
                Some(format!("a deploy of a release that {kind} ended with 0"))
            }
            Command::Deploy(tag) if code == 0 => {
                let there = [&after.blue, &after.green].contains(&&Some(tag.clone()));
                (!there).then(|| format!("deploy ended with 0, and {tag} is nowhere"))
            }
            Command::Promote
            | Command::PromoteTag(_)
            | Command::PromoteColor(_)
            | Command::Rollback
            | Command::Resume
                if code == 0
                    && self.fails_by_itself(live)
                    && (live != before.live_tag() || before.has_unfinished) =>
            {
                Some(format!(
                    "{:?} ended with 0, and users are on {}, which fails",
                    run.command,
                    named(&live.cloned())
                ))
            }
            _ => None,
        }
    }
}

fn unknown_code(run: &Run) -> Option<String> {
    let code = run.code?;
    let is_known = [0, 1, 2, 3, 4, 5, 6, 130].contains(&code);
    (!is_known).then(|| format!("{:?} ended with {code}", run.command))
}

fn named(tag: &Option<Tag>) -> String {
    match tag {
        Some(tag) => format!("tag {tag}"),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests;
