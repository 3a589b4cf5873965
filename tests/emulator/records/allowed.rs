//! The policies of an app behind a record, held against what it called.

use std::collections::BTreeSet;
use std::time::Duration;

use localstack::gate::record::Call;

use super::site::Site;
use crate::permissions::table::{EDGE_DEPLOYER, EDGE_OPERATOR_TOO, Grant, WhyNeeded};
use crate::support::Outcome;

/// The actions that need no grant of their own: who one is may always be asked.
const FREE: &str = "sts:GetCallerIdentity";

/// As IAM names a call.
fn action(call: &Call) -> String {
    let (service, name) = (call.service.as_str(), call.operation.as_str());
    let name = match (service, name.split_once(' ')) {
        ("route53", Some((method, path))) => {
            let path = path.trim_end_matches('/');
            match (method, path.split('/').nth(2), path.ends_with("/rrset")) {
                ("POST", Some("hostedzone"), true) => "ChangeResourceRecordSets",
                ("GET", Some("hostedzone"), true) => "ListResourceRecordSets",
                ("GET", Some("change"), _) => "GetChange",
                ("GET", Some("hostedzone"), _) if path.ends_with("hostedzone") => "ListHostedZones",
                ("GET", Some("hostedzone"), _) => "GetHostedZone",
                _ => name,
            }
        }
        _ => name,
    };
    let service = match service {
        "monitoring" => "cloudwatch",
        other => other,
    };
    format!("{service}:{name}")
}

fn granted(grants: &[&[Grant]]) -> BTreeSet<&'static str> {
    let all = grants.iter().copied().flatten();
    all.flat_map(|grant| grant.needs)
        .map(|need| need.action)
        .collect()
}

/// All that is called is allowed, and what is allowed because it is called is called.
#[test]
fn an_app_behind_a_record_may_do_what_it_does_and_no_more() -> Outcome {
    let site = Site::new("allowed", &[])?;
    site.record(&[site.address("green")], 2)?;
    site.put("green", "old")?;
    let mark = site.world.gate.calls().mark();
    let called = |mark| -> BTreeSet<String> {
        let calls = site.world.gate.calls().since(mark);
        let of_bgecs = calls.iter().filter(|call| call.access_key.is_some());
        of_bgecs.map(action).filter(|it| it != FREE).collect()
    };
    site.world.done(&["init"])?;
    site.replace("ttl = 1", "ttl = 2")?;
    site.world.done(&["init"])?;
    let releases = site.world.gate.calls().mark();
    site.world.lease_to_bob(Duration::from_secs(2))?;
    site.world
        .done(&["deploy", "--tag", "1", "--wait", "20s"])?;
    // There is no such alarm, and that is asked.
    let alarms = "[shift]\nalarms = [\"none\"]\n";
    site.world.configure_more(alarms)?;
    site.world.ends(6, &["promote"])?;
    site.replace(alarms, "")?;
    site.world.done(&["promote"])?;
    site.world.done(&["rollback"])?;
    site.world.done(&["status"])?;
    site.world.done(&["history"])?;
    site.retire()?;
    let by_deployer = called(releases);
    let deployer = granted(&[EDGE_DEPLOYER]);
    for action in &by_deployer {
        assert!(
            deployer.contains(action.as_str()),
            "{action} is not granted"
        );
    }
    site.world.done(&["destroy", "--yes"])?;
    let all = called(mark);
    let both = granted(&[EDGE_DEPLOYER, EDGE_OPERATOR_TOO]);
    for action in &all {
        assert!(both.contains(action.as_str()), "{action} is not granted");
    }
    for need in [EDGE_DEPLOYER, EDGE_OPERATOR_TOO]
        .into_iter()
        .flatten()
        .flat_map(|it| it.needs)
    {
        let is_of_balancers = need.action.starts_with("elasticloadbalancing");
        if matches!(need.why, WhyNeeded::Called(_)) && !is_of_balancers {
            let is_called = all.contains(need.action);
            assert!(is_called, "{} is granted and never called", need.action);
        }
    }
    Ok(())
}
