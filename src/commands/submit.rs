//! `bgecs submit`: uploads a release, and follows it to its end as if it ran here.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::release::{Ledger, SetContext};
use super::serve::{served, wanted};
use crate::bundle::{self, BundleLimits};
use crate::cli::{Global, SubmitArgs};
use crate::config::{Releasable, ReleaseFile};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Tag, Upload, UploadOutcome, UploadRecord};
use crate::report::{Audience, CommandResult, ReportEvent, Reporter, Style};

/// How long between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// By how much this machine's clock may be ahead of S3's.
const CLOCK: Duration = Duration::from_secs(300);

#[derive(Debug, Serialize)]
struct SubmitResult {
    operation: &'static str,
    upload: Upload,
    releases: String,
    tag: Tag,
    /// None where nobody waited for it.
    outcome: Option<UploadOutcome>,
    reason: Option<String>,
    traffic: Vec<String>,
}

impl CommandResult for SubmitResult {
    fn human(&self, style: &Style) -> String {
        let name = format!("{}, tag {}", style.strong(&self.releases), self.tag);
        let mut text = match self.outcome {
            None => format!("{name}: uploaded as {}", self.upload),
            Some(outcome) => format!("{name}: {outcome}"),
        };
        for it in &self.traffic {
            text += &format!("\n  {it}");
        }
        text
    }
}

pub async fn run(global: &Global, audience: Audience, args: &SubmitArgs) -> Result<Exit> {
    let report = Reporter::new(audience);
    let context = SetContext::of_person(global, &report);
    let name = args.bundle.file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let release = checked(&args.bundle, &name)?;
    let all = served(global, args.file.as_deref())?;
    let target = target(&all, &release)?;
    let own = &all[0].set;
    let Some(bucket) = args.bucket.as_ref().or(own.serve.bucket.as_ref()) else {
        return Err(
            Error::usage("which bucket releases are uploaded to is not said")
                .hint("name it with --bucket, or as `bucket` in [serve]"),
        );
    };
    let home = context.ledger(own).await?;
    let ledgers = [context.ledger(&target.set).await?, home];
    let key = args.key.as_deref().unwrap_or(&name);
    if own.serve.public_key.is_some() {
        put_signature(&ledgers[1], (bucket, key), &args.bundle).await?;
    }
    let upload = ledgers[1]
        .aws
        .put_object((bucket, key), &args.bundle)
        .await?;
    report.tell(&ReportEvent::Done(format!("uploaded {upload}")));
    let followed = match args.no_wait {
        true => None,
        false => {
            let following = follow(&report, &upload, &ledgers);
            let left = format!("{upload} is released all the same");
            let mut interrupts = Interrupts::listen()?;
            let following = tokio::time::timeout(args.timeout, following);
            let followed = interrupts.or_stop("following it", &left, async {
                following.await.map_err(|_| {
                    let message = format!("{upload} has not ended yet");
                    Error::new(Exit::TimedOut, message).hint(&*left)
                })?
            });
            Some(followed.await?)
        }
    };
    let end = followed.and_then(|record| record.end);
    let result = SubmitResult {
        operation: "submit",
        upload,
        releases: wanted::name(&release),
        tag: release.tag,
        outcome: end.as_ref().map(|end| end.outcome),
        reason: end.as_ref().and_then(|end| end.reason.clone()),
        traffic: end
            .as_ref()
            .map(|end| end.traffic.clone())
            .unwrap_or_default(),
    };
    report.result(&result);
    let exit = end.map_or(Exit::Done, |end| Exit::of_code(end.exit_code));
    if let Some(reason) = &result.reason {
        report.complain(&Error::new(exit, reason.clone()));
    }
    Ok(exit)
}

/// What is wrong with a bundle is told ahead of its upload.
fn checked(file: &Path, name: &str) -> Result<ReleaseFile> {
    let folder = tempfile::tempdir()
        .map_err(|error| Error::failed("no temporary folder can be made").because(&error))?;
    Ok(bundle::open(
        file,
        name,
        folder.path(),
        &BundleLimits::default(),
    )?)
}

/// # Errors
/// It is of something else (exit 2).
fn target<'a>(all: &'a [Releasable], release: &ReleaseFile) -> Result<&'a Releasable> {
    let found = all.iter().find(|it| wanted::is_of(release, it));
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|it| it.set.name.as_str()).collect();
        Error::usage(format!(
            "the bundle is of the {}, and {} is of {}",
            wanted::what(release),
            all[0].set.path.display(),
            names.join(", ")
        ))
    })
}

/// Ahead of what it is of: a worker that is told of that looks for it.
async fn put_signature(ledger: &Ledger, (bucket, key): (&str, &str), bundle: &Path) -> Result<()> {
    let mut signature = bundle.as_os_str().to_owned();
    signature.push(wanted::SIGNATURE);
    let signature = Path::new(&signature);
    if !signature.is_file() {
        return Err(Error::usage(format!(
            "{} is not signed, and the worker takes nothing unsigned: there is no {}",
            bundle.display(),
            signature.display()
        ))
        .hint(format!("sign it: `minisign -Sm {}`", bundle.display())));
    }
    let key = format!("{key}{}", wanted::SIGNATURE);
    ledger.aws.put_object((bucket, &key), signature).await?;
    Ok(())
}

/// Until it has ended, told as it goes.
async fn follow(report: &Reporter, upload: &Upload, ledgers: &[Ledger]) -> Result<UploadRecord> {
    let began = Instant::now();
    let mut is_begun = false;
    report.tell(&ReportEvent::Doing(
        "waiting for a worker to take it".to_owned(),
    ));
    loop {
        for ledger in ledgers {
            let since = ledger.aws.journal_time() - began.elapsed() - CLOCK;
            let known = ledger.since(since).await?;
            let Some(it) = known.into_iter().find(|it| it.upload == *upload) else {
                continue;
            };
            if it.end.is_some() {
                return Ok(it);
            }
            if !is_begun {
                is_begun = true;
                report.tell(&ReportEvent::Doing("a worker releases it".to_owned()));
            }
        }
        sleep(PAUSE).await;
    }
}
