//! The end of a deploy: what it left behind, and where users are.

use std::time::Duration;

use tokio::time::timeout;

use crate::driver::look_ahead::{look_again, tell_users};
use crate::driver::tidy;
use crate::driver::turn::{Conclusion, Turn, outcome};
use crate::engine::aftermath::{self, Remains};
use crate::engine::look_ahead::Users;
use crate::engine::plan::DeployPlan;
use crate::error::{Error, Exit, Result};
use crate::model::journal::OperationOutcome;
use crate::model::{Observed, Tag};
use crate::report::ReportEvent;
use crate::session::Session;

/// How long the tidying after a failure or an interrupt may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Checks that users have not been moved onto the colour meanwhile: its release is
/// unproven.
///
/// # Errors
/// Port 80 was moved onto it meanwhile (exit 4).
pub(super) async fn confirm(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    plan: &DeployPlan,
    tag: &Tag,
) -> Result<()> {
    // Every write that makes it live checks this by itself.
    if plan.becomes_live {
        return Ok(());
    }
    let color = plan.color;
    let users = &observed.endpoints().production;
    let (warning, now) = match look_again(session, observed, color).await {
        Ok((Users::Elsewhere | Users::OnIt, _)) => return Ok(()),
        Ok((Users::Moved(how), _)) => (how, None),
        Ok((Users::BroughtOntoIt, now)) => (String::new(), Some(now)),
        Err(error) => {
            let told = format!("cannot read whether {users} is where it was: {error}");
            (told, None)
        }
    };
    let Some(now) = now else {
        session.report.tell(&ReportEvent::Warning(warning));
        return Ok(());
    };
    let message = format!(
        "tag {tag} serves on {color}, and {users} forwards to it: something else moved it there meanwhile"
    );
    turn.conclude(Conclusion::of(OperationOutcome::Done).because(Some(message.clone())));
    Err(Error::new(Exit::LookNow, message)
        .cause("users have it, and nobody has watched how it answers them")
        .traffic(observed.users_on(format!("{color} (tag {tag})")))
        .hint(match now.live_color() {
            Some(_) => format!("`bgecs adopt` accepts that; or put {users} back by hand"),
            None => {
                format!("put {users} where it belongs by hand; `bgecs status` shows both routes")
            }
        }))
}

/// The error of a deploy that did not succeed, after tidying up.
pub(super) async fn leave(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    plan: &DeployPlan,
    mut error: Error,
) -> Error {
    let left = aftermath::left(&turn.operation());
    let ended = Conclusion::of(outcome(error.exit).unwrap_or(OperationOutcome::Failed))
        .because(Some(error.message.clone()));
    if left.has_revision() {
        forget(session, turn, observed).await;
    }
    if error.traffic.is_none() {
        let touched = left.touches_service();
        error = tell_users(session, observed, plan.color, touched, error).await;
    }
    if error.exit == Exit::LookNow {
        // The operation is over all the same: there is nothing to finish.
        turn.conclude(ended);
    }
    let says_it = error.exit == Exit::TimedOut
        || (left == Remains::Nothing && error.exit != Exit::Interrupted);
    match says_it {
        true => error,
        false => error.hint_too(&left.sentence(plan.color)),
    }
}

/// Removes revisions that no service was given. If the lease is lost, its new holder
/// tidies up.
async fn forget(session: &Session, turn: &Turn, observed: &Observed) {
    if turn.is_lost() {
        return;
    }
    let operation = turn.operation();
    let forgetting = tidy::forget_unused(session, observed, &operation);
    let told = match timeout(PATIENCE, forgetting).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    let family = session.stack_name();
    session.report.tell(&ReportEvent::Warning(format!(
        "a revision of {family} that no service runs may be left: {told}"
    )));
}
