//! Build secrets: where each is, reading them, handing them to BuildKit, and
//! keeping their values out of everything that is shown.

use std::borrow::Cow;
use std::collections::HashMap;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use bollard::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use tonic::{Request, Response, Status};

use super::error::Error;
use crate::hidden::Mask;

/// BuildKit takes no larger secret, in bytes.
const MAX_SIZE: u64 = 500 * 1024;

/// A file or variable that a `RUN --mount=type=secret,id=…` may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    pub id: String,
    pub source: SecretSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    File(PathBuf),
    /// The name of an environment variable.
    Env(String),
}

impl FromStr for Secret {
    type Err = String;

    /// `id=…,src=…` or `id=…,env=…`, as `docker build --secret` takes it. What
    /// is not that may be the secret itself, so no error repeats it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut id, mut src, mut env, mut kind) = (None, None, None, None);
        for field in text.split(',') {
            let (key, value) = field
                .split_once('=')
                .ok_or("it is not key=value: write id=…,src=… or id=…,env=…")?;
            let slot = match key.trim() {
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
            (None | Some("file" | "env"), None, None) => {
                return Err(format!("secret `{id}` has no source: add src=… or env=…"));
            }
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
    /// That the source is there, without reading it.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.source {
            SecretSource::File(path) => match fs::metadata(path) {
                Ok(found) if !found.is_file() => Err(self.wrong_file(path, "is not a file")),
                Ok(found) if found.len() > MAX_SIZE => {
                    Err(self.wrong_file(path, "is larger than the 500 KiB that a secret may have"))
                }
                Ok(_) => Ok(()),
                Err(error) => Err(self.wrong_file(path, &format!("cannot be read: {error}"))),
            },
            SecretSource::Env(name) if env::var_os(name).is_none() => {
                Err(self.wrong(format!("the variable {name} is not set")))
            }
            SecretSource::Env(_) => Ok(()),
        }
    }

    fn read(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        match &self.source {
            SecretSource::File(path) => fs::read(path)
                .map_err(|error| self.wrong_file(path, &format!("cannot be read: {error}"))),
            SecretSource::Env(name) => {
                Ok(env::var_os(name).unwrap_or_default().into_encoded_bytes())
            }
        }
    }

    fn wrong_file(&self, path: &Path, why: &str) -> Error {
        self.wrong(format!("{} {why}", path.display()))
    }

    fn wrong(&self, why: String) -> Error {
        Error::Secret {
            id: self.id.clone(),
            why,
        }
    }
}

/// The values themselves. They live as long as the build.
#[derive(Clone)]
pub(super) struct Values {
    by_id: Arc<HashMap<String, Vec<u8>>>,
    mask: Mask,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.by_id.len())
    }
}

impl Values {
    pub(super) fn read(secrets: &[Secret]) -> Result<Self, Error> {
        let read = secrets
            .iter()
            .map(|secret| Ok((secret.id.clone(), secret.read()?)));
        let by_id: HashMap<String, Vec<u8>> = read.collect::<Result<_, _>>()?;
        let mask = Mask::of(by_id.values().map(|value| String::from_utf8_lossy(value)));
        Ok(Self {
            by_id: Arc::new(by_id),
            mask,
        })
    }

    /// `text` with every secret in it starred out, should a step print one.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask.apply(text)
    }
}

#[tonic::async_trait]
impl Secrets for Values {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        // "Not found" is what makes BuildKit skip a mount that is not required.
        let data = self.by_id.get(id).cloned();
        let data = data.ok_or_else(|| Status::not_found(format!("no secret `{id}`")))?;
        Ok(Response::new(GetSecretResponse { data }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Secret, SecretSource, Values};

    fn file(id: &str, path: &str) -> Secret {
        Secret {
            id: id.to_owned(),
            source: SecretSource::File(path.into()),
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
            ("id=x", "has no source"),
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

    #[test]
    fn sources_are_checked_before_anything_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter22\n").expect("a file");
        let here = file("t", &path.to_string_lossy());
        here.check().expect("it is there");
        env("p", "PATH").check().expect("it is set");

        for (secret, expected) in [
            (file("t", "/nowhere/token"), "cannot be read"),
            (file("t", &folder.path().to_string_lossy()), "is not a file"),
            (env("t", "BGECS_NEVER_SET"), "is not set"),
        ] {
            let error = secret.check().expect_err(expected).to_string();
            assert!(error.contains("`t`") && error.contains(expected), "{error}");
        }
        std::fs::write(&path, vec![b'x'; 512_001]).expect("a file");
        let error = here.check().expect_err("it is too large").to_string();
        assert!(error.contains("500 KiB"), "{error}");
    }

    #[test]
    fn values_are_not_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter22\nab\n  second-line\n").expect("a file");
        let values = Values::read(&[file("t", &path.to_string_lossy())]).expect("it is there");
        assert_eq!(values.redact("ab: hunter22hunter22!"), "ab: ******!");
        assert_eq!(values.redact("second-line"), "***");
        assert_eq!(values.redact("nothing"), "nothing");
        assert_eq!(format!("{values:?}"), "1 secrets");
    }
}
