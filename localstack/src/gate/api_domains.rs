//! Custom domains of API Gateway: what emulators lack of them. MiniStack serves a domain
//! by its API mappings, and keeps a domain's routing mode without obeying it. So the gate keeps
//! routing rules, and sends a request where the first that matches says; and it makes
//! version 1's `UpdateBasePathMapping` of version 2's `UpdateApiMapping`, since both
//! are about the same mappings.
//!
//! - `asked`: what a call is about. `rules`: which way a request goes. Both pure.
//! - `keep`: the calls about rules, and the rules; `mapping`: version 1's mappings.
//! - `serve`: requests to a domain that may have rules.

mod asked;
mod keep;
mod mapping;
mod rules;
mod serve;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::{Method, StatusCode};
use serde_json::Value;

use super::call::Correct;
use super::front::Traffic;
use super::refusal::wrong;
use super::request::{Answer, Operation, Request};
use super::upstream::{Failed, Upstream};
use asked::{Asked, asked, decoded};
use rules::{Mode, Rule};

const SERVICE: &str = "apigateway";
const JSON: &str = "application/json";

/// Domains, and the load balancers that others are for.
pub(super) struct ApiDomains {
    upstream: Upstream,
    others: Arc<dyn Traffic>,
    /// The rules of those domains that may have some, by name in lower case.
    known: Mutex<BTreeMap<String, Vec<Rule>>>,
}

/// What a call is refused for.
type Refusal = (StatusCode, &'static str, String);

impl ApiDomains {
    pub fn new(upstream: Upstream, others: Arc<dyn Traffic>) -> Self {
        Self {
            upstream,
            others,
            known: Mutex::default(),
        }
    }

    async fn answered(&self, request: &Request) -> Result<Answer, Failed> {
        let method = &request.head.method;
        match asked(request.head.uri.path()) {
            Some(Asked::Rules(_) | Asked::Rule(..)) => self.about_rules(request).await,
            Some(Asked::BasePath(domain, base)) if method == Method::PATCH => {
                self.update_mapping(request, (domain, base)).await
            }
            Some(Asked::Domain(domain)) if method == Method::DELETE => {
                let answer = self.upstream.forward(request).await?;
                if answer.status.is_success() {
                    self.known().remove(&key(domain));
                }
                Ok(answer)
            }
            Some(Asked::Domains | Asked::Domain(_)) if method != Method::GET => {
                let answer = self.upstream.forward(request).await?;
                self.remember(&answer);
                Ok(answer)
            }
            _ => self.upstream.forward(request).await,
        }
    }

    /// A domain that the emulator says is to have rules.
    fn remember(&self, answer: &Answer) {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let mode = said["routingMode"].as_str().map(Mode::named);
        if let (Some(name), Some(Mode::RoutingRuleOnly | Mode::RoutingRuleThenApiMapping)) =
            (said["domainName"].as_str(), mode)
        {
            self.known().entry(name.to_ascii_lowercase()).or_default();
        }
    }

    /// As the emulator says; none if it has no such domain.
    async fn mode(&self, domain: &str) -> Result<Option<Mode>, Failed> {
        let path = format!("/v2/domainnames/{domain}");
        let answer = self
            .upstream
            .rest_call(SERVICE, (Method::GET, &path), &[], String::new());
        let answer = answer.await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(Some(Mode::named(
            said["routingMode"].as_str().unwrap_or(""),
        )))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Rule>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As domains are known, of a part of a path.
fn key(domain: &str) -> String {
    decoded(domain).to_ascii_lowercase()
}

fn refused(request: &Request, (status, code, message): Refusal) -> Answer {
    wrong::with_status(request, status, code, &message)
}

impl Correct for ApiDomains {
    fn corrects(&self, operation: &Operation) -> bool {
        let path = operation.name.split_once(' ').map(|(_, path)| path);
        operation.service == SERVICE && path.and_then(asked).is_some()
    }

    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        self.answered(request).boxed()
    }
}
