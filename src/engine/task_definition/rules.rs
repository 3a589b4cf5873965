//! What must hold between the members of a task definition that is well formed
//! by [`super::model`]: names that are referred to, sums, and what a Fargate task
//! can be. Looks at what [`super::walk`] made of it, in which each value has its
//! type or is not there.

mod container;
mod limits;
mod logs;
mod references;

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::mistake::{MistakePlace, Mistakes};
use super::model::CONTAINERS;
use crate::config::TaskSize;
use crate::nearest::nearest;

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>
const MOST_CONTAINERS: usize = 10;

type Object = Map<String, Value>;

/// A definition, as the rules ask it.
pub(super) struct Definition<'a> {
    pub(super) body: &'a Object,
    /// Those that run the released image.
    pub(super) apps: &'a [String],
    pub(super) placeholder: &'a dyn Fn(&str) -> String,
}

impl<'a> Definition<'a> {
    pub(super) fn containers(&self) -> impl Iterator<Item = &'a Object> + use<'a> {
        items(self.body, CONTAINERS)
    }

    fn container(&self, name: &str) -> Option<&'a Object> {
        self.containers().find(|it| text(it, "name") == Some(name))
    }

    pub(super) fn names(&self) -> Vec<&'a str> {
        self.containers()
            .filter_map(|it| text(it, "name"))
            .collect()
    }
}

pub(super) fn check(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    let size = size(definition, mistakes);
    roles(definition, mistakes);
    whole(definition, mistakes);
    for container in definition.containers() {
        container::check(definition, container, mistakes);
        logs::check(definition, container, mistakes);
    }
    references::check(definition, mistakes);
    limits::check(definition, mistakes);
    if let Some(size) = size {
        sums(definition, size, mistakes);
    }
}

fn size(definition: &Definition<'_>, mistakes: &mut Mistakes) -> Option<TaskSize> {
    let mut read = |key: &str, read: fn(&str) -> Result<u32, String>| {
        let text = text(definition.body, key)?;
        let read = read(text).map_err(|why| why + &(definition.placeholder)(text));
        read.map_err(|why| mistakes.add(MistakePlace::top(key), why))
            .ok()
    };
    let cpu = read("cpu", TaskSize::cpu_units);
    let memory = read("memory", TaskSize::mebibytes);
    let size = TaskSize::new(cpu?, memory?);
    size.map_err(|why| mistakes.add(MistakePlace::top("memory"), why))
        .ok()
}

/// By name or by ARN.
fn roles(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    for key in ["executionRoleArn", "taskRoleArn"] {
        let Some(role) = text(definition.body, key) else {
            continue;
        };
        let name = match role.split_once(":role/") {
            Some((arn, name)) if arn.starts_with("arn:aws") && arn.contains(":iam::") => name,
            _ => role,
        };
        if !is_made_of(name, "_+=,.@-/") {
            let more = (definition.placeholder)(role);
            let what = format!(
                "it takes a role's ARN, such as arn:aws:iam::123456789012:role/name, not `{role}`{more}"
            );
            mistakes.add(MistakePlace::top(key), what);
        }
    }
}

fn whole(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    let containers: Vec<&Object> = definition.containers().collect();
    let place = || MistakePlace::top(CONTAINERS);
    let listed = definition.body.get(CONTAINERS).and_then(Value::as_array);
    match listed.map_or(1, Vec::len) {
        0 => {
            mistakes.add(place(), "there is no container in it");
        }
        1..=MOST_CONTAINERS => {}
        count => mistakes.add(
            place(),
            format!("{count} containers, and ECS takes at most {MOST_CONTAINERS}"),
        ),
    }
    let is_essential = |it: &&Object| flag(it, "essential").unwrap_or(true);
    if !containers.is_empty() && !containers.iter().any(is_essential) {
        mistakes.add(
            place(),
            "at least one container must be essential: leave `\"essential\": false` out of the app's",
        );
    }
    for (kind, names) in [
        ("container", definition.names()),
        ("volume", volumes(definition)),
    ] {
        let mut seen = HashSet::new();
        for name in names {
            let key = if kind == "container" {
                CONTAINERS
            } else {
                "volumes"
            };
            if !seen.insert(name) {
                mistakes.add(
                    MistakePlace::top(key).named(Some(name)),
                    format!("two of them are called `{name}`: each {kind} needs a name of its own"),
                );
            }
            if !is_made_of(name, "_-") || name.len() > 255 {
                mistakes.add(
                    MistakePlace::top(key).named(Some(name)),
                    format!("a {kind}'s name has 1 to 255 letters, digits, `_` and `-`"),
                );
            }
        }
    }
}

fn volumes<'a>(definition: &Definition<'a>) -> Vec<&'a str> {
    let volumes = items(definition.body, "volumes");
    volumes.filter_map(|it| text(it, "name")).collect()
}

fn sums(definition: &Definition<'_>, size: TaskSize, mistakes: &mut Mistakes) {
    let of = |keys: &[&str]| -> i64 {
        let containers = definition.containers();
        containers
            .filter_map(|it| keys.iter().find_map(|key| whole_number(it, key)))
            .sum()
    };
    let cpu = of(&["cpu"]);
    if cpu > i64::from(size.cpu()) {
        let what = format!(
            "the containers' `cpu` add up to {cpu}, and the task has {}",
            size.cpu()
        );
        mistakes.add(MistakePlace::top("cpu"), what);
    }
    let memory = of(&["memoryReservation", "memory"]);
    if memory > i64::from(size.memory()) {
        let what = format!(
            "the containers' memory adds up to {memory} MiB, and the task has {}",
            size.memory()
        );
        mistakes.add(MistakePlace::top("memory"), what);
        return;
    }
    for container in definition.containers() {
        let memory = whole_number(container, "memory");
        if memory.is_some_and(|memory| memory > i64::from(size.memory())) {
            let what = format!("it is more than the task has, {} MiB", size.memory());
            mistakes.add(place(container, "memory"), what);
        }
    }
}

pub(super) fn items<'a>(
    object: &'a Object,
    key: &str,
) -> impl Iterator<Item = &'a Object> + use<'a> {
    numbered(object, key).map(|(_, item)| item)
}

/// Each with its place in the list.
fn numbered<'a>(
    object: &'a Object,
    key: &str,
) -> impl Iterator<Item = (usize, &'a Object)> + use<'a> {
    let items = object.get(key).and_then(Value::as_array);
    let numbered = items.into_iter().flatten().enumerate();
    numbered.filter_map(|(index, item)| Some((index, item.as_object()?)))
}

pub(super) fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn flag(object: &Object, key: &str) -> Option<bool> {
    object.get(key)?.as_bool()
}

fn whole_number(object: &Object, key: &str) -> Option<i64> {
    object.get(key)?.as_i64()
}

fn place(container: &Object, key: &str) -> MistakePlace {
    match text(container, "name") {
        Some(name) => MistakePlace::in_container(name, key),
        None => MistakePlace::top(CONTAINERS).key(key),
    }
}

fn is_made_of(text: &str, others: &str) -> bool {
    let is_one = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    !text.is_empty() && text.chars().all(is_one)
}

/// The names there are, with a guess at the one that was meant.
pub(super) fn there_are(name: &str, known: &[&str]) -> String {
    let listed = match known {
        [] => "there is none".to_owned(),
        [only] => format!("there is {only}"),
        known => format!("there are {}", known.join(", ")),
    };
    match nearest(name, known) {
        Some(near) => format!("{listed}; did you mean `{near}`?"),
        None => listed,
    }
}
