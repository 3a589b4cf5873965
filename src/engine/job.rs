//! The next revision of a job: what it runs now, with another image.

use serde_json::{Map, Value, json};

use super::task_definition::{OUTPUT_ONLY, ReleaseProvenance, is_reserved, joined};
use crate::model::marks::{
    ENV_RELEASE, TAG_DEPLOYED_AT, TAG_DEPLOYED_BY, TAG_DIGEST, TAG_OPERATION, TAG_RELEASE,
};
use crate::model::{Deployment, Digest, Reference, Revision, Rollout, ServiceState, Tag};

const CONTAINERS: &str = "containerDefinitions";

/// What a job runs by, as ECS tells it.
#[derive(Debug)]
pub struct JobDefinition<'a> {
    /// With the tags in it.
    described: &'a Map<String, Value>,
    /// The place of the container that gets the release.
    container: usize,
}

/// What a job's next revision is to run.
#[derive(Debug, Clone, Copy)]
pub struct JobRelease<'a> {
    pub image: &'a str,
    pub tag: &'a Tag,
    /// Where it is known.
    pub digest: Option<&'a Digest>,
    pub provenance: ReleaseProvenance<'a>,
}

impl<'a> JobDefinition<'a> {
    /// `container` is that of the job's file.
    ///
    /// # Errors
    /// It has no such container; it has several, and none is named.
    pub fn new(described: &'a Value, container: Option<&str>) -> Result<Self, String> {
        let described = described.as_object().ok_or("it is not a task definition")?;
        let containers = described.get(CONTAINERS).and_then(Value::as_array);
        let names: Vec<&str> = containers
            .into_iter()
            .flatten()
            .map(|it| it["name"].as_str().unwrap_or_default())
            .collect();
        let all = names.join(", ");
        let place = match (container, &names[..]) {
            (Some(name), _) => names.iter().position(|it| *it == name).ok_or_else(|| {
                format!("it has no container `{name}`, which the job's file names: it has {all}")
            })?,
            (None, [_]) => 0,
            (None, _) => {
                return Err(format!(
                    "it has several containers, {all}: say in the job's file which one gets the release, such as container = \"{}\"",
                    names.first().unwrap_or(&"app")
                ));
            }
        };
        Ok(Self {
            described,
            container: place,
        })
    }

    /// The family that its revisions are of.
    pub fn family(&self) -> &str {
        self.described["family"].as_str().unwrap_or_default()
    }

    /// The image that it runs.
    pub fn image(&self) -> &str {
        let image = &self.described[CONTAINERS][self.container]["image"];
        image.as_str().unwrap_or_default()
    }

    /// The same image by the release's tag, where none was named.
    ///
    /// # Errors
    /// It runs one that no tag tells apart.
    pub fn image_of(&self, tag: &Tag) -> Result<String, String> {
        let name = Reference::parse(self.image()).ok();
        let name = name.and_then(|it| it.name());
        let name = name.ok_or_else(|| format!("`{}` is not the name of an image", self.image()))?;
        Ok(format!("{name}:{tag}"))
    }

    /// The request that registers it with that release: all else is as it is.
    pub fn with(&self, release: &JobRelease<'_>) -> Value {
        let mut body = self.described.clone();
        for key in OUTPUT_ONLY {
            body.remove(key);
        }
        let tags = tags(body.remove("tags").as_ref(), release);
        body.insert("tags".to_owned(), tags);
        let container = &mut body[CONTAINERS][self.container];
        container["image"] = json!(release.image);
        let variables = container["environment"].as_array();
        let others = variables.into_iter().flatten();
        let others = others.filter(|it| it["name"] != ENV_RELEASE).cloned();
        let own = json!({ "name": ENV_RELEASE, "value": release.tag.as_str() });
        container["environment"] = others.chain([own]).collect();
        Value::Object(body)
    }
}

