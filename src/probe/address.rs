//! What is requested, and at which address.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;
use url::Url;

use super::dns::Dns;
use crate::hidden::Hidden;
use crate::model::{Color, Expected};

/// The header that the test listener's rules look at, to choose a colour.
const COLOR_HEADER: HeaderName = HeaderName::from_static(crate::model::COLOR_HEADER);

/// A URL, and where to connect for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) is_secured: bool,
    /// As in the Host header, without a default port.
    pub(super) authority: String,
    pub(super) path: PathAndQuery,
    /// Where to connect, each a `host:port`.
    pub(super) through: Vec<String>,
    pub(super) host: String,
    /// The resolver for its names; None is this machine's, as in every other program.
    pub(super) dns: Option<Dns>,
    port: u16,
    /// A file with certificate authorities to trust in addition to the system's.
    pub(super) ca_file: Option<PathBuf>,
    login: Option<Hidden>,
    color: Option<Color>,
    /// A header without which the load balancer does not let requests in.
    secret: Option<(HeaderName, HeaderValue)>,
}

impl Address {
    /// # Errors
    /// In words: it is not a complete `http` or `https` URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
        let is_secured = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err("a URL begins with http:// or https://".to_owned()),
        };
        let host = url.host_str().ok_or("the URL names no host")?;
        // The URL has one of the two schemes, and so a port.
        let port = url.port_or_known_default().unwrap_or(80);
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self {
            is_secured,
            authority: match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            path: path
                .parse()
                .map_err(|error| format!("`{path}` is not a path: {error}"))?,
            through: vec![format!("{host}:{port}")],
            host: host.trim_matches(['[', ']']).to_owned(),
            dns: None,
            port,
            ca_file: None,
            login: login(&url),
            color: None,
            secret: None,
        })
    }

    /// Connects to these addresses, each a `host:port`, instead of the URL's host; the
    /// request keeps its Host header.
    pub fn through(mut self, addresses: &[String]) -> Self {
        if !addresses.is_empty() {
            self.through = addresses.to_vec();
        }
        self
    }

    /// Connects to that host on the URL's own port; the request keeps its Host header,
    /// and TLS its name.
    pub fn at_nodes_of(mut self, host: &str) -> Self {
        self.through = vec![format!("{host}:{}", self.port)];
        self
    }

    /// Connects to the addresses that this resolver gives for the host.
    pub fn resolved_by(mut self, dns: Dns) -> Self {
        self.dns = Some(dns);
        self
    }

    /// The address, and the resolver if one was given.
    pub fn way(&self) -> String {
        match &self.dns {
            Some(dns) => format!("{self} by {dns}"),
            None => self.to_string(),
        }
    }

    /// Also trusts the certificate authorities in that file.
    pub fn trusting(mut self, ca_file: Option<PathBuf>) -> Self {
        self.ca_file = ca_file;
        self
    }

    /// On the test port: requests this colour, wherever the listener points.
    pub fn asking_for(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Sends that header with each request, and shows its value to nobody.
    pub fn showing(mut self, secret: Option<(HeaderName, HeaderValue)>) -> Self {
        self.secret = secret.map(|(name, mut value)| {
            value.set_sensitive(true);
            (name, value)
        });
        self
    }

    /// What answers may repeat but nobody may be shown.
    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_ref()?.1.to_str().ok()
    }

    #[cfg(test)]
    pub fn secret_name(&self) -> Option<&str> {
        self.secret.as_ref().map(|(name, _)| name.as_str())
    }

    /// Appends a path to what the address has so far.
    ///
    /// # Errors
    /// In words: it is not a path of a URL.
    pub fn at_path(mut self, path: &str) -> Result<Self, String> {
        if !path.starts_with('/') {
            return Err(format!("a path begins with a slash, unlike `{path}`"));
        }
        let prefix = self.path.path().trim_end_matches('/');
        let whole = format!("{prefix}{path}");
        self.path = whole
            .parse()
            .map_err(|error| format!("`{path}` is not a path: {error}"))?;
        Ok(self)
    }

    pub fn is_secured(&self) -> bool {
        self.is_secured
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.is_secured { "https" } else { "http" }
    }

    /// The headers that the address requires.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let login = self.login.as_ref().and_then(|login| {
            let basic = format!("Basic {}", STANDARD.encode(login.reveal()));
            let mut value = HeaderValue::from_str(&basic).ok()?;
            value.set_sensitive(true);
            Some((AUTHORIZATION, value))
        });
        let color = self
            .color
            .map(|color| (COLOR_HEADER, HeaderValue::from_static(color.as_str())));
        let secret = self.secret.clone();
        login.into_iter().chain(color).chain(secret).collect()
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        Self::parse(url)
    }
}

