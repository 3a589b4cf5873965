//! Where the budget takes effect: between the SDK's retry and the wire.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::time::Instant;

use super::polls::{PollPermit, Polls};
use super::queue::Queue;
use super::rules::Rule;
use super::{Pace, PacedService};

/// From this long on, a person notices the wait.
const NOTICEABLE: Duration = Duration::from_secs(1);

/// An HTTP client that holds requests back until the budget allows them.
#[derive(Debug)]
pub struct PacedClient {
    inner: SharedHttpClient,
    budget: Arc<Budget>,
}

impl PacedClient {
    pub fn new(inner: SharedHttpClient, service: PacedService, pace: Pace) -> Self {
        Self {
            inner,
            budget: Arc::new(Budget::of(service, pace)),
        }
    }
}

impl HttpClient for PacedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(PacedConnector {
            inner: self.inner.http_connector(settings, components),
            budget: self.budget.clone(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct PacedConnector {
    inner: SharedHttpConnector,
    budget: Arc<Budget>,
}

impl HttpConnector for PacedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, budget) = (self.inner.clone(), self.budget.clone());
        HttpConnectorFuture::new(async move {
            let asked = PacedCall::by(&request);
            // Held until the answer has come.
            let _turn = budget.admit(&asked).await;
            inner.call(request).await
        })
    }
}

#[derive(Debug)]
struct Budget {
    queues: Vec<(&'static Rule, Queue)>,
    polls: Polls,
}

impl Budget {
    fn of(service: PacedService, pace: Pace) -> Self {
        let queue = |rule: &'static Rule| (rule, Queue::new(pace.bucket(rule.published)));
        Self {
            queues: service.rules(pace).iter().map(queue).collect(),
            polls: Polls::default(),
        }
    }

    /// Waits until the call may be sent.
    async fn admit(&self, asked: &PacedCall) -> Option<PollPermit> {
        let since = Instant::now();
        let turn = match &asked.polled {
            Some(group) => Some(self.polls.turn(group).await),
            None => None,
        };
        for (rule, queue) in &self.queues {
            if (rule.covers)(&asked.operation) {
                queue.pass().await;
            }
        }
        let (waited, operation) = (since.elapsed(), &asked.operation);
        if waited >= NOTICEABLE {
            tracing::info!(operation, ?waited, "held back to stay below AWS's rates");
        }
        turn
    }
}

/// What a request asks for, as far as a budget needs to know.
#[derive(Debug)]
struct PacedCall {
    operation: String,
    /// The target group, if it asks for target health.
    polled: Option<String>,
}

impl PacedCall {
    fn by(request: &HttpRequest) -> Self {
        if let Some(operation) = outside_the_body(request) {
            return Self {
                operation: operation.to_owned(),
                polled: None,
            };
        }
        let form = request.body().bytes().unwrap_or_default();
        let form = std::str::from_utf8(form).unwrap_or_default();
        let field = |name| {
            let mut fields = form.split('&').filter_map(|field| field.split_once('='));
            fields
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        let operation = field("Action").unwrap_or_default();
        let asks_health = operation == "DescribeTargetHealth";
        Self {
            polled: field("TargetGroupArn").filter(|_| asks_health),
            operation,
        }
    }
}

/// JSON APIs name the operation in a header, others in the form or not at all.
pub fn outside_the_body(request: &HttpRequest) -> Option<&str> {
    let target = request.headers().get("x-amz-target")?;
    target.rsplit('.').next()
}
