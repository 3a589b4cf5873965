//! Docker contexts: named engines, as `docker context` stores them in its folder. Reads
//! files and opens no connection.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::DockerError;
use super::tls;
use crate::hex;

/// The context that is not stored: it stands for the variables and the defaults.
pub(super) const DEFAULT: &str = "default";

/// What a context says about its engine.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) host: String,
    /// If it has certificates, or skips checking the engine's.
    pub(super) tls: Option<tls::TlsFiles>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    name: String,
    #[serde(default)]
    endpoints: BTreeMap<String, Option<EndpointMeta>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct EndpointMeta {
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

/// The context of that name in Docker's folder.
///
/// # Errors
/// `NoDockerContext` with the existing ones, or `DockerContext` with what is wrong with
/// it.
pub(super) fn find(config: &Path, name: &str) -> Result<Context, DockerError> {
    let contexts = config.join("contexts");
    let folder = match kept(&contexts).find(|(_, kept)| kept.name == name) {
        Some((folder, _)) => folder,
        // If its folder exists, it may be corrupt.
        None => folder_of(name).into(),
    };
    let path = contexts.join("meta").join(&folder).join("meta.json");
    let wrong = |why: String| DockerError::DockerContext {
        name: name.to_owned(),
        why,
    };
    let text = fs::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => DockerError::NoDockerContext {
            name: name.to_owned(),
            known: names(&contexts),
        },
        _ => wrong(format!("{}: {error}", path.display())),
    })?;
    let mut meta: Meta = serde_json::from_slice(&text)
        .map_err(|error| wrong(format!("{} is corrupt: {error}", path.display())))?;
    let endpoint = meta.endpoints.remove("docker").flatten();
    let endpoint = endpoint.ok_or_else(|| wrong("it names no Docker engine".to_owned()))?;
    if endpoint.host.trim().is_empty() {
        return Err(wrong("it names no host".to_owned()));
    }
    let files = contexts.join("tls").join(&folder).join("docker");
    let there = |name| Some(files.join(name)).filter(|path: &PathBuf| path.exists());
    let tls = tls::TlsFiles {
        ca: there("ca.pem"),
        cert: there("cert.pem"),
        key: there("key.pem"),
        verifies: !endpoint.skip_tls_verify,
    };
    Ok(Context {
        host: endpoint.host,
        tls: Some(tls).filter(tls::TlsFiles::says_something),
    })
}

/// Docker stores each context in a folder named by the hash of its name.
fn folder_of(name: &str) -> String {
    hex::sha256(name)
}

/// The contexts that can be read, each with the name of its folder.
fn kept(contexts: &Path) -> impl Iterator<Item = (OsString, Meta)> {
    let folders = fs::read_dir(contexts.join("meta"));
    folders
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|folder| {
            let text = fs::read(folder.path().join("meta.json")).ok()?;
            Some((folder.file_name(), serde_json::from_slice(&text).ok()?))
        })
}

/// The contexts that can be chosen, sorted.
fn names(contexts: &Path) -> Vec<String> {
    let folders = fs::read_dir(contexts.join("meta"));
    let found = folders
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|folder| {
            let text = fs::read(folder.path().join("meta.json")).ok()?;
            Some(serde_json::from_slice::<Meta>(&text).ok()?.name)
        });
    let mut names: Vec<String> = found.chain([DEFAULT.to_owned()]).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Stores a context as Docker does, with TLS files.
    pub(in crate::docker) fn keep(config: &Path, name: &str, meta: &str, tls: &[(&str, &str)]) {
        let write = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        let contexts = config.join("contexts");
        let folder = folder_of(name);
        write(contexts.join("meta").join(&folder).join("meta.json"), meta);
        for (file, text) in tls {
            write(
                contexts.join("tls").join(&folder).join("docker").join(file),
                text,
            );
        }
    }

    pub(in crate::docker) fn meta(name: &str, host: &str, skips: bool) -> String {
        format!(
            r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":{skips}}}}}}}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{keep, meta};
    use super::*;

    #[test]
    fn one_that_is_not_there_is_told_with_those_that_are() {
        let config = tempfile::tempdir().expect("a folder");
        let error = find(config.path(), "gone").expect_err("there is none");
        assert_eq!(
            error.to_string(),
            "there is no context gone (there are default)"
        );
        for name in ["remote", "colima"] {
            keep(config.path(), name, &meta(name, "unix:///x", false), &[]);
        }
        let error = find(config.path(), "gone").expect_err("there is none");
        assert_eq!(
            error.to_string(),
            "there is no context gone (there are colima, default, remote)"
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("DOCKER_CONTEXT"))
        );
    }

    #[test]
    fn certificates_and_their_absence_belong_to_it() {
        let config = tempfile::tempdir().expect("a folder");
        let at = config.path();
        keep(at, "plain", &meta("plain", "tcp://a:1", false), &[]);
        keep(at, "skips", &meta("skips", "tcp://a:1", true), &[]);
        keep(
            at,
            "trusts",
            &meta("trusts", "tcp://a:1", false),
            &[("ca.pem", "x")],
        );
        assert!(find(at, "plain").expect("there").tls.is_none());
        let skips = find(at, "skips").expect("there").tls.expect("it says so");
        assert!(!skips.verifies && skips.ca.is_none());
        let trusts = find(at, "trusts").expect("there").tls.expect("it has one");
        assert!(trusts.verifies && trusts.ca.is_some() && trusts.key.is_none());
    }

    #[test]
    fn what_is_corrupt_is_named() {
        let config = tempfile::tempdir().expect("a folder");
        let kubernetes = r#"{"Name":"c","Endpoints":{"kubernetes":{"Host":"https://k"}}}"#;
        for (meta, expected) in [
            ("{", "meta.json is corrupt: EOF"),
            ("[]", "is corrupt"),
            (kubernetes, "it names no Docker engine"),
            (
                r#"{"Name":"c","Endpoints":{"docker":null}}"#,
                "it names no Docker engine",
            ),
            (
                r#"{"Name":"c","Endpoints":{"docker":{"Host":""}}}"#,
                "it names no host",
            ),
        ] {
            keep(config.path(), "c", meta, &[]);
            let error = find(config.path(), "c").expect_err("it is corrupt");
            let text = error.to_string();
            assert!(
                text.starts_with("cannot use the Docker context c: "),
                "{text}"
            );
            assert!(text.contains(expected), "{text}");
            assert!(error.hint().is_some());
        }
    }
}
