//! A build over BuildKit's own API, which the engine offers beside its own: it can export
//! caches, which the engine's API cannot.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use bollard::moby::buildkit::v1::control_client::ControlClient;
use bollard::moby::buildkit::v1::{CacheOptions, CacheOptionsEntry, SolveRequest, StatusRequest};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioExecutor;
use tonic::body::Body;
use tonic::codegen::Service;

use super::error::DockerError;
use super::steps::BuildSteps;
use super::wire::{Headers, Wire};

/// A single message can contain a step's whole log.
const LARGEST_STATUS: usize = 64 * 1024 * 1024;
/// The key under which BuildKit returns the image's id.
const IMAGE: &str = "containerimage.digest";
const DOING: &str = "build the image";

/// What BuildKit is asked for.
#[derive(Debug)]
pub(super) struct Solve {
    pub(super) session: String,
    pub(super) name: Option<String>,
    /// For the Dockerfile frontend.
    pub(super) attributes: HashMap<String, String>,
    /// Type and attributes of each.
    pub(super) exports: Vec<(&'static str, HashMap<String, String>)>,
}

impl Solve {
    /// Reports to `steps` until the end; returns the image's id.
    pub(super) async fn run(
        self,
        wire: &Wire,
        path: &str,
        steps: &mut BuildSteps<'_>,
    ) -> Result<Option<String>, SolveError> {
        let connection = wire.upgrade(DOING, path, Headers::new()).await?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), connection)
            .await
            .map_err(|error| DockerError::lost(DOING, error))?;
        tokio::spawn(connection);
        let client =
            ControlClient::with_origin(Http2Sender(sender), Uri::from_static("http://docker"))
                .max_decoding_message_size(LARGEST_STATUS);
        let request = self.request();
        let status = StatusRequest {
            r#ref: request.r#ref.clone(),
        };
        let (mut solving, mut watching) = (client.clone(), client);
        let watch = async {
            // The end of the build says everything that matters.
            let Ok(statuses) = watching.status(status).await else {
                return;
            };
            let mut statuses = statuses.into_inner();
            while let Ok(Some(status)) = statuses.message().await {
                steps.take_in(&status);
            }
        };
        let (solved, ()) = tokio::join!(solving.solve(request), watch);
        let solved = solved.map_err(|status| SolveError::Build(status.message().to_owned()))?;
        let mut answer = solved.into_inner().exporter_response;
        Ok(answer.remove(IMAGE))
    }

    fn request(self) -> SolveRequest {
        let exports = self
            .exports
            .into_iter()
            .map(|(kind, attrs)| CacheOptionsEntry {
                r#type: kind.to_owned(),
                attrs,
            });
        SolveRequest {
            r#ref: bollard::grpc::BuildRef::random().as_ref().to_owned(),
            // The field that every BuildKit knows; newer ones have a list.
            exporter_deprecated: "moby".to_owned(),
            exporter_attrs_deprecated: self
                .name
                .map(|name| ("name".to_owned(), name))
                .into_iter()
                .collect(),
            session: self.session,
            frontend: "dockerfile.v0".to_owned(),
            frontend_attrs: self.attributes,
            cache: Some(CacheOptions {
                exports: exports.collect(),
                ..CacheOptions::default()
            }),
            ..SolveRequest::default()
        }
    }
}

pub(super) enum SolveError {
    /// BuildKit's message about the build.
    Build(String),
    Other(DockerError),
}

impl From<DockerError> for SolveError {
    fn from(error: DockerError) -> Self {
        Self::Other(error)
    }
}

/// Lets tonic's clients send over hyper's sender.
#[derive(Clone)]
struct Http2Sender(http2::SendRequest<Body>);

impl Service<Request<Body>> for Http2Sender {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
