//! The emulator's own time to serving tasks: nobody can be done before it is.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Result;
use crate::bench::program::milliseconds;
use crate::bench::stage::App;
use crate::json::text;

/// So short that it adds next to nothing.
const PAUSE: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(120);

/// A new revision of the same image on that colour, from the update to the end
/// of the rollout, asked for on one kept connection.
pub async fn measure(app: &mut App<'_>, color: &str) -> Result<f64> {
    let mut body = app.task_definition(color).await?;
    let variable = json!([{"name": "BENCH_RUN", "value": app.new_tag()}]);
    body["containerDefinitions"][0]["environment"] = variable;
    let api = &app.stage.api;
    let registered = api.ecs("RegisterTaskDefinition", &body).await?;
    let revision = text(&registered, &["taskDefinition", "taskDefinitionArn"])?;
    let cluster = app.output("ClusterName")?;
    let update = json!({"cluster": cluster, "service": color, "taskDefinition": revision});
    let began = Instant::now();
    api.ecs("UpdateService", &update).await?;
    until_served(app, color, revision).await?;
    Ok(milliseconds(began.elapsed()))
}

/// Until all tasks of the revision run, their targets are healthy, and no task
/// of another one is left.
pub async fn until_served(app: &App<'_>, color: &str, revision: &str) -> Result<()> {
    let cluster = app.output("ClusterName")?;
    let asked = json!({"cluster": cluster, "services": [color]});
    let began = Instant::now();
    loop {
        let said = app.stage.api.ecs("DescribeServices", &asked).await?;
        if serves(&said["services"][0], revision) {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("{color} does not serve within {PATIENCE:?}: {said}").into());
        }
        sleep(PAUSE).await;
    }
}

fn serves(service: &Value, revision: &str) -> bool {
    let deployments = service["deployments"].as_array();
    let primary = deployments.and_then(|all| all.iter().find(|one| one["status"] == "PRIMARY"));
    let is_done = primary.is_some_and(|primary| {
        primary["taskDefinition"] == revision
            && primary["rolloutState"] == "COMPLETED"
            && primary["runningCount"] == primary["desiredCount"]
    });
    is_done && service["runningCount"] == service["desiredCount"]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(revision: &str, state: &str, running: u32) -> Value {
        json!({
            "desiredCount": 2,
            "runningCount": running,
            "deployments": [
                {"status": "ACTIVE", "taskDefinition": "old", "rolloutState": "COMPLETED",
                 "desiredCount": 2, "runningCount": 2},
                {"status": "PRIMARY", "taskDefinition": revision, "rolloutState": state,
                 "desiredCount": 2, "runningCount": 2},
            ],
        })
    }

    #[test]
    fn the_new_revision_serves_once_its_rollout_is_complete_and_alone() {
        assert!(serves(&service("new", "COMPLETED", 2), "new"));
        assert!(!serves(&service("new", "IN_PROGRESS", 2), "new"));
        assert!(!serves(&service("other", "COMPLETED", 2), "new"));
        assert!(!serves(&service("new", "COMPLETED", 3), "new"));
        assert!(!serves(&json!({}), "new"));
    }
}