fn tags(described: Option<&Value>, release: &JobRelease<'_>) -> Value {
    let theirs = described.and_then(Value::as_array).into_iter().flatten();
    let theirs = theirs.filter_map(|tag| Some((tag["key"].as_str()?, &tag["value"])));
    let theirs = theirs.filter(|(key, _)| !is_reserved(key));
    let ours = [
        (TAG_RELEASE, Some(release.tag.as_str())),
        (TAG_DIGEST, release.digest.map(Digest::as_str)),
        (TAG_DEPLOYED_BY, Some(release.provenance.deployed_by)),
        (TAG_DEPLOYED_AT, Some(release.provenance.deployed_at)),
        (TAG_OPERATION, Some(release.provenance.operation)),
    ];
    joined(
        theirs.map(|(key, value)| (key.to_owned(), value.clone())),
        ours,
    )
}

/// Whether it names one revision, and not whichever is the newest of a family.
pub fn is_one_revision(named: &Revision) -> bool {
    let revision = named.short().rsplit_once(':').map(|(_, number)| number);
    revision.is_some_and(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
}

/// How far a service is on the way to that revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobRollout {
    /// With so many of so many tasks.
    UnderWay {
        running: i32,
        desired: i32,
    },
    /// All of its tasks run by it, or none is wanted.
    Done,
    Failed(String),
}

/// As few failed tasks make ECS's own circuit breaker give up
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>).
const GIVEN_UP: i32 = 3;

