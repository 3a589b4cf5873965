//! `bgecs init`

mod edge;
pub(super) mod worker;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::plan::PlanResult;
use super::{configuration, for_role, lease, working_folder};
use crate::aws::policy::{self, Ground, MOST_CHARACTERS, MOST_IN_A_ROLE, Role, RoutedBy};
use crate::aws::{TEMPLATE, has_no_journal};
use crate::cli::{Global, Init, PolicyFor};
use crate::config::{Config, FILE_NAME, Nat, RouterKeys};
use crate::definition::Loaded;
use crate::driver::stack::{self, Prepared};
use crate::driver::turn::Turn;
use crate::driver::{self, secure};
use crate::engine::plan::{self, LIVE_COLOR, Part, StackPlan, Step};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::Command;
use crate::model::{
    AppName, AwsPlace, Backends, EcsInfrastructure, Endpoint, Infrastructure, PerRoute,
};
use crate::report::{Audience, CommandResult, ReportEvent, Reporter, Style};
use crate::session::Session;
use crate::session::here::{Here, beside};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum InitOutcome {
    Created,
    Updated,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct Initialised {
    operation: Command,
    outcome: InitOutcome,
    app: String,
    region: String,
    stack: String,
    urls: PerRoute<String>,
    /// Where the app's own name has to lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    load_balancer: Option<String>,
    /// Where it opens on this machine, if its name leads nowhere here.
    #[serde(skip_serializing_if = "Option::is_none")]
    here: Option<PerRoute<Here>>,
    /// Nothing is live: what comes next.
    #[serde(skip)]
    is_first: bool,
}

impl CommandResult for Initialised {
    fn human(&self, style: &Style) -> String {
        let what = match self.outcome {
            InitOutcome::Unchanged => {
                format!("nothing to do: the stack {} is up to date", self.stack)
            }
            InitOutcome::Created => format!("the stack {} is created", self.stack),
            InitOutcome::Updated => format!("the stack {} is updated", self.stack),
        };
        let here = self.here.as_ref();
        let name = self.load_balancer.as_ref().map(|dns_name| {
            format!("\n  name        DNS has to lead it to {dns_name} (CNAME or alias)")
        });
        let name = name.unwrap_or_default();
        let next = match self.is_first {
            true => "\n  next        `bgecs deploy . --tag 1` makes the first release live",
            false => "",
        };
        format!(
            "{what}\n  production  {}\n  test        {}{name}{next}",
            beside(
                &style.strong(&self.urls.production),
                here.map(|here| &here.production)
            ),
            beside(&style.strong(&self.urls.test), here.map(|here| &here.test))
        )
    }
}

pub async fn run(session: &Session, args: &Init) -> Result<Exit> {
    if let Some(edge) = &session.config.edge {
        return edge::run(session, args, edge).await;
    }
    if session.config.attached.is_some() {
        return Err(of_attach());
    }
    // A mistake in a task definition is found now, not with the first deploy.
    let loaded = Loaded::from(&session.config)?;
    let needs = loaded.needs(&session.config, session.aws.region());
    let wants = (&needs, loaded.source(&session.config).port());
    secure::refuse_unfit_certificates(session).await?;
    let before = session.aws.read_stack(&session.stack_name()).await?;
    let journal = before
        .as_ref()
        .and_then(|stack| stack.infrastructure().ok());
    let prepared = stack::prepare(session, wants, before, args.allow_live).await?;
    if args.change.dry_run {
        let steps = steps(session, &prepared);
        let costs = costs(&session.config, &loaded, prepared.made());
        session
            .report
            .result(&PlanResult::of(Command::Init, steps).with_costs(costs));
        return Ok(Exit::Done);
    }
    let is_begun = match &journal {
        Some(infrastructure) => was_begun(session, infrastructure).await?,
        None => false,
    };
    let takes_turn = match &prepared.plan {
        StackPlan::Mend { gone } => !gone.contains(&Part::JournalTable),
        StackPlan::Update { .. } => true,
        StackPlan::Create | StackPlan::NothingToDo => is_begun,
    };
    match journal {
        Some(infrastructure) if takes_turn => {
            lease::take(
                session,
                &infrastructure,
                Command::Init,
                args.change.wait,
                async |work| {
                    // Who is live may have changed while this one waited.
                    let before = session.aws.read_stack(&session.stack_name()).await?;
                    let prepared = stack::prepare(session, wants, before, args.allow_live).await?;
                    carry_out(session, Some(work.turn), work.interrupts, &prepared).await
                },
            )
            .await
        }
        // What is made now has no journal yet, and CloudFormation lets one
        // alone make it.
        _ => carry_out(session, None, &mut Interrupts::listen()?, &prepared).await,
    }
}

/// What there is to make or change; nothing where all is as the file says.
///
/// # Errors
/// As [`run`].
pub async fn planned(session: &Session) -> Result<Vec<Step>> {
    if let Some(edge) = &session.config.edge {
        let prepared = driver::edge::prepare(session, edge).await?;
        return Ok(prepared.steps(session));
    }
    if session.config.attached.is_some() {
        return Err(of_attach());
    }
    let loaded = Loaded::from(&session.config)?;
    let needs = loaded.needs(&session.config, session.aws.region());
    let wants = (&needs, loaded.source(&session.config).port());
    let before = session.aws.read_stack(&session.stack_name()).await?;
    let prepared = stack::prepare(session, wants, before, false).await?;
    Ok(steps(session, &prepared))
}

fn of_attach() -> Error {
    Error::usage("bgecs.toml names a service that runs already, and `bgecs init` is for a new app")
        .hint("`bgecs attach` makes what is missing beside it")
}

/// What a stack that is made anew will have running, and another one besides.
fn costs(
    config: &Config,
    loaded: &Loaded,
    made: Option<&BTreeMap<String, String>>,
) -> Option<String> {
    // A given network is paid for by its owner.
    let network = Some(&config.network).filter(|_| config.given.network.is_none());
    match made {
        Some(made) => plan::further_costs(made, network?),
        None => {
            let size = loaded.source(config).size()?;
            Some(plan::costs(config.service.desired_count, size, network))
        }
    }
}

/// Whether an `init` was left unfinished. What it was to make may be there, and
/// its end is missing.
async fn was_begun(session: &Session, infrastructure: &Infrastructure) -> Result<bool> {
    let head = match session.aws.read_head(infrastructure.journal_table()).await {
        // A stack of a bgecs that had no journal.
        Err(error) if has_no_journal(&error) => return Ok(false),
        head => head?,
    };
    let command = head.operation.map(|operation| operation.command);
    Ok(command == Some(Command::Init))
}

fn steps(session: &Session, prepared: &Prepared) -> Vec<Step> {
    let name = session.stack_name();
    let mut steps = match &prepared.plan {
        StackPlan::Create => vec![Step::CreateStack { name }],
        StackPlan::Update { changes } => vec![Step::UpdateStack {
            name,
            changes: changes.clone(),
        }],
        StackPlan::Mend { gone } => vec![Step::UpdateStack {
            name,
            changes: vec![format!(
                "{}, which something else deleted",
                plan::named(gone)
            )],
        }],
        StackPlan::NothingToDo => Vec::new(),
    };
    if prepared.redirects_last {
        let url = session.config.production.url.clone();
        steps.extend(url.map(|url| Step::RedirectTo { url }));
    }
    steps
}

async fn carry_out(
    session: &Session,
    turn: Option<&Turn>,
    interrupts: &mut Interrupts,
    prepared: &Prepared,
) -> Result<Exit> {
    for step in &steps(session, prepared) {
        session.report.tell(&ReportEvent::Doing(step.to_string()));
    }
    let infrastructure = interrupts
        .or_stop(
            &format!("CloudFormation works on {}", session.stack_name()),
            "CloudFormation will finish what it has started; run `bgecs init` again to see it through",
            stack::carry_out(session, turn, prepared),
        )
        .await?;
    let here = session.here(&infrastructure.clone().into()).await;
    session
        .report
        .result(&result(session, prepared, &infrastructure, here));
    Ok(Exit::Done)
}

fn result(
    session: &Session,
    prepared: &Prepared,
    infra: &EcsInfrastructure,
    here: Option<PerRoute<Here>>,
) -> Initialised {
    let live = prepared.inputs.get(LIVE_COLOR);
    Initialised {
        operation: Command::Init,
        outcome: match prepared.plan {
            StackPlan::Create => InitOutcome::Created,
            StackPlan::Update { .. } | StackPlan::Mend { .. } => InitOutcome::Updated,
            StackPlan::NothingToDo => InitOutcome::Unchanged,
        },
        app: session.app().to_owned(),
        region: session.aws.region().to_owned(),
        stack: session.stack_name(),
        urls: infra.urls(),
        load_balancer: match infra.endpoints.production {
            Endpoint::Port(_) | Endpoint::Header => None,
            Endpoint::Named(_) | Endpoint::Several(_) => Some(infra.load_balancer_dns_name.clone()),
        },
        here,
        is_first: live.is_none_or(|live| live == "none"),
    }
}

/// What asks no AWS, if that was asked for.
pub fn offline(global: &Global, audience: Audience, args: &Init) -> Option<Result<Exit>> {
    if args.write_config {
        Some(write_config(global, audience))
    } else if args.print_template {
        Some(print_template(global, audience))
    } else {
        match args.print_policy? {
            PolicyFor::App(role) => Some(print_policy(global, audience, role)),
            // That of a worker is printed where workers are made.
            PolicyFor::Worker => None,
        }
    }
}

/// Prints the policy for the configured app, in the account of the file and in the
/// region of `--region` or of the file, or in all.
fn print_policy(global: &Global, audience: Audience, role: Role) -> Result<Exit> {
    let config = configuration(global)?;
    let policy = policy_of(role, global, &config, &place(global, &config));
    let (reporter, length) = (Reporter::new(audience), policy::length(&policy));
    if length > MOST_CHARACTERS {
        reporter.tell(&ReportEvent::Warning(format!(
            "this has {length} characters, and IAM takes {MOST_CHARACTERS} of a managed policy: write it into the role (`aws iam put-role-policy`), which takes {MOST_IN_A_ROLE}"
        )));
    }
    reporter.data(&format!("{policy:#}"));
    Ok(Exit::Done)
}

/// The policy for an app that `init` makes.
pub(super) fn policy_of(role: Role, global: &Global, config: &Config, place: &AwsPlace) -> Value {
    let certificates = config.tls.as_ref().map(|tls| tls.certificates.as_slice());
    let certificates = certificates.unwrap_or_default();
    let routed = config.edge.as_ref().map(|edge| match &edge.router {
        RouterKeys::Route53(keys) => RoutedBy::Record {
            name: &keys.record,
            zone: keys.zone.as_deref(),
        },
        RouterKeys::Pointer(pointer) => RoutedBy::Pointer {
            pointer,
            by_rules: edge.backends() == Backends::ByHeader,
        },
    });
    let policy = match routed {
        Some(routed) => policy::of_edge(role, &config.app, place, routed),
        None => policy::document(
            role,
            &config.app,
            place,
            certificates,
            Ground {
                given: &config.given,
                is_private: config.network.is_private(),
                has_nat: config.network.nat != Nat::None,
            },
        ),
    };
    for_role(role, policy, global, config)
}

/// Where a policy is to hold.
pub fn place(global: &Global, config: &Config) -> AwsPlace {
    let mut place = config.place.clone();
    place.region = global.region().map(str::to_owned).or(place.region);
    place
}

/// Prints the template as it is, for a review or another tool; for programs as
/// the text that `TemplateBody` takes.
///
/// # Errors
/// An app whose colours bgecs does not run has another (exit 2).
fn print_template(global: &Global, audience: Audience) -> Result<Exit> {
    if configuration(global).is_ok_and(|config| config.edge.is_some()) {
        return Err(Error::usage(
            "the stack of an app whose colours bgecs does not run holds only its journal's table and the AWS names of what routes its users",
        )
        .hint("`bgecs init --dry-run` says what would be made"));
    }
    let reporter = Reporter::new(audience);
    match audience.json {
        true => reporter.document(&json!({ "operation": Command::Init, "template": TEMPLATE })),
        false => reporter.data(TEMPLATE.trim_end()),
    }
    Ok(Exit::Done)
}

/// Writes the commented starter, never over a file that is there.
fn write_config(global: &Global, audience: Audience) -> Result<Exit> {
    let folder = working_folder()?;
    let path = folder.join(global.config.as_deref().unwrap_or(FILE_NAME.as_ref()));
    let app = folder
        .file_name()
        .and_then(|name| AppName::near(&name.to_string_lossy()))
        .or_else(|| "hello".parse().ok())
        .ok_or_else(|| Error::failed("no name for the app"))?;
    write_new(&path, &Config::starter(&app))?;
    let reporter = Reporter::new(audience);
    reporter.tell(&ReportEvent::Note(format!(
        "wrote {}; now look it over and run `bgecs init`",
        path.display()
    )));
    if audience.json {
        let written = path.display().to_string();
        reporter.document(&json!({
            "operation": Command::Init,
            "outcome": "written",
            "config": written,
        }));
    }
    Ok(Exit::Done)
}

/// A file that is there is the user's, and is never overwritten.
///
/// # Errors
/// It is there, or cannot be made (exit 2).
/// In a folder that is made where there is none.
pub(super) fn write_new(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.map_err(|error| not_created(path, &error))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| not_created(path, &error))?;
    file.write_all(text.as_bytes()).map_err(|error| {
        Error::failed(format!("{} cannot be written", path.display())).because(&error)
    })
}

pub(super) fn exists(path: &Path) -> Error {
    Error::usage(format!(
        "{} already exists; not overwritten",
        path.display()
    ))
    .hint("move it away, or name another file with --config")
}

fn not_created(path: &Path, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return exists(path);
    }
    Error::usage(format!("{} cannot be written", path.display())).because(error)
}

#[cfg(test)]
mod tests;
