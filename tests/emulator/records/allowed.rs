//! The policies of an app behind a record, held against what it called.

use std::time::Duration;

use super::site::Site;
use crate::edge_actions::{called, granted};
use crate::permissions::table::{
    EDGE_DEPLOYER, EDGE_OPERATOR_TOO, RECORD_DEPLOYER, RECORD_OPERATOR_TOO, WhyNeeded,
};
use crate::support::Outcome;

/// All that is called is allowed, and what is allowed because it is called is called.
#[test]
fn an_app_behind_a_record_may_do_what_it_does_and_no_more() -> Outcome {
    let site = Site::new("allowed", &[])?;
    site.record(&[site.address("green")], 2)?;
    site.put("green", "old")?;
    let mark = site.world.gate.calls().mark();
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
    let by_deployer = called(&site.world, releases);
    let deployer = granted(&[EDGE_DEPLOYER, RECORD_DEPLOYER]);
    for action in &by_deployer {
        assert!(
            deployer.contains(action.as_str()),
            "{action} is not granted"
        );
    }
    site.world.done(&["destroy", "--yes"])?;
    let all = called(&site.world, mark);
    let grants = [
        EDGE_DEPLOYER,
        RECORD_DEPLOYER,
        EDGE_OPERATOR_TOO,
        RECORD_OPERATOR_TOO,
    ];
    let both = granted(&grants);
    for action in &all {
        assert!(both.contains(action.as_str()), "{action} is not granted");
    }
    for need in grants.into_iter().flatten().flat_map(|it| it.needs) {
        let is_of_balancers = need.action.starts_with("elasticloadbalancing");
        if matches!(need.why, WhyNeeded::Called(_)) && !is_of_balancers {
            let is_called = all.contains(need.action);
            assert!(is_called, "{} is granted and never called", need.action);
        }
    }
    Ok(())
}
