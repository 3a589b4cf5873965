//! Where a build secret comes from, as a person writes it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file or variable that a `RUN --mount=type=secret,id=…` may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    pub id: String,
    pub source: SecretSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// Or a pipe, which is read once, when the build begins.
    File(PathBuf),
    /// The name of an environment variable.
    Env(String),
    /// The variable that is called like the secret, else the file in this
    /// folder that is.
    Named(PathBuf),
}

impl FromStr for Secret {
    type Err = String;

    /// `id=…`, `id=…,src=…` or `id=…,env=…`, as `docker build --secret` takes it.
    /// What is not that may be the secret itself, so no error repeats it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut id, mut src, mut env, mut kind) = (None, None, None, None);
        for field in text.split(',') {
            let (key, value) = field
                .split_once('=')
                .ok_or("it is not key=value: write id=…,src=… or id=…,env=…")?;
            let slot = match key.trim().to_ascii_lowercase().as_str() {
                "id" => &mut id,
                "src" | "source" => &mut src,
                "env" => &mut env,
                "type" => &mut kind,
                _ => return Err("a secret has id, src and env, and nothing else".to_owned()),
            };
            *slot = Some(value.trim()).filter(|value| !value.is_empty());
        }
        let id = id.ok_or("a secret needs an id: id=…,src=… or id=…,env=…")?;
        let source = match (kind, src, env) {
            (None | Some("file"), Some(src), None) => SecretSource::File(src.into()),
            (None | Some("env"), None, Some(name)) | (Some("env"), Some(name), None) => {
                SecretSource::Env(name.to_owned())
            }
            (None | Some("file" | "env"), None, None) => SecretSource::Named(PathBuf::new()),
            (None | Some("file" | "env"), ..) => {
                return Err(format!("secret `{id}` has both src and env"));
            }
            (Some(_), ..) => {
                return Err(format!(
                    "secret `{id}` has an unknown type: it is file or env"
                ));
            }
        };
        Ok(Self {
            id: id.to_owned(),
            source,
        })
    }
}

impl Secret {
    /// The same, with a file's path taken from `folder` on.
    pub fn within(self, folder: &Path) -> Self {
        let source = match self.source {
            SecretSource::File(path) => SecretSource::File(folder.join(path)),
            SecretSource::Named(path) => SecretSource::Named(folder.join(path)),
            source @ SecretSource::Env(_) => source,
        };
        Self { source, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str, path: &str) -> Secret {
        Secret {
            id: id.to_owned(),
            source: SecretSource::File(path.into()),
        }
    }

    fn named(id: &str, folder: &str) -> Secret {
        Secret {
            id: id.to_owned(),
            source: SecretSource::Named(folder.into()),
        }
    }

    fn env(id: &str, name: &str) -> Secret {
        Secret {
            id: id.to_owned(),
            source: SecretSource::Env(name.to_owned()),
        }
    }

    #[test]
    fn secrets_are_written_as_docker_has_them() {
        for (text, expected) in [
            ("id=npm,src=/home/me/.npmrc", file("npm", "/home/me/.npmrc")),
            ("src=token.txt,id=t", file("t", "token.txt")),
            ("type=file,id=t,source=a=b", file("t", "a=b")),
            ("id=aws,env=AWS_SECRET", env("aws", "AWS_SECRET")),
            ("type=env,id=aws,env=X", env("aws", "X")),
            ("type=env,id=aws,src=X", env("aws", "X")),
            ("ID=tok", named("tok", "")),
            ("id=tok,type=env", named("tok", "")),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, expected) in [
            ("", "not key=value"),
            ("npm", "not key=value"),
            ("src=x", "needs an id"),
            ("id=,src=x", "needs an id"),
            ("id=x,src=a,env=b", "both src and env"),
            ("id=x,type=vault,src=a", "unknown type"),
            ("id=x,value=a", "and nothing else"),
        ] {
            let error = text.parse::<Secret>().expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_secret_given_in_place_of_its_source_is_not_repeated() {
        for text in [
            "hunter22",
            "hunter22==",
            "id=x,hunter22=",
            "id=x,type=hunter22,src=a",
        ] {
            let error = text.parse::<Secret>().expect_err(text);
            assert!(!error.contains("hunter"), "{error}");
        }
    }
}
