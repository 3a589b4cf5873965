//! Scales the idle colour to zero, and checks that its tasks are gone.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::look_ahead::look_again;
use super::turn::Turn;
use super::{scaling, update};
use crate::aws::ServiceChange;
use crate::counted::counted;
use crate::engine::aftermath;
use crate::engine::look_ahead::Users;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Color, Observed};
use crate::report::ReportEvent;
use crate::session::Session;

const PAUSE: Duration = Duration::from_secs(2);

/// Scales the colour to zero and waits until no task runs, or for an interrupt.
///
/// # Errors
/// A listener that something else has moved (exit 6; exit 4 if the tasks are being
/// stopped already and users are on them); AWS's own; the timeout (exit 5).
pub async fn retire(
    session: &Session,
    turn: &Turn,
    interrupts: &mut Interrupts,
    observed: &Observed,
    color: Color,
    timeout: Duration,
) -> Result<()> {
    let retiring = scale_to_zero(session, turn, observed, color, timeout);
    let doing = format!("retiring {color}");
    let retired = interrupts.or_stop(&doing, "", retiring).await;
    retired.map_err(|error| {
        let left = match aftermath::left(&turn.operation()).touches_service() {
            true => format!("ECS is still stopping the tasks of {color}: see `bgecs status`"),
            false => "nothing was changed".to_owned(),
        };
        match error.exit {
            Exit::Interrupted => error.untouched(observed).hint_too(&left),
            _ => error,
        }
    })
}

async fn scale_to_zero(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    timeout: Duration,
) -> Result<()> {
    scaling::suspend(session, turn, observed, color).await?;
    let change = ServiceChange {
        desired: Some(0),
        ..ServiceChange::default()
    };
    update::update(session, turn, observed, color, &change).await?;
    turn.did().await?;
    await_no_task(session, observed, color, timeout).await
}

/// Waits until no task of the colour runs. Its tasks are being stopped, so users must not
/// be moved onto them meanwhile.
///
/// # Errors
/// Users are on it (exit 4); AWS's own; the timeout (exit 5).
pub async fn await_no_task(
    session: &Session,
    observed: &Observed,
    color: Color,
    timeout: Duration,
) -> Result<()> {
    let services = &observed.ecs()?.services;
    let users = &observed.endpoints().production;
    let started = Instant::now();
    loop {
        let service = session.aws.read_service(services, color).await?;
        let left = service.map_or(0, |service| service.running + service.pending);
        if let (Users::OnIt | Users::BroughtOntoIt, now) =
            look_again(session, observed, color).await?
        {
            return Err(Error::new(
                Exit::LookNow,
                format!(
                    "{color} is scaled to zero, and {users} forwards to it: something else moved it there meanwhile"
                ),
            )
            .traffic(format!("{}, with {} left", now.traffic_line(), counted(left, "task")))
            .hint(format!(
                "put {users} back on {} by hand at once, or `bgecs adopt` and `bgecs promote {}`",
                color.other(),
                color.other()
            )));
        }
        if left == 0 {
            return Ok(());
        }
        session.report.tell(&ReportEvent::Doing(format!(
            "{color}: {} still stopping",
            counted(left, "task")
        )));
        if started.elapsed() > timeout {
            return Err(Error::new(
                Exit::TimedOut,
                format!(
                    "{} of {color} still running after {} s",
                    counted(left, "task"),
                    timeout.as_secs()
                ),
            )
            .untouched(observed)
            .hint("ECS is still stopping them: see `bgecs status --watch`"));
        }
        sleep(session.poll_pause(PAUSE)).await;
    }
}
