//! A behaviour of one distribution, and its origin.

use std::time::Duration;

use localstack::gate::cdn;
use localstack::gate::faults::Fault;
use serde_json::Value;

use super::cdn::{Cdn, KEEPS_A_DAY, KEEPS_NOTHING, Made, Wanted};
use crate::api::text;
use crate::edge_actions::{called, expect_granted};
use crate::permissions::table::{
    CLOUDFRONT_CANARY_DEPLOYER, CLOUDFRONT_ORIGIN_DEPLOYER, EDGE_DEPLOYER, EDGE_OPERATOR_TOO,
};
use crate::support::Outcome;

/// One edge hears of a change late.
fn options() -> cdn::Options {
    cdn::Options {
        delays: [200, 1200].map(Duration::from_millis).into(),
        ..cdn::Options::default()
    }
}

/// A distribution that leads to green, where something ran ahead of bgecs.
pub fn begun(app: &str, last: [u8; 2], cache_policy: &str, router: &str) -> Outcome<(Cdn, Made)> {
    let it = Cdn::new(app, last, options())?;
    it.servers.put("green", "old")?;
    let host = format!("www.{app}.test");
    let made = it.create(
        "site",
        &Wanted {
            alias: &host,
            leads_to: "green",
            cache_policy,
            more: "",
        },
    )?;
    configure(&it, &made.id, &host, router)?;
    Ok((it, made))
}

fn configure(it: &Cdn, id: &str, host: &str, router: &str) -> Outcome {
    let (app, url) = (&it.world.app, it.url(host)?);
    let colors = it
        .servers
        .colors(["blue", "green"], |color| it.servers.url(color));
    let text = format!(
        "app = \"{app}\"\n[router]\nkind = \"cloudfront-origin\"\ndistribution = \"{id}\"\nurl = \"{url}\"\n{router}\
         [probe]\nrate = 20\nwindow_seconds = 2\n{colors}"
    );
    it.world.desk.write("bgecs.toml", &text)?;
    Ok(())
}

fn with<'a>(it: &'a [&'a str], through: &'a str) -> Vec<&'a str> {
    [it, &["--connect-to", through]].concat()
}

/// Edges change over one after the other, and nobody notices; a bad release is taken
/// back; nothing else of the distribution is another than it was.
#[test]
fn an_origin_is_switched_at_edges_that_are_late() -> Outcome {
    let (it, made) = begun("origins", [11, 12], KEEPS_NOTHING, "")?;
    let (world, through) = (&it.world, it.through()?);
    let before = it.distribution(&made.id)?;
    world.done(&["init"])?;
    assert_eq!(world.status()?["live"], "green");
    world.done(&["deploy", "--tag", "2"])?;
    let promoted = world.done_json(&with(&["promote"], &through))?;
    assert_eq!(promoted["outcome"], "committed", "{promoted:#}");
    assert_eq!(promoted["probe"]["failed"], 0, "{promoted:#}");
    // Not ahead of the last edge.
    assert!(
        promoted["swap"]["prod_ms"].as_u64() >= Some(1000),
        "{promoted:#}"
    );
    assert_eq!(it.leads_to(&made.id)?, "blue");
    for edge in 0..2 {
        assert_eq!(it.answer(edge, "www.origins.test")?.1.trim(), "blue 2");
    }
    let again = world.done_json(&with(&["rollback"], &through))?;
    assert_eq!(again["outcome"], "committed", "{again:#}");
    assert_eq!(config(&it.distribution(&made.id)?), config(&before));
    world.ends(
        2,
        &with(&["promote", "--tag", "2", "--canary", "5%:1s"], &through),
    )?;
    world.configure_more(&it.servers.breaking("blue"))?;
    let taken_back = world.ends(3, &with(&["promote", "--tag", "2"], &through))?;
    assert!(
        taken_back.stderr.contains("HTTP 500"),
        "{}",
        taken_back.shown()
    );
    assert_eq!(it.leads_to(&made.id)?, "green");
    world.done(&["destroy", "--yes"])?;
    assert_eq!(it.leads_to(&made.id)?, "green");
    Ok(())
}

fn config(distribution: &str) -> &str {
    let start = distribution.find("<DistributionConfig").unwrap_or(0);
    &distribution[start..]
}

/// What edges keep is told, and forgotten where the file says so.
#[test]
fn what_edges_keep_is_told_and_forgotten_where_the_file_says_so() -> Outcome {
    let (it, made) = begun("caches", [13, 14], KEEPS_A_DAY, "")?;
    let (world, through) = (&it.world, it.through()?);
    for edge in 0..2 {
        assert_eq!(it.answer(edge, "www.caches.test")?.1.trim(), "green old");
    }
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    let promoted = world.done(&with(&["promote"], &through))?;
    assert!(
        promoted.stderr.contains("up to 86400 s"),
        "{}",
        promoted.shown()
    );
    assert_eq!(it.answer(0, "www.caches.test")?.1.trim(), "green old");
    configure(&it, &made.id, "www.caches.test", "invalidate = [\"/*\"]\n")?;
    world.done(&["init"])?;
    world.done(&with(&["rollback"], &through))?;
    let promoted = world.done(&with(&["promote", "--tag", "2"], &through))?;
    assert!(
        promoted.stderr.contains("edges were told to forget /*"),
        "{}",
        promoted.shown()
    );
    world.until("every edge has forgotten", || {
        let mut all = true;
        for edge in 0..2 {
            all &= it.answer(edge, "www.caches.test")?.1.trim() == "blue 2";
        }
        Ok(all)
    })
}

