//! `bgecs submit`: uploads a release, and follows it to its end as if it ran here.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::release::{Ledger, SetContext};
use super::serve::{served, wanted};
use crate::aws::Aws;
use crate::bundle::{self, BundleFormat, BundleLimits};
use crate::cli::{Global, SubmitArgs};
use crate::config::{Releasable, ReleaseFile, ServeSection};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Tag, Upload, UploadEnd, UploadRecord};
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
    #[serde(flatten)]
    end: Option<UploadEnd>,
}

impl CommandResult for SubmitResult {
    fn human(&self, style: &Style) -> String {
        let name = format!("{}, tag {}", style.strong(&self.releases), self.tag);
        let Some(end) = &self.end else {
            return format!("{name}: uploaded as {}", self.upload);
        };
        let traffic = end.traffic.iter();
        let traffic: String = traffic.map(|it| format!("\n  {it}")).collect();
        format!("{name}: {}{traffic}", end.outcome)
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
    // Where it is kept what became of it: what is refused names nothing.
    let ledgers = [
        context.ledger(&target.set).await?,
        context.ledger(own).await?,
    ];
    let upload = uploaded(&ledgers[1].aws, &own.serve, args, &name).await?;
    report.tell(&ReportEvent::Done(format!("uploaded {upload}")));
    let end = match args.no_wait {
        true => None,
        false => ended(&report, &upload, &ledgers, args.timeout).await?,
    };
    let result = SubmitResult {
        operation: "submit",
        upload,
        releases: wanted::name(&release),
        tag: release.tag,
        end,
    };
    report.result(&result);
    let Some(end) = &result.end else {
        return Ok(Exit::Done);
    };
    let exit = Exit::of_code(end.exit_code);
    if let Some(reason) = &end.reason {
        report.complain(&Error::new(exit, reason.clone()));
    }
    Ok(exit)
}

async fn uploaded(
    aws: &Aws,
    serve: &ServeSection,
    args: &SubmitArgs,
    name: &str,
) -> Result<Upload> {
    let Some(bucket) = args.bucket.as_ref().or(serve.bucket.as_ref()) else {
        return Err(
            Error::usage("nothing says which bucket releases are uploaded to")
                .hint("name it with --bucket, or as `bucket` in [serve]"),
        );
    };
    let key = args.key.as_deref().unwrap_or(name);
    // Nobody hears of another, and no worker takes it.
    BundleFormat::of_name(key).map_err(|error| Error::usage(error.to_string()))?;
    let at = (bucket.as_str(), key);
    if serve.public_key.is_some() {
        put_signature(aws, at, &args.bundle).await?;
    }
    Ok(aws.put_object(at, &args.bundle).await?)
}

/// # Errors
/// It took too long (exit 5); a person did not wait for it.
async fn ended(
    report: &Reporter,
    upload: &Upload,
    ledgers: &[Ledger],
    patience: Duration,
) -> Result<Option<UploadEnd>> {
    let left = format!("{upload} is released all the same");
    let following = tokio::time::timeout(patience, follow(report, upload, ledgers));
    let mut interrupts = Interrupts::listen()?;
    let followed = interrupts.or_stop("following it", &left, async {
        following.await.map_err(|_| {
            let message = format!("{upload} has not ended yet");
            Error::new(Exit::TimedOut, message).hint(&*left)
        })?
    });
    Ok(followed.await?.end)
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
async fn put_signature(aws: &Aws, (bucket, key): (&str, &str), bundle: &Path) -> Result<()> {
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
    aws.put_object((bucket, &key), signature).await?;
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
