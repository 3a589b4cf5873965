//! A job of a release set: something that runs the set's release without a load balancer
//! in front of it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Revision, SetName};

/// What names the task definition that a job runs by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobTarget {
    /// An ECS service that no load balancer leads to.
    Service { cluster: String, service: String },
    /// Of EventBridge Scheduler.
    Schedule { group: String, schedule: String },
    /// Of EventBridge; by its id, one of the targets that the rule starts.
    Rule {
        bus: String,
        rule: String,
        target: Option<String>,
    },
}

impl JobTarget {
    /// As its file has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Service { .. } => "service",
            Self::Schedule { .. } => "schedule",
            Self::Rule { .. } => "rule",
        }
    }

    /// As errors of AWS name it.
    pub fn path(&self) -> String {
        match self {
            Self::Service { cluster, service } => format!("{cluster}/{service}"),
            Self::Schedule { group, schedule } => format!("{group}/{schedule}"),
            Self::Rule { bus, rule, .. } => format!("{bus}/{rule}"),
        }
    }
}

impl fmt::Display for JobTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.path())
    }
}

/// Where a job is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPlace {
    pub name: SetName,
    pub target: JobTarget,
    /// Its file, on the machine of whoever released it.
    pub config: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    pub region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What a release does to a job, written down ahead of any move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMove {
    pub job: JobPlace,
    /// What it ran by before.
    pub from: Revision,
    pub to: Revision,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_written_down_with_what_it_runs_by() {
        let target = JobTarget::Schedule {
            group: "default".to_owned(),
            schedule: "nightly".to_owned(),
        };
        assert_eq!(target.to_string(), "schedule default/nightly");
        let it = JobMove {
            job: JobPlace {
                name: "nightly".parse().unwrap(),
                target,
                config: "/srv/jobs/bgecs.toml".into(),
                environment: None,
                region: "eu-west-1".to_owned(),
                profile: None,
            },
            from: Revision::new("arn:aws:ecs:eu-west-1:1:task-definition/nightly:7"),
            to: Revision::new("arn:aws:ecs:eu-west-1:1:task-definition/nightly:8"),
        };
        let text = serde_json::to_string(&it).unwrap();
        assert!(text.contains(r#""kind":"schedule""#), "{text}");
        assert_eq!(serde_json::from_str::<JobMove>(&text).unwrap(), it);
    }
}
