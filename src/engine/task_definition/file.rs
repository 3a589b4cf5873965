//! A task definition that its owner keeps as JSON: in the form that
//! `RegisterTaskDefinition` takes, or as `describe-task-definition` prints it.
//!
//! It is read and checked whole, once, before anything else is done; what comes
//! out can be registered. Of what the file says, the released containers' image,
//! the family, bgecs's own variables and what logs to bgecs's group are replaced;
//! what Fargate or bgecs needs and the file leaves out is filled in; all else is
//! registered as it stands.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::error::TaskDefinitionError;
use super::expand::expand;
use super::mistake::{Mistake, MistakePlace, Mistakes};
use super::model::{CONTAINERS, TASK};
use super::rules::{self, Definition, items, text, there_are};
use super::walk::{Walk, placeholder};
use super::{
    ENV_COLOR, ENV_RELEASE, Input, LogPlace, MOST_BYTES, OWN_BYTES, logs, tags, unambiguous,
};
use crate::config::{DEFAULT_PORT, OwnDefinition, TaskSize};
use crate::model::CpuArchitecture;

/// What `describe-task-definition` returns and `RegisterTaskDefinition` does
/// not take
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html>).
pub const OUTPUT_ONLY: [&str; 9] = [
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

/// A task definition as it stands in a file, checked.
#[derive(Clone, PartialEq)]
pub struct TaskFile {
    path: PathBuf,
    /// Without tags.
    pub(super) definition: Map<String, Value>,
    tags: Map<String, Value>,
    /// That of the container behind the load balancer.
    port: u16,
    /// The names of the containers that run the released image.
    pub(super) apps: Vec<String>,
}

/// It holds the values of the containers' variables.
impl fmt::Debug for TaskFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskFile({})", self.path.display())
    }
}

