//! A task definition that its owner keeps as JSON: in the form that
//! `RegisterTaskDefinition` takes, or as `describe-task-definition` prints it.
//!
//! Of what the file says, the app container's image, the family and the CPU
//! architecture are replaced; what Fargate or bgecs needs and the file leaves
//! out is filled in; all else is registered as it stands.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::error::TaskDefinitionError;
use super::{Input, log_configuration};
use crate::config::TaskSize;
use crate::model::{CpuArchitecture, RunsOn};

/// What `describe-task-definition` returns and `RegisterTaskDefinition` does
/// not take
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html>).
pub(super) const OUTPUT_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>
const MOST_CONTAINERS: usize = 10;

const CONTAINERS: &str = "containerDefinitions";

/// A task definition as it stands in a file.
#[derive(Clone, PartialEq)]
pub struct TaskFile {
    path: PathBuf,
    /// Without tags.
    definition: Map<String, Value>,
    tags: Map<String, Value>,
}

/// It holds the values of the containers' variables.
impl fmt::Debug for TaskFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskFile({})", self.path.display())
    }
}

impl TaskFile {
    /// `path` is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, TaskDefinitionError> {
        // Windows' editors and shells like to begin a file with this mark.
        let text = text.trim_start_matches('\u{feff}');
        let value: Value = serde_json::from_str(text).map_err(|error| not_json(&error, path))?;
        let Value::Object(mut outer) = value else {
            return Err(shape(path, "the file", "an object"));
        };
        let tags_beside = outer.remove("tags");
        let mut definition = match outer.remove("taskDefinition") {
            None => outer,
            Some(Value::Object(inner)) => inner,
            Some(_) => return Err(shape(path, "taskDefinition", "an object")),
        };
        let mut tags = Map::new();
        for list in [tags_beside, definition.remove("tags")]
            .into_iter()
            .flatten()
        {
            read_tags(&list, &mut tags, path)?;
        }
        let file = Self {
            path: path.to_owned(),
            definition,
            tags,
        };
        file.check_containers()?;
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn tags(&self) -> Map<String, Value> {
        self.tags.clone()
    }

    pub(super) fn runs_on(&self) -> RunsOn {
        let platform = |key: &str| {
            let platform = self.definition.get("runtimePlatform")?;
            platform.get(key)?.as_str()
        };
        let both = [CpuArchitecture::X86_64, CpuArchitecture::Arm64];
        let said = platform("cpuArchitecture");
        RunsOn {
            architecture: both.into_iter().find(|cpu| said == Some(cpu.as_ecs())),
            windows: platform("operatingSystemFamily").is_some_and(|os| os.starts_with("WINDOWS")),
        }
    }

    /// The TCP ports that a container maps one by one. A load balancer's
    /// target cannot be a port out of a `containerPortRange`.
    pub(super) fn ports(&self, container: &str) -> Result<Vec<u16>, TaskDefinitionError> {
        let found = self.containers().iter().find(|it| is_named(it, container));
        let Some(found) = found else {
            return Err(self.unknown(container));
        };
        let mappings = found.get("portMappings").and_then(Value::as_array);
        Ok(mappings
            .into_iter()
            .flatten()
            .filter(|mapping| mapping.get("protocol") != Some(&json!("udp")))
            .filter_map(|mapping| mapping.get("containerPort")?.as_u64())
            .filter_map(|port| u16::try_from(port).ok())
            .collect())
    }

