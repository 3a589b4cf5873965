//! `[production]`: the name that users come in by, and, for a load balancer that bgecs
//! did not make, the place.

use url::Url;

use super::document::Section;
use super::entry::KeyValue;
use super::names::not_empty;
use super::{ConfigError, TlsSection};
use crate::model::ListenerArn;

type Result<T> = std::result::Result<T, ConfigError>;

/// `[production]`, as far as it is no matter of whose the load balancer is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductionSection {
    /// What users type, up to the path: `https://shop.example.com`.
    pub url: Option<String>,
}

impl ProductionSection {
    /// The name that it is asked by, and a certificate has to be for.
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.url.as_ref()?.split_once("://")?;
        Some(rest.split_once(':').map_or(rest, |(host, _)| host))
    }
}

/// Which listener users come in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerKeys {
    Arn(ListenerArn),
    Of { load_balancer: String, port: u16 },
}

/// What of it leads them to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleKey {
    /// No rule: the listener's default action.
    DefaultAction,
    Arn(String),
    /// The one rule with exactly these conditions.
    With {
        host: Vec<String>,
        path: Vec<String>,
    },
}

/// The keys by which a place of somebody else's is told, not judged yet.
pub(super) struct PlaceKeys<'a> {
    listener: Option<KeyValue<'a>>,
    load_balancer: Option<KeyValue<'a>>,
    port: Option<KeyValue<'a>>,
    rule: Option<KeyValue<'a>>,
    /// What is asked there, where it is not the first of several.
    pub(super) path: Option<KeyValue<'a>>,
}

/// `is_attached`: the load balancer, and what it serves, is somebody else's.
pub(super) fn production<'a>(
    section: &mut Section<'a>,
    tls: Option<&TlsSection>,
    is_attached: bool,
) -> Result<(ProductionSection, PlaceKeys<'a>)> {
    let keys = PlaceKeys {
        listener: section.take("listener"),
        load_balancer: section.take("load_balancer"),
        port: section.take("port"),
        rule: section.take("rule"),
        path: section.take("path"),
    };
    let url = section.optional("url", |entry| {
        let url = entry.checked(origin)?;
        match tls {
            _ if is_attached => Ok(url),
            None => Err(entry.misplaced(
                "it is served with a certificate: name its ARN as `certificate` in [tls]",
            )),
            Some(_) => entry.checked(|_| served(url)),
        }
    })?;
    if tls.is_some() && url.is_none() {
        return Err(section.missing(
            "url",
            "it is missing: [tls] serves the app by its own name, such as `url = \"https://shop.example.com\"` in [production]",
        ));
    }
    Ok((ProductionSection { url }, keys))
}

impl<'a> PlaceKeys<'a> {
    /// The first of them that is there.
    pub(super) fn any(&self) -> Option<&KeyValue<'a>> {
        let place = [&self.listener, &self.load_balancer, &self.port, &self.rule];
        place.into_iter().chain([&self.path]).flatten().next()
    }

    /// None where no key says which listener.
    pub(super) fn place(self) -> Result<Option<(ListenerKeys, RuleKey)>> {
        let listener = match (self.listener, self.load_balancer, self.port) {
            (Some(_), Some(other), _) | (Some(_), None, Some(other)) => {
                return Err(other.misplaced("`listener` says it already: keep one of them"));
            }
            (Some(arn), None, None) => ListenerKeys::Arn(arn.checked(listener_arn)?),
            (None, Some(name), Some(port)) => ListenerKeys::Of {
                load_balancer: name.checked(not_empty)?,
                port: port.number(1..=65535)?,
            },
            (None, Some(name), None) => {
                return Err(name.misplaced("`port` says which listener, and it is missing"));
            }
            (None, None, Some(port)) => {
                return Err(port.misplaced("`load_balancer` says whose, and is missing"));
            }
            (None, None, None) => return Ok(None),
        };
        let rule = match self.rule {
            Some(entry) => rule(entry, &listener)?,
            None => RuleKey::DefaultAction,
        };
        Ok(Some((listener, rule)))
    }
}

