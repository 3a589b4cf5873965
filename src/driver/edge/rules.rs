//! The routing rules by which testers reach colours that have no URL of their own. They
//! are recognised by their contents.

use super::pointer::routed;
use crate::aws::AwsError;
use crate::driver::turn::Turn;
use crate::driver::{destroy, lost, update};
use crate::engine::plan::Refusal;
use crate::engine::test_rules::{self, RuleChange, RuleDeed};
use crate::error::Result;
use crate::model::{Backends, Color, EdgeInfrastructure, Infrastructure, TestRule};
use crate::report::ReportEvent;
use crate::session::Session;

/// # Errors
/// The domain's mode ignores mappings, or ignores rules although the colours are reached
/// by them (exit 6).
pub(super) async fn refuse_mode(session: &Session, domain: &str, by_header: bool) -> Result<()> {
    let mode = session.aws.routing_mode(domain).await?;
    match mode.unfit(domain, by_header) {
        None => Ok(()),
        Some((why, way_out)) => Err(Refusal::new(why, way_out).into()),
    }
}

/// The changes needed to give the domain the rules that it should have; `made` are those
/// of an earlier `init`.
pub(super) async fn look(
    session: &Session,
    edge: &EdgeInfrastructure,
    made: &[TestRule],
) -> Result<Vec<RuleChange>> {
    changes(session, edge, &edge.test_rules(), made).await
}

/// The changes needed to remove all of them.
pub(super) async fn of_end(
    session: &Session,
    edge: &EdgeInfrastructure,
) -> Result<Vec<RuleChange>> {
    let mut made = edge.test_rules();
    made.extend(told(session, edge));
    changes(session, edge, &[], &made).await
}

async fn changes(
    session: &Session,
    edge: &EdgeInfrastructure,
    wanted: &[TestRule],
    made: &[TestRule],
) -> Result<Vec<RuleChange>> {
    match domain(edge) {
        Some(domain) if !(wanted.is_empty() && made.is_empty()) => {
            let there = session.aws.routing_rules(domain).await?;
            Ok(test_rules::changes(domain, wanted, made, &there))
        }
        _ => Ok(Vec::new()),
    }
}

/// The rules that the file asks for on the same domain: an `init` that was cut short may
/// have made them before it wrote them into the stack.
fn told(session: &Session, made: &EdgeInfrastructure) -> Vec<TestRule> {
    let Some(edge) = &session.config.edge else {
        return Vec::new();
    };
    match edge.router.pointer() {
        Some(pointer)
            if edge.backends() == Backends::ByHeader && pointer.domain() == domain(made) =>
        {
            routed(edge, pointer).test_rules()
        }
        _ => Vec::new(),
    }
}

fn domain(edge: &EdgeInfrastructure) -> Option<&str> {
    edge.router.pointer()?.pointer.domain()
}

/// Without a turn there is no journal any more.
///
/// # Errors
/// AWS's own; a journal that cannot be written.
pub(super) async fn carry_out(
    session: &Session,
    turn: Option<&Turn>,
    changes: &[RuleChange],
) -> Result<()> {
    for change in changes {
        destroy::about_to(turn, change.effect()).await?;
        session.report.tell(&ReportEvent::Doing(change.to_string()));
        let done = written(session, change).await;
        match turn {
            Some(turn) => update::done_or_not(turn, done)?,
            None => done?,
        }
    }
    match turn {
        Some(turn) if !changes.is_empty() => Ok(turn.did().await?),
        _ => Ok(()),
    }
}

async fn written(session: &Session, change: &RuleChange) -> Result<(), AwsError> {
    let RuleChange { domain, rule, deed } = change;
    let aws = &session.aws;
    let (done, because_of_itself) = match deed {
        RuleDeed::Make { priority } => (
            aws.make_test_rule(domain, rule, *priority).await,
            "ConflictException",
        ),
        RuleDeed::Change { id, priority } => {
            let at = (id.as_str(), *priority);
            let done = aws.change_test_rule(domain, rule, at).await;
            (done, "ConflictException")
        }
        RuleDeed::Delete { id } => (
            aws.delete_routing_rule(domain, id).await,
            "NotFoundException",
        ),
    };
    lost::or_found(done, &[because_of_itself], async || {
        let there = aws.routing_rules(domain).await?;
        let is_so = match deed {
            RuleDeed::Delete { id } => there.iter().all(|it| it.id != *id),
            RuleDeed::Make { .. } | RuleDeed::Change { .. } => {
                there.iter().any(|it| it.is.as_ref() == Some(rule))
            }
        };
        Ok(is_so.then_some(()))
    })
    .await
}

/// Why a request that names that colour by header would not reach it, if so: it would be
/// answered by whatever the mapping leads to.
///
/// # Errors
/// AWS's own.
pub async fn unled(
    session: &Session,
    infra: &Infrastructure,
    color: Color,
) -> Result<Option<String>, AwsError> {
    let Some(edge) = infra.edge() else {
        return Ok(None);
    };
    let mut rules = edge.test_rules().into_iter();
    let (Some(domain), Some(rule)) = (domain(edge), rules.find(|it| it.color == color)) else {
        return Ok(None);
    };
    let mode = session.aws.routing_mode(domain).await?;
    if let Some((why, _)) = mode.unfit(domain, true) {
        return Ok(Some(why));
    }
    let there = session.aws.routing_rules(domain).await?;
    let is_there = there.iter().any(|it| it.is.as_ref() == Some(&rule));
    Ok((!is_there).then(|| {
        format!("{domain} has no routing rule by which {rule}: `bgecs init` makes it again")
    }))
}
