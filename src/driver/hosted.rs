//! Colours that bgecs does not run: what runs there according to the journal, and whether
//! it answers.

pub mod deploy;
mod own;
pub mod retire;

use crate::aws::{AwsError, Router};
use crate::driver::{asking, edge};
use crate::error::Result;
use crate::model::journal::{Effect, Head, Operation, OwnCommand};
use crate::model::{
    Answer, Color, ColorState, EdgeInfrastructure, HostedRelease, Infrastructure, Observed,
    OtherWays, PerColor, Release, Target, TargetState, Targets,
};
use crate::session::Session;

/// Reads everything: the router, the journal if it is not given, and what each colour
/// answers.
///
/// # Errors
/// AWS's own; a path that no URL can have (exit 2).
pub async fn look(
    session: &Session,
    edge: &EdgeInfrastructure,
    journal: Option<Head>,
) -> Result<Observed> {
    let infrastructure = Infrastructure::from(edge.clone());
    let router = session.aws.router(&infrastructure);
    let head = async {
        match journal {
            Some(head) => Ok(head),
            None => session.aws.read_head(&edge.journal_table).await,
        }
    };
    let reading = async { Ok::<_, AwsError>(tokio::try_join!(router.read(), head)?) };
    let (read, blue, green) = tokio::join!(
        reading,
        health(session, &infrastructure, Color::Blue),
        health(session, &infrastructure, Color::Green),
    );
    let (traffic, journal) = read?;
    let hosted = remembered(&journal);
    Ok(Observed {
        colors: PerColor {
            blue: state(hosted.blue, blue?),
            green: state(hosted.green, green?),
        },
        infrastructure,
        traffic,
        other_ways: OtherWays::default(),
        journal,
    })
}

/// What the colours run, according to the journal.
pub fn remembered(journal: &Head) -> PerColor<Option<HostedRelease>> {
    let hosted = journal.truth.as_ref().map(|truth| truth.hosted.clone());
    let mut hosted = hosted.unwrap_or_default();
    // An unfinished deploy may have put anything there.
    if let Some(color) = journal.operation.as_ref().and_then(may_have_overwritten) {
        *hosted.get_mut(color) = None;
    }
    hosted
}

/// The colour onto which an operation that was cut short may have put something.
pub fn may_have_overwritten(operation: &Operation) -> Option<Color> {
    operation
        .entries
        .iter()
        .find_map(|entry| match entry.effect {
            Effect::RunOwn {
                own: OwnCommand::Deploy,
                color,
                ..
            } => Some(color),
            _ => None,
        })
}

/// The state of a colour that runs `hosted`.
pub fn state(hosted: Option<HostedRelease>, targets: Targets) -> ColorState {
    let release = hosted.as_ref().map(|it| Release {
        tag: it.tag.clone(),
        deployed_by: Some(it.deployed_by.clone()),
        deployed_at: Some(it.deployed_at.clone()),
        operation: Some(it.revision.as_str().to_owned()),
        ..Release::default()
    });
    ColorState {
        service: None,
        hosted,
        release,
        targets,
    }
}

/// Treats the colour as a single target, which is healthy if the health path answers
/// well.
///
/// # Errors
/// A path that no URL can have (exit 2).
pub async fn health(session: &Session, infra: &Infrastructure, color: Color) -> Result<Targets> {
    let path = &session.config.container.health_path;
    let url = session.bare_color_address(infra, color, path).await?;
    let reason = match edge::unled(session, infra, color).await {
        // On the way away from that colour, more need not be known.
        Err(error) => Some(format!("cannot read what leads there: {error}")),
        Ok(Some(why)) => Some(why),
        Ok(None) => {
            let question = asking::of_health(&session.config.probe);
            match &*session.ask(infra, color, path, &question).await? {
                answer if answer.is_ok() => None,
                Answer::Http { status, .. } => Some(format!("HTTP {status}")),
                Answer::Nothing { error, .. } => Some(error.clone()),
            }
        }
    };
    let state = match reason {
        None => TargetState::Healthy,
        Some(_) => TargetState::Unhealthy,
    };
    Ok(Targets(vec![Target {
        id: url.to_string(),
        state,
        reason,
        description: None,
    }]))
}
