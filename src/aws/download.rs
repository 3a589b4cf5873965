//! Downloads from URLs that AWS returns signed, as for ECR's layers in S3: fetched as
//! they are, without credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::{AggregatedBytes, ByteStream};

use super::{Aws, loopback_authority};
use crate::error::innermost;

/// For an image's configuration of a few kilobytes, in all.
const PATIENCE: Duration = Duration::from_secs(15);

/// Created for a URL on demand: reading the system's certificates takes a while.
type Make = dyn Fn(&str) -> SharedHttpConnector + Send + Sync;

#[derive(Clone)]
pub(super) struct Downloads(Arc<Make>);

impl Downloads {
    pub(super) fn through(
        make: impl Fn(&str) -> SharedHttpConnector + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(make))
    }
}

impl fmt::Debug for Downloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Downloads(..)")
    }
}

impl Aws {
    /// # Errors
    /// In words, without the URL: whoever knows it may fetch it as well.
    pub(super) async fn download(&self, url: &str) -> Result<Vec<u8>, String> {
        let fetching = async {
            let url = self.reachable(url);
            let connector = (self.downloads.0)(&url);
            let request = HttpRequest::get(url).map_err(|e| e.to_string())?;
            let answer = connector.call(request).await.map_err(|e| innermost(&e))?;
            let status = answer.status().as_u16();
            if status != 200 {
                return Err(format!("the download was answered with HTTP {status}"));
            }
            let body = ByteStream::new(answer.into_body()).collect().await;
            body.map(AggregatedBytes::to_vec).map_err(|e| innermost(&e))
        };
        tokio::time::timeout(PATIENCE, fetching)
            .await
            .unwrap_or_else(|_| Err(format!("no download in {} s", PATIENCE.as_secs())))
    }

    /// Posts JSON to an address outside AWS, over the same network.
    ///
    /// # Errors
    /// In words, without the address: whoever knows it may post as well.
    pub async fn post(&self, url: &str, json: String) -> Result<(), String> {
        let posting = async {
            let connector = (self.downloads.0)(url);
            let mut request = HttpRequest::new(SdkBody::from(json));
            request.set_method("POST").map_err(|e| e.to_string())?;
            request.set_uri(url).map_err(|e| e.to_string())?;
            let headers = request.headers_mut();
            headers.insert("content-type", "application/json");
            let answer = connector.call(request).await.map_err(|e| innermost(&e))?;
            match answer.status() {
                status if status.is_success() => Ok(()),
                status => Err(format!("it was answered with HTTP {}", status.as_u16())),
            }
        };
        tokio::time::timeout(PATIENCE, posting)
            .await
            .unwrap_or_else(|_| Err(format!("no answer in {} s", PATIENCE.as_secs())))
    }

    /// A local AWS names the host that AWS itself would name, but is reached at its own
    /// endpoint.
    fn reachable(&self, url: &str) -> String {
        let (Some(local), None) = (self.local_endpoint(), loopback_authority(url)) else {
            return url.to_owned();
        };
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        format!("http://{local}/{path}")
    }
}
