//! What the load balancer itself answers: errors, fixed responses, redirects.
//!
//! Statuses and when they are given:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION, SERVER};
use hyper::{Request, Response, StatusCode};

use super::body::Body;
use super::config::Listener;
use super::route;

const NAME: HeaderValue = HeaderValue::from_static("awselb/2.0");
const HTML: HeaderValue = HeaderValue::from_static("text/html");

/// The page for a status, as the load balancer words it.
pub fn page(status: StatusCode) -> Response<Body> {
    let title = title(status);
    let html = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    answer(status, Some(HTML), html)
}

/// A `fixed-response` action's answer. A status that HTTP does not know, which
/// AWS's API would not have taken, is answered as 500.
pub fn fixed(status: u16, content_type: Option<&str>, body: Option<&str>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = content_type.and_then(|kind| HeaderValue::from_str(kind).ok());
    answer(status, content_type, body.unwrap_or_default().to_owned())
}

/// The parts of a `redirect` action, with their placeholders.
#[derive(Debug, Clone, Copy)]
pub struct Redirect<'a> {
    pub status: u16,
    pub protocol: &'a str,
    pub host: &'a str,
    pub port: &'a str,
    pub path: &'a str,
    pub query: &'a str,
}

/// A `redirect` action's answer to a request at a listener.
pub fn redirect<B>(to: &Redirect<'_>, request: &Request<B>, at: &Listener) -> Response<Body> {
    let status = StatusCode::from_u16(to.status).unwrap_or(StatusCode::FOUND);
    let mut response = page(status);
    if let Ok(location) = HeaderValue::try_from(location(to, request, at)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html>:
/// `#{path}` is without its leading slash, `#{query}` without the question mark.
fn location<B>(to: &Redirect<'_>, request: &Request<B>, at: &Listener) -> String {
    let uri = request.uri();
    let path = uri.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let protocol = if at.tls.is_some() { "HTTPS" } else { "HTTP" };
    let fill = |template: &str| {
        template
            .replace("#{protocol}", protocol)
            .replace("#{host}", route::host(request).unwrap_or_default())
            .replace("#{port}", &at.port.to_string())
            .replace("#{path}", path)
            .replace("#{query}", uri.query().unwrap_or_default())
    };
    let protocol = fill(to.protocol).to_lowercase();
    let (host, port, path, query) = (fill(to.host), fill(to.port), fill(to.path), fill(to.query));
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{protocol}://{host}:{port}{path}{mark}{query}")
}

fn answer(status: StatusCode, content_type: Option<HeaderValue>, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(SERVER, NAME);
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// Where the load balancer's words are not those of HTTP's registry.
fn title(status: StatusCode) -> String {
    let words = match status {
        StatusCode::REQUEST_TIMEOUT => "Request Time-out",
        StatusCode::METHOD_NOT_ALLOWED => "Not Allowed",
        StatusCode::SERVICE_UNAVAILABLE => "Service Temporarily Unavailable",
        StatusCode::GATEWAY_TIMEOUT => "Gateway Time-out",
        other => other.canonical_reason().unwrap_or_default(),
    };
    format!("{} {words}", status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::config::{Arn, Tls};
    use http_body_util::BodyExt;

    async fn text(response: Response<Body>) -> String {
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_page_is_the_load_balancers_own() {
        let response = page(StatusCode::BAD_GATEWAY);
        assert_eq!(response.status(), 502);
        assert_eq!(response.headers()[SERVER], "awselb/2.0");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html");
        assert_eq!(
            text(response).await,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
             <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
        );
    }

    #[tokio::test]
    async fn a_fixed_response_says_what_it_was_told() {
        let response = fixed(418, Some("text/plain"), Some("short"));
        assert_eq!(response.status(), 418);
        assert_eq!(response.headers()[CONTENT_TYPE], "text/plain");
        assert_eq!(text(response).await, "short");
        let bare = fixed(204, None, None);
        assert!(!bare.headers().contains_key(CONTENT_TYPE));
        assert_eq!(text(bare).await, "");
    }

    #[test]
    fn a_redirect_keeps_what_its_placeholders_name() {
        let request = Request::builder()
            .uri("//a/b?c=d")
            .header("host", "shop.example.com:8080")
            .body(())
            .unwrap();
        let like = Redirect {
            status: 301,
            protocol: "#{protocol}",
            host: "#{host}",
            port: "#{port}",
            path: "/#{path}",
            query: "#{query}",
        };
        let mut at = Listener {
            arn: Arn::new("listener"),
            port: 80,
            tls: None,
            rules: Vec::new(),
            default_actions: Vec::new(),
        };
        let to = |redirect: &Redirect<'_>| location(redirect, &request, &at);
        assert_eq!(to(&like), "http://shop.example.com:80//a/b?c=d");
        let moved = Redirect {
            protocol: "HTTPS",
            host: "new.#{host}",
            port: "443",
            path: "/new/#{path}",
            query: "",
            ..like
        };
        assert_eq!(to(&moved), "https://new.shop.example.com:443/new//a/b");
        let response = redirect(&moved, &request, &at);
        assert_eq!(response.status(), 301);
        assert!(response.headers().contains_key(LOCATION));
        (at.port, at.tls) = (8443, Some(Tls::default()));
        let secured = location(&like, &request, &at);
        assert_eq!(secured, "https://shop.example.com:8443//a/b?c=d");
    }
}
