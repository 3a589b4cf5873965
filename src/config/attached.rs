//! `[colors]`, and what belongs to it: an app one of whose colours is a service
//! that ran before bgecs came, behind a load balancer of somebody else's.

use std::str::FromStr;

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::names::ecs_name;
use super::production::{ListenerKeys, PlaceKeys, ProductionSection, RuleKey};
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
}

/// The keys that only such an app has, not judged yet.
pub(super) struct AttachedKeys<'a> {
    pub(super) running: Option<(Color, String)>,
    /// In `[service]`.
    pub(super) cluster: Option<KeyValue<'a>>,
    pub(super) production: PlaceKeys<'a>,
    /// In `[test]`.
    pub(super) header: Option<KeyValue<'a>>,
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

/// A rule of each colour's own takes the requests with this header.
pub(super) fn test<'a>(section: &mut Section<'a>) -> Result<Option<KeyValue<'a>>> {
    Ok(section.take("header"))
}

impl AttachedKeys<'_> {
    /// None where no colour is a service that ran already.
    pub(super) fn judged(
        self,
        top: &Section<'_>,
        production: &ProductionSection,
    ) -> Result<Option<Attached>> {
        let Some((color, service)) = self.running else {
            let first = [&self.cluster, &self.header].into_iter().flatten().next();
            return match self.production.any().or(first) {
                Some(entry) => Err(entry.misplaced(
                    "it is for a service that ran before bgecs came, which `service` in [colors.blue] names",
                )),
                None => Ok(None),
            };
        };
        if let Some(header) = self.header {
            judge_header(header)?;
        }
        let missing = |key: &str, what: &str| top.missing(key, format!("it is missing: {what}"));
        let cluster = self.cluster.ok_or_else(|| {
            missing(
                "service.cluster",
                &format!("it names the cluster of the service {service}"),
            )
        })?;
        let place = self.production.place()?.ok_or_else(|| {
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
            listener: place.0,
            rule: place.1,
            url,
        }))
    }
}

/// There is one header as yet, and the colours are its values.
fn judge_header(entry: KeyValue<'_>) -> Result<()> {
    let nothing = entry.misused(format!("it takes {{ \"{COLOR_HEADER}\" = \"blue\" }}"));
    let entries = entry.table()?;
    for header in &entries {
        if !header.name.eq_ignore_ascii_case(COLOR_HEADER) {
            return Err(header.misplaced(format!("tests are told by the header {COLOR_HEADER}")));
        }
        header.checked(Color::from_str)?;
    }
    match entries.is_empty() {
        true => Err(nothing),
        false => Ok(()),
    }
}
