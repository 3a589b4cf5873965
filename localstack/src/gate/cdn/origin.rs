//! The way from an edge to an origin.

use std::net::IpAddr;

use hyper::body::Incoming;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::distribution::{Behaviour, Origin};
use crate::gate::body::{self, Body};
use crate::gate::elb::Elb;

/// The origin gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    #[error("We can't connect to the server for this app or website at this time.")]
    NotThere,
    #[error("The server for this app or website does not answer in time.")]
    Late,
}

impl Unreached {
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-504-gateway-timeout.html>
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotThere => StatusCode::BAD_GATEWAY,
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// Who reaches origins: load balancers that run here, and what else this machine
/// knows by name or address.
#[derive(Debug, Clone)]
pub struct Origins {
    pub elb: Elb,
    client: Client<HttpConnector, Body>,
}

impl Origins {
    pub fn new(elb: Elb) -> Self {
        Self {
            elb,
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
        }
    }

    /// An origin's answer to a viewer's request.
    ///
    /// # Errors
    /// If it gives none in time. Nobody here has the key to a certificate of an origin's other
    /// than of a load balancer that runs here, so that HTTPS leads to those only.
    pub async fn ask(
        &self,
        by: (&Origin, &Behaviour),
        viewer: (IpAddr, bool),
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Unreached> {
        let answer = self.exchange(by, viewer, request);
        tokio::time::timeout(by.0.patience, answer)
            .await
            .unwrap_or(Err(Unreached::Late))
    }

    async fn exchange(
        &self,
        (origin, behaviour): (&Origin, &Behaviour),
        (viewer, is_secured): (IpAddr, bool),
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Unreached> {
        let unreached = Unreached::NotThere;
        let is_https = is_https(&origin.protocol, is_secured);
        let port = match is_https {
            true => origin.https_port,
            false => origin.http_port,
        };
        let authority = format!("{}:{port}", origin.domain);
        let (mut head, sent) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let path = format!("{}{path}", origin.path);
        outgoing(&mut head.headers, origin, behaviour.forwards_host, viewer);
        head.version = Version::HTTP_11;
        if let Some((balancer, port)) = self.elb.balancer_of(&authority) {
            if balancer.doors(port).is_empty() {
                return Err(unreached);
            }
            head.uri = path.parse().map_err(|_| unreached)?;
            let node = fastrand::usize(..balancer.nodes().max(1));
            let request = Request::from_parts(head, sent);
            let answer = balancer.serve(node, port, viewer, request).await;
            return Ok(answer.map(body::streamed));
        }
        if is_https {
            return Err(unreached);
        }
        let uri = format!("http://{authority}{path}");
        head.uri = uri.parse().map_err(|_| unreached)?;
        body::end_to_end(&mut head.headers);
        head.extensions.clear();
        let request = Request::from_parts(head, body::streamed(sent));
        let answer = self.client.request(request).await.map_err(|_| unreached)?;
        Ok(answer.map(body::streamed))
    }
}

/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html#DownloadDistValuesOriginProtocolPolicy>
fn is_https(policy: &str, viewer_is_secured: bool) -> bool {
    match policy {
        "https-only" => true,
        "match-viewer" => viewer_is_secured,
        _ => false,
    }
}

/// "CloudFront sets the value to the domain name of the origin that is associated with
/// the requested object", unless the Host header is forwarded:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#request-custom-headers-behavior>.
fn outgoing(headers: &mut HeaderMap, origin: &Origin, forwards_host: bool, viewer: IpAddr) {
    if !forwards_host && let Ok(host) = HeaderValue::try_from(&origin.domain) {
        headers.insert(HOST, host);
    }
    let chain = headers.get_all("x-forwarded-for").into_iter();
    let chain = chain.filter_map(|line| line.to_str().ok().map(str::to_owned));
    let chain: Vec<String> = chain.chain([viewer.to_string()]).collect();
    let own = [("x-forwarded-for".to_owned(), chain.join(", "))];
    for (name, value) in own.iter().chain(&origin.headers) {
        if let (Ok(name), Ok(value)) = (
            name.parse::<HeaderName>(),
            HeaderValue::try_from(value.as_str()),
        ) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(forwards_host: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("www.shop.test"));
        headers.insert("x-secret", HeaderValue::from_static("guessed"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        let origin = Origin {
            id: "one".to_owned(),
            domain: "origin.test".to_owned(),
            path: String::new(),
            headers: vec![("X-Secret".to_owned(), "known".to_owned())],
            http_port: 80,
            https_port: 443,
            protocol: "http-only".to_owned(),
            patience: std::time::Duration::ZERO,
        };
        let viewer = IpAddr::from([127, 0, 0, 9]);
        outgoing(&mut headers, &origin, forwards_host, viewer);
        headers
    }

    #[test]
    fn an_origin_is_told_its_own_name_unless_the_host_is_forwarded() {
        assert_eq!(sent(false)["host"], "origin.test");
        assert_eq!(sent(true)["host"], "www.shop.test");
    }

    #[test]
    fn an_origins_headers_replace_the_viewers_and_the_viewer_is_told() {
        let sent = sent(false);
        assert_eq!(sent["x-secret"], "known");
        assert_eq!(sent["x-forwarded-for"], "192.0.2.1, 127.0.0.9");
    }

    #[test]
    fn the_protocol_is_the_policys() {
        for (policy, secured, https) in [
            ("http-only", true, false),
            ("https-only", false, true),
            ("match-viewer", false, false),
            ("match-viewer", true, true),
        ] {
            assert_eq!(is_https(policy, secured), https, "{policy}");
        }
    }
}
