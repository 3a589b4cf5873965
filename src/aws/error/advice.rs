//! What is known about a failed call beyond its kind: why nothing could be signed, that
//! nothing listens at an address, and by how much a clock is wrong.

use std::error::Error as StdError;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_smithy_types::date_time::{DateTime, Format};
use rustls::{CertificateError, Error as TlsError};
use time::OffsetDateTime;
use time::macros::format_description;

use super::Advice;
use crate::aws::access::{NotUp, Proxied, Unsigned};
use crate::error::causes;
use crate::model::denial::OWN_ROLE;
use crate::spoken_time;

/// AWS accepts a signature for five minutes; if the clock is at least this accurate, AWS
/// complains about something else.
const TOLERATED: time::Duration = time::Duration::minutes(4);

/// ECS has no specific code for this.
const OF_THE_CLIENT: &str = "ClientException";

/// Whether a requested revision does not exist any more.
pub(super) fn is_revision_gone(action: &str, code: Option<&str>) -> bool {
    action == "ecs:DescribeTaskDefinition" && code == Some(OF_THE_CLIENT)
}

/// A revision that something else deregistered or deleted, or a role of it that is gone;
/// distinguished from other errors with the same code by the message.
pub(super) fn of_lost_part(
    action: &str,
    resource: &str,
    code: Option<&str>,
    message: &str,
) -> Option<Advice> {
    let said = message.to_ascii_lowercase().replace(' ', "");
    let is_of_client = action.starts_with("ecs:") && code == Some(OF_THE_CLIENT);
    if is_of_client && said.contains("roleisnotvalid") {
        return Some(Advice {
            headline: format!("a role that the task definition of {resource} names does not exist"),
            hint: format!(
                "it must exist, and ecs-tasks.amazonaws.com must be allowed to assume it: {OWN_ROLE}"
            ),
        });
    }
    let is_lost = || {
        ["inactive", "unabletofind", "notfound", "doesnotexist"]
            .iter()
            .any(|word| said.contains(word))
    };
    let headline = if is_revision_gone(action, code) {
        let revision = resource.rsplit('/').next().unwrap_or(resource);
        format!("the task definition {revision} is gone")
    } else if is_of_client && said.contains("taskdefinition") && is_lost() {
        format!("the task definition that {resource} was to run is gone, or deregistered")
    } else {
        return None;
    };
    Some(Advice {
        headline,
        hint: "something else did that: `bgecs deploy CONTEXT --tag TAG` registers another"
            .to_owned(),
    })
}