fn rule(entry: KeyValue<'_>, listener: &ListenerKeys) -> Result<RuleKey> {
    if let Ok(arn) = entry.string() {
        return match is_rule_of(arn, listener) {
            Ok(()) => Ok(RuleKey::Arn(arn.to_owned())),
            Err(why) => Err(entry.invalid(why)),
        };
    }
    let (mut host, mut path) = (Vec::new(), Vec::new());
    let nothing = entry.misused("it says nothing: it takes `host`, `path` or both");
    for condition in entry.table()? {
        let values = match condition.name.as_str() {
            "host" => &mut host,
            "path" => &mut path,
            _ => {
                return Err(condition.misplaced(
                    "a rule is told by its `host` and its `path`, or by its ARN as text",
                ));
            }
        };
        *values = condition.strings()?;
        if values.is_empty() {
            return Err(condition.invalid("it is empty; leave the key out instead"));
        }
    }
    match host.is_empty() && path.is_empty() {
        true => Err(nothing),
        false => Ok(RuleKey::With { host, path }),
    }
}

/// `arn:…:elasticloadbalancing:…:listener/app/NAME/BALANCER/LISTENER`
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html>)
fn listener_arn(text: &str) -> std::result::Result<ListenerArn, String> {
    let of_kind = |kind| names_a(text, kind).is_some();
    if of_kind("listener/app/") {
        return Ok(ListenerArn::new(text));
    }
    Err(match of_kind("listener-rule/app/") {
        true => "it is a rule's: `rule` takes it, and `listener` the ARN of its listener",
        false if of_kind("listener/") || of_kind("listener-rule/") => {
            "it does not belong to an Application Load Balancer, and bgecs moves users at no other kind"
        }
        false => "it takes a listener's whole ARN",
    }
    .to_owned())
}

/// A rule's ARN goes on where its listener's ends.
fn is_rule_of(arn: &str, listener: &ListenerKeys) -> std::result::Result<(), String> {
    let Some(rule) = names_a(arn, "listener-rule/app/") else {
        return Err("it takes a rule's whole ARN, or { host = […], path = […] }".to_owned());
    };
    let is_of_it = match listener {
        ListenerKeys::Arn(listener) => names_a(listener.as_str(), "listener/app/")
            .is_some_and(|listener| rule.starts_with(&format!("{listener}/"))),
        ListenerKeys::Of { load_balancer, .. } => rule.starts_with(&format!("{load_balancer}/")),
    };
    match is_of_it {
        true => Ok(()),
        false => Err("it is a rule of another listener".to_owned()),
    }
}

/// What comes after the kind of a load balancer's part in an ARN.
fn names_a<'t>(arn: &'t str, kind: &str) -> Option<&'t str> {
    let mut parts = arn.splitn(6, ':');
    let is_arn = parts.next() == Some("arn");
    let service = parts.nth(1)?;
    let name = parts.nth(2)?.strip_prefix(kind)?;
    (is_arn && service == "elasticloadbalancing" && !name.is_empty()).then_some(name)
}

/// As browsers show it: without the port that goes without saying.
pub(super) fn origin(text: &str) -> std::result::Result<String, String> {
    let wrong =
        || format!("`{text}` is not a URL that users type, such as https://shop.example.com");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    match url.path() == "/" && url.query().is_none() && url.fragment().is_none() {
        true => Ok(url.origin().ascii_serialization()),
        false => Err(
            "it ends with the name and the port: what is asked there is `path` in [probe]"
                .to_owned(),
        ),
    }
}

/// What the listeners that `init` makes are asked by: no certificate of ACM is for
/// an address.
fn served(url: String) -> std::result::Result<String, String> {
    let name = url.strip_prefix("https://").unwrap_or_default();
    let is_name = name.contains('.')
        && name.ends_with(|last: char| last.is_ascii_alphabetic() || last == '.');
    match is_name && !name.contains([':', '[']) {
        true => Ok(url),
        false => Err(
            "with [tls] it is https:// and a name, on port 443, such as https://shop.example.com"
                .to_owned(),
        ),
    }
}
