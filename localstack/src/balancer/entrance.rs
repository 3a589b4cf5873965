//! A listener as one node sees it: what it does with a request.
//!
//! Each node has its own view of a listener, which is replaced when the node
//! hears of a change. A request goes by the view at its beginning, also on a
//! connection that was opened under an earlier one.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HOST, SET_COOKIE};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::Groups;
use super::answers::{self, Redirect};
use super::body::Body;
use super::choose::{self, GROUP_COOKIE, TARGET_COOKIE};
use super::config::{Action, Forward, Listener};
use super::proxy::{self, Way};
use super::route;
use super::tasks::Tasks;

/// What a listener does, as of one configuration.
#[derive(Debug)]
pub struct View {
    /// Configurations are numbered: a node never goes back to an earlier one.
    pub number: u64,
    pub listener: Listener,
    /// What an HTTPS listener answers with.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub groups: Arc<Groups>,
    pub idle_timeout: Duration,
}

#[derive(Debug)]
pub struct Entrance {
    view: RwLock<Arc<View>>,
    tasks: Tasks,
}

impl Entrance {
    pub fn new(view: Arc<View>, tasks: &Tasks) -> Arc<Self> {
        Arc::new(Self {
            view: RwLock::new(view),
            tasks: tasks.clone(),
        })
    }

    /// Of the load balancer.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub fn view(&self) -> Arc<View> {
        self.view
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Requests go by that view from now on, unless they go by a later one.
    pub fn show(&self, view: Arc<View>) {
        let mut shown = self.view.write().unwrap_or_else(PoisonError::into_inner);
        if view.number > shown.number {
            *shown = view;
        }
    }

    /// Answers one request; whatever goes wrong is an answer too.
    pub async fn serve(&self, client: IpAddr, request: Request<Incoming>) -> Response<Body> {
        if let Some(status) = refusal(&request) {
            return answers::page(status);
        }
        let view = self.view();
        match route::actions(&view.listener, &request).first() {
            None | Some(Action::Unknown(_)) => answers::page(StatusCode::BAD_GATEWAY),
            Some(Action::FixedResponse {
                status,
                content_type,
                body,
            }) => answers::fixed(*status, content_type.as_deref(), body.as_deref()),
            Some(Action::Redirect {
                status,
                protocol,
                host,
                port: to_port,
                path,
                query,
            }) => {
                let to = Redirect {
                    status: *status,
                    protocol,
                    host,
                    port: to_port,
                    path,
                    query,
                };
                answers::redirect(&to, &request, &view.listener)
            }
            Some(Action::Forward(forward)) => {
                let way = Way {
                    client,
                    port: view.listener.port,
                    is_secured: view.listener.tls.is_some(),
                    idle_timeout: view.idle_timeout,
                };
                self.forward(&view, forward, way, request)
                    .await
                    .unwrap_or_else(answers::page)
            }
        }
    }

    async fn forward(
        &self,
        view: &View,
        forward: &Forward,
        way: Way,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, StatusCode> {
        let nobody = StatusCode::SERVICE_UNAVAILABLE;
        let headers = request.headers();
        let group_cookie = choose::cookie(headers, GROUP_COOKIE);
        let arn = choose::group(forward, group_cookie, fastrand::u32(..)).ok_or(nobody)?;
        let group = view.groups.get(arn).ok_or(nobody)?;
        let seat = group
            .seat(choose::cookie(headers, TARGET_COOKIE))
            .ok_or(nobody)?;
        let to_keep = [
            forward
                .stickiness
                .and_then(|time| choose::set_cookie(GROUP_COOKIE, &choose::group_mark(arn), time)),
            seat.stickiness
                .and_then(|time| choose::set_cookie(TARGET_COOKIE, seat.ticket.mark(), time)),
        ];
        let mut response = proxy::exchange(request, way, seat.ticket, &self.tasks).await?;
        for cookie in to_keep.into_iter().flatten() {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

/// What the load balancer does not serve.
fn refusal<B>(request: &Request<B>) -> Option<StatusCode> {
    let nameless = request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST);
    match *request.method() {
        Method::TRACE => Some(StatusCode::METHOD_NOT_ALLOWED),
        Method::CONNECT => Some(StatusCode::BAD_REQUEST),
        _ if nameless => Some(StatusCode::BAD_REQUEST),
        _ => None,
    }
}
