//! The network of a live app becomes another one under its users.

use serde_json::json;

use super::stage::Stage;
use crate::Result;
use crate::json::{at, expect};
use crate::observer::{Observer, PACE};

const PUBLIC: &str = "zones = 3\n";
const BY_NAT: &str = "zones = 3\nnat = \"per-zone\"\n";
const BY_ENDPOINTS: &str = "zones = 3\nendpoints = true\n";

/// From public subnets to private ones, from two zones to three, from a NAT gateway in
/// each zone to endpoints of AWS alone.
pub async fn a_network_changes_under_its_users(stage: &Stage<'_>) -> Result<String> {
    expect(&stage.status().await?, &["live"], "blue")?;
    let in_network = |name: &str, keys: &str| {
        let section = format!("[network]\n{keys}");
        stage.config_with(name, "", &section)
    };
    let observer = Observer::start(stage.door("prod").await?, "/api", PACE);
    let by_nat = in_network("by-nat", BY_NAT)?;
    let made = ["init", "--json", "--config", &by_nat];
    let made = stage.bgecs.run(&made).await?.expect_code(0)?.json()?;
    expect(&made, &["outcome"], "updated")?;
    for line in [
        &["deploy", "./sample-app/v1", "--tag", "private"][..],
        &["promote", "--window", "3s"],
    ] {
        let line = [line, &["--config", &by_nat]].concat();
        stage.bgecs.run(&line).await?.expect_code(0)?;
    }
    let by_endpoints = in_network("by-endpoints", BY_ENDPOINTS)?;
    let init = ["init", "--config", &by_endpoints];
    stage.bgecs.run(&init).await?.expect_code(0)?;
    // Its tasks run there.
    let public = in_network("public", PUBLIC)?;
    let refused = stage.bgecs.run(&["init", "--config", &public]).await?;
    let stays = "tasks may run in the private subnets";
    refused.expect_code(6)?.expect_stderr(stays)?;
    let back = ["rollback", "--window", "3s", "--json"];
    let back = stage.bgecs.run(&back).await?.expect_code(0)?.json()?;
    expect(&back, &["to"], json!("blue"))?;
    if at(&back, &["probe", "failed"]) != &json!(0) {
        return Err(format!("the probe saw failures: {back:#}").into());
    }
    let unharmed = observer.stop().await?.unharmed()?;
    Ok(format!(
        "a live app gets a third zone and private subnets, NAT gateways and then endpoints: \
         {unharmed} requests of an onlooker, none failed"
    ))
}
