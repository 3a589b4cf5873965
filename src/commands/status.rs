//! `bgecs status`

mod hosted;
pub(super) mod parts;
mod shown;

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use tokio::time::sleep;

use super::lapse::Lapse;
use super::unlock::LeaseShown;
use super::uploads::{FEW, ListedUploads};
use crate::aws::StackSnapshot;
use crate::cli;
use crate::config::ServeSection;
use crate::driver::{self, secure, turn};
use crate::engine::plan::{self, Refusal, WarmCost};
use crate::engine::twin;
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::{self, Drift, Operation, Previous};
use crate::model::{Color, Observed, PerColor, PerRoute, Route, Scaling};
use crate::session::Session;
use crate::session::here::Here;
use hosted::HostedStatus;
use parts::{ColorStatus, ForwardShare, ListedWay, Listener, OtherWay, Stack, Unfinished};

const PAUSE: Duration = Duration::from_secs(2);
/// The last deploy onto a colour is among so many operations.
const RECENT: i32 = 20;

#[derive(Debug, Serialize)]
struct Status {
    app: String,
    /// Which the result says by itself.
    #[serde(skip)]
    environment: Option<String>,
    region: String,
    stack: Stack,
    live: Option<Color>,
    idle: Option<Color>,
    /// What users were on last, other than what is live, and how they left it.
    previous: Option<Previous>,
    /// Why it cannot be said which colour is live, and what to do then.
    #[serde(skip)]
    unclear: Option<String>,
    /// What comes first, where nothing was ever deployed.
    #[serde(skip)]
    first: Option<String>,
    urls: PerRoute<String>,
    /// Where it opens on this machine, if its name leads nowhere here.
    #[serde(skip_serializing_if = "Option::is_none")]
    here: Option<PerRoute<Here>>,
    colors: PerColor<Option<ColorStatus>>,
    /// The same of an app whose colours bgecs does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    hosted: Option<PerColor<HostedStatus>>,
    listeners: PerRoute<Listener>,
    /// By which requests come in besides, and which bgecs does not move.
    other_ways: Vec<OtherWay>,
    /// Why there may be more of them.
    other_ways_hidden: Option<String>,
    /// What is to be warned of about them.
    #[serde(skip)]
    astray: Vec<String>,
    /// Listeners that are not where the journal says.
    drift: Vec<Drift>,
    lease: Option<LeaseShown>,
    unfinished: Option<Unfinished>,
    /// Who is running a command, in a sentence.
    #[serde(skip)]
    at_work: Option<String>,
    /// How the file differs from the stack, in a sentence.
    differs_from_stack: Option<String>,
    /// How the idle colour's service differs from the live one's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<String>,
    /// What is wrong with the certificate, or that it ends soon, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    /// What a worker was given, where the file has one.
    #[serde(skip_serializing_if = "ListedUploads::is_empty")]
    uploads: ListedUploads,
    #[serde(skip)]
    now: OffsetDateTime,
}

pub async fn run(session: &Session, args: &cli::StatusFlags) -> Result<Exit> {
    if !args.watch {
        let (mut status, observed) = look(session).await?;
        let scaling = scaling(session, &observed).await;
        status.differences = differences(&observed, scaling.as_ref());
        for color in Color::BOTH {
            let scaled = scaling.as_ref().and_then(|all| all.get(color).as_ref());
            if let Some(state) = status.colors.get_mut(color) {
                state.scaling = scaled.map(|it| it.target);
            }
        }
        let infra = observed.infrastructure;
        status.certificate = secure::certificate_warning(session, &infra).await;
        if session.config.serve != ServeSection::default() {
            let table = infra.journal_table();
            let uploads = session.aws.last_uploads(table, FEW).await?;
            status.uploads = ListedUploads(uploads);
        }
        session.report.result(&status);
        return Ok(Exit::Done);
    }
    let mut interrupts = Interrupts::listen()?;
    let mut lapse = Lapse::default();
    // An app that cannot be looked at from the beginning is a mistake of the line.
    let mut looked = Some(look(session).await?);
    loop {
        if let Some((mut status, observed)) = looked.take() {
            status.differences = differences(&observed, None);
            session.report.page(&status);
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            // How one leaves it, and no failure.
            _ = interrupts.next() => return Ok(Exit::Done),
        }
        looked = lapse.ride_out(&session.report, look(session).await);
    }
}

async fn look(session: &Session) -> Result<(Status, Observed)> {
    let (stack, observed) = session.observe_with_stack().await?;
    let here = session.here(&observed.infrastructure).await;
    let mut status = status(session, &stack, &observed, here);
    status.differs_from_stack = session.difference(&stack);
    let mut setbacks = setbacks(session, &observed).await?;
    for color in Color::BOTH {
        if let Some(state) = status.colors.get_mut(color) {
            state.setback = setbacks.get_mut(color).take();
        }
    }
    Ok((status, observed))
}

/// How the idle colour's service differs from the live one's.
fn differences(observed: &Observed, scaling: Option<&Scaling>) -> Vec<String> {
    let Some(live) = observed.live_color() else {
        return Vec::new();
    };
    let all = twin::differences(observed, live.other(), scaling);
    all.into_iter().map(|it| it.what).collect()
}

