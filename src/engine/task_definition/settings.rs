//! A task of one container, from the keys of `[container]`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::TaskDefinitionError;
use super::{ENV_COLOR, ENV_RELEASE, Input, MOST_BYTES, OWN_BYTES, logs};
use crate::config::ContainerSection;

pub(super) fn body(
    input: &Input<'_>,
    container: &str,
    settings: &ContainerSection,
) -> Map<String, Value> {
    let mut app = json!({
        "name": container,
        "image": input.image.reference(),
        "essential": true,
        "portMappings": [{ "containerPort": settings.port, "protocol": "tcp" }],
        "environment": environment(input, settings),
        "logConfiguration": logs::configuration(input),
    });
    if !settings.command.is_empty() {
        app["command"] = json!(settings.command);
    }
    if !settings.secrets.is_empty() {
        app["secrets"] = settings
            .secrets
            .iter()
            .map(|(name, secret)| json!({ "name": name, "valueFrom": secret.value_from() }))
            .collect();
    }
    let fields = [
        ("family", json!(input.app.stack_name())),
        ("requiresCompatibilities", json!(["FARGATE"])),
        ("networkMode", json!("awsvpc")),
        // Strings, as the API has them.
        ("cpu", json!(settings.size.cpu().to_string())),
        ("memory", json!(settings.size.memory().to_string())),
        (
            "runtimePlatform",
            json!({
                "cpuArchitecture": input.image.architecture.as_ecs(),
                "operatingSystemFamily": "LINUX",
            }),
        ),
        ("containerDefinitions", json!([app])),
    ];
    let roles = input.surroundings.role_fields();
    fields
        .into_iter()
        .chain(roles.map(|(key, role)| (key, json!(role))))
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// That it will not be too much for ECS with bgecs's own added.
pub(super) fn check_size(settings: &ContainerSection) -> Result<(), TaskDefinitionError> {
    let variables = settings.environment.iter();
    let variables = variables.map(|(name, value)| json!({ "name": name, "value": value.reveal() }));
    let secrets = settings.secrets.iter();
    let secrets =
        secrets.map(|(name, secret)| json!({ "name": name, "valueFrom": secret.value_from() }));
    let all: Value = variables.chain(secrets).collect();
    let bytes = all.to_string().len() + json!(settings.command).to_string().len();
    match bytes > MOST_BYTES - OWN_BYTES {
        true => Err(TaskDefinitionError::TooLarge { bytes }),
        false => Ok(()),
    }
}

/// The user's variables and ours, sorted by name; the user's win.
fn environment(input: &Input<'_>, settings: &ContainerSection) -> Value {
    let ours = [
        (ENV_COLOR, input.color.as_str()),
        (ENV_RELEASE, input.image.tag.as_str()),
    ];
    let mut variables: BTreeMap<&str, &str> = ours
        .into_iter()
        // ECS refuses a variable that is a secret too.
        .filter(|(name, _)| !settings.secrets.contains_key(*name))
        .collect();
    let users = settings.environment.iter();
    variables.extend(users.map(|(name, value)| (name.as_str(), value.reveal())));
    variables
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}
