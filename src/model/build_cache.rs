//! Where a build imports cached steps from, and where it exports its own: a registry, or
//! the image itself.

use std::collections::BTreeMap;
use std::str::FromStr;

/// An image, or what `type=registry` kept, whose steps are as good as built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheFrom(pub String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheTo {
    /// Within the image, so that it is pushed with it.
    Inline,
    /// Beside it, under a name of its own.
    Registry {
        name: String,
        /// As BuildKit has them, such as `mode=max`.
        attributes: BTreeMap<String, String>,
    },
}

/// What is taken of those that Docker has.
const KINDS: &str = "it is type=registry,ref=… or type=inline";

impl FromStr for CacheFrom {
    type Err = String;

    /// A name alone, or `type=registry,ref=NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut written = Written::from_str(text)?;
        match written.kind.as_str() {
            "registry" => {
                let name = written.name()?;
                match written.attributes.is_empty() {
                    true => Ok(Self(name)),
                    false => {
                        Err("only type and ref count for what a cache is read from".to_owned())
                    }
                }
            }
            "inline" => {
                Err("what type=inline kept is in the image: give the image's name".to_owned())
            }
            _ => Err(
                "a cache is read from a registry: give a name, or type=registry,ref=…".to_owned(),
            ),
        }
    }
}

impl FromStr for CacheTo {
    type Err = String;

    /// A name alone, `type=registry,ref=NAME,…` or `type=inline`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut written = Written::from_str(text)?;
        match written.kind.as_str() {
            "inline" if written.attributes.is_empty() => Ok(Self::Inline),
            "inline" => Err("type=inline stands alone".to_owned()),
            "registry" => Ok(Self::Registry {
                name: written.name()?,
                attributes: written.attributes,
            }),
            _ => Err(format!(
                "a cache is kept in a registry or in the image: {KINDS}"
            )),
        }
    }
}

/// No error repeats a value: other kinds of cache take credentials as attributes.
struct Written {
    kind: String,
    attributes: BTreeMap<String, String>,
}

impl FromStr for Written {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err(format!("it is empty: {KINDS}"));
        }
        if !text.contains(['=', ',']) {
            return Ok(Self {
                kind: "registry".to_owned(),
                attributes: [("ref".to_owned(), text.to_owned())].into(),
            });
        }
        let mut attributes = BTreeMap::new();
        for field in text.split(',') {
            let (key, value) = field.split_once('=').ok_or(KINDS)?;
            attributes.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
        let kind = attributes.remove("type").ok_or(KINDS)?;
        Ok(Self { kind, attributes })
    }
}

impl Written {
    fn name(&mut self) -> Result<String, String> {
        let name = self.attributes.remove("ref");
        name.filter(|name| !name.is_empty())
            .ok_or_else(|| "type=registry needs a name: ref=…".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_written_as_docker_has_them() {
        for text in [
            "ghcr.io/acme/app:cache",
            "type=registry,ref=ghcr.io/acme/app:cache",
        ] {
            let expected = "ghcr.io/acme/app:cache".to_owned();
            assert_eq!(text.parse(), Ok(CacheFrom(expected.clone())));
            let expected = CacheTo::Registry {
                name: expected,
                attributes: BTreeMap::new(),
            };
            assert_eq!(text.parse(), Ok(expected));
        }
        assert_eq!("type=inline".parse(), Ok(CacheTo::Inline));
        assert_eq!(
            "mode=max,type=registry,ref=a:b".parse(),
            Ok(CacheTo::Registry {
                name: "a:b".to_owned(),
                attributes: [("mode".to_owned(), "max".to_owned())].into(),
            })
        );
    }

    #[test]
    fn other_kinds_are_refused_without_their_values() {
        for (text, from, to) in [
            ("", "is empty", "is empty"),
            (
                "type=gha",
                "read from a registry",
                "in a registry or in the image",
            ),
            ("type=local,dest=/hunter", "read from", "kept in"),
            ("type=s3,secret_access_key=hunter22", "read from", "kept in"),
            ("ref=hunter22", "type=registry,ref", "type=registry,ref"),
            ("type=registry", "needs a name", "needs a name"),
            (
                "type=inline,ref=hunter22",
                "give the image's name",
                "stands alone",
            ),
        ] {
            let error = text.parse::<CacheFrom>().expect_err(text);
            assert!(error.contains(from) && !error.contains("hunter"), "{error}");
            let error = text.parse::<CacheTo>().expect_err(text);
            assert!(error.contains(to) && !error.contains("hunter"), "{error}");
        }
        let error = "type=registry,ref=a,mode=max".parse::<CacheFrom>();
        assert!(error.is_err_and(|error| error.contains("only type and ref")));
    }
}
