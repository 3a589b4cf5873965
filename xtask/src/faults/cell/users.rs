//! What users may see of an operation that is killed, and what they saw.

use std::time::{Duration, Instant};

use localstack::gate::faults::What;
use localstack::gate::record::Call;

use crate::faults::state::Color;
use crate::observer::{Answer, Seen, span};

/// What the load balancer says as long as no release is live.
const NOTHING_LIVE: &str = "nothing is live yet";

/// When the service of what was live was asked to go, or the stack: nobody can be
/// served from then on. A call that was held ahead of its effect asked for
/// nothing.
pub fn taken_away(calls: &[Call], live: Option<Color>) -> Option<Instant> {
    let had_effect = |call: &Call| call.struck.iter().all(|one| one.what != What::HoldBefore);
    let is_live = |call: &Call| {
        let service = call.resource.rsplit('/').next();
        live.is_some_and(|live| service == Some(live.as_str()))
    };
    let ends = |call: &Call| {
        (call.is("ecs", "DeleteService") && is_live(call))
            || call.is("cloudformation", "DeleteStack")
    };
    let first = calls.iter().find(|call| ends(call) && had_effect(call));
    Some(first?.at)
}

/// What no user should have seen: a failure, unless the service was taken away
/// before. Ahead of the first release there is a notice, and none after it.
pub fn harm(seen: &Seen, taken_away: Option<Instant>) -> Option<String> {
    let failures = failures(seen, taken_away);
    let first = failures.first()?.failure()?;
    Some(format!(
        "{} of {} requests failed: {first}",
        failures.len(),
        counted(seen, taken_away).count()
    ))
}

/// From the first to the last of these failures.
pub fn failed_for(seen: &Seen, taken_away: Option<Instant>) -> Option<Duration> {
    span(failures(seen, taken_away))
}

fn failures(seen: &Seen, taken_away: Option<Instant>) -> Vec<&Answer> {
    let mut all = counted(seen, taken_away);
    let first_good = all.find(|one| one.failure().is_none());
    let is_early = |one: &Answer| first_good.is_none_or(|good| one.sent < good.answered);
    let is_harm = |one: &&Answer| {
        let is_notice = one.says(NOTHING_LIVE) && is_early(one);
        one.failure().is_some() && !is_notice
    };
    counted(seen, taken_away).filter(is_harm).collect()
}

fn counted(seen: &Seen, taken_away: Option<Instant>) -> impl Iterator<Item = &Answer> {
    let counts = move |answer: &&Answer| taken_away.is_none_or(|end| answer.answered < end);
    seen.0.iter().filter(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers a second apart.
    fn seen(statuses: &[u16]) -> (Seen, Instant) {
        let start = Instant::now();
        let answers = statuses.iter().zip(0..).map(|(status, second)| {
            let sent = start + Duration::from_secs(second);
            let body = if *status == 503 { NOTHING_LIVE } else { "" };
            Answer::of(sent, *status, body)
        });
        (Seen(answers.collect()), start)
    }

    #[test]
    fn a_failure_is_harm() {
        let (seen, _) = seen(&[200, 502, 200, 500]);
        let harm = harm(&seen, None).unwrap();
        assert_eq!(harm, "2 of 4 requests failed: HTTP 502: ");
        assert_eq!(failed_for(&seen, None), Some(Duration::from_secs(2)));
    }

    #[test]
    fn the_notice_is_none_until_a_release_has_answered() {
        assert_eq!(harm(&seen(&[503, 503, 200, 200]).0, None), None);
        assert_eq!(failed_for(&seen(&[503, 503, 200, 200]).0, None), None);
        assert_eq!(harm(&seen(&[503]).0, None), None);
        let late = harm(&seen(&[503, 200, 503]).0, None);
        assert!(late.unwrap().starts_with("1 of 3 "));
    }

    fn call(service: &str, operation: &str, resource: &str) -> Call {
        Call {
            number: 1,
            service: service.to_owned(),
            operation: operation.to_owned(),
            resource: resource.to_owned(),
            writes: true,
            access_key: None,
            began: Duration::ZERO,
            at: Instant::now(),
            struck: Vec::new(),
            end: None,
        }
    }

    #[test]
    fn production_is_taken_away_with_its_service_or_with_the_stack() {
        let idle = call("ecs", "DeleteService", "web/blue");
        let live = call("ecs", "DeleteService", "web/green");
        let stack = call("cloudformation", "DeleteStack", "web");
        let calls = [idle.clone(), live.clone(), stack.clone()];
        assert_eq!(taken_away(&calls, Some(Color::Green)), Some(live.at));
        assert_eq!(taken_away(&calls, None), Some(stack.at));
        assert_eq!(taken_away(&[idle], Some(Color::Green)), None);
    }

    #[test]
    fn what_comes_after_the_end_is_not_counted() {
        let (seen, start) = seen(&[200, 502]);
        let end = start + Duration::from_millis(500);
        assert_eq!(harm(&seen, Some(end)), None);
        assert!(harm(&seen, Some(end + Duration::from_secs(1))).is_some());
    }
}
