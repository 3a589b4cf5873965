//! Parts of the stack that something else has deleted: finds them, and has CloudFormation
//! make them again. An update without changes does not check whether anything still
//! exists; a change set that reverts drift does.

use futures_util::future::try_join_all;
use futures_util::try_join;

use super::stack::pause;
use crate::aws::{Aws, AwsError, AwsErrorKind, ChangeSet, StackInputs};
use crate::engine::plan::{self, ALL_AGAIN, Part};
use crate::error::{Error, Result};
use crate::model::journal::Head;
use crate::model::{Color, EcsInfrastructure, Endpoint, Found, Route};
use crate::session::Session;

/// What is left of a stack.
#[derive(Debug)]
pub struct StackRemains {
    pub gone: Vec<Part>,
    /// What production does, if that can be read.
    production: Option<Found>,
    endpoint: Endpoint,
    pub services: Vec<Color>,
    journal: Option<Head>,
}

impl StackRemains {
    /// # Errors
    /// Nothing says which colour is live.
    pub fn live(&self) -> Result<Option<Color>> {
        Ok(plan::live_by_rest(
            &self.endpoint,
            self.production.as_ref(),
            self.journal.as_ref(),
        )?)
    }
}

/// Looks for each part, side by side.
///
/// # Errors
/// AWS's own, except that a part is gone.
pub async fn look(session: &Session, infra: &EcsInfrastructure) -> Result<StackRemains, AwsError> {
    let aws = &session.aws;
    let redirect = async {
        match &infra.redirect {
            Some(listener) => aws.has_listener(&infra.load_balancer, listener).await,
            None => Ok(true),
        }
    };
    let (places, redirects, blue, green, services, journal, has_images, has_logs) = try_join!(
        aws.places_there(infra),
        redirect,
        has_groups(aws, infra, Color::Blue),
        has_groups(aws, infra, Color::Green),
        there(aws.read_services(&infra.services)),
        there(aws.read_head(&infra.journal_table)),
        aws.has_repository(&infra.repository),
        aws.has_log_group(&infra.log_group),
    )?;
    let has_load_balancer = places.is_some();
    let mut places = places.unwrap_or_default();
    let of_routes = Part::of_routes(infra).into_iter();
    let of_routes = of_routes.map(|(arn, part)| (places.contains_key(arn), part));
    let rest = [
        (
            redirects,
            Part::Listener(Route::Production, Endpoint::Port(80).to_string()),
        ),
        (blue, Part::TargetGroup(Color::Blue)),
        (green, Part::TargetGroup(Color::Green)),
        (services.is_some(), Part::Cluster),
        (has_images, Part::Repository),
        (has_logs, Part::LogGroup),
        (journal.is_some(), Part::JournalTable),
    ];
    let parts = std::iter::once((has_load_balancer, Part::LoadBalancer));
    let parts: Vec<_> = parts.chain(of_routes).chain(rest).collect();
    let gone = parts.into_iter().filter(|(is_there, _)| !is_there);
    let services = services.unwrap_or_default().into_iter();
    Ok(StackRemains {
        gone: gone.map(|(_, part)| part).collect(),
        services: services.map(|(color, _)| color).collect(),
        production: places.remove(infra.places.production.arn()),
        endpoint: infra.endpoints.production.clone(),
        journal,
    })
}

/// Whether all groups that the colour's tasks are in exist.
async fn has_groups(aws: &Aws, infra: &EcsInfrastructure, color: Color) -> Result<bool, AwsError> {
    let groups = infra.groups_of(color);
    let found = try_join_all(groups.map(|group| there(aws.target_health(group)))).await?;
    Ok(found.iter().all(Option::is_some))
}

async fn there<T>(
    reading: impl Future<Output = Result<T, AwsError>>,
) -> Result<Option<T>, AwsError> {
    match reading.await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes CloudFormation start to create again what is gone.
///
/// # Errors
/// It finds nothing to create, or fails.
pub async fn begin(
    session: &Session,
    inputs: &StackInputs,
    token: &str,
    gone: &[Part],
) -> Result<()> {
    /// How often to look for its beginning; after that the stack's state shows how it
    /// goes.
    const ROUNDS: usize = 20;
    let (name, set) = (session.stack_name(), format!("bgecs-{token}"));
    let app = session.app();
    session
        .aws
        .make_change_set(&name, app, inputs, &set)
        .await?;
    for round in 0.. {
        match session.aws.read_change_set(&name, &set).await? {
            ChangeSet::Ready => break,
            ChangeSet::Making => pause(session, round).await,
            ChangeSet::Failed(reason) => return Err(not_mended(gone).cause(reason)),
        }
    }
    session.aws.execute_change_set(&name, &set, token).await?;
    for round in 0..ROUNDS {
        if session.aws.has_begun(&name, token).await? {
            break;
        }
        pause(session, round).await;
    }
    Ok(())
}

/// # Errors
/// Something is still gone.
pub async fn check(session: &Session, infra: &EcsInfrastructure) -> Result<()> {
    let left = look(session, infra).await?;
    match left.gone.as_slice() {
        [] => Ok(()),
        gone => Err(not_mended(gone)),
    }
}

fn not_mended(gone: &[Part]) -> Error {
    let gone = plan::named(gone);
    Error::failed(format!(
        "something else deleted {gone}, and CloudFormation did not make it again"
    ))
    .hint(ALL_AGAIN)
}

#[cfg(test)]
mod tests;
