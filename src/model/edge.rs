//! An app whose colours somebody else runs: two endpoints, and what routes users
//! between them.

mod pointer;
mod record;

use super::{Color, Endpoint, PerColor, PerRoute};
pub use pointer::{ADDRESS, Pointer, RoutedPointer, is_id as is_distribution_id};
pub use record::{
    Alias, Leads, RecordAnswer, RecordSet, RecordType, RoutedRecord, without_dualstack,
};

/// What `init` was told, and took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeInfrastructure {
    pub router: EdgeRouter,
    /// By colour, the URL where it is looked at and its health is asked, up to the
    /// path.
    pub backends: PerColor<String>,
    /// What users type, up to the path.
    pub url: String,
    pub journal_table: String,
    pub endpoints: PerRoute<Endpoint>,
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
    pub fn endpoints(&self) -> PerRoute<Endpoint> {
        PerRoute {
            production: Endpoint::Named(match self {
                Self::Route53(record) => format!("record {}", record.name),
                Self::Pointer(it) => it.pointer.to_string(),
            }),
            test: Endpoint::Named("each colour's own URL".to_owned()),
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

impl EdgeInfrastructure {
    /// Where that colour is looked at.
    pub fn backend(&self, color: Color) -> &str {
        self.backends.get(color)
    }

    /// By which of these names it was made otherwise.
    pub fn differing(&self, told: &[(&'static str, String)]) -> Vec<String> {
        let of = |color| format!("{} {}", self.router.leads(color), self.backend(color));
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