/// A share of users is led to the other origin by a copy of the distribution.
#[test]
fn a_staging_distribution_has_a_canary() -> Outcome {
    let (it, made) = begun("staged", [15, 16], KEEPS_NOTHING, "")?;
    let (world, through) = (&it.world, it.through()?);
    let staging = staged(&it, &made)?;
    let router = format!("staging = \"{}\"\n", staging.id);
    configure(&it, &made.id, "www.staged.test", &router)?;
    let mark = world.gate.calls().mark();
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    world.ends(2, &with(&["promote", "--canary", "30%:1s"], &through))?;
    let promoted = world.done_json(&with(&["promote", "--canary", "15%:4s"], &through))?;
    assert_eq!(promoted["outcome"], "committed", "{promoted:#}");
    assert_eq!(promoted["probe"]["failed"], 0, "{promoted:#}");
    let new = &promoted["stages"][0]["new"];
    assert_ne!(new, &Value::Null, "{promoted:#}");
    assert_eq!(it.leads_to(&made.id)?, "blue");
    world.done(&with(&["rollback"], &through))?;
    it.servers.put("blue", "2")?;
    let grants = [
        EDGE_DEPLOYER,
        EDGE_OPERATOR_TOO,
        CLOUDFRONT_ORIGIN_DEPLOYER,
        CLOUDFRONT_CANARY_DEPLOYER,
    ];
    expect_granted(&called(world, mark), &grants);
    Ok(())
}

/// A copy that leads nowhere by itself, and a policy of the first that leads to it.
fn staged(it: &Cdn, made: &Made) -> Outcome<Made> {
    let etag = etag(it, &made.id)?;
    let copied = it.rest(
        &format!("POST /2020-05-31/distribution/{}/copy", made.id),
        &format!("Staging: true\r\nIf-Match: {etag}\r\n"),
        "<CopyDistributionRequest xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>copy</CallerReference><Enabled>true</Enabled></CopyDistributionRequest>",
    )?;
    let staging = Made {
        id: text(&copied.1, "Id")?.to_owned(),
        domain: text(&copied.1, "DomainName")?.to_owned(),
    };
    it.deployed(&staging.id)?;
    let policy = format!(
        "<ContinuousDeploymentPolicyConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><StagingDistributionDnsNames><Quantity>1</Quantity><Items>\
         <DnsName>{}</DnsName></Items></StagingDistributionDnsNames><Enabled>false</Enabled>\
         <TrafficConfig><SingleWeightConfig><Weight>0.01</Weight></SingleWeightConfig><Type>SingleWeight</Type></TrafficConfig></ContinuousDeploymentPolicyConfig>",
        staging.domain
    );
    let policy = it.call("POST /2020-05-31/continuous-deployment-policy", &policy)?;
    let id = text(&policy, "Id")?;
    let whole = it.call(
        &format!("GET /2020-05-31/distribution/{}/config", made.id),
        "",
    )?;
    let element = format!("<ContinuousDeploymentPolicyId>{id}</ContinuousDeploymentPolicyId>");
    let whole = whole.replace(
        "</DistributionConfig>",
        &format!("{element}</DistributionConfig>"),
    );
    it.put_config(&made.id, &whole)?;
    it.deployed(&made.id)?;
    Ok(staging)
}

fn etag(it: &Cdn, id: &str) -> Outcome<String> {
    let (head, _) = it.rest(&format!("GET /2020-05-31/distribution/{id}"), "", "")?;
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("etag")
            .then(|| value.trim().to_owned())
    });
    Ok(line.ok_or("no ETag")?)
}

impl Cdn {
    /// With its headers.
    fn rest(&self, line: &str, headers: &str, body: &str) -> Outcome<(String, String)> {
        self.world
            .api
            .rest_with_headers("cloudfront", line, headers, body)
    }

    /// Somebody else's change.
    fn put_config(&self, id: &str, config: &str) -> Outcome {
        let headers = format!("If-Match: {}\r\n", etag(self, id)?);
        let line = format!("PUT /2020-05-31/distribution/{id}/config");
        self.rest(&line, &headers, config).map(drop)
    }
}

/// Between the look and the write somebody else changes the distribution: theirs is
/// kept, and bgecs's is refused.
#[test]
fn a_distribution_that_somebody_changes_meanwhile_is_not_overwritten() -> Outcome {
    let (it, made) = begun("raced", [17, 18], KEEPS_NOTHING, "")?;
    let (world, through) = (&it.world, it.through()?);
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    let update = format!("PUT /2020-05-31/distribution/{}/config", made.id);
    let late = Fault::on("cloudfront", &update).nth(1);
    let late = world.gate.faults().add(late.delay(Duration::from_secs(2)));
    let arguments = with(&["promote"], &through);
    let promoting = world.desk.command(&arguments).spawn()?;
    world.until("its write is on its way", || {
        Ok(world.gate.faults().struck(late) > 0)
    })?;
    let config = it.call(
        &format!("GET /2020-05-31/distribution/{}/config", made.id),
        "",
    )?;
    it.put_config(&made.id, &config.replace("somebody's", "somebody else's"))?;
    let output = promoting.wait_with_output()?;
    let ended = world.desk.ended(&arguments, &output);
    assert_eq!(ended.code, Some(6), "{}", ended.shown());
    assert!(
        ended.stderr.contains("somebody else changed it"),
        "{}",
        ended.shown()
    );
    assert!(it.distribution(&made.id)?.contains("somebody else's"));
    assert_eq!(it.leads_to(&made.id)?, "green");
    // Looked at anew, it is moved.
    world.done(&arguments)?;
    assert!(it.distribution(&made.id)?.contains("somebody else's"));
    Ok(())
}
