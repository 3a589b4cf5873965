//! Whom a target group without targets would send elsewhere: an alias record of
//! Route 53 can take its health from a load balancer, of which AWS says: "A target
//! group that has no registered targets is considered unhealthy"
//! (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>).

use super::plan::Refusal;
use crate::model::{DnsRecord, without_dualstack};

/// Those that Route 53 would answer no more: it has another one of their name that
/// is not as ill. Who is alone, or ill with all others, is answered all the same.
pub fn failing_over<'a>(records: &'a [DnsRecord], balancers: &[String]) -> Vec<&'a DnsRecord> {
    let ill = ill(records, balancers);
    let is_fine_beside = |record: &DnsRecord| {
        let mut all = records.iter().zip(&ill);
        all.any(|(other, ill)| !ill && is_beside(record, other))
    };
    let all = records.iter().zip(&ill);
    all.filter(|(record, ill)| **ill && is_fine_beside(record))
        .map(|(record, _)| record)
        .collect()
}

/// Which of them would be unhealthy with the load balancers, also through others.
fn ill(records: &[DnsRecord], balancers: &[String]) -> Vec<bool> {
    let balancers: Vec<String> = balancers.iter().map(|it| plain(it)).collect();
    let mut ill = vec![false; records.len()];
    loop {
        let by = |record: &DnsRecord| {
            let Some(target) = record.healthy_with.as_deref() else {
                return false;
            };
            let target = plain(target);
            // One of its own zone, or all of these.
            let mut named = records
                .iter()
                .zip(&ill)
                .filter(|(it, _)| is_of(it, record, &target))
                .peekable();
            let is_ill = named.peek().is_some() && named.all(|(_, ill)| *ill);
            balancers.contains(&target) || is_ill
        };
        let now: Vec<bool> = records.iter().map(by).collect();
        if now == ill {
            return ill;
        }
        ill = now;
    }
}

fn is_of(it: &DnsRecord, like: &DnsRecord, name: &str) -> bool {
    it.zone.id == like.zone.id && it.kind == like.kind && it.name == name
}

fn is_beside(one: &DnsRecord, other: &DnsRecord) -> bool {
    is_of(other, one, &one.name) && other.set != one.set
}

fn plain(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    without_dualstack(&name).to_owned()
}

/// The sentence on them; none where there is none.
pub fn told(failing: &[&DnsRecord]) -> Option<String> {
    let one = |record: &&DnsRecord| {
        let DnsRecord {
            zone, name, kind, ..
        } = record;
        let set = record.set.as_deref().unwrap_or_default();
        let private = if zone.is_private { "private " } else { "" };
        format!("{name} ({kind}, {set}) in the {private}zone {}", zone.name)
    };
    let all: Vec<String> = failing.iter().map(one).collect();
    (!all.is_empty()).then(|| {
        format!(
            "a target group without targets makes the load balancer unhealthy to Route 53, which answers by another record then: {}",
            all.join(", ")
        )
    })
}

/// # Errors
/// There is such a record, and nobody said that it may be.
pub fn refuse(failing: &[&DnsRecord], is_allowed: bool) -> Result<Option<String>, Refusal> {
    match told(failing) {
        Some(told) if !is_allowed => Err(Refusal::new(
            told,
            "have the record not evaluate its target's health, or insist with --allow-failover",
        )),
        told => Ok(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HostedZone;

    const BALANCER: &str = "Shared-1.eu-west-1.elb.amazonaws.com";

    fn record(zone: &str, name: &str, set: Option<&str>, with: Option<&str>) -> DnsRecord {
        DnsRecord {
            zone: HostedZone {
                id: zone.to_owned(),
                name: "example.com".to_owned(),
                is_private: zone == "private",
            },
            name: name.to_owned(),
            kind: "A".to_owned(),
            set: set.map(str::to_owned),
            healthy_with: with.map(str::to_owned),
        }
    }

    fn sets(records: &[DnsRecord]) -> Vec<&str> {
        let failing = failing_over(records, &[BALANCER.to_owned()]);
        let sets = failing.iter().filter_map(|it| it.set.as_deref());
        sets.collect()
    }

    #[test]
    fn only_who_has_another_to_go_to_fails_over() {
        let ours = Some("dualstack.shared-1.eu-west-1.elb.amazonaws.com");
        let other = Some("other-1.eu-west-1.elb.amazonaws.com");
        let www = |set, with| record("public", "www", Some(set), with);
        // By another load balancer, by plain addresses, by none, or by our own.
        assert_eq!(sets(&[www("a", ours), www("b", other)]), ["a"]);
        assert_eq!(sets(&[www("a", ours), www("b", None)]), ["a"]);
        assert_eq!(sets(&[www("a", other), www("b", None)]), [""; 0]);
        assert_eq!(sets(&[www("a", ours), www("b", ours)]), [""; 0]);
        assert_eq!(sets(&[record("public", "www", None, ours)]), [""; 0]);
        assert_eq!(
            sets(&[www("a", ours), www("b", ours), www("c", None)]),
            ["a", "b"]
        );
        // Another name, kind or zone is no way out.
        let mut txt = www("b", None);
        txt.kind = "TXT".to_owned();
        let elsewhere = record("private", "www", Some("b"), None);
        let api = record("public", "api", Some("b"), None);
        assert_eq!(sets(&[www("a", ours), txt, elsewhere, api]), [""; 0]);
    }

    #[test]
    fn illness_is_passed_on_by_records_that_stand_for_others() {
        let ours = Some(BALANCER);
        let eu = record("public", "eu", None, ours);
        let www = [
            record("public", "www", Some("eu"), Some("eu")),
            record("public", "www", Some("us"), Some("us")),
        ];
        let all = |us: Option<&str>| {
            let us = record("public", "us", None, us);
            [vec![eu.clone(), us], www.to_vec()].concat()
        };
        assert_eq!(sets(&all(None)), ["eu"]);
        assert_eq!(sets(&all(ours)), [""; 0]);
        // Below it another one is answered already.
        let pair = [
            record("public", "eu", Some("1"), ours),
            record("public", "eu", Some("2"), None),
        ];
        let all = [pair.to_vec(), www.to_vec()].concat();
        assert_eq!(sets(&all), ["1"]);
        // Each for the other.
        let round = [
            record("public", "a", None, Some("b")),
            record("public", "b", None, Some("a")),
        ];
        assert_eq!(sets(&round), [""; 0]);
    }

    #[test]
    fn it_is_refused_and_told_where_it_is_allowed() {
        let records = [
            record("private", "www.example.com", Some("eu"), Some(BALANCER)),
            record("private", "www.example.com", Some("us"), None),
        ];
        let failing = failing_over(&records, &[BALANCER.to_owned()]);
        let Refusal { message, hint } = refuse(&failing, false).unwrap_err();
        insta::assert_snapshot!(format!("{message}\n{}", hint.unwrap()), @"
        a target group without targets makes the load balancer unhealthy to Route 53, which answers by another record then: www.example.com (A, eu) in the private zone example.com
        have the record not evaluate its target's health, or insist with --allow-failover
        ");
        assert_eq!(refuse(&failing, true), Ok(Some(message)));
        assert_eq!(refuse(&[], false), Ok(None));
    }
}
