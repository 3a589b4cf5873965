//! What ECS or Fargate refuses of members that are each well formed: limits that
//! are the wrong way round, one port for two, volumes, and Windows.

use serde_json::Value;

use super::{Definition, Object, flag, items, numbered, place, text, whole_number};
use crate::config::TaskSize;
use crate::engine::task_definition::mistake::{MistakePlace, Mistakes};

pub(super) fn check(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    for container in definition.containers() {
        ulimits(container, mistakes);
    }
    ports(definition, mistakes);
    file_systems(definition, mistakes);
    windows(definition, mistakes);
}

fn ulimits(container: &Object, mistakes: &mut Mistakes) {
    let mut seen = Vec::new();
    for (index, limit) in numbered(container, "ulimits") {
        let at = |key: &str| place(container, &format!("ulimits[{index}].{key}"));
        let Some(name) = text(limit, "name") else {
            continue;
        };
        if seen.contains(&name) {
            mistakes.add(
                at("name"),
                format!("`{name}` is there already: keep one of them"),
            );
        }
        seen.push(name);
        // -1 is without a limit.
        let limit = |key| {
            let limit = whole_number(limit, key)?;
            Some(if limit < 0 { i64::MAX } else { limit })
        };
        if let (Some(soft), Some(hard)) = (limit("softLimit"), limit("hardLimit"))
            && soft > hard
        {
            let what = "it is more than `hardLimit`, which is the most that a process may set";
            mistakes.add(at("softLimit"), what);
        }
    }
}

/// A task's containers share its ports. One that is not essential, such as for
/// migrations, may have ended before another takes the port.
fn ports(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    let mut taken: Vec<(i64, &str, &str)> = Vec::new();
    for container in definition.containers() {
        if flag(container, "essential") == Some(false) {
            continue;
        }
        let name = text(container, "name").unwrap_or_default();
        for (index, mapping) in numbered(container, "portMappings") {
            let Some(port) = whole_number(mapping, "containerPort") else {
                continue;
            };
            let protocol = text(mapping, "protocol").unwrap_or("tcp");
            let by = taken.iter().find(|it| (it.0, it.1) == (port, protocol));
            if let Some((_, _, by)) = by {
                let what = format!(
                    "{port} is mapped in `{by}` already, and on Fargate a task's containers share its ports"
                );
                let at = format!("portMappings[{index}].containerPort");
                mistakes.add(place(container, &at), what);
            }
            taken.push((port, protocol, name));
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSVolumeConfiguration.html>
fn file_systems(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    for (index, volume) in numbered(definition.body, "volumes") {
        let Some(efs) = volume
            .get("efsVolumeConfiguration")
            .and_then(Value::as_object)
        else {
            continue;
        };
        let at = |key: &str| {
            let key = format!("volumes[{index}].efsVolumeConfiguration.{key}");
            MistakePlace::top(&key).named(text(volume, "name"))
        };
        let Some(by) = efs.get("authorizationConfig").and_then(Value::as_object) else {
            continue;
        };
        let point = text(by, "accessPointId").filter(|point| !point.is_empty());
        let is_encrypted = text(efs, "transitEncryption") == Some("ENABLED");
        if (point.is_some() || text(by, "iam") == Some("ENABLED")) && !is_encrypted {
            let what = "it takes `ENABLED` with an access point or `iam`";
            mistakes.add(at("transitEncryption"), what);
        }
        let root = text(efs, "rootDirectory").unwrap_or_default();
        if point.is_some() && !matches!(root, "" | "/") {
            let what = "the access point says that: leave it out, or write `/`";
            mistakes.add(at("rootDirectory"), what);
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/windows-considerations.html>
fn windows(definition: &Definition<'_>, mistakes: &mut Mistakes) {
    const LEAST_CPU: u32 = 1024;
    let body = definition.body;
    let platform = body.get("runtimePlatform").and_then(Value::as_object);
    let of_platform = |key| platform.and_then(|platform| text(platform, key));
    let family = of_platform("operatingSystemFamily");
    if !family.is_some_and(|family| family.starts_with("WINDOWS")) {
        return;
    }
    if of_platform("cpuArchitecture") == Some("ARM64") {
        let at = MistakePlace::top("runtimePlatform.cpuArchitecture");
        mistakes.add(at, "Windows runs on X86_64 alone");
    }
    let cpu = text(body, "cpu").and_then(|cpu| TaskSize::cpu_units(cpu).ok());
    if cpu.is_some_and(|cpu| cpu < LEAST_CPU) {
        mistakes.add(
            MistakePlace::top("cpu"),
            format!("a Windows task has at least {LEAST_CPU}"),
        );
    }
    for key in ["ephemeralStorage", "pidMode", "proxyConfiguration"] {
        if body.contains_key(key) {
            mistakes.add(
                MistakePlace::top(key),
                "Windows tasks on Fargate do not take it",
            );
        }
    }
    let mut volumes = items(body, "volumes");
    if volumes.any(|volume| volume.contains_key("efsVolumeConfiguration")) {
        mistakes.add(
            MistakePlace::top("volumes"),
            "Windows tasks on Fargate do not take EFS",
        );
    }
}
