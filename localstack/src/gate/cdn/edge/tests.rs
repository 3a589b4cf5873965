use super::*;
use crate::gate::cdn::cache::Ttls;

fn not_by(viewers: &str, is_secured: bool, method: &str) -> Option<(u16, String)> {
    let behaviour = Behaviour {
        pattern: "*".to_owned(),
        origin: "one".to_owned(),
        viewers: viewers.to_owned(),
        methods: ["GET", "HEAD"].map(str::to_owned).to_vec(),
        ttls: Ttls::NONE,
        forwards_host: false,
    };
    let request = Request::builder().method(method).uri("/a?b=c").body(());
    let answer = super::not_by(&behaviour, is_secured, "shop.test:8443", &request.unwrap())?;
    let to = answer.headers().get("location");
    let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
    Some((answer.status().as_u16(), to))
}

#[test]
fn viewers_are_sent_to_https_or_refused_as_the_behaviour_says() {
    let to = "https://shop.test:8443/a?b=c".to_owned();
    assert_eq!(not_by("redirect-to-https", false, "GET"), Some((301, to)));
    let refused = Some((403, String::new()));
    assert_eq!(not_by("https-only", false, "GET"), refused);
    for viewers in ["redirect-to-https", "https-only", "allow-all"] {
        assert_eq!(not_by(viewers, true, "GET"), None);
    }
    assert_eq!(not_by("allow-all", false, "POST"), refused);
}

#[test]
fn the_root_is_the_default_root_object() {
    let rooted = |uri: &'static str| rooted(&Uri::from_static(uri), Some("index.html")).to_string();
    assert_eq!(rooted("/"), "/index.html");
    assert_eq!(rooted("/?a=b"), "/index.html?a=b");
    assert_eq!(rooted("/other"), "/other");
    assert_eq!(super::rooted(&Uri::from_static("/"), None), "/");
}
