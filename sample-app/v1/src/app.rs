//! What is answered to whom.

use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use crate::faults::Faults;
use crate::version;

/// The header that says which release answered. `bgecs` looks for it to know
/// which side of a blue/green pair it is talking to.
const RELEASE: HeaderName = HeaderName::from_static("x-bgecs-release");

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The greeter, apart from its connections.
#[derive(Debug)]
pub struct App {
    /// The tag of this release: what `bgecs` called it, or the version.
    pub release: String,
    /// What goes wrong.
    pub faults: Faults,
    header: HeaderValue,
    word: String,
}

impl App {
    /// Reads the settings from an environment. The error is a sentence.
    pub fn read(env: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let release = env("BGECS_RELEASE").unwrap_or_else(|| version::VERSION.to_owned());
        Ok(Self {
            faults: Faults::read(&env)?,
            header: HeaderValue::from_str(&release)
                .map_err(|_| "BGECS_RELEASE has characters that no header may have".to_owned())?,
            word: env("GREETING").unwrap_or_else(|| version::WORD.to_owned()),
            release,
        })
    }

    /// Answers a request, in the time that `GREETER_SLOW_MS` may make it take.
    pub async fn answer(&self, request: &Parts) -> Response<String> {
        if matches!(request.uri.path(), "/" | "/api") {
            let delay = self.faults.delay();
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
        }
        self.answer_at_once(request)
    }

    fn answer_at_once(&self, request: &Parts) -> Response<String> {
        let (status, content_type, body) = self.route(request);
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(RELEASE, self.header.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        // Names come back as they were sent: nothing but a page is to be read as one.
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        // A reload must show which release is live now, not which one was.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }

    fn route(&self, request: &Parts) -> (StatusCode, &'static str, String) {
        let path = request.uri.path();
        if !matches!(path, "/" | "/api" | "/health") {
            return (StatusCode::NOT_FOUND, TEXT, "not found\n".to_owned());
        }
        // The server leaves out the body when it answers HEAD.
        if !matches!(request.method, Method::GET | Method::HEAD) {
            let body = "only GET and HEAD\n".to_owned();
            return (StatusCode::METHOD_NOT_ALLOWED, TEXT, body);
        }
        let host = request.headers.get(header::HOST);
        let fault = match path {
            "/health" => self.faults.in_health(),
            _ => self
                .faults
                .in_greeting(host.and_then(|host| host.to_str().ok())),
        };
        if let Some(fault) = fault {
            let body = format!("failing, because {fault} is set\n");
            return (StatusCode::INTERNAL_SERVER_ERROR, TEXT, body);
        }
        let greeting = || version::greeting(&self.word, &name(request.uri.query()));
        match path {
            "/health" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            "/api" => (StatusCode::OK, version::API_TYPE, version::api(&greeting())),
            _ => (StatusCode::OK, HTML, page(&greeting(), &self.release)),
        }
    }
}

/// Whom a query asks to greet.
fn name(query: Option<&str>) -> String {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(key, _)| key == "name")
        .map(|(_, value)| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| version::NOBODY.to_owned())
}

fn page(greeting: &str, release: &str) -> String {
    format!(
        include_str!("page.html"),
        css = include_str!("page.css"),
        language = version::LANGUAGE,
        colour = version::COLOUR,
        colour_name = version::COLOUR_NAME,
        version = version::VERSION,
        ask = version::ASK,
        submit = version::SUBMIT,
        greeting = html_escape::encode_text(greeting),
        release = html_escape::encode_text(release),
    )
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn app(set: &[(&str, &str)]) -> App {
        App::read(|key| {
            let found = set.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| (*value).to_owned())
        })
        .unwrap()
    }

    fn ask(app: &App, method: Method, uri: &str) -> Response<String> {
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        app.answer_at_once(&request.into_parts().0)
    }

    fn get(app: &App, uri: &str) -> Response<String> {
        ask(app, Method::GET, uri)
    }

