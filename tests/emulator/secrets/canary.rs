//! A value that no text holds by chance, and the forms in which one may hold it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

pub struct Canary {
    name: &'static str,
    value: String,
    forms: Vec<String>,
}

impl Canary {
    pub fn new(name: &'static str) -> Self {
        // With characters that base64's alphabets and URLs have otherwise.
        Self::of(name, format!("c4n4ry/{name}+??>>~~/{}", name.len()))
    }

    /// One that somebody else has planted.
    pub fn of(name: &'static str, value: String) -> Self {
        let mut forms = vec![value.clone(), escaped(&value)];
        for before in 0..3 {
            let text = format!("{}{value}", "x".repeat(before));
            for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                forms.push(inner(&encoded, before, value.len()).to_owned());
            }
        }
        forms.push(text_of_bytes(&value));
        Self { name, value, forms }
    }

    pub fn value(&self) -> &str {
        &self.value
    }

    /// As the password of `me`, in the form of Docker's configuration.
    pub fn as_login(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(format!("me:{}", self.value))
    }

    pub fn is_in(&self, text: &str) -> bool {
        self.forms.iter().any(|form| text.contains(form))
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn escaped(value: &str) -> String {
    let pair = serde_urlencoded::to_string([("v", value)]).unwrap_or_default();
    pair.trim_start_matches("v=").to_owned()
}

/// The characters that say the value alone, whatever is before and after it.
fn inner(encoded: &str, before: usize, length: usize) -> &str {
    let first = (before * 8).div_ceil(6);
    let end = (before + length) * 8 / 6;
    &encoded[first..end]
}

/// As Rust's `Debug` shows bytes: numbers.
fn text_of_bytes(value: &str) -> String {
    let numbers: Vec<String> = value.bytes().map(|byte| byte.to_string()).collect();
    numbers.join(", ")
}

#[test]
fn a_canary_is_found_in_every_form() {
    let canary = Canary::new("tested");
    let value = canary.value();
    for text in [
        format!("a {value} b"),
        format!("a={}&b", escaped(value)),
        canary.as_login(),
        URL_SAFE_NO_PAD.encode(format!("{{\"password\":\"{value}\"}}")),
        format!("{:?}", value.as_bytes()),
    ] {
        assert!(canary.is_in(&text), "{text}");
    }
    assert!(!canary.is_in("c4n4ry/other"));
    assert!(!Canary::new("secret-key").is_in(Canary::new("profile-key").value()));
}
