//! Which emulator is used, and the environment variables that say so.

use std::fmt;

/// An emulator that runs already.
pub(super) const ENDPOINT: &str = "BGECS_E2E_ENDPOINT";
/// LocalStack's own variable: who has a token for it gets LocalStack.
pub(super) const LOCALSTACK_TOKEN: &str = "LOCALSTACK_AUTH_TOKEN";
/// Any image that is like LocalStack's: one port, and its health page.
pub(super) const IMAGE: &str = "BGECS_EMULATOR_IMAGE";

/// Where the emulator comes from.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// One that runs already; it is neither started nor stopped.
    Endpoint(String),
    /// LocalStack's image, with this token.
    LocalStack { token: String },
    /// An image that behaves like LocalStack's.
    Image(String),
    /// MiniStack from PyPI, as a child process.
    MiniStack,
}

impl Source {
    /// What the environment asks for; [`Source::MiniStack`] if nothing.
    pub fn from_env() -> Self {
        Self::choose(|name| std::env::var(name).ok())
    }

    fn choose(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        if let Some(endpoint) = set(ENDPOINT) {
            Self::Endpoint(endpoint)
        } else if let Some(token) = set(LOCALSTACK_TOKEN) {
            Self::LocalStack { token }
        } else if let Some(image) = set(IMAGE) {
            Self::Image(image)
        } else {
            Self::MiniStack
        }
    }
}

/// Without the token: this goes into logs.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(endpoint) => f.debug_tuple("Endpoint").field(endpoint).finish(),
            Self::LocalStack { .. } => f.write_str("LocalStack"),
            Self::Image(image) => f.debug_tuple("Image").field(image).finish(),
            Self::MiniStack => f.write_str("MiniStack"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(set: &[(&str, &str)]) -> Source {
        Source::choose(|name| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_that_is_set_wins() {
        let endpoint = (ENDPOINT, "http://localhost:1");
        let token = (LOCALSTACK_TOKEN, "secret");
        let image = (IMAGE, "a:b");
        assert_eq!(
            choose(&[image, token, endpoint]),
            Source::Endpoint("http://localhost:1".into())
        );
        assert_eq!(
            choose(&[image, token]),
            Source::LocalStack {
                token: "secret".into()
            }
        );
        assert_eq!(choose(&[image]), Source::Image("a:b".into()));
        assert_eq!(choose(&[]), Source::MiniStack);
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        assert_eq!(choose(&[(ENDPOINT, ""), (IMAGE, " ")]), Source::MiniStack);
    }

    #[test]
    fn the_token_is_not_shown() {
        assert!(!format!("{:?}", choose(&[(LOCALSTACK_TOKEN, "secret")])).contains("secret"));
    }
}
