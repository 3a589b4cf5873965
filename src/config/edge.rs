//! `[router]`, and the colours that it routes between: endpoints that bgecs does not run.

mod pointer;
mod record;

use std::net::IpAddr;
use std::time::Duration;

use super::document::Section;
use super::entry::KeyValue;
use super::names::not_empty;
use super::production::origin;
use super::shift::time;
use super::{ConfigError, colors::ColorKeys};
use crate::model::journal::OwnCommand;
use crate::model::{ADDRESS, Backends, Color, PerColor, Pointer, without_dualstack};
pub use record::{RecordKeys, Resolver, resolver};
use record::{dns_name, record, zone_id};

type Result<T> = std::result::Result<T, ConfigError>;

/// For how long `retire` waits for resolvers that keep an answer too long.
const DEFAULT_DRAIN: Duration = Duration::from_secs(3600);

/// What routes users, and between what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub router: RouterKeys,
    /// What users type, up to the path.
    pub url: String,
    /// After a move the colour that users left is kept for so long at the most,
    /// where something shows it to somebody still.
    pub drain: Duration,
    pub colors: PerColor<HostedColor>,
}

/// By its `kind`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouterKeys {
    Route53(RecordKeys),
    Pointer(Pointer),
}

/// The kinds of `[router]`; `listener` and `rule` need no such section.
const KINDS: &[&str] = &[
    "route53",
    "cloudfront-origin",
    "cloudfront-alias",
    "api-mapping",
    "static-ip",
];

/// A colour that bgecs does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedColor {
    pub points_at: PointsAt,
    /// The hosted zone of an alias's target, where it cannot be found out.
    pub hosted_zone: Option<String>,
    /// Where it is looked at, up to the path; none where a header shows it at the
    /// router's.
    pub url: Option<String>,
    /// A line for `sh` that puts a release there.
    pub deploy: Option<String>,
    /// One that stops what is there.
    pub retire: Option<String>,
}

/// What the router points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointsAt {
    Addresses(Vec<IpAddr>),
    /// In lower case, without a last dot.
    Name(String),
    /// As AWS calls it.
    Thing(String),
}

pub(super) struct RouterSection {
    router: RouterKeys,
    url: String,
    drain: Duration,
}

/// None where there is no such section.
pub(super) fn router(section: &mut Section<'_>) -> Result<Option<RouterSection>> {
    let Some(kind) = section.take("kind") else {
        // What is in it all the same is an error of its own.
        return match section.is_empty() {
            true => Ok(None),
            false => Err(section.missing("kind", format!("it is missing: {}", kinds_taken()))),
        };
    };
    let router = match kind.string()? {
        "route53" => RouterKeys::Route53(record(section)?),
        "listener" | "rule" => {
            return Err(kind.invalid(
                "listeners and rules are what bgecs moves where there is no [router]: take the section out",
            ));
        }
        other => match pointer::pointer(other, section)? {
            Some(pointer) => RouterKeys::Pointer(pointer),
            None => {
                let taken = kinds_taken();
                return Err(kind.invalid(format!("`{other}` is not a kind of router: {taken}")));
            }
        },
    };
    let url = section.optional("url", |entry| entry.checked(base))?;
    let url = url.or_else(|| router.url()).ok_or_else(|| {
        section.missing(
            "url",
            "it is missing: it is what users type, such as https://www.example.com",
        )
    })?;
    Ok(Some(RouterSection {
        router,
        url,
        drain: section.or("drain", DEFAULT_DRAIN, time)?,
    }))
}

fn kinds_taken() -> String {
    let quoted: Vec<String> = KINDS.iter().map(|kind| format!("\"{kind}\"")).collect();
    format!("it takes {}", quoted.join(", "))
}

impl RouterKeys {
    /// What users type, where that goes without saying.
    fn url(&self) -> Option<String> {
        match self {
            Self::Route53(record) => Some(format!("https://{}", record.record)),
            Self::Pointer(pointer) => pointer.url(),
        }
    }

    pub fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Route53(_) => None,
            Self::Pointer(pointer) => Some(pointer),
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Route53(_) => "route53",
            Self::Pointer(pointer) => pointer.kind(),
        }
    }

    fn told(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Route53(record) => vec![
                ("record", record.record.clone()),
                ("ttl", record.ttl.to_string()),
            ],
            Self::Pointer(pointer) => pointer.keys(),
        }
    }
}

impl Edge {
    /// What of it `init` was told, by the names of the keys.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let backends = self.backends();
        let of = |color| {
            let points_at = &self.colors.get(color).points_at;
            format!("{points_at} {}", backends.told(color))
        };
        let mut told = self.router.told();
        told.extend([
            ("kind", self.router.kind().to_owned()),
            ("url", self.url.clone()),
            ("blue", of(Color::Blue)),
            ("green", of(Color::Green)),
        ]);
        told
    }

    pub fn backends(&self) -> Backends {
        let PerColor { blue, green } = &self.colors;
        match (&blue.url, &green.url) {
            (Some(blue), Some(green)) => Backends::Urls(PerColor {
                blue: blue.clone(),
                green: green.clone(),
            }),
            _ => Backends::ByHeader,
        }
    }
}

