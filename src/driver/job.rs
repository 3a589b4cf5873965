//! A set's jobs: each is given its next revision ahead of the release, and runs by it
//! once users of all modules are on that release. What is decided is in `engine/job.rs`
//! and `engine/set/jobs.rs`.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::set::SetTable;
use crate::aws::{Aws, AwsError, AwsErrorKind, Key};
use crate::docker::Reference;
use crate::engine::job::{JobDefinition, JobRelease, JobRollout, is_one_revision, rollout};
use crate::engine::task_definition::ReleaseProvenance;
use crate::error::{Error, Exit, Result};
use crate::model::marks::TAG_RELEASE;
use crate::model::{Digest, Exactly, JobMove, JobPlace, JobTarget, Revision, SetName, Tag};
use crate::provenance::Provenance;
use crate::report::{ReportEvent, Reporter};
use crate::session::poll_pause;

const PAUSE: Duration = Duration::from_secs(2);

/// How long a service's tasks may take to run by another revision.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One job of a set.
pub struct SetJob {
    pub place: JobPlace,
    pub container: Option<String>,
    pub aws: Aws,
    pub report: Reporter,
}

/// What a job runs by.
pub struct JobStanding {
    pub revision: Revision,
    /// Of the release that a set brought to it, if one did.
    pub tag: Option<Tag>,
    /// As it is named there: maybe by its family alone.
    named: Revision,
    described: serde_json::Value,
}

impl SetJob {
    pub fn name(&self) -> &SetName {
        &self.place.name
    }

    /// # Errors
    /// It is not there (exit 6), or is none that a job can be.
    pub async fn look(&self) -> Result<JobStanding> {
        self.find().await?.ok_or_else(|| {
            let file = self.place.config.display();
            Error::refused(format!("there is no {}", self.place.target))
                .hint(format!("{file} says which one the job is"))
        })
    }

    /// None where it is not there.
    ///
    /// # Errors
    /// It is none that a job can be; AWS's own.
    pub async fn find(&self) -> Result<Option<JobStanding>, AwsError> {
        let named = match self.aws.read_job(&self.place.target).await {
            Ok(seen) => seen.runs_by,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let described = self.aws.read_tagged_definition(&named).await?;
        let exact = described["taskDefinitionArn"].as_str();
        let mut tags = described["tags"].as_array().into_iter().flatten();
        let tag = tags.find(|it| it["key"] == TAG_RELEASE);
        let tag = tag.and_then(|it| it["value"].as_str()?.parse().ok());
        Ok(Some(JobStanding {
            revision: exact.map_or_else(|| named.clone(), Revision::new),
            named,
            tag,
            described,
        }))
    }

    /// Registers its revision of that release, which nothing runs by yet; none where it
    /// runs that release already.
    ///
    /// # Errors
    /// Its image is not there; what is refused of it, or AWS's own.
    pub async fn prepare(
        &self,
        tag: &Tag,
        image: Option<&Reference>,
        release: &str,
    ) -> Result<Option<JobMove>> {
        let now = self.look().await?;
        if now.tag.as_ref() == Some(tag) {
            let alone = format!("runs tag {tag} already: it is left alone");
            self.report.tell(&ReportEvent::Done(alone));
            return Ok(None);
        }
        let (definition, named) = self.next(&now, tag, image)?;
        let (image, digest) = self.found(&named).await?;
        if !is_one_revision(&now.named) {
            // Else the one that is registered next would be the one that it runs by.
            self.aim(&now.named, &now.revision).await?;
            let text = format!(
                "the {} named no revision, and is pinned to {}, the one it meant",
                self.place.target,
                now.revision.short()
            );
            self.report.tell(&ReportEvent::Note(text));
        }
        let provenance = Provenance::gather(None);
        let body = definition.with(&JobRelease {
            image: &image,
            tag,
            digest: digest.as_ref(),
            provenance: ReleaseProvenance {
                commit: None,
                deployed_by: &provenance.who,
                deployed_at: &provenance.when,
                operation: release,
            },
        });
        let family = definition.family();
        let to = self.aws.register_task_definition(family, &body).await?;
        let text = format!("registered {}", to.short());
        self.report.tell(&ReportEvent::Done(text));
        Ok(Some(JobMove {
            job: self.place.clone(),
            from: now.revision,
            to,
        }))
    }

    /// What its next revision is made of, and which image that runs.
    ///
    /// # Errors
    /// Its container or image is not to be told.
    pub fn next<'a>(
        &self,
        now: &'a JobStanding,
        tag: &Tag,
        image: Option<&Reference>,
    ) -> Result<(JobDefinition<'a>, Reference)> {
        let refused = |why: String| {
            Error::refused(format!(
                "{} cannot be the next revision's base: {why}",
                now.revision.short()
            ))
        };
        let definition = JobDefinition::new(&now.described, self.container.as_deref());
        let definition = definition.map_err(refused)?;
        let image = match image {
            Some(image) => image.clone(),
            None => {
                let name = definition.image_of(tag).map_err(refused)?;
                Reference::parse(&name).map_err(|error| refused(error.to_string()))?
            }
        };
        Ok((definition, image))
    }

