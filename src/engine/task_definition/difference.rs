//! In what a task definition differs from one that is registered: as a unified
//! diff of both as a person would write them, without what ECS adds.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use similar::TextDiff;

use super::file::OUTPUT_ONLY;
use super::{ENV_COLOR, ENV_RELEASE};
use crate::model::Color;

/// They differ with each release.
const TAGS: &str = "tags";

/// Values of variables are as good as secret.
const VEILED: &str = "***";
const VEILED_OTHER: &str = "*** (another value)";

/// The diff, empty where both run the same.
pub fn difference((from_name, from): (&str, &Value), (to_name, to): (&str, &Value)) -> String {
    let values = variables(from);
    let text = |body: &Value| {
        let shown = plain(body, &values);
        serde_json::to_string_pretty(&shown).unwrap_or_default() + "\n"
    };
    let (before, after) = (text(from), text(to));
    let diff = TextDiff::from_lines(&before, &after);
    let mut unified = diff.unified_diff();
    unified.header(from_name, to_name).to_string()
}

/// A definition as the other colour would have it: what follows from the colour is
/// no difference.
pub fn recolored(mut body: Value, from: Color, to: Color) -> Value {
    let containers = body.pointer_mut("/containerDefinitions");
    for container in containers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let variables = container.pointer_mut("/environment");
        let variables = variables.and_then(Value::as_array_mut);
        let mut variables = variables.into_iter().flatten();
        if let Some(color) = variables.find(|it| it["name"] == ENV_COLOR) {
            color["value"] = json!(to.as_str());
        }
        let prefix = container.pointer_mut("/logConfiguration/options/awslogs-stream-prefix");
        if let Some(prefix) = prefix
            && let Some(app) = prefix.as_str().and_then(|it| it.strip_suffix(from.as_str()))
            // Alone, or after the app's name.
            && (app.is_empty() || app.ends_with('-'))
        {
            *prefix = json!(format!("{app}{to}"));
        }
    }
    body
}

/// The values of all variables, by container and name.
fn variables(body: &Value) -> HashMap<(String, String), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let containers = body["containerDefinitions"].as_array();
    let mut values = HashMap::new();
    for container in containers.into_iter().flatten() {
        for variable in container["environment"].as_array().into_iter().flatten() {
            let key = (text(&container["name"]), text(&variable["name"]));
            values.insert(key, text(&variable["value"]));
        }
    }
    values
}

fn plain(body: &Value, known: &HashMap<(String, String), String>) -> Value {
    let Some(object) = body.as_object() else {
        return body.clone();
    };
    let mut object = object.clone();
    for key in OUTPUT_ONLY.into_iter().chain([TAGS]) {
        object.remove(key);
    }
    let containers = object.get_mut("containerDefinitions");
    for container in containers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        veil(container, known);
        without_defaults(container);
    }
    sorted(&Value::Object(object)).unwrap_or_else(|| json!({}))
}

/// bgecs's own are no secret; of any other it shows whether it is another one.
fn veil(container: &mut Value, known: &HashMap<(String, String), String>) {
    let name = container["name"].as_str().unwrap_or_default().to_owned();
    let Some(variables) = container["environment"].as_array_mut() else {
        return;
    };
    for variable in variables {
        let key = variable["name"].as_str().unwrap_or_default().to_owned();
        if key == ENV_RELEASE || key == ENV_COLOR {
            continue;
        }
        let value = variable["value"].as_str().unwrap_or_default();
        let is_another = known
            .get(&(name.clone(), key))
            .is_some_and(|before| before != value);
        variable["value"] = json!(if is_another { VEILED_OTHER } else { VEILED });
    }
}

/// What ECS fills in where nothing is said.
fn without_defaults(container: &mut Value) {
    let Some(container) = container.as_object_mut() else {
        return;
    };
    container.retain(|key, value| !(key == "cpu" && *value == json!(0)));
    let mappings = container
        .get_mut("portMappings")
        .and_then(Value::as_array_mut);
    for mapping in mappings
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if mapping.get("hostPort") == mapping.get("containerPort") {
            mapping.remove("hostPort");
        }
        mapping.retain(|key, value| !(key == "protocol" && *value == json!("tcp")));
    }
}

