//! Scaling the idle colour to zero, and seeing that it got there.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::turn::Turn;
use crate::aws::ServiceChange;
use crate::error::{Error, Exit, Result};
use crate::model::journal::Effect;
use crate::model::{Color, Observed};
use crate::report::Event;
use crate::session::Session;

const PAUSE: Duration = Duration::from_secs(2);

/// Scales the colour to zero and waits until no task runs.
///
/// # Errors
/// AWS's own; the timeout (exit 5).
pub async fn retire(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    timeout: Duration,
) -> Result<()> {
    let cluster = &observed.infrastructure.cluster;
    turn.about_to(Effect::UpdateService {
        color,
        task_definition: None,
        desired: Some(0),
    })
    .await?;
    let change = ServiceChange {
        desired: Some(0),
        ..ServiceChange::default()
    };
    session.aws.update_service(cluster, color, &change).await?;
    turn.did().await?;
    await_no_task(session, observed, color, timeout).await
}

/// Waits until no task of the colour runs.
///
/// # Errors
/// AWS's own; the timeout (exit 5).
pub async fn await_no_task(
    session: &Session,
    observed: &Observed,
    color: Color,
    timeout: Duration,
) -> Result<()> {
    let cluster = &observed.infrastructure.cluster;
    let started = Instant::now();
    loop {
        let service = session.aws.read_service(cluster, color).await?;
        let left = service.map_or(0, |service| service.running + service.pending);
        if left == 0 {
            return Ok(());
        }
        session.report.tell(&Event::Doing(format!(
            "{color}: {left} task(s) still stopping"
        )));
        if started.elapsed() > timeout {
            return Err(Error::new(
                Exit::TimedOut,
                format!(
                    "{left} task(s) of {color} still run after {} s",
                    timeout.as_secs()
                ),
            )
            .untouched(observed)
            .hint("ECS goes on stopping them: see `bgecs status --watch`"));
        }
        sleep(session.poll_pause(PAUSE)).await;
    }
}
