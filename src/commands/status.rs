//! `bgecs status`

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::serde::rfc3339;
use tokio::time::sleep;

use super::unlock::LeaseShown;
use crate::aws::StackSnapshot;
use crate::cli;
use crate::counted::counted;
use crate::driver::{secure, turn};
use crate::engine::plan::{self, AFTER_A_PAUSE, Refusal, WarmCost};
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::{self, Drift, Operation, OperationId, Previous};
use crate::model::{
    Color, ColorState, Endpoint, Found, Infrastructure, Observed, PerColor, PerRoute, Rollout,
    Route, Split, WayIn,
};
use crate::report::{CommandResult, Style};
use crate::session::Session;
use crate::session::here::{Here, beside};
use crate::spoken_time;

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
    /// Who is at work, in a sentence.
    #[serde(skip)]
    at_work: Option<String>,
    /// In what the file differs from the stack, in a sentence.
    differs_from_stack: Option<String>,
    /// What is wrong with the certificate, or that it ends soon, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

/// What the app's parts are made by.
#[derive(Debug, Serialize)]
struct Stack {
    name: String,
    /// CloudFormation's word.
    status: String,
    reason: Option<String>,
    /// What is the matter with it, and the way on.
    #[serde(skip)]
    trouble: Option<(String, String)>,
}

impl Stack {
    fn of(stack: &StackSnapshot) -> Self {
        Self {
            name: stack.name.clone(),
            status: stack.status_text.clone(),
            reason: stack.reason.clone(),
            trouble: stack.way_on().map(|way_on| (stack.sentence(), way_on)),
        }
    }

    fn line(&self, style: Style) -> Option<String> {
        let (sentence, way_on) = self.trouble.as_ref()?;
        let reason = self.reason.as_ref().map(|reason| format!("\n{reason}"));
        Some(format!(
            "\n{} {sentence}.{}\nWay on: {way_on}.",
            style.warn("warning:"),
            reason.unwrap_or_default()
        ))
    }
}

/// An operation that has not ended.
#[derive(Debug, Serialize)]
struct Unfinished {
    id: OperationId,
    command: journal::Command,
    #[serde(with = "rfc3339")]
    began: OffsetDateTime,
    who: String,
    /// What it did last, or was about to do.
    stage: String,
    /// Whether somebody is at work on it.
    under_way: bool,
    /// Since when it waits for a person.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    waiting_since: Option<OffsetDateTime>,
    /// Since when it has users on both colours.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    split_since: Option<OffsetDateTime>,
    #[serde(skip)]
    now: OffsetDateTime,
    #[serde(skip)]
    name: String,
}

impl Unfinished {
    fn of(operation: &Operation, observed: &Observed, is_held: bool, now: OffsetDateTime) -> Self {
        let is_split = plan::under_way(observed).is_some();
        Self {
            waiting_since: operation.pause().map(|pause| pause.at),
            split_since: operation.moved_production_at().filter(|_| is_split),
            now,
            id: operation.id.clone(),
            command: operation.command,
            began: operation.began,
            who: operation.who.name.clone(),
            stage: operation.last_words(observed.endpoints()),
            under_way: is_held,
            name: operation.name(),
        }
    }

    fn sentence(&self) -> String {
        let Self {
            name, who, stage, ..
        } = self;
        let began = spoken_time::clock(self.began);
        let for_long = |since: OffsetDateTime| spoken_time::in_words(self.now - since);
        if let Some(since) = self.waiting_since {
            let waits = for_long(since);
            return format!(
                "the {name} that {who} began at {began} waits for a person, for {waits} now.\n{AFTER_A_PAUSE}."
            );
        }
        let split = self.split_since.map_or_else(String::new, |since| {
            format!("; users are on both colours, for {} now", for_long(since))
        });
        format!(
            "the {name} that {who} began at {began} is unfinished: {stage}{split}.\n`bgecs resume` finishes or undoes it."
        )
    }
}

