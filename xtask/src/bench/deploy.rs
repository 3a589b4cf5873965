//! Deploys: of a context that has not changed, without the wait for the service;
//! and of a new version, until it serves.

mod floor;
mod script;

use std::time::Instant;

use super::figures::Unit;
use super::program::milliseconds;
use super::row::Row;
use super::stage::App;
use super::table::Found;
use crate::Result;
use crate::json::expect;
use script::Script;

const SCRIPT: &str =
    "`docker build`, `docker push`, `aws ecs register-task-definition`, `update-service`";

pub async fn measure(ours: &mut App<'_>, theirs: &mut App<'_>, runs: usize) -> Result<Found> {
    let mut runs_of = Runs::default();
    let script = Script::of(theirs).await?;
    for _ in 0..runs {
        unchanged(ours, theirs, &script, &mut runs_of).await?;
        whole(ours, theirs, &script, &mut runs_of).await?;
    }
    runs_of.found()
}

/// Pairs of bgecs's time and another's.
#[derive(Default)]
struct Runs {
    same_tag: Vec<(f64, f64)>,
    new_tag: Vec<(f64, f64)>,
    bound: Vec<(f64, f64)>,
    script: Vec<(f64, f64)>,
    ecs_deploy: Vec<(f64, f64)>,
    floor: Vec<f64>,
    docker: Vec<f64>,
}

/// The same context again: under the tag that it has, and under a new one.
async fn unchanged(
    ours: &mut App<'_>,
    theirs: &mut App<'_>,
    script: &Script,
    runs: &mut Runs,
) -> Result<()> {
    let (tag, folder) = (ours.new_tag(), ours.folder());
    let deploy = ["deploy", &folder, "--tag", &tag];
    let new_tag = until_updated(ours, &deploy).await?;
    let (again, said) = ours.json(&deploy).await?;
    expect(&said, &["outcome"], "unchanged")?;
    let released = script.release(theirs).await?;
    floor::until_served(theirs, &script.color, &released.revision).await?;
    runs.same_tag
        .push((again.milliseconds(), released.without_wait()));
    runs.new_tag.push((new_tag, released.without_wait()));
    Ok(())
}

/// From the start of a deploy to ECS's answer to what it asks of the service.
async fn until_updated(app: &App<'_>, deploy: &[&str]) -> Result<f64> {
    let mark = app.stage.gate.calls().mark();
    let began = Instant::now();
    app.json(deploy).await?;
    let calls = app.stage.calls_since(mark);
    let update = calls.iter().find(|call| call.operation == "UpdateService");
    let update = update.ok_or("the deploy did not update the service")?;
    Ok(milliseconds(
        (update.at + update.took()).saturating_duration_since(began),
    ))
}

/// A new version, until it serves.
async fn whole(
    ours: &mut App<'_>,
    theirs: &mut App<'_>,
    script: &Script,
    runs: &mut Runs,
) -> Result<()> {
    let tag = ours.new_release()?;
    let mark = ours.stage.gate.calls().mark();
    let began = Instant::now();
    let (whole, _) = ours
        .json(&["deploy", &ours.folder(), "--tag", &tag])
        .await?;
    let calls = ours.stage.calls_since(mark);
    let registered = calls
        .iter()
        .find(|call| call.operation == "RegisterTaskDefinition")
        .ok_or("the deploy registered nothing")?;
    let before = milliseconds(registered.at.saturating_duration_since(began));
    let whole = whole.milliseconds();

    theirs.new_release()?;
    let released = script.release(theirs).await?;
    let waited = script.wait(theirs).await?;
    let ecs_deploy = script.ecs_deploy(theirs).await?;
    let floor = floor::measure(theirs, &script.color).await?;

    let docker = released.build + released.push;
    runs.bound.push((whole, 1.15 * floor + docker));
    runs.script.push((whole, released.without_wait() + waited));
    runs.ecs_deploy.push((whole - before, ecs_deploy));
    runs.floor.push(floor);
    runs.docker.push(docker);
    Ok(())
}

impl Runs {
    fn found(&self) -> Result<Found> {
        let beside = |what: &str, peer: &str, pairs: &[(f64, f64)]| {
            Row::beside(what, peer, Unit::Time, pairs)
        };
        let third = 1.0 / 3.0;
        let whole = "deploy of a new version, until it serves";
        Ok(Found {
            rows: vec![
                beside(
                    "deploy of an unchanged context and tag",
                    SCRIPT,
                    &self.same_tag,
                )?
                .at_most(third),
                beside(
                    "deploy of an unchanged context under a new tag, until the service is updated",
                    SCRIPT,
                    &self.new_tag,
                )?
                .at_most(third),
                beside(
                    whole,
                    "1.15 x the emulator's own time to serving tasks + `docker build` + `docker push`",
                    &self.bound,
                )?
                .at_most(1.0),
                beside(whole, "the script and `aws ecs wait services-stable`", &self.script)?,
                beside(
                    "its update of the service, and the wait",
                    "`ecs deploy` (ecs-deploy) alone",
                    &self.ecs_deploy,
                )?,
            ],
            notes: vec![
                note("the emulator's own time to serving tasks", &self.floor)?,
                note("docker build and docker push of a new version", &self.docker)?,
            ],
        })
    }
}

fn note(what: &str, runs: &[f64]) -> Result<String> {
    let row = Row::alone(what, Unit::Time, runs)?;
    let [what, figure, ..] = row.cells();
    Ok(format!("{what}: {figure}"))
}
