//! HTTPS under the app's own name: checks its certificates before everything else, and
//! sends users of a live app there once it answers.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::try_join_all;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::asking::{Asking, of_file};
use super::stack::{about_to_update, change_parameter};
use super::turn::Turn;
use crate::aws::AwsErrorKind;
use crate::engine::plan::{self, PLAIN_PORT, REDIRECT};
use crate::error::{Error, Result};
use crate::model::{Answer, CertificateArn, Infrastructure, IssuedCertificate, Lost, Route};
use crate::probe::{Address, Exchange, ask_each};
use crate::report::ReportEvent;
use crate::session::Session;

/// A listener takes some seconds to reach each node; a new rule of a security group takes
/// less.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(500);
/// How often in a row each node has to answer.
const ROUNDS: usize = 3;

/// Checks whether the certificates of `[tls]`, if there is one, can serve the name.
///
/// # Errors
/// They cannot (exit 6); AWS's own.
pub async fn refuse_unfit_certificates(session: &Session) -> Result<()> {
    let (Some(tls), Some(host)) = (&session.config.tls, session.config.production.host()) else {
        return Ok(());
    };
    plan::refuse_other_region(&tls.certificates, session.aws.region())?;
    let reading = tls.certificates.iter().map(|arn| certificate(session, arn));
    let certificates = try_join_all(reading).await?;
    Ok(plan::refuse_unfit(
        &certificates,
        host,
        OffsetDateTime::now_utc(),
    )?)
}

async fn certificate(session: &Session, arn: &CertificateArn) -> Result<IssuedCertificate> {
    session.aws.certificate(arn).await.map_err(|error| {
        if error.kind != AwsErrorKind::NotFound {
            return error.into();
        }
        Error::refused(format!("ACM has no certificate {arn}"))
            .cause(error.to_string())
            .hint(format!(
                "`aws acm list-certificates --region {}` lists the certificates there",
                arn.region()
            ))
    })
}

/// Makes port 80 redirect, once each node of the load balancer answers under the app's
/// own name.
///
/// # Errors
/// It does not answer (port 80 keeps forwarding); what CloudFormation says.
pub async fn redirect_once_it_answers(
    session: &Session,
    turn: Option<&Turn>,
    told: &mut HashSet<String>,
) -> Result<()> {
    let name = session.stack_name();
    let gone = || Error::failed(format!("the stack {name} is gone"));
    let stack = session.aws.read_stack(&name).await?.ok_or_else(gone)?;
    let infra = stack.ecs_infrastructure();
    let infra =
        infra.map_err(|missing| Error::failed(format!("{name} has no output {missing}")))?;
    let url = session.config.production.url.as_deref().unwrap_or_default();
    let asking = Asking::new(of_file(&session.config.probe), Vec::new());
    let address = session.address_by(url, &infra.load_balancer_dns_name, &asking.path);
    let address = address.await?;
    let waits = format!("waiting until {url} answers");
    session.report.tell(&ReportEvent::Doing(waits));
    await_answers(&address, &asking).await.map_err(|why| {
        Error::failed(format!("{url} does not answer as it should: {why}"))
            .traffic(format!("{} forwards as before", infra.endpoints.production))
            .hint("fix that, and run `bgecs init` again: it continues from here")
    })?;
    let answers = format!("{url} answers: port 80 redirects to it from now on");
    session.report.tell(&ReportEvent::Done(answers));
    about_to_update(turn, &name).await?;
    change_parameter(session, &stack, (PLAIN_PORT, REDIRECT), told).await
}

/// A warning about the certificate of the app's own name: it is not accepted, or it
/// expires soon.
pub async fn certificate_warning(session: &Session, infra: &Infrastructure) -> Option<String> {
    let asking = Asking::new(of_file(&session.config.probe), Vec::new());
    let address = session
        .bare_address(infra, Route::Production, &asking.path)
        .ok()?;
    if !address.is_secured() {
        return None;
    }
    let (answers, expiry) = ask_each(&address, &asking.question, asking.timeout).await;
    answers
        .iter()
        .find_map(tls_complaint)
        .or_else(|| expiry.warning())
}

fn tls_complaint(asked: &Exchange) -> Option<String> {
    match &*asked.answer {
        Answer::Nothing {
            why: Lost::Tls,
            error,
        } => Some(error.clone()),
        _ => None,
    }
}

/// # Errors
/// What is wrong with the last answer.
async fn await_answers(address: &Address, asking: &Asking) -> Result<(), String> {
    let began = Instant::now();
    let mut good = 0;
    loop {
        let (answers, _) = ask_each(address, &asking.question, asking.timeout).await;
        match answers.iter().find_map(complaint) {
            None => good += 1,
            Some(why) if began.elapsed() > PATIENCE => return Err(why),
            Some(why) => {
                tracing::debug!(why, "not yet");
                good = 0;
            }
        }
        if good == ROUNDS {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
}

fn complaint(asked: &Exchange) -> Option<String> {
    match (&*asked.answer, asked.unexpected) {
        (Answer::Nothing { error, .. }, _) => Some(error.clone()),
        (Answer::Http { status, .. }, Some(_)) => Some(format!("HTTP {status}")),
        (Answer::Http { .. }, None) => None,
    }
}

#[cfg(test)]
mod tests;
