//! Checks values from outside before they are put into a host name, a header or an
//! address. The messages say what is wrong, and never repeat the value, which may be a
//! secret.

use hyper::Uri;

use crate::model::is_region;

/// The longest that IAM creates
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>).
const LONGEST_KEY_ID: usize = 128;

type Checked<T = (), E = String> = std::result::Result<T, E>;

/// # Errors
/// What is wrong with the variable's value, to be put after its name.
pub fn variable(name: &str, value: &str) -> Checked {
    match name {
        "AWS_REGION" | "AWS_DEFAULT_REGION" => region(value),
        "AWS_ACCESS_KEY_ID" => key_id(value),
        "AWS_SECRET_ACCESS_KEY" | "SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN" => printable(value),
        "AWS_USE_FIPS_ENDPOINT"
        | "AWS_USE_DUALSTACK_ENDPOINT"
        | "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => boolean(value),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI" | "AWS_EC2_METADATA_SERVICE_ENDPOINT" => {
            endpoint(value)
        }
        _ if name.starts_with("AWS_ENDPOINT_URL") => endpoint(value),
        _ => no_control(value),
    }
}

/// It becomes part of each host name.
pub fn region(value: &str) -> Checked {
    match is_region(value) {
        true => Ok(()),
        false => Err("is not a region: regions look like eu-west-1".to_owned()),
    }
}

pub fn key_id(value: &str) -> Checked {
    printable(value)?;
    match value.len() <= LONGEST_KEY_ID {
        true => Ok(()),
        false => Err(format!(
            "is not the id of an access key: it has more than {LONGEST_KEY_ID} characters"
        )),
    }
}

/// It becomes part of a header.
pub fn printable(value: &str) -> Checked {
    match value.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(
            "contains spaces, control characters or others that no AWS credential has".to_owned(),
        ),
    }
}

pub fn endpoint(value: &str) -> Checked {
    let no_address =
        || "is not the address of an endpoint: write http://HOST:PORT or https://HOST".to_owned();
    if !value.contains("://") {
        return Err("has no scheme: write http://HOST:PORT or https://HOST".to_owned());
    }
    let uri: Uri = value.parse().map_err(|_| no_address())?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority().ok_or_else(no_address)?;
    let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
    let has_host = !authority.host().is_empty() && !authority.host().starts_with(':');
    // An invalid port would be treated as the default port.
    let has_port = host_and_port.len() > authority.host().len();
    match is_http && has_host && (!has_port || authority.port_u16().is_some()) {
        true => Ok(()),
        false => Err(no_address()),
    }
}

fn boolean(value: &str) -> Checked {
    match value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") {
        true => Ok(()),
        false => Err("is neither true nor false".to_owned()),
    }
}

pub fn no_control(value: &str) -> Checked {
    match value.chars().any(char::is_control) {
        false => Ok(()),
        true => Err("contains line breaks or other control characters".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_a_scheme_a_host_and_a_real_port() {
        for good in [
            "http://127.0.0.1:4566",
            "http://localhost:4566/",
            "http://[::1]:4566",
            "https://ecs.eu-west-1.amazonaws.com",
            "https://user:pass@proxy.example.com:8443/base",
        ] {
            assert_eq!(endpoint(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "localhost:4566",
            "//localhost",
            "http://",
            "http://:4566",
            "http://a b",
            "http://localhost:",
            "http://localhost:0x1",
            "http://localhost:70000",
            "ws://localhost",
            "http://h\u{e4}",
            "http:///path",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
        assert!(endpoint(&format!("http://{}", "a".repeat(70_000))).is_err());
    }
}