/// What a service's deployments say of that revision.
pub fn rollout(service: &ServiceState, to: &Revision) -> JobRollout {
    let of_it = |it: &&Deployment| it.task_definition == *to;
    let Some(primary) = service.primary() else {
        return JobRollout::Failed("it has no deployment".to_owned());
    };
    let its = service.deployments.iter().find(of_it);
    let reason = its.and_then(|it| it.rollout_reason.clone());
    let failed = its.map_or(0, |it| it.failed_tasks);
    match (primary.task_definition == *to, primary.rollout) {
        (false, _) => JobRollout::Failed(match reason {
            Some(reason) => format!("ECS took it back: {reason}"),
            None => format!(
                "it was told to run by {} meanwhile",
                primary.task_definition.short()
            ),
        }),
        (true, Some(Rollout::Failed)) => {
            JobRollout::Failed(reason.unwrap_or_else(|| "ECS gave it up".to_owned()))
        }
        (true, Some(Rollout::Completed)) => JobRollout::Done,
        (true, _) if failed >= GIVEN_UP => {
            JobRollout::Failed(format!("{failed} of its tasks have failed"))
        }
        (true, _) => JobRollout::UnderWay {
            running: primary.running,
            desired: primary.desired,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Value {
        json!({
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/nightly:7",
            "family": "nightly",
            "revision": 7,
            "status": "ACTIVE",
            "registeredBy": "terraform",
            "cpu": "256",
            "ephemeralStorage": { "sizeInGiB": 30 },
            "containerDefinitions": [
                { "name": "sidecar", "image": "public.ecr.aws/x/sidecar:1" },
                {
                    "name": "app",
                    "image": "1.dkr.ecr.eu-west-1.amazonaws.com/shop:6@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                    "environment": [
                        { "name": "BGECS_RELEASE", "value": "6" },
                        { "name": "MODE", "value": "nightly" },
                    ],
                },
            ],
            "tags": [
                { "key": "team", "value": "shop" },
                { "key": "bgecs:release", "value": "6" },
                { "key": "aws:x", "value": "y" },
            ],
        })
    }

    fn tag() -> Tag {
        "7".parse().unwrap()
    }

    #[test]
    fn the_next_revision_has_another_image_and_all_else() {
        let described = described();
        let job = JobDefinition::new(&described, Some("app")).unwrap();
        let tag = tag();
        let image = job.image_of(&tag).unwrap();
        assert_eq!(image, "1.dkr.ecr.eu-west-1.amazonaws.com/shop:7");
        let body = job.with(&JobRelease {
            image: &image,
            tag: &tag,
            digest: None,
            provenance: ReleaseProvenance {
                commit: None,
                deployed_by: "ann@host",
                deployed_at: "2026-11-28T10:00:00Z",
                operation: "op-1",
            },
        });
        assert_eq!(
            body,
            json!({
                "family": "nightly",
                "cpu": "256",
                "ephemeralStorage": { "sizeInGiB": 30 },
                "containerDefinitions": [
                    { "name": "sidecar", "image": "public.ecr.aws/x/sidecar:1" },
                    {
                        "name": "app",
                        "image": image,
                        "environment": [
                            { "name": "MODE", "value": "nightly" },
                            { "name": "BGECS_RELEASE", "value": "7" },
                        ],
                    },
                ],
                "tags": [
                    { "key": "team", "value": "shop" },
                    { "key": "bgecs:release", "value": "7" },
                    { "key": "bgecs:deployed-by", "value": "ann@host" },
                    { "key": "bgecs:deployed-at", "value": "2026-11-28T10:00:00Z" },
                    { "key": "bgecs:operation", "value": "op-1" },
                ],
            })
        );
    }

    #[test]
    fn the_container_has_to_be_known() {
        let described = described();
        let why = |container| JobDefinition::new(&described, container).unwrap_err();
        assert!(why(None).contains("several containers, sidecar, app"));
        assert!(why(Some("web")).contains("no container `web`"));
        let id = format!("sha256:{}", "0".repeat(64));
        let one = json!({ "containerDefinitions": [{ "name": "app", "image": id }] });
        let job = JobDefinition::new(&one, None).unwrap();
        assert!(
            job.image_of(&tag())
                .unwrap_err()
                .contains("not the name of an image")
        );
    }

    #[test]
    fn a_family_alone_names_no_revision() {
        for (named, is_one) in [
            ("arn:aws:ecs:eu-west-1:1:task-definition/nightly:7", true),
            ("arn:aws:ecs:eu-west-1:1:task-definition/nightly", false),
            ("nightly:12", true),
            ("nightly", false),
        ] {
            assert_eq!(is_one_revision(&Revision::new(named)), is_one, "{named}");
        }
    }

    fn service(deployments: &[(&str, bool, Rollout, i32)]) -> ServiceState {
        let deployment =
            |(revision, is_primary, rollout, failed): &(&str, bool, Rollout, i32)| Deployment {
                id: (*revision).to_owned(),
                is_primary: *is_primary,
                task_definition: Revision::new(*revision),
                rollout: Some(*rollout),
                rollout_reason: Some(format!("{rollout:?}")),
                desired: 2,
                running: 1,
                pending: 1,
                failed_tasks: *failed,
                created_at: None,
            };
        ServiceState {
            deployments: deployments.iter().map(deployment).collect(),
            ..crate::model::testing::service(2)
        }
    }

    #[test]
    fn a_service_is_there_once_ecs_says_so() {
        use Rollout::{Completed, Failed, InProgress};
        let to = Revision::new("a:8");
        let failed = |why: &str| JobRollout::Failed(why.to_owned());
        for (deployments, is) in [
            (
                vec![("a:8", true, InProgress, 0), ("a:7", false, Completed, 0)],
                JobRollout::UnderWay {
                    running: 1,
                    desired: 2,
                },
            ),
            (vec![("a:8", true, Completed, 0)], JobRollout::Done),
            (vec![("a:8", true, Failed, 2)], failed("Failed")),
            (
                vec![("a:8", true, InProgress, 3)],
                failed("3 of its tasks have failed"),
            ),
            (
                vec![("a:7", true, InProgress, 0), ("a:8", false, Failed, 3)],
                failed("ECS took it back: Failed"),
            ),
            (
                vec![("a:9", true, InProgress, 0)],
                failed("it was told to run by a:9 meanwhile"),
            ),
            (vec![], failed("it has no deployment")),
        ] {
            assert_eq!(rollout(&service(&deployments), &to), is, "{deployments:?}");
        }
    }
}
