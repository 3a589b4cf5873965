//! `init` of an app whose colours somebody else runs: creates its journal, and takes over
//! what becomes its router, without anybody being led elsewhere for a moment; and the
//! reverse, giving the router back.

mod answers;
mod giving_back;
mod pointer;
mod record;
mod rules;
mod spreading;

use super::hosted;
use super::stack::{NamedStack, WrittenStack};
use super::turn::Turn;
use crate::aws::{RecordForm, StackSnapshot, edge_template};
use crate::config::{Edge, RouterKeys};
use crate::engine::plan::Step;
use crate::engine::takeover::Takeover;
use crate::engine::test_rules::RuleChange;
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{
    Color, EdgeInfrastructure, EdgeRouter, HostedRelease, Observed, Revision, RoutedRecord, Targets,
};
use crate::provenance::Provenance;
use crate::session::{Session, unusable};
pub use giving_back::{give_back, refuse_on_both, steps_back};
pub use rules::unled;
use spreading::{forget, kept_until, reform};

/// What `init` found, and what it is going to do.
#[derive(Debug)]
pub struct PreparedEdge {
    pub infrastructure: EdgeInfrastructure,
    pub stack: WrittenStack,
    pub takeover: Takeover,
    /// Changes of the rules by which testers reach the colours.
    pub rules: Vec<RuleChange>,
}

/// Reads what is there and plans. Changes nothing.
///
/// # Errors
/// A record that must not be taken over, or a stack in an unusable state (exit 6).
pub async fn prepare(session: &Session, edge: &Edge) -> Result<PreparedEdge> {
    let before = session.aws.read_stack(&session.stack_name()).await?;
    if let Some(stack) = before.as_ref().filter(|stack| stack.is_unusable()) {
        return Err(unusable(stack));
    }
    let earlier = match &before {
        Some(stack) => earlier(session, edge, stack)?,
        None => None,
    };
    let routed = earlier.as_ref().map(|earlier| &earlier.router);
    let (router, takeover) = match &edge.router {
        RouterKeys::Route53(keys) => {
            let earlier = routed.and_then(EdgeRouter::record);
            let (record, takeover) = record::look(session, edge, keys, earlier).await?;
            (EdgeRouter::Route53(record), takeover)
        }
        RouterKeys::Pointer(keys) => {
            let earlier = routed.and_then(EdgeRouter::pointer);
            let (pointer, takeover) = pointer::look(session, edge, keys, earlier).await?;
            (EdgeRouter::Pointer(pointer), takeover)
        }
    };
    let infrastructure = infrastructure(session, edge, router);
    let made = earlier.map(|earlier| earlier.test_rules());
    let made = made.unwrap_or_default();
    let template = edge_template(&session.config.app, &infrastructure);
    Ok(PreparedEdge {
        rules: rules::look(session, &infrastructure, &made).await?,
        infrastructure,
        stack: WrittenStack::of(&NamedStack::of(session), before, template).await?,
        takeover,
    })
}

/// As the file says, with that router.
fn infrastructure(session: &Session, edge: &Edge, router: EdgeRouter) -> EdgeInfrastructure {
    let backends = edge.backends();
    EdgeInfrastructure {
        endpoints: router.endpoints(&backends),
        router,
        backends,
        url: edge.url.clone(),
        journal_table: session.stack_name(),
    }
}

/// What an earlier `init` wrote into the stack.
///
/// # Errors
/// A router of another kind, whose users would be left behind (exit 6).
fn earlier(
    session: &Session,
    edge: &Edge,
    stack: &StackSnapshot,
) -> Result<Option<EdgeInfrastructure>> {
    let infrastructure = session.infrastructure_of(stack)?;
    let Some(earlier) = infrastructure.edge() else {
        return Ok(None);
    };
    let (was, is) = (earlier.router.kind(), edge.router.kind());
    match was == is {
        true => Ok(Some(earlier.clone())),
        false => Err(Error::refused(format!(
            "users of {} are routed by its {}, but bgecs.toml has `kind = \"{is}\"`",
            session.app(),
            earlier.endpoints.production
        ))
        .hint(format!(
            "`bgecs destroy` with `kind = \"{was}\"` leaves users and what runs as they are; then `bgecs init` with the other kind"
        ))),
    }
}

impl PreparedEdge {
    pub fn is_nothing(&self) -> bool {
        let is_as_it_is = matches!(self.takeover, Takeover::FromNothing | Takeover::Done(_));
        self.stack.is_up_to_date() && is_as_it_is && self.rules.is_empty()
    }

