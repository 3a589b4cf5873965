//! Handles one upload from its message to its end: fetch, check, release, record, notify.

use std::time::Duration;

use tempfile::TempDir;
use time::OffsetDateTime;

use super::wanted::{self, SIGNATURE};
use super::{Disposal, Worker};
use crate::aws::{Message, NotFetched};
use crate::bundle::{self, BundleFormat, BundleLimits};
use crate::cli::ReleaseArgs;
use crate::commands::release::{self, Ledger, OpenSet, SetContext};
use crate::config::{Releasable, ReleaseFile, SetFile};
use crate::driver::release::{HeldModule, Module};
use crate::driver::turn;
use crate::engine::uploads::{UploadMessage, UploadStanding, read_message, standing};
use crate::error::{Error, Exit, Result};
use crate::model::{
    Arrived, NoticeOf, ReleaseNews, ReleaseNotice, Steps, Upload, UploadEnd, UploadOutcome,
    UploadRecord,
};

/// How long an upload rests where `every` does not say: so much, and up to as much again.
const REST: Duration = Duration::from_secs(15);

/// Why an upload is not released by now.
enum Unreleased {
    /// Its turn is later.
    Later(String),
    /// It has failed.
    Failed(Error),
}

impl From<Error> for Unreleased {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Unreleased {
    /// What failed while nothing was begun is worth another try, unless it is the
    /// upload's own mistake, or something was refused.
    fn unless_of_the_upload(self) -> Self {
        match self {
            Self::Failed(error) if error.exit == Exit::Failed => Self::Later(error.message),
            other => other,
        }
    }
}

/// What is released, as it would be typed.
struct Ready {
    set: SetFile,
    args: ReleaseArgs,
    opened: OpenSet,
    /// By a worker that is gone.
    is_begun: bool,
}

/// What is known of an upload while it is worked on, and where it is kept.
struct UploadInHand {
    record: UploadRecord,
    ledger: Ledger,
}

impl UploadInHand {
    fn about(&self) -> NoticeOf {
        NoticeOf {
            release: self.record.releases.clone(),
            tag: self.record.tag.clone(),
            upload: Some(self.record.upload.clone()),
        }
    }
}

impl Worker<'_> {
    /// What becomes of a message, when all is done that can be done now.
    pub async fn work_on(&self, message: &Message) -> Disposal {
        let uploads = match read_message(&message.body) {
            UploadMessage::Uploads(uploads) => uploads,
            UploadMessage::Strange(why) => return Disposal::Strange(why),
        };
        for arrived in &uploads {
            if arrived.key.ends_with(SIGNATURE) {
                continue;
            }
            if let Some(rest) = self.release_upload(arrived, message.received).await {
                return Disposal::Later(rest);
            }
        }
        Disposal::Done
    }

    /// Brings an upload to its end; when that is not yet, how long it rests.
    async fn release_upload(&self, arrived: &Arrived, received: u32) -> Option<Duration> {
        let mut kept = UploadInHand {
            record: UploadRecord {
                upload: Upload {
                    bucket: arrived.bucket.clone(),
                    key: arrived.key.clone(),
                    version: arrived.version.clone().unwrap_or_default(),
                },
                uploaded: self.aws.journal_time(),
                sequencer: arrived.sequencer.clone(),
                releases: None,
                tag: None,
                at: self.aws.journal_time(),
                end: None,
            },
            ledger: self.home.clone(),
        };
        let released = Box::pin(self.released(arrived, &mut kept)).await;
        let end = match released {
            Ok(Some(end)) => end,
            // It has ended before.
            Ok(None) => return None,
            Err(Unreleased::Failed(error)) => failed(&error),
            Err(Unreleased::Later(why)) if received < self.serve.tries => {
                self.note(format!("{}: waits for its turn: {why}", arrived.key));
                if received == 1 {
                    self.tell(kept.about(), ReleaseNews::Wait { reason: why });
                }
                return Some(self.rest());
            }
            Err(Unreleased::Later(why)) => UploadEnd {
                outcome: UploadOutcome::TimedOut,
                reason: Some(format!("it was not its turn {received} times: {why}")),
                traffic: Vec::new(),
                exit_code: Exit::TimedOut.code(),
            },
        };
        self.end(kept, end).await;
        None
    }

    fn rest(&self) -> Duration {
        self.serve.every.unwrap_or_else(|| {
            let more = fastrand::u64(0..=REST.as_secs());
            REST + Duration::from_secs(more)
        })
    }

