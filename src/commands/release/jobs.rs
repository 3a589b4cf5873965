//! What the release of a set does to its jobs, and how it is reported.

use futures_util::future::join_all;
use serde::Serialize;

use super::open::SetContext;
use super::status::LastRelease;
use crate::aws::Aws;
use crate::cli::ReleaseArgs;
use crate::config::{JobFile, JobSection};
use crate::docker::Reference;
use crate::driver::job::{JobEnd, MovingJob, SetJob};
use crate::engine::evidence::{JobEvidence, ModuleOutcome};
use crate::error::{Error, Exit, Result};
use crate::model::journal::OperationId;
use crate::model::{JobMove, JobPlace, Revision, SetName, Tag};
use crate::report::{ReportEvent, Style};

impl SetContext<'_> {
    /// # Errors
    /// Its file has a mistake (exit 2); AWS cannot be asked.
    pub(super) async fn job(&self, section: &JobSection, width: usize) -> Result<SetJob> {
        let environment = self.global.environment().map(|(name, _)| name);
        let said = self.global.profile.clone();
        let (region, profile) = (section.region.clone(), section.profile.clone());
        let file = JobFile::load(&section.config, environment.as_deref());
        let file = file.map_err(|error| {
            let error = Error::from(error).of_module(&section.name);
            match section.config.is_file() {
                true => error,
                // Not what makes an app's.
                false => error.hint(
                    "a job's file has a section [job], with its `service`, `schedule` or `rule`",
                ),
            }
        })?;
        let place = JobPlace {
            name: section.name.clone(),
            target: file.target.clone(),
            config: super::open::absolute(&section.config),
            environment,
            region: region.unwrap_or_default(),
            profile: said.or(profile),
        };
        self.job_at(place, file, width).await
    }

    /// One that a release which was killed has to do with, where it is by now.
    ///
    /// # Errors
    /// Its file is not here (exit 6), or is another job's.
    pub(super) async fn reopen_job(&self, place: &JobPlace, width: usize) -> Result<SetJob> {
        if !place.config.is_file() {
            return Err(Error::refused(format!(
                "the job {} of the set has its configuration at {}, which is not here",
                place.name,
                place.config.display()
            )));
        }
        let file = JobFile::load(&place.config, place.environment.as_deref())?;
        match file.target == place.target {
            true => self.job_at(place.clone(), file, width).await,
            false => Err(Error::refused(format!(
                "the job {} was the {}, and {} is that of the {}",
                place.name,
                place.target,
                place.config.display(),
                file.target
            ))),
        }
    }

    async fn job_at(&self, mut place: JobPlace, file: JobFile, width: usize) -> Result<SetJob> {
        let access = self.access(file.place, &place.region, place.profile.as_ref());
        let aws = Aws::connect(&access).await;
        let aws = aws.map_err(|error| error.of_module(&place.name))?;
        aws.region().clone_into(&mut place.region);
        Ok(SetJob {
            report: self.report.of_module(format!("{:width$} ", place.name)),
            container: file.container,
            place,
            aws,
        })
    }
}

/// # Errors
/// Two jobs of one target: each would take the other back.
pub(super) fn refuse_twin_jobs(jobs: &[SetJob]) -> Result<()> {
    let same = |one: &JobPlace, other: &JobPlace| {
        one.target == other.target && one.region == other.region && one.profile == other.profile
    };
    for (n, it) in jobs.iter().enumerate() {
        let twin = jobs[..n].iter().find(|other| same(&it.place, &other.place));
        if let Some(twin) = twin {
            return Err(Error::usage(format!(
                "the jobs {} and {} are both the {}",
                twin.name(),
                it.name(),
                it.place.target
            )));
        }
    }
    Ok(())
}

/// Gives every job its revision of that release; none where it is left alone.
pub(super) async fn prepare(
    jobs: &[SetJob],
    tag: &Tag,
    args: &ReleaseArgs,
    release: &OperationId,
) -> Vec<Result<Option<JobMove>>> {
    let all = jobs.iter().map(async |it| {
        let image = image_of(it, args);
        let done = match image {
            Ok(image) => it.prepare(tag, image.as_ref(), release.as_str()).await,
            Err(error) => Err(error),
        };
        done.map_err(|error| error.of_module(it.name()))
    });
    join_all(all).await
}

