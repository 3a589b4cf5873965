//! `bgecs attach`

use serde::Serialize;
use serde_json::Value;

use super::init::place;
use super::plan::PlanResult;
use super::{configuration, for_role, lease};
use crate::aws::policy::{self, AttachedNames, MovedAt, NamedListener, PolicyWay, Role, TestedAt};
use crate::cli::{Attach, Global};
use crate::config::{Attached, Config, ListenerKeys, NamedWay, RuleKey, TestKey};
use crate::definition::Loaded;
use crate::driver::attach::{self, AttachmentChange, PreparedAttachment};
use crate::driver::failover::{self, LedTo};
use crate::driver::work::Work;
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::Command;
use crate::model::{
    AwsPlace, Color, EcsInfrastructure, Endpoint, Infrastructure, NamedRepository, Observed,
};
use crate::report::{Audience, CommandResult, ReportEvent, Reporter, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum AttachOutcome {
    Attached,
    Updated,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct AttachResult {
    operation: Command,
    outcome: AttachOutcome,
    app: String,
    stack: String,
    cluster: String,
    /// By its name, the service that was there before.
    service: String,
    color: Color,
    url: String,
    /// What there is of the other colour.
    #[serde(skip)]
    other: String,
    /// How testers come in.
    test: String,
    traffic: String,
}

impl CommandResult for AttachResult {
    fn human(&self, style: &Style) -> String {
        let what = match self.outcome {
            AttachOutcome::Attached => format!("attached to the service {}", self.service),
            AttachOutcome::Updated => format!("the stack {} is updated", self.stack),
            AttachOutcome::Unchanged => {
                format!("nothing to do: attached to the service {}", self.service)
            }
        };
        let (color, made) = (self.color.as_str(), self.color.other());
        let traffic = style.strong(&self.traffic);
        format!(
            "{what}\n  {color:<11} {}, as it runs\n  {:<11} {}\n  production  {traffic}\n  test        {}\n  back        `bgecs detach` removes what bgecs made",
            self.service,
            made.as_str(),
            self.other,
            self.test,
        )
    }
}

const NO_SERVICE: &str = "the first `bgecs deploy` makes its service; until then it answers 503";

pub async fn run(session: &Session, args: &Attach) -> Result<Exit> {
    let attached = attached(session)?;
    let mut prepared = attach::prepare(session, attached).await?;
    let steps = attach::steps(&prepared);
    prepared.tell_notes(session);
    if prepared.change == AttachmentChange::Create {
        // Until the first deploy, what is made has no target.
        let allowed = args.emptying.allow_failover;
        failover::refuse(session, &LedTo::from(&prepared.attachment), allowed).await?;
    }
    if args.change.dry_run {
        session
            .report
            .result(&PlanResult::of(Command::Attach, steps));
        return Ok(Exit::Done);
    }
    attach::tell(session, &prepared.attachment);
    let is_new = prepared.change == AttachmentChange::Create;
    // What is made now has no journal yet, and CloudFormation lets one alone
    // make it.
    let infrastructure = match prepared.change {
        AttachmentChange::Create => {
            for step in &steps {
                session.report.tell(&ReportEvent::Doing(step.to_string()));
            }
            let made = attach::make(session, attached, &mut prepared);
            interruptible(session, &mut Interrupts::listen()?, made).await?
        }
        AttachmentChange::Update | AttachmentChange::Nothing => {
            prepared.infrastructure(session).await?
        }
    };
    let before = Infrastructure::from(infrastructure.clone());
    let wait = args.change.wait;
    lease::take(session, &before, Command::Attach, wait, async |work| {
        // Something may have changed while this one waited.
        let prepared = match is_new {
            true => prepared,
            false => attach::prepare(session, attached).await?,
        };
        let made = match is_new {
            true => infrastructure.clone(),
            false => {
                let carried = attach::carry_out(session, Some(work.turn), &prepared);
                interruptible(session, work.interrupts, carried).await?
            }
        };
        let made = Infrastructure::from(made);
        let work = Work {
            infrastructure: &made,
            ..work
        };
        let observed = work.observe().await?;
        attach::is_at_the_beginning(&observed, &prepared.attachment)?;
        for sentence in plan::astray(&observed) {
            session.report.tell(&ReportEvent::Warning(sentence));
        }
        let is_first = observed.journal.truth.is_none();
        if is_first || attach::has_new_test_place(&infrastructure, &observed) {
            work.turn.saw(&observed);
        }
        prepared.tell_of_bar(session, &made).await?;
        session.report.result(&result(
            session,
            attached,
            &prepared,
            (observed.ecs()?, &observed),
        ));
        Ok(Exit::Done)
    })
    .await
}

async fn interruptible(
    session: &Session,
    interrupts: &mut Interrupts,
    carried: impl Future<Output = Result<EcsInfrastructure>>,
) -> Result<EcsInfrastructure> {
    interrupts
        .or_stop(
            &format!("CloudFormation works on {}", session.stack_name()),
            "CloudFormation will finish what it has started; run `bgecs attach` again to see it through",
            carried,
        )
        .await
}

/// # Errors
/// The file names no service that runs already (exit 2).
pub fn attached(session: &Session) -> Result<&Attached> {
    of(&session.config)
}

fn of(config: &Config) -> Result<&Attached> {
    config.attached.as_ref().ok_or_else(|| {
        Error::usage("bgecs.toml names no service to attach to")
            .hint("`bgecs import` writes one for a service that runs; for a new app, `bgecs init`")
    })
}

fn result(
    session: &Session,
    attached: &Attached,
    prepared: &PreparedAttachment,
    (infra, observed): (&EcsInfrastructure, &Observed),
) -> AttachResult {
    let endpoint = &observed.endpoints().test;
    let made = attached.color.other();
    let services = &infra.services;
    AttachResult {
        operation: Command::Attach,
        outcome: match prepared.change {
            AttachmentChange::Create => AttachOutcome::Attached,
            AttachmentChange::Update => AttachOutcome::Updated,
            AttachmentChange::Nothing => AttachOutcome::Unchanged,
        },
        app: session.app().to_owned(),
        stack: session.stack_name(),
        cluster: attached.cluster.clone(),
        service: attached.service.clone(),
        color: attached.color,
        url: attached.url.clone(),
        other: match &observed.color(made).service {
            Some(_) => services.name(made).to_owned(),
            None => NO_SERVICE.to_owned(),
        },
        test: match endpoint {
            Endpoint::Header => format!("{} with the {endpoint}", attached.url),
            Endpoint::Named(_) | Endpoint::Several(_) | Endpoint::Port(_) => {
                format!("{endpoint} -> {}", observed.traffic.test)
            }
        },
        traffic: observed.traffic_line(),
    }
}

/// What asks no AWS, if that was asked for.
pub fn offline(global: &Global, audience: Audience, args: &Attach) -> Option<Result<Exit>> {
    let role = args.print_policy?;
    Some(print_policy(global, audience, role))
}

/// Prints the policy for what the file and its task definition name; anything that they
/// leave open becomes a pattern.
fn print_policy(global: &Global, audience: Audience, role: Role) -> Result<Exit> {
    let config = configuration(global)?;
    let place = place(global, &config);
    let (policy, names) = policy_of(role, global, (&config, of(&config)?), &place)?;
    let reporter = Reporter::new(audience);
    let own = |named: &Option<String>, own| named.clone().unwrap_or(own);
    reporter.tell(&ReportEvent::Note(format!(
        "the policy takes the repository for {} and the log group for {}, as the task definition has them; where the running service has others, change it",
        own(&names.repository, config.app.stack_name()),
        own(&names.log_group, config.app.log_group()),
    )));
    reporter.data(&format!("{policy:#}"));
    Ok(Exit::Done)
}

/// With what it takes for the app's that is not named after it.
///
/// # Errors
/// A task definition with a mistake (exit 2).
pub(super) fn policy_of(
    role: Role,
    global: &Global,
    (config, attached): (&Config, &Attached),
    place: &AwsPlace,
) -> Result<(Value, AttachedNames)> {
    let names = names(config, attached, &Loaded::from(config)?);
    let policy = policy::of_attached(role, &config.app, place, &names);
    Ok((for_role(role, policy, global, config), names))
}

fn names(config: &Config, attached: &Attached, loaded: &Loaded) -> AttachedNames {
    let file = loaded.file();
    let image = file.and_then(|file| file.image());
    let repository = image
        .and_then(|image| NamedRepository::of_image(image, config.registry.url.as_deref()))
        .map(|named| named.name);
    let roles = file.map(|file| file.roles()).unwrap_or_default();
    AttachedNames {
        cluster: attached.cluster.clone(),
        service: attached.service.clone(),
        made: attached.color.other(),
        ways: attached.ways().map(policy_way).collect(),
        tested: match &attached.test {
            TestKey::Header => TestedAt::Header,
            TestKey::Host(_) => TestedAt::Rule,
            TestKey::Port(_) => TestedAt::Listener,
        },
        roles: roles.into_iter().map(str::to_owned).collect(),
        repository,
        log_group: file.and_then(|file| file.log_group()).map(str::to_owned),
    }
}

fn policy_way(way: NamedWay<'_>) -> PolicyWay {
    PolicyWay {
        listener: match way.listener {
            ListenerKeys::Arn(arn) => NamedListener::Arn(arn.clone()),
            ListenerKeys::Of { load_balancer, .. } => NamedListener::Of(load_balancer.clone()),
        },
        moved: match way.rule {
            RuleKey::DefaultAction => MovedAt::Listener,
            RuleKey::Arn(arn) => MovedAt::Rule(Some(arn.clone())),
            RuleKey::With { .. } => MovedAt::Rule(None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_and_the_way_out_are_said() {
        let result = |outcome| AttachResult {
            operation: Command::Attach,
            outcome,
            app: "web".to_owned(),
            stack: "bgecs-web".to_owned(),
            cluster: "prod".to_owned(),
            service: "web".to_owned(),
            color: Color::Blue,
            url: "https://shop.example.com".to_owned(),
            other: NO_SERVICE.to_owned(),
            test: "https://next.example.com -> green".to_owned(),
            traffic: "https://shop.example.com -> blue".to_owned(),
        };
        insta::assert_snapshot!(result(AttachOutcome::Attached).human(&Style::plain()), @"
        attached to the service web
          blue        web, as it runs
          green       the first `bgecs deploy` makes its service; until then it answers 503
          production  https://shop.example.com -> blue
          test        https://next.example.com -> green
          back        `bgecs detach` removes what bgecs made
        ");
        let unchanged = result(AttachOutcome::Unchanged).human(&Style::plain());
        assert!(unchanged.starts_with("nothing to do: attached to the service web\n"));
    }
}
