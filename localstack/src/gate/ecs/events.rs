//! What the service scheduler says of a service, in AWS's words, and how it is
//! put among what the emulator says. Pure.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::service::{Door, Seconds};

/// As many as `DescribeServices` gives.
const MOST: usize = 100;

/// How those messages end that only the gate may say, since it knows of health.
const RESERVED: [&str; 2] = ["has reached a steady state.", "deployment completed."];

/// The events of one service.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Oldest first.
    events: Vec<Event>,
    said: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: String,
    at: Seconds,
    message: String,
}

impl Log {
    pub fn say(&mut self, at: Seconds, message: String) {
        let id = id(at, self.events.len());
        self.events.push(Event { id, at, message });
    }

    /// Says it once only for the deployment: ECS leaves out what it has said.
    pub fn say_once(&mut self, at: Seconds, deployment: &str, message: String) {
        if self.said.insert((deployment.to_owned(), message.clone())) {
            self.say(at, message);
        }
    }

    /// Merges them into a service's `events`, newest first.
    pub fn merge_into(&self, events: &mut Value) {
        let Value::Array(theirs) = events.take() else {
            *events = self.newest_first().collect();
            return;
        };
        let mut all: Vec<_> = self
            .newest_first()
            .chain(theirs.into_iter().filter(|event| !is_reserved(event)))
            .collect();
        all.sort_by(|one, other| created(other).total_cmp(&created(one)));
        all.truncate(MOST);
        *events = Value::Array(all);
    }

    fn newest_first(&self) -> impl Iterator<Item = Value> {
        self.events
            .iter()
            .rev()
            .map(|event| json!({"id": event.id, "createdAt": event.at, "message": event.message}))
    }
}

pub fn unhealthy(service: &str, door: &Door, reason: &str) -> String {
    let Door { group, port } = door;
    format!(
        "(service {service}) (port {port}) is unhealthy in (target-group {group}) due to \
         (reason {reason})"
    )
}

pub fn stopped(service: &str, task: &str) -> String {
    format!("(service {service}) has stopped 1 running tasks: (task {task}).")
}

pub fn steady(service: &str) -> String {
    format!("(service {service}) has reached a steady state.")
}

pub fn completed(service: &str, deployment: &str) -> String {
    format!("(service {service}) (deployment {deployment}) deployment completed.")
}

pub fn failed(service: &str, deployment: &str) -> String {
    format!(
        "(service {service}) (deployment {deployment}) deployment failed: tasks failed to start."
    )
}

pub fn rolling_back(service: &str, to: &str) -> String {
    format!("(service {service}) rolling back to deployment {to}.")
}

fn is_reserved(event: &Value) -> bool {
    let message = event["message"].as_str().unwrap_or_default();
    RESERVED.iter().any(|end| message.ends_with(end))
}

fn created(event: &Value) -> Seconds {
    event["createdAt"].as_f64().unwrap_or_default()
}

/// In the form of a UUID; of the moment and the number, so that no event of the
/// service has it twice.
fn id(at: Seconds, number: usize) -> String {
    let micros = (at * 1e6) as u64;
    format!(
        "{:08x}-{:04x}-{:04x}-8000-{number:012x}",
        micros >> 32,
        (micros >> 16) & 0xffff,
        micros & 0xffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(events: &Value) -> Vec<&str> {
        let all = events.as_array().unwrap();
        all.iter()
            .map(|event| event["message"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn they_are_merged_by_time_newest_first() {
        let mut log = Log::default();
        log.say(10.5, "first".to_owned());
        log.say(20.5, "second".to_owned());
        let mut events = json!([
            {"id": "b", "createdAt": 15, "message": "theirs"},
            {"id": "a", "createdAt": 5, "message": "(service s) has reached a steady state."},
        ]);
        log.merge_into(&mut events);
        assert_eq!(messages(&events), ["second", "theirs", "first"]);
        assert_eq!(events[0]["createdAt"], 20.5);
        assert_ne!(events[0]["id"], events[2]["id"]);
    }

    #[test]
    fn a_service_without_events_gets_them() {
        let mut log = Log::default();
        log.say(1.0, "first".to_owned());
        let mut events = Value::Null;
        log.merge_into(&mut events);
        assert_eq!(messages(&events), ["first"]);
    }

    #[test]
    fn what_was_said_of_a_deployment_is_left_out() {
        let mut log = Log::default();
        for deployment in ["a", "a", "b"] {
            log.say_once(1.0, deployment, "unhealthy".to_owned());
        }
        let mut events = json!([]);
        log.merge_into(&mut events);
        assert_eq!(messages(&events), ["unhealthy", "unhealthy"]);
    }

    #[test]
    fn no_more_are_given_than_aws_gives() {
        let mut log = Log::default();
        for number in 0..120 {
            log.say(f64::from(number), number.to_string());
        }
        let mut events = json!([]);
        log.merge_into(&mut events);
        assert_eq!(messages(&events).len(), 100);
        assert_eq!(messages(&events)[0], "119");
    }
}
