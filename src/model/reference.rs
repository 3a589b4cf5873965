//! What an image can be called: `name`, `name:tag`, `name@sha256:…`, or an id.
//!
//! Names as Docker reads them (<https://github.com/distribution/reference>).

use std::fmt;

use super::{Digest, Tag};

/// The registry of a name that names none.
const DOCKER_HUB: &str = "docker.io";

/// A name of an image, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    text: String,
    kind: ReferenceKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ReferenceKind {
    /// What an engine calls it by: no registry knows of that.
    Id,
    Name {
        registry: Option<String>,
        /// Without the registry.
        path: String,
        tag: Tag,
        digest: Option<Digest>,
    },
}

/// A text that names no image.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an image reference")]
pub struct NoReference(pub String);

/// What a name says of the image itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactly<'a> {
    Digest(&'a Digest),
    /// Which may name another image tomorrow.
    Tag(&'a Tag),
}

impl Reference {
    /// # Errors
    /// What cannot be a name.
    pub fn parse(text: &str) -> Result<Self, NoReference> {
        let kind = kind(text).ok_or_else(|| NoReference(text.to_owned()))?;
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host to ask, with its port if it has one; none for an id.
    pub fn registry(&self) -> Option<&str> {
        match &self.kind {
            ReferenceKind::Id => None,
            ReferenceKind::Name { registry, .. } => Some(registry.as_deref().unwrap_or(DOCKER_HUB)),
        }
    }

    /// Whether it says itself in which registry the image is.
    pub fn names_a_registry(&self) -> bool {
        matches!(
            self.kind,
            ReferenceKind::Name {
                registry: Some(_),
                ..
            }
        )
    }

    /// Whether it is of this repository (registry and path, without a tag), and
    /// by what it names the image there.
    pub fn within(&self, repository: &str) -> Option<Exactly<'_>> {
        (self.name()? == repository).then(|| self.exactly())?
    }

    /// By what it names the image; an id by nothing.
    pub fn exactly(&self) -> Option<Exactly<'_>> {
        match &self.kind {
            ReferenceKind::Id => None,
            ReferenceKind::Name {
                digest: Some(digest),
                ..
            } => Some(Exactly::Digest(digest)),
            ReferenceKind::Name { tag, .. } => Some(Exactly::Tag(tag)),
        }
    }

    /// Registry and path as the engine lists them: those of Docker Hub are
    /// shortened there.
    pub fn name(&self) -> Option<String> {
        let ReferenceKind::Name { registry, path, .. } = &self.kind else {
            return None;
        };
        Some(match registry.as_deref() {
            None | Some(DOCKER_HUB | "index.docker.io") => {
                path.strip_prefix("library/").unwrap_or(path).to_owned()
            }
            Some(registry) => format!("{registry}/{path}"),
        })
    }

    /// What the engine is asked to pull: without a tag it would pull every one
    /// there is.
    pub fn to_pull(&self) -> String {
        let full = match &self.kind {
            ReferenceKind::Name {
                registry,
                path,
                tag,
                digest,
            } => {
                let registry = registry.as_ref().map(|registry| format!("{registry}/"));
                let name = format!("{}{path}", registry.unwrap_or_default());
                Some(match digest {
                    Some(digest) => format!("{name}@{digest}"),
                    None => format!("{name}:{tag}"),
                })
            }
            ReferenceKind::Id => None,
        };
        full.unwrap_or_else(|| self.text.clone())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn kind(text: &str) -> Option<ReferenceKind> {
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let bare = text.strip_prefix("sha256:");
    if bare.is_some_and(|hex| hex.len() >= 4 && is_hex(hex)) || (text.len() == 64 && is_hex(text)) {
        return Some(ReferenceKind::Id);
    }
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest.parse().ok()?)),
        None => (text, None),
    };
    let (registry, rest) = match name.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(host), rest)
        }
        _ => (None, name),
    };
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) => (path, tag),
        None => (rest, "latest"),
    };
    let fits = path.split('/').all(is_component) && registry.is_none_or(is_host);
    fits.then_some(ReferenceKind::Name {
        registry: registry.map(str::to_owned),
        path: path.to_owned(),
        tag: tag.parse().ok()?,
        digest,
    })
}

