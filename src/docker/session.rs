//! The session of a build: a connection over which BuildKit, as the client,
//! asks this process for files, secrets, registry credentials and SSH agents.
//!
//! bollard 0.21.1 has a session as well, but one that serves credentials only (the pull
//! request that opens it, <https://github.com/fussybeaver/bollard/pull/731>, is not
//! released), so this one is opened beside it.

use std::pin::Pin;

use bollard::grpc::BuildRef;
use bollard::health::health_check_response::ServingStatus;
use bollard::health::health_server::{Health, HealthServer};
use bollard::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use bollard::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard::moby::filesync::v1::auth_server::AuthServer;
use bollard::moby::filesync::v1::file_sync_server::FileSyncServer;
use bollard::moby::sshforward::v1::ssh_server::SshServer;
use bollard::moby::upload::v1::upload_server::UploadServer;
use futures_util::Stream;
use futures_util::stream::{Empty, poll_fn};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::service::TowerToHyperService;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::agent::Agents;
use super::error::DockerError;
use super::filesync::Folders;
use super::login::Logins;
use super::secrets::Values;
use super::upload::Archive;
use super::wire::{Headers, Wire};

/// What BuildKit may ask for, by the names that it uses.
const METHODS: [&str; 4] = [
    "/grpc.health.v1.Health/Check",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
];
/// Only with an agent; otherwise BuildKit itself says that there is none.
const SSH_METHODS: [&str; 2] = [
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
];
const UPLOAD_METHOD: &str = "/moby.upload.v1.Upload/Pull";

/// What a build may get from this machine.
pub(super) struct Offer {
    pub(super) folders: Folders,
    pub(super) secrets: Values,
    pub(super) agents: Agents,
    pub(super) logins: Logins,
    pub(super) archive: Option<Archive>,
}

impl Offer {
    fn methods(&self) -> Vec<&'static str> {
        let mut methods = METHODS.to_vec();
        if !self.agents.is_empty() {
            methods.extend(SSH_METHODS);
        }
        methods.extend(self.archive.is_some().then_some(UPLOAD_METHOD));
        methods
    }

    fn routes(self) -> Routes {
        let mut routes = Routes::new(HealthServer::new(Alive))
            .add_service(FileSyncServer::new(self.folders))
            .add_service(AuthServer::new(self.logins))
            .add_service(SecretsServer::new(self.secrets));
        if !self.agents.is_empty() {
            routes = routes.add_service(SshServer::new(self.agents));
        }
        if let Some(archive) = self.archive {
            routes = routes.add_service(UploadServer::new(archive));
        }
        routes.prepare()
    }
}

/// A service's answer, one message after the other.
pub(super) type MessageStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

pub(super) fn stream_of<T: Send + 'static>(
    mut answer: mpsc::Receiver<Result<T, Status>>,
) -> MessageStream<T> {
    Box::pin(poll_fn(move |context| answer.poll_recv(context)))
}

/// An open session. Dropping it closes it, and BuildKit then gives up.
#[derive(Debug)]
pub(super) struct BuildSession {
    id: String,
    server: AbortHandle,
}

impl BuildSession {
    /// `shared_key` lets BuildKit recognise the context of an earlier build, so that it
    /// only asks for what has changed.
    pub(super) async fn open(
        wire: &Wire,
        path: &str,
        shared_key: Option<&str>,
        offer: Offer,
    ) -> Result<Self, DockerError> {
        let id = BuildRef::random().as_ref().to_owned();
        let headers = headers(&id, shared_key, &offer.methods());
        let connection = wire.upgrade("open a build session", path, headers).await?;
        let service = TowerToHyperService::new(offer.routes());
        let server = tokio::spawn(async move {
            let http = http2::Builder::new(TokioExecutor::new());
            // It ends when the engine hangs up, which is how builds end.
            let ended = http.serve_connection(connection, service).await;
            tracing::debug!(?ended, "the session ended");
        });
        Ok(Self {
            id,
            server: server.abort_handle(),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for BuildSession {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn headers(id: &str, shared_key: Option<&str>, methods: &[&'static str]) -> Headers {
    let method = HeaderName::from_static("x-docker-expose-session-grpc-method");
    let mut headers: Headers = methods
        .iter()
        .map(|name| (method.clone(), HeaderValue::from_static(name)))
        .collect();
    let named = [
        ("x-docker-expose-session-uuid", Some(id)),
        ("x-docker-expose-session-sharedkey", shared_key),
    ];
    for (name, value) in named {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.push((HeaderName::from_static(name), value));
        }
    }
    headers
}

/// BuildKit asks every few seconds, and ends the session without an answer.
#[derive(Debug)]
struct Alive;

#[tonic::async_trait]
impl Health for Alive {
    type WatchStream = Empty<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let status = ServingStatus::Serving.into();
        Ok(Response::new(HealthCheckResponse { status }))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("use Check"))
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("use Check"))
    }
}
