//! HTTP/2 from clients. "Application Load Balancers provide native support for HTTP/2
//! with HTTPS listeners. You can send up to 128 requests in parallel using one HTTP/2
//! connection":
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html>.
//!
//! Behind this module a request is one of HTTP/1.1, which is what targets are sent.

use hyper::body::Body;
use hyper::header::{CONTENT_LENGTH, COOKIE, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http2::Builder;
use hyper::{Method, Request, Uri, Version};
use tokio_rustls::server::TlsStream;

const NAME: &[u8] = b"h2";
const IN_PARALLEL: u32 = 128;

/// What an HTTPS listener offers, what it likes best first.
pub(crate) fn offered() -> Vec<Vec<u8>> {
    vec![NAME.to_vec(), b"http/1.1".to_vec()]
}

/// Whether client and listener agreed on HTTP/2.
pub(crate) fn is_agreed<S>(stream: &TlsStream<S>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(NAME)
}

/// Its streams run on that executor.
pub(crate) fn server<E: Clone>(executor: E) -> Builder<E> {
    let mut server = Builder::new(executor);
    server.max_concurrent_streams(IN_PARALLEL);
    server
}

/// What HTTP/2 says in ways of its own, as HTTP/1.1 does (RFC 9113, 8.3.1 and 8.2.3).
pub(crate) fn as_http1<B: Body>(mut request: Request<B>) -> Request<B> {
    *request.version_mut() = Version::HTTP_11;
    if request.method() == Method::CONNECT {
        return request;
    }
    let told_by_its_end = request.body().size_hint().exact().is_none();
    let uri = std::mem::take(request.uri_mut()).into_parts();
    *request.uri_mut() = uri.path_and_query.map(Uri::from).unwrap_or_default();
    let headers = request.headers_mut();
    let host = uri.authority.map(|name| name.as_str().to_owned());
    if let Some(host) = host.and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(HOST, host);
    }
    let cookies: Vec<_> = headers.get_all(COOKIE).iter().collect();
    if cookies.len() > 1 {
        let all: Vec<_> = cookies.iter().map(|one| one.as_bytes()).collect();
        if let Ok(all) = HeaderValue::try_from(all.join(&b"; "[..])) {
            headers.insert(COOKIE, all);
        }
    }
    if told_by_its_end && !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    request
}

#[cfg(test)]
mod tests {
    use http_body_util::{Empty, StreamBody};
    use hyper::body::{Bytes, Frame};

    use super::*;

    fn post<B: Body>(body: B) -> Request<B> {
        Request::post("https://shop.test:8443/a?b=c")
            .version(Version::HTTP_2)
            .header("host", "other.test")
            .header("cookie", "a=1")
            .header("cookie", "b=2; c=3")
            .body(body)
            .unwrap()
    }

    #[test]
    fn the_authority_is_the_host_and_cookies_are_one_line() {
        let request = as_http1(post(Empty::<Bytes>::new()));
        assert_eq!(request.version(), Version::HTTP_11);
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers()[HOST], "shop.test:8443");
        let cookies: Vec<_> = request.headers().get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
        assert!(!request.headers().contains_key(TRANSFER_ENCODING));
    }

    #[test]
    fn a_body_of_a_length_that_nobody_knows_is_chunked() {
        type Piece = Result<Frame<Bytes>, std::convert::Infallible>;
        let body = StreamBody::new(futures_util::stream::empty::<Piece>());
        let request = as_http1(post(body));
        assert_eq!(request.headers()[TRANSFER_ENCODING], "chunked");
    }
}
