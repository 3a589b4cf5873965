//! The session of a build: a connection over which BuildKit, as the client,
//! asks this process for files, secrets and registry credentials.
//!
//! bollard 0.21.1 has a session too, but one that serves credentials only (the
//! pull request that opens it, <https://github.com/fussybeaver/bollard/pull/731>,
//! is not released), so this one is opened beside it.

use bollard::grpc::BuildRef;
use bollard::health::health_check_response::ServingStatus;
use bollard::health::health_server::{Health, HealthServer};
use bollard::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use bollard::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard::moby::filesync::v1::auth_server::AuthServer;
use bollard::moby::filesync::v1::file_sync_server::FileSyncServer;
use futures_util::stream::Empty;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::service::TowerToHyperService;
use tokio::task::AbortHandle;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::error::Error;
use super::filesync::Folders;
use super::login::Logins;
use super::secrets::Values;
use super::wire::{Headers, Wire};

/// What BuildKit may ask for, under the names by which it asks.
const METHODS: [&str; 4] = [
    "/grpc.health.v1.Health/Check",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
];

/// An open session. Dropping it closes it, and BuildKit then gives up.
#[derive(Debug)]
pub(super) struct Session {
    id: String,
    server: AbortHandle,
}

impl Session {
    /// `shared_key` lets BuildKit see that a context is the one of an earlier
    /// build, of which it then asks for what has changed only.
    pub(super) async fn open(
        wire: &Wire,
        path: &str,
        shared_key: Option<&str>,
        folders: Folders,
        secrets: Values,
        logins: Logins,
    ) -> Result<Self, Error> {
        let id = BuildRef::random().as_ref().to_owned();
        let headers = headers(&id, shared_key);
        let connection = wire.upgrade("open a build session", path, headers).await?;
        let routes = Routes::new(HealthServer::new(Alive))
            .add_service(FileSyncServer::new(folders))
            .add_service(AuthServer::new(logins))
            .add_service(SecretsServer::new(secrets))
            .prepare();
        let service = TowerToHyperService::new(routes);
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

impl Drop for Session {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn headers(id: &str, shared_key: Option<&str>) -> Headers {
    let method = HeaderName::from_static("x-docker-expose-session-grpc-method");
    let mut headers: Headers = METHODS
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

/// BuildKit asks every few seconds and ends the session if nobody answers.
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
