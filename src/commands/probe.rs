//! `bgecs probe`

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::asking::asking;
use super::probing::{Probing, in_lines};
use crate::aws::Router;
use crate::cli::{self, ListenerFlag};
use crate::config;
use crate::driver::asking::{Asking, of_file};
use crate::driver::edge;
use crate::engine::evidence::{Evidence, Upshot};
use crate::engine::seen::ProbeReport;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Color, Infrastructure, Route};
use crate::probe::Address;
use crate::report::{Audience, CommandResult, Reporter, Style};
use crate::session::Session;

#[derive(Debug, Serialize)]
struct Probed {
    operation: &'static str,
    url: String,
    outcome: Upshot,
    probe: ProbeReport,
}

/// What is asked, and for how long.
struct Plan {
    address: Address,
    asking: Asking,
    duration: Duration,
    /// None for any address.
    app: Option<String>,
}

/// A probe of any address, which needs neither file nor AWS.
pub async fn of_url(audience: Audience, args: &cli::ProbeFlags, address: Address) -> Result<Exit> {
    let asking = asking(&args.asking, of_file(&config::ProbeSection::default()));
    let plan = Plan {
        address,
        asking,
        duration: args.duration,
        app: None,
    };
    run_plan(&Reporter::new(audience), &plan).await
}

pub async fn run(session: &Session, args: &cli::ProbeFlags) -> Result<Exit> {
    let infra = session.infrastructure().await?;
    let port = match args.listener {
        ListenerFlag::Prod => Route::Production,
        ListenerFlag::Test => Route::Test,
    };
    let asking = asking(&args.asking, of_file(&session.config.probe));
    // Where nothing moves the test route, each request is for a colour.
    let is_moved = infra
        .ecs()
        .is_ok_and(|ecs| ecs.places.header_rules().is_none());
    let address = match port {
        Route::Test if !is_moved => {
            let idle = idle(session, &infra).await?;
            if let Some(why) = edge::unled(session, &infra, idle).await? {
                return Err(Error::refused(why));
            }
            session.color_address(&infra, idle, &asking.path).await?
        }
        _ => session.address(&infra, port, &asking.path).await?,
    };
    let plan = Plan {
        address,
        asking,
        duration: args.duration,
        app: Some(session.app().to_owned()),
    };
    run_plan(&session.report, &plan).await
}

/// The colour that the test route leads to, if each request leads to the same one.
///
/// # Errors
/// Users are not on one colour alone (exit 6); AWS's own.
async fn idle(session: &Session, infra: &Infrastructure) -> Result<Color> {
    let router = session.aws.router(infra);
    let production = router.read().await?.production;
    let live = production.only().ok_or_else(|| {
        let endpoint = &infra.endpoints().production;
        Error::refused(format!(
            "{endpoint} {}: no colour is idle",
            production.deed()
        ))
    })?;
    Ok(live.other())
}

async fn run_plan(report: &Reporter, plan: &Plan) -> Result<Exit> {
    plan.asking.check_report()?;
    let mut interrupts = Interrupts::listen()?;
    let probing = Probing {
        report,
        address: &plan.address,
        asking: &plan.asking,
        duration: Some(plan.duration),
    };
    let origin = Instant::now();
    // Ctrl-C ends it early, with what there is.
    let over = async {
        tokio::select! {
            () = sleep_until(origin + plan.duration) => {}
            _ = interrupts.next() => {}
        }
    };
    let (heard, ()) = probing.until(origin, over).await?;
    plan.asking.write_report(report, || Evidence {
        app: plan.app.clone(),
        ..heard.evidence("probe", &plan.address)
    });
    report.result(&Probed {
        operation: "probe",
        url: plan.address.to_string(),
        outcome: heard.outcome,
        probe: heard.figures,
    });
    Ok(match heard.outcome {
        Upshot::Ok => Exit::Done,
        _ => Exit::Failed,
    })
}

impl CommandResult for Probed {
    fn human(&self, style: &Style) -> String {
        format!("{}\n{}", self.url, in_lines(&self.probe, style))
    }
}

#[cfg(test)]
mod tests;
