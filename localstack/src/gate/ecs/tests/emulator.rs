//! An ECS that knows nothing of health: a deployment is completed once it is
//! asked for, and takes the place of the former one with all of its tasks.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::balancer::config::{Arn, Target};
use crate::balancer::health::{Health, Reason, State};
use crate::gate::body::{self, Body};
use crate::gate::tests::Stand;

pub const CLUSTER: &str = "arn:aws:ecs:us-east-1:000000000000:cluster/c";
pub const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/g/1";
const PAGE: usize = 2;

#[derive(Clone)]
pub struct Emulator(Arc<Mutex<World>>);

pub struct World {
    pub services: BTreeMap<String, Value>,
    pub tasks: Vec<Value>,
    /// What the load balancer says of tasks, by their task definition.
    pub states: BTreeMap<String, State>,
    pub calls: Vec<(String, Value)>,
    /// Whether a stopped task is replaced without being asked for.
    pub replaces: bool,
    /// How many calls of which operation are still to be refused.
    pub refusals: Option<(String, usize)>,
    number: usize,
}

impl Emulator {
    /// Starts one; also gives where it answers.
    pub async fn start(replaces: bool) -> (Self, Stand) {
        let emulator = Self(Arc::new(Mutex::new(World {
            services: BTreeMap::new(),
            tasks: Vec::new(),
            states: BTreeMap::new(),
            calls: Vec::new(),
            replaces,
            refusals: None,
            number: 0,
        })));
        let served = emulator.clone();
        let stand = Stand::start(move |request| served.clone().serve(request)).await;
        (emulator, stand)
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// What the load balancer says of those tasks from now on.
    pub fn say(&self, task_definition: &str, state: State) {
        let states = &mut self.world().states;
        states.insert(task_definition.to_owned(), state);
    }

    pub fn count(&self, operation: &str) -> usize {
        let calls = &self.world().calls;
        calls.iter().filter(|(name, _)| name == operation).count()
    }

    pub fn health(&self, group: &Arn) -> Vec<(Target, Health)> {
        let world = self.world();
        let running = world.tasks.iter().filter(|task| is_running(task));
        running
            .filter(|_| group.as_str() == GROUP)
            .map(|task| {
                let state = world.states.get(text(&task["taskDefinitionArn"]));
                (target(task), health(*state.unwrap_or(&State::Initial)))
            })
            .collect()
    }

    async fn serve(self, request: Request<Incoming>) -> Response<Body> {
        let target = request.headers()["x-amz-target"].to_str().unwrap();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let input: Value = serde_json::from_slice(&body).unwrap();
        let answer = self.world().answer(&operation, &input);
        let (status, body) = match answer {
            Some(body) => (200, body),
            None => (400, json!({"__type": "ServerException"})),
        };
        let response = Response::builder().status(status);
        response.body(body::whole(body.to_string())).unwrap()
    }
}

impl World {
    fn answer(&mut self, operation: &str, input: &Value) -> Option<Value> {
        self.calls.push((operation.to_owned(), input.clone()));
        if let Some((refused, left)) = &mut self.refusals
            && refused == operation
            && *left > 0
        {
            *left -= 1;
            return None;
        }
        match operation {
            "CreateService" => Some(self.create(input)),
            "UpdateService" => Some(self.update(input)),
            "DeleteService" => Some(self.delete(input)),
            "DescribeServices" => {
                let services = self.services.values().cloned();
                Some(json!({"services": services.collect::<Vec<_>>(), "failures": []}))
            }
            "ListTasks" => Some(self.list_tasks(input)),
            "DescribeTasks" => {
                let asked = input["tasks"].as_array()?;
                let tasks = self.tasks.iter();
                let found = tasks.filter(|task| asked.contains(&task["taskArn"]));
                Some(json!({"tasks": found.collect::<Vec<_>>(), "failures": []}))
            }
            "RunTask" => {
                self.number += 1;
                let task = format!("arn:aws:ecs:us-east-1:000000000000:task/c/{}", self.number);
                Some(json!({"tasks": [{"taskArn": task}], "failures": []}))
            }
            "StopTask" => self.stop(text(&input["task"])),
            "ListClusters" => Some(json!({"clusterArns": [CLUSTER], "unknown": 1.50})),
            _ => None,
        }
    }

    fn create(&mut self, input: &Value) -> Value {
        let name = text(&input["serviceName"]).to_owned();
        let arn = format!("arn:aws:ecs:us-east-1:000000000000:service/c/{name}");
        let mut service = input.clone();
        service["serviceArn"] = json!(arn);
        service["clusterArn"] = json!(CLUSTER);
        service["status"] = json!("ACTIVE");
        service["events"] = json!([]);
        service["somethingNew"] = json!({"kept": [1, null]});
        service["deployments"] = json!([self.deployment(&service["taskDefinition"])]);
        self.services.insert(arn.clone(), service);
        self.reconcile(&arn);
        json!({"service": self.services[&arn]})
    }