    /// None where it has ended before.
    async fn released(
        &self,
        arrived: &Arrived,
        kept: &mut UploadInHand,
    ) -> Result<Option<UploadEnd>, Unreleased> {
        let folder = tempfile::tempdir()
            .map_err(|error| Unreleased::Later(format!("no folder can be made: {error}")))?;
        let ready = Box::pin(self.ready(arrived, kept, &folder)).await;
        let Some(ready) = ready.map_err(Unreleased::unless_of_the_upload)? else {
            return Ok(None);
        };
        if let Some(why) = busy(&ready.opened.modules).await? {
            return Err(Unreleased::Later(why));
        }
        if !ready.is_begun {
            self.begin(kept).await?;
        }
        self.taken.set(&ready.opened.modules);
        let carried_out = Box::pin(self.carried_out(ready, kept));
        carried_out.await.map(Some)
    }

    /// Everything ahead of the release; none where it has ended before.
    async fn ready(
        &self,
        arrived: &Arrived,
        kept: &mut UploadInHand,
        folder: &TempDir,
    ) -> Result<Option<Ready>, Unreleased> {
        BundleFormat::of_name(kept.record.upload.file_name()).map_err(Error::from)?;
        let (upload, uploaded) = self.fetched(arrived, folder).await?;
        kept.record.upload = upload.clone();
        kept.record.uploaded = uploaded;
        self.note(format!("{upload}: fetched"));
        let release = self.unpacked(&upload, folder).await?;
        kept.record.releases = Some(wanted::name(&release));
        kept.record.tag = Some(release.tag.clone());
        let allowed = self.allowed(&release)?;
        let unpacked = folder.path().join(UNPACKED);
        let (set, args) = wanted::as_typed(&release, &allowed.set, &unpacked)?;
        let args = ReleaseArgs {
            steps: self.serve.steps.clone(),
            window: self.serve.window,
            ..args
        };
        let opened = self.context.open(&set, &args.only).await?;
        kept.ledger = self.context.ledger(&allowed.set).await?;
        match self.standing(kept).await? {
            UploadStanding::Ended(end) => {
                self.note(format!("{upload}: it has ended before: {}", end.outcome));
                Ok(None)
            }
            UploadStanding::Overtaken(later) => Err(overtaken(&later).into()),
            UploadStanding::Due { is_begun } => Ok(Some(Ready {
                set,
                args,
                opened,
                is_begun,
            })),
        }
    }

