//! `bgecs exec`: a command in a running task of a colour, on this terminal.

use crate::aws::ExecPlace;
use crate::cli::ExecArgs;
use crate::driver::plugin;
use crate::engine::plan;
use crate::error::{Error, Result};
use crate::model::Color;
use crate::report::ReportEvent;
use crate::session::Session;
use crate::shell;

/// Gives the plugin's exit code.
///
/// # Errors
/// There is no plugin, nothing runs there, or ECS Exec is off (exit 6); AWS's own.
pub async fn run(session: &Session, args: &ExecArgs) -> Result<u8> {
    plugin::require().await?;
    let (aws, container) = (&session.aws, &session.config.container.name);
    let services = session.ecs_infrastructure().await?.services;
    let color = match args.color {
        Some(color) => color,
        None => {
            let observed = session.observe().await?;
            let live = observed.live_color();
            live.ok_or_else(|| Error::from(plan::nothing_is_live(&observed)))?
        }
    };
    let place = aws.find_exec_place(&services, color, container).await?;
    let place = place.ok_or_else(|| {
        Error::refused(format!("{color} runs no task with a container {container}"))
            .hint("`bgecs status` shows what runs")
    })?;
    let switch = match session.config.attached.is_some() {
        true => format!(
            "`aws ecs update-service --cluster {} --service {} --enable-execute-command --force-new-deployment` has new tasks with it; their task role has to allow ssmmessages:*",
            services.cluster,
            services.name(color)
        ),
        false => "say `exec = true` in [service], and `bgecs init`: what is deployed then has it"
            .to_owned(),
    };
    may_be_entered(&place, color, &switch)?;
    let command = match args.command.as_slice() {
        [] => "/bin/sh".to_owned(),
        words => shell::line(words),
    };
    let told = format!("entering the task {} of {color}", place.task);
    session.report.tell(&ReportEvent::Note(told));
    let opened = aws.open_exec_session(&services.cluster, &place, &command);
    let opened = opened.await?;
    let endpoint = format!("https://ssm.{}.{}", aws.region(), aws.domain());
    plugin::take_part(&opened, (aws.region(), &endpoint)).await
}

/// # Errors
/// Nothing in the task answers (exit 6).
fn may_be_entered(place: &ExecPlace, color: Color, switch: &str) -> Result<()> {
    let task = &place.task;
    if !place.is_switched_on {
        let why = format!("the task {task} of {color} was started without ECS Exec");
        return Err(Error::refused(why).hint(switch));
    }
    match place.agent.as_deref() {
        None | Some("RUNNING") => Ok(()),
        Some(state) => Err(Error::refused(format!(
            "the agent of ECS Exec in the task {task} of {color} is {state}"
        ))
        .hint(
            "it needs a task role that allows ssmmessages:*, and a way to that service; a new task has to be started for it",
        )),
    }
}
