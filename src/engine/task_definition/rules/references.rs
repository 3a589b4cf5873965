//! Names by which one part of a definition refers to another.

use super::container::is_essential;
use super::{Definition, Object, items, numbered, place, text, there_are, volumes};
use crate::engine::task_definition::mistake::{MistakePlace, Mistakes};

pub(super) fn check(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    let (names, volumes) = (definition.names(), volumes(definition));
    for container in definition.containers() {
        let lists = [
            ("mountPoints", "sourceVolume", "volume", &volumes),
            ("volumesFrom", "sourceContainer", "container", &names),
            ("dependsOn", "containerName", "container", &names),
        ];
        for (list, key, kind, known) in lists {
            for (index, item) in numbered(container, list) {
                if let Some(name) = text(item, key).filter(|name| !known.contains(name)) {
                    let at = place(container, &format!("{list}[{index}].{key}"));
                    mistakes.add(at, unknown(kind, name, known));
                }
            }
        }
        dependencies(definition, container, mistakes);
    }
    let proxy = definition.body.get("proxyConfiguration");
    if let Some(name) = proxy.and_then(|proxy| proxy.get("containerName")?.as_str())
        && !names.contains(&name)
    {
        let what = unknown("container", name, &names);
        mistakes.add(MistakePlace::top("proxyConfiguration.containerName"), what);
    }
}

pub(in crate::engine::task_definition) fn unknown(
    kind: &str,
    name: &str,
    known: &[&str],
) -> String {
    format!("there is no {kind} `{name}`: {}", there_are(name, known))
}

fn dependencies(definition: &Definition<'_>, container: &Object, mistakes: &mut Mistakes) {
    let own = text(container, "name").unwrap_or_default();
    for (index, dependency) in numbered(container, "dependsOn") {
        let name = text(dependency, "containerName").unwrap_or_default();
        let Some(other) = definition.container(name) else {
            continue;
        };
        let at = |key: &str| place(container, &format!("dependsOn[{index}].{key}"));
        if waits_for(definition, name, own, &mut vec![name]) {
            let what = format!("`{own}` would wait for itself, by way of `{name}`");
            mistakes.add(at("containerName"), what);
        }
        match text(dependency, "condition") {
            Some("HEALTHY") if !other.contains_key("healthCheck") => mistakes.add(
                at("condition"),
                format!("HEALTHY needs a `healthCheck` in `{name}`, which has none"),
            ),
            Some(condition @ ("SUCCESS" | "COMPLETE")) if is_essential(other) => mistakes.add(
                at("condition"),
                format!(
                    "{condition} waits until `{name}` has ended, and with an essential container the task ends: `{name}` needs `\"essential\": false`"
                ),
            ),
            _ => {}
        }
    }
}

/// Whether one container waits for another, also by way of others.
fn waits_for<'a>(
    definition: &Definition<'a>,
    name: &str,
    other: &str,
    seen: &mut Vec<&'a str>,
) -> bool {
    if name == other {
        return true;
    }
    let Some(container) = definition.container(name) else {
        return false;
    };
    items(container, "dependsOn")
        .filter_map(|it| text(it, "containerName"))
        .any(|next| {
            if next != other && seen.contains(&next) {
                return false;
            }
            seen.push(next);
            waits_for(definition, next, other, seen)
        })
}