/// The advice that belongs to one of the error's causes.
pub(super) fn by_cause(error: &(dyn StdError + 'static)) -> Option<Advice> {
    causes(error).find_map(|cause| {
        if let Some(unsigned) = cause.downcast_ref::<Unsigned>() {
            return Some(Advice {
                headline: unsigned.headline.clone(),
                hint: unsigned.hint.clone(),
            });
        }
        if let Some(not_up) = cause.downcast_ref::<NotUp>() {
            return Some(Advice {
                headline: format!("nothing answers at {}", not_up.authority),
                hint: "is the local AWS up? `cargo xtask local up` starts it; without one, `unset AWS_ENDPOINT_URL`".to_owned(),
            });
        }
        if is_untrusted(cause) {
            return Some(Advice {
                headline: "AWS's certificate is not trusted here".to_owned(),
                hint: "if a proxy opens TLS connections, name its certificates with AWS_CA_BUNDLE (or SSL_CERT_FILE)".to_owned(),
            });
        }
        None
    })
    .or_else(|| {
        causes(error).find_map(|cause| cause.downcast_ref::<Proxied>()).map(|proxied| Advice {
            headline: format!("AWS cannot be reached through the proxy of {}", proxied.name),
            hint: format!("check {}; NO_PROXY names the hosts that need none", proxied.name),
        })
    })
}

fn is_untrusted(cause: &(dyn StdError + 'static)) -> bool {
    let unknown = |error: &TlsError| {
        matches!(
            error,
            TlsError::InvalidCertificate(CertificateError::UnknownIssuer)
        )
    };
    // An `io::Error` does not return the error that it wraps as its source.
    let wrapped = cause
        .downcast_ref::<std::io::Error>()
        .and_then(|error| error.get_ref())
        .and_then(|inner| inner.downcast_ref::<TlsError>());
    cause.downcast_ref().or(wrapped).is_some_and(unknown)
}

/// What the clock has to do with a refusal, if anything.
pub(super) fn of_clock(
    code: &str,
    response: Option<&HttpResponse>,
    message: &str,
    now: OffsetDateTime,
) -> Option<Advice> {
    let is_about_time = matches!(code, "RequestTimeTooSkewed" | "RequestInTheFuture");
    let may_be_about_time = matches!(
        code,
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "AuthFailure" | "RequestExpired"
    );
    if !is_about_time && !may_be_about_time {
        return None;
    }
    let date = response.and_then(|response| response.headers().get("date"));
    let behind = match date.and_then(server_time) {
        Some(server) => Some(server - now),
        None => times(message),
    };
    let behind = behind.filter(|behind| behind.abs() > TOLERATED);
    match behind {
        None if !is_about_time => None,
        None => Some(advice("this machine's clock differs from AWS's".to_owned())),
        Some(behind) => {
            let way = if behind.is_positive() {
                "behind"
            } else {
                "ahead of"
            };
            let amount = spoken_time::roughly(behind.abs());
            Some(advice(format!(
                "this machine's clock is {amount} {way} AWS's"
            )))
        }
    }
}

fn advice(headline: String) -> Advice {
    Advice {
        headline,
        hint: "set it (`timedatectl set-ntp true`; a virtual machine's or WSL's falls behind while it sleeps), then try again".to_owned(),
    }
}

fn server_time(date: &str) -> Option<OffsetDateTime> {
    let date = DateTime::from_str(date, Format::HttpDate).ok()?;
    OffsetDateTime::from_unix_timestamp(date.secs()).ok()
}

/// How far the first time in a message, the request's, is behind the last one, AWS's own.
fn times(message: &str) -> Option<time::Duration> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    let mut times = message
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| time::PrimitiveDateTime::parse(word, &form).ok());
    let request = times.next()?;
    Some(times.next_back()? - request)
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-28 12:00:00 UTC);

    fn said(code: &str, date: Option<&str>, message: &str) -> Option<String> {
        let mut response = HttpResponse::new(403.try_into().unwrap(), SdkBody::empty());
        if let Some(date) = date {
            response.headers_mut().insert("date", date.to_owned());
        }
        of_clock(code, Some(&response), message, NOW).map(|advice| advice.headline)
    }

    #[test]
    fn a_wrong_clock_is_told_by_how_much() {
        let expired = "Signature expired: 20261128T120000Z is now earlier than 20261128T123500Z (20261128T125000Z - 15 min.)";
        let early = "Signature not yet current: 20261128T120000Z is still later than 20261128T075500Z (20261128T075000Z + 5 min.)";
        let behind = Some("this machine's clock is 50 min behind AWS's".to_owned());
        let ahead = Some("this machine's clock is 4 h ahead of AWS's".to_owned());
        for code in [
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "RequestExpired",
        ] {
            assert_eq!(said(code, None, expired), behind, "{code}");
            assert_eq!(said(code, None, early), ahead, "{code}");
            let date = Some("Sat, 28 Nov 2026 12:50:00 GMT");
            assert_eq!(said(code, date, "no"), behind, "{code}");
            // The clock is right: the signature is wrong for another reason.
            let date = Some("Sat, 28 Nov 2026 12:00:40 GMT");
            assert_eq!(said(code, date, "no"), None, "{code}");
            assert_eq!(said(code, None, "no"), None, "{code}");
        }
        let skewed = said("RequestTimeTooSkewed", None, "no");
        assert_eq!(skewed.unwrap(), "this machine's clock differs from AWS's");
        let date = Some("Sat, 28 Nov 2026 12:50:00 GMT");
        assert_eq!(said("RequestTimeTooSkewed", date, "no"), behind);
        assert_eq!(said("AccessDenied", date, expired), None);
    }
}
