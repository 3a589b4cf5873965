//! What an operation does to AWS, one call or one kind of call at a time, and
//! what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::counted::counted;
use crate::model::{Color, Digest, Hook, Move, Route, TaskDefinitionArn};

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
    /// Of users' requests, if it is one.
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
        task_definition: TaskDefinitionArn,
    },
    UpdateService {
        color: Color,
        /// None leaves the revision as it is.
        task_definition: Option<TaskDefinitionArn>,
        desired: Option<i32>,
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
    DeleteService {
        color: Color,
    },
    DeleteTaskDefinitions {
        count: usize,
    },
    DeleteImages {
        repository: String,
    },
    UpdateStack {
        name: String,
    },
    DeleteStack {
        name: String,
    },
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PushImage { name } => write!(f, "push {name}"),
            Self::RegisterTaskDefinition { family, .. } => {
                write!(f, "register a revision of {family}")
            }
            Self::CreateService { color, .. } => write!(f, "create the service {color}"),
            Self::UpdateService {
                color,
                desired: Some(desired),
                task_definition: None,
            } => write!(f, "scale {color} to {}", counted(desired, "task")),
            Self::UpdateService { color, .. } => write!(f, "update the service {color}"),
            Self::Move(it) => write!(f, "{it}"),
            Self::WaitForAPerson => f.write_str("wait for a person"),
            Self::RunHook { hook, stage } => write!(f, "run the hook {}", hook.at(*stage)),
            Self::DeleteService { color } => write!(f, "delete the service {color}"),
            Self::DeleteTaskDefinitions { count } => {
                write!(f, "delete {}", counted(count, "task definition"))
            }
            Self::DeleteImages { repository } => write!(f, "delete the images in {repository}"),
            Self::UpdateStack { name } => write!(f, "update the stack {name}"),
            Self::DeleteStack { name } => write!(f, "delete the stack {name}"),
        }
    }
}
