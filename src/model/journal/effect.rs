//! What an operation does to AWS, one call or one kind of call at a time, and
//! what became of it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::counted::counted;
use crate::model::{
    Color, Digest, Endpoint, Hook, Move, PerRoute, Revision, Route, ScalableTarget, SetName,
};

/// One entry: written ahead of the effect, and again after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(flatten)]
    pub effect: Effect,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// None where nobody lived to write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fate: Option<Fate>,
}

impl Entry {
    /// The move of users' requests, if it is one.
    pub fn production_move(&self) -> Option<Move> {
        match self.effect {
            Effect::Move(it) if it.route == Route::Production => Some(it),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Done,
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    PushImage {
        name: String,
    },
    RegisterTaskDefinition {
        family: String,
        digest: Digest,
    },
    CreateService {
        color: Color,
        task_definition: Revision,
    },
    UpdateService {
        color: Color,
        /// None leaves the revision as it is.
        task_definition: Option<Revision>,
        desired: Option<i32>,
    },
    /// With that, what scales the colour is so; its policies may be another colour's.
    RegisterScalableTarget {
        color: Color,
        target: ScalableTarget,
        /// As it was before; none where there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<ScalableTarget>,
    },
    /// As the other colour's are.
    PutScalingPolicies {
        color: Color,
    },
    DeregisterScalableTarget {
        color: Color,
    },
    /// Its users go over with those of the other modules of that set, or not at all.
    JoinSet {
        set: SetName,
    },
    #[serde(alias = "point_listener")]
    Move(Move),
    /// For as long as this is the last entry, nobody has said that it goes on.
    WaitForAPerson,
    RunHook {
        hook: Hook,
        /// Counted from 1; none where it belongs to the whole shift.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<usize>,
    },
    /// The user's own command that deploys to a colour, or retires it.
    RunOwn {
        own: OwnCommand,
        color: Color,
        /// What was named on the command line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
    },
    DeleteService {
        color: Color,
    },
    DeleteTaskDefinitions {
        count: usize,
    },
    DeleteImages {
        repository: String,
    },
    /// Resolvers are to keep the record for less long than so many seconds.
    ShortenTtl {
        record: String,
        from: u32,
    },
    TakeRecordOver {
        record: String,
    },
    GiveRecordBack {
        record: String,
    },
    /// By which a colour is looked at, as the next two.
    MakeTestRule {
        domain: String,
        color: Color,
    },
    ChangeTestRule {
        domain: String,
        color: Color,
    },
    DeleteTestRule {
        domain: String,
        color: Color,
    },
    UpdateStack {
        name: String,
    },
    DeleteStack {
        name: String,
    },
}

/// What a colour that bgecs does not run is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnCommand {
    Deploy,
    Retire,
}

impl std::fmt::Display for OwnCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Deploy => "deploy",
            Self::Retire => "retire",
        })
    }
}

impl Effect {
    /// For a sentence; of a route by what it is called.
    pub fn told(&self, endpoints: &PerRoute<Endpoint>) -> String {
        match self {
            Self::PushImage { name } => format!("push {name}"),
            Self::RegisterTaskDefinition { family, .. } => {
                format!("register a revision of {family}")
            }
            Self::CreateService { color, .. } => format!("create the service {color}"),
            Self::UpdateService {
                color,
                desired: Some(desired),
                task_definition: None,
            } => format!("scale {color} to {}", counted(desired, "task")),
            Self::UpdateService { color, .. } => format!("update the service {color}"),
            Self::RegisterScalableTarget { color, target, .. } => target.given_to(*color),
            Self::PutScalingPolicies { color } => {
                format!("scale {color} by the policies of {}", color.other())
            }
            Self::DeregisterScalableTarget { color } => format!("forget what scales {color}"),
            Self::JoinSet { set } => format!("go over with the set {set}"),
            Self::Move(it) => it.told(endpoints),
            Self::WaitForAPerson => "wait for a person".to_owned(),
            Self::RunHook { hook, stage } => format!("run the hook {}", hook.at(*stage)),
            Self::RunOwn { own, color, .. } => format!("run the command `{own}` of {color}"),
            Self::DeleteService { color } => format!("delete the service {color}"),
            Self::DeleteTaskDefinitions { count } => {
                format!("delete {}", counted(count, "task definition"))
            }
            Self::DeleteImages { repository } => format!("delete the images in {repository}"),
            Self::ShortenTtl { record, .. } => format!("shorten the TTL of the record {record}"),
            Self::TakeRecordOver { record } => format!("take the record {record} over"),
            Self::GiveRecordBack { record } => format!("give the record {record} back"),
            Self::MakeTestRule { domain, color } => {
                format!("make the routing rule of {domain} for tests of {color}")
            }
            Self::ChangeTestRule { domain, color } => {
                format!("change the routing rule of {domain} for tests of {color}")
            }
            Self::DeleteTestRule { domain, color } => {
                format!("delete the routing rule of {domain} for tests of {color}")
            }
            Self::UpdateStack { name } => format!("update the stack {name}"),
            Self::DeleteStack { name } => format!("delete the stack {name}"),
        }
    }
}
