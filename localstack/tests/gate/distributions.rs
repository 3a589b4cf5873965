//! CloudFront as a store: distributions and invalidations, which are called deployed
//! and completed at once, and nothing is served.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::ETAG;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use roxmltree::Document;

use crate::api::{all, first};

/// Whether a call is of CloudFront's API.
pub fn is_called(path: &str) -> bool {
    path.starts_with("/2020-05-31/")
}

#[derive(Default)]
pub struct Distributions {
    made: usize,
    /// By their ids.
    all: BTreeMap<String, Stored>,
    /// The ids of those of each distribution.
    invalidations: BTreeMap<String, Vec<String>>,
}

struct Stored {
    etag: String,
    config: String,
}

/// What is answered: status, version and XML.
struct Said(u16, Option<String>, String);

impl Said {
    fn refusal(status: u16, code: &str) -> Self {
        let error = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        Self(
            status,
            None,
            format!("<ErrorResponse>{error}</ErrorResponse>"),
        )
    }
}

impl Distributions {
    pub fn respond(&mut self, head: &Parts, body: &str) -> Response<Full<Bytes>> {
        let if_match = head.headers.get("if-match");
        let if_match = if_match.and_then(|etag| etag.to_str().ok());
        let (method, path) = (head.method.as_str(), head.uri.path());
        let Said(status, etag, text) =
            self.answer(method, path, if_match.unwrap_or_default(), body);
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        let etag = etag.and_then(|etag| etag.parse().ok());
        response.headers_mut().extend(etag.map(|etag| (ETAG, etag)));
        response
    }

    fn answer(&mut self, method: &str, path: &str, if_match: &str, body: &str) -> Said {
        let parts: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
        match (method, parts.as_slice()) {
            ("POST", ["distribution"]) => {
                let id = self.named("E");
                self.put(&id, body);
                let mut said = self.described(&id);
                said.0 = 201;
                said
            }
            ("GET", ["distribution"]) => Said(200, None, self.listed()),
            ("GET", ["distribution", id]) => self.described(id),
            ("GET", ["distribution", id, "config"]) => match self.all.get(*id) {
                Some(one) => Said(200, Some(one.etag.clone()), one.config.clone()),
                None => Said::refusal(404, "NoSuchDistribution"),
            },
            ("PUT", ["distribution", id, "config"]) => match self.refusal(id, if_match) {
                Some(refusal) => refusal,
                None => {
                    self.put(id, body);
                    self.described(id)
                }
            },
            ("DELETE", ["distribution", id]) => self.refusal(id, if_match).unwrap_or_else(|| {
                self.all.remove(*id);
                Said(204, None, String::new())
            }),
            ("POST", ["domain-association"]) => self.associate(body),
            ("POST", ["distribution", id, "invalidation"]) => {
                let name = self.named("I");
                let said = invalidation(&name);
                let all = self.invalidations.entry((*id).to_owned()).or_default();
                all.push(name);
                Said(201, None, said)
            }
            ("GET", ["distribution", _, "invalidation", id]) => Said(200, None, invalidation(id)),
            _ => Said::refusal(404, "NotFound"),
        }
    }

    fn named(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{:013}", self.made)
    }

    fn put(&mut self, id: &str, config: &str) {
        let etag = self.named("V");
        // Without the XML declaration.
        let config =
            Document::parse(config).map_or("", |document| &config[document.root_element().range()]);
        let config = config.to_owned();
        self.all.insert(id.to_owned(), Stored { etag, config });
    }

    fn refusal(&self, id: &str, if_match: &str) -> Option<Said> {
        match self.all.get(id) {
            None => Some(Said::refusal(404, "NoSuchDistribution")),
            Some(one) if one.etag != if_match => Some(Said::refusal(412, "PreconditionFailed")),
            Some(_) => None,
        }
    }

    fn described(&self, id: &str) -> Said {
        let Some(one) = self.all.get(id) else {
            return Said::refusal(404, "NoSuchDistribution");
        };
        let head = head(id);
        let config = &one.config;
        let text = format!("<Distribution>{head}{config}</Distribution>");
        Said(200, Some(one.etag.clone()), text)
    }

    fn listed(&self) -> String {
        let one = |id: &String| {
            let head = head(id);
            let name = "DistributionSummary";
            format!("<{name}>{head}<Staging>false</Staging></{name}>")
        };
        let all: String = self.all.keys().map(one).collect();
        format!("<DistributionList><Items>{all}</Items></DistributionList>")
    }

    /// Moves a domain from whatever has it.
    fn associate(&mut self, body: &str) -> Said {
        let given = |name| first(body, name);
        let (Some(domain), Some(to)) = (given("Domain"), given("DistributionId")) else {
            return Said::refusal(400, "InvalidArgument");
        };
        for (id, one) in &mut self.all {
            let mut names = all(&one.config, "CNAME").unwrap_or_default();
            let had = names.len();
            names.retain(|alias| *alias != domain);
            if *id == to {
                names.push(domain.clone());
            }
            if *id == to || names.len() != had {
                self.made += 1;
                one.etag = format!("V{:013}", self.made);
                one.config = with_aliases(&one.config, &names);
            }
        }
        let name = "UpdateDomainAssociationResult";
        let id = format!("<ResourceId>{to}</ResourceId>");
        Said(200, None, format!("<{name}>{id}</{name}>"))
    }
}

fn with_aliases(config: &str, all: &[String]) -> String {
    let (before, rest) = config.split_once("<Aliases>").unwrap_or((config, ""));
    let (_, after) = rest.split_once("</Aliases>").unwrap_or_default();
    format!("{before}{}{after}", aliases(all))
}

/// As a configuration has them.
pub fn aliases(all: &[String]) -> String {
    let items: String = all
        .iter()
        .map(|name| format!("<CNAME>{name}</CNAME>"))
        .collect();
    let count = all.len();
    format!("<Aliases><Quantity>{count}</Quantity><Items>{items}</Items></Aliases>")
}

fn head(id: &str) -> String {
    let domain = format!("d{}.cloudfront.net", id.to_ascii_lowercase());
    format!("<Id>{id}</Id><Status>Deployed</Status><DomainName>{domain}</DomainName>")
}

fn invalidation(id: &str) -> String {
    format!("<Invalidation><Id>{id}</Id><Status>Completed</Status></Invalidation>")
}
