//! The policies of an app behind a record, held against what it called.

use std::time::Duration;

use super::site::Site;
use crate::edge_actions::{called, expect_called, expect_granted};
use crate::permissions::table::{
    EDGE_DEPLOYER, EDGE_OPERATOR_TOO, Need, RECORD_DEPLOYER, RECORD_OPERATOR_TOO,
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
    expect_granted(&by_deployer, &[EDGE_DEPLOYER, RECORD_DEPLOYER]);
    site.world.done(&["destroy", "--yes"])?;
    let all = called(&site.world, mark);
    let grants = [
        EDGE_DEPLOYER,
        RECORD_DEPLOYER,
        EDGE_OPERATOR_TOO,
        RECORD_OPERATOR_TOO,
    ];
    expect_granted(&all, &grants);
    let needs = grants.into_iter().flatten().flat_map(|it| it.needs);
    // Nothing here stands behind a load balancer.
    let of_balancers = |need: &&Need| need.action.starts_with("elasticloadbalancing");
    expect_called(&all, needs.filter(|need| !of_balancers(need)));
    Ok(())
}