/// Keys by name, lists of named things by theirs, and nothing that is empty.
fn sorted(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(object) => {
            let entries: BTreeMap<&String, Value> = object
                .iter()
                .filter_map(|(key, value)| Some((key, sorted(value)?)))
                .collect();
            let object: Map<String, Value> = entries
                .into_iter()
                .map(|(key, value)| (key.clone(), value))
                .collect();
            (!object.is_empty()).then_some(Value::Object(object))
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().filter_map(sorted).collect();
            let is_named = |item: &Value| item.get("name").is_some_and(Value::is_string);
            // The order of containers and variables says nothing.
            if items.iter().all(is_named) {
                items.sort_by_key(|item| item["name"].as_str().unwrap_or_default().to_owned());
            }
            (!items.is_empty()).then_some(Value::Array(items))
        }
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered() -> Value {
        json!({
            "taskDefinitionArn": "arn:…:1", "revision": 1, "status": "ACTIVE", "compatibilities": ["FARGATE"],
            "family": "bgecs-hello", "cpu": "256", "memory": "512", "volumes": [], "placementConstraints": [],
            "containerDefinitions": [{
                "name": "app", "cpu": 0, "essential": true, "mountPoints": [], "image": "repo@sha256:1",
                "portMappings": [{ "containerPort": 8080, "hostPort": 8080, "protocol": "tcp" }],
                "environment": [
                    { "name": "PASSWORD", "value": "hunter22" },
                    { "name": "LEVEL", "value": "hunter1" },
                    { "name": "BGECS_RELEASE", "value": "1" },
                ],
            }],
        })
    }

    fn new() -> Value {
        json!({
            "memory": "1024", "cpu": "256", "family": "bgecs-hello",
            "containerDefinitions": [{
                "image": "repo@sha256:2", "name": "app", "essential": true,
                "portMappings": [{ "containerPort": 8080, "protocol": "tcp" }],
                "environment": [
                    { "name": "BGECS_RELEASE", "value": "2" },
                    { "name": "LEVEL", "value": "hunter1" },
                    { "name": "PASSWORD", "value": "hunter33" },
                    { "name": "NEW", "value": "hunter44" },
                ],
            }],
            "tags": [{ "key": "bgecs:release", "value": "2" }],
        })
    }

    #[test]
    fn only_what_a_person_changed_is_shown_and_no_value() {
        let (before, after) = (registered(), new());
        let diff = difference(("bgecs-hello:1", &before), ("tag 2", &after));
        insta::assert_snapshot!(diff, @r#"
        --- bgecs-hello:1
        +++ tag 2
        @@ -4,19 +4,23 @@
               "environment": [
                 {
                   "name": "BGECS_RELEASE",
        -          "value": "1"
        +          "value": "2"
                 },
                 {
                   "name": "LEVEL",
                   "value": "***"
                 },
                 {
        +          "name": "NEW",
        +          "value": "***"
        +        },
        +        {
                   "name": "PASSWORD",
        -          "value": "***"
        +          "value": "*** (another value)"
                 }
               ],
               "essential": true,
        -      "image": "repo@sha256:1",
        +      "image": "repo@sha256:2",
               "name": "app",
               "portMappings": [
                 {
        @@ -27,5 +31,5 @@
           ],
           "cpu": "256",
           "family": "bgecs-hello",
        -  "memory": "512"
        +  "memory": "1024"
         }
        "#);
    }

    #[test]
    fn what_follows_from_the_colour_is_no_difference() {
        let of = |color: &str, log: &str| {
            json!({ "containerDefinitions": [
                {
                    "name": "app",
                    "environment": [{ "name": "BGECS_COLOR", "value": color }],
                    "logConfiguration": { "options": { "awslogs-stream-prefix": color } },
                },
                { "name": "envoy", "logConfiguration": { "options": { "awslogs-stream-prefix": log } } },
            ] })
        };
        let blue = recolored(of("blue", "envoy"), Color::Blue, Color::Green);
        assert_eq!(blue, of("green", "envoy"));
        // A service that ran before bgecs came has none of it: that is new.
        let bare = json!({ "containerDefinitions": [{ "name": "app" }] });
        let shared = |color: &str| of("green", &format!("bgecs-hello-{color}"));
        let recolored_shared = recolored(shared("blue"), Color::Blue, Color::Green);
        assert_eq!(recolored_shared, shared("green"));
        let same = recolored(bare.clone(), Color::Blue, Color::Green);
        assert_eq!(difference(("a", &bare), ("b", &same)), "");
    }

    #[test]
    fn the_same_is_no_difference() {
        let before = registered();
        assert_eq!(difference(("a", &before), ("b", &before)), "");
    }
}
