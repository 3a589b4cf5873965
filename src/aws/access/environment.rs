//! The variables that AWS's tools read, made fit for use: a blank one counts as unset,
//! and white space around a value (line breaks above all) is cut off. The SDK sees these
//! and no others. What is still ill-formed is reported here, because the SDK's message
//! would be obscure, or it would panic.

use std::collections::HashMap;
use std::ffi::OsString;

use aws_types::os_shim_internal::Env;

use super::check;
use crate::error::{Error, Result};

/// Credentials. An explicit profile takes them out of the chain.
const CREDENTIALS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ACCOUNT_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
];

/// Variables that are read but are not AWS's own.
const OTHERS: [&str; 15] = [
    "SECRET_ACCESS_KEY",
    "HOME",
    "USERPROFILE",
    "HOMEDRIVE",
    "HOMEPATH",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

#[derive(Clone, Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// # Errors
    /// A variable with an unusable value (exit 2).
    pub fn of_process() -> Result<Self> {
        Self::of(std::env::vars_os())
    }

    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self> {
        let mut kept = HashMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| is_read(name)) else {
                continue;
            };
            let unusable = |why: &str| {
                Error::usage(format!("{name} {why}"))
                    .hint(format!("correct it, or remove it: `unset {name}`"))
            };
            let value = value.to_str().ok_or_else(|| unusable("is not UTF-8"))?;
            let trimmed = value.trim();
            if trimmed.is_empty() {
                continue;
            }
            // The SDK puts this one unchanged into a header of each request.
            let checked = if name == "AWS_EXECUTION_ENV" {
                value
            } else {
                trimmed
            };
            check::variable(name, checked).map_err(|why| unusable(&why))?;
            kept.insert(name.to_owned(), trimmed.to_owned());
        }
        Ok(Self(kept))
    }

    /// An incomplete pair would be ignored silently, and other credentials used.
    ///
    /// # Errors
    /// An incomplete pair (exit 2).
    pub fn has_whole_keys(&self) -> Result<()> {
        let has_secret = ["AWS_SECRET_ACCESS_KEY", "SECRET_ACCESS_KEY"]
            .iter()
            .any(|name| self.get(name).is_some());
        match self.get("AWS_ACCESS_KEY_ID") {
            Some(_) if !has_secret => Err(Error::usage(
                "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not",
            )
            .hint("set both, or neither: `unset AWS_ACCESS_KEY_ID`")),
            None if self.get("AWS_SECRET_ACCESS_KEY").is_some() => Err(Error::usage(
                "AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not",
            )
            .hint("set both, or neither: `unset AWS_SECRET_ACCESS_KEY`")),
            _ => Ok(()),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The first of them that is set.
    pub fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, &str)> {
        names
            .iter()
            .find_map(|name| self.get(name).map(|value| (*name, value)))
    }

    /// Credentials that the chain would take from here.
    pub fn credentials(&self) -> Option<&'static str> {
        ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"]
            .into_iter()
            .find(|name| self.get(name).is_some())
    }

    #[must_use]
    pub fn without_credentials(mut self) -> Self {
        for name in CREDENTIALS {
            self.0.remove(name);
        }
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// In the form that the SDK takes.
    pub fn for_sdk(&self) -> Env {
        Env::from(self.0.clone())
    }
}

fn is_read(name: &str) -> bool {
    name.starts_with("AWS_") || OTHERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn of(name: &str, value: impl Into<OsString>) -> Result<Variables> {
        Variables::of([(name.into(), value.into())])
    }

    #[test]
    fn a_blank_variable_is_unset_and_the_others_are_trimmed() {
        for blank in ["", " ", "\n", " \t\r\n"] {
            let environment = of("AWS_ENDPOINT_URL", blank).unwrap();
            assert_eq!(environment.get("AWS_ENDPOINT_URL"), None, "{blank:?}");
        }
        for (name, value) in [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEJr//////////wE="),
            ("AWS_PROFILE", "prod"),
            ("HTTPS_PROXY", "http://proxy:3128"),
        ] {
            let environment = of(name, format!(" {value}\r\n")).unwrap();
            assert_eq!(environment.get(name), Some(value));
        }
    }

    #[test]
    fn what_is_ill_formed_is_named_and_never_shown() {
        let endless = "x".repeat(300);
        for (name, value) in [
            ("AWS_ENDPOINT_URL", "127.0.0.1:4566"),
            ("AWS_ENDPOINT_URL", "localhost"),
            ("AWS_ENDPOINT_URL_ECS", "ftp://hunter22"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://"),
            ("AWS_ENDPOINT_URL_STS", "http://hunter22 /"),
            ("AWS_ENDPOINT_URL_ECR", "http://hunter22:99999"),
            ("AWS_REGION", "eu west 1"),
            ("AWS_DEFAULT_REGION", "-hunter22"),
            ("AWS_REGION", &endless),
            ("AWS_ACCESS_KEY_ID", "AKIA hunter22"),
            ("AWS_ACCESS_KEY_ID", "AKIA\u{7}hunter22"),
            ("AWS_ACCESS_KEY_ID", &endless),
            ("AWS_SECRET_ACCESS_KEY", "hunter\n22"),
            ("AWS_SESSION_TOKEN", "hunter\u{e9}22"),
            ("AWS_PROFILE", "pro\u{1b}d"),
            ("AWS_USE_FIPS_ENDPOINT", "hunter22"),
            ("AWS_EXECUTION_ENV", "hunter22\n"),
        ] {
            let error = of(name, value).map(|_| ()).expect_err(value);
            assert_eq!(error.exit, crate::error::Exit::Usage);
            assert!(error.message.starts_with(name), "{error}");
            assert!(!error.to_string().contains("hunter"), "{error}");
        }
        let not_text = OsString::from_vec(vec![b'a', 0xff]);
        let error = of("AWS_REGION", not_text.clone()).map(|_| ()).unwrap_err();
        assert_eq!(error.message, "AWS_REGION is not UTF-8");
        assert!(of("EDITOR", not_text).is_ok(), "that is none of ours");
    }

    #[test]
    fn a_key_without_its_secret_is_no_silent_way_to_another_account() {
        let half = of("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE").unwrap();
        let error = half.has_whole_keys();
        assert!(error.unwrap_err().message.contains("AWS_SECRET_ACCESS_KEY"));
        // In a pipeline, a secret with a mistyped name is an empty text.
        let error = Variables::of([
            ("AWS_ACCESS_KEY_ID".into(), "".into()),
            ("AWS_SECRET_ACCESS_KEY".into(), "hunter22".into()),
        ]);
        let error = error.unwrap().has_whole_keys().unwrap_err();
        assert_eq!(
            error.message,
            "AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not"
        );
        let pair = [
            ("AWS_ACCESS_KEY_ID".into(), "AKIAEXAMPLE\n".into()),
            ("AWS_SECRET_ACCESS_KEY".into(), "secret\n".into()),
        ];
        let environment = Variables::of(pair).unwrap();
        environment.has_whole_keys().unwrap();
        assert_eq!(environment.credentials(), Some("AWS_ACCESS_KEY_ID"));
        let left = environment.without_credentials();
        assert_eq!(left.credentials(), None);
    }
}
