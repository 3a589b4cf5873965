//! `init` of an app whose colours somebody else runs: its journal, and what becomes its
//! router, which is taken over without a moment in which anybody is led otherwise; and
//! the way back.

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

/// What `init` found and means to do.
#[derive(Debug)]
pub struct PreparedEdge {
    pub infrastructure: EdgeInfrastructure,
    pub stack: WrittenStack,
    pub takeover: Takeover,
    /// Of those by which colours are looked at.
    pub rules: Vec<RuleChange>,
}

/// Looks, and plans. Changes nothing.
///
/// # Errors
/// A record that is not to be taken over, or a stack that is not in order (exit 6).
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

/// As the file says, by that router.
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

/// What an earlier `init` was told of.
///
/// # Errors
/// Another kind: users of that one would be left behind (exit 6).
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
            "users of {} are routed by its {}, and bgecs.toml has `kind = \"{is}\"`",
            session.app(),
            earlier.endpoints.production
        ))
        .hint(format!(
            "`bgecs destroy` with `kind = \"{was}\"` leaves them where they are, and what runs, too; then `bgecs init` by the other kind"
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

/// Takes the record over, under the lease: what resolvers keep is made short first,
/// and forgotten, so that every later move is seen as soon as it is to be.
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

/// What it says of the idle colour, and for how long it may be kept: users stay where
/// they are.
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

/// What an `init` was about that was cut short, brought to its end.
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
    // The stack says what the rules were made for until they are so no more.
    rules::carry_out(session, Some(turn), &prepared.rules).await?;
    let named = NamedStack::of(session);
    prepared.stack.carry_out(&named, Some(turn)).await?;
    take_over(session, turn, &prepared, observed).await?;
    // It may have been taken over, and nobody lived to say what was live; and what needs
    // no taking over has a live colour as it is found.
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

/// What was live before bgecs came is the release to go back to.
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
        deployed_by: "whoever had it before bgecs".to_owned(),
        is_retired: false,
    };
    let targets: Targets = now.color(live).targets.clone();
    *now.colors.get_mut(live) = hosted::state(Some(hosted), targets);
    now
}
