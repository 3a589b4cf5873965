//! Looking at a world with eyes that are not bgecs's: by the load balancer
//! itself, and by AWS's own lists.

use localstack::balancer::config::{Action, Arn};
use localstack::balancer::health::State as Health;
use serde_json::{Value, json};

use super::{NAME, SETTLING, World};
use crate::Result;
use crate::observer::Door;

/// By bgecs, for the app of this world.
const STARTED_BY: &str = "bgecs/faults";
/// By `DescribeTasks`.
const MOST_DESCRIBED: usize = 100;

impl World<'_> {
    /// The way to port 80, once the load balancer listens there.
    pub async fn door(&self, host: &str) -> Result<Door> {
        let balancer = self.gate.listening(host, 80, SETTLING).await;
        let nodes = balancer.ok_or("the gate knows no load balancer")?.doors(80);
        Door::new(
            nodes.iter().map(|node| format!("http://{node}")).collect(),
            host,
        )
    }

    /// Whether port 80 forwards to a group with a healthy target, as the load
    /// balancer itself has it. `None` where it forwards nowhere.
    pub fn serves(&self, host: &str) -> Option<bool> {
        let balancer = self.gate.balancer(host)?;
        let config = balancer.config();
        let listener = config.listeners.iter().find(|one| one.port == 80)?;
        let forward = listener
            .default_actions
            .iter()
            .find_map(|action| match action {
                Action::Forward(forward) => Some(forward),
                _ => None,
            })?;
        let is_healthy = |group: &Arn| {
            let health = balancer.health(group);
            health
                .iter()
                .any(|(_, health)| health.state == Health::Healthy)
        };
        let weighty = forward.groups.iter().filter(|group| group.weight > 0);
        Some(weighty.map(|group| &group.arn).all(is_healthy))
    }

    /// The task definitions that are active.
    pub async fn revisions(&self) -> Result<Vec<String>> {
        let family = json!({"familyPrefix": NAME, "status": "ACTIVE"});
        let listed = self.api.ecs("ListTaskDefinitions", &family).await?;
        Ok(strings(&listed["taskDefinitionArns"]))
    }

    /// Tasks that run or are about to.
    pub async fn tasks(&self) -> Result<usize> {
        let cluster = json!({"cluster": NAME, "desiredStatus": "RUNNING"});
        let listed = self.api.ecs("ListTasks", &cluster).await?;
        Ok(strings(&listed["taskArns"]).len())
    }

    /// How many tasks were started to run one command, whatever became of them.
    pub async fn one_offs(&self) -> Result<usize> {
        let mut count = 0;
        for desired in ["RUNNING", "STOPPED"] {
            let asked = json!({"cluster": NAME, "desiredStatus": desired});
            let listed = self.api.ecs("ListTasks", &asked).await?;
            for some in strings(&listed["taskArns"]).chunks(MOST_DESCRIBED) {
                let asked = json!({"cluster": NAME, "tasks": some});
                let told = self.api.ecs("DescribeTasks", &asked).await?;
                let tasks = told["tasks"].as_array().into_iter().flatten();
                count += tasks.filter(|it| it["startedBy"] == STARTED_BY).count();
            }
        }
        Ok(count)
    }

    pub async fn services(&self) -> Result<Vec<String>> {
        let listed = self
            .api
            .ecs("ListServices", &json!({"cluster": NAME}))
            .await?;
        Ok(strings(&listed["serviceArns"]))
    }

    /// What a destroy should not have left.
    pub async fn leftovers(&self) -> Result<Vec<String>> {
        let mut left = self.revisions().await?;
        // Without the cluster the question is refused, and there is none.
        left.extend(self.services().await.unwrap_or_default());
        let stacks = ("cloudformation", "2010-05-15");
        let stacks = self.api.query(stacks, "DescribeStacks", &[]).await?;
        let is_left = |status: &&str| !status.starts_with("DELETE_COMPLETE");
        let stacks = stacks.split("<StackStatus>").skip(1).filter(is_left);
        left.extend(stacks.map(|_| "a stack".to_owned()));
        let tables = ("dynamodb", "DynamoDB_20120810");
        let tables = self.api.json(tables, "ListTables", &json!({})).await?;
        left.extend(strings(&tables["TableNames"]));
        let balancers = self.api.elb("DescribeLoadBalancers", &[]).await?;
        if balancers.contains("<LoadBalancerArn>") {
            left.push("a load balancer".to_owned());
        }
        Ok(left)
    }
}

fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| Some(item.as_str()?.to_owned()))
        .collect()
}
