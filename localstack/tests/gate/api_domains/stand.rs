//! An emulator of API Gateway that knows domains and their mappings, and no rules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::api::Outcome;
use crate::server::serve;

/// Runs until it is dropped.
pub struct Stand {
    pub endpoint: String,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// The names of the APIs; an id is a number.
    apis: Vec<String>,
    domains: BTreeMap<String, Value>,
    /// The only one of each domain.
    mappings: BTreeMap<String, Value>,
}

impl Stand {
    pub async fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State::default()));
        let server = tokio::spawn(serve(listener, move |request| {
            answer(state.clone(), request)
        }));
        Ok(Self { endpoint, server })
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes);
    let input = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok());
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let path = head.uri.path().trim_start_matches('/');
    let said = match state.served(host.unwrap_or_default(), path) {
        Some(name) => Some(json!({ "api": name })),
        None => state.obey(head.method.as_str(), path, input),
    };
    let mut response = Response::new(Full::new(Bytes::from(
        said.clone().unwrap_or_default().to_string(),
    )));
    if said.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// What is left of an object, and then what another has.
fn merge(kept: &mut Value, change: &Value) {
    for (key, value) in change.as_object().into_iter().flatten() {
        kept[key] = value.clone();
    }
}

impl State {
    /// The API that is reached by that host, if one is.
    fn served(&self, host: &str, path: &str) -> Option<&String> {
        let id = match host.strip_suffix(".execute-api.localhost") {
            Some(id) if path == "live/" => id,
            Some(_) => return None,
            None => self.mappings.get(host)?["apiId"].as_str()?,
        };
        self.apis.get(id.parse::<usize>().ok()?)
    }

    /// None if there is no such thing.
    fn obey(&mut self, method: &str, path: &str, input: Value) -> Option<Value> {
        let parts: Vec<&str> = path.split('/').collect();
        match (method, &parts[..]) {
            ("POST", ["restapis"]) => {
                self.apis.push(input["name"].as_str()?.to_owned());
                Some(json!({"id": (self.apis.len() - 1).to_string()}))
            }
            ("GET", ["restapis", _, "resources"]) => Some(json!({"item": [{"id": "root"}]})),
            ("PUT" | "POST" | "DELETE", ["restapis", ..]) => Some(json!({})),
            ("DELETE", ["v2", "domainnames", name]) => self.domains.remove(*name),
            ("POST", ["v2", "domainnames"]) => {
                let name = input["domainName"].as_str()?.to_owned();
                self.domains.insert(name, input.clone());
                Some(input)
            }
            ("GET" | "PATCH", ["v2", "domainnames", name]) => {
                let domain = self.domains.get_mut(*name)?;
                merge(domain, &input);
                Some(domain.clone())
            }
            ("POST", ["v2", "domainnames", name, "apimappings"]) => {
                let mut mapping = json!({"apiMappingId": "m1"});
                merge(&mut mapping, &input);
                self.mappings.insert((*name).to_owned(), mapping.clone());
                Some(mapping)
            }
            ("GET", ["v2", "domainnames", name, "apimappings"]) => {
                Some(json!({"items": [self.mappings.get(*name)?]}))
            }
            ("GET" | "PATCH", ["v2", "domainnames", name, "apimappings", "m1"]) => {
                let mapping = self.mappings.get_mut(*name)?;
                merge(mapping, &input);
                Some(mapping.clone())
            }
            _ => None,
        }
    }
}