/// Lower case, and separators only between other characters.
fn is_component(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut bytes = text.bytes();
    bytes.next().is_some_and(is_plain)
        && text.bytes().next_back().is_some_and(is_plain)
        && bytes.all(|b| is_plain(b) || b"._-".contains(&b))
        && !text.contains("..")
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let fits = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(|label| {
            let ends = |b: u8| b.is_ascii_alphanumeric();
            let mut bytes = label.bytes();
            bytes.next().is_some_and(ends)
                && label.bytes().next_back().is_some_and(ends)
                && bytes.all(|b| ends(b) || b == b'-')
        }),
    };
    fits && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:8be990ef2aeb16dbcb9271ddfe2610fa6658d13f6dfb8bc72074cc1ca36966a7";

    fn reference(text: &str) -> Reference {
        Reference::parse(text).expect(text)
    }

    #[test]
    fn the_registry_is_told_from_the_name() {
        for (text, registry, name, to_pull) in [
            ("nginx", "docker.io", "nginx", "nginx:latest"),
            ("nginx:1.27", "docker.io", "nginx", "nginx:1.27"),
            (
                "docker.io/library/nginx",
                "docker.io",
                "nginx",
                "docker.io/library/nginx:latest",
            ),
            ("me/app", "docker.io", "me/app", "me/app:latest"),
            (
                "localhost/app",
                "localhost",
                "localhost/app",
                "localhost/app:latest",
            ),
            (
                "localhost:5000/app",
                "localhost:5000",
                "localhost:5000/app",
                "localhost:5000/app:latest",
            ),
            (
                "localhost:5000/app:1",
                "localhost:5000",
                "localhost:5000/app",
                "localhost:5000/app:1",
            ),
            (
                "[::1]:5000/app",
                "[::1]:5000",
                "[::1]:5000/app",
                "[::1]:5000/app:latest",
            ),
            (
                "123.dkr.ecr.eu-west-1.amazonaws.com/a/b:c",
                "123.dkr.ecr.eu-west-1.amazonaws.com",
                "123.dkr.ecr.eu-west-1.amazonaws.com/a/b",
                "123.dkr.ecr.eu-west-1.amazonaws.com/a/b:c",
            ),
        ] {
            let read = reference(text);
            assert_eq!(read.registry(), Some(registry), "{text}");
            assert_eq!(read.name().as_deref(), Some(name), "{text}");
            assert_eq!(read.to_pull(), to_pull, "{text}");
        }
    }

    #[test]
    fn a_digest_counts_for_more_than_a_tag() {
        let digest: Digest = DIGEST.parse().unwrap();
        let tag: Tag = "1".parse().unwrap();
        for (text, exactly) in [
            (format!("r.io/app@{DIGEST}"), Exactly::Digest(&digest)),
            (format!("r.io/app:1@{DIGEST}"), Exactly::Digest(&digest)),
            ("r.io/app:1".to_owned(), Exactly::Tag(&tag)),
        ] {
            let read = reference(&text);
            assert_eq!(read.within("r.io/app"), Some(exactly), "{text}");
            for other in ["r.io/ap", "app", "r.io/app:1", "r.io/app/b"] {
                assert_eq!(read.within(other), None, "{text} in {other}");
            }
        }
        assert_eq!(
            reference(&format!("a:1@{DIGEST}")).to_pull(),
            format!("a@{DIGEST}")
        );
    }

    #[test]
    fn an_id_is_the_engines_alone() {
        for id in [DIGEST, &DIGEST[7..], "sha256:0a1b"] {
            assert_eq!(reference(id).registry(), None, "{id}");
            assert_eq!(reference(id).to_pull(), id);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            " ",
            "a b",
            "a//b",
            "/a",
            "a/",
            "a:",
            "-a",
            "a?x=1",
            "ä",
            "a\n",
            "App",
            "a@sha256:1",
            "a:-1",
            "r.io/",
            "r.io:port/a",
            "a..b",
            "http://r.io/a",
        ] {
            let error = Reference::parse(text).expect_err(text);
            assert!(
                error.to_string().ends_with("is not an image reference"),
                "{error}"
            );
        }
    }
}
