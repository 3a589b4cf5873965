//! The findings of `bgecs doctor`: one line for each thing that a first release needs,
//! and what to do if it is missing.

use std::collections::BTreeSet;

use time::Duration;

use crate::counted::counted;
use crate::error::Error;
use crate::model::{Answer, Endpoint, Finding, Grade, QuotaUse};

/// AWS refuses a request whose time is further off
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html> says 15
/// minutes; of most services it is 5).
const REFUSED: Duration = Duration::minutes(5);
/// The SDK corrects such a clock, and other programs do not.
const NOTICED: Duration = Duration::seconds(30);
/// The share of a quota, including what a release takes, from which on it is a warning.
const NEARLY_ALL: f64 = 0.8;
/// How many denied actions are named.
const NAMED: usize = 5;

/// A finding for what ended with an error.
pub fn failed(name: &'static str, error: &Error) -> Finding {
    let all = [&error.message].into_iter().chain(&error.causes);
    let detail: Vec<&str> = all.map(String::as_str).collect();
    Finding {
        hint: error.hint.clone(),
        ..Finding::new(name, Grade::Failed, detail.join(": "))
    }
}

/// A finding for what could not be looked at.
pub fn unknown(name: &'static str, error: &Error) -> Finding {
    let why = error.causes.last().unwrap_or(&error.message);
    Finding::new(name, Grade::Unknown, format!("not known: {why}"))
}

/// `ahead` is what AWS's time is ahead of this machine's.
pub fn clock(ahead: Duration) -> Finding {
    let off = ahead.abs();
    let seconds = counted(off.whole_seconds(), "second");
    let detail = match ahead.is_positive() {
        true => format!("this machine's clock is {seconds} behind AWS's"),
        false => format!("this machine's clock is {seconds} ahead of AWS's"),
    };
    let grade = match off {
        off if off > REFUSED => Grade::Failed,
        off if off > NOTICED => Grade::Warning,
        off if off < Duration::SECOND => return Finding::ok("clock", "as AWS's"),
        _ => return Finding::ok("clock", detail),
    };
    Finding::new("clock", grade, detail)
        .hint("set the clock, as by `timedatectl set-ntp true`: AWS refuses requests that are signed at another time")
}

/// `role` is what the policy is for, such as `deployer`.
pub fn permissions(
    name: &'static str,
    role: &str,
    denied: &BTreeSet<String>,
    is_needed: bool,
) -> Finding {
    if denied.is_empty() {
        return Finding::ok(name, "IAM allows every action");
    }
    let named: Vec<&str> = denied.iter().take(NAMED).map(String::as_str).collect();
    let rest = match denied.len() - named.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let grade = match is_needed {
        true => Grade::Failed,
        false => Grade::Warning,
    };
    let detail = format!("IAM denies {}{rest}", named.join(", "));
    Finding::new(name, grade, detail).hint(format!(
        "`bgecs init --print-policy {role}` prints the policy that it takes"
    ))
}

/// The first quota that is too small, else the first that is nearly used up, else all.
pub fn quotas(all: &[QuotaUse]) -> Finding {
    let short = all.iter().find(|it| is_short(it));
    let near = || all.iter().find(|it| is_near(it));
    if let Some(quota) = short {
        return of_quota(quota, Grade::Failed);
    }
    if let Some(quota) = near() {
        return of_quota(quota, Grade::Warning);
    }
    let named: Vec<String> = all.iter().map(used).collect();
    Finding::ok("quotas", named.join(", "))
}

fn is_short(quota: &QuotaUse) -> bool {
    quota.used.unwrap_or(0.0) + quota.needed > quota.limit
}

fn is_near(quota: &QuotaUse) -> bool {
    quota
        .used
        .is_some_and(|used| used + quota.needed > NEARLY_ALL * quota.limit)
}

fn used(quota: &QuotaUse) -> String {
    let QuotaUse {
        name, limit, used, ..
    } = quota;
    match used {
        Some(used) => format!("{used} of {limit} {}", name.of),
        None => format!("up to {limit} {}", name.of),
    }
}

fn of_quota(quota: &QuotaUse, grade: Grade) -> Finding {
    let detail = format!("{} are used, and this takes {}", used(quota), quota.needed);
    let name = quota.name;
    Finding::new("quotas", grade, detail).hint(format!(
        "`aws service-quotas request-service-quota-increase --service-code {} --quota-code {} --desired-value N` asks for more",
        name.service, name.code
    ))
}

