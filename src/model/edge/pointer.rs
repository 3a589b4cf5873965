//! A thing of AWS that leads all users to one place, by one value: nothing of it needs
//! to be taken over, and it can share nobody out.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::TestRule;
use crate::model::{Color, PerColor};

/// What stands for an instance's own address in a colour's URL.
pub const ADDRESS: &str = "{address}";

/// By the kinds of `[router]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Pointer {
    /// What answers at a path of a custom domain of API Gateway.
    ApiMapping {
        domain: String,
        /// Without slashes around it; empty is the whole domain.
        path: String,
    },
    /// An alternate domain name, which one of two distributions of CloudFront has.
    CloudfrontAlias { alias: String },
    /// The origin that a behaviour of a distribution of CloudFront leads to.
    CloudfrontOrigin {
        /// Its id.
        distribution: String,
        /// By its path pattern; none is the default one.
        behavior: Option<String>,
        /// The id of a copy that a share of users is led to.
        staging: Option<String>,
        /// The paths that edges are told to forget once all users are moved.
        invalidate: Vec<String>,
    },
    /// A static address of Lightsail, which is attached to one instance.
    StaticIp {
        name: String,
        /// For so many seconds users may be without an answer while it moves.
        gap: u32,
    },
}

/// The same, with what it leads to for either colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutedPointer {
    pub pointer: Pointer,
    /// As AWS calls that.
    pub targets: PerColor<String>,
}

impl Pointer {
    /// As `kind` in bgecs.toml.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiMapping { .. } => "api-mapping",
            Self::CloudfrontAlias { .. } => "cloudfront-alias",
            Self::CloudfrontOrigin { .. } => "cloudfront-origin",
            Self::StaticIp { .. } => "static-ip",
        }
    }

    /// By the names of its keys in `[router]`.
    pub fn keys(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::ApiMapping { domain, path } => {
                vec![("domain", domain.clone()), ("path", path.clone())]
            }
            Self::CloudfrontAlias { alias } => vec![("alias", alias.clone())],
            Self::CloudfrontOrigin {
                distribution,
                behavior,
                staging,
                invalidate,
            } => vec![
                ("distribution", distribution.clone()),
                ("behavior", behavior.clone().unwrap_or_default()),
                ("staging", staging.clone().unwrap_or_default()),
                ("invalidate", invalidate.join(" ")),
            ],
            Self::StaticIp { name, gap } => vec![("name", name.clone()), ("gap", gap.to_string())],
        }
    }

    /// What users type, where that goes without saying.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::ApiMapping { domain, path } if path.is_empty() => {
                Some(format!("https://{domain}"))
            }
            Self::ApiMapping { domain, path } => Some(format!("https://{domain}/{path}")),
            Self::CloudfrontAlias { alias } => Some(format!("https://{alias}")),
            Self::CloudfrontOrigin { .. } | Self::StaticIp { .. } => None,
        }
    }

    /// Where a colour is looked at, where that goes without saying.
    pub fn backend(&self) -> Option<&'static str> {
        match self {
            Self::StaticIp { .. } => Some("http://{address}"),
            _ => None,
        }
    }

    /// The custom domain that may have rules by which a request names its colour.
    pub fn domain(&self) -> Option<&str> {
        match self {
            Self::ApiMapping { domain, .. } => Some(domain),
            _ => None,
        }
    }

    /// # Errors
    /// In words, why that can be no `target` of a colour.
    pub fn target(&self, text: &str) -> Result<String, String> {
        let (is_one, such_as) = match self {
            Self::ApiMapping { .. } => (
                text.split('/').count() == 2 && text.split('/').all(is_name),
                "an API and a stage of it, such as a1b2c3d4e5/prod",
            ),
            Self::CloudfrontAlias { .. } => (
                is_id(text),
                "the id of a distribution, such as E2QWRUHAPOMQZL",
            ),
            Self::CloudfrontOrigin { .. } => (
                !text.trim().is_empty(),
                "an origin of the distribution, by its id or its domain name",
            ),
            Self::StaticIp { .. } => (
                is_name(text),
                "the name of an instance of Lightsail, such as web-1",
            ),
        };
        match is_one {
            true => Ok(text.to_owned()),
            false => Err(format!(
                "`{text}` cannot be a target here: it takes {such_as}"
            )),
        }
    }
}

/// Whether the text can be a distribution's id.
pub fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() > 1 && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// As instances of Lightsail, APIs and stages have them; `$default` is a stage, too.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    !text.is_empty()
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'@' | b'$'))
}

impl RoutedPointer {
    /// By which a request that names a colour gets there.
    pub fn test_rules(&self) -> Vec<TestRule> {
        let Pointer::ApiMapping { path, .. } = &self.pointer else {
            return Vec::new();
        };
        let of = |color| TestRule {
            color,
            path: path.clone(),
            target: self.targets.get(color).clone(),
        };
        Color::BOTH.map(of).into()
    }
}

/// As a route is called, such as `static address site-ip`.
impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiMapping { domain, path } if path.is_empty() => {
                write!(f, "mapping of {domain}")
            }
            Self::ApiMapping { domain, path } => write!(f, "mapping of {domain}/{path}"),
            Self::CloudfrontAlias { alias } => write!(f, "alias {alias}"),
            Self::CloudfrontOrigin {
                distribution,
                behavior: Some(pattern),
                ..
            } => write!(f, "origin of {distribution} for {pattern}"),
            Self::CloudfrontOrigin { distribution, .. } => write!(f, "origin of {distribution}"),
            Self::StaticIp { name, .. } => write!(f, "static address {name}"),
        }
    }
}
