//! An app whose colours bgecs does not run: two endpoints, and what routes users between
//! them.

mod pointer;
mod record;
mod test_rule;

use super::{COLOR_HEADER, Color, Endpoint, PerColor, PerRoute};
pub use pointer::{ADDRESS, Pointer, RoutedPointer, is_id as is_distribution_id};
pub use record::{
    Alias, Leads, RecordAnswer, RecordSet, RecordType, RoutedRecord, without_dualstack,
};
pub use test_rule::{RoutingMode, RoutingRule, TestRule};

/// What `init` was told, and took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeInfrastructure {
    pub router: EdgeRouter,
    pub backends: Backends,
    /// What users type, up to the path.
    pub url: String,
    pub journal_table: String,
    pub endpoints: PerRoute<Endpoint>,
}

/// Where a colour is looked at and its health is asked, wherever users are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backends {
    /// At its own URL, up to the path.
    Urls(PerColor<String>),
    /// Where users come in, by a header that names it.
    ByHeader,
}

/// The AWS thing that decides where such an app's users go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EdgeRouter {
    Route53(RoutedRecord),
    Pointer(RoutedPointer),
}

impl EdgeRouter {
    /// As `kind` in bgecs.toml.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Route53(_) => "route53",
            Self::Pointer(it) => it.pointer.kind(),
        }
    }

    pub fn record(&self) -> Option<&RoutedRecord> {
        match self {
            Self::Route53(record) => Some(record),
            Self::Pointer(_) => None,
        }
    }

    pub fn pointer(&self) -> Option<&RoutedPointer> {
        match self {
            Self::Route53(_) => None,
            Self::Pointer(it) => Some(it),
        }
    }

    /// The instance of Lightsail that is that colour.
    pub fn instance(&self, color: Color) -> Option<&str> {
        let Self::Pointer(it) = self else {
            return None;
        };
        match it.pointer {
            Pointer::StaticIp { .. } => Some(it.targets.get(color)),
            _ => None,
        }
    }

    /// What the routes are called.
    pub fn endpoints(&self, backends: &Backends) -> PerRoute<Endpoint> {
        PerRoute {
            production: Endpoint::Named(match self {
                Self::Route53(record) => format!("record {}", record.name),
                Self::Pointer(it) => it.pointer.to_string(),
            }),
            test: match backends {
                Backends::Urls(_) => Endpoint::Named("each colour's own URL".to_owned()),
                Backends::ByHeader => Endpoint::Header,
            },
        }
    }

    /// What it was made by, by the names of the keys; where it leads to for a colour is
    /// the colour's.
    fn made(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Route53(record) => vec![
                ("record", record.name.clone()),
                ("ttl", record.ttl.to_string()),
            ],
            Self::Pointer(it) => it.pointer.keys(),
        }
    }

    fn leads(&self, color: Color) -> String {
        match self {
            Self::Route53(record) => record.leads(color),
            Self::Pointer(it) => it.targets.get(color).clone(),
        }
    }
}

impl Backends {
    /// As [`EdgeInfrastructure::differing`] compares it.
    pub fn told(&self, color: Color) -> &str {
        match self {
            Self::Urls(urls) => urls.get(color),
            Self::ByHeader => COLOR_HEADER,
        }
    }
}

impl EdgeInfrastructure {
    /// Where that colour is looked at; by the header, where there is one.
    pub fn backend(&self, color: Color) -> &str {
        match &self.backends {
            Backends::Urls(urls) => urls.get(color),
            Backends::ByHeader => &self.url,
        }
    }

    /// What a request there has that is for that colour.
    pub fn header(&self, color: Color) -> Option<String> {
        match self.backends {
            Backends::Urls(_) => None,
            Backends::ByHeader => Some(format!("{COLOR_HEADER}: {color}")),
        }
    }

    /// Its own, by which colours are looked at.
    pub fn test_rules(&self) -> Vec<TestRule> {
        match (&self.backends, &self.router) {
            (Backends::ByHeader, EdgeRouter::Pointer(it)) => it.test_rules(),
            (Backends::ByHeader, EdgeRouter::Route53(_)) | (Backends::Urls(_), _) => Vec::new(),
        }
    }

    /// By which of these names it was made otherwise.
    pub fn differing(&self, told: &[(&'static str, String)]) -> Vec<String> {
        let of = |color| format!("{} {}", self.router.leads(color), self.backends.told(color));
        let mut made = self.router.made();
        made.extend([
            ("kind", self.router.kind().to_owned()),
            ("url", self.url.clone()),
            ("blue", of(Color::Blue)),
            ("green", of(Color::Green)),
        ]);
        let differs = |(name, value): &&(&'static str, String)| {
            let mut made = made.iter();
            made.any(|(other, made)| other == name && made != value)
        };
        told.iter()
            .filter(differs)
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }
}