/// The one that is said.
fn image_of(job: &SetJob, args: &ReleaseArgs) -> Result<Option<Reference>> {
    let said = args.image.iter().find(|it| it.module == *job.name());
    let image = said.map(|it| Reference::parse(&it.image));
    image
        .transpose()
        .map_err(|error| Error::usage(error.to_string()))
}

/// What takes the jobs back from what the last release of the set made of them. One that
/// something else has removed or changed since is left as it is, and told of.
///
/// # Errors
/// AWS's own.
pub(super) async fn way_back(jobs: &[SetJob], last: &LastRelease) -> Result<Vec<Option<JobMove>>> {
    let mut steps = Vec::new();
    for it in jobs {
        let done = last.jobs.iter().find(|step| step.job.name == *it.name());
        let step = match done {
            Some(done) => back(it, done).await,
            None => Ok(Ok(None)),
        };
        let step = step.map_err(|error| error.of_module(it.name()))?;
        steps.push(step.unwrap_or_else(|why| {
            let told = format!("{} is left as it is: {why}", it.place.target);
            it.report.tell(&ReportEvent::Warning(told));
            None
        }));
    }
    Ok(steps)
}

/// Or why it is left as it is, in words.
async fn back(job: &SetJob, done: &JobMove) -> Result<Result<Option<JobMove>, String>> {
    let Some(now) = job.find().await? else {
        return Ok(Err("it is not there any more".to_owned()));
    };
    let now = now.revision;
    if now == done.from {
        return Ok(Ok(None));
    }
    if now != done.to {
        return Ok(Err(format!(
            "it runs {}, and the last release of the set left it at {}",
            now.short(),
            done.to.short()
        )));
    }
    if job.aws.read_release(&done.from).await?.is_deregistered {
        let before = done.from.short();
        return Ok(Err(format!(
            "{before}, which it ran before, is deregistered"
        )));
    }
    Ok(Ok(Some(JobMove {
        job: job.place.clone(),
        from: now,
        to: done.from.clone(),
    })))
}

/// Those that are to be moved, each with what moves it.
pub(super) fn moving<'a>(jobs: &'a [SetJob], steps: &'a [Option<JobMove>]) -> Vec<MovingJob<'a>> {
    let all = jobs.iter().zip(steps);
    all.filter_map(|(job, step)| {
        Some(MovingJob {
            job,
            step: step.as_ref()?,
        })
    })
    .collect()
}

/// How a release ended for a job.
#[derive(Debug, Serialize)]
pub(super) struct JobResult {
    #[serde(flatten)]
    pub told: JobEvidence,
    #[serde(skip)]
    pub exit: Exit,
}

impl JobResult {
    fn new(job: &SetJob, outcome: ModuleOutcome, exit: Exit) -> Self {
        let told = JobEvidence {
            name: job.name().clone(),
            runs: job.place.target.to_string(),
            outcome,
            revision: None,
            reason: None,
        };
        Self { told, exit }
    }

    fn because(mut self, error: &Error) -> Self {
        let cause = error.causes.first();
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        self.told.reason = Some(format!("{}{cause}", error.message));
        self
    }

    fn runs_by(mut self, revision: &Revision) -> Self {
        self.told.revision = Some(revision.short().to_owned());
        self
    }

    /// For a job that had nothing to be done.
    pub fn alone(job: &SetJob) -> Self {
        Self::new(job, ModuleOutcome::Untouched, Exit::Done)
    }

    /// For a job whose next revision was to be made.
    pub fn prepared(job: &SetJob, ended: &Result<Option<JobMove>>) -> Self {
        match ended {
            Ok(_) => Self::new(job, ModuleOutcome::NotMoved, Exit::Done),
            Err(error) => Self::new(job, ModuleOutcome::Failed, error.exit).because(error),
        }
    }

    pub fn of(it: &MovingJob<'_>, ended: &JobEnd) -> Self {
        let new = |outcome, exit| Self::new(it.job, outcome, exit);
        let (from, to) = (&it.step.from, &it.step.to);
        match ended {
            JobEnd::Moved => new(ModuleOutcome::Live, Exit::Done).runs_by(to),
            JobEnd::Stayed => new(ModuleOutcome::NotMoved, Exit::Done).runs_by(from),
            JobEnd::Back => new(ModuleOutcome::RolledBack, Exit::RolledBack).runs_by(from),
            JobEnd::Lost(error) => new(ModuleOutcome::InDoubt, Exit::LookNow).because(error),
        }
    }

