//! What must hold within one container.

use std::collections::HashSet;

use serde_json::Value;

use super::{Definition, Object, flag, is_made_of, items, numbered, place, text, whole_number};
use crate::engine::task_definition::mistake::Mistakes;
use crate::engine::task_definition::needs::{S3Object, SecretName};

const MOST_ENVIRONMENT_FILES: usize = 10;
const MOST_EXIT_CODES: usize = 50;

pub(super) fn check(definition: &Definition<'_>, container: &Object, mistakes: &mut Mistakes) {
    image(definition, container, mistakes);
    ports(container, mistakes);
    variables(container, mistakes);
    secrets(definition, container, mistakes);
    environment_files(definition, container, mistakes);
    health_check(container, mistakes);
    let memory = whole_number(container, "memory");
    let reserved = whole_number(container, "memoryReservation");
    if memory.is_some() && reserved > memory {
        let what = "it is more than `memory`, which is the most that the container may use";
        mistakes.add(place(container, "memoryReservation"), what);
    }
    let codes = container.get("restartPolicy");
    let codes = codes.and_then(|policy| policy.get("ignoredExitCodes")?.as_array());
    if codes.is_some_and(|codes| codes.len() > MOST_EXIT_CODES) {
        mistakes.add(
            place(container, "restartPolicy.ignoredExitCodes"),
            format!("ECS takes at most {MOST_EXIT_CODES}"),
        );
    }
}

fn image(definition: &Definition<'_>, container: &Object, mistakes: &mut Mistakes) {
    let name = text(container, "name").unwrap_or_default();
    if definition.apps.iter().any(|app| app == name) {
        return;
    }
    let place = place(container, "image");
    match text(container, "image") {
        None | Some("") => mistakes.add(
            place,
            "it is missing; where this container is to run the released image, name it in `app_containers` in [container] of bgecs.toml",
        ),
        Some(image) if !is_made_of(image, "-_:./#@") => {
            let more = (definition.placeholder)(image);
            mistakes.add(place, format!("`{image}` is not the name of an image{more}"));
        }
        Some(_) => {}
    }
}

/// In awsvpc a container's port is the task's.
fn ports(container: &Object, mistakes: &mut Mistakes) {
    for (index, mapping) in numbered(container, "portMappings") {
        let at = |key: &str| place(container, &format!("portMappings[{index}].{key}"));
        let port = whole_number(mapping, "containerPort");
        let range = text(mapping, "containerPortRange");
        match (port, range) {
            (None, None) => mistakes.add(at("containerPort"), "it is missing: 8080, say"),
            (Some(_), Some(_)) => mistakes.add(
                at("containerPortRange"),
                "it stands beside `containerPort`: keep one of them",
            ),
            (None, Some(range)) if !is_range(range) => mistakes.add(
                at("containerPortRange"),
                "it takes two ports, the lower one first, such as \"8080-8090\"",
            ),
            _ => {}
        }
        let host = whole_number(mapping, "hostPort");
        if let (Some(host), Some(port)) = (host, port)
            && host != port
        {
            let what = format!(
                "{host}: on Fargate it is the same as `containerPort`, {port}; leave it out"
            );
            mistakes.add(at("hostPort"), what);
        }
        if text(mapping, "name").is_some_and(|name| name.len() > 64) {
            mistakes.add(at("name"), "ECS takes at most 64 characters");
        }
    }
}

fn is_range(text: &str) -> bool {
    let ports = text.split_once('-').and_then(|(from, to)| {
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        Some((port(from)?, port(to)?))
    });
    ports.is_some_and(|(from, to)| from < to)
}

/// Of the plain ones and the secret ones: a name is there once.
fn variables(container: &Object, mistakes: &mut Mistakes) {
    let mut seen = HashSet::new();
    for list in ["environment", "secrets"] {
        for (index, variable) in numbered(container, list) {
            let Some(name) = text(variable, "name") else {
                continue;
            };
            let at = place(container, &format!("{list}[{index}].name")).named(Some(name));
            if name.is_empty() || name.contains(['=', '\0']) {
                let what = "the name of an environment variable is not empty and has no `=`";
                mistakes.add(at, what);
            } else if !seen.insert(name) {
                let what = "a variable of that name is there already: keep one of them";
                mistakes.add(at, what);
            }
        }
    }
}

fn secrets(definition: &Definition<'_>, container: &Object, mistakes: &mut Mistakes) {
    let options = container.get("logConfiguration").and_then(Value::as_object);
    let lists = [
        ("secrets", Some(container)),
        ("logConfiguration.secretOptions", options),
    ];
    for (list, holder) in lists {
        let Some(holder) = holder else { continue };
        let key = list.rsplit('.').next().unwrap_or(list);
        for (index, secret) in numbered(holder, key) {
            let from = text(secret, "valueFrom").unwrap_or_default();
            if secret.contains_key("valueFrom")
                && let Err(why) = SecretName::of_variable(from)
            {
                let at = place(container, &format!("{list}[{index}].valueFrom"));
                let why = why + &(definition.placeholder)(from);
                mistakes.add(at.named(text(secret, "name")), why);
            }
        }
    }
    let credentials = container.get("repositoryCredentials");
    if let Some(name) = credentials.and_then(|it| it.get("credentialsParameter")?.as_str())
        && let Err(why) = SecretName::of_registry(name)
    {
        let at = place(container, "repositoryCredentials.credentialsParameter");
        mistakes.add(at, why + &(definition.placeholder)(name));
    }
}

fn environment_files(definition: &Definition<'_>, container: &Object, mistakes: &mut Mistakes) {
    let files: Vec<&Object> = items(container, "environmentFiles").collect();
    if files.len() > MOST_ENVIRONMENT_FILES {
        mistakes.add(
            place(container, "environmentFiles"),
            format!("ECS takes at most {MOST_ENVIRONMENT_FILES}"),
        );
    }
    for (index, file) in files.into_iter().enumerate() {
        let Some(value) = text(file, "value") else {
            continue;
        };
        let is_env = S3Object::parse(value).is_some_and(|file| file.key.ends_with(".env"));
        if !is_env {
            let more = (definition.placeholder)(value);
            let what = format!(
                "it takes the ARN of a file in S3 whose name ends in .env, such as arn:aws:s3:::bucket/name.env{more}"
            );
            mistakes.add(
                place(container, &format!("environmentFiles[{index}].value")),
                what,
            );
        }
    }
}

fn health_check(container: &Object, mistakes: &mut Mistakes) {
    let command = container.get("healthCheck");
    let command = command.and_then(|check| check.get("command")?.as_array());
    let Some(command) = command else { return };
    let words: Vec<&str> = command.iter().filter_map(Value::as_str).collect();
    let is_well = match words.as_slice() {
        ["NONE"] => true,
        ["CMD" | "CMD-SHELL", rest @ ..] => !rest.is_empty(),
        _ => false,
    };
    if !is_well {
        let what = "it begins with \"CMD\" or \"CMD-SHELL\", and then says what to run: [\"CMD-SHELL\", \"curl -f http://localhost/ || exit 1\"]";
        mistakes.add(place(container, "healthCheck.command"), what);
    }
}

/// Whether a task can go on without it.
pub(super) fn is_essential(container: &Object) -> bool {
    flag(container, "essential").unwrap_or(true)
}
