//! Looks at services: what the emulator says of their tasks, what the load
//! balancer says of their targets, and what follows.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::condition::{HealthOf, Look};
use super::service::{Door, Service, Task};
use super::{Ecs, now};
use crate::balancer::health::State;
use crate::gate::upstream::Failed;

/// The most that `DescribeServices` takes.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>
const SERVICES_A_CALL: usize = 10;

/// The most that `DescribeTasks` takes.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>
const TASKS_A_CALL: usize = 100;

impl Ecs {
    /// Looks at the services for which it is time.
    pub(super) async fn look_at_due(&self) {
        for (cluster, services) in self.due() {
            for some in services.chunks(SERVICES_A_CALL) {
                // Otherwise it is a trouble, and they are due again.
                if let Some(described) = self.describe_services(&cluster, some).await {
                    self.look_at_known(some, &described).await;
                }
            }
        }
    }

    /// ARNs of services, by cluster.
    fn due(&self) -> BTreeMap<String, Vec<String>> {
        let at = Instant::now();
        let known: Vec<_> = self
            .books()
            .services
            .iter()
            .map(|(arn, known)| (arn.clone(), known.doors.clone()))
            .collect();
        let mut due: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (arn, doors) in known {
            // The load balancer is asked without the books being held.
            let has_unhealthy = self.has_unhealthy(&doors);
            let mut books = self.books();
            let Some(known) = books.services.get_mut(&arn) else {
                continue;
            };
            if known.is_due(has_unhealthy, at) {
                known.looked(at);
                due.entry(known.cluster.clone()).or_default().push(arn);
            }
        }
        due
    }

    /// None if the emulator does not say.
    async fn describe_services(&self, cluster: &str, services: &[String]) -> Option<Vec<Value>> {
        let input = json!({"cluster": cluster, "services": services});
        let mut answer = self.ask("DescribeServices", &input).await.ok()?;
        match answer["services"].take() {
            Value::Array(services) => Some(services),
            _ => None,
        }
    }

    /// Forgets those that are gone meanwhile.
    async fn look_at_known(&self, asked: &[String], described: &[Value]) {
        for arn in asked {
            let service = described
                .iter()
                .find(|service| service["serviceArn"] == **arn)
                .and_then(Service::read);
            match service {
                Some(service) if self.books().services.contains_key(arn) => {
                    self.look_at(&service).await;
                }
                Some(_) => {}
                None => self.books().forget(Some(arn)),
            }
        }
    }

    /// Judges a service and begins to do what follows, without waiting for it:
    /// an emulator may take as long to stop a task as its container does.
    pub(super) async fn look_at(&self, service: &Service) {
        // A failure is kept as the trouble.
        let Ok(tasks) = self.tasks_of(service).await else {
            return;
        };
        let health = self.health_of(&service.doors);
        let look = Look {
            service,
            tasks: &tasks,
            health: &health,
            now: now(),
        };
        let acts = self.books().judge(&look);
        for act in acts {
            self.perform(service, act);
        }
    }

    /// All tasks of the service but those that were seen stopped before.
    async fn tasks_of(&self, service: &Service) -> Result<Vec<Task>, Failed> {
        let mut arns = self.list_tasks(service, "RUNNING").await?;
        for arn in self.list_tasks(service, "STOPPED").await? {
            if !arns.contains(&arn) {
                arns.push(arn);
            }
        }
        if let Some(known) = self.books().services.get(&service.arn) {
            arns.retain(|arn| !known.ended.contains(arn));
        }
        let mut tasks = Vec::new();
        for some in arns.chunks(TASKS_A_CALL) {
            let input = json!({"cluster": service.cluster, "tasks": some});
            let answer = self.ask("DescribeTasks", &input).await?;
            let described = answer["tasks"].as_array().into_iter().flatten();
            tasks.extend(described.filter_map(Task::read));
        }
        Ok(tasks)
    }

    async fn list_tasks(
        &self,
        service: &Service,
        desired_status: &str,
    ) -> Result<Vec<String>, Failed> {
        let mut input = json!({
            "cluster": service.cluster,
            "serviceName": service.name,
            "desiredStatus": desired_status,
        });
        let mut arns = Vec::new();
        loop {
            let mut answer = self.ask("ListTasks", &input).await?;
            let page = answer["taskArns"].as_array().into_iter().flatten();
            arns.extend(page.filter_map(Value::as_str).map(str::to_owned));
            match answer["nextToken"].take() {
                Value::String(token) if !token.is_empty() => input["nextToken"] = token.into(),
                _ => return Ok(arns),
            }
        }
    }

    fn health_of(&self, doors: &[Door]) -> HealthOf {
        doors
            .iter()
            .map(|door| (door.group.clone(), (self.0.healths)(&door.group)))
            .collect()
    }

    fn has_unhealthy(&self, doors: &[Door]) -> bool {
        doors
            .iter()
            .flat_map(|door| (self.0.healths)(&door.group))
            .any(|(_, health)| health.state == State::Unhealthy)
    }
}