impl TaskFile {
    /// Reads the text of the file that `own` names. `container` is the one
    /// behind the load balancer.
    ///
    /// # Errors
    /// What is not JSON; else all that is wrong with it.
    pub fn parse(
        text: &str,
        container: &str,
        own: &OwnDefinition,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TaskDefinitionError> {
        let failed = |mistakes| TaskDefinitionError::Mistakes {
            path: own.path.clone(),
            mistakes,
        };
        let expanded;
        let text = match own.expand {
            true => {
                expanded = expand(text, variable).map_err(failed)?;
                &expanded
            }
            false => text,
        };
        let value: Value = unambiguous::parse(text).map_err(|error| not_json(text, &error, own))?;
        let found = unwrapped(value).map_err(|mistake| failed(vec![mistake]))?;
        let mut walk = Walk {
            unchecked: &own.unchecked,
            is_expanded: own.expand,
            mistakes: Mistakes::default(),
        };
        let mut definition = walk.object(&TASK, &found, &MistakePlace::top(""));
        let mut apps = vec![container.to_owned()];
        apps.extend(own.app_containers.iter().cloned());
        let mut mistakes = std::mem::take(&mut walk.mistakes);
        let asked = Definition {
            body: &definition,
            apps: &apps,
            placeholder: &|text| walk.placeholder(text),
        };
        rules::check(&asked, &mut mistakes);
        let port = app_containers(&asked, container, own, &mut mistakes);
        let tags = read_tags(definition.remove("tags").as_ref(), &mut mistakes);
        let mistakes = mistakes.into_list();
        if !mistakes.is_empty() {
            return Err(failed(mistakes));
        }
        let bytes = serde_json::to_string(&definition).map_or(0, |text| text.len());
        if bytes > MOST_BYTES - OWN_BYTES {
            return Err(TaskDefinitionError::TooLarge { bytes });
        }
        Ok(Self {
            path: own.path.clone(),
            definition,
            tags,
            port,
            apps,
        })
    }

    /// An export of a bgecs service names the roles of the stack that it was in; the
    /// stack there is now fills in its own. Beside a service that ran before there is
    /// none to fill in.
    #[must_use]
    pub fn without_roles_of_stacks(mut self) -> Self {
        for (key, resource) in [
            ("executionRoleArn", "-ExecutionRole-"),
            ("taskRoleArn", "-TaskRole-"),
        ] {
            let role = text(&self.definition, key).and_then(|arn| arn.rsplit('/').next());
            let is_own = |name: &str| name.starts_with("bgecs-") && name.contains(resource);
            if role.is_some_and(is_own) {
                self.definition.remove(key);
            }
        }
        self
    }

    /// That its tasks run as, and are started by.
    pub fn roles(&self) -> Vec<&str> {
        let both = ["executionRoleArn", "taskRoleArn"].into_iter();
        let mut roles: Vec<&str> = both.filter_map(|key| text(&self.definition, key)).collect();
        roles.dedup();
        roles
    }

    /// That of the container behind the load balancer, until a release's takes its
    /// place.
    pub fn image(&self) -> Option<&str> {
        text(self.app()?, "image")
    }

    /// None where the logs of that container go elsewhere than to CloudWatch Logs.
    pub fn log_group(&self) -> Option<&str> {
        let logs = self.app()?.get("logConfiguration")?.as_object()?;
        let is_there = text(logs, "logDriver") == Some("awslogs");
        let options = logs.get("options").filter(|_| is_there)?;
        text(options.as_object()?, "awslogs-group")
    }

    fn app(&self) -> Option<&Map<String, Value>> {
        let name = self.apps.first().map(String::as_str);
        items(&self.definition, CONTAINERS).find(|it| text(it, "name") == name)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn tags(&self) -> Map<String, Value> {
        self.tags.clone()
    }

    /// The one behind the load balancer.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What each of its tasks takes.
    pub fn size(&self) -> Option<TaskSize> {
        let text = |key| self.definition.get(key)?.as_str();
        let cpu = TaskSize::cpu_units(text("cpu")?).ok()?;
        TaskSize::new(cpu, TaskSize::mebibytes(text("memory")?).ok()?).ok()
    }

    /// What the file says that its images are for.
    pub fn architecture(&self) -> Option<CpuArchitecture> {
        let platform = self.definition.get("runtimePlatform")?;
        CpuArchitecture::from_ecs(platform.get("cpuArchitecture")?.as_str()?)
    }

    /// Whether its tasks run on Windows.
    pub fn is_for_windows(&self) -> bool {
        let platform = self.definition.get("runtimePlatform");
        let family = platform.and_then(|it| it.get("operatingSystemFamily")?.as_str());
        family.is_some_and(|family| family.starts_with("WINDOWS"))
    }

    fn log_prefix(&self) -> Option<&str> {
        self.app().and_then(logs::prefix)
    }

    /// The containers that log elsewhere than to the app's group, and where.
    pub fn logs_elsewhere(&self, here: LogPlace<'_>) -> Vec<(String, String)> {
        items(&self.definition, CONTAINERS)
            .filter_map(|container| {
                let place = logs::elsewhere(container, self.log_prefix(), here)?;
                Some((text(container, "name")?.to_owned(), place))
            })
            .collect()
    }
}

/// The definition itself, without what only the answer of a `describe` has. The
/// tags stand beside it there.
fn unwrapped(value: Value) -> Result<Map<String, Value>, Mistake> {
    let whole = |what: &str| Mistake {
        place: MistakePlace::top(""),
        what: what.to_owned(),
    };
    let mut outer = match value {
        Value::Object(outer) => outer,
        Value::Array(_) => {
            return Err(whole(
                "it is a list; containers belong in `containerDefinitions` of an object, beside `cpu` and `memory`",
            ));
        }
        _ => return Err(whole("it takes an object")),
    };
    if ["Resources", "Properties", "AWSTemplateFormatVersion"]
        .iter()
        .any(|key| outer.contains_key(*key))
    {
        return Err(whole(
            "that is CloudFormation's; bgecs takes what `aws ecs describe-task-definition` prints",
        ));
    }
    let mut found = match outer.remove("taskDefinition") {
        None => std::mem::take(&mut outer),
        Some(Value::Object(inner)) => inner,
        Some(_) => {
            return Err(Mistake {
                place: MistakePlace::top("taskDefinition"),
                what: "it takes an object".to_owned(),
            });
        }
    };
    // An SDK's own word of the answer.
    outer.remove("ResponseMetadata");
    found.retain(|key, _| !OUTPUT_ONLY.contains(&key.as_str()));
    if let (Some(Value::Array(inner)), Some(Value::Array(beside))) =
        (found.get_mut("tags"), outer.get_mut("tags"))
    {
        beside.append(inner);
    }
    found.extend(outer);
    Ok(found)
}

/// That the containers which bgecs is told of are there, and on which port the
/// load balancer reaches the one behind it.
fn app_containers(
    definition: &Definition<'_>,
    container: &str,
    own: &OwnDefinition,
    mistakes: &mut Mistakes,
) -> u16 {
    let port = own.port.unwrap_or(DEFAULT_PORT);
    let names = definition.names();
    if names.is_empty() {
        return port;
    }
    for name in own
        .app_containers
        .iter()
        .filter(|it| !names.contains(&it.as_str()))
    {
        let at = MistakePlace::top(CONTAINERS).named(Some(name));
        let what = format!(
            "there is no container `{name}`, which `app_containers` in [container] of bgecs.toml names: {}",
            there_are(name, &names)
        );
        mistakes.add(at, what);
    }
    let Some(app) = definition
        .containers()
        .find(|it| text(it, "name") == Some(container))
    else {
        let what = format!(
            "there is no container `{container}`, the app's by `container` in [container] of bgecs.toml: {}",
            there_are(container, &names)
        );
        mistakes.add(MistakePlace::top(CONTAINERS).named(Some(container)), what);
        return port;
    };
    // A target cannot be a port out of a `containerPortRange`.
    let mapped: Vec<u16> = items(app, "portMappings")
        .filter(|mapping| text(mapping, "protocol") != Some("udp"))
        .filter_map(|mapping| mapping.get("containerPort")?.as_u64())
        .filter_map(|port| u16::try_from(port).ok())
        .collect();
    // A file that maps one port needs no word of it in the configuration.
    let port = match (own.port, mapped.as_slice()) {
        (None, [only]) => *only,
        _ => port,
    };
    if !mapped.contains(&port) {
        let mapped: Vec<String> = mapped.iter().map(u16::to_string).collect();
        let what = match mapped.is_empty() {
            true => format!(
                "no TCP port is mapped: write [{{ \"containerPort\": {port} }}], with the port on which the app serves"
            ),
            false => format!(
                "port {port} is not mapped, only {}: `port` in [container] of bgecs.toml says which one the load balancer uses",
                mapped.join(", ")
            ),
        };
        mistakes.add(MistakePlace::in_container(container, "portMappings"), what);
    }
    port
}

/// Without those that bgecs writes itself and those that only AWS may.
fn read_tags(list: Option<&Value>, mistakes: &mut Mistakes) -> Map<String, Value> {
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html>
    const LONGEST_KEY: usize = 128;
    const LONGEST_VALUE: usize = 256;
    let mut tags = Map::new();
    for tag in list.and_then(Value::as_array).into_iter().flatten() {
        let key = tag.get("key").and_then(Value::as_str).unwrap_or_default();
        if !tags::is_reserved(key) {
            let value = tag.get("value").cloned().unwrap_or_else(|| json!(""));
            let length = value.as_str().map_or(0, |value| value.chars().count());
            let at = || MistakePlace::top("tags").named(Some(key));
            if !(1..=LONGEST_KEY).contains(&key.chars().count()) {
                mistakes.add(
                    at(),
                    format!("a tag's key has 1 to {LONGEST_KEY} characters"),
                );
            }
            if length > LONGEST_VALUE {
                mistakes.add(
                    at(),
                    format!("a tag's value has at most {LONGEST_VALUE} characters"),
                );
            }
            let before = tags.insert(key.to_owned(), value.clone());
            if before.is_some_and(|before| before != value) {
                mistakes.add(
                    at(),
                    "it is there already with another value: keep one of them",
                );
            }
        }
    }
    if tags.len() > tags::MOST_TAGS - tags::OWN_TAGS {
        let what = format!(
            "{} of them; ECS takes {}, and {} of those are bgecs's",
            tags.len(),
            tags::MOST_TAGS,
            tags::OWN_TAGS
        );
        mistakes.add(MistakePlace::top("tags"), what);
    }
    tags
}

pub(super) fn body(input: &Input<'_>, file: &TaskFile) -> Map<String, Value> {
    let mut body = file.definition.clone();
    body.insert("family".to_owned(), json!(input.app.stack_name()));
    fill(&mut body, "networkMode", json!("awsvpc"));
    let kinds = fill(&mut body, "requiresCompatibilities", json!([]));
    if let Value::Array(kinds) = kinds
        && !kinds.contains(&json!("FARGATE"))
    {
        kinds.push(json!("FARGATE"));
    }
    if let Value::Object(platform) = fill(&mut body, "runtimePlatform", json!({})) {
        let architecture = input.image.architecture.as_ecs();
        fill(platform, "cpuArchitecture", json!(architecture));
        fill(platform, "operatingSystemFamily", json!("LINUX"));
    }
    for (key, role) in input.surroundings.role_fields() {
        fill(&mut body, key, json!(role));
    }
    let containers = body.get_mut(CONTAINERS).and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        if let Value::Object(container) = container {
            release(container, file, input);
        }
    }
    body
}

/// What is this release's in a container.
fn release(container: &mut Map<String, Value>, file: &TaskFile, input: &Input<'_>) {
    let is_app =
        text(container, "name").is_some_and(|name| file.apps.iter().any(|app| app == name));
    logs::refresh(container, (is_app, file.log_prefix()), input);
    if is_app {
        container.insert("image".to_owned(), json!(input.image.reference()));
        fill(container, "logConfiguration", logs::configuration(input));
    }
    let ours = [
        (ENV_COLOR, input.color.as_str()),
        (ENV_RELEASE, input.image.tag.as_str()),
    ];
    for (name, value) in ours {
        // ECS refuses a variable that is a secret too.
        if items(container, "secrets").any(|secret| text(secret, "name") == Some(name)) {
            continue;
        }
        let there = items(container, "environment").any(|it| text(it, "name") == Some(name));
        if !there && !is_app {
            continue;
        }
        let variables = fill(container, "environment", json!([])).as_array_mut();
        let Some(variables) = variables else { continue };
        variables.retain(|variable| variable["name"] != name);
        variables.push(json!({ "name": name, "value": value }));
    }
}

/// Sets what is not there.
fn fill<'a>(object: &'a mut Map<String, Value>, key: &str, value: Value) -> &'a mut Value {
    object.entry(key).or_insert(value)
}

fn not_json(text: &str, error: &serde_json::Error, own: &OwnDefinition) -> TaskDefinitionError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    // The place stands in front already.
    let place = format!(" at line {line} column {column}");
    let message = match text.trim() {
        "" => "the file is empty",
        _ => message.strip_suffix(&place).unwrap_or(&message),
    };
    let from = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
    let from: String = from.chars().skip(column.saturating_sub(1)).collect();
    let is_comment = ["#", "//", "/*"]
        .iter()
        .any(|start| from.trim_start().starts_with(start));
    let message = match is_comment {
        true => "JSON has no comments",
        false => message,
    };
    TaskDefinitionError::Json {
        path: own.path.clone(),
        line,
        column,
        message: match own.expand {
            true => message.to_owned(),
            // Outside quotes it is not JSON before it is replaced.
            false => message.to_owned() + placeholder(text.lines().nth(line - 1).unwrap_or("")),
        },
    }
}