    /// The image by its digest, where it is in a repository of this account; by its name
    /// elsewhere.
    ///
    /// # Errors
    /// The repository has no such image (exit 6).
    async fn found(&self, image: &Reference) -> Result<(String, Option<Digest>)> {
        let exact = image.exactly();
        let Some(repository) = self.aws.own_repository(image).await? else {
            let digest = match exact {
                Some(Exactly::Digest(digest)) => Some(digest.clone()),
                _ => None,
            };
            return Ok((image.as_str().to_owned(), digest));
        };
        let key = match exact {
            Some(Exactly::Digest(digest)) => Key::Digest(digest),
            Some(Exactly::Tag(tag)) => Key::Tag(tag),
            None => return Ok((image.as_str().to_owned(), None)),
        };
        let stored = self.aws.stored_image(&repository, key).await?;
        let stored = stored.ok_or_else(|| {
            Error::refused(format!("there is no image {}", image.as_str())).hint(format!(
                "a job's image is not built by the release: push it, or name another with --image {}=IMAGE",
                self.place.name
            ))
        })?;
        let name = image.name().unwrap_or_default();
        Ok((format!("{name}@{}", stored.digest), Some(stored.digest)))
    }

    /// Has it run by that revision, instead of the other one. Told twice, it is told once.
    ///
    /// # Errors
    /// It runs by a third one (exit 6); AWS's own.
    async fn aim(&self, from: &Revision, to: &Revision) -> Result<()> {
        let seen = self.aws.read_job(&self.place.target).await?;
        let now = &seen.runs_by;
        if now == to {
            return Ok(());
        }
        if now != from {
            return Err(Error::refused(format!(
                "the {} runs by {}, and neither by {} nor by {}: something else has changed it",
                self.place.target,
                now.short(),
                from.short(),
                to.short()
            )));
        }
        Ok(self.aws.aim_job(&self.place.target, seen, to).await?)
    }

    /// Waits until it runs by that revision, which it was told: a service until all its
    /// tasks do.
    ///
    /// # Errors
    /// Tasks that fail, or take too long; AWS's own.
    async fn settle(&self, to: &Revision) -> Result<()> {
        if let JobTarget::Service { cluster, service } = &self.place.target {
            self.settled((cluster, service), to).await?;
        }
        let done = format!("runs by {}", to.short());
        self.report.tell(&ReportEvent::Done(done));
        Ok(())
    }

    async fn settled(&self, (cluster, service): (&str, &str), to: &Revision) -> Result<()> {
        let began = Instant::now();
        loop {
            let now = self.aws.job_service(cluster, service).await?;
            match rollout(&now, to) {
                JobRollout::Done => return Ok(()),
                JobRollout::Failed(why) => {
                    return Err(Error::failed(format!(
                        "the {} does not run by {}: {why}",
                        self.place.target,
                        to.short()
                    )));
                }
                JobRollout::UnderWay { running, desired } => {
                    let text = format!("{running} of {desired} tasks run by {}", to.short());
                    self.report.tell(&ReportEvent::Doing(text));
                }
            }
            if began.elapsed() > TIMEOUT {
                let newest = now.events.first();
                let newest = newest.map(|event| format!(": {}", event.message));
                return Err(Error::new(
                    Exit::TimedOut,
                    format!(
                        "the {} does not run by {} after {} s{}",
                        self.place.target,
                        to.short(),
                        TIMEOUT.as_secs(),
                        newest.unwrap_or_default()
                    ),
                ));
            }
            sleep(poll_pause(&self.aws, PAUSE)).await;
        }
    }