/// As it was written.
impl std::fmt::Display for PointsAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(without_dualstack(name)),
            Self::Thing(name) => f.write_str(name),
            Self::Addresses(addresses) => {
                let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(", "))
            }
        }
    }
}

impl RouterSection {
    /// With the colours that it routes between.
    pub(super) fn with(self, colors: PerColor<HostedColor>) -> Edge {
        Edge {
            url: self.url,
            drain: self.drain,
            router: self.router,
            colors,
        }
    }
}

impl HostedColor {
    /// What is run for it, where the file says what.
    pub fn line(&self, own: OwnCommand) -> Option<&str> {
        match own {
            OwnCommand::Deploy => self.deploy.as_deref(),
            OwnCommand::Retire => self.retire.as_deref(),
        }
    }

    /// Reads the keys of `[colors.<color>]`, except for `target`, which was read before.
    pub(super) fn read(
        section: &mut Section<'_>,
        target: &KeyValue<'_>,
        color: Color,
        router: Option<&RouterSection>,
    ) -> Result<Self> {
        let pointer = router.and_then(|it| it.router.pointer());
        let url = section.optional("url", |entry| entry.checked(|text| backend(text, pointer)))?;
        let url = url.or_else(|| pointer?.backend().map(str::to_owned));
        let has_header = pointer.is_some_and(|it| it.domain().is_some());
        if url.is_none() && !has_header {
            return Err(section.missing(
                "url",
                format!(
                    "it is missing: it is where {color} is looked at and its health is asked, wherever users are"
                ),
            ));
        }
        Ok(Self {
            points_at: PointsAt::read(target, pointer)?,
            hosted_zone: section.optional("hosted_zone", |entry| entry.checked(zone_id))?,
            url,
            deploy: section.optional("deploy", |entry| entry.checked(not_empty))?,
            retire: section.optional("retire", |entry| entry.checked(not_empty))?,
        })
    }
}

/// Where a colour is looked at; the address in it may be for AWS to say.
fn backend(text: &str, pointer: Option<&Pointer>) -> std::result::Result<String, String> {
    let has_address = pointer.is_some_and(|it| it.backend().is_some());
    match has_address && text.contains(ADDRESS) {
        true => {
            base(&text.replace(ADDRESS, "192.0.2.1")).map(|_| text.trim_end_matches('/').to_owned())
        }
        false => base(text),
    }
}

/// An origin, and what every path that is asked there has ahead of it.
fn base(text: &str) -> std::result::Result<String, String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return origin(text);
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let origin = origin(&format!("{scheme}://{host}"))?;
    let path = path.trim_end_matches('/');
    match (path, path.contains(['?', '#', ' '])) {
        ("", _) => Ok(origin),
        (_, false) => Ok(format!("{origin}/{path}")),
        (_, true) => Err("what is asked there is `path` in [probe]: it ends with a name, a port, or the path that all of it has".to_owned()),
    }
}

impl PointsAt {
    fn read(entry: &KeyValue<'_>, pointer: Option<&Pointer>) -> Result<Self> {
        if let Some(pointer) = pointer {
            return entry.checked(|text| pointer.target(text)).map(Self::Thing);
        }
        let all = match entry.string() {
            Ok(one) => vec![one.to_owned()],
            Err(_) => entry.strings()?,
        };
        let addresses: Vec<IpAddr> = all.iter().filter_map(|it| it.parse().ok()).collect();
        match all.as_slice() {
            [] => Err(entry.invalid("it is empty: it takes a name, or addresses")),
            _ if addresses.len() == all.len() => Ok(Self::Addresses(addresses)),
            [one] => dns_name(one)
                .map(Self::Name)
                .map_err(|why| entry.invalid(why)),
            _ => Err(entry.invalid("a list takes addresses alone: of a name there is one")),
        }
    }
}

/// The keys of both colours, where neither is a service of ECS.
pub(super) fn both(
    top: &Section<'_>,
    colors: PerColor<ColorKeys>,
) -> Result<PerColor<HostedColor>> {
    let hosted = |color: Color, keys: ColorKeys| {
        match keys {
        ColorKeys::Hosted(hosted) => Ok(*hosted),
        ColorKeys::Service(_) => Err(top.missing(
            &format!("colors.{color}.service"),
            "[router] routes between two colours that bgecs does not run: they have `target` and `url`",
        )),
        ColorKeys::Nothing => Err(top.missing(
            &format!("colors.{color}.target"),
            "it is missing: it is what [router] points at for that colour",
        )),
    }
    };
    let blue = hosted(Color::Blue, colors.blue)?;
    let green = hosted(Color::Green, colors.green)?;
    if blue.points_at == green.points_at {
        return Err(top.missing(
            "colors.green.target",
            "it is blue's, too: users would be on both colours whatever is moved",
        ));
    }
    let without = match (&blue.url, &green.url) {
        (None, Some(_)) => Some(Color::Blue),
        (Some(_), None) => Some(Color::Green),
        _ => None,
    };
    match without {
        None => Ok(PerColor { blue, green }),
        Some(color) => Err(top.missing(
            &format!("colors.{color}.url"),
            format!(
                "it is missing: {} has one; both have one, or neither has, and a header shows each of them at the domain",
                color.other()
            ),
        )),
    }
}
