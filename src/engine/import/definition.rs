//! Turns the task definition of a running service into a file that bgecs takes: what
//! `RegisterTaskDefinition` accepts, without what a release adds.

use serde_json::{Map, Value};

use crate::engine::task_definition::OUTPUT_ONLY;

const CONTAINERS: &str = "containerDefinitions";

fn containers(definition: &Value) -> impl Iterator<Item = &Value> {
    definition[CONTAINERS].as_array().into_iter().flatten()
}

fn named<'a>(definition: &'a Value, container: &str) -> Option<&'a Value> {
    containers(definition).find(|it| it["name"] == container)
}

/// The containers that run the same image as that one, and so the same release.
pub(super) fn of_the_same_image(definition: &Value, container: &str) -> Vec<String> {
    let image = named(definition, container).map(|it| &it["image"]);
    let others = containers(definition).filter(|it| it["name"] != container);
    others
        .filter(|it| Some(&it["image"]) == image)
        .filter_map(|it| Some(it["name"].as_str()?.to_owned()))
        .collect()
}

/// The image that the container runs.
pub(super) fn image<'a>(definition: &'a Value, container: &str) -> Option<&'a str> {
    named(definition, container)?["image"].as_str()
}

/// Without its family, which is the app's, the images of the containers that run
/// a release, and what ECS prints of what was not given.
pub(super) fn registrable(definition: &Value, container: &str, others: &[String]) -> Value {
    let mut file = definition.as_object().cloned().unwrap_or_default();
    file.retain(|key, _| key != "family" && !OUTPUT_ONLY.contains(&key.as_str()));
    let all = file.get_mut(CONTAINERS).and_then(Value::as_array_mut);
    let all = all.into_iter().flatten().filter_map(Value::as_object_mut);
    for it in all {
        let name = it.get("name").and_then(Value::as_str);
        if name.is_some_and(|name| name == container || others.iter().any(|other| other == name)) {
            it.shift_remove("image");
        }
        // Which is none of a container's own.
        it.retain(|key, value| key != "cpu" || *value != 0);
        without_empty(it);
    }
    without_empty(&mut file);
    Value::Object(file)
}

fn without_empty(object: &mut Map<String, Value>) {
    object.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(inner) => !inner.is_empty(),
        _ => true,
    });
}

/// Whether it holds the values of variables, which a repository would show.
pub(super) fn has_values(definition: &Value) -> bool {
    containers(definition).any(|it| it["environment"].as_array().is_some())
}

/// Where the container logs to, if that is CloudWatch.
pub(super) fn log_group<'a>(definition: &'a Value, container: &str) -> Option<&'a str> {
    named(definition, container)?["logConfiguration"]["options"]["awslogs-group"].as_str()
}
