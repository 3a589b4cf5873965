//! What promote and rollback print: what they would do, and how it ended.

mod result;

use super::plan::PlanResult;
use crate::aws::Router as _;
use crate::driver::attempt::{BASELINE, SwapKind, Swapped};
use crate::driver::make_live::hook_of_first;
use crate::driver::scaling;
use crate::driver::swap::{self, SwapEnd};
use crate::driver::watching::Watching;
use crate::driver::work::Work;
use crate::engine::plan::{self, Step, SwapPlan, WarmCost};
use crate::error::{Exit, Result};
use crate::model::{Observed, Strategy};
use crate::report::ReportEvent;
use crate::session::Session;
use result::Done;

/// Says what would be done.
pub async fn dry_run(
    session: &Session,
    kind: SwapKind,
    observed: &Observed,
    plan: SwapPlan,
    watching: &Watching,
) -> Result<()> {
    swap::warn_of_other_ways(session, observed, plan);
    if let Some(unjudged) = watching.unjudged() {
        session.report.tell(&ReportEvent::Warning(unjudged));
    }
    let steps = steps(session, kind, plan, observed, watching).await?;
    session
        .report
        .result(&PlanResult::of(kind.command(), steps));
    Ok(())
}

/// Carries out what was planned, and says how it ended.
///
/// # Errors
/// As [`swap::run`].
pub async fn run(
    work: Work<'_>,
    kind: SwapKind,
    observed: Observed,
    plan: SwapPlan,
    watching: Watching,
) -> Result<Exit> {
    let session = work.session;
    let is_blind = watching.is_blind;
    let priced = |cost: WarmCost| cost.priced(session.config.cost.as_ref());
    let mut done = match swap::run(work, kind, observed, plan, watching).await? {
        SwapEnd::Nothing {
            live,
            why,
            observed,
        } => Done::nothing(kind, &observed, live, why),
        SwapEnd::MadeLive { color, observed } => Done::made_live(kind, &observed, color),
        SwapEnd::Tried(mut swapped) => {
            swapped.warm = swapped.warm.map(priced);
            return tell(session, &swapped);
        }
    };
    done.warm = done.warm.map(priced);
    done.blind = is_blind;
    session.report.result(&done);
    Ok(Exit::Done)
}

fn tell(session: &Session, swapped: &Swapped) -> Result<Exit> {
    let Some(error) = swapped.error() else {
        session.report.result(swapped);
        return Ok(Exit::Done);
    };
    if swapped.is_not_ready() && !session.report.wants_json() {
        return Err(error);
    }
    session.report.result(swapped);
    session.report.complain(&error);
    Ok(error.exit)
}

/// # Errors
/// Shares that the router cannot do (exit 2).
pub async fn steps(
    session: &Session,
    kind: SwapKind,
    plan: SwapPlan,
    observed: &Observed,
    watching: &Watching,
) -> Result<Vec<Step>> {
    Ok(match plan {
        SwapPlan::NothingToDo { .. } => Vec::new(),
        SwapPlan::MakeLive { color } => {
            let first = Strategy::first(color, &observed.traffic);
            Step::first(hook_of_first(&session.config), &first, observed.endpoints())
        }
        SwapPlan::Swap { from, to } => {
            let scaled = scaling::of(session, observed).await;
            let scaled = scaled.as_ref().and_then(|all| all.get(from).as_ref());
            let strategy = swap::lay_out(session, kind, observed, to, watching)?;
            let mut steps = Vec::new();
            if kind == SwapKind::Promote && scaled.is_some() {
                steps.push(Step::MirrorScaling { to });
            }
            let missing = plan::missing(observed, to, strategy.first_share());
            steps.extend(missing.map(|desired| Step::Scale { color: to, desired }));
            steps.push(Step::Check);
            if !watching.is_blind {
                steps.push(Step::Baseline {
                    production: observed.endpoints().production.clone(),
                    seconds: BASELINE.as_secs_f64(),
                });
            }
            let router = session.aws.router(&observed.infrastructure);
            let spread = router.patience().spread;
            steps.extend(Step::of(&strategy, observed.endpoints(), spread));
            let heeds_alarms = watching.heeds_alarms(kind, &session.config.shift);
            steps.push(watching.step(observed, to, heeds_alarms));
            let roles = scaled.map(|it| [(to, it.target), (from, it.target.at_rest())]);
            let rescale = |(color, target)| Step::Rescale { color, target };
            steps.extend(roles.into_iter().flatten().map(rescale));
            steps
        }
    })
}
