//! Where a person on this machine opens what a load balancer serves, if its own
//! name leads nowhere here: a local AWS has names that no DNS knows, and what
//! `--connect-to` redirects is reached by bgecs alone.
//!
//! The local AWS of this repository says where its load balancers listen. For
//! anything else the way is curl's, which keeps the Host header.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::model::{Answer, COLOR_HEADER, Color, EcsInfrastructure, Endpoint, PerRoute, Route};
use crate::probe::{Address, Question, ask_once};

/// It answers at once, or is not there.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Here {
    /// A browser's.
    Url(String),
    /// A command, with options of its own.
    Curl { options: String, url: String },
}

/// For people: behind the URL that is shown.
impl fmt::Display for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "here {url}"),
            Self::Curl { options, url } => write!(f, "here `curl{options} {url}`"),
        }
    }
}

impl Serialize for Here {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Url(url) => serializer.serialize_str(url),
            Self::Curl { options, url } => serializer.collect_str(&format!("curl{options} {url}")),
        }
    }
}

/// The URL, and where it opens here.
pub fn beside(url: &impl fmt::Display, here: Option<&Here>) -> String {
    match here {
        Some(here) => format!("{url} ({here})"),
        None => url.to_string(),
    }
}

/// The command that shows a colour by its name, where the URL alone shows another.
/// `color` where each colour has no URL of its own; `path` is what a person looks at
/// there.
pub fn asking(
    color: Option<Color>,
    (url, path): (&str, &str),
    ca_file: Option<&Path>,
    here: Option<&Here>,
) -> String {
    let (options, url) = match here {
        Some(Here::Curl { options, url }) => (options.clone(), url.as_str()),
        Some(Here::Url(url)) => (String::new(), url.as_str()),
        None => (trusting(url, ca_file), url),
    };
    let url = url.trim_end_matches('/');
    let header = color.map(|color| format!(" -H '{COLOR_HEADER}: {color}'"));
    format!("curl{options}{} {url}{path}", header.unwrap_or_default())
}

fn trusting(url: &str, ca_file: Option<&Path>) -> String {
    match ca_file {
        Some(file) if url.starts_with("https:") => format!(" --cacert {}", file.display()),
        _ => String::new(),
    }
}

/// `path`: what is looked at; `through`: where bgecs connects instead; nowhere else if it is empty.
/// `ca_file`: whose issuers are trusted beside the system's.
pub async fn here(
    through: &[String],
    ca_file: Option<&Path>,
    infra: &EcsInfrastructure,
) -> Option<PerRoute<Here>> {
    let first = through.first()?;
    let name = &infra.load_balancer_dns_name;
    let ports = [Route::Production, Route::Test].map(|route| port(infra, route));
    let ports = ports.into_iter().flatten();
    let ports: String = ports.map(|port| format!("&port={port}")).collect();
    let asked = Address::parse(&format!(
        "http://{first}/_gate/balancers?dns_name={name}{ports}"
    ));
    let said = match asked {
        Ok(address) => {
            ask_once(&address, &Question::default(), PATIENCE)
                .await
                .answer
        }
        Err(_) => return None,
    };
    let of = |route| {
        let door = port(infra, route).and_then(|port| door(&said, name, port));
        let door = door.map(|door| Here::Url(format!("{door}/")));
        door.unwrap_or_else(|| {
            let url = format!("{}/", infra.url(route));
            let options = format!("{} --connect-to ::{first}", trusting(&url, ca_file));
            Here::Curl { options, url }
        })
    };
    Some(PerRoute {
        production: of(Route::Production),
        test: of(Route::Test),
    })
}

/// By which a browser finds the listener whatever the name that it asks; a
/// certificate is for one name alone.
fn port(infra: &EcsInfrastructure, route: Route) -> Option<u16> {
    match infra.endpoints.get(route) {
        Endpoint::Port(port) => Some(*port),
        Endpoint::Named(_) | Endpoint::Several(_) | Endpoint::Header => None,
    }
}

/// Where that listener has an address of this machine's.
fn door(said: &Answer, name: &str, port: u16) -> Option<String> {
    let Answer::Http {
        status: 200, body, ..
    } = said
    else {
        return None;
    };
    let said: serde_json::Value = serde_json::from_str(body).ok()?;
    let balancers = said.get("load_balancers")?.as_array()?;
    let one = balancers.iter().find(|one| one["dns_name"] == name)?;
    let door = one["listeners"][port.to_string()].get(0)?.as_str()?;
    Some(format!(
        "http://{}",
        door.strip_suffix(":80").unwrap_or(door)
    ))
}

#[cfg(test)]
mod tests;
