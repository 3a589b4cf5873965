//! The value of the header that a load balancer behind a CDN insists on: read from where
//! it is kept, checked, and shown to nobody.

use std::ffi::OsString;

use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::aws::Aws;
use crate::config::{SecretHeader, SecretPlace};
use crate::error::{Error, Result};
use crate::hidden::Hidden;

/// The header, as it is sent.
pub type Shown = (HeaderName, HeaderValue);

/// `variable` is the environment's, `aws` is asked for where the value is there.
///
/// # Errors
/// None, or one that no header can have (exit 2); AWS's own.
pub async fn read(
    header: &SecretHeader,
    variable: impl FnOnce(&str) -> Option<OsString>,
    aws: impl AsyncFnOnce() -> Result<Aws>,
) -> Result<Shown> {
    let (value, place) = match &header.kept {
        SecretPlace::Variable(name) => {
            let value = variable(name).map(OsString::into_string).transpose();
            let value = value.map_err(|_| unfit(header, &format!("${name}")))?;
            (value.map(Hidden::new), format!("${name}"))
        }
        SecretPlace::Manager { arn, key, .. } => {
            let text = aws().await?.secret_text(arn).await?;
            let text = text.ok_or_else(|| {
                Error::usage(format!("the secret {arn} is not text")).hint(way_out(header))
            })?;
            let value = pick(&text, key.as_deref());
            let value = value.map_err(|why| {
                Error::usage(format!("the secret {arn} {why}")).hint(way_out(header))
            })?;
            (Some(value), arn.clone())
        }
    };
    let value = value.as_ref().map_or("", |value| value.reveal().trim());
    if value.is_empty() {
        return Err(Error::usage(format!(
            "{place} is empty or not set, and is to be the header {}",
            header.name
        ))
        .hint(way_out(header)));
    }
    let name = header.name.parse();
    let name = name.map_err(|_| unfit(header, &place))?;
    // No load balancer's rule can want others.
    let value = value.is_ascii().then(|| HeaderValue::from_str(value).ok());
    let value = value.flatten().ok_or_else(|| unfit(header, &place));
    let mut value = value?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn unfit(header: &SecretHeader, place: &str) -> Error {
    Error::usage(format!(
        "{place} has characters that no header may have, and is to be the header {}",
        header.name
    ))
    .hint(way_out(header))
}

fn way_out(header: &SecretHeader) -> String {
    let place = match &header.kept {
        SecretPlace::Variable(name) => format!("set {name} to what the load balancer wants to see"),
        SecretPlace::Manager { .. } => {
            "see what is in it; of a JSON object `key` says which value is meant".to_owned()
        }
    };
    format!("{place}: [probe] secret_header or --secret-header says where it is kept")
}

/// A JSON object is nobody's header: one of its values may be.
fn pick(text: &Hidden, key: Option<&str>) -> std::result::Result<Hidden, String> {
    let object = match serde_json::from_str(text.reveal()) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    };
    match (object, key) {
        (None, None) => Ok(text.clone()),
        (None, Some(_)) => Err("is not JSON object, and a `key` of it is named".to_owned()),
        (Some(_), None) => Err("is a JSON object, and no `key` of it is named".to_owned()),
        (Some(object), Some(key)) => match object.get(key) {
            Some(Value::String(value)) => Ok(Hidden::new(value)),
            Some(_) => Err(format!("has no text at its key `{key}`")),
            None => Err(format!("has no key `{key}`")),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::error::Exit;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cdn-AbCdEf";

    async fn of_variable(value: Option<&str>) -> Result<Shown> {
        let header = "X-Origin-Verify=env:ORIGIN_VERIFY".parse().unwrap();
        let variable = |name: &str| {
            assert_eq!(name, "ORIGIN_VERIFY");
            value.map(OsString::from)
        };
        read(&header, variable, async || panic!("no AWS is asked")).await
    }

    async fn of_secret(behind: &str, text: &Value) -> Result<Shown> {
        let header = format!("x-origin-verify={ARN}{behind}").parse().unwrap();
        let wire = Wire::new().on("GetSecretValue", Reply::json(text));
        let aws = wire.aws();
        read(&header, |_| panic!("no variable is read"), async || Ok(aws)).await
    }

    /// Told of in any way, it is not shown.
    fn is_sent(shown: Result<Shown>, expected: &str) {
        let (name, value) = shown.unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("x-origin-verify", expected)
        );
        assert!(!format!("{value:?}").contains(expected));
    }

    #[tokio::test]
    async fn it_is_read_where_it_is_kept() {
        is_sent(of_variable(Some(" hunter22\n")).await, "hunter22");
        let text = |text: &str| json!({ "SecretString": text });
        is_sent(of_secret("", &text("hunter22\n")).await, "hunter22");
        let object = text(r#"{"user":"ann","header":"hunter22"}"#);
        is_sent(of_secret(":header::", &object).await, "hunter22");
    }

    #[tokio::test]
    async fn what_is_no_header_s_value_is_refused_and_not_repeated() {
        let text = |text: &str| json!({ "SecretString": text });
        let object = text(r#"{"header":"hunter22","n":1}"#);
        for (refused, part) in [
            (
                of_variable(None).await,
                "$ORIGIN_VERIFY is empty or not set",
            ),
            (of_variable(Some("  ")).await, "is empty or not set"),
            (
                of_variable(Some("hunter22\nhunter")).await,
                "characters that no header",
            ),
            (
                of_variable(Some("hünter22")).await,
                "characters that no header",
            ),
            (of_secret("", &text(" ")).await, "is empty"),
            (
                of_secret("", &json!({ "SecretBinary": "aHVudGVy" })).await,
                "is not text",
            ),
            (of_secret("", &object).await, "no `key` of it is named"),
            (of_secret(":other::", &object).await, "has no key `other`"),
            (
                of_secret(":n::", &object).await,
                "has no text at its key `n`",
            ),
            (
                of_secret(":header::", &text("hunter22")).await,
                "is not JSON object",
            ),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(part) && !shown.contains("nter"), "{shown}");
        }
    }
}