    #[test]
    fn every_answer_names_the_release() {
        let plain = app(&[]);
        let tagged = app(&[("BGECS_RELEASE", "20.1-abc")]);
        for uri in ["/", "/api", "/health", "/favicon.ico"] {
            for method in [Method::GET, Method::HEAD, Method::POST] {
                let response = ask(&plain, method.clone(), uri);
                assert_eq!(response.headers()[RELEASE], version::VERSION);
                let response = ask(&tagged, method, uri);
                assert_eq!(response.headers()[RELEASE], "20.1-abc");
            }
        }
        assert!(get(&tagged, "/").body().contains("20.1-abc"));
    }

    #[test]
    fn a_release_that_is_no_header_is_an_error() {
        let error = App::read(|key| (key == "BGECS_RELEASE").then(|| "a\nb".to_owned()));
        assert!(error.unwrap_err().contains("BGECS_RELEASE"));
    }

    #[test]
    fn routes() {
        let app = app(&[]);
        for (uri, content_type) in [
            ("/", HTML),
            ("/?name=Ada", HTML),
            ("/api", version::API_TYPE),
            ("/health", TEXT),
        ] {
            let response = get(&app, uri);
            assert_eq!(response.status(), StatusCode::OK, "{uri}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], content_type);
            let response = ask(&app, Method::HEAD, uri);
            assert_eq!(response.status(), StatusCode::OK, "{uri}");
            let response = ask(&app, Method::DELETE, uri);
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{uri}");
            assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
        }
        for uri in ["/api/", "/nothing", "//", "/health/x"] {
            assert_eq!(get(&app, uri).status(), StatusCode::NOT_FOUND, "{uri}");
        }
    }

    #[test]
    fn names_are_decoded() {
        assert_eq!(name(Some("name=J%C3%BCrgen")), "Jürgen");
        assert_eq!(name(Some("a=b&name=Ada+Lovelace&name=c")), "Ada Lovelace");
        assert_eq!(name(Some("name=%3Cb%3E%26%2B")), "<b>&+");
        assert_eq!(name(Some("name=%FF%zz")), "\u{fffd}%zz");
        for nobody in [None, Some(""), Some("name"), Some("name=+%20"), Some("x=y")] {
            assert_eq!(name(nobody), version::NOBODY);
        }
    }

    #[test]
    fn the_page_escapes_what_it_is_told() {
        let app = app(&[("GREETING", "<i>"), ("BGECS_RELEASE", "<u>")]);
        let response = get(&app, "/?name=%3Cscript%3E{css}%26amp;");
        let page = response.body();
        assert!(
            page.contains("<h1>&lt;i&gt;, &lt;script&gt;{css}&amp;amp;"),
            "{page}"
        );
        assert!(page.contains("&lt;u&gt;"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<i>") && !page.contains("<u>"));
    }

    #[test]
    fn the_page_shows_the_version() {
        let page = get(&app(&[]), "/").into_body();
        assert!(page.contains(&version::greeting(version::WORD, version::NOBODY)));
        assert!(page.contains(&format!(
            "version {} · {}",
            version::VERSION,
            version::COLOUR_NAME
        )));
        assert!(page.contains(&format!("class=\"{}\"", version::COLOUR)));
        assert!(include_str!("page.css").contains(&format!(".{} {{", version::COLOUR)));
    }

    #[test]
    fn faults_show() {
        let sick = app(&[("GREETER_UNHEALTHY", "1")]);
        assert_eq!(get(&sick, "/health").status(), 500);
        assert_eq!(get(&sick, "/").status(), 200);

        let tired = app(&[("GREETER_FAIL_AFTER_REQUESTS", "1")]);
        assert_eq!(get(&tired, "/nothing").status(), 404);
        assert_eq!(get(&tired, "/health").status(), 200);
        assert_eq!(get(&tired, "/api").status(), 200);
        assert_eq!(get(&tired, "/").status(), 500);
        assert_eq!(get(&tired, "/health").status(), 200);
    }
}