    fn containers(&self) -> &[Value] {
        self.definition
            .get(CONTAINERS)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    fn check_containers(&self) -> Result<(), TaskDefinitionError> {
        if !self.definition.get(CONTAINERS).is_some_and(Value::is_array) {
            return Err(shape(&self.path, CONTAINERS, "a list of containers"));
        }
        let containers = self.containers();
        if let Some(n) = containers.iter().position(|it| !it.is_object()) {
            let field = format!("{CONTAINERS}[{n}]");
            return Err(shape(&self.path, &field, "an object"));
        }
        if containers.len() > MOST_CONTAINERS {
            return Err(TaskDefinitionError::TooManyContainers {
                path: self.path.clone(),
                count: containers.len(),
            });
        }
        Ok(())
    }

    fn unknown(&self, container: &str) -> TaskDefinitionError {
        let names = self.containers().iter().filter_map(|it| it.get("name"));
        TaskDefinitionError::UnknownContainer {
            path: self.path.clone(),
            container: container.to_owned(),
            known: names.filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }
}

pub(super) fn body(
    input: &Input<'_>,
    container: &str,
    file: &TaskFile,
) -> Result<Map<String, Value>, TaskDefinitionError> {
    let mut body = file.definition.clone();
    body.retain(|key, _| !OUTPUT_ONLY.contains(&key.as_str()));
    body.insert("family".to_owned(), json!(input.app.stack_name()));
    fargate(&mut body, &file.path)?;
    platform(&mut body, input, &file.path)?;
    size(&mut body, &file.path)?;
    let roles = &input.surroundings;
    fill(
        &mut body,
        "executionRoleArn",
        json!(roles.execution_role_arn),
    );
    fill(&mut body, "taskRoleArn", json!(roles.task_role_arn));
    let app = body
        .get_mut(CONTAINERS)
        .and_then(Value::as_array_mut)
        .and_then(|all| all.iter_mut().find(|it| is_named(it, container)))
        .and_then(Value::as_object_mut)
        .ok_or_else(|| file.unknown(container))?;
    app.insert("image".to_owned(), json!(input.image.reference()));
    fill(app, "logConfiguration", log_configuration(input));
    Ok(body)
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>
fn fargate(body: &mut Map<String, Value>, path: &Path) -> Result<(), TaskDefinitionError> {
    match fill(body, "networkMode", json!("awsvpc")) {
        Value::String(mode) if mode == "awsvpc" => {}
        other => {
            return Err(TaskDefinitionError::NetworkMode {
                path: path.to_owned(),
                found: other.to_string(),
            });
        }
    }
    let field = "requiresCompatibilities";
    let Value::Array(kinds) = fill(body, field, json!([])) else {
        return Err(shape(path, field, "a list, such as [\"FARGATE\"]"));
    };
    if !kinds.contains(&json!("FARGATE")) {
        kinds.push(json!("FARGATE"));
    }
    Ok(())
}

/// The image decides: on the other architecture its tasks die with "exec
/// format error".
fn platform(
    body: &mut Map<String, Value>,
    input: &Input<'_>,
    path: &Path,
) -> Result<(), TaskDefinitionError> {
    let Value::Object(platform) = fill(body, "runtimePlatform", json!({})) else {
        return Err(shape(path, "runtimePlatform", "an object"));
    };
    platform.insert(
        "cpuArchitecture".to_owned(),
        json!(input.image.architecture.as_ecs()),
    );
    fill(platform, "operatingSystemFamily", json!("LINUX"));
    Ok(())
}

fn size(body: &mut Map<String, Value>, path: &Path) -> Result<(), TaskDefinitionError> {
    let cpu = quantity(body, "cpu", path)?;
    let memory = quantity(body, "memory", path)?;
    TaskSize::parse(&cpu, &memory)
        .map(|_| ())
        .map_err(|message| TaskDefinitionError::Size {
            path: path.to_owned(),
            message,
        })
}

/// AWS has these as strings and its documentation speaks of integers: a number
/// becomes the string that it is meant to be.
fn quantity(
    body: &mut Map<String, Value>,
    field: &'static str,
    path: &Path,
) -> Result<String, TaskDefinitionError> {
    let text = match body.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(shape(path, field, "there for Fargate, such as \"512\"")),
    };
    body.insert(field.to_owned(), json!(text));
    Ok(text)
}

/// Sets what is not there, and null says nothing.
fn fill<'a>(object: &'a mut Map<String, Value>, key: &str, value: Value) -> &'a mut Value {
    let slot = object.entry(key).or_insert(Value::Null);
    if slot.is_null() {
        *slot = value;
    }
    slot
}

/// Of the form `[{ "key": …, "value": … }]`.
fn read_tags(
    list: &Value,
    tags: &mut Map<String, Value>,
    path: &Path,
) -> Result<(), TaskDefinitionError> {
    if list.is_null() {
        return Ok(());
    }
    let expected = "a list of { \"key\": …, \"value\": … }";
    let items = list
        .as_array()
        .ok_or_else(|| shape(path, "tags", expected))?;
    for item in items {
        let key = item.get("key").and_then(Value::as_str);
        let key = key.ok_or_else(|| shape(path, "tags", expected))?;
        tags.insert(
            key.to_owned(),
            item.get("value").unwrap_or(&json!("")).clone(),
        );
    }
    Ok(())
}

fn is_named(container: &Value, name: &str) -> bool {
    container.get("name").and_then(Value::as_str) == Some(name)
}

fn not_json(error: &serde_json::Error, path: &Path) -> TaskDefinitionError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    // The place stands in front already.
    let place = format!(" at line {line} column {column}");
    TaskDefinitionError::Json {
        path: path.to_owned(),
        line,
        column,
        message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
    }
}

fn shape(path: &Path, field: &str, expected: &'static str) -> TaskDefinitionError {
    TaskDefinitionError::Shape {
        path: path.to_owned(),
        field: field.to_owned(),
        expected,
    }
}
