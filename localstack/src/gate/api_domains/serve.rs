//! Requests to a domain that may have rules: sent where the rules say, else on to the
//! emulator as they came, who knows the domain's mappings.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::rules::{Mode, Way, way};
use super::{ApiDomains, JSON};
use crate::gate::body::{self, Body};
use crate::gate::front::{Traffic, Visitor};

/// Where an emulator on this machine serves the stages of APIs, as
/// `ID.execute-api.REGION.amazonaws.com` is on AWS.
const EXECUTE_API: &str = "execute-api.localhost";

impl Traffic for ApiDomains {
    fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.others.tls()
    }

    fn takes(&self, host: &str) -> bool {
        self.known().contains_key(&name(host)) || self.others.takes(host)
    }

    fn serve(
        &self,
        visitor: Visitor,
        host: String,
        request: hyper::Request<Incoming>,
    ) -> BoxFuture<'_, Response<Body>> {
        if self.known().contains_key(&name(&host)) {
            return self.served(name(&host), request).boxed();
        }
        self.others.serve(visitor, host, request)
    }
}

impl ApiDomains {
    async fn served(&self, domain: String, request: hyper::Request<Incoming>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        // The handle of an upgrade is nobody's from here on.
        head.extensions.clear();
        let mode = match self.mode(&domain).await {
            // Without the domain, the emulator says what there is.
            Ok(mode) => mode.unwrap_or(Mode::ApiMappingOnly),
            Err(failed) => return said(StatusCode::BAD_GATEWAY, &failed.to_string()),
        };
        let rules = self.known().get(&domain).cloned().unwrap_or_default();
        let head = match way(mode, &rules, head.uri.path(), &head.headers) {
            Way::Forbidden => return said(StatusCode::FORBIDDEN, "Forbidden"),
            Way::Mapping => head,
            Way::Invoke { api, stage, path } => match redirected(head, &api, &stage, &path) {
                Some(head) => head,
                None => return said(StatusCode::FORBIDDEN, "Forbidden"),
            },
        };
        match self.upstream.pass(head, body::streamed(body)).await {
            Ok(answer) => answer.map(body::streamed),
            Err(failed) => said(StatusCode::BAD_GATEWAY, &failed.to_string()),
        }
    }
}

/// The same request to the stage of an API; none if those have no such names.
fn redirected(mut head: Parts, api: &str, stage: &str, path: &str) -> Option<Parts> {
    let query = head.uri.query().map(|query| format!("?{query}"));
    let query = query.unwrap_or_default();
    head.uri = format!("/{stage}{path}{query}").parse().ok()?;
    let host = HeaderValue::from_str(&format!("{api}.{EXECUTE_API}")).ok()?;
    head.headers.insert(HOST, host);
    Some(head)
}

/// The name in a Host header, in lower case.
fn name(host: &str) -> String {
    let name = host.split(':').next().unwrap_or_default();
    name.to_ascii_lowercase()
}

/// As API Gateway itself answers.
fn said(status: StatusCode, message: &str) -> Response<Body> {
    let text = serde_json::json!({ "message": message }).to_string();
    let mut response = Response::new(body::whole(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(JSON);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
