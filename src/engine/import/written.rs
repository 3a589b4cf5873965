//! The `bgecs.toml` of an import: beside each value, where it was found.

use serde_json::Value;

use super::{Import, definition};
use crate::model::{COLOR_HEADER, Capacity, RunningSettings};

/// Where a comment begins, unless what is ahead of it is longer.
const COMMENT_AT: usize = 40;

impl Import {
    /// `task_definition` is the path of that file from this one's folder.
    pub fn config(&self, task_definition: &str) -> String {
        let (service, settings) = (&self.read.service.name, &self.read.settings);
        let release = settings.task_definition.short();
        let mut all = TomlLines::default();
        all.note(&format!(
            "Written by `bgecs import` from the service {service} of the cluster {}, which ran {release}.",
            settings.cluster
        ));
        all.note("Look it over; then `bgecs attach --dry-run` says what would be made.");
        all.key(
            "app",
            &self.app.as_str().into(),
            &format!(
                "names what bgecs makes, such as the stack {}",
                self.app.stack_name()
            ),
        );
        self.aws(&mut all);
        all.section("service");
        all.key(
            "cluster",
            &settings.cluster.as_str().into(),
            "where it runs",
        );
        if settings.desired > 0 {
            all.key(
                "desired_count",
                &settings.desired.into(),
                &format!("as many tasks as {service} has now"),
            );
        }
        all.section(&format!("colors.{}", self.color));
        all.key(
            "service",
            &service.as_str().into(),
            &format!("runs already; {} will be a copy of it:", self.color.other()),
        );
        for setting in in_words(settings) {
            all.note(&format!("- {setting}"));
        }
        match &self.autoscaling {
            Ok(None) => all.note("Nothing scales it."),
            Ok(Some(found)) => all.note(&format!(
                "It is scaled {found}: whichever colour users are on, a promotion gives it that."
            )),
            Err(_) => all.note("Whether anything scales it could not be read."),
        }
        self.container(&mut all, task_definition, release);
        self.production(&mut all);
        all.section("test");
        all.key(
            "header",
            &COLOR_HEADER.into(),
            "two rules of bgecs's own, one for each colour",
        );
        all.note(
            "or port = 8443: a listener of bgecs's own; or host = \"next.…\": a name for testers",
        );
        self.probe(&mut all);
        all.text
    }

    fn aws(&self, all: &mut TomlLines) {
        all.section("aws");
        // arn:aws:ecs:REGION:ACCOUNT:service/…
        let account = self.read.settings.arn.split(':').nth(4);
        if let Some(account) = account.filter(|account| !account.is_empty()) {
            all.key("account", &account.into(), "any other is refused");
        }
        all.key("region", &self.read.region.as_str().into(), "");
    }

    fn container(&self, all: &mut TomlLines, task_definition: &str, release: &str) {
        all.section("container");
        all.key(
            "task_definition",
            &task_definition.into(),
            &format!("{release}, without its image"),
        );
        all.key(
            "container",
            &self.container.as_str().into(),
            "gets the released image",
        );
        if let Some(image) = definition::image(&self.read.definition, &self.container) {
            all.note(&format!("it ran {image}"));
        }
        if !self.app_containers.is_empty() {
            let names = self.app_containers.clone().into();
            all.key("app_containers", &names, "ran the same image");
        }
        all.key(
            "port",
            &self.port.into(),
            "to which the load balancer sends requests",
        );
        let (path, of) = match (&self.health_path, self.group()) {
            (Some(path), Some(group)) => (
                path.as_str(),
                format!(
                    "of the target group {} ({}, {})",
                    group.name, group.protocol, group.vpc
                ),
            ),
            _ => ("/", "the target group asks for none".to_owned()),
        };
        all.key("health_path", &path.into(), &of);
    }

    fn production(&self, all: &mut TomlLines) {
        let is_one = self.production.len() == 1;
        for (number, production) in self.production.iter().enumerate() {
            all.section(match is_one {
                true => "production",
                false => "[production]",
            });
            all.note(&production.way);
            all.key("listener", &production.listener.as_str().into(), "");
            if let Some(rule) = &production.rule {
                all.key("rule", &rule.as_str().into(), "");
            }
            all.key("url", &production.url.as_str().into(), "what users type");
            if !production.other_urls.is_empty() {
                all.note(&format!("or {}", production.other_urls.join(", ")));
            }
            if number > 0 {
                all.key(
                    "path",
                    &production.path.as_str().into(),
                    "what is requested there during a promotion",
                );
            }
        }
    }

    fn probe(&self, all: &mut TomlLines) {
        let path = self.production.first().map_or("/", |first| &first.path);
        let mut headers = self
            .production
            .iter()
            .flat_map(|way| &way.headers)
            .peekable();
        if path == "/" && headers.peek().is_none() {
            return;
        }
        all.section("probe");
        if path != "/" {
            all.key("path", &path.into(), "what is requested during a promotion");
        }
        for header in headers {
            all.note(&format!(
                "secret_header = {{ name = {}, env = \"{}\" }}    # production's rule wants it; or one of `headers`",
                Value::from(header.as_str()),
                header.to_uppercase().replace('-', "_")
            ));
        }
    }
}

/// What the other colour's service gets too.
fn in_words(settings: &RunningSettings) -> Vec<String> {
    let definition = &settings.definition;
    let network = &definition.network;
    let deployment = definition.deployment;
    let capacity = &definition.compute.capacity;
    let kind = match capacity {
        Capacity::LaunchType(_) => "launch type",
        Capacity::Providers(_) => "capacity providers",
    };
    let platform = definition
        .compute
        .platform_version
        .as_deref()
        .unwrap_or("LATEST");
    vec![
        format!("subnets {}", network.subnets.join(", ")),
        format!(
            "security groups {}, {} public IP",
            network.security_groups.join(", "),
            if network.public_ip { "a" } else { "no" }
        ),
        format!("{kind} {capacity}, platform version {platform}"),
        format!(
            "ECS Exec {}",
            if definition.compute.exec { "on" } else { "off" }
        ),
        format!(
            "from {} to {} % of its tasks during a deployment, circuit breaker {}",
            deployment.minimum_healthy_percent,
            deployment.maximum_percent,
            if deployment.breaker { "on" } else { "off" }
        ),
        format!(
            "{} s for a new task to become healthy",
            definition.health_check_grace_period.as_secs()
        ),
    ]
}

#[derive(Default)]
struct TomlLines {
    text: String,
}

impl TomlLines {
    fn section(&mut self, name: &str) {
        self.text += &format!("\n[{name}]\n");
    }

    /// A string of JSON is one of TOML, too.
    fn key(&mut self, key: &str, value: &Value, comment: &str) {
        self.raw(&format!("{key} = {value}"), comment);
    }

    fn raw(&mut self, line: &str, comment: &str) {
        self.text += &match comment {
            "" => format!("{line}\n"),
            comment => format!("{line:<COMMENT_AT$} # {}\n", in_one_line(comment)),
        };
    }

    fn note(&mut self, comment: &str) {
        self.text += &format!("# {}\n", in_one_line(comment));
    }
}

/// A comment ends with its line.
fn in_one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