    fn update(&mut self, input: &Value) -> Value {
        let arn = self.arn_of(text(&input["service"]));
        let definition = input["taskDefinition"].clone();
        let is_new = definition.is_string();
        let deployment = self.deployment(&definition);
        let service = self.services.get_mut(&arn).unwrap();
        if is_new {
            service["deployments"] = json!([deployment]);
            service["taskDefinition"] = definition;
        }
        if let Some(desired) = input.get("desiredCount") {
            service["desiredCount"] = desired.clone();
        }
        self.reconcile(&arn);
        json!({"service": self.services[&arn]})
    }

    fn delete(&mut self, input: &Value) -> Value {
        let arn = self.arn_of(text(&input["service"]));
        let mut service = self.services.remove(&arn).unwrap();
        service["status"] = json!("INACTIVE");
        json!({"service": service})
    }

    fn arn_of(&self, name: &str) -> String {
        let mut arns = self.services.keys();
        let arn = arns.find(|arn| *arn == name || arn.ends_with(&format!("/{name}")));
        arn.unwrap().clone()
    }

    fn deployment(&mut self, definition: &Value) -> Value {
        self.number += 1;
        json!({
            "id": format!("ecs-svc/{}", self.number),
            "status": "PRIMARY",
            "taskDefinition": definition,
            "rolloutState": "COMPLETED",
            "rolloutStateReason": "ECS deployment completed.",
            "runningCount": 0,
            "failedTasks": 0,
            "createdAt": super::now(),
        })
    }

    /// Stops the tasks of other task definitions, and starts what is missing.
    fn reconcile(&mut self, service: &str) {
        let service = self.services[service].clone();
        let mut running = 0;
        for task in self.tasks.iter_mut().filter(|task| is_running(task)) {
            if task["group"] != service["serviceName"] {
                continue;
            }
            if task["taskDefinitionArn"] == service["taskDefinition"] {
                running += 1;
            } else {
                end(task, "Deployment completed");
            }
        }
        for _ in running..service["desiredCount"].as_u64().unwrap() {
            self.number += 1;
            let address = Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(self.number).unwrap());
            self.tasks.push(json!({
                "taskArn": format!("arn:aws:ecs:us-east-1:000000000000:task/c/{}", self.number),
                "group": service["serviceName"],
                "startedBy": service["serviceName"],
                "taskDefinitionArn": service["taskDefinition"],
                "desiredStatus": "RUNNING",
                "lastStatus": "RUNNING",
                "createdAt": super::now(),
                "startedAt": super::now(),
                "attachments": [{"details": [
                    {"name": "privateIPv4Address", "value": address},
                ]}],
            }));
        }
    }

    fn stop(&mut self, arn: &str) -> Option<Value> {
        let task = self.tasks.iter_mut().find(|task| task["taskArn"] == arn)?;
        end(task, "Task stopped by user");
        let (answer, group) = (json!({"task": task}), text(&task["group"]).to_owned());
        if self.replaces {
            self.reconcile(&self.arn_of(&group));
        }
        Some(answer)
    }

    fn list_tasks(&self, input: &Value) -> Value {
        let is_asked = |task: &&Value| {
            task["group"] == input["serviceName"] && task["desiredStatus"] == input["desiredStatus"]
        };
        let arns: Vec<_> = self.tasks.iter().filter(is_asked).collect();
        let token = input["nextToken"].as_str();
        let from: usize = token.map_or(0, |token| token.parse().unwrap());
        let page: Vec<_> = arns.iter().skip(from).take(PAGE).collect();
        let mut answer =
            json!({"taskArns": page.iter().map(|task| &task["taskArn"]).collect::<Vec<_>>()});
        if from + PAGE < arns.len() {
            answer["nextToken"] = json!((from + PAGE).to_string());
        }
        answer
    }
}

fn end(task: &mut Value, reason: &str) {
    task["desiredStatus"] = json!("STOPPED");
    task["lastStatus"] = json!("STOPPED");
    task["stopCode"] = json!("UserInitiated");
    task["stoppedReason"] = json!(reason);
}

fn is_running(task: &Value) -> bool {
    task["lastStatus"] == "RUNNING"
}

fn target(task: &Value) -> Target {
    let address = &task["attachments"][0]["details"][0]["value"];
    Target {
        ip: text(address).parse().unwrap(),
        port: 80,
    }
}

fn health(state: State) -> Health {
    Health {
        state,
        reason: (state == State::Unhealthy).then_some(Reason::ResponseCodeMismatch),
        description: (state == State::Unhealthy)
            .then(|| "Health checks failed with these codes: [500]".to_owned()),
    }
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