/// `user:password`, for HTTP's Basic scheme.
fn login(url: &Url) -> Option<Hidden> {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = url.password().unwrap_or_default();
    let is_named = !url.username().is_empty() || !password.is_empty();
    is_named.then(|| {
        let login = format!("{}:{}", decoded(url.username()), decoded(password));
        Hidden::new(login)
    })
}

/// As a person would type it, without a password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = match self.login {
            Some(_) => "***@",
            None => "",
        };
        let (scheme, authority, path) = (self.scheme(), &self.authority, &self.path);
        write!(f, "{scheme}://{login}{authority}{path}")
    }
}

/// Which HTTP is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1
    #[default]
    Auto,
    /// HTTP/1.1
    One,
    /// HTTP/2, also without TLS
    Two,
}

impl Version {
    pub const ALL: [Self; 3] = [Self::Auto, Self::One, Self::Two];

    /// As a flag and the file name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::One => "1.1",
            Self::Two => "2",
        }
    }
}

/// How requests are made, and what counts as a good answer.
#[derive(Debug, Clone)]
pub struct Question {
    pub method: Method,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub version: Version,
    /// The header in which an app may name its release.
    pub release_header: HeaderName,
    pub expected: Expected,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            method: Method::GET,
            headers: Vec::new(),
            version: Version::default(),
            release_header: HeaderName::from_static("x-bgecs-release"),
            expected: Expected::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detour_keeps_the_host_header() {
        let direct = Address::parse("http://lb.example").unwrap();
        let direct = direct.at_path("/api?a=b").unwrap();
        assert_eq!(direct.to_string(), "http://lb.example/api?a=b");
        assert_eq!(direct.through, ["lb.example:80"]);
        let below = Address::parse("https://api.example/prod/").unwrap();
        let below = below.at_path("/health").unwrap();
        assert_eq!(below.to_string(), "https://api.example/prod/health");
        let detour = Address::parse("https://lb.example:81/api").unwrap();
        let detour = detour.through(&["127.0.0.1:4566".to_owned()]);
        assert_eq!(detour.authority, "lb.example:81");
        assert_eq!(detour.through, ["127.0.0.1:4566"]);
        assert_eq!(detour.to_string(), "https://lb.example:81/api");
    }

    #[test]
    fn a_name_is_asked_at_the_nodes_of_its_load_balancer() {
        for (url, port) in [("https://a.example", 443), ("https://a.example:8443", 8443)] {
            let address = Address::parse(url).unwrap().at_nodes_of("lb.example");
            assert_eq!(address.through, [format!("lb.example:{port}")]);
            assert_eq!(address.host, "a.example");
            assert_eq!(address.to_string(), format!("{url}/"));
        }
    }

    #[test]
    fn a_password_in_an_address_is_used_and_not_shown() {
        let address = Address::parse("http://me:hunter%4022@a.example:81/b@c?d").unwrap();
        assert_eq!(address.to_string(), "http://***@a.example:81/b@c?d");
        let headers = address.headers();
        let [(AUTHORIZATION, value)] = &headers[..] else {
            panic!("{headers:?}");
        };
        let sent = format!("Basic {}", STANDARD.encode("me:hunter@22"));
        assert_eq!(value, sent.as_str());
        for shown in [format!("{address:?}"), format!("{headers:?}")] {
            assert!(!shown.contains("hunter"), "{shown}");
        }
        let open = Address::parse("https://a.example?b=@c").unwrap();
        assert_eq!(open.to_string(), "https://a.example/?b=@c");
        assert_eq!(open.headers(), []);
    }

    #[test]
    fn a_host_may_be_an_address_of_either_family() {
        let address = Address::parse("http://[::1]:8080/").unwrap();
        assert_eq!(address.through, ["[::1]:8080"]);
        assert_eq!(address.host, "::1");
        assert_eq!(address.authority, "[::1]:8080");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in ["", "lb.example", "ftp://lb.example", "http://", "/api"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        let address = Address::parse("http://lb.example").unwrap();
        assert!(address.at_path("api").is_err());
    }
}
