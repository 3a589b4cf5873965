//! Why a registry said no.
//!
//! The engine passes a registry's refusal on as text and nothing else, so text
//! is what is matched here, and only here.

/// The kinds of refusal that call for different remedies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The repository is immutable and has that tag already.
    TagExists,
    /// No credentials, wrong ones, or expired ones.
    NotLoggedIn,
    /// The credentials are good, and may not do that.
    Denied,
    /// No such repository or image.
    NotFound,
    /// Nobody answers there.
    Unreachable,
    Other,
}

impl Refusal {
    /// The first kind that one of the known sentences stands for.
    pub(super) fn of(message: &str) -> Self {
        const SENTENCES: [(&str, Refusal); 32] = [
            ("cannot be overwritten", Refusal::TagExists),
            ("tag is immutable", Refusal::TagExists),
            ("tag invalid", Refusal::TagExists),
            ("imagetagalreadyexists", Refusal::TagExists),
            ("authorization token has expired", Refusal::NotLoggedIn),
            ("no basic auth credentials", Refusal::NotLoggedIn),
            ("authentication required", Refusal::NotLoggedIn),
            ("incorrect username or password", Refusal::NotLoggedIn),
            ("invalid username or password", Refusal::NotLoggedIn),
            ("failed to fetch oauth token", Refusal::NotLoggedIn),
            ("unauthorized", Refusal::NotLoggedIn),
            ("not authorized to perform", Refusal::Denied),
            ("name unknown", Refusal::NotFound),
            ("name_unknown", Refusal::NotFound),
            ("manifest unknown", Refusal::NotFound),
            ("repository does not exist", Refusal::NotFound),
            ("does not exist in the registry", Refusal::NotFound),
            ("not found", Refusal::NotFound),
            ("access denied", Refusal::Denied),
            ("access to the resource is denied", Refusal::Denied),
            ("insufficient_scope", Refusal::Denied),
            ("denied:", Refusal::Denied),
            // ECR's answer to an expired token where the engine hides the text.
            ("403 forbidden", Refusal::NotLoggedIn),
            ("connection refused", Refusal::Unreachable),
            ("no such host", Refusal::Unreachable),
            ("i/o timeout", Refusal::Unreachable),
            ("handshake timeout", Refusal::Unreachable),
            ("deadline exceeded", Refusal::Unreachable),
            ("awaiting headers", Refusal::Unreachable),
            ("network is unreachable", Refusal::Unreachable),
            ("no route to host", Refusal::Unreachable),
            ("connection reset", Refusal::Unreachable),
        ];
        let message = message.to_lowercase();
        SENTENCES
            .iter()
            .find(|(sentence, _)| message.contains(sentence))
            .map_or(Self::Other, |(_, refusal)| *refusal)
    }

    pub(super) fn hint_for_push(self) -> Option<&'static str> {
        match self {
            Self::TagExists => {
                Some("the tag is taken, and tags cannot be moved here: release under a new one")
            }
            Self::NotLoggedIn => Some("the registry's token is missing or expired: try again"),
            Self::Denied => Some("the AWS identity in use needs permission to push there"),
            Self::NotFound => Some("the repository is gone: create it again"),
            Self::Unreachable => Some("check whether this machine reaches the registry"),
            Self::Other => None,
        }
    }

    pub(super) fn hint_for_pull(self) -> Option<&'static str> {
        match self {
            Self::NotLoggedIn | Self::Denied => {
                Some("log in to the registry with `docker login`, with an account that may read it")
            }
            Self::NotFound => Some(
                "check whether the name and the tag are right; if it is private, `docker login`",
            ),
            Self::Unreachable => Some("check whether this machine reaches the registry"),
            Self::TagExists | Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    /// As ECR, Docker Hub and the distribution registry put it, through the
    /// engine with its own store and with containerd's.
    const KNOWN: [(&str, Refusal); 25] = [
        (
            "tag invalid: The image tag '1' already exists in the 'demo' repository and cannot be overwritten because the repository is immutable.",
            Refusal::TagExists,
        ),
        (
            "tag invalid: The image tag '1' already exists in the 'demo' repository and cannot be overwritten because the tag is immutable.",
            Refusal::TagExists,
        ),
        (
            "failed commit on ref \"manifest-sha256:0a\": unexpected status from PUT request to https://1.dkr.ecr/v2/demo/manifests/1: 400 Bad Request\ntag invalid: The image tag '1' already exists",
            Refusal::TagExists,
        ),
        ("no basic auth credentials", Refusal::NotLoggedIn),
        (
            "denied: Your authorization token has expired. Reauthenticate and try again.",
            Refusal::NotLoggedIn,
        ),
        (
            "push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
            Refusal::NotLoggedIn,
        ),
        (
            "unauthorized: authentication required",
            Refusal::NotLoggedIn,
        ),
        (
            "unauthorized: incorrect username or password",
            Refusal::NotLoggedIn,
        ),
        (
            "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
            Refusal::NotLoggedIn,
        ),
        (
            "unexpected status from HEAD request to https://1.dkr.ecr/v2/demo/blobs/sha256:0a: 403 Forbidden",
            Refusal::NotLoggedIn,
        ),
        (
            "denied: User: arn:aws:iam::1:user/ci is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-1:1:repository/demo because no identity-based policy allows the ecr:InitiateLayerUpload action",
            Refusal::Denied,
        ),
        (
            "denied: requested access to the resource is denied",
            Refusal::Denied,
        ),
        (
            "server message: insufficient_scope: authorization failed",
            Refusal::Denied,
        ),
        (
            "name unknown: The repository with name 'demo' does not exist in the registry with id '1'",
            Refusal::NotFound,
        ),
        (
            "name unknown: repository name not known to registry",
            Refusal::NotFound,
        ),
        (
            "pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            Refusal::NotFound,
        ),
        (
            "manifest for redis:nope not found: manifest unknown: manifest unknown",
            Refusal::NotFound,
        ),
        (
            "failed to resolve reference \"localhost:1/a:b\": localhost:1/a:b: not found",
            Refusal::NotFound,
        ),
        (
            "Get \"http://localhost:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
            Refusal::Unreachable,
        ),
        (
            "Get \"https://1.dkr.ecr/v2/\": dial tcp: lookup 1.dkr.ecr on 10.0.0.2:53: no such host",
            Refusal::Unreachable,
        ),
        (
            "Get \"https://r/v2/\": dial tcp 10.0.0.1:443: i/o timeout",
            Refusal::Unreachable,
        ),
        (
            "Get \"https://r/v2/\": net/http: TLS handshake timeout",
            Refusal::Unreachable,
        ),
        (
            "Get \"https://r/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
            Refusal::Unreachable,
        ),
        ("toomanyrequests: Rate exceeded", Refusal::Other),
        ("EOF", Refusal::Other),
    ];

    #[test]
    fn the_known_sentences_are_told_apart() {
        for (sentence, expected) in KNOWN {
            assert_eq!(Refusal::of(sentence), expected, "{sentence}");
        }
    }

    #[test]
    fn what_can_be_remedied_has_a_hint() {
        for (_, refusal) in KNOWN {
            let known = refusal != Refusal::Other;
            assert_eq!(refusal.hint_for_push().is_some(), known, "{refusal:?}");
        }
        assert!(Refusal::NotFound.hint_for_pull().is_some());
    }
}
