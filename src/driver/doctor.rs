//! Looks at everything that a first release needs, one thing after the other. Changes
//! nothing; what cannot be looked at is a finding as well.

use futures_util::future::try_join_all;
use serde_json::Value;

use super::asking::{Asking, of_file};
use super::{attach, edge, secure, stack};
use crate::aws::StackSnapshot;
use crate::config::{Config, Nat};
use crate::definition::Loaded;
use crate::docker::{DockerError, Engine};
use crate::engine::doctor;
use crate::error::{Error, Result};
use crate::model::{Endpoint, Finding, Grade, Observed, QuotaName, Route};
use crate::probe::ask_once;
use crate::session::Session;

/// One vCPU, in ECS's units.
const VCPU: u32 = 1024;

/// What a person has to be allowed, as bgecs's own policies say.
#[derive(Debug)]
pub struct Policies {
    pub deployer: Value,
    pub operator: Value,
}

/// Whether images can be built here.
pub async fn docker() -> Finding {
    let looked = async {
        let engine = Engine::connect().await?;
        engine.can_build()?;
        Ok::<_, DockerError>(engine.described().await)
    };
    match looked.await {
        Ok(described) => Finding::ok("docker", described),
        Err(error) => {
            let error = Error::from(error)
                .hint_too("`bgecs deploy --image` takes an image from a registry, and needs no engine to build it");
            doctor::failed("docker", &error)
        }
    }
}

/// All that AWS is asked.
pub async fn of_app(session: &Session, policies: Result<Policies>) -> Vec<Finding> {
    let stack = session.aws.read_stack(&session.stack_name()).await;
    let mut findings = vec![doctor::clock(session.aws.clock_ahead())];
    let stack = match stack {
        Ok(stack) => stack,
        Err(error) => {
            findings.push(doctor::failed("stack", &error.into()));
            return findings;
        }
    };
    let is_there = stack.is_some();
    findings.push(surroundings(session, stack).await);
    if session.config.tls.is_some() {
        findings.push(match secure::refuse_unfit_certificates(session).await {
            Ok(()) => Finding::ok("certificate", "covers the app's name, and is valid"),
            Err(error) => doctor::failed("certificate", &error),
        });
    }
    match policies {
        Ok(policies) => findings.extend(permissions(session, &policies, is_there).await),
        Err(error) => findings.push(doctor::failed("permissions", &error)),
    }
    findings.push(quotas(session, is_there).await);
    if is_there {
        findings.extend(routes(session).await);
    }
    findings
}

/// Whether what bgecs makes is there, or can be made.
async fn surroundings(session: &Session, stack: Option<StackSnapshot>) -> Finding {
    let (name, config) = (session.stack_name(), &session.config);
    let command = match config.attached {
        Some(_) => "bgecs attach",
        None => "bgecs init",
    };
    let planned = match (&config.edge, &config.attached) {
        (Some(of_edge), _) => edge::prepare(session, of_edge).await.map(drop),
        (None, Some(attached)) => attach::prepare(session, attached).await.map(drop),
        (None, None) => made(session, stack.clone()).await,
    };
    if let Err(error) = planned {
        return doctor::failed("stack", &error);
    }
    let Some(stack) = stack else {
        let detail = format!("{name} does not exist yet, and can be made");
        return Finding::ok("stack", detail).hint(format!("`{command}` makes it"));
    };
    match session.difference(&stack) {
        Some(differs) => Finding::new("stack", Grade::Warning, differs),
        None => Finding::ok("stack", format!("{name} is as bgecs.toml says")),
    }
}

async fn made(session: &Session, before: Option<StackSnapshot>) -> Result<()> {
    let loaded = Loaded::from(&session.config)?;
    let needs = loaded.needs(&session.config, session.aws.region());
    let wants = (&needs, loaded.source(&session.config).port());
    stack::prepare(session, wants, before, false)
        .await
        .map(drop)
}

/// Who only deploys need not be able to make the stack, once it is there.
async fn permissions(session: &Session, policies: &Policies, is_there: bool) -> Vec<Finding> {
    let principal = match session.aws.principal().await {
        Ok(Some(principal)) => principal,
        Ok(None) => {
            let whose = "these credentials have no policies of their own that IAM could evaluate";
            return vec![Finding::new("permissions", Grade::Unknown, whose)];
        }
        Err(error) => return vec![doctor::unknown("permissions", &error.into())],
    };
    let mut findings = Vec::new();
    let roles = [
        ("deploying", "deployer", &policies.deployer, true),
        ("making", "operator", &policies.operator, !is_there),
    ];
    for (name, role, policy, is_needed) in roles {
        findings.push(match session.aws.denied(&principal, policy).await {
            Ok(denied) => doctor::permissions(name, role, &denied, is_needed),
            Err(error) => doctor::unknown(name, &error.into()),
        });
    }
    findings
}

async fn quotas(session: &Session, is_there: bool) -> Finding {
    let needed = needed(&session.config, is_there);
    let asked = needed
        .into_iter()
        .map(|(name, needed)| session.aws.quota(name, needed));
    match try_join_all(asked).await {
        Ok(all) => doctor::quotas(&all),
        Err(error) => doctor::unknown("quotas", &error.into()),
    }
}

/// What a first release takes of what AWS limits.
fn needed(config: &Config, is_there: bool) -> Vec<(QuotaName, f64)> {
    let mut needed = Vec::new();
    let is_made = config.edge.is_none() && config.attached.is_none();
    if is_made && !is_there {
        needed.push((QuotaName::LOAD_BALANCERS, 1.0));
        if config.given.network.is_none() {
            needed.push((QuotaName::VPCS, 1.0));
            let addresses = match config.network.nat {
                Nat::None => None,
                Nat::One => Some(1.0),
                Nat::PerZone => Some(f64::from(config.network.zones)),
            };
            needed.extend(addresses.map(|count| (QuotaName::ADDRESSES, count)));
        }
    }
    let size = Loaded::from(config)
        .ok()
        .and_then(|loaded| loaded.source(config).size());
    if let (None, Some(size)) = (&config.edge, size) {
        let one = f64::from(size.cpu()) / f64::from(VCPU);
        let tasks = f64::from(config.service.desired_count);
        needed.push((QuotaName::VCPUS, tasks * one));
    }
    needed
}

async fn routes(session: &Session) -> Vec<Finding> {
    let observed = match session.observe_settled().await {
        Ok(observed) => observed,
        Err(error) => return vec![doctor::unknown("production", &error)],
    };
    let mut findings = Vec::new();
    for (name, route) in [("production", Route::Production), ("test", Route::Test)] {
        // Where each request names its colour, the test route is production's.
        if *observed.endpoint(route) != Endpoint::Header {
            findings.push(asked(session, &observed, name, route).await);
        }
    }
    let infra = &observed.infrastructure;
    if let Some(warning) = secure::certificate_warning(session, infra).await {
        findings.push(Finding::new("certificate", Grade::Warning, warning));
    }
    findings
}

async fn asked(
    session: &Session,
    observed: &Observed,
    name: &'static str,
    route: Route,
) -> Finding {
    let asking = Asking::new(of_file(&session.config.probe), Vec::new());
    let address = session.address(&observed.infrastructure, route, &asking.path);
    let address = match address.await {
        Ok(address) => address,
        Err(error) => return doctor::failed(name, &error),
    };
    let exchange = ask_once(&address, &asking.question, asking.timeout).await;
    let is_live = observed.live_color().is_some() && route == Route::Production;
    doctor::route(
        name,
        observed.endpoint(route),
        &asking.path,
        &exchange.answer,
        is_live,
    )
}
