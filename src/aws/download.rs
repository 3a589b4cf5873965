//! What AWS names by a URL that is signed already, as ECR's S3 does: fetched as
//! it stands, without credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::{AggregatedBytes, ByteStream};

use super::{Aws, loopback_authority};
use crate::error::innermost;

/// For an image's configuration, a few kilobytes, all in all.
const PATIENCE: Duration = Duration::from_secs(15);

/// Made for a URL when it is needed: to read the system's certificates takes a while.
type Make = dyn Fn(&str) -> SharedHttpConnector + Send + Sync;

/// The way out.
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
    /// In words, without the URL: who has that may fetch it, too.
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

    /// Posts JSON to an address that is none of AWS's, over the same network.
    ///
    /// # Errors
    /// In words, without the address: who has that may post, too.
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

    /// A local AWS names the host that AWS itself would, and is reached through
    /// its endpoint all the same.
    fn reachable(&self, url: &str) -> String {
        let (Some(local), None) = (self.local_endpoint(), loopback_authority(url)) else {
            return url.to_owned();
        };
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        format!("http://{local}/{path}")
    }
}