/// What a route answered at its path.
pub fn route(
    name: &'static str,
    endpoint: &Endpoint,
    path: &str,
    answer: &Answer,
    is_live: bool,
) -> Finding {
    match answer {
        Answer::Http { status, .. } if answer.is_ok() => {
            Finding::ok(name, format!("{endpoint} answers {status} at {path}"))
        }
        // The load balancer's own, where no target is.
        Answer::Http { status: 503, .. } if !is_live => Finding::ok(
            name,
            format!("{endpoint} is reachable; nothing is deployed there yet"),
        ),
        Answer::Http { status, .. } => Finding::new(
            name,
            Grade::Warning,
            format!("{endpoint} answers {status} at {path}"),
        )
        .hint("a promotion is refused while production answers anything but 2xx: `[probe] path` names what is asked"),
        Answer::Nothing { error, .. } => Finding::new(
            name,
            Grade::Failed,
            format!("{endpoint} cannot be reached from here: {error}"),
        )
        .hint("the probe has to reach what users reach: let this machine in, or run bgecs where it can get there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Lost, QuotaName};

    fn quota(limit: f64, used: Option<f64>, needed: f64) -> QuotaUse {
        QuotaUse {
            name: QuotaName::VPCS,
            limit,
            used,
            needed,
        }
    }

    #[test]
    fn a_clock_is_judged_by_what_aws_takes() {
        let of = |seconds| clock(Duration::seconds(seconds));
        assert_eq!(of(0).detail, "as AWS's");
        let behind = of(12);
        assert_eq!(behind.grade, Grade::Ok);
        assert_eq!(
            behind.detail,
            "this machine's clock is 12 seconds behind AWS's"
        );
        assert_eq!(of(-60).grade, Grade::Warning);
        assert!(of(-60).detail.ends_with("60 seconds ahead of AWS's"));
        assert_eq!(of(301).grade, Grade::Failed);
    }

    #[test]
    fn what_is_denied_is_named_and_what_is_too_much_is_counted() {
        let denied: BTreeSet<String> = (1..=7).map(|n| format!("ecs:Action{n}")).collect();
        let found = permissions("deploying", "deployer", &denied, true);
        assert_eq!(found.grade, Grade::Failed);
        assert_eq!(
            found.detail,
            "IAM denies ecs:Action1, ecs:Action2, ecs:Action3, ecs:Action4, ecs:Action5 and 2 more"
        );
        assert!(found.hint.unwrap().contains("--print-policy deployer"));
        let spared = permissions("making", "operator", &denied, false);
        assert_eq!(spared.grade, Grade::Warning);
        let none = permissions("making", "operator", &BTreeSet::new(), true);
        assert_eq!(none.grade, Grade::Ok);
    }

    #[test]
    fn the_scarcest_quota_is_told() {
        let enough = quota(50.0, Some(3.0), 1.0);
        let found = quotas(&[enough, quota(6.0, None, 0.5)]);
        assert_eq!(found.grade, Grade::Ok);
        assert_eq!(found.detail, "3 of 50 VPCs, up to 6 VPCs");
        assert_eq!(
            quotas(&[enough, quota(5.0, Some(4.0), 1.0)]).grade,
            Grade::Warning
        );
        let short = quotas(&[quota(5.0, Some(4.0), 1.0), quota(5.0, Some(5.0), 1.0)]);
        assert_eq!(short.grade, Grade::Failed);
        assert_eq!(short.detail, "5 of 5 VPCs are used, and this takes 1");
        assert_eq!(quotas(&[quota(0.0, None, 0.5)]).grade, Grade::Failed);
    }

    #[test]
    fn a_route_without_a_release_is_no_trouble() {
        let http = |status| Answer::Http {
            status,
            release: None,
            body: String::new(),
        };
        let of = |answer: &Answer, is_live| {
            route("production", &Endpoint::Port(80), "/api", answer, is_live)
        };
        assert_eq!(of(&http(200), true).detail, "port 80 answers 200 at /api");
        assert_eq!(of(&http(503), false).grade, Grade::Ok);
        assert_eq!(of(&http(503), true).grade, Grade::Warning);
        let nothing = Answer::Nothing {
            why: Lost::Refused,
            error: "connection refused".to_owned(),
        };
        assert_eq!(of(&nothing, false).grade, Grade::Failed);
    }
}
