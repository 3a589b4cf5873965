//! `[test]`: how testers come in at a load balancer that bgecs did not make.

use std::str::FromStr;

use url::{Host, Url};

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::production::{ListenerKeys, ProductionSection, RuleKey};
use crate::model::{COLOR_HEADER, Color};

type Result<T> = std::result::Result<T, ConfigError>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestKey {
    /// Where users do: each request names its colour in a header.
    Header,
    /// At a listener of bgecs's own on that port.
    Port(u16),
    /// Where users do, by a name of their own.
    Host(String),
}

/// The keys that say it, not judged yet.
pub(super) struct TestKeys<'a> {
    header: Option<KeyValue<'a>>,
    port: Option<KeyValue<'a>>,
    host: Option<KeyValue<'a>>,
}

pub(super) fn test<'a>(section: &mut Section<'a>) -> Result<TestKeys<'a>> {
    Ok(TestKeys {
        header: section.take("header"),
        port: section.take("port"),
        host: section.take("host"),
    })
}

impl<'a> TestKeys<'a> {
    /// The first of them that is there.
    pub(super) fn any(&self) -> Option<&KeyValue<'a>> {
        let all = [&self.header, &self.port, &self.host];
        all.into_iter().flatten().next()
    }

    /// The header, where nothing is said.
    pub(super) fn judged(
        self,
        listener: &ListenerKeys,
        rule: &RuleKey,
        production: &ProductionSection,
    ) -> Result<TestKey> {
        let all = [self.header, self.port, self.host];
        let mut said = all.into_iter().flatten();
        let (Some(entry), second) = (said.next(), said.next()) else {
            return Ok(TestKey::Header);
        };
        if let Some(second) = second {
            let message = format!("`{}` says it already: keep one of them", entry.name);
            return Err(second.misplaced(message));
        }
        match entry.name.as_str() {
            "port" => port(&entry, listener).map(TestKey::Port),
            "host" => host(&entry, rule, production).map(TestKey::Host),
            _ => judge_header(entry).map(|()| TestKey::Header),
        }
    }
}

fn port(entry: &KeyValue<'_>, listener: &ListenerKeys) -> Result<u16> {
    let port = entry.number(1..=65535)?;
    match listener {
        ListenerKeys::Of { port: users, .. } if *users == port => {
            Err(entry.invalid("users come in there: testers need another one"))
        }
        _ => Ok(port),
    }
}

/// One name, as a rule takes it and a certificate has it.
fn host(entry: &KeyValue<'_>, rule: &RuleKey, production: &ProductionSection) -> Result<String> {
    let host = entry.checked(|text| {
        let url = Url::parse(&format!("https://{text}/")).ok();
        let name = url.as_ref().and_then(|url| match url.host() {
            Some(Host::Domain(name)) if name.eq_ignore_ascii_case(text) => Some(name.to_owned()),
            _ => None,
        });
        let name = name.filter(|name| !name.contains(['*', '?']) && !name.ends_with('.'));
        name.ok_or_else(|| format!("`{text}` is not a bare name, such as next.example.com"))
    })?;
    let of_rule = match rule {
        RuleKey::With { host, .. } => host.as_slice(),
        RuleKey::DefaultAction | RuleKey::Arn(_) => &[],
    };
    let users = of_rule.iter().map(String::as_str).chain(production.host());
    match users.into_iter().any(|it| it.eq_ignore_ascii_case(&host)) {
        true => Err(entry.invalid("users come in by this name: testers need another one")),
        false => Ok(host),
    }
}

/// There is one header as yet. Each colour has its rule, whichever is named here.
fn judge_header(entry: KeyValue<'_>) -> Result<()> {
    let is_it = |name: &str| name.eq_ignore_ascii_case(COLOR_HEADER);
    let other = format!("tests are told by the header {COLOR_HEADER}");
    if let Ok(name) = entry.string() {
        return match is_it(name) {
            true => Ok(()),
            false => Err(entry.invalid(other)),
        };
    }
    let nothing = entry.misused(format!("it takes \"{COLOR_HEADER}\""));
    let entries = entry.table()?;
    for header in &entries {
        if !is_it(&header.name) {
            return Err(header.misplaced(other));
        }
        header.checked(Color::from_str)?;
    }
    match entries.is_empty() {
        true => Err(nothing),
        false => Ok(()),
    }
}