    pub fn line(&self, width: usize, style: &Style) -> String {
        let JobEvidence { name, runs, .. } = &self.told;
        let by = match &self.told.revision {
            Some(revision) => format!("runs by {revision}"),
            None => self.told.outcome.in_words().to_owned(),
        };
        let mut text = format!("{name:width$}  {runs}: {by}");
        if let Some(reason) = &self.told.reason {
            text += &format!("\n  {:width$}  {}", "", style.dim(reason));
        }
        text
    }
}

/// Of all jobs of a release: those that were moved with it, and those that were not.
pub(super) fn results(
    jobs: &[SetJob],
    steps: &[Option<JobMove>],
    ends: &[JobEnd],
) -> Vec<JobResult> {
    let moving = moving(jobs, steps);
    let result = |job: &SetJob| {
        let mut ended = moving.iter().zip(ends);
        let its = ended.find(|(it, _)| it.job.name() == job.name());
        its.map_or_else(|| JobResult::alone(job), |(it, end)| JobResult::of(it, end))
    };
    jobs.iter().map(result).collect()
}

/// What a release would do to a job.
#[derive(Debug, Serialize)]
pub(super) struct JobPlan {
    pub name: SetName,
    /// In words; none where it is left alone.
    pub steps: Vec<String>,
}

pub(super) async fn plans(
    jobs: &[SetJob],
    args: &ReleaseArgs,
    last: Option<&LastRelease>,
) -> Result<Vec<JobPlan>> {
    let mut plans = Vec::new();
    for it in jobs {
        let steps = match (&args.tag, last) {
            (Some(tag), _) => forward(it, tag, args).await,
            (None, Some(last)) => backward(it, last).await,
            (None, None) => Ok(Vec::new()),
        };
        plans.push(JobPlan {
            name: it.name().clone(),
            steps: steps.map_err(|error| error.of_module(it.name()))?,
        });
    }
    Ok(plans)
}

async fn forward(job: &SetJob, tag: &Tag, args: &ReleaseArgs) -> Result<Vec<String>> {
    let now = job.look().await?;
    if now.tag.as_ref() == Some(tag) {
        return Ok(Vec::new());
    }
    let (definition, image) = job.next(&now, tag, image_of(job, args)?.as_ref())?;
    Ok(vec![
        format!(
            "register a revision of {} with {}",
            definition.family(),
            image.as_str()
        ),
        format!(
            "once all modules are live, switch the {} to it",
            job.place.target
        ),
    ])
}

async fn backward(job: &SetJob, last: &LastRelease) -> Result<Vec<String>> {
    let steps = way_back(std::slice::from_ref(job), last).await?;
    let steps = steps.into_iter().flatten();
    let steps = steps.map(|step| {
        format!(
            "once all modules are back, switch the {} back to {}",
            step.job.target,
            step.to.short()
        )
    });
    Ok(steps.collect())
}

/// What a job runs by now.
#[derive(Debug, Serialize)]
pub(super) struct JobStatus {
    pub name: SetName,
    /// In words.
    pub runs: String,
    /// None where it is not there.
    pub revision: Option<String>,
    /// Of the release that a set brought to it, if one did.
    pub tag: Option<Tag>,
}

pub(super) async fn statuses(jobs: &[SetJob]) -> Result<Vec<JobStatus>> {
    let mut all = Vec::new();
    for it in jobs {
        let now = it.find().await.map_err(Error::from);
        let now = now.map_err(|error| error.of_module(it.name()))?;
        all.push(JobStatus {
            name: it.name().clone(),
            runs: it.place.target.to_string(),
            revision: now.as_ref().map(|now| now.revision.short().to_owned()),
            tag: now.and_then(|now| now.tag),
        });
    }
    Ok(all)
}

impl JobStatus {
    /// Whether the release that did this to it is not what it runs by.
    pub fn has_left(&self, done: &JobMove) -> bool {
        self.name == done.job.name && self.revision.as_deref() != Some(done.to.short())
    }

    pub fn line(&self, width: usize) -> String {
        let Self {
            name,
            runs,
            revision,
            ..
        } = self;
        let Some(revision) = revision else {
            return format!("{name:width$}  {runs}: it is not there");
        };
        let tag = self.tag.as_ref();
        let tag = tag.map_or_else(String::new, |tag| format!(" (tag {tag})"));
        format!("{name:width$}  {runs}: runs by {revision}{tag}")
    }
}
