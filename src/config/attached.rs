//! `[colors]` and what belongs to it: an app one of whose colours is a service that bgecs
//! did not make, behind a load balancer that it did not make either.

use std::collections::BTreeMap;
use std::fmt;

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::names::{ecs_name, request_path};
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
    /// By which others come besides, moved after the first in their order.
    pub further: Vec<FurtherProduction>,
}

/// A further way by which users come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherProduction {
    pub listener: ListenerKeys,
    pub rule: RuleKey,
    pub url: String,
    /// What is asked there; where it is not said, what is asked at the first.
    pub path: Option<String>,
}

/// The keys that only such an app has, not judged yet.
pub(super) struct AttachedKeys<'a> {
    pub(super) running: Option<(Color, String)>,
    /// In `[service]`.
    pub(super) cluster: Option<KeyValue<'a>>,
    pub(super) production: PlaceKeys<'a>,
    pub(super) test: TestKeys<'a>,
    /// The ways after the first.
    pub(super) further: Vec<(ProductionSection, PlaceKeys<'a>)>,
}

/// A way by which users come in, as it was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedWay<'a> {
    pub listener: &'a ListenerKeys,
    pub rule: &'a RuleKey,
    pub url: &'a str,
    /// What is asked there, if that is not what is asked at the first.
    pub path: Option<&'a str>,
}

/// As it was written, for who asks whether it was changed.
impl fmt::Display for NamedWay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url)?;
        match self.listener {
            ListenerKeys::Arn(arn) => write!(f, " {arn}")?,
            ListenerKeys::Of {
                load_balancer,
                port,
            } => write!(f, " {load_balancer} port {port}")?,
        }
        match self.rule {
            RuleKey::DefaultAction => f.write_str(" default action")?,
            RuleKey::Arn(arn) => write!(f, " {arn}")?,
            RuleKey::With { host, path } => {
                write!(f, " host {} path {}", host.join(" "), path.join(" "))?;
            }
        }
        match self.path {
            Some(path) => write!(f, " asked {path}"),
            None => Ok(()),
        }
    }
}

impl Attached {
    /// By which users come in, and production is called.
    pub fn first_way(&self) -> NamedWay<'_> {
        NamedWay {
            listener: &self.listener,
            rule: &self.rule,
            url: &self.url,
            path: None,
        }
    }

    pub fn further_ways(&self) -> impl Iterator<Item = NamedWay<'_>> {
        self.further.iter().map(|it| NamedWay {
            listener: &it.listener,
            rule: &it.rule,
            url: &it.url,
            path: it.path.as_deref(),
        })
    }

    pub fn ways(&self) -> impl Iterator<Item = NamedWay<'_>> {
        std::iter::once(self.first_way()).chain(self.further_ways())
    }

    /// What `attach` goes by, in words: where they are others than those that it
    /// was made by, the file was changed.
    pub fn written(&self) -> BTreeMap<&'static str, String> {
        let ways: Vec<String> = self.ways().map(|way| way.to_string()).collect();
        let test = match &self.test {
            TestKey::Header => format!("header {COLOR_HEADER}"),
            TestKey::Port(port) => format!("port {port}"),
            TestKey::Host(host) => format!("host {host}"),
        };
        let Self {
            color,
            service,
            cluster,
            ..
        } = self;
        BTreeMap::from([
            ("RunningService", format!("{color} {cluster}/{service}")),
            ("Production", ways.join("; ")),
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
            let further = self.further.iter().find_map(|(_, keys)| keys.any());
            return match first.or(self.test.any()).or(further) {
                Some(entry) => Err(entry.misplaced(
                    "it is for a service that bgecs did not make, which `service` in [colors.blue] names",
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
        let way = |production: &ProductionSection, keys: PlaceKeys<'_>| {
            let place = keys.place()?.ok_or_else(|| {
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
            Ok((place, url))
        };
        let ((listener, rule), url) = way(production, self.production)?;
        let further = self.further.into_iter().map(|(section, mut keys)| {
            let path = keys.path.take();
            let path = path.map(|entry| entry.checked(request_path)).transpose()?;
            let ((listener, rule), url) = way(&section, keys)?;
            Ok(FurtherProduction {
                listener,
                rule,
                url,
                path,
            })
        });
        let further = further.collect::<Result<Vec<_>>>()?;
        let places = further.iter().map(|it| (&it.listener, &it.rule));
        let places: Vec<_> = std::iter::once((&listener, &rule)).chain(places).collect();
        if (1..places.len()).any(|n| places[..n].contains(&places[n])) {
            return Err(top.missing(
                "production",
                "two of them are the same place: name each way once",
            ));
        }
        Ok(Some(Attached {
            color,
            service,
            cluster: cluster.checked(ecs_name)?,
            test: self.test.judged(&listener, &rule, production)?,
            listener,
            rule,
            url,
            further,
        }))
    }
}