    pub fn steps(&self, session: &Session) -> Vec<Step> {
        let of_stack = self.stack.steps(&session.stack_name());
        let of_rules = self.rules.iter().cloned().map(Step::TestRule);
        let mut steps: Vec<Step> = match self.stack.is_new() {
            true => of_stack.into_iter().chain(of_rules).collect(),
            false => of_rules.chain(of_stack).collect(),
        };
        let Some(record) = self.infrastructure.router.record() else {
            return steps;
        };
        let name = || record.name.clone();
        let (shorten_from, last) = match self.takeover {
            Takeover::FromNothing | Takeover::Done(_) => return steps,
            Takeover::Take {
                live, shorten_from, ..
            } => (
                shorten_from,
                Step::TakeRecordOver {
                    record: name(),
                    live,
                },
            ),
            Takeover::Renew { live, shorten_from } => (
                shorten_from,
                Step::RenewRecord {
                    record: name(),
                    live,
                },
            ),
        };
        steps.extend(shorten_from.map(|from| Step::ShortenTtl {
            record: name(),
            from,
            to: record.ttl,
        }));
        steps.push(last);
        steps
    }
}

/// Takes the record over, under the lease. First its TTL is shortened and the old one
/// waited out, so that resolvers see every later move in time.
///
/// # Errors
/// A record that somebody changed meanwhile; AWS's own.
pub async fn take_over(
    session: &Session,
    turn: &Turn,
    prepared: &PreparedEdge,
    observed: &Observed,
) -> Result<()> {
    let Some(record) = prepared.infrastructure.router.record() else {
        return Ok(());
    };
    let (live, shorten_from) = match prepared.takeover {
        Takeover::FromNothing | Takeover::Done(_) => return Ok(()),
        Takeover::Renew { live, shorten_from } => {
            return renew(session, turn, record, (live, shorten_from)).await;
        }
        Takeover::Take {
            live, shorten_from, ..
        } => (live, shorten_from),
    };
    let name = record.name.clone();
    if let Some(from) = shorten_from {
        turn.about_to(Effect::ShortenTtl {
            record: name.clone(),
            from,
        })
        .await?;
        let ttl = record.ttl;
        reform(session, record, RecordForm::Simple { color: live, ttl }).await?;
        turn.did().await?;
    }
    let kept_until = kept_until(session, turn, record).await?;
    forget(session, &name, kept_until).await;
    turn.about_to(Effect::TakeRecordOver {
        record: name.clone(),
    })
    .await?;
    reform(session, record, RecordForm::Weighted(live)).await?;
    turn.did().await?;
    turn.saw(&found_there(turn, observed, live));
    Ok(())
}

/// Updates the answer for the idle colour and the TTL; users stay where they are.
async fn renew(
    session: &Session,
    turn: &Turn,
    record: &RoutedRecord,
    (live, shorten_from): (Color, Option<u32>),
) -> Result<()> {
    let name = record.name.clone();
    turn.about_to(match shorten_from {
        Some(from) => Effect::ShortenTtl { record: name, from },
        None => Effect::TakeRecordOver { record: name },
    })
    .await?;
    reform(session, record, RecordForm::Weighted(live)).await?;
    turn.did().await?;
    let until = kept_until(session, turn, record).await?;
    forget(session, &record.name, until).await;
    Ok(())
}

/// Finishes an `init` that was cut short.
///
/// # Errors
/// As [`prepare`] and [`take_over`].
pub async fn finish(
    session: &Session,
    turn: &Turn,
    edge: &Edge,
    observed: &Observed,
) -> Result<()> {
    let prepared = prepare(session, edge).await?;
    // The stack keeps listing the old rules until they have been changed.
    rules::carry_out(session, Some(turn), &prepared.rules).await?;
    let named = NamedStack::of(session);
    prepared.stack.carry_out(&named, Some(turn)).await?;
    take_over(session, turn, &prepared, observed).await?;
    // The record may have been taken over by a process that died before it wrote down
    // what was live. And a router that needs no taking over has a live colour from the
    // beginning.
    let begun = |effect: &Effect| matches!(effect, Effect::TakeRecordOver { .. });
    let is_found = prepared.infrastructure.router.record().is_none();
    if let Takeover::Done(Some(live)) = prepared.takeover
        && (is_found || turn.operation().intended(begun))
        && observed.color(live).hosted.is_none()
    {
        turn.saw(&found_there(turn, observed, live));
    }
    Ok(())
}

/// Records what was live before bgecs came as the release to go back to.
fn found_there(turn: &Turn, observed: &Observed, live: Color) -> Observed {
    let operation = turn.operation();
    let mut now = observed.clone();
    now.traffic.production = live.into();
    if now.color(live).hosted.is_some() {
        return now;
    }
    let hosted = HostedRelease {
        revision: Revision::new(operation.id.as_str()),
        tag: None,
        deployed_at: Provenance::gather(None).when,
        deployed_by: "its owner before bgecs".to_owned(),
        is_retired: false,
    };
    let targets: Targets = now.color(live).targets.clone();
    *now.colors.get_mut(live) = hosted::state(Some(hosted), targets);
    now
}