    /// Has it run by what it ran by before. Nobody waits for a service's tasks: modules
    /// go back meanwhile.
    async fn put_back(&self, step: &JobMove) -> Result<()> {
        self.aim(&step.to, &step.from).await?;
        let done = format!("runs by {} again", step.from.short());
        self.report.tell(&ReportEvent::Done(done));
        Ok(())
    }
}

/// How a job came out of its set's release.
#[derive(Debug)]
pub enum JobEnd {
    /// It runs by the release's revision.
    Moved,
    /// It was not told anything.
    Stayed,
    /// It runs by what it ran by before.
    Back,
    /// It could not be put back.
    Lost(Error),
}

/// A job, and what a release does to it.
pub struct MovingJob<'a> {
    pub job: &'a SetJob,
    pub step: &'a JobMove,
}

/// Moves a set's jobs once all its modules are well, or back where the set goes back.
pub async fn shift_jobs(table: &SetTable, jobs: &[MovingJob<'_>]) -> Vec<JobEnd> {
    if table.jobs_turn().await.is_err() {
        return jobs.iter().map(|_| JobEnd::Stayed).collect();
    }
    // Nobody is told twice at once: what came of a call that was given up is not known.
    let moved = match all(each(jobs, aim_on).await) {
        Ok(()) => tokio::select! {
            settled = each(jobs, settle) => all(settled),
            why = table.jobs_recalled() => Err(why),
        },
        Err(why) => Err(why),
    };
    if let Err(why) = moved.and_then(|()| table.jobs_are_moved()) {
        table.turn_back(&why);
        let ends = put_all_back(jobs).await;
        table.jobs_are_back();
        return ends;
    }
    jobs.iter().map(|_| JobEnd::Moved).collect()
}

/// The same where no module can go back any more.
pub async fn bring_all_on(jobs: &[MovingJob<'_>]) -> Vec<JobEnd> {
    let bring = async |it: &MovingJob<'_>| {
        aim_on(it).await?;
        settle(it).await
    };
    ended(each(jobs, bring).await, || JobEnd::Moved)
}

/// Also those that were not told yet, which run by what they ran by before.
pub async fn put_all_back(jobs: &[MovingJob<'_>]) -> Vec<JobEnd> {
    let put_back = async |it: &MovingJob<'_>| it.job.put_back(it.step).await;
    ended(each(jobs, put_back).await, || JobEnd::Back)
}

async fn aim_on(it: &MovingJob<'_>) -> Result<()> {
    it.job.aim(&it.step.from, &it.step.to).await
}

async fn settle(it: &MovingJob<'_>) -> Result<()> {
    it.job.settle(&it.step.to).await
}

/// Does that with all of them, side by side and to its end; errors name the job.
async fn each(
    jobs: &[MovingJob<'_>],
    doing: impl AsyncFn(&MovingJob<'_>) -> Result<()>,
) -> Vec<Result<()>> {
    let all = jobs.iter().map(async |it| {
        let done = doing(it).await;
        done.map_err(|error| error.of_module(it.job.name()))
    });
    join_all(all).await
}

/// # Errors
/// The first that it could not be done with, and why.
fn all(done: Vec<Result<()>>) -> std::result::Result<(), String> {
    let done: Result<()> = done.into_iter().collect();
    done.map_err(|error| error.message)
}

fn ended(done: Vec<Result<()>>, well: impl Fn() -> JobEnd) -> Vec<JobEnd> {
    let end = |it: Result<()>| it.map_or_else(JobEnd::Lost, |()| well());
    done.into_iter().map(end).collect()
}
