//! Does at the emulator what was decided of a service.

use serde_json::{Value, json};

use super::Ecs;
use super::rollout::Act;
use super::service::Service;

impl Ecs {
    /// Begins an act, unless it is under way or done. One that fails is decided
    /// again at the next look, as long as there is need of it.
    pub(super) fn perform(&self, service: &Service, act: Act) {
        if !self.books().begin(&service.arn, &act) {
            return;
        }
        let (operation, input) = call(service, &act);
        let (this, service) = (self.clone(), service.arn.clone());
        tokio::spawn(async move {
            let is_accepted = this.ask(operation, &input).await.is_ok();
            this.books().end(&service, &act, is_accepted);
        });
    }
}

fn call(service: &Service, act: &Act) -> (&'static str, Value) {
    let (cluster, name) = (&service.cluster, &service.arn);
    match act {
        Act::Stop { task, reason } => (
            "StopTask",
            json!({"cluster": cluster, "task": task, "reason": reason}),
        ),
        // An update of nothing: an emulator that does not replace stopped tasks
        // by itself counts them anew then. The desired count is left out, since
        // a client may be changing it.
        Act::Replace => (
            "UpdateService",
            json!({"cluster": cluster, "service": name}),
        ),
        // Forced, since the last completed deployment may have had the same task
        // definition: a rollback is a deployment of its own.
        Act::RollBack { to, .. } => (
            "UpdateService",
            json!({
                "cluster": cluster,
                "service": name,
                "taskDefinition": to,
                "forceNewDeployment": true,
            }),
        ),
    }
}
