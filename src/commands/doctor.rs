//! `bgecs doctor`: everything that a first release needs, one line each.

use futures_util::join;
use serde::Serialize;

use super::{access, attach, configuration, init, open};
use crate::aws::Aws;
use crate::aws::policy::Role;
use crate::cli::Global;
use crate::config::Config;
use crate::driver::doctor::{self, Policies};
use crate::engine::doctor::failed;
use crate::error::{Error, Exit, Result};
use crate::model::{AwsPlace, Finding, Grade};
use crate::report::{Audience, CommandResult, ReportEvent, Reporter, Style};

#[derive(Debug, Serialize)]
struct Checkup {
    operation: &'static str,
    /// Whether a release can work.
    ok: bool,
    findings: Vec<Finding>,
}

impl CommandResult for Checkup {
    fn human(&self, style: &Style) -> String {
        let lines = self.findings.iter().map(|it| {
            let mark = match it.grade {
                Grade::Ok => style.good("✓"),
                Grade::Warning => style.warn("!"),
                Grade::Failed => style.bad("✗"),
                Grade::Unknown => style.dim("?"),
            };
            let hint = it.hint.iter().flat_map(|hint| hint.lines());
            let hint: String = hint.map(|line| format!("\n    {line}")).collect();
            format!("{mark} {:<13} {}{}", it.name, it.detail, style.dim(hint))
        });
        let bad = self.findings.iter().filter(|it| it.grade == Grade::Failed);
        let verdict = match bad.count() {
            0 => "nothing stands in the way of a release".to_owned(),
            1 => "1 thing stands in the way of a release".to_owned(),
            n => format!("{n} things stand in the way of a release"),
        };
        lines.chain([verdict]).collect::<Vec<_>>().join("\n")
    }
}

/// # Errors
/// None: what cannot be looked at is a finding. Ends with 6 where a release would fail.
pub async fn run(global: &Global, audience: Audience) -> Result<Exit> {
    let report = Reporter::new(audience);
    let looking = "looking at what a release needs";
    report.tell(&ReportEvent::Doing(looking.to_owned()));
    let config = configuration(global);
    let of_aws = of_aws(global, audience, config.as_ref().ok());
    let (docker, of_aws) = match config.as_ref().is_ok_and(|it| it.edge.is_some()) {
        // Whoever runs such colours also builds them.
        true => (None, of_aws.await),
        false => {
            let (docker, of_aws) = join!(doctor::docker(), of_aws);
            (Some(docker), of_aws)
        }
    };
    let configured = configured(&config);
    let findings: Vec<_> = [configured]
        .into_iter()
        .chain(docker)
        .chain(of_aws)
        .collect();
    let ok = findings.iter().all(|it| it.grade != Grade::Failed);
    report.result(&Checkup {
        operation: "doctor",
        ok,
        findings,
    });
    Ok(match ok {
        true => Exit::Done,
        false => Exit::Refused,
    })
}

fn configured(config: &Result<Config>) -> Finding {
    match config {
        Ok(config) => {
            let file = config.path.display();
            Finding::ok("configuration", format!("{file}, app {}", config.app))
        }
        Err(error) => failed("configuration", error),
    }
}

/// Without a file, as far as that goes.
async fn of_aws(global: &Global, audience: Audience, config: Option<&Config>) -> Vec<Finding> {
    let place = config.map_or_else(AwsPlace::default, |config| config.place.clone());
    let aws = match Aws::connect(&access(global, place)).await {
        Ok(aws) => aws,
        Err(error) => return vec![failed("credentials", &error)],
    };
    let caller = match aws.caller().await {
        Ok(caller) => caller,
        Err(error) => return vec![failed("credentials", &error.into())],
    };
    let mut findings = vec![Finding::ok("credentials", caller.to_string())];
    let Some(config) = config else {
        return findings;
    };
    let account = config.place.account.as_ref();
    if let Some(Err(error)) = account.map(|account| caller.refuse_other_than(account)) {
        findings.push(failed("account", &error));
        return findings;
    }
    match open(global.clone(), audience).await {
        Ok(session) => {
            let policies = policies(global, config, &caller.account, aws.region());
            findings.extend(doctor::of_app(&session, policies).await);
        }
        Err(error) => findings.push(failed("configuration", &error)),
    }
    findings
}

/// In this account and region.
///
/// # Errors
/// A task definition with a mistake (exit 2).
fn policies(global: &Global, config: &Config, account: &str, region: &str) -> Result<Policies> {
    let place = AwsPlace {
        account: account.parse().ok(),
        region: Some(region.to_owned()),
        ..config.place.clone()
    };
    let of = |role| match &config.attached {
        Some(attached) => {
            let (policy, _) = attach::policy_of(role, global, (config, attached), &place)?;
            Ok(policy)
        }
        None => Ok::<_, Error>(init::policy_of(role, global, config, &place)),
    };
    Ok(Policies {
        deployer: of(Role::Deployer)?,
        operator: of(Role::Operator)?,
    })
}
