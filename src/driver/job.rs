//! A set's jobs: each gets its next revision before the release, and is moved to it once
//! users of all modules are on that release. The decisions are made in `engine/job.rs`
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

/// How long a service's tasks may take to change to another revision.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One job of a set.
pub struct SetJob {
    pub place: JobPlace,
    pub container: Option<String>,
    pub aws: Aws,
    pub report: Reporter,
}

/// What a job runs now.
pub struct JobStanding {
    pub revision: Revision,
    /// The tag of the release that a set brought to it, if one did.
    pub tag: Option<Tag>,
    /// The revision as the job names it: possibly by its family alone.
    named: Revision,
    described: serde_json::Value,
}

impl SetJob {
    pub fn name(&self) -> &SetName {
        &self.place.name
    }

    /// # Errors
    /// It does not exist (exit 6), or cannot be a job.
    pub async fn look(&self) -> Result<JobStanding> {
        self.find().await?.ok_or_else(|| {
            let file = self.place.config.display();
            Error::refused(format!("there is no {}", self.place.target))
                .hint(format!("{file} says which one the job is"))
        })
    }

    /// None if it does not exist.
    ///
    /// # Errors
    /// It cannot be a job; AWS's own.
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

    /// Registers its revision for that release, which nothing runs yet; None if it runs
    /// that release already.
    ///
    /// # Errors
    /// Its image does not exist; the definition is refused; AWS's own.
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
            // Otherwise the revision registered next would take effect at once.
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

    /// What its next revision is based on, and which image it runs.
    ///
    /// # Errors
    /// Its container or image cannot be determined.
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

    /// The image by its digest if it is in a repository of this account, else by its
    /// name.
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

    /// Makes the job run `to` instead of `from`. Doing it twice has no further effect.
    ///
    /// # Errors
    /// It runs a third revision (exit 6); AWS's own.
    async fn aim(&self, from: &Revision, to: &Revision) -> Result<()> {
        let seen = self.aws.read_job(&self.place.target).await?;
        let now = &seen.runs_by;
        if now == to {
            return Ok(());
        }
        if now != from {
            return Err(Error::refused(format!(
                "the {} runs {}, neither {} nor {}: something else has changed it",
                self.place.target,
                now.short(),
                from.short(),
                to.short()
            )));
        }
        Ok(self.aws.aim_job(&self.place.target, seen, to).await?)
    }

    /// Waits until it runs that revision, which it was given before: for a service, until
    /// all its tasks do.
    ///
    /// # Errors
    /// Tasks that fail, or take too long; AWS's own.
    async fn settle(&self, to: &Revision) -> Result<()> {
        if let JobTarget::Service { cluster, service } = &self.place.target {
            self.settled((cluster, service), to).await?;
        }
        let done = format!("runs {}", to.short());
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
                        "the {} does not run {}: {why}",
                        self.place.target,
                        to.short()
                    )));
                }
                JobRollout::UnderWay { running, desired } => {
                    let text = format!("{running} of {desired} tasks run {}", to.short());
                    self.report.tell(&ReportEvent::Doing(text));
                }
            }
            if began.elapsed() > TIMEOUT {
                let newest = now.events.first();
                let newest = newest.map(|event| format!(": {}", event.message));
                return Err(Error::new(
                    Exit::TimedOut,
                    format!(
                        "the {} does not run {} after {} s{}",
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

    /// Makes it run its previous revision again, without waiting for a service's tasks:
    /// the modules go back meanwhile.
    async fn put_back(&self, step: &JobMove) -> Result<()> {
        self.aim(&step.to, &step.from).await?;
        let done = format!("runs {} again", step.from.short());
        self.report.tell(&ReportEvent::Done(done));
        Ok(())
    }
}

/// What became of a job in its set's release.
#[derive(Debug)]
pub enum JobEnd {
    /// It runs the release's revision.
    Moved,
    /// It was not changed.
    Stayed,
    /// It runs its previous revision again.
    Back,
    /// It could not be put back.
    Lost(Error),
}

/// A job, and what a release does to it.
pub struct MovingJob<'a> {
    pub job: &'a SetJob,
    pub step: &'a JobMove,
}

/// Moves a set's jobs forward once all its modules are well, or back if the set goes
/// back.
pub async fn shift_jobs(table: &SetTable, jobs: &[MovingJob<'_>]) -> Vec<JobEnd> {
    if table.jobs_turn().await.is_err() {
        return jobs.iter().map(|_| JobEnd::Stayed).collect();
    }
    // Calls are not cancelled halfway: the result of an abandoned call would not be
    // known.
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

/// The same when no module can go back any more.
pub async fn bring_all_on(jobs: &[MovingJob<'_>]) -> Vec<JobEnd> {
    let bring = async |it: &MovingJob<'_>| {
        aim_on(it).await?;
        settle(it).await
    };
    ended(each(jobs, bring).await, || JobEnd::Moved)
}

/// Includes jobs that were not moved yet and so run their previous revision.
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

/// Does this with all of them side by side, each to its end; errors name the job.
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
/// The first job with which it failed, and why.
fn all(done: Vec<Result<()>>) -> std::result::Result<(), String> {
    let done: Result<()> = done.into_iter().collect();
    done.map_err(|error| error.message)
}

fn ended(done: Vec<Result<()>>, well: impl Fn() -> JobEnd) -> Vec<JobEnd> {
    let end = |it: Result<()>| it.map_or_else(JobEnd::Lost, |()| well());
    done.into_iter().map(end).collect()
}