#[derive(Debug, Serialize)]
struct ColorStatus {
    /// By its name in AWS.
    service: String,
    tag: Option<String>,
    digest: Option<String>,
    task_definition: String,
    /// What something else did to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_definition_lost: Option<Loss>,
    desired: i32,
    running: i32,
    healthy: usize,
    registered: usize,
    /// What it costs, where no user is on it.
    warm: Option<WarmCost>,
    deployed_at: Option<String>,
    deployed_by: Option<String>,
    commit: Option<String>,
    rollout: Option<Rollout>,
    /// The service is on its way out.
    draining: bool,
    /// Why the last deploy onto it failed, where that shows.
    setback: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Loss {
    Deregistered,
    Deleted,
}

impl Loss {
    fn of(state: &ColorState) -> Option<Self> {
        match &state.release {
            None => Some(Self::Deleted),
            Some(release) => release.is_deregistered.then_some(Self::Deregistered),
        }
    }

    fn sentence(self, color: Color) -> String {
        let what = match self {
            Self::Deregistered => "deregistered",
            Self::Deleted => "deleted",
        };
        format!(
            "something else {what} this revision: `bgecs deploy CONTEXT --tag TAG --color {color}` registers another"
        )
    }
}

#[derive(Debug, Serialize)]
struct Listener {
    /// None where nothing moves it.
    arn: Option<String>,
    /// By which a request names its colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<PerColor<String>>,
    /// By which users come in, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ways: Vec<ListedWay>,
    forwards: Vec<ForwardShare>,
    /// What takes its requests instead, or besides, that is not the app's.
    foreign: Option<String>,
    #[serde(skip)]
    endpoint: Endpoint,
    #[serde(skip)]
    split: Option<Split>,
    #[serde(skip)]
    text: String,
}

impl Listener {
    /// In percent, where it shares its requests between both.
    fn share_of(&self, color: Color) -> Option<f64> {
        let split = self.split.filter(Split::is_shared)?;
        Some(f64::from(split.share(color)) / 100.0)
    }
}

/// One of several ways in.
#[derive(Debug, Serialize)]
struct ListedWay {
    /// What users type there.
    url: String,
    arn: String,
}

impl ListedWay {
    fn all(infra: &Infrastructure, route: Route) -> Vec<Self> {
        let all = infra.moved(route);
        let is_one = all.len() < 2;
        let all = all.into_iter().filter(|_| !is_one);
        all.map(|(url, place)| Self {
            url,
            arn: place.to_string(),
        })
        .collect()
    }
}

/// A colour's share of a listener's requests.
#[derive(Debug, Serialize)]
struct ForwardShare {
    color: Color,
    /// To those of the others.
    weight: u32,
}

impl ForwardShare {
    fn all(found: &Found) -> Vec<Self> {
        let weights = found.split().map(|split| split.weights());
        let weight = |color| weights.map_or(0, |weights| *weights.get(color));
        let all = Color::BOTH.map(|color| Self {
            color,
            weight: weight(color),
        });
        all.into_iter().filter(|to| to.weight > 0).collect()
    }
}

#[derive(Debug, Serialize)]
struct OtherWay {
    /// The rule's, or the listener's.
    arn: String,
    listener: String,
    rule: Option<String>,
    forwards: Vec<ForwardShare>,
    #[serde(skip)]
    text: String,
}

impl OtherWay {
    fn of(way: &WayIn) -> Self {
        Self {
            arn: way.arn.clone(),
            listener: way.listener.clone(),
            rule: way.rule.clone(),
            forwards: ForwardShare::all(&way.found),
            text: format!("{way}  -> {}", way.found),
        }
    }
}

pub async fn run(session: &Session, args: &cli::StatusFlags) -> Result<Exit> {
    if !args.watch {
        let (mut status, infra) = look(session).await?;
        status.certificate = secure::certificate_warning(session, &infra).await;
        session.report.result(&status);
        return Ok(Exit::Done);
    }
    let mut interrupts = Interrupts::listen()?;
    loop {
        session.report.page(&look(session).await?.0);
        tokio::select! {
            () = sleep(PAUSE) => {}
            // How one leaves it, and no failure.
            _ = interrupts.next() => return Ok(Exit::Done),
        }
    }
}

async fn look(session: &Session) -> Result<(Status, Infrastructure)> {
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
    Ok((status, observed.infrastructure))
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
    let table = &observed.infrastructure.journal_table;
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
    let live = observed.live_color();
    let journal = &observed.journal;
    let now = session.aws.journal_time();
    let held = turn::held(journal, now);
    let listener = |route: Route| Listener {
        arn: infra.places.moved(route).map(ToString::to_string),
        rules: match route {
            Route::Production => None,
            Route::Test => infra.places.header_rules().map(|rules| PerColor {
                blue: rules.blue.to_string(),
                green: rules.green.to_string(),
            }),
        },
        ways: ListedWay::all(infra, route),
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
        color_status(infra.services.name(color), observed.color(color), warm)
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
        certificate: None,
    }
}

/// Where a shift has users on both colours, that is told of with the operation.
fn unclear(observed: &Observed) -> Option<Refusal> {
    match plan::under_way(observed) {
        Some(_) => None,
        None => plan::unclear(observed),
    }
}

fn color_status(name: &str, state: &ColorState, warm: Option<WarmCost>) -> Option<ColorStatus> {
    let service = state.service.as_ref()?;
    let release = state.release.as_ref();
    Some(ColorStatus {
        service: name.to_owned(),
        tag: state.tag().map(ToString::to_string),
        digest: release
            .and_then(|release| release.digest.as_ref())
            .map(ToString::to_string),
        task_definition: service.task_definition.to_string(),
        task_definition_lost: Loss::of(state),
        desired: service.desired,
        running: service.running,
        healthy: state.targets.healthy(),
        registered: state.targets.registered(),
        warm,
        deployed_at: release.and_then(|release| release.deployed_at.clone()),
        deployed_by: release.and_then(|release| release.deployed_by.clone()),
        commit: release.and_then(|release| release.commit.clone()),
        rollout: service.primary().and_then(|deployment| deployment.rollout),
        draining: service.is_draining,
        setback: None,
    })
}

impl Status {
    /// A route that is called by its URL is called so once.
    fn route_line(&self, route: Route) -> String {
        let listener = self.listeners.get(route);
        let here = self.here.as_ref().map(|here| here.get(route));
        let url = beside(self.urls.get(route), here);
        let place = match &listener.endpoint {
            Endpoint::Port(_) | Endpoint::Header => format!("{}  {url}", listener.endpoint),
            Endpoint::Named(_) => url,
            Endpoint::Several(_) => listener.endpoint.to_string(),
        };
        format!("  {place}  -> {}", listener.text)
    }
}

impl CommandResult for Status {
    fn human(&self, style: &Style) -> String {
        let mut lines = vec![
            match &self.environment {
                Some(environment) => format!(
                    "{} in {}, environment {environment}",
                    style.strong(&self.app),
                    self.region
                ),
                None => format!("{} in {}", style.strong(&self.app), self.region),
            },
            self.route_line(Route::Production),
            self.route_line(Route::Test),
        ];
        let others = self.other_ways.iter();
        lines.extend(others.map(|way| format!("  {}", way.text)));
        for color in Color::BOTH {
            lines.push(String::new());
            lines.extend(self.color_lines(color, *style));
        }
        lines.extend(self.stack.line(*style));
        let warning = style.warn("warning:");
        if let Some(unclear) = &self.unclear {
            lines.push(format!("\n{warning} {unclear}"));
        } else if let (None, Some(first)) = (self.live, &self.first) {
            lines.push(format!("\nNothing is deployed yet: {first}."));
        } else if self.live.is_none() && !self.is_split() {
            lines.push("\nNothing is live yet: the first colour to serve becomes live.".to_owned());
        }
        let differs = self.differs_from_stack.iter().chain(&self.certificate);
        lines.extend(differs.map(|sentence| format!("\n{warning} {sentence}")));
        let astray = self.astray.iter();
        lines.extend(astray.map(|sentence| format!("\n{warning} {sentence}.")));
        lines.extend(self.journal_lines(*style));
        let is_explained = self.unfinished.is_some() || !self.drift.is_empty();
        if let Some(color) = self.on_both_routes().filter(|_| !is_explained) {
            lines.push(format!(
                "\n{} both routes serve {color}: {} shows what users see, until the next promotion.",
                style.warn("warning:"),
                self.listeners.test.endpoint
            ));
        }
        lines.join("\n")
    }
}

impl Status {
    /// Who is at work, and what does not agree with the journal.
    fn journal_lines(&self, style: Style) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.at_work.iter().map(|sentence| format!("\n{sentence}")));
        if let Some(unfinished) = self.unfinished.as_ref().filter(|it| !it.under_way) {
            let warning = style.warn("warning:");
            lines.push(format!("\n{warning} {}", unfinished.sentence()));
        }
        // What forwards to no colour has been told of.
        let told = self
            .drift
            .iter()
            .filter(|drift| drift.route != Route::Production || self.unclear.is_none());
        lines.extend(told.map(|drift| {
            format!(
                "\n{} {drift}: something else changed it.\n`bgecs adopt` accepts what is there now.",
                style.warn("warning:")
            )
        }));
        lines
    }

    /// The colour that gets every request of either route: testers see what users see.
    fn on_both_routes(&self) -> Option<Color> {
        let PerRoute { production, test } = &self.listeners;
        let live = production.split?.only()?;
        (test.split == production.split).then_some(live)
    }

    fn is_split(&self) -> bool {
        self.listeners.production.share_of(Color::Blue).is_some()
    }

    fn color_lines(&self, color: Color, style: Style) -> Vec<String> {
        let share = self.listeners.production.share_of(color);
        let role = match (self.live, share) {
            (Some(live), _) if live == color => "live".to_owned(),
            (Some(_), _) => "idle".to_owned(),
            (None, Some(percent)) => format!("{percent}% of the users"),
            (None, None) => "not live".to_owned(),
        };
        let Some(state) = self.colors.get(color) else {
            return vec![format!(
                "{}  {role}, no service",
                style.color(color, format!("{color:<5}"))
            )];
        };
        let or_unknown =
            |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        let short = state.task_definition.rsplit('/').next().unwrap_or_default();
        let mut lines = vec![
            format!(
                "{}  {role}, tag {}{}",
                style.color(color, format!("{color:<5}")),
                style.strong(or_unknown(&state.tag)),
                match (state.draining, state.desired) {
                    (true, _) => ", being deleted",
                    (false, 0) => ", retired",
                    _ => "",
                }
            ),
            format!("  digest   {}", or_unknown(&state.digest)),
            format!("  revision {short}{}", rollout(state.rollout, style)),
            format!(
                "  tasks    {} of {} running, {} of {} healthy",
                state.running,
                state.desired,
                state.healthy,
                counted(state.registered, "target")
            ),
        ];
        if state.service != color.as_str() {
            lines.insert(1, format!("  service  {}", state.service));
        }
        let warm = state.warm.iter();
        lines.extend(warm.map(|cost| format!("  costs    {cost}")));
        let loss = state.task_definition_lost.map(|loss| loss.sentence(color));
        lines.extend(loss.map(|loss| format!("  {}  {loss}", style.warn("warning"))));
        let setback = state.setback.iter();
        lines.extend(setback.map(|reason| format!("  {}   {reason}", style.bad("failed"))));
        if let Some(at) = &state.deployed_at {
            let by = state.deployed_by.as_deref().unwrap_or("unknown");
            let commit = state
                .commit
                .as_ref()
                .map(|commit| format!(", commit {commit}"))
                .unwrap_or_default();
            lines.push(format!(
                "  deployed {} by {by}{commit}",
                age(at, OffsetDateTime::now_utc())
            ));
        }
        lines
    }
}

fn rollout(rollout: Option<Rollout>, style: Style) -> String {
    match rollout {
        Some(Rollout::InProgress) => style.warn(", rolling out"),
        Some(Rollout::Failed) => style.bad(", failed"),
        Some(Rollout::Completed) | None => String::new(),
    }
}

/// `5 min ago`; the moment itself where it cannot be read.
fn age(at: &str, now: OffsetDateTime) -> String {
    let Ok(at) = OffsetDateTime::parse(at, &Rfc3339) else {
        return at.to_owned();
    };
    spoken_time::ago(now - at)
}

#[cfg(test)]
mod tests;
