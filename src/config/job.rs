//! The `bgecs.toml` of a job, which belongs to a set: what runs the release, and nothing
//! about load balancers or colours.

use std::path::Path;

use super::document::Section;
use super::entry::KeyValue;
use super::names::{ecs_name, not_empty};
use super::sections::place;
use super::{AwsPlace, ConfigError, read_text, source};
use crate::model::JobTarget;

type Result<T> = std::result::Result<T, ConfigError>;

/// The group and the event bus of whoever names none.
const DEFAULT: &str = "default";

/// What goes with one kind of job alone.
const PARTS: [(&str, &str); 4] = [
    ("cluster", "service"),
    ("group", "schedule"),
    ("bus", "rule"),
    ("target", "rule"),
];

/// A whole file of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFile {
    pub target: JobTarget,
    /// Which container gets the release; where there is but one, none has to be named.
    pub container: Option<String>,
    pub place: AwsPlace,
}

impl JobFile {
    /// # Errors
    /// A file that is not there or cannot be read; a mistake in it, with its place.
    pub fn load(path: &Path, environment: Option<&str>) -> Result<Self> {
        Self::parse(&read_text(path)?, path, environment)
    }

    fn parse(text: &str, path: &Path, environment: Option<&str>) -> Result<Self> {
        source::File { path, text }.read(environment, |top| {
            if !top.has("job") {
                return Err(top.missing(
                    "job",
                    "the file of a job has a section [job], with what runs the release: `service`, `schedule` or `rule`; an app's own goes into a [[module]]",
                ));
            }
            let (target, container) = top.section("job", job)?;
            Ok(Self {
                target,
                container,
                place: top.section("aws", place)?,
            })
        })
    }
}

fn job(section: &mut Section<'_>) -> Result<(JobTarget, Option<String>)> {
    let container = section.optional("container", |key| key.checked(not_empty))?;
    let [service, schedule, rule] = ["service", "schedule", "rule"].map(|key| section.take(key));
    let beside = |key: &KeyValue<'_>| {
        key.misplaced("a job is one of `service`, `schedule` and `rule`: keep one of them")
    };
    let text = |key: &KeyValue<'_>| key.checked(not_empty);
    let target = match (service, schedule, rule) {
        (Some(service), None, None) => JobTarget::Service {
            cluster: section.or("cluster", DEFAULT.to_owned(), |key| key.checked(ecs_name))?,
            service: service.checked(ecs_name)?,
        },
        (None, Some(schedule), None) => JobTarget::Schedule {
            group: section.or("group", DEFAULT.to_owned(), text)?,
            schedule: text(&schedule)?,
        },
        (None, None, Some(rule)) => JobTarget::Rule {
            bus: section.or("bus", DEFAULT.to_owned(), text)?,
            rule: text(&rule)?,
            target: section.optional("target", text)?,
        },
        (None, None, None) => {
            return Err(section.missing(
                "service",
                "nothing says what runs the release: name a `service`, a `schedule` of EventBridge Scheduler or a `rule` of EventBridge",
            ));
        }
        (Some(_), Some(other), _) | (_, Some(_), Some(other)) | (Some(_), None, Some(other)) => {
            return Err(beside(&other));
        }
    };
    let kind = target.kind();
    for (name, of) in PARTS {
        if let Some(key) = section.take(name) {
            return Err(key.misplaced(format!(
                "`{name}` goes with `{of}`, and this job is a {kind}"
            )));
        }
    }
    Ok((target, container))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JobFile> {
        JobFile::parse(text, Path::new("/srv/jobs/bgecs.toml"), None)
    }

    #[test]
    fn a_job_is_a_service_a_schedule_or_a_rule() {
        for (keys, target) in [
            ("service = 'mailer'", "service default/mailer"),
            (
                "cluster = 'shop'\nservice = 'mailer'",
                "service shop/mailer",
            ),
            ("schedule = 'nightly'", "schedule default/nightly"),
            (
                "group = 'shop'\nschedule = 'nightly'",
                "schedule shop/nightly",
            ),
            ("rule = 'nightly'", "rule default/nightly"),
        ] {
            let job = parse(&format!("[job]\n{keys}\n")).unwrap();
            assert_eq!(job.target.to_string(), target);
            assert_eq!(job.container, None);
        }
        let job = parse(
            "[job]\nrule = 'r'\ntarget = 't'\ncontainer = 'app'\n[aws]\nregion = 'eu-west-1'",
        );
        let job = job.unwrap();
        assert_eq!(job.container.as_deref(), Some("app"));
        assert_eq!(job.place.region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn mistakes_are_told() {
        for (text, part) in [
            ("app = 'shop'", "a section [job]"),
            ("[job]", "nothing says what runs the release"),
            ("[job]\nservice = 'a'\nrule = 'b'", "keep one of them"),
            (
                "[job]\nservice = 'a'\nschedule = 'b'\nrule = 'c'",
                "keep one of them",
            ),
            ("[job]\nschedule = 'a'\nrule = 'b'", "keep one of them"),
            ("[job]\nservice = 'a b'", "job.service"),
            (
                "[job]\nservice = 'a'\ngroup = 'b'",
                "`group` goes with `schedule`, and this job is a service",
            ),
            (
                "[job]\ncluster = 'a'\nrule = 'b'",
                "`cluster` goes with `service`, and this job is a rule",
            ),
            ("[job]\nservice = 'a'\ngrup = 'b'", "there is no such key"),
            ("[job]\nschedule = ''", "job.schedule"),
            ("[job]\nservice = 'a'\n[container]", "there is no such key"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
