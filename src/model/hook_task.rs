//! A hook that is a task of the new release, such as a migration. What the journal keeps
//! about it makes it run once for that release, whoever dies meanwhile.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::journal::Fate;
use super::{Deployed, Digest, Hook, Revision, Tag};
use crate::hex;

/// What is to run once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookTask {
    pub hook: Hook,
    pub command: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where nobody knows the image: of the same release a second deployment has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
}

impl HookTask {
    pub fn of(hook: Hook, release: &Deployed, command: &[String]) -> Self {
        let Deployed {
            tag,
            digest,
            revision,
            color: _,
        } = release.clone();
        Self {
            hook,
            command: command.to_vec(),
            tag,
            revision: revision.filter(|_| digest.is_none()),
            digest,
        }
    }

    /// By which it is found again: of the same release, the same one.
    pub fn key(&self) -> String {
        // Names for keys, and no number that JSON lacks.
        hex::sha256(serde_json::to_vec(self).unwrap_or_default())
    }

    /// By which ECS knows one try of it: 64 characters, as many as it takes.
    pub fn token(&self, attempt: u32) -> String {
        hex::sha256(format!("{}#{attempt}", self.key()))
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookTaskRecord {
    #[serde(flatten)]
    pub it: HookTask,
    /// Counted from 1. One that failed may be tried again.
    pub attempt: u32,
    #[serde(with = "rfc3339")]
    pub begun: OffsetDateTime,
    pub who: String,
    /// Its ARN; none where nobody lived to write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// None as long as nobody has seen its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fate: Option<Fate>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Color;

    fn release(color: Color, tag: &str, revision: &str) -> Deployed {
        Deployed {
            color,
            tag: Some(tag.parse().unwrap()),
            revision: Some(Revision::new(revision)),
            digest: Some(format!("sha256:{}", "ab".repeat(32)).parse().unwrap()),
        }
    }

    #[test]
    fn it_is_the_same_for_the_same_release_wherever_that_runs() {
        let migrate = ["migrate".to_owned()];
        let key = |release: &Deployed, command: &[String]| {
            HookTask::of(Hook::BeforeShift, release, command).key()
        };
        let two = release(Color::Blue, "2", "task-definition/web:7");
        let again = release(Color::Green, "2", "task-definition/web:9");
        assert_eq!(key(&two, &migrate), key(&again, &migrate));
        let three = release(Color::Blue, "3", "task-definition/web:7");
        assert_ne!(key(&two, &migrate), key(&three, &migrate));
        let all = ["migrate".to_owned(), "--all".to_owned()];
        assert_ne!(key(&two, &migrate), key(&two, &all));
        let unknown = |release: &Deployed| Deployed {
            digest: None,
            ..release.clone()
        };
        assert_ne!(
            key(&unknown(&two), &migrate),
            key(&unknown(&again), &migrate)
        );
    }

    #[test]
    fn each_try_has_a_token_that_ecs_takes() {
        let two = release(Color::Blue, "2", "task-definition/web:7");
        let it = HookTask::of(Hook::BeforeShift, &two, &["migrate".to_owned()]);
        assert_eq!(it.token(1).len(), 64);
        assert_eq!(it.token(1), it.clone().token(1));
        assert_ne!(it.token(1), it.token(2));
    }
}