    async fn carried_out(
        &self,
        ready: Ready,
        kept: &UploadInHand,
    ) -> Result<UploadEnd, Unreleased> {
        let Ready {
            set, args, opened, ..
        } = ready;
        // Once nobody else can begin one.
        let check = async |_: &[HeldModule<'_>]| match self.standing(kept).await? {
            UploadStanding::Overtaken(later) => Err(overtaken(&later)),
            UploadStanding::Due { .. } | UploadStanding::Ended(_) => Ok(()),
        };
        let of = args.steps.as_ref().map_or(1, Steps::stages);
        let on_stage = |stage| {
            // What comes behind them is the test route's.
            if stage <= of {
                self.tell(kept.about(), ReleaseNews::Stage { stage, of });
            }
        };
        let context = SetContext {
            on_stage: &on_stage,
            ..*self.context
        };
        let carried_out = release::carry_out(&context, &set, &opened, &args, check);
        match Box::pin(carried_out).await {
            Ok(result) => Ok(result.upload_end()),
            Err(error) if error.exit == Exit::Refused => match busy(&opened.modules).await? {
                Some(why) => Err(Unreleased::Later(why)),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Reads it into a file; gives when it was uploaded.
    async fn fetched(
        &self,
        arrived: &Arrived,
        folder: &TempDir,
    ) -> Result<(Upload, OffsetDateTime), Unreleased> {
        let most = BundleLimits::default().file;
        let file = folder.path().join(BUNDLE);
        let fetched = self.aws.fetch(arrived, &file, most).await;
        fetched.map_err(|not| match not {
            NotFetched::TooLarge(most) => Error::usage(format!(
                "{arrived} is larger than {} MiB, the most that a bundle may have",
                most / (1024 * 1024)
            ))
            .into(),
            NotFetched::Unversioned => Error::usage(format!(
                "the bucket {} keeps no versions, so nobody can tell which upload {arrived} is",
                arrived.bucket
            ))
            .hint("turn versioning on, and upload it again")
            .into(),
            NotFetched::Unwritten(error) => {
                Unreleased::Later(format!("{arrived} cannot be kept here: {error}"))
            }
            NotFetched::Aws(error) if GONE.iter().any(|code| error.has_code(code)) => Error::usage(
                format!("{arrived} is gone: nothing is there to be released"),
            )
            .into(),
            NotFetched::Aws(error) if error.is_retryable() => Unreleased::Later(error.to_string()),
            NotFetched::Aws(error) => Error::from(error).into(),
        })
    }

    /// Checks whose it is, and what is in it.
    async fn unpacked(&self, upload: &Upload, folder: &TempDir) -> Result<ReleaseFile, Unreleased> {
        let key = self.serve.public_key.clone();
        let signature = match &key {
            None => None,
            Some(_) => {
                let beside = format!("{}{SIGNATURE}", upload.key);
                let text = self.aws.small_object(&upload.bucket, &beside).await;
                let text = text.map_err(|error| match error.is_retryable() {
                    true => Unreleased::Later(error.to_string()),
                    false => Error::from(error).into(),
                })?;
                Some(text.ok_or_else(|| unsigned(upload))?)
            }
        };
        let name = upload.file_name().to_owned();
        let (file, into) = (folder.path().join(BUNDLE), folder.path().join(UNPACKED));
        let opening = tokio::task::spawn_blocking(move || {
            if let (Some(key), Some(signature)) = (key, signature) {
                bundle::verify(&file, &name, &signature, &key)?;
            }
            std::fs::create_dir(&into).map_err(|error| {
                Error::failed("no folder for what is unpacked can be made").because(&error)
            })?;
            let limits = BundleLimits::default();
            let release = bundle::open(&file, &name, &into, &limits)?;
            Ok::<_, Error>(release)
        });
        let opened = opening.await;
        let opened =
            opened.map_err(|error| Error::failed("it was not unpacked").because(&error))?;
        Ok(opened?)
    }

    /// # Errors
    /// No upload may release it (exit 2).
    fn allowed(&self, release: &ReleaseFile) -> Result<&Releasable> {
        let mut all = self.releasables.iter();
        all.find(|it| wanted::is_of(release, it)).ok_or_else(|| {
            let names: Vec<&str> = self
                .releasables
                .iter()
                .map(|it| it.set.name.as_str())
                .collect();
            Error::usage(format!(
                "this worker releases no {}: it releases {}",
                wanted::what(release),
                names.join(", ")
            ))
            .hint("`allow` in [serve] names the files of further apps and sets")
        })
    }

    async fn standing(&self, kept: &UploadInHand) -> Result<UploadStanding> {
        let known = kept.ledger.since(kept.record.uploaded);
        Ok(standing(&kept.record, &known.await?))
    }

    /// Keeps and tells that it begins.
    async fn begin(&self, kept: &mut UploadInHand) -> Result<()> {
        kept.record.at = kept.ledger.aws.journal_time();
        kept.ledger.write(&kept.record).await?;
        self.tell(kept.about(), ReleaseNews::Begin);
        Ok(())
    }

    async fn end(&self, kept: UploadInHand, end: UploadEnd) {
        let about = kept.about();
        let record = UploadRecord {
            at: kept.ledger.aws.journal_time(),
            end: Some(end.clone()),
            ..kept.record
        };
        if let Err(error) = kept.ledger.write(&record).await {
            self.warn(format!(
                "how {} ended could not be kept: {error}",
                record.upload
            ));
        }
        let notice = self.notice(about, ReleaseNews::End(end));
        match record.end.map(|end| end.outcome) {
            Some(UploadOutcome::Complete) => self.note(notice.line()),
            _ => self.warn(notice.line()),
        }
        self.notifier.tell(notice);
    }

    fn tell(&self, about: NoticeOf, news: ReleaseNews) {
        self.notifier.tell(self.notice(about, news));
    }

    fn notice(&self, about: NoticeOf, news: ReleaseNews) -> ReleaseNotice {
        ReleaseNotice::new(self.aws.journal_time(), about, news)
    }
}

/// By which S3 says that there is no such object, or nothing but a mark of its deletion.
const GONE: [&str; 3] = ["NoSuchKey", "NoSuchVersion", "MethodNotAllowed"];

/// In an upload's own folder.
const BUNDLE: &str = "bundle";
const UNPACKED: &str = "unpacked";

/// Who is working on one of them, if anyone.
async fn busy(modules: &[Module]) -> Result<Option<String>> {
    for it in modules {
        let (aws, table) = (&it.session.aws, it.infrastructure.journal_table());
        let head = aws.read_head(table).await?;
        if let Some(lease) = turn::held(&head, aws.journal_time()) {
            let (name, holder) = (it.name(), &lease.holder);
            return Ok(Some(format!("{name}: {holder} is at work")));
        }
    }
    Ok(None)
}

fn overtaken(later: &Upload) -> Error {
    Error::refused(format!(
        "a later upload, {}, was begun before it: it is not released any more",
        later.file_name()
    ))
}

fn unsigned(upload: &Upload) -> Error {
    let name = upload.file_name();
    Error::usage(format!(
        "{name} is not signed: there is no {name}{SIGNATURE} beside it"
    ))
    .hint("sign it (`minisign -Sm FILE`) and upload the signature before it")
}

fn failed(error: &Error) -> UploadEnd {
    UploadEnd {
        outcome: UploadOutcome::Failed,
        reason: Some(error.message.clone()),
        traffic: error.traffic.iter().cloned().collect(),
        exit_code: error.exit.code(),
    }
}