/// Read only if there are two services to compare, and not again in each round of
/// `--watch`.
async fn scaling(session: &Session, observed: &Observed) -> Option<Scaling> {
    let is_there = |color| observed.color(color).service.is_some();
    let has_both = observed.live_color().is_some() && Color::BOTH.into_iter().all(is_there);
    match has_both {
        true => driver::scaling::of(session, observed).await,
        false => None,
    }
}

/// Why the last deploy onto a colour failed, where it is not over that yet.
async fn setbacks(session: &Session, observed: &Observed) -> Result<PerColor<Option<String>>> {
    let mut setbacks = PerColor::default();
    let has_one = |color: &Color| {
        let service = observed.color(*color).service.as_ref();
        service.is_some_and(|service| service.has_failed() || service.is_going_back())
    };
    if !Color::BOTH.iter().any(has_one) {
        return Ok(setbacks);
    }
    let table = observed.infrastructure.journal_table();
    let ended = session.aws.read_history(table, RECENT).await?;
    for color in Color::BOTH.into_iter().filter(has_one) {
        *setbacks.get_mut(color) = setback(observed, &ended, color);
    }
    Ok(setbacks)
}

/// In the journal's words; without them in ECS's.
fn setback(observed: &Observed, ended: &[Operation], color: Color) -> Option<String> {
    let service = observed.color(color).service.as_ref()?;
    let mut deploys = ended.iter().filter(|operation| {
        operation.command == journal::Command::Deploy && operation.color == Some(color)
    });
    let told = deploys.next().and_then(|deploy| {
        let reason = deploy.ending.as_ref()?.reason.clone()?;
        Some(match &deploy.tag {
            Some(tag) => format!("tag {tag}: {reason}"),
            None => reason,
        })
    });
    let reason = told.or_else(|| service.failure().map(str::to_owned))?;
    Some(match service.is_going_back() {
        true => format!("ECS is going back to {}: {reason}", observed.named(color)),
        false => reason,
    })
}

fn status(
    session: &Session,
    stack: &StackSnapshot,
    observed: &Observed,
    here: Option<PerRoute<Here>>,
) -> Status {
    let infra = &observed.infrastructure;
    let ecs = infra.ecs().ok();
    let live = observed.live_color();
    let journal = &observed.journal;
    let now = session.aws.journal_time();
    let held = turn::held(journal, now);
    let listener = |route: Route| Listener {
        arn: ecs
            .and_then(|ecs| ecs.places.moved(route))
            .map(ToString::to_string),
        rules: match route {
            Route::Production => None,
            Route::Test => ecs
                .and_then(|ecs| ecs.places.header_rules())
                .map(|rules| PerColor {
                    blue: rules.blue.to_string(),
                    green: rules.green.to_string(),
                }),
        },
        ways: ecs.map_or_else(Vec::new, |ecs| ListedWay::all(ecs, route)),
        forwards: ForwardShare::all(observed.found_at(route)),
        foreign: observed
            .found_at(route)
            .foreign()
            .map(|foreign| foreign.what.clone()),
        endpoint: observed.endpoint(route).clone(),
        split: observed.found_at(route).split(),
        text: observed.found_at(route).to_string(),
    };
    let colored = |color| {
        let warm = WarmCost::of_warm(observed, color);
        let warm = warm.map(|cost| cost.priced(session.config.cost.as_ref()));
        ColorStatus::of(ecs?.services.name(color), observed.color(color), warm)
    };
    Status {
        app: session.app().to_owned(),
        environment: session.config.environment.clone(),
        region: session.aws.region().to_owned(),
        stack: Stack::of(stack),
        live,
        idle: live.map(Color::other),
        previous: observed.previous().cloned(),
        unclear: unclear(observed).map(|refusal| {
            let hint = refusal.hint.unwrap_or_default();
            format!(
                "{}: it changes nothing until that is undone.\nWay out: {hint}.",
                refusal.message
            )
        }),
        first: plan::is_bare(observed)
            .then(|| plan::nothing_is_live(observed).hint)
            .flatten(),
        urls: infra.urls(),
        here,
        colors: PerColor {
            blue: colored(Color::Blue),
            green: colored(Color::Green),
        },
        hosted: HostedStatus::of(observed, Color::Blue)
            .zip(HostedStatus::of(observed, Color::Green))
            .map(|(blue, green)| PerColor { blue, green }),
        listeners: PerRoute {
            production: listener(Route::Production),
            test: listener(Route::Test),
        },
        other_ways: observed.other_ways.seen.iter().map(OtherWay::of).collect(),
        other_ways_hidden: observed.other_ways.hidden.clone(),
        astray: plan::astray(observed),
        drift: observed.drift(),
        lease: held.as_ref().map(LeaseShown::of),
        unfinished: journal
            .operation
            .as_ref()
            .map(|operation| Unfinished::of(operation, observed, held.is_some(), now)),
        at_work: held.as_ref().map(|lease| lease.sentence(now)),
        differs_from_stack: None,
        differences: Vec::new(),
        certificate: None,
        uploads: ListedUploads::default(),
        now,
    }
}

/// Where a shift has users on both colours, that is told of with the operation.
fn unclear(observed: &Observed) -> Option<Refusal> {
    match plan::under_way(observed) {
        Some(_) => None,
        None => plan::unclear(observed),
    }
}

#[cfg(test)]
mod tests;
