//! `[router]`, and the colours that it routes between: endpoints that somebody
//! else runs.

use std::net::IpAddr;
use std::time::Duration;

use super::document::Section;
use super::entry::KeyValue;
use super::names::not_empty;
use super::production::origin;
use super::shift::time;
use super::{ConfigError, colors::ColorKeys};
use crate::model::journal::OwnCommand;
use crate::model::{Color, PerColor, without_dualstack};

type Result<T> = std::result::Result<T, ConfigError>;

/// As short as makes a move seen within a minute, and long enough for a resolver to
/// be of use.
const DEFAULT_TTL: u32 = 60;

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
const LONGEST_TTL: u32 = 2_147_483_647;

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
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKeys {
    /// In lower case, without a last dot.
    pub record: String,
    /// The id of its hosted zone; none is the one that serves the name.
    pub zone: Option<String>,
    /// In seconds.
    pub ttl: u32,
    /// Whom the probe asks, each `IP` or `IP:PORT`; empty is this machine's and the
    /// zone's own.
    pub resolvers: Vec<Resolver>,
}

/// A resolver's address.
pub type Resolver = std::net::SocketAddr;

/// A colour that bgecs does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedColor {
    pub points_at: PointsAt,
    /// The hosted zone of an alias's target, where it cannot be found out.
    pub hosted_zone: Option<String>,
    /// Where it is looked at, up to the path.
    pub url: String,
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
}

pub(super) struct RouterSection {
    router: RouterKeys,
    url: Option<String>,
    drain: Duration,
}

/// None where there is no such section.
pub(super) fn router(section: &mut Section<'_>) -> Result<Option<RouterSection>> {
    let Some(kind) = section.take("kind") else {
        // What is in it all the same is an error of its own.
        return match section.is_empty() {
            true => Ok(None),
            false => Err(section.missing("kind", "it is missing: it takes \"route53\"")),
        };
    };
    let router = match kind.string()? {
        "route53" => RouterKeys::Route53(record(section)?),
        "listener" => {
            return Err(kind.invalid(
                "listeners are what bgecs moves where there is no [router]: take the section out",
            ));
        }
        other => {
            return Err(kind.invalid(format!(
                "`{other}` is no kind of router: it takes \"route53\""
            )));
        }
    };
    Ok(Some(RouterSection {
        router,
        url: section.optional("url", |entry| entry.checked(origin))?,
        drain: section.or("drain", DEFAULT_DRAIN, time)?,
    }))
}

fn record(section: &mut Section<'_>) -> Result<RecordKeys> {
    let record = section.optional("record", |entry| entry.checked(dns_name))?;
    let record = record.ok_or_else(|| {
        section.missing(
            "record",
            "it is missing: it is the name that users type, such as www.example.com",
        )
    })?;
    let resolvers = section.optional("resolvers", |entry| {
        let all = entry.strings()?;
        let all = all.iter().map(|text| resolver(text));
        all.collect::<std::result::Result<_, _>>()
            .map_err(|why| entry.invalid(why))
    })?;
    Ok(RecordKeys {
        record,
        zone: section.optional("zone", |entry| entry.checked(zone_id))?,
        ttl: section.or("ttl", DEFAULT_TTL, |entry| entry.number(1..=LONGEST_TTL))?,
        resolvers: resolvers.unwrap_or_default(),
    })
}

impl Edge {
    /// What of it `init` was told, by the names of the keys.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let RouterKeys::Route53(record) = &self.router;
        vec![
            ("record", record.record.clone()),
            ("ttl", record.ttl.to_string()),
            ("url", self.url.clone()),
            (
                "blue",
                format!("{} {}", self.colors.blue.points_at, self.colors.blue.url),
            ),
            (
                "green",
                format!("{} {}", self.colors.green.points_at, self.colors.green.url),
            ),
        ]
    }
}

/// As it was written.
impl std::fmt::Display for PointsAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(without_dualstack(name)),
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
        let RouterKeys::Route53(record) = &self.router;
        Edge {
            url: self
                .url
                .unwrap_or_else(|| format!("https://{}", record.record)),
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

    /// Of the keys of `[colors.<color>]`; `target` was taken.
    pub(super) fn read(
        section: &mut Section<'_>,
        target: &KeyValue<'_>,
        color: Color,
    ) -> Result<Self> {
        let url = section.optional("url", |entry| entry.checked(origin))?;
        Ok(Self {
            points_at: PointsAt::read(target)?,
            hosted_zone: section.optional("hosted_zone", |entry| entry.checked(zone_id))?,
            url: url.ok_or_else(|| {
                section.missing(
                    "url",
                    format!(
                        "it is missing: it is where {color} is looked at and its health is asked, wherever users are"
                    ),
                )
            })?,
            deploy: section.optional("deploy", |entry| entry.checked(not_empty))?,
            retire: section.optional("retire", |entry| entry.checked(not_empty))?,
        })
    }
}

impl PointsAt {
    fn read(entry: &KeyValue<'_>) -> Result<Self> {
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
    Ok(PerColor { blue, green })
}

/// A host name, as DNS has it.
fn dns_name(text: &str) -> std::result::Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        let is_plain = bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        is_plain && (1..=63).contains(&label.len())
    };
    match name.len() <= 253 && name.contains('.') && name.split('.').all(is_label) {
        true => Ok(name),
        false => Err(format!(
            "`{text}` is no whole name of DNS, such as www.example.com"
        )),
    }
}

fn zone_id(text: &str) -> std::result::Result<String, String> {
    let id = text.trim_start_matches("/hostedzone/");
    match !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    {
        true => Ok(id.to_owned()),
        false => Err(format!(
            "`{text}` is no id of a hosted zone: those look like Z1D633PJN98FT9"
        )),
    }
}

/// The port that goes without saying is DNS's.
pub fn resolver(text: &str) -> std::result::Result<Resolver, String> {
    let bare = text.parse::<IpAddr>().map(|ip| Resolver::new(ip, 53));
    bare.or_else(|_| text.parse::<Resolver>()).map_err(|_| {
        format!("`{text}` is no resolver: it takes IP or IP:PORT, such as 1.1.1.1 or [::1]:5353")
    })
}
