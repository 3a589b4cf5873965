//! One operation, from its first intent to its end.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;
use time::serde::rfc3339;

use super::asked::is_false;
use super::{Asked, Command, Effect, Entry, Fate, Holder, Who};
use crate::model::deployed::read_either;
use crate::model::{
    Color, Deployed, Digest, Endpoint, Hook, PerRoute, Revision, SetMark, Split, Strategy, Tag,
};

/// When it began, to the second, and four random letters: sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(String);

impl OperationId {
    pub fn new(at: OffsetDateTime, random: u32) -> Self {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        // A format of digits alone cannot fail.
        let time = at
            .to_offset(time::UtcOffset::UTC)
            .format(&format)
            .unwrap_or_default();
        Self(format!("{time}-{random:08x}"))
    }

    /// One that was written before.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When it began, as text that sorts by time.
    pub fn second(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(second, _)| second)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub id: OperationId,
    pub command: Command,
    pub who: Who,
    #[serde(with = "rfc3339")]
    pub began: OffsetDateTime,
    /// The colour that it is about: deployed onto, made live, retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// What was live when it began: where its way back leads.
    #[serde(
        default,
        deserialize_with = "read_either",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<Deployed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_definition: Option<Revision>,
    /// How it watches production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Whether target health and alarms alone judge the release, and nobody asks
    /// it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub blind: bool,
    /// How its traffic is to go over. How far it came is in the entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The release that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetMark>,
    #[serde(default)]
    pub entries: Vec<Entry>,
    /// Those who went on with it after its first holder was gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_up_by: Vec<Who>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    pub outcome: OperationOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where production was watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
}

/// What a probe of production saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    pub requests: u64,
    pub failed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changeover_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    Done,
    RolledBack,
    Failed,
    Refused,
    TimedOut,
    Interrupted,
    /// Users saw failures, and it was left on the new colour.
    Left,
    /// Its holder was gone, and another brought it to its end.
    Finished,
    /// Its holder was gone, and another took back what it had done.
    Undone,
    /// Its holder was gone, and another command made it pointless.
    Superseded,
    /// What was there was taken as it was.
    Adopted,
}

impl OperationOutcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::RolledBack => "rolled back",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Interrupted => "interrupted",
            Self::Left => "left",
            Self::Finished => "finished",
            Self::Undone => "undone",
            Self::Superseded => "superseded",
            Self::Adopted => "adopted",
        }
    }
}

impl Operation {
    pub fn of(holder: &Holder) -> Self {
        Self {
            id: holder.id.clone(),
            command: holder.command,
            who: holder.who.clone(),
            began: holder.since,
            color: None,
            from: None,
            set: None,
            tag: None,
            digest: None,
            task_definition: None,
            asked: None,
            blind: false,
            strategy: None,
            entries: Vec::new(),
            taken_up_by: Vec::new(),
            ending: None,
        }
    }

    /// The release that it is about, as far as it is known.
    pub fn release(&self) -> Option<Deployed> {
        Some(Deployed {
            color: self.color?,
            revision: self.task_definition.clone(),
            tag: self.tag.clone(),
            digest: self.digest.clone(),
        })
    }

    /// The colour that was live when it began.
    pub fn was_live(&self) -> Option<Color> {
        self.from.as_ref().map(|from| from.color)
    }

    /// `promote of tag 2 to blue`, for sentences.
    pub fn name(&self) -> String {
        let mut name = self.command.to_string();
        if let Some(tag) = &self.tag {
            name += &format!(" of tag {tag}");
        }
        if let Some(color) = self.color {
            name += match self.command {
                Command::Deploy => " onto ",
                Command::Retire => " of ",
                _ => " to ",
            };
            name += color.as_str();
        }
        name
    }

    /// What it did last, or was about to do.
    pub fn last_words(&self, endpoints: &PerRoute<Endpoint>) -> String {
        match self.entries.last() {
            None => "nothing was done".to_owned(),
            Some(Entry { effect, fate, .. }) => {
                let effect = effect.told(endpoints);
                match fate {
                    None => format!("it was about to {effect}"),
                    Some(Fate::Done) => format!("the last it did: {effect}"),
                    Some(Fate::Failed(reason)) => format!("it could not {effect}: {reason}"),
                }
            }
        }
    }

    /// Whether it was at least about to do something of that kind.
    pub fn intended(&self, is_it: impl Fn(&Effect) -> bool) -> bool {
        self.entries.iter().any(|entry| is_it(&entry.effect))
    }

    /// Whether that hook ended well; one that was cut short has not run.
    pub fn has_run(&self, hook: Hook, stage: Option<usize>) -> bool {
        let run = Effect::RunHook { hook, stage };
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.effect == run && entry.fate == Some(Fate::Done))
    }

    /// Where production was when it began: as it was found ahead of the first
    /// move of it, or else as the operation says itself.
    pub fn origin(&self) -> Option<Color> {
        match self.entries.iter().find_map(Entry::production_move) {
            Some(first) => first.from?.only(),
            None => self.was_live(),
        }
    }

    /// The pause in which it stands, until a person says that it goes on.
    pub fn pause(&self) -> Option<&Entry> {
        let last = self.entries.last()?;
        let is_over = last.fate.is_some() || self.ending.is_some();
        (last.effect == Effect::WaitForAPerson && !is_over).then_some(last)
    }

    /// Whether a person has said that it goes on from where it brought production
    /// to that split.
    pub fn was_told_to_go_on(&self, at: Split) -> bool {
        let brought = |entry: &Entry| entry.production_move().is_some_and(|it| it.to == at);
        let since = self.entries.iter().rposition(brought).unwrap_or(0);
        let mut since = self.entries[since..].iter();
        self.pause().is_none() && since.any(|entry| entry.effect == Effect::WaitForAPerson)
    }

    /// Since when production is where it brought it last.
    pub fn moved_production_at(&self) -> Option<OffsetDateTime> {
        let mut entries = self.entries.iter().rev();
        let last = entries.find(|entry| entry.production_move().is_some());
        last.map(|entry| entry.at)
    }

    /// Whether it was about to take production back to where that was.
    pub fn was_going_back(&self) -> bool {
        let Some(home) = self.origin().map(Split::all) else {
            return false;
        };
        let mut moves = self.entries.iter().filter_map(Entry::production_move);
        self.color != self.origin() && moves.any(|it| it.to == home)
    }

    /// Writes down what is about to be done.
    pub fn intend(&mut self, at: OffsetDateTime, effect: Effect) {
        self.entries.push(Entry {
            effect,
            at,
            fate: None,
        });
    }

    /// Writes down what became of the last intent.
    pub fn settle(&mut self, fate: Fate) {
        if let Some(entry) = self.entries.last_mut() {
            entry.fate.get_or_insert(fate);
        }
    }
}
