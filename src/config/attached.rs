//! `[colors]`, and what belongs to it: an app one of whose colours is a service
//! that ran before bgecs came, behind a load balancer of somebody else's.

use std::collections::BTreeMap;

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::names::ecs_name;
use super::production::{ListenerKeys, PlaceKeys, ProductionSection, RuleKey};
use super::test_route::{TestKey, TestKeys};
use crate::model::{COLOR_HEADER, Color};

type Result<T> = std::result::Result<T, ConfigError>;

/// Where the running service is, and where its users come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Which of the two it is; bgecs makes the other.
    pub color: Color,
    pub service: String,
    pub cluster: String,
    pub listener: ListenerKeys,
    pub rule: RuleKey,
    /// What users type, up to the path.
    pub url: String,
    pub test: TestKey,
}

/// The keys that only such an app has, not judged yet.
pub(super) struct AttachedKeys<'a> {
    pub(super) running: Option<(Color, String)>,
    /// In `[service]`.
    pub(super) cluster: Option<KeyValue<'a>>,
    pub(super) production: PlaceKeys<'a>,
    pub(super) test: TestKeys<'a>,
}

pub(super) fn colors(section: &mut Section<'_>) -> Result<Option<(Color, String)>> {
    let mut running: Option<(Color, String)> = None;
    for color in Color::BOTH {
        if !section.has(color.as_str()) {
            continue;
        }
        let service = section.section(color.as_str(), |one| {
            let entry = one.take("service").ok_or_else(|| {
                one.missing(
                    "service",
                    "it is missing: it names the service that runs already",
                )
            })?;
            match &running {
                Some((first, _)) => Err(entry.misplaced(format!(
                    "[colors.{first}] is the running service: bgecs makes the other colour's itself"
                ))),
                None => entry.checked(ecs_name),
            }
        })?;
        running = Some((color, service));
    }
    Ok(running)
}

impl Attached {
    /// What `attach` goes by, in words: where they are others than those that it
    /// was made by, the file was changed.
    pub fn written(&self) -> BTreeMap<&'static str, String> {
        let listener = match &self.listener {
            ListenerKeys::Arn(arn) => arn.to_string(),
            ListenerKeys::Of {
                load_balancer,
                port,
            } => format!("{load_balancer} port {port}"),
        };
        let rule = match &self.rule {
            RuleKey::DefaultAction => "default action".to_owned(),
            RuleKey::Arn(arn) => arn.clone(),
            RuleKey::With { host, path } => {
                format!("host {} path {}", host.join(" "), path.join(" "))
            }
        };
        let test = match &self.test {
            TestKey::Header => format!("header {COLOR_HEADER}"),
            TestKey::Port(port) => format!("port {port}"),
            TestKey::Host(host) => format!("host {host}"),
        };
        let Self {
            color,
            service,
            cluster,
            url,
            ..
        } = self;
        BTreeMap::from([
            ("RunningService", format!("{color} {cluster}/{service}")),
            ("Production", format!("{url} {listener} {rule}")),
            ("Test", test),
        ])
    }
}

impl AttachedKeys<'_> {
    /// None where no colour is a service that ran already.
    pub(super) fn judged(
        self,
        top: &Section<'_>,
        production: &ProductionSection,
    ) -> Result<Option<Attached>> {
        let Some((color, service)) = self.running else {
            let first = self.production.any().or(self.cluster.as_ref());
            return match first.or(self.test.any()) {
                Some(entry) => Err(entry.misplaced(
                    "it is for a service that ran before bgecs came, which `service` in [colors.blue] names",
                )),
                None => Ok(None),
            };
        };
        let missing = |key: &str, what: &str| top.missing(key, format!("it is missing: {what}"));
        let cluster = self.cluster.ok_or_else(|| {
            missing(
                "service.cluster",
                &format!("it names the cluster of the service {service}"),
            )
        })?;
        let (listener, rule) = self.production.place()?.ok_or_else(|| {
            missing(
                "production.listener",
                "it is the ARN of the listener that users come in by; `load_balancer` and `port` will do too",
            )
        })?;
        let url = production.url.clone().ok_or_else(|| {
            missing(
                "production.url",
                "it is what users type, such as https://shop.example.com",
            )
        })?;
        Ok(Some(Attached {
            color,
            service,
            cluster: cluster.checked(ecs_name)?,
            test: self.test.judged(&listener, &rule, production)?,
            listener,
            rule,
            url,
        }))
    }
}
