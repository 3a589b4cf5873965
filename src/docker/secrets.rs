//! Build secrets: where each comes from, reading them, passing them to BuildKit, and
//! keeping their values out of everything that is shown.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;

use bollard::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use tonic::{Request, Response, Status};

use super::error::DockerError;
use crate::hidden::Mask;
use crate::model::{Secret, SecretSource};

/// The largest secret that BuildKit accepts, in bytes.
const MAX_SIZE: u64 = 500 * 1024;

impl Secret {
    /// Checks that the source exists, without reading it: a pipe can be read only once.
    pub(super) fn check(&self) -> Result<(), DockerError> {
        match &self.source {
            SecretSource::File(path) => self.check_file(path),
            SecretSource::Env(name) if env::var_os(name).is_none() => {
                Err(self.wrong(format!("the variable {name} is not set")))
            }
            SecretSource::Named(_) if env::var_os(&self.id).is_some() => Ok(()),
            SecretSource::Named(folder) => {
                let path = folder.join(&self.id);
                if fs::symlink_metadata(&path).is_err() {
                    return Err(self.wrong(format!(
                        "there is neither a variable nor a file {}: add src=… or env=…",
                        path.display()
                    )));
                }
                self.check_file(&path)
            }
            SecretSource::Env(_) => Ok(()),
        }
    }

    fn check_file(&self, path: &Path) -> Result<(), DockerError> {
        let found = fs::metadata(path).map_err(|error| self.unreadable(path, &error))?;
        let kind = found.file_type();
        if kind.is_file() && found.len() > MAX_SIZE {
            return Err(self.too_large(path));
        }
        match kind.is_file() || kind.is_fifo() {
            true => Ok(()),
            false => Err(self.wrong_file(path, "is neither a file nor a pipe")),
        }
    }

    /// Waits for the writer of a pipe.
    fn read(&self) -> Result<Vec<u8>, DockerError> {
        self.check()?;
        let of_variable =
            |name: &str| env::var_os(name).map(std::ffi::OsString::into_encoded_bytes);
        match &self.source {
            SecretSource::File(path) => self.read_file(path),
            SecretSource::Env(name) => Ok(of_variable(name).unwrap_or_default()),
            SecretSource::Named(folder) => match of_variable(&self.id) {
                Some(value) => Ok(value),
                None => self.read_file(&folder.join(&self.id)),
            },
        }
    }

    fn read_file(&self, path: &Path) -> Result<Vec<u8>, DockerError> {
        let mut value = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut value));
        match read {
            Err(error) => Err(self.unreadable(path, &error)),
            Ok(read) if read as u64 > MAX_SIZE => Err(self.too_large(path)),
            Ok(_) => Ok(value),
        }
    }

    fn unreadable(&self, path: &Path, error: &std::io::Error) -> DockerError {
        match error.kind() {
            ErrorKind::IsADirectory => self.wrong_file(path, "is neither a file nor a pipe"),
            _ => self.wrong_file(path, &format!("cannot be read: {error}")),
        }
    }

    fn too_large(&self, path: &Path) -> DockerError {
        self.wrong_file(path, "is larger than the 500 KiB that a secret may have")
    }

    fn wrong_file(&self, path: &Path, why: &str) -> DockerError {
        self.wrong(format!("{} {why}", path.display()))
    }

    fn wrong(&self, why: String) -> DockerError {
        DockerError::Secret {
            id: self.id.clone(),
            why,
        }
    }
}

/// The values themselves. They are kept as long as the build runs.
#[derive(Clone)]
pub(super) struct Values {
    by_id: Arc<HashMap<String, Vec<u8>>>,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.by_id.len())
    }
}

impl Values {
    pub(super) fn read(secrets: &[Secret]) -> Result<Self, DockerError> {
        let read = secrets
            .iter()
            .map(|secret| Ok((secret.id.clone(), secret.read()?)));
        let by_id: HashMap<String, Vec<u8>> = read.collect::<Result<_, _>>()?;
        Ok(Self {
            by_id: Arc::new(by_id),
        })
    }

    /// Masks them in what steps print.
    pub(super) fn mask(&self) -> Mask {
        Mask::of(
            self.by_id
                .values()
                .map(|value| String::from_utf8_lossy(value)),
        )
    }
}

#[tonic::async_trait]
impl Secrets for Values {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        // On "not found" BuildKit skips a mount that is not required.
        let data = self.by_id.get(id).cloned();
        let data = data.ok_or_else(|| Status::not_found(format!("no secret `{id}`")))?;
        Ok(Response::new(GetSecretResponse { data }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use super::{Secret, SecretSource, Values};

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
    fn sources_are_checked_before_anything_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter22\n").expect("a file");
        let here = file("t", &path.to_string_lossy());
        here.check().expect("it is there");
        env("p", "PATH").check().expect("it is set");

        for (secret, expected) in [
            (file("t", "/nowhere/token"), "cannot be read"),
            (
                file("t", &folder.path().to_string_lossy()),
                "is neither a file",
            ),
            (file("t", "/dev/null"), "is neither a file"),
            (
                named("t", "/nowhere"),
                "neither a variable nor a file /nowhere/t",
            ),
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
    fn one_without_a_source_is_the_variable_or_file_of_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().to_string_lossy();
        std::fs::write(folder.path().join("tok"), "of the file").expect("a file");
        std::fs::write(folder.path().join("PATH"), "of the file").expect("a file");
        assert_eq!(
            named("tok", &at).read().expect("it is there"),
            b"of the file"
        );
        let path = std::env::var("PATH").expect("it is set");
        assert_eq!(
            named("PATH", &at).read().expect("it is set"),
            path.as_bytes()
        );
        let moved = file("t", "tok").within(folder.path());
        assert_eq!(moved.read().expect("it is there"), b"of the file");
    }

    /// Like one from a shell's `<(…)`.
    #[test]
    fn a_pipe_is_read_when_the_build_begins_and_not_before() {
        let pipe = |content: Vec<u8>| {
            let (reader, mut writer) = std::io::pipe().expect("a pipe");
            std::thread::spawn(move || writer.write_all(&content));
            reader
        };
        let reader = pipe(b"hunter22".to_vec());
        let secret = file("t", &format!("/dev/fd/{}", reader.as_raw_fd()));
        secret.check().expect("it is there");
        secret.check().expect("and not read");
        assert_eq!(secret.read().expect("it is there"), b"hunter22");
        let reader = pipe(vec![b'x'; 512_001]);
        let secret = file("t", &format!("/dev/fd/{}", reader.as_raw_fd()));
        let error = secret.read().expect_err("it is too large").to_string();
        assert!(error.contains("500 KiB"), "{error}");
    }

    #[test]
    fn values_are_not_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter22\nab\n  second-line\n").expect("a file");
        let values = Values::read(&[file("t", &path.to_string_lossy())]).expect("it is there");
        let mask = values.mask();
        assert_eq!(mask.apply("ab: hunter22hunter22!"), "ab: ******!");
        assert_eq!(mask.apply("second-line"), "***");
        assert_eq!(format!("{values:?}"), "1 secrets");
    }
}
