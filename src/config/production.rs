//! `[production]`: by which name users come in.

use url::Url;

use super::document::Section;
use super::{ConfigError, TlsSection};

/// `[production]`
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

pub(super) fn production(
    section: &mut Section<'_>,
    tls: Option<&TlsSection>,
) -> Result<ProductionSection, ConfigError> {
    let url = section.optional("url", |entry| {
        let url = entry.checked(origin)?;
        match tls {
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
    Ok(ProductionSection { url })
}

/// As browsers show it: without the port that goes without saying.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no URL that users type, such as https://shop.example.com");
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
fn served(url: String) -> Result<String, String> {
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
