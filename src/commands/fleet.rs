//! `bgecs fleet`: all apps of an account, in one region or several. Reads, and changes
//! nothing.

mod line;
mod shown;

use futures_util::future::join_all;
use serde::Serialize;

use super::{configuration, working_folder};
use crate::aws::{Access, Aws, policy};
use crate::cli::{FleetFlags, Global};
use crate::config::{Config, Prices};
use crate::driver::fleet::{self, FleetApp};
use crate::engine::plan::WarmCost;
use crate::error::{Error, Exit, Result};
use crate::model::AwsPlace;
use crate::report::{Audience, ReportEvent, Reporter};
use line::{FleetError, FleetLine};

#[derive(Debug, Serialize)]
struct Fleet {
    operation: &'static str,
    regions: Vec<FleetRegion>,
    apps: Vec<FleetLine>,
    /// What runs and serves nobody, in all apps together.
    warm: Option<WarmCost>,
}

#[derive(Debug, Serialize)]
struct FleetRegion {
    region: String,
    /// None where AWS does not say it.
    account: Option<String>,
    /// Why its apps could not be listed.
    error: Option<FleetError>,
}

/// What a bgecs.toml says for this, if there is one.
#[derive(Debug, Default)]
struct FleetConfig {
    place: AwsPlace,
    prices: Option<Prices>,
}

pub async fn run(global: &Global, audience: Audience, args: &FleetFlags) -> Result<Exit> {
    let report = Reporter::new(audience);
    if args.print_policy {
        let policy = policy::to_list(global.region());
        report.data(&format!("{policy:#}"));
        return Ok(Exit::Done);
    }
    let config = fleet_config(global)?;
    report.tell(&ReportEvent::Doing(
        "reading the stacks of all apps".to_owned(),
    ));
    let regions = join_all(regions(global).into_iter().map(async |region| {
        let aws = connect(global, &region, config.place.clone()).await?;
        Ok::<_, Error>(look(&aws, config.prices.as_ref()).await)
    }));
    let seen = regions.await.into_iter().collect::<Result<Vec<_>>>()?;
    let seen = unless_all_failed(seen)?;
    let fleet = Fleet::of(seen, config.prices.as_ref());
    let exit = match fleet.is_whole() {
        true => Exit::Done,
        false => Exit::Failed,
    };
    report.result(&fleet);
    Ok(exit)
}

/// Each once; a blank one, which is none, where the flag names none.
fn regions(global: &Global) -> Vec<String> {
    let mut regions: Vec<String> = Vec::new();
    for region in global.region.iter().map(|it| it.trim()) {
        if !region.is_empty() && !regions.iter().any(|it| it == region) {
            regions.push(region.to_owned());
        }
    }
    match regions.is_empty() {
        true => vec![String::new()],
        false => regions,
    }
}

/// # Errors
/// A file that is there, and cannot be read (exit 2).
fn fleet_config(global: &Global) -> Result<FleetConfig> {
    let is_named = global.config.is_some();
    if !is_named && Config::find(None, &working_folder()?).is_err() {
        return Ok(FleetConfig::default());
    }
    let config = configuration(global)?;
    Ok(FleetConfig {
        place: config.place,
        prices: config.cost,
    })
}

/// # Errors
/// What of the environment cannot be used (exit 2); another account than the file
/// names (exit 6).
async fn connect(global: &Global, region: &str, place: AwsPlace) -> Result<Aws> {
    let account = place.account.clone();
    let (profile, endpoint) = (global.profile.as_deref(), global.endpoint_url.as_deref());
    let access = Access::new(profile, Some(region), endpoint, place);
    let aws = Aws::connect_to_all(&access).await?;
    if let Some(account) = &account {
        aws.caller().await?.refuse_other_than(account)?;
    }
    Ok(aws)
}

/// A region and its apps, or why they could not be listed.
struct SeenRegion {
    region: String,
    account: Option<String>,
    lines: Result<Vec<FleetLine>>,
}

async fn look(aws: &Aws, prices: Option<&Prices>) -> SeenRegion {
    let (apps, caller) = futures_util::join!(fleet::look(aws), aws.caller());
    let now = aws.journal_time();
    let line = |it: FleetApp| FleetLine::of(it, aws.region(), prices, now);
    SeenRegion {
        region: aws.region().to_owned(),
        account: caller.ok().map(|caller| caller.account),
        lines: apps.map(|apps| apps.into_iter().map(line).collect()),
    }
}

/// # Errors
/// The first region's, where there is nothing to list of any.
fn unless_all_failed(seen: Vec<SeenRegion>) -> Result<Vec<SeenRegion>> {
    if seen.iter().any(|region| region.lines.is_ok()) {
        return Ok(seen);
    }
    for region in seen {
        region.lines?;
    }
    Ok(Vec::new())
}

impl Fleet {
    fn of(seen: Vec<SeenRegion>, prices: Option<&Prices>) -> Self {
        let (mut regions, mut apps) = (Vec::new(), Vec::new());
        for SeenRegion {
            region,
            account,
            lines,
        } in seen
        {
            let error = match lines {
                Ok(lines) => {
                    apps.extend(lines);
                    None
                }
                Err(error) => Some(FleetError::of(&error)),
            };
            regions.push(FleetRegion {
                region,
                account,
                error,
            });
        }
        let warm = WarmCost::total(apps.iter().flat_map(FleetLine::warm));
        Self {
            operation: "fleet",
            regions,
            apps,
            warm: warm.map(|it| it.priced(prices)),
        }
    }

    /// Whether all of it could be read.
    fn is_whole(&self) -> bool {
        let regions = self.regions.iter().all(|region| region.error.is_none());
        regions && self.apps.iter().all(|app| app.error.is_none())
    }
}

#[cfg(test)]
mod tests;
